/**
 * D1, what a request costs there, and what its failures mean.
 *
 * D1 has no interactive transactions: a batch is the unit of atomicity and one round trip, so every statement goes
 * through `batch`. D1 reports each failure as an unclassified error, with the reason only in the text.
 */
import * as D1Client from "@effect/sql-d1/D1Client"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Batch from "./Batch.ts"
import * as SchemaVersion from "./SchemaVersion.ts"
import { type Statement, statement, type Values } from "./Statement.ts"

export type { Answers, Row } from "./Batch.ts"

const overloaded = /overloaded|too many requests queued|queued for too long/i
const passing =
  /connection lost|transient issue|exceeded timeout|no answer within|object to be reset|code was updated|internal error|failed to parse body as json/i

/** Whether the batch had its effect is not known. */
export class TransientFailure extends Data.TaggedError("TransientFailure")<{
  readonly cause: unknown
  readonly retryAfterSeconds: number
}> {}

/** What D1 failed with, if it passes. An error of SQLite has its code in the text, and does not pass. */
export const transientFailure = (cause: unknown): TransientFailure | undefined => {
  const text = String(cause)
  if (text.includes("SQLITE_")) return undefined
  return overloaded.test(text)
    ? new TransientFailure({ cause, retryAfterSeconds: 5 })
    : passing.test(text)
    ? new TransientFailure({ cause, retryAfterSeconds: 1 })
    : undefined
}

/** A row that must be unique is not; the batch changed nothing. `columns` are as SQLite names them: `tasks.id`. */
export class UniqueViolation extends Schema.TaggedError<UniqueViolation>()("UniqueViolation", {
  columns: Schema.Array(Schema.String)
}) {}

/**
 * The statements that a request or a turn of the cron may send. On D1's free plan an invocation of the Worker may send 50, and
 * nothing says that a batch counts as one.
 */
export const MaxStatements = 45

/** What a request has cost so far: D1 round trips, and rows read and written as D1 bills them. */
export interface Cost {
  trips: number
  statements: number
  read: number
  written: number
  /** Milliseconds spent waiting for D1. */
  millis: number
}

export const noCost = (): Cost => ({ trips: 0, statements: 0, read: 0, written: 0, millis: 0 })

// What is sent outside of requests and turns of the cron, as by tests, is bounded by nothing.
const untallied = noCost()

/** The tally of the request that is being served. The HTTP layer starts a new one for each. */
export const CurrentCost = Context.Reference<Cost>("octopoid-server/sql/CurrentCost", {
  defaultValue: () => untallied
})

/**
 * Statements that go along with the next batch of the request, whatever that is, so that they cost no round trip of
 * their own. `done` is told their rows, and when the batch was sent. It is not called when the batch fails.
 */
export interface Rider {
  readonly statements: ReadonlyArray<Batch.Sendable>
  readonly done: (answers: Batch.Answers, sentAt: number) => void
}

/** What waits for the next batch of the request that is being served. The HTTP layer starts a new list for each. */
export const Riders = Context.Reference<Array<Rider> | undefined>("octopoid-server/sql/Riders", {
  defaultValue: () => undefined
})

/**
 * A condition that every batch of the request is made under. Where it does not hold, the batch changes and answers nothing, and
 * fails with `refused`, a defect.
 */
export interface Guard {
  /** Made by `guarding`. */
  readonly holds: Statement
  /** What the condition names, but for `:now`, which is the time when the batch is sent. */
  readonly values: Values
  readonly refused: unknown
}

/**
 * The statement that fails its batch unless the condition holds: SQLite fails where the path of a JSON value is none, and
 * repeats the text in its message. `:refused` is that text.
 */
export const guarding = (condition: string): Statement =>
  statement(`SELECT json_extract('{}', iif(${condition}, '$', :refused))`)

/** The guards of the request that is being served. The HTTP layer starts a new list for each. */
export const Guards = Context.Reference<Array<Guard> | undefined>("octopoid-server/sql/Guards", {
  defaultValue: () => undefined
})

