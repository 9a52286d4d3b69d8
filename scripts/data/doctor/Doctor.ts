/** Finds problems of a database: its schema against the migrations, its counters and invariants against its rows. */
import { isDeepStrictEqual } from "node:util"
import type { Ask } from "./Database.ts"
import { integrity } from "./Integrity.ts"
import * as Schema from "./Schema.ts"

export interface Finding {
  /** What should hold. */
  readonly check: string
  /** What was found instead: the first rows, or lines, that contradict it. None when it holds. */
  readonly found: ReadonlyArray<unknown>
}

export interface Report {
  readonly healthy: boolean
  readonly checks: ReadonlyArray<Finding>
}

// Enough rows to see the problem, which may concern every task.
const Shown = 20

/** The invariants as questions of which each answers few rows. */
const questions = integrity.map(({ sql }) => `SELECT * FROM (${sql}) LIMIT ${Shown}`)

const invariants = async (ask: Ask): Promise<ReadonlyArray<Finding>> => {
  const answers = await ask(questions)
  return integrity.map(({ name }, i) => ({ check: name, found: answers[i] ?? [] }))
}

/**
 * Looks twice if it finds a problem. Only a problem that is found both times is real: a busy server may be between two changes.
 */
const confirmed = async (ask: Ask): Promise<ReadonlyArray<Finding>> => {
  const first = await invariants(ask)
  if (first.every(({ found }) => found.length === 0)) return first
  const second = await invariants(ask)
  return first.map(({ check, found }, i) => ({
    check,
    found: found.filter((row) => second[i]!.found.some((other) => isDeepStrictEqual(row, other)))
  }))
}

/**
 * Examines a database, and changes nothing. Fails with an `Error` when it cannot be asked. Where the schema is another,
 * the invariants may not be askable: then that is the finding.
 */
export const examine = async (ask: Ask): Promise<Report> => {
  // A database that no migration was applied to has no list of them.
  const [schema = [], migrations = []] = await ask([Schema.question, Schema.applied])
    .catch(() => ask([Schema.question]))
  const structure: ReadonlyArray<Finding> = [
    { check: "every migration was applied, and no other", found: Schema.migrationDrift(migrations) },
    { check: "the schema is the one the migrations make", found: Schema.drift(schema) }
  ]
  const sound = structure.every(({ found }) => found.length === 0)
  const rest = await confirmed(ask).catch((cause: Error): ReadonlyArray<Finding> => {
    if (sound) throw cause
    return [{ check: "the invariants can be asked for", found: [cause.message] }]
  })
  const checks = [...structure, ...rest]
  return { healthy: checks.every(({ found }) => found.length === 0), checks }
}

/** The report for people. */
export const render = ({ checks, healthy }: Report): string =>
  [
    ...checks.flatMap(({ check, found }) => [
      `${found.length === 0 ? "ok  " : "FAIL"} ${check}`,
      ...found.map((one) => `       ${typeof one === "string" ? one : JSON.stringify(one)}`)
    ]),
    healthy ? "Nothing is wrong." : `${checks.filter(({ found }) => found.length > 0).length} of these do not hold.`
  ].join("\n")
