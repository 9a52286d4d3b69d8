/** Writing the file of an export into a database, through wrangler: as SQL, which is made line by line. */
import { createReadStream, createWriteStream } from "node:fs"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { Readable } from "node:stream"
import { pipeline } from "node:stream/promises"
import * as Database from "../doctor/Database.ts"
import { wrangler } from "../wrangler.ts"
import { DumpUnreadable, type Header, type Line, read } from "./Dump.ts"
import { occupied, statements } from "./statements.ts"

export interface Target {
  readonly file: string
  /** The database, as wrangler.toml names it, and where it is: `--local` or `--remote`, and wrangler's options for it. */
  readonly database: string
  readonly where: ReadonlyArray<string>
}

export interface Loaded {
  readonly scope: string | null
  /** How many records of each kind there are. */
  readonly counts: Readonly<Record<string, number>>
}

const parts = (file: string) => read(createInterface({ input: createReadStream(file), crlfDelay: Infinity }))

const recordsOf = async function*(file: string): AsyncGenerator<Line> {
  for await (const { line } of parts(file)) if (line !== undefined) yield line
}

/** Reads the file once, whole: nothing is written of one that was cut short. */
const check = async (file: string) => {
  let header: Header | undefined
  let counts: Loaded["counts"] = {}
  for await (const part of parts(file)) {
    header ??= part.header
    counts = part.counts ?? counts
  }
  if (header === undefined) throw new DumpUnreadable("The file is empty.")
  return { header, counts }
}

/** Why nothing may be written there, if so. */
const obstacle = async ({ database, where }: Target, header: Header): Promise<string | undefined> => {
  const ask = Database.make(database, where)
  const [tables = []] = await ask([
    "SELECT count(*) AS n FROM sqlite_master WHERE type = 'table' AND name IN ('tasks', 'sweeps')"
  ])
  if (Number(tables[0]?.["n"]) < 2) {
    return `The database lacks tables: npx wrangler d1 migrations apply ${database} ${where.join(" ")}`
  }
  const [rows = []] = await ask([occupied(header).replace(/;$/, "")])
  const full = String(rows[0]?.["occupied"]).trim()
  if (full === "") return undefined
  const what = header.scope === null ? "The database" : `The scope ${header.scope}`
  return `${what} has records already, in ${full.split(" ").join(", ")}. An export goes where there are none.`
}

export const load = async (target: Target): Promise<Loaded> => {
  const { counts, header } = await check(target.file)
  const problem = await obstacle(target, header)
  if (problem !== undefined) throw new Error(problem)
  const directory = await mkdtemp(join(tmpdir(), "octopoid-import-"))
  try {
    const sql = join(directory, "import.sql")
    const lines = async function*() {
      for await (const statement of statements(header, () => recordsOf(target.file), Date.now())) yield `${statement}\n`
    }
    await pipeline(Readable.from(lines()), createWriteStream(sql))
    await wrangler(["d1", "execute", target.database, ...target.where, "--yes", "--file", sql])
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
  return { scope: header.scope, counts }
}
