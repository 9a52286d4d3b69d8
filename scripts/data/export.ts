/**
 * Writes everything of a scope or of a server to a file or to standard output, as JSON Lines:
 * `npm run --silent export -- [--scope my-scope] [--url http://localhost:8787] [--out backup.jsonl]`. See docs/operating.md.
 */
import { createWriteStream } from "node:fs"
import { rename, rm } from "node:fs/promises"
import { Readable } from "node:stream"
import { pipeline } from "node:stream/promises"
import * as Flags from "../flags.ts"
import { write } from "./dump/Dump.ts"
import { pages } from "./dump/pages.ts"

const { refuse, values } = Flags.read({
  run: "npm run --silent export",
  does: `Writes the records of a scope, or of the whole server, as JSON Lines to a file or to standard output.
docs/operating.md says what an export holds.`,
  options: {
    scope: { type: "string", value: "scope", says: "exports only this scope" },
    url: {
      type: "string",
      value: "url",
      default: process.env.OCTOPOID_URL ?? "http://localhost:8787",
      says: "the server; or OCTOPOID_URL"
    },
    key: { type: "string", value: "key", says: "the key or secret that the server asks for; or OCTOPOID_API_KEY" },
    out: { type: "string", value: "file", says: "writes to this file" }
  }
})
const { out, scope, url } = values
const key = values.key ?? process.env.OCTOPOID_API_KEY ?? ""
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
