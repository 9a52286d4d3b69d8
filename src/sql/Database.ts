/**
 * The only access to the database: runs batches, counts their costs, and classifies their failures. What runs them is
 * an engine (`engine/Engine.ts`).
 *
 * D1 has no interactive transactions. A batch is the unit of atomicity and one round trip, so every statement goes
 * through a batch. D1 has no codes for its failures; only their texts give the reason.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as SqlStatement from "effect/sql/Statement"
import * as Batch from "./Batch.ts"
import { Engine, EngineFailure, inputOf, type Prepared, type Result } from "./engine/Engine.ts"
import * as Feed from "./Feed.ts"
import * as Span from "./Span.ts"
import { type Statement, statement, type Values } from "./Statement.ts"
import * as SchemaVersion from "./upkeep/SchemaVersion.ts"

export type { Answers, Row } from "./Batch.ts"

const overloaded = /overloaded|too many requests queued|queued for too long/i
const passing =
  /connection lost|transient issue|exceeded timeout|no answer within|object to be reset|code was updated|internal error|failed to parse body as json/i

/** It is unknown whether the batch had its effect. */
export class TransientFailure extends Data.TaggedError("TransientFailure")<{
  readonly cause: unknown
  readonly retryAfterSeconds: number
}> {}

/**
 * The failure of D1 as a `TransientFailure`, if it passes by itself. The texts are those of
 * https://developers.cloudflare.com/d1/observability/debug-d1/#error-list and
 * https://developers.cloudflare.com/d1/best-practices/retry-queries/, and those of the binding if something on the way
 * answers for D1. An error of SQLite has its code in the text, and does not pass: the statement would fail each time.
 */
export const transientFailure = (cause: unknown): TransientFailure | undefined => {
  const text = String(cause)
  if (text.includes("SQLITE_")) return undefined
  return overloaded.test(text)
    ? new TransientFailure({ cause, retryAfterSeconds: 5 })
    : passing.test(text)
    ? new TransientFailure({ cause, retryAfterSeconds: 1 })
    : undefined
}

/**
 * A row that must be unique is not. The batch changed nothing. `columns` are named as SQLite names them: `tasks.id`.
 */
export class UniqueViolation extends Schema.TaggedError<UniqueViolation>()("UniqueViolation", {
  columns: Schema.Array(Schema.String)
}) {}

/**
 * How many statements a request or a turn of the cron may send. On D1's free plan an invocation of the Worker may send
 * 50, and it is not documented that a batch counts as one.
 */
export const MaxStatements = 45

/** The limit of the present work, if it is another one than `MaxStatements`. */
export const StatementLimit = Context.Reference<number>("octopoid-server/sql/StatementLimit", {
  defaultValue: () => MaxStatements
})

/** The cost of a request so far: round trips, and the rows that D1 bills as read and written. */
export interface Cost {
  trips: number
  statements: number
  read: number
  written: number
  /** Milliseconds of waiting for D1. */
  millis: number
}

export const noCost = (): Cost => ({ trips: 0, statements: 0, read: 0, written: 0, millis: 0 })

// Work outside of requests and of the cron, such as tests, has no limit.
const untallied = noCost()

/** The cost of the present request. The HTTP layer starts a new one for each request. */
export const CurrentCost = Context.Reference<Cost>("octopoid-server/sql/CurrentCost", {
  defaultValue: () => untallied
})

/**
 * Statements that travel with the next batch of the request, so that they cost no round trip. `done` gets their rows
 * and the time when the batch was sent. It is not called if the batch fails.
 */
export interface Rider {
  readonly statements: ReadonlyArray<Batch.Sendable>
  readonly done: (answers: Batch.Answers, sentAt: number) => void
}

/**
 * The riders that wait for the next batch of the present request. The HTTP layer starts a new list for each request.
 */
export const Riders = Context.Reference<Array<Rider> | undefined>("octopoid-server/sql/Riders", {
  defaultValue: () => undefined
})

/**
 * The scopes whose feeds the present request, or turn of the cron, has changed. A batch that records changes adds those
 * that its parameters and the first row of each of its answers name. So the list may lack some.
 */
export const ChangedScopes = Context.Reference<Set<string> | undefined>("octopoid-server/sql/ChangedScopes", {
  defaultValue: () => undefined
})