/**
 * Whether the request, or the turn of the cron, may still send batches of so many statements each. Each batch gets the guards,
 * and the first one the riders that wait.
 */
export const fits = Effect.fnUntraced(function*(...batches: ReadonlyArray<number>) {
  const cost = yield* CurrentCost
  const guards = (yield* Guards)?.length ?? 0
  const riders = ((yield* Riders) ?? []).flatMap(({ statements }) => statements).length
  const sent = batches.reduce((sum, statements) => sum + statements + guards, riders)
  return cost === untallied || cost.statements + sent <= MaxStatements
})

/** A batch of work that is done only if there is room for it was one too many. It was not sent. */
class NoRoom extends Data.TaggedError("NoRoom") {}

const OnlyIfRoom = Context.Reference<boolean>("octopoid-server/sql/OnlyIfRoom", { defaultValue: () => false })

/**
 * Does the work as long as each batch of it fits, and otherwise the other thing. All work that repeats itself is done so: the
 * batches of a first attempt are bounded by their construction. What two batches must do together has to ask `fits` before.
 */
export const ifRoom = <B, F, S>(otherwise: Effect.Effect<B, F, S>) => <A, E, R>(work: Effect.Effect<A, E, R>) =>
  Effect.catchDefect(
    Effect.provideService(work, OnlyIfRoom, true),
    (defect): Effect.Effect<B, F, S> => defect instanceof NoRoom ? otherwise : Effect.die(defect)
  )

// How the message of a refused batch begins. The number of the guard follows.
const Refused = "a guard of the request does not hold"

// What a request may wait for D1, in all, in milliseconds. D1 ends a query after 30 s, and clients of the old server give a
// request up then: they are told before that.
const Patience = 25_000

class BatchFailure extends Schema.TaggedError<BatchFailure>()("BatchFailure", { cause: Schema.Defect() }) {}

const uniqueViolation = (cause: unknown): UniqueViolation | undefined => {
  const columns = cause instanceof Error ? /UNIQUE constraint failed: ([^:]+)/.exec(cause.message)?.[1] : undefined
  return columns === undefined ? undefined : new UniqueViolation({ columns: columns.trim().split(", ") })
}

const refusing = (guards: ReadonlyArray<Guard>, cause: unknown): Guard | undefined => {
  const number = cause instanceof Error ? new RegExp(`${Refused}: (\\d+)\\.`).exec(cause.message)?.[1] : undefined
  return number === undefined ? undefined : guards[Number(number)]
}

interface Send<E> {
  /** A list of statements, where there are no names for them. */
  (statements: ReadonlyArray<Batch.Sendable>): Effect.Effect<Batch.Answers, E>
  <S extends Batch.Steps>(steps: S): Effect.Effect<Batch.Answered<S>, E>
}

