/**
 * Which migration the database is at (`migrations/0010_schema_version.sql`), and the one this release needs. A database that is
 * further on is fine: migrations only add what the release before them can ignore.
 */
import type * as D1Client from "@effect/sql-d1/D1Client"
import * as Data from "effect/Data"
import type { Statement } from "effect/sql/Statement"

/** The number of the newest migration. */
export const NeededMigration = 11

/** The migration that brought the number. A database without a number is older. */
export const FirstNumbered = 10

/** A batch needs a migration that the database lacks. It changed nothing. */
export class Unmigrated extends Data.TaggedError("Unmigrated")<{
  /** The migration the database is at; undefined when it has no number. */
  readonly migration: number | undefined
}> {}

/** Answers the migration the database is at, as `migration`. Fails where the database has no number. */
export const select = (sql: D1Client.D1Client): Statement<any> => sql`SELECT migration FROM schema_version`

/** Whether a statement failed for a table, a column or an index that the database does not have. */
export const lacksSomething = (cause: unknown): boolean =>
  /no such (table|column|index)|has no column named/.test(String(cause))

/** Whether a database at this migration lacks one that this release needs. */
export const isBehind = (migration: number | undefined): boolean =>
  migration === undefined || migration < NeededMigration