const addChanged = (
  changed: Set<string>,
  statements: ReadonlyArray<Batch.Sendable>,
  results: ReadonlyArray<Result>
) => {
  const recorded = (statement: Batch.Sendable, n: number) =>
    "text" in statement && Feed.isRecording(statement.text) && results[n]?.changes !== 0
  if (!statements.some(recorded)) return
  const parameters = statements.map((statement) =>
    "names" in statement ? statement.parameters[statement.names?.indexOf("scope") ?? -1] : undefined
  )
  for (const scope of [...parameters, ...results.map(({ rows: [row] }) => row?.scope)]) {
    if (typeof scope === "string") changed.add(scope)
  }
}

/**
 * A condition for every batch of the request. If it does not hold, the batch changes nothing, answers nothing, and
 * fails with the defect `refused`.
 */
export interface Guard {
  /** A statement from `guarding`. */
  readonly holds: Statement
  /** The parameters of the condition. `:now` is added: the time when the batch is sent. */
  readonly values: Values
  readonly refused: unknown
}

/**
 * The statement that fails its batch unless the condition holds. SQLite fails on an invalid path in a JSON value, and
 * repeats the path in its message. `:refused` is that text.
 */
export const guarding = (condition: string): Statement =>
  statement(`SELECT json_extract('{}', iif(${condition}, '$', :refused))`)

/** The guards of the present request. The HTTP layer starts a new list for each request. */
export const Guards = Context.Reference<Array<Guard> | undefined>("octopoid-server/sql/Guards", {
  defaultValue: () => undefined
})

/**
 * Whether the request or turn of the cron may send more batches with these numbers of statements. Each batch also has
 * the guards, and the first one has the waiting riders.
 */
export const fits = Effect.fnUntraced(function*(...batches: ReadonlyArray<number>) {
  const cost = yield* CurrentCost
  const guards = (yield* Guards)?.length ?? 0
  const riders = ((yield* Riders) ?? []).flatMap(({ statements }) => statements).length
  const sent = batches.reduce((sum, statements) => sum + statements + guards, riders)
  return cost === untallied || cost.statements + sent <= (yield* StatementLimit)
})

/** A batch of optional work had no room. It was not sent. */
class NoRoom extends Data.TaggedError("NoRoom") {}

// Set for optional work. The number of statements that has to be left for a last batch.
const OnlyIfRoom = Context.Reference<number | undefined>("octopoid-server/sql/OnlyIfRoom", {
  defaultValue: () => undefined
})

/**
 * Does the work as long as each of its batches fits; otherwise does `otherwise`. All repeated work runs like this; the
 * batches of a first attempt fit by construction. If two batches must both run, ask `fits` first, or name as `reserved`
 * how many statements the last one has.
 */
export const ifRoom =
  <B, F, S>(otherwise: Effect.Effect<B, F, S>, reserved = 0) => <A, E, R>(work: Effect.Effect<A, E, R>) =>
    Effect.catchDefect(
      Effect.flatMap(
        OnlyIfRoom,
        (before) => Effect.provideService(work, OnlyIfRoom, Math.max(before ?? 0, reserved))
      ),
      (defect): Effect.Effect<B, F, S> => defect instanceof NoRoom ? otherwise : Effect.die(defect)
    )

// The beginning of the message of a batch that a guard refused. The number of the guard follows.
const Refused = "a guard of the request does not hold"

// How long a request may wait for D1 in all, in milliseconds. D1 ends a query after 30 s, and clients of the old server
// give up then. The server answers earlier.
const Patience = 25_000

const uniqueViolation = (cause: unknown): UniqueViolation | undefined => {
  const columns = cause instanceof Error ? /UNIQUE constraint failed: ([^:]+)/.exec(cause.message)?.[1] : undefined
  return columns === undefined ? undefined : new UniqueViolation({ columns: columns.trim().split(", ") })
}

const refusing = (guards: ReadonlyArray<Guard>, cause: unknown): Guard | undefined => {
  const number = cause instanceof Error ? new RegExp(`${Refused}: (\\d+)\\.`).exec(cause.message)?.[1] : undefined
  return number === undefined ? undefined : guards[Number(number)]
}

const sum = (results: ReadonlyArray<Result>, figure: "read" | "written"): number =>
  results.reduce((total, result) => total + result[figure], 0)

/** The statement as an engine takes it. */
const prepared = (statement: Batch.Sendable): Prepared => {
  const [text, parameters] = Batch.compiled(statement)
  return [text, parameters.map(inputOf)]
}

// Makes statements from templates. It has no connection, because they run only in a batch.
const template = SqlStatement.make(
  Effect.die("a statement runs only in a batch"),
  SqlStatement.makeCompilerSqlite(),
  [],
  undefined
)

