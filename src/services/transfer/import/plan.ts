/** The import of one kind of records: steps of the batch, and how to read their answers. */
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import { excerpt } from "../../../domain/Excerpt.ts"
import type { ImportConflict, ImportKind } from "../../../domain/transfer/Import.ts"
import type { Row, Steps } from "../../../sql/Batch.ts"
import type { Values } from "../../../sql/Statement.ts"

export interface KindReport {
  /** The names of the records that were written. */
  readonly written: ReadonlyArray<string>
  readonly existing: number
  readonly conflicts: ReadonlyArray<ImportConflict>
}

/** The rows of the steps, by name. */
export type Answers = Readonly<Record<string, ReadonlyArray<Row>>>

export interface Plan {
  readonly steps: Steps
  /** The parameters of the query for verdicts, besides `:scope`. */
  readonly values: Values
  /** Makes the report from the answers of the steps, and the reports of the kinds before. */
  readonly report: (answers: Answers, before: ReadonlyMap<ImportKind, KindReport>) => KindReport
}

export interface Target {
  readonly scope: string
  readonly now: number
  /** The limits of the attempt, for a lease that is imported (the view `expiring`). */
  readonly attempt: { readonly loss_limit: number | null; readonly attempt_limit: number | null }
  /** Whether to write nothing, and to report what writing would do. */
  readonly dryRun: boolean
}

/** How the records of one kind are imported. */
export interface Planner {
  /** The query of a dry run, which answers a verdict for each record, and its columns as expressions. */
  readonly verdicts: string
  readonly columns: Readonly<Record<string, string>>
  /** The parameters of that query if there are no records. */
  readonly none: Values
  readonly plan: (target: Target, records: ReadonlyArray<unknown>) => Plan
}

/** The name of a record, even if the record cannot be read. */
const nameOf = (record: unknown, index: number): string => {
  const { id, name } = Predicate.isObject(record) ? record as Record<string, unknown> : {}
  const given = id ?? name
  return Predicate.isString(given) || Predicate.isNumber(given) ? excerpt(String(given), 200) : `#${index}`
}

/** Reads the records. Those that do not fit are conflicts. */
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
  /** Why the scope does not have the record. Undefined if it has. */
  readonly problem: string | undefined
}

/** The report of one kind. A record that was not written exists already or is a conflict. */
export const reportOf = (
  kind: ImportKind,
  written: ReadonlyArray<string>,
  verdicts: ReadonlyArray<Verdict>,
  unread: ReadonlyArray<ImportConflict>
): KindReport => {
  const conflicts = verdicts.flatMap(({ id, problem }) => problem === undefined ? [] : [{ kind, id, error: problem }])
  return {
    written,
    existing: verdicts.length - written.length - conflicts.length,
    conflicts: [...unread, ...conflicts]
  }
}
