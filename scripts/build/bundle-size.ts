/** Says how large the Workers in `dist-worker` are, which `npm run bundle` built, and fails when one is too large. */
import { readFileSync } from "node:fs"
import { gzipSync } from "node:zlib"
import type { Budget } from "../../test/budget/Budget.ts"

const { bundle }: Pick<Budget, "bundle"> = JSON.parse(
  readFileSync(new URL("../../bench/budget.json", import.meta.url), "utf8")
)
const kib = (bytes: number) => (bytes / 1024).toFixed(1)

for (const [file, limit] of [["worker.js", bundle.gzipKiB], ["objects.js", bundle.objectsGzipKiB]] as const) {
  const code = readFileSync(`dist-worker/${file}`)
  const compressed = gzipSync(code, { level: 9 }).length
  console.log(`${file}: ${kib(code.length)} KiB, ${kib(compressed)} KiB compressed (limit ${limit} KiB)`)
  if (compressed > limit * 1024) {
    console.error(`${file} is too large. A barrel import ("effect" for "effect/Effect") is the usual reason.`)
    process.exitCode = 1
  }
}
