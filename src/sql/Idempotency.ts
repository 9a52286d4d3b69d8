/**
 * One effect for each idempotency key.
 *
 * The key, and the rows that the answer is made from, are written in the batch that has the effect. So a key is known if and
 * only if its effect is there, whatever happens to the answer on its way. A repeated request finds the key. If it could have
 * the effect again, as while the first request is still on its way, the primary key of the table undoes its whole batch.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { IdempotencyKeyReused, KeyLifetime } from "../domain/IdempotencyKey.ts"
import { type Answered, byName, type Row, type Sendable, splitAfter, statementsOf, type Steps } from "./Batch.ts"
import { Database, type UniqueViolation } from "./Database.ts"
import * as JsonRow from "./JsonRow.ts"
import { type Bound, type Statement, statement, type Values } from "./Statement.ts"

export const CurrentKeyLifetime = Context.Reference<number>("octopoid-server/sql/CurrentKeyLifetime", {
  defaultValue: () => KeyLifetime
})

export interface RequestKey {
  /** The key as it was sent. */
  readonly key: string
  /** Names the key among those of all callers. */
  readonly id: string
  /** The same for the same request. */
  readonly fingerprint: string
  /** Whether the answer is the one that an earlier request got. The HTTP layer says so in a header. */
  replayed: boolean
}

/** The key of the request that is being served, if it has one. */
export const CurrentIdempotency = Context.Reference<RequestKey | undefined>(
  "octopoid-server/sql/CurrentIdempotency",
  { defaultValue: () => undefined }
)

/** How the rows of an answer are found in the database, as SQL that never changes. */
export interface Kept {
  /** The columns of the rows, each an expression over `from`. */
  readonly row: Record<string, string>
  /** What follows FROM. */
  readonly from: string
  /** The condition that finds the rows. */
  readonly where: string
  /**
   * Set where a request may be carried out without changing a row in the step it is kept after: then `where` alone is the
   * proof, and has to hold if and only if this very batch carries the request out.
   */
  readonly provenBy?: "where"
  /**
   * Where later steps of the batch may change the rows: if `may` holds for a row, the key is written without an answer first,
   * and gets its answer at the end of the batch, from `from` and `where`, by which only the rows themselves may be meant then.
   */
  readonly atEnd?: { readonly may: string; readonly from: string; readonly where: string }
  /** A query for what a repeated request has to know besides. `:key` is the id of its key. */
  readonly besides?: string
}

/** The statements that keep an answer under the key of a request. */
export interface Keeping {
  readonly columns: ReadonlyArray<string>
  readonly write: Statement
  readonly finish: Statement | undefined
  readonly besides: Statement | undefined
}

/** Makes the statements that keep an answer, once. */
export const keeping = ({ atEnd, besides, from, provenBy, row, where }: Kept): Keeping => {
  const answer = JsonRow.listOf(row)
  return {
    columns: Object.keys(row),
    // The statement before this one is the last of the step that it is sent after (see `Once`): that it changed a row is the proof that
    // this very batch has had the effect. That a record is there, or has the present time, is none: another request may have made
    // it in the same millisecond.
    write: statement(`
      INSERT INTO idempotency_keys (id, fingerprint, at, answer)
      SELECT :key, :fingerprint, :sent, ${atEnd === undefined ? answer : `iif(max(${atEnd.may}), NULL, ${answer})`}
      FROM ${from} WHERE ${provenBy === "where" ? "" : "changes() > 0 AND "}${where} HAVING count(*) > 0`),
    finish: atEnd === undefined ? undefined : statement(`
      UPDATE idempotency_keys SET answer = (SELECT ${answer} FROM ${atEnd.from} WHERE ${atEnd.where})
      WHERE id = :key AND answer IS NULL`),
    besides: besides === undefined ? undefined : statement(besides)
  }
}

/** What a batch keeps for repeated requests. */
export interface Keep<S extends Steps> {
  /**
   * The step whose last statement has the effect: it changes a row if and only if the request is carried out. Left out, the answer is
   * kept before the first step.
   */
  readonly keep?: keyof S & string
  readonly answer: Keeping
  /** The values that the statements of `answer` name. */
  readonly values: Values
}

/** What an earlier request under the same key was answered with. */
export interface Replay {
  readonly rows: ReadonlyArray<Row>
  /** When that was. */
  readonly at: number
  /** What the query `besides` found just now. */
  readonly besides: ReadonlyArray<Row>
}

export interface Once<S> {
  /** What each step answered. Empty when the request is a repeated one. */
  readonly answers: Answered<S>
  /** Set when the request is a repeated one: then nothing was changed, and this is to be answered again. */
  readonly replay: Replay | undefined
}

