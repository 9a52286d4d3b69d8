/**
 * Writes everything of a scope or of a server to a file or to standard output, as JSON Lines:
 * `npm run --silent export -- [--scope my-scope] [--url http://localhost:8787] [--out backup.jsonl]`. See docs/operating.md.
 */
import { createWriteStream } from "node:fs"
import { rename, rm } from "node:fs/promises"
import { Readable } from "node:stream"
import { pipeline } from "node:stream/promises"
import { write } from "./dump/Dump.ts"
import { pages } from "./dump/pages.ts"
import * as Flags from "./flags.ts"

const { parse, refuse } = Flags.make(
  "npm run --silent export -- [--scope <scope>] [--url <url>] [--key <key>] [--out <file>]"
)
const { key, out, scope, url } = parse({
  scope: { type: "string" },
  url: { type: "string", default: process.env.OCTOPOID_URL ?? "http://localhost:8787" },
  key: { type: "string", default: process.env.OCTOPOID_API_KEY ?? "" },
  out: { type: "string" }
})
if (!/^https?:/.test(url) || !URL.canParse(url)) refuse(`${url} is not an address.`)

const lines = async function*() {
  for await (const line of write(new Date().toISOString(), pages({ url, key, scope }))) yield `${line}\n`
}

try {
  if (out === undefined) await pipeline(Readable.from(lines()), process.stdout)
  else {
    // A file by this name is a whole export, which nobody else may read: it has the hashes of keys.
    const part = `${out}.part`
    await pipeline(Readable.from(lines()), createWriteStream(part, { mode: 0o600 })).catch(async (error: unknown) => {
      await rm(part, { force: true })
      throw error
    })
    await rename(part, out)
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error))
  process.exitCode = 1
}