export class Database extends Context.Service<Database, {
  /** Builds statements from templates. They run only through `batch` and `atomic`. */
  readonly sql: D1Client.D1Client
  /**
   * Runs the steps together, all or none, in one round trip, and answers the rows of each by its name (`Batch.ts`). A failure
   * is a defect: a `TransientFailure` if a later request may succeed, also when D1 does not answer, and `Unmigrated` if the
   * database lacks a migration that the batch needs.
   */
  readonly batch: Send<never>
  /** The same, where a row that must be unique may turn out not to be. */
  readonly atomic: Send<UniqueViolation>
}>()("octopoid-server/sql/Database") {
  static readonly layer = Layer.effect(
    Database,
    Effect.gen(function*() {
      const sql = yield* D1Client.D1Client
      const { db } = sql.config

      const run = Effect.fnUntraced(function*(statements: ReadonlyArray<Batch.Sendable>) {
        if ((yield* OnlyIfRoom) && !(yield* fits(statements.length))) return yield* Effect.die(new NoRoom())
        const cost = yield* CurrentCost
        const waiting = yield* Riders
        const riders = waiting?.splice(0) ?? []
        // The cron is no request, and nobody waits for it: there each batch has all the time.
        const patience = waiting === undefined ? Patience : Math.max(0, Patience - cost.millis)
        const started = yield* Clock.currentTimeMillis
        const guards = (yield* Guards) ?? []
        // First, so that what the batch itself does to what they ask for does not count.
        const checks = guards.map(({ holds, values }, i) =>
          holds({ ...values, now: started, refused: `${Refused}: ${i}.` })
        )
        const all = [...checks, ...statements, ...riders.flatMap((rider) => rider.statements)]
        // One that fails was made as well.
        cost.trips += 1
        cost.statements += all.length
        const results = yield* Effect.tryPromise({
          try: () =>
            db.batch<Batch.Row>(all.map((statement) => {
              const [text, parameters] = Batch.compiled(statement)
              return db.prepare(text).bind(...parameters)
            })),
          catch: (cause) => new BatchFailure({ cause })
        }).pipe(Effect.timeoutOrElse({
          duration: patience,
          orElse: () => Effect.fail(new BatchFailure({ cause: new Error(`no answer within ${patience} ms`) }))
        }))
        cost.millis += (yield* Clock.currentTimeMillis) - started
        for (const { meta } of results) {
          cost.read += meta.rows_read
          cost.written += meta.rows_written
        }
        const answers = results.slice(checks.length).map((result): ReadonlyArray<Batch.Row> => result.results)
        let from = statements.length
        for (const { done, statements: own } of riders) done(answers.slice(from, from += own.length), started)
        return answers.slice(0, statements.length)
      }, Effect.withSpan("Database.batch", { kind: "client" }))

      const currentMigration = run([SchemaVersion.select()]).pipe(
        Effect.provideService(OnlyIfRoom, false),
        Effect.map(([rows]) => rows?.[0]?.migration as number | undefined),
        Effect.catch(() => Effect.undefined)
      )

      // A deployment may reach the Worker before its migrations have reached the database. Only a failure asks for the number.
      const defectOf = Effect.fnUntraced(function*(cause: unknown) {
        if (SchemaVersion.lacksSomething(cause)) {
          const migration = yield* currentMigration
          if (SchemaVersion.isBehind(migration)) return new SchemaVersion.Unmigrated({ migration })
        }
        return transientFailure(cause) ?? cause
      })

      const sent = (statements: ReadonlyArray<Batch.Sendable>) =>
        Effect.catch(
          run(statements),
          Effect.fnUntraced(function*({ cause }) {
            const violation = uniqueViolation(cause)
            if (violation !== undefined) return yield* violation
            const guard = refusing((yield* Guards) ?? [], cause)
            return yield* Effect.die(guard === undefined ? yield* defectOf(cause) : guard.refused)
          })
        )

      const atomic = ((steps: ReadonlyArray<Batch.Sendable> | Batch.Steps) =>
        Array.isArray(steps)
          ? sent(steps)
          : Effect.map(sent(Batch.statementsOf(steps as Batch.Steps)), (answers) =>
            Batch.byName(steps as Batch.Steps, answers))) as Send<UniqueViolation>

      return Database.of({
        sql,
        atomic,
        batch: ((steps: Batch.Steps) => Effect.orDie(atomic(steps))) as Send<never>
      })
    })
  )
}

const refusals = /SQLITE_(CONSTRAINT|ERROR|MISMATCH|TOOBIG)/

/** Whether the defect of a batch says that a statement of it was refused: then nothing of it happened. */
export const isRefusal = (defect: unknown): boolean =>
  defect instanceof UniqueViolation || (defect instanceof Error && refusals.test(defect.message))

/** Whether it was refused because a row or a value would be larger than D1 takes: then nothing of it happened either. */
export const isTooBig = (defect: unknown): boolean =>
  defect instanceof Error && defect.message.includes("SQLITE_TOOBIG")
