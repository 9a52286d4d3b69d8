/** Running SQL in a D1 database from outside of the server, through wrangler: all of it or none. */
import { createWriteStream } from "node:fs"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Readable } from "node:stream"
import { pipeline } from "node:stream/promises"
import { wrangler } from "./wrangler.ts"

/** The database, as wrangler.toml names it, and where it is: `--local` or `--remote`, and wrangler's options for it. */
export interface Target {
  readonly database: string
  readonly where: ReadonlyArray<string>
}

/** Runs the statements, which are made one after the other: they may be more than fit into memory. */
export const execute = async (
  { database, where }: Target,
  statements: AsyncIterable<string> | Iterable<string>
): Promise<void> => {
  const directory = await mkdtemp(join(tmpdir(), "octopoid-sql-"))
  try {
    const file = join(directory, "statements.sql")
    const lines = async function*() {
      for await (const statement of statements) yield `${statement}\n`
    }
    await pipeline(Readable.from(lines()), createWriteStream(file))
    await wrangler(["d1", "execute", database, ...where, "--yes", "--file", file])
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}