const find = statement("SELECT fingerprint, answer, at FROM idempotency_keys WHERE id = :key AND at > :oldest")
const forget = statement("DELETE FROM idempotency_keys WHERE id = :key AND at <= :oldest")

export const make = Effect.gen(function*() {
  const { atomic: run } = yield* Database
  const lifetime = yield* CurrentKeyLifetime

  const recall = Effect.fnUntraced(function*(
    key: RequestKey,
    row: Row,
    besides: ReadonlyArray<Row>,
    columns: ReadonlyArray<string>
  ) {
    // It concerns the request and not what it asks for, so no operation lists it; the HTTP layer answers it.
    if (row.fingerprint !== key.fingerprint) return yield* Effect.die(IdempotencyKeyReused.of())
    key.replayed = true
    // What was kept before a deployment may lack the columns that came with it.
    const absent = Object.fromEntries(columns.map((name) => [name, null]))
    const copied = (JSON.parse(String(row.answer)) as ReadonlyArray<Row>).map((one): Row => ({ ...absent, ...one }))
    const rows = yield* Effect.forEach(copied, (one) => {
      const left = JsonRow.fill(one)
      return left === undefined
        ? Effect.succeed(one)
        : Effect.map(Effect.orDie(run([left.read])), (answers) => left.with(answers[0]?.[0]))
    })
    const replay: Replay = { rows, at: Number(row.at), besides }
    return replay
  })

  /** Runs the steps as `Database.atomic` does, but only once for the key of the request, if it has one. */
  const atomic = Effect.fnUntraced(function*<S extends Steps>(steps: S, { answer, keep, values }: Keep<S>) {
    const key = yield* CurrentIdempotency
    if (key === undefined) {
      const once: Once<S> = { answers: yield* run(steps), replay: undefined }
      return once
    }
    const now = yield* Clock.currentTimeMillis
    const all: Values = { ...values, key: key.id, fingerprint: key.fingerprint, sent: now, oldest: now - lifetime }
    const [before, after] = keep === undefined ? [[], statementsOf(steps)] as const : splitAfter(steps, keep)
    const known: ReadonlyArray<Bound> = [find(all), ...(answer.besides === undefined ? [] : [answer.besides(all)])]
    const batch: ReadonlyArray<Sendable> = [
      forget(all),
      ...before,
      ...known,
      answer.write(all),
      ...after,
      ...(answer.finish === undefined ? [] : [answer.finish(all)])
    ]
    const repeated = Effect.fnUntraced(function*([row]: ReadonlyArray<Row>, besides: ReadonlyArray<Row> = []) {
      return row === undefined ? undefined : yield* recall(key, row, besides, answer.columns)
    })
    const attempt = Effect.gen(function*() {
      const sent = yield* run(batch)
      const from = 1 + before.length
      const replay = yield* repeated(sent[from]!, answer.besides === undefined ? [] : sent[from + 1])
      const own = [...sent.slice(1, from), ...sent.slice(from + known.length + 1)]
      const once: Once<S> = {
        answers: byName(steps, replay === undefined ? own.slice(0, statementsOf(steps).length) : []),
        replay
      }
      return once
    })
    // What must be unique may be what the first request wrote, so nothing is concluded from that before the key is looked for.
    const orKnown = Effect.fnUntraced(function*(violation: UniqueViolation) {
      const [found = [], besides] = yield* run(known)
      const replay = yield* repeated(found, besides)
      if (replay === undefined) return yield* violation
      const once: Once<S> = { answers: byName(steps, []), replay }
      return once
    })
    return yield* Effect.catchTag(attempt, "UniqueViolation", orKnown)
  })

  /** The same, where a violation of what must be unique is a defect. */
  const batch = <S extends Steps>(steps: S, keep: Keep<S>) => Effect.orDie(atomic(steps, keep))

  /** Runs steps that only read, before those that are to have an effect: a repeated request is recognised by then. */
  const read = Effect.fnUntraced(function*<S extends Steps>(steps: S, { columns }: Keeping) {
    const key = yield* CurrentIdempotency
    if (key === undefined) {
      const once: Once<S> = { answers: yield* Effect.orDie(run(steps)), replay: undefined }
      return once
    }
    const oldest = (yield* Clock.currentTimeMillis) - lifetime
    const { known, ...answers } = yield* Effect.orDie(run({ ...steps, known: find({ key: key.id, oldest }) }))
    const [row] = known
    const once: Once<S> = {
      answers: answers as unknown as Answered<S>,
      replay: row === undefined ? undefined : yield* recall(key, row, [], columns)
    }
    return once
  })

  return { atomic, batch, read }
})
