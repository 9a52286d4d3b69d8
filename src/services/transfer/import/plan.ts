/** What the import of one kind of records amounts to: statements of the batch, and how to read what they answered. */
import type * as Context from "effect/Context"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import type { Statement } from "effect/sql/Statement"
import { excerpt } from "../../../domain/Excerpt.ts"
import type { ImportConflict, ImportKind } from "../../../domain/transfer/Import.ts"
import type { Answers, Database } from "../../../sql/Database.ts"

export interface Outcome {
  /** What the records that were written are called. */
  readonly written: ReadonlyArray<string>
  readonly existing: number
  readonly conflicts: ReadonlyArray<ImportConflict>
}

export interface Plan {
  readonly statements: ReadonlyArray<Statement<any>>
  /** What the one statement of a dry run answers, by name. */
  readonly columns: ReadonlyArray<string>
  /** Takes the answers of these statements, and what came of the kinds before. */
  readonly outcome: (answers: Answers, before: ReadonlyMap<ImportKind, Outcome>) => Outcome
}

export interface Target {
  readonly scope: string
  readonly now: number
  /** Whether to write nothing: then the plan only asks what is in the way, and its outcome is what writing would come to. */
  readonly dryRun: boolean
}

/** Plans the import of the records of one kind. */
export type Planner = (
  sql: Context.Service.Shape<typeof Database>["sql"],
  target: Target,
  records: ReadonlyArray<unknown>
) => Plan

/** What a record is called, whether or not it can be read. */
const nameOf = (record: unknown, index: number): string => {
  const { id, name } = Predicate.isObject(record) ? record as Record<string, unknown> : {}
  const given = id ?? name
  return Predicate.isString(given) || Predicate.isNumber(given) ? excerpt(String(given), 200) : `#${index}`
}

/** Reads the records; the ones that do not fit are conflicts. */
export const readAll = <A>(
  kind: ImportKind,
  read: (record: unknown) => Result.Result<A, string>,
  records: ReadonlyArray<unknown>
) => {
  const fitting: Array<A> = []
  const conflicts: Array<ImportConflict> = []
  for (const [index, record] of records.entries()) {
    const result = read(record)
    if (Result.isSuccess(result)) fitting.push(result.success)
    else conflicts.push({ kind, id: nameOf(record, index), error: result.failure })
  }
  return { fitting, conflicts }
}

export interface Verdict {
  readonly id: string
  /** Why the scope has not got the record, if so. */
  readonly problem: string | undefined
}

/** A record that was not written is there already, or something is in its way. */
export const outcomeOf = (
  kind: ImportKind,
  written: ReadonlyArray<string>,
  verdicts: ReadonlyArray<Verdict>,
  unread: ReadonlyArray<ImportConflict>
): Outcome => {
  const conflicts = verdicts.flatMap(({ id, problem }) => problem === undefined ? [] : [{ kind, id, error: problem }])
  return {
    written,
    existing: verdicts.length - written.length - conflicts.length,
    conflicts: [...unread, ...conflicts]
  }
}
