/**
 * Which migration the database is at (`migrations/0010_schema_version.sql`), and which one this release needs. A database with
 * newer migrations is fine: they only add what the release before them can ignore.
 */
import * as Data from "effect/Data"
import { statement } from "./Statement.ts"

/** The number of the newest migration. */
export const NeededMigration = 11

/** The migration that introduced the number. A database without a number is older. */
export const FirstNumbered = 10

/** A batch needs a migration that the database lacks. The batch changed nothing. */
export class Unmigrated extends Data.TaggedError("Unmigrated")<{
  /** The migration the database is at; undefined when it has no number. */
  readonly migration: number | undefined
}> {}

/** Answers the migration the database is at, as `migration`. Fails where the database has no number. */
export const select = statement("SELECT migration FROM schema_version")

/** Whether a statement failed for a table, a column or an index that the database does not have. */
export const lacksSomething = (cause: unknown): boolean =>
  /no such (table|column|index)|has no column named/.test(String(cause))

/** Whether a database at this migration lacks one that this release needs. */
export const isBehind = (migration: number | undefined): boolean =>
  migration === undefined || migration < NeededMigration
