/**
 * One effect for each idempotency key.
 *
 * The key, and the rows the answer is made from, are written in the batch that has the effect: so a key is known if and
 * only if its effect is there, whatever becomes of the answer on its way. A repetition finds the key. If it could have the
 * effect once more, as while the original is still on its way, the primary key of the table undoes its whole batch.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Fragment, Statement } from "effect/sql/Statement"
import { IdempotencyKeyReused } from "../../domain/IdempotencyKey.ts"
import { type Answers, Database, type Row, type UniqueViolation } from "../Database.ts"
import { CurrentIdempotency, type RequestKey } from "../Idempotency.ts"
import { CurrentKeyLifetime } from "../KeyLifetime.ts"
import * as JsonRow from "./JsonRow.ts"

/** What is kept of an effect, so that the same can be answered again. */
export interface Kept {
  /** The statement it is kept after, by its place in the batch; -1 is before the first. It leaves `changes()` at 1 if it is kept. */
  readonly after: number
  /** The columns of the rows the answer is made from: expressions over `from`. */
  readonly row: Record<string, Fragment>
  /**
   * What follows FROM. It yields rows if and only if this very batch has had the effect: `tasks WHERE id = … AND changes() > 0`.
   * That such a record exists is no proof, and neither is its time: another request may have made it in the same millisecond.
   */
  readonly from: Fragment
  /**
   * Where later statements of the batch may change the rows: if `may` holds for a row of `from`, the key is written without
   * an answer first, and gets the rows of `rows` at the end. Only this batch can see a key without an answer, so that is the
   * proof then.
   */
  readonly atEnd?: { readonly may: Fragment; readonly rows: Fragment }
  /** What a repetition has to know besides: a query that is given the answer, a JSON list of rows, as an expression. */
  readonly besides?: (answer: Fragment) => Statement<any>
}

/** What an earlier request under the same key was answered with. */
export interface Replay {
  readonly rows: ReadonlyArray<Row>
  /** When that was. */
  readonly at: number
  /** What the query `besides` found just now. */
  readonly besides: ReadonlyArray<Row>
}

export interface Once {
  /** What each of the statements answered. Of no meaning when it is a repetition. */
  readonly answers: Answers
  /** Set when the request is a repetition: then nothing was changed, and this is to be answered again. */
  readonly replay: Replay | undefined
}

export const make = Effect.gen(function*() {
  const { atomic: run, sql } = yield* Database
  const lifetime = yield* CurrentKeyLifetime

  const find = (key: RequestKey, now: number) =>
    sql`SELECT fingerprint, answer, at FROM idempotency_keys WHERE id = ${key.id} AND at > ${now - lifetime}`

  const recall = Effect.fnUntraced(function*(
    key: RequestKey,
    row: Row,
    besides: ReadonlyArray<Row>,
    kept: Pick<Kept, "row">
  ) {
    // It concerns the request and not what it asks for, so no operation lists it; the HTTP layer answers it.
    if (row.fingerprint !== key.fingerprint) return yield* Effect.die(IdempotencyKeyReused.of())
    key.replayed = true
    // What was kept before a deployment may lack the columns that came with it.
    const absent = Object.fromEntries(Object.keys(kept.row).map((name) => [name, null]))
    const copied = (JSON.parse(String(row.answer)) as ReadonlyArray<Row>).map((one): Row => ({ ...absent, ...one }))
    const rows = yield* Effect.forEach(copied, (one) => {
      const left = JsonRow.fill(sql, one)
      return left === undefined
        ? Effect.succeed(one)
        : Effect.map(Effect.orDie(run([left.read])), (answers) => left.with(answers[0]?.[0]))
    })
    const once: Once = { answers: [], replay: { rows, at: Number(row.at), besides } }
    return once
  })

  /** Runs the statements as `Database.atomic` does, but only once for the key of the request, if it has one. */
  const atomic = Effect.fnUntraced(function*(statements: ReadonlyArray<Statement<any>>, kept: Kept) {
    const key = yield* CurrentIdempotency
    if (key === undefined) {
      const once: Once = { answers: yield* run(statements), replay: undefined }
      return once
    }
    const now = yield* Clock.currentTimeMillis
    const mine = sql`id = ${key.id}`
    const place = kept.after + 1
    const known = [
      find(key, now),
      ...(kept.besides === undefined ? [] : [kept.besides(sql`(SELECT answer FROM idempotency_keys WHERE ${mine})`)])
    ]
    const answer = JsonRow.listOf(sql, kept.row)
    const batch = [
      sql`DELETE FROM idempotency_keys WHERE ${mine} AND at <= ${now - lifetime}`,
      ...statements.slice(0, place),
      ...known,
      sql`
        INSERT INTO idempotency_keys (id, fingerprint, at, answer)
        SELECT ${key.id}, ${key.fingerprint}, ${now}, ${
        kept.atEnd === undefined ? answer : sql`iif(max(${kept.atEnd.may}), NULL, ${answer})`
      }
        FROM ${kept.from} HAVING count(*) > 0`,
      ...statements.slice(place),
      ...(kept.atEnd === undefined ? [] : [sql`
        UPDATE idempotency_keys SET answer = (SELECT ${answer} FROM ${kept.atEnd.rows}) WHERE ${mine} AND answer IS NULL`])
    ]
    const attempt = Effect.gen(function*() {
      const all = yield* run(batch)
      const [row] = all[1 + place] ?? []
      if (row !== undefined) return yield* recall(key, row, all[2 + place] ?? [], kept)
      const rest = all.slice(2 + place + known.length)
      const once: Once = {
        answers: [...all.slice(1, 1 + place), ...rest.slice(0, statements.length - place)],
        replay: undefined
      }
      return once
    })
    // What must be unique may be what the original wrote, so nothing is concluded from that before the key is looked for.
    const orKnown = Effect.fnUntraced(function*(violation: UniqueViolation) {
      const [[row] = [], besides = []] = yield* run(known)
      return row === undefined ? yield* violation : yield* recall(key, row, besides, kept)
    })
    return yield* Effect.catchTag(attempt, "UniqueViolation", orKnown)
  })

  /** The same, where a violation of what must be unique is a defect. */
  const batch = (statements: ReadonlyArray<Statement<any>>, kept: Kept) => Effect.orDie(atomic(statements, kept))

  /** Runs statements that only read, before those that are to have an effect: a repetition is recognised by then. */
  const read = Effect.fnUntraced(function*(statements: ReadonlyArray<Statement<any>>, kept: Pick<Kept, "row">) {
    const key = yield* CurrentIdempotency
    const all = yield* Effect.orDie(
      run(key === undefined ? statements : [...statements, find(key, yield* Clock.currentTimeMillis)])
    )
    const [row] = all[statements.length] ?? []
    const once: Once = { answers: all, replay: undefined }
    return key === undefined || row === undefined ? once : yield* recall(key, row, [], kept)
  })

  return { atomic, batch, read }
})
