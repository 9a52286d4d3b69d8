/**
 * The databases of objects, past the server: SQLite lets a second process read and write them while workerd runs, and the
 * object sees with its next batch what was written.
 */
import type { D1Database } from "@cloudflare/workers-types"
import { existsSync, readdirSync, statSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync, type SQLInputValue } from "node:sqlite"

const using = <A>(file: string, use: (db: DatabaseSync) => A): A => {
  const db = new DatabaseSync(file)
  try {
    return use(db)
  } finally {
    db.close()
  }
}

/** Where Miniflare and `octopoid-server serve` have the databases of the scopes. */
const directoryOf = (storage: string) =>
  [join(storage, "do", "-ScopeObject"), join(storage, "objects", "scopes")].find((one) => existsSync(one))

/** How many bytes each file of the databases of the scopes has. */
export const sizes = (storage: string): ReadonlyMap<string, number> => {
  const directory = directoryOf(storage)
  return new Map(
    directory === undefined
      ? []
      : readdirSync(directory).map((name) => [name, statSync(join(directory, name)).size] as const)
  )
}

/** The files of the scopes that have records. */
export const scopeFiles = (storage: string): ReadonlyArray<string> => {
  const directory = directoryOf(storage)
  if (directory === undefined) return []
  return readdirSync(directory).filter((name) => /^[0-9a-f]{64}\.sqlite$/.test(name)).map((name) =>
    join(directory, name)
  )
    // A database that was removed has no tables.
    .filter((file) =>
      using(file, (db) =>
        db.prepare("SELECT 1 FROM sqlite_schema WHERE name = '_told'").all().length > 0 &&
        db.prepare("SELECT 1 FROM _told").all().length > 0)
    )
}

/** All of them as one database: a statement runs on each, and its rows are those of all. */
export const database = (storage: string): D1Database => {
  const rows = (text: string, values: ReadonlyArray<SQLInputValue>) =>
    scopeFiles(storage).flatMap((file) => using(file, (db) => db.prepare(text).all(...values)))
  const prepare = (text: string, values: ReadonlyArray<SQLInputValue> = []) => ({
    bind: (...values: ReadonlyArray<SQLInputValue>) => prepare(text, values),
    all: async () => ({ results: rows(text, values) }),
    run: async () => ({ results: rows(text, values) }),
    first: async (column: string) => {
      const found = rows(text, values).map((row) => row[column])
      // A count is that of all scopes.
      return found.every((value) => typeof value === "number") ? found.reduce((sum, n) => sum + n, 0) : found[0]
    }
  })
  return { prepare } as unknown as D1Database
}
