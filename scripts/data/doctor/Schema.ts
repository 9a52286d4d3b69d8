/** The schema that the migrations make, and how that of a database differs from it. */
import { readdirSync, readFileSync } from "node:fs"
import { DatabaseSync } from "node:sqlite"
import type { Row } from "./Database.ts"

const directory = new URL("../../../migrations/", import.meta.url)
const files = readdirSync(directory).filter((file) => file.endsWith(".sql")).sort()

/** The objects of the server, without those of SQLite, D1 and wrangler. */
export const question = `SELECT type, name, sql FROM sqlite_schema
  WHERE name NOT GLOB 'sqlite_*' AND name NOT GLOB '_cf_*' AND name <> 'd1_migrations' AND sql IS NOT NULL`

/** The migrations that were applied. There is no such table before the first one. */
export const applied = "SELECT name FROM d1_migrations"

const expected = (): ReadonlyArray<Row> => {
  const db = new DatabaseSync(":memory:")
  for (const file of files) db.exec(readFileSync(new URL(file, directory), "utf8"))
  return db.prepare(question).all()
}

// Comments and white space do not always survive the way into a database.
const bare = (sql: unknown) =>
  String(sql).replace(/--[^\n]*/g, " ").replace(/\s+/g, " ").replace(/ ?([(),]) ?/g, "$1").trim()

const named = (rows: ReadonlyArray<Row>) =>
  new Map(rows.map(({ name, sql, type }) => [`${String(type)} ${String(name)}`, bare(sql)]))

/** The migrations that were not applied, and those that are not known, one line each. */
export const migrationDrift = (rows: ReadonlyArray<Row>): ReadonlyArray<string> => {
  const names = rows.map(({ name }) => String(name))
  return [
    ...files.filter((file) => !names.includes(file)).map((file) => `migration ${file} was not applied`),
    ...names.filter((name) => !files.includes(name)).map((name) =>
      `migration ${name} was applied and is not known here`
    )
  ]
}

/** How the schema differs from that of the migrations, one line for each table or index. */
export const drift = (rows: ReadonlyArray<Row>): ReadonlyArray<string> => {
  const [wanted, there] = [named(expected()), named(rows)]
  return [
    ...[...wanted].flatMap(([name, sql]) => {
      const found = there.get(name)
      if (found === undefined) return [`${name} is missing`]
      return found === sql ? [] : [`${name} is ${found} and not ${sql}`]
    }),
    ...[...there.keys()].filter((name) => !wanted.has(name)).map((name) => `${name} is in no migration`)
  ]
}