interface Send<E> {
  /** A list of statements without names. */
  (statements: ReadonlyArray<Batch.Sendable>): Effect.Effect<Batch.Answers, E>
  <S extends Batch.Steps>(steps: S): Effect.Effect<Batch.Answered<S>, E>
}

export class Database extends Context.Service<Database, {
  /** Builds statements from templates. They run only in a batch. */
  readonly sql: SqlStatement.Constructor
  /**
   * Runs the steps together, all or none, in one round trip. Answers the rows of each step by its name (`Batch.ts`). A
   * failure is a defect: `TransientFailure` if a later request may succeed or D1 does not answer, and `Unmigrated` if
   * the database lacks a migration that the batch needs.
   */
  readonly batch: Send<never>
  /** The same, for batches that may violate a unique constraint. */
  readonly atomic: Send<UniqueViolation>
  /** What all batches of the isolate cost since `services/feed/D1Costs.ts` stored it. */
  readonly spent: Cost
}>()("octopoid-server/sql/Database") {
  static readonly layer = Layer.effect(
    Database,
    Effect.gen(function*() {
      const engine = yield* Engine
      const spent = noCost()

      const run = Effect.fnUntraced(function*(statements: ReadonlyArray<Batch.Sendable>) {
        const reserved = yield* OnlyIfRoom
        if (reserved !== undefined && !(yield* fits(statements.length, ...reserved === 0 ? [] : [reserved]))) {
          return yield* Effect.die(new NoRoom())
        }
        const cost = yield* CurrentCost
        const waiting = yield* Riders
        const riders = waiting?.splice(0) ?? []
        // Nobody waits for the cron, so each of its batches has all the time.
        const patience = waiting === undefined ? Patience : Math.max(0, Patience - cost.millis)
        const started = yield* Clock.currentTimeMillis
        const guards = (yield* Guards) ?? []
        // The guards come first, so that they see the state before the batch.
        const checks = Batch.named(
          "guards",
          guards.map(({ holds, values }, i) => holds({ ...values, now: started, refused: `${Refused}: ${i}.` }))
        )
        const ridden = Batch.named("riders", riders.flatMap((rider) => rider.statements))
        const all = [...checks, ...statements, ...ridden]
        // A failed batch counts too.
        for (const tally of [cost, spent]) {
          tally.trips += 1
          tally.statements += all.length
        }
        const results = yield* engine.run(all.map(prepared)).pipe(Effect.timeoutOrElse({
          duration: patience,
          orElse: () => Effect.fail(new EngineFailure({ cause: new Error(`no answer within ${patience} ms`) }))
        }))
        cost.millis += (yield* Clock.currentTimeMillis) - started
        const [read, written] = [sum(results, "read"), sum(results, "written")]
        for (const tally of [cost, spent]) {
          tally.read += read
          tally.written += written
        }
        yield* Span.annotate(() => ({
          "db.system.name": "sqlite",
          "db.operation.batch.size": all.length,
          "d1.rows_read": read,
          "d1.rows_written": written
        }))
        const changed = yield* ChangedScopes
        const answers = results.slice(checks.length).map(({ rows }) => rows)
        let from = statements.length
        for (const { done, statements: own } of riders) done(answers.slice(from, from += own.length), started)
        if (changed !== undefined) addChanged(changed, statements, results.slice(checks.length))
        return answers.slice(0, statements.length)
      }, Effect.withSpan("Database.batch", { kind: "client" }))

      const currentMigration = run(Batch.named("schemaVersion", SchemaVersion.select())).pipe(
        Effect.provideService(OnlyIfRoom, undefined),
        Effect.map(([rows]) => rows?.[0]?.migration as number | undefined),
        Effect.catch(() => Effect.undefined)
      )

      // A deployment may reach the Worker before its migrations reach the database. The number is read only after a
      // failure.
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
        sql: template,
        atomic,
        spent,
        batch: ((steps: Batch.Steps) => Effect.orDie(atomic(steps))) as Send<never>
      })
    })
  )
}

const refusals = /SQLITE_(CONSTRAINT|ERROR|MISMATCH|TOOBIG)/

/** Whether a statement of the batch was refused. Then the batch had no effect. */
export const isRefusal = (defect: unknown): boolean =>
  defect instanceof UniqueViolation || (defect instanceof Error && refusals.test(defect.message))

/** Whether a row or value was too large for D1. Then the batch had no effect. */
export const isTooBig = (defect: unknown): boolean =>
  defect instanceof Error && defect.message.includes("SQLITE_TOOBIG")
