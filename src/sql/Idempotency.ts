/**
 * One effect for each idempotency key.
 *
 * The batch that has the effect also stores the key, with the rows of the answer. So a key is known if and only if its
 * effect happened, even if the answer is lost on its way. A repeated request finds the key. If it might have the effect
 * again, because the first request is still under way, the primary key of the table undoes its whole batch.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { IdempotencyKeyReused, KeyLifetime } from "../domain/IdempotencyKey.ts"
import { type Answered, byName, keptBehind, named, type Row, type Sendable, statementsOf, type Steps } from "./Batch.ts"
import { Database, type UniqueViolation } from "./Database.ts"
import * as JsonRow from "./JsonRow.ts"
import * as Parts from "./many/Parts.ts"
import * as Rehearsal from "./many/Rehearsal.ts"
import { type Statement, statement, type Values } from "./Statement.ts"

export const CurrentKeyLifetime = Context.Reference<number>("octopoid-server/sql/CurrentKeyLifetime", {
  defaultValue: () => KeyLifetime
})

export interface RequestKey {
  /** The key as the client sent it. */
  readonly key: string
  /** Identifies the key among those of all callers. */
  readonly id: string
  /** Equal for equal requests. */
  readonly fingerprint: string
  /** Whether the answer is that of an earlier request. The HTTP layer says so in a header. */
  replayed: boolean
  /** The part of a request that has several effects (`Parts.ts`). */
  readonly part?: string
}

/** The key of the present request, if it has one. */
export const CurrentIdempotency = Context.Reference<RequestKey | undefined>(
  "octopoid-server/sql/CurrentIdempotency",
  { defaultValue: () => undefined }
)

/** How the database finds the rows of an answer, as constant SQL. */
export interface Kept {
  /** The columns of the rows, each an expression over `from`. */
  readonly row: Record<string, string>
  /** What follows FROM. */
  readonly from: string
  /** The condition that finds the rows. */
  readonly where: string
  /**
   * Set if the request may succeed without changing a row in the step `keep`. Then `where` alone is the proof, and has
   * to hold if and only if this batch succeeds.
   */
  readonly provenBy?: "where"
  /**
   * Set if later steps of the batch may change the rows. If `may` holds for a row, the key is stored without an answer
   * first, and gets it at the end of the batch, from `from` and `where`. These have to find exactly the same rows then.
   */
  readonly atEnd?: { readonly may: string; readonly from: string; readonly where: string }
  /** A query for further data that a repeated request needs. `:key` is the id of its key. */
  readonly besides?: string
}

/** The statements that keep an answer under an idempotency key. */
export interface Keeping {
  readonly columns: ReadonlyArray<string>
  readonly write: Statement
  readonly finish: Statement | undefined
  readonly part: Parts.Statements | undefined
  readonly besides: Statement | undefined
}

/**
 * That the step before has changed a row proves that this very batch had the effect. A record that exists, or has the
 * present time, proves nothing: another request may have made it in the same millisecond. `Batch.keptBehind` puts the
 * statement right behind that step.
 */
const hadEffect = ({ provenBy, where }: Kept): string => provenBy === "where" ? where : `changes() > 0 AND ${where}`

/** Makes the statements that keep and find an answer. A module makes them once. */
export const keeping = (kept: Kept): Keeping => {
  const { atEnd, besides, from, row } = kept
  const answer = JsonRow.listOf(row)
  const where = hadEffect(kept)
  return {
    columns: Object.keys(row),
    write: statement(`
      INSERT INTO idempotency_keys (id, fingerprint, at, answer)
      SELECT :key, :fingerprint, :sent, ${atEnd === undefined ? answer : `iif(max(${atEnd.may}), NULL, ${answer})`}
      FROM ${from} WHERE ${where} HAVING count(*) > 0`),
    finish: atEnd === undefined ? undefined : statement(`
      UPDATE idempotency_keys SET answer = (SELECT ${answer} FROM ${atEnd.from} WHERE ${atEnd.where})
      WHERE id = :key AND answer IS NULL`),
    part: Parts.keeping({ from, row, where, atEnd }),
    besides: besides === undefined ? undefined : statement(besides)
  }
}

/** What a batch keeps for repeated requests. */
export interface Keep<S extends Steps> {
  /**
   * The step whose last statement has the effect: it changes a row if and only if the request succeeds. If it is
   * absent, the answer is kept before the first step.
   */
  readonly keep?: keyof S & string
  readonly answer: Keeping
  /** The parameters of the statements in `answer`. */
  readonly values: Values
}

