/** The import of one kind of records: steps of the batch, and how to read their answers. */
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import { excerpt } from "../../../domain/Excerpt.ts"
import type { ImportConflict, ImportKind } from "../../../domain/transfer/Import.ts"
import type { Row, Steps } from "../../../sql/Batch.ts"
import type { Values } from "../../../sql/Statement.ts"

export interface Outcome {
  /** The names of the records that were written. */
  readonly written: ReadonlyArray<string>
  readonly existing: number
  readonly conflicts: ReadonlyArray<ImportConflict>
}

/** The rows that the steps answered, by name. */
export type Answers = Readonly<Record<string, ReadonlyArray<Row>>>

export interface Plan {
  readonly steps: Steps
  /** What the query for verdicts names, besides `:scope`. */
  readonly values: Values
  /** Takes the answers of the steps, and the outcomes of the kinds before. */
  readonly outcome: (answers: Answers, before: ReadonlyMap<ImportKind, Outcome>) => Outcome
}

export interface Target {
  readonly scope: string
  readonly now: number
  /** The limits of the attempt that an imported lease is for (the view `lapsing`). */
  readonly attempt: { readonly loss_limit: number | null; readonly attempt_limit: number | null }
  /** Whether to write nothing: then the plan only asks what is in the way, and its outcome is what writing would come to. */
  readonly dryRun: boolean
}

/** How the records of one kind are imported. */
export interface Planner {
  /** The query of a dry run, which answers a verdict for each record, and its columns: expressions over it. */
  readonly verdicts: string
  readonly columns: Readonly<Record<string, string>>
  /** The values of that query where there are no records. */
  readonly none: Values
  readonly plan: (target: Target, records: ReadonlyArray<unknown>) => Plan
}

/** The name of a record, whether or not it can be read. */
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
  /** Why the scope does not have the record, if it does not. */
  readonly problem: string | undefined
}

/** The outcome: a record that was not written exists already, or something is in its way. */
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
