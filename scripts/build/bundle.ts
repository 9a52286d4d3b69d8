/** Builds the Workers as they would be deployed, says how large they are, and fails when one is too large. */
import { spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import type { Budget } from "../../test/budget/Budget.ts"
import * as Flags from "../flags.ts"

Flags.read({
  run: "npm run bundle",
  does:
    `Builds the Workers on D1 and on Durable Objects to dist-worker/, as they would be deployed, and says how large they are.
It exits with 1 if one is larger than bench/budget.json allows.`,
  takes: "ten seconds",
  options: {}
})

const run = (...args: ReadonlyArray<string>) => {
  const { status } = spawnSync(process.execPath, args, { stdio: "inherit" })
  if (status !== 0) process.exit(status ?? 1)
}

const wrangler = join(createRequire(import.meta.url).resolve("wrangler/package.json"), "..", "bin", "wrangler.js")
run(wrangler, "deploy", "--dry-run", "--outdir", "dist-worker")
run("scripts/build/worker.ts", "dist-worker/objects.js", "objects")

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