/** The answer to an earlier request under the same key. */
export interface Replay {
  readonly rows: ReadonlyArray<Row>
  /** The time of that request. */
  readonly at: number
  /** The rows of the query `besides`, read just now. */
  readonly besides: ReadonlyArray<Row>
}

export interface Once<S> {
  /** The rows of each step. Empty for a repeated request. */
  readonly answers: Answered<S>
  /** Set for a repeated request: the batch changed nothing, and this is the answer. */
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
    // A defect, because it concerns the request and no operation lists it: the HTTP layer answers it.
    if (row.fingerprint !== key.fingerprint) return yield* Effect.die(IdempotencyKeyReused.of())
    key.replayed = true
    // An answer that was kept before a deployment may lack columns that came with it.
    const absent = Object.fromEntries(columns.map((name) => [name, null]))
    const copied = (JSON.parse(String(row.answer)) as ReadonlyArray<Row>).map((one): Row => ({ ...absent, ...one }))
    const rows = yield* Effect.forEach(copied, (one) => {
      const left = JsonRow.fill(one)
      return left === undefined
        ? Effect.succeed(one)
        : Effect.map(Effect.orDie(run({ leftOut: left.read })), ({ leftOut: [found] }) => left.with(found))
    })
    const replay: Replay = { rows, at: Number(row.at), besides }
    return replay
  })

  /** Runs the steps like `Database.atomic`, but only once for each idempotency key. */
  const atomic = Effect.fnUntraced(function*<S extends Steps>(steps: S, { answer, keep, values }: Keep<S>) {
    if (yield* Rehearsal.Rehearsing) {
      const answers = yield* Rehearsal.run(run, steps, { keep, write: answer.write, finish: answer.finish, values })
      const once: Once<S> = { answers, replay: undefined }
      return once
    }
    const key = yield* CurrentIdempotency
    if (key === undefined) {
      const once: Once<S> = { answers: yield* run(steps), replay: undefined }
      return once
    }
    if (key.part !== undefined) {
      const answers = yield* Parts.run(run, steps, { keep, part: answer.part, values, key: key.id, name: key.part })
      const once: Once<S> = { answers, replay: undefined }
      return once
    }
    const now = yield* Clock.currentTimeMillis
    const all: Values = { ...values, key: key.id, fingerprint: key.fingerprint, sent: now, oldest: now - lifetime }
    const known = (): ReadonlyArray<Sendable> => [
      ...named("keyFound", find(all)),
      ...named("keyBesides", answer.besides?.(all))
    ]
    const forgotten = named("keyForgotten", forget(all))
    const { keptOf, ownOf, statements } = keptBehind(
      steps,
      keep,
      () => [...known(), ...named("keyKept", answer.write(all))]
    )
    const batch = [...forgotten, ...statements, ...named("keyFinished", answer.finish?.(all))]
    const repeated = Effect.fnUntraced(function*([row]: ReadonlyArray<Row>, besides: ReadonlyArray<Row> = []) {
      return row === undefined ? undefined : yield* recall(key, row, besides, answer.columns)
    })
    const attempt = Effect.gen(function*() {
      const sent = yield* run(batch)
      const after = sent.slice(forgotten.length)
      const [found = [], besides] = keptOf(after)
      const replay = yield* repeated(found, answer.besides === undefined ? [] : besides)
      const own = ownOf(after)
      const once: Once<S> = {
        answers: byName(steps, replay === undefined ? own.slice(0, statementsOf(steps).length) : []),
        replay
      }
      return once
    })
    // The first request may have written the row that violates the constraint. So the key is looked for first.
    const orKnown = Effect.fnUntraced(function*(violation: UniqueViolation) {
      const [found = [], besides] = yield* run(known())
      const replay = yield* repeated(found, besides)
      if (replay === undefined) return yield* violation
      const once: Once<S> = { answers: byName(steps, []), replay }
      return once
    })
    return yield* Effect.catchTag(attempt, "UniqueViolation", orKnown)
  })

  /** The same. A violation of a unique constraint is a defect. */
  const batch = <S extends Steps>(steps: S, keep: Keep<S>) => Effect.orDie(atomic(steps, keep))

  /** Runs steps that only read, before the batch with the effect. It recognises a repeated request. */
  const read = Effect.fnUntraced(function*<S extends Steps>(steps: S, { columns }: Keeping) {
    const key = yield* CurrentIdempotency
    if (key === undefined || key.part !== undefined) {
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
