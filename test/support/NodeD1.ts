/**
 * A `D1Database` over `node:sqlite`: the same SQL, batch atomicity, limits and error texts as D1, in process, where a
 * fresh migrated database costs a fraction of a millisecond. It does not count rows; workerd does (test/workerd).
 */
import type { D1Database } from "@cloudflare/workers-types"
import { DatabaseSync, type DatabaseSyncOptions, type SQLInputValue, type StatementSync } from "node:sqlite"

const constraints: Record<number, string> = {
  275: "SQLITE_CONSTRAINT_CHECK",
  787: "SQLITE_CONSTRAINT_FOREIGNKEY",
  1299: "SQLITE_CONSTRAINT_NOTNULL",
  1555: "SQLITE_CONSTRAINT_PRIMARYKEY",
  2067: "SQLITE_CONSTRAINT_UNIQUE"
}

// The documented limits of D1, and those found by trying: operands of a compound SELECT, and the depth of expressions.
const options: DatabaseSyncOptions & { readonly limits: Record<string, number> } = {
  limits: {
    sqlLength: 100_000,
    length: 2_000_000,
    variableNumber: 100,
    column: 100,
    likePatternLength: 50,
    compoundSelect: 5,
    exprDepth: 100
  }
}

const TooBig = 18

const asD1Error = (error: unknown): Error => {
  const { errcode, message } = error as { readonly errcode?: number; readonly message: string }
  const constraint = errcode === undefined ? undefined : constraints[errcode]
  const text = `${message}: ${
    errcode === TooBig
      ? "SQLITE_TOOBIG"
      : constraint === undefined
      ? "SQLITE_ERROR"
      : `SQLITE_CONSTRAINT (extended: ${constraint})`
  }`
  return new Error(`D1_ERROR: ${text}`, { cause: new Error(text) })
}

const asInput = (value: unknown): SQLInputValue => {
  if (value === undefined || typeof value === "bigint" || value instanceof Date) {
    throw new Error(`D1_TYPE_ERROR: Type '${typeof value}' not supported for value '${String(value)}'`)
  }
  return typeof value === "boolean" ? Number(value) : value as SQLInputValue
}

type Compile = (text: string) => StatementSync

class Prepared {
  private readonly compile: Compile
  private readonly text: string
  private readonly parameters: ReadonlyArray<SQLInputValue>

  constructor(compile: Compile, text: string, parameters: ReadonlyArray<SQLInputValue> = []) {
    this.compile = compile
    this.text = text
    this.parameters = parameters
  }

  bind(...parameters: ReadonlyArray<unknown>) {
    return new Prepared(this.compile, this.text, parameters.map(asInput))
  }

  rows() {
    try {
      return this.compile(this.text).all(...this.parameters)
    } catch (error) {
      throw asD1Error(error)
    }
  }

  result() {
    return { success: true as const, results: this.rows(), meta: { rows_read: 0, rows_written: 0 } }
  }

  async all() {
    return this.result()
  }
}

export const make = (file = ":memory:"): { readonly db: D1Database; readonly raw: DatabaseSync } => {
  const raw = new DatabaseSync(file, options)
  raw.exec("PRAGMA foreign_keys = ON")
  // To compile a statement takes longer than to run it.
  const compiled = new Map<string, StatementSync>()
  const compile: Compile = (text) => {
    const known = compiled.get(text) ?? raw.prepare(text)
    compiled.set(text, known)
    return known
  }
  const db = {
    prepare: (text: string) => new Prepared(compile, text),
    async batch(statements: ReadonlyArray<Prepared>) {
      raw.exec("BEGIN IMMEDIATE")
      try {
        const results = statements.map((statement) => statement.result())
        raw.exec("COMMIT")
        return results
      } catch (error) {
        raw.exec("ROLLBACK")
        throw error
      }
    }
  }
  return { db: db as unknown as D1Database, raw }
}
