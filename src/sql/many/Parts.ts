/**
 * A request that has several effects, each in its own batch, under one idempotency key. The row of the key has the
 * outcomes of the parts so far, and at last the whole answer. The batch of a part writes its outcome, and fails if it
 * is there already. So each part has one effect, also if the request is cut in the middle or sent twice at once.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { type Answered, byName, keptBehind, named, type Steps } from "../Batch.ts"
import type { Database } from "../Database.ts"
import { type Statement, statement, type Values } from "../Statement.ts"

/** The part had its effect before. The batch changed nothing. */
export class PartKnown extends Data.TaggedError("PartKnown") {}

const Refused = "this part of the request is known"

// SQLite repeats the invalid path in its message (`Database.ts guarding`).
const isNew = statement(`
  SELECT json_extract('{}', iif(EXISTS (
    SELECT 1 FROM idempotency_keys
    WHERE id = :key AND (json_type(answer, :part) IS NOT NULL OR json_type(answer, '$.answer') IS NOT NULL)),
    '${Refused}', '$'))`)

/** The outcome of a part: the task, or for a deletion its id alone. */
export interface Part {
  readonly id: string
  readonly queue: string | null
  readonly version: number | null
}

export interface Statements {
  readonly write: Statement
  readonly finish: Statement | undefined
}

interface Place {
  readonly from: string
  readonly where: string
}

/** Makes the statements that keep the outcome of a part. Only parts whose rows are tasks have them. */
export const keeping = (
  { atEnd, row, ...place }: Place & { readonly row: Record<string, string>; readonly atEnd: Place | undefined }
): Statements | undefined => {
  const { id, queue, version } = row
  if (id === undefined || queue === undefined || version === undefined) return undefined
  const writing = ({ from, where }: Place, also = "") =>
    statement(`
      UPDATE idempotency_keys SET answer = json_set(answer, :part, json((
        SELECT json_object('id', ${id}, 'queue', ${queue}, 'version', ${version}) FROM ${from} WHERE ${where} LIMIT 1)))
      WHERE id = :key ${also} AND EXISTS (SELECT 1 FROM ${from} WHERE ${where})`)
  return {
    write: writing(place),
    finish: atEnd === undefined ? undefined : writing(atEnd, "AND json_type(answer, :part) IS NOT NULL")
  }
}

interface Options<S extends Steps> {
  readonly keep: (keyof S & string) | undefined
  readonly part: Statements | undefined
  readonly values: Values
  /** The id of the key, and the name of the part. */
  readonly key: string
  readonly name: string
}

/** The place of a part in the row of its key. */
export const pathOf = (name: string): string => `$.parts.${name}`

/** Runs the steps of a part, unless it is known. */
export const run = Effect.fnUntraced(function*<S extends Steps>(
  send: Database["Service"]["atomic"],
  steps: S,
  { keep, key, name, part, values }: Options<S>
) {
  const all: Values = { ...values, key, part: pathOf(name) }
  const guard = named("partIsNew", isNew(all))
  const { ownOf, statements } = keptBehind(steps, keep, () => named("partKept", part?.write(all)))
  const batch = [...guard, ...statements, ...named("partFinished", part?.finish?.(all))]
  const sent = yield* Effect.catchDefect(
    send(batch),
    (defect) => Effect.die(String(defect).includes(Refused) ? new PartKnown() : defect)
  )
  const answers: Answered<S> = byName(steps, ownOf(sent.slice(guard.length)))
  return answers
})

/** Makes the row of a key with the plan of its request, unless there is one. */
export const begin = statement(`
  INSERT INTO idempotency_keys (id, fingerprint, at, answer)
  VALUES (:key, :fingerprint, :now, json_object('plan', json(:plan), 'parts', json('{}'))) ON CONFLICT DO NOTHING`)

/** The row of a key that is not too old. */
export const found = statement("SELECT fingerprint, answer FROM idempotency_keys WHERE id = :key AND at > :oldest")

export const forgotten = statement("DELETE FROM idempotency_keys WHERE id = :key AND at <= :oldest")

/** Keeps the whole answer in place of the plan and the parts, unless another one is kept. */
export const end = statement(`
  UPDATE idempotency_keys SET answer = json_object('answer', json(:answer))
  WHERE id = :key AND json_type(answer, '$.answer') IS NULL RETURNING id`)
