/** Says how large the Worker is that `wrangler deploy --dry-run` left in `dist-worker`, and fails when it is too large. */
import { readFileSync } from "node:fs"
import { gzipSync } from "node:zlib"

const { bundle: { gzipKiB: limit } }: { readonly bundle: { readonly gzipKiB: number } } = JSON.parse(
  readFileSync(new URL("../../bench/budget.json", import.meta.url), "utf8")
)
const kib = (bytes: number) => (bytes / 1024).toFixed(1)

const code = readFileSync("dist-worker/worker.js")
const compressed = gzipSync(code, { level: 9 }).length

console.log(`worker.js: ${kib(code.length)} KiB, ${kib(compressed)} KiB compressed (limit ${limit} KiB)`)
if (compressed > limit * 1024) {
  console.error("The Worker is too large. A barrel import (\"effect\" for \"effect/Effect\") is the usual reason.")
  process.exitCode = 1
}
