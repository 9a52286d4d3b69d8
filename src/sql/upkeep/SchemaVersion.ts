/**
 * The migration that the database has (`migrations/0010_schema_version.sql`), and the one that this release needs.
 * Newer migrations are allowed: they only add what the release before them can ignore.
 */
import * as Data from "effect/Data"
import { statement } from "../Statement.ts"

/** The number of the newest migration. */
export const NeededMigration = 24

/** The migration that introduced the number. A database without one is older. */
export const FirstNumbered = 10

/** A batch needs a migration that the database lacks. The batch changed nothing. */
export class Unmigrated extends Data.TaggedError("Unmigrated")<{
  /** The migration of the database; undefined if it has no number. */
  readonly migration: number | undefined
}> {}

/** Answers the migration of the database as `migration`. Fails if the database has no number. */
export const select = statement("SELECT migration FROM schema_version")

/** Whether a statement failed because the database lacks a table, column or index. */
export const lacksSomething = (cause: unknown): boolean =>
  /no such (table|column|index)|has no column named/.test(String(cause))

/** Whether this release needs a newer migration. */
export const isBehind = (migration: number | undefined): boolean =>
  migration === undefined || migration < NeededMigration
