/**
 * Claims that wait for a task. On Durable Objects a scope is one object, which knows of every change: it lets the
 * claims that wait try again, in the order in which they came. On D1 no isolate knows of every change, so a claim is
 * answered at once.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { asList, type Claim } from "../../domain/task/MoveInput.ts"
import { NoTasksAvailable } from "../../domain/task/TaskErrors.ts"
import { CurrentCost, MaxStatements, StatementLimit } from "../../sql/Database.ts"
import { CurrentIdempotency } from "../../sql/Idempotency.ts"

/** A place in the line. */
export interface Place {
  /** The claim tries now. */
  readonly begin: () => void
  /** The claim has tried and got nothing. */
  readonly empty: () => void
  /** Calls back when the claim may try again, or is to wait no more (`false`). Answers how to take the call back. */
  readonly turn: (call: (again: boolean) => void) => () => void
  readonly leave: () => void
}

export interface Wanted {
  /** Equal for claims that look for the same. */
  readonly same: string
  /** The queue that the claim looks at; undefined if its first role decides. */
  readonly queue: string | undefined
  /** Any of these roles and any of these types; every one if the list is empty. */
  readonly roles: ReadonlyArray<string>
  readonly types: ReadonlyArray<string>
}

/** The line of a scope. Claims that look for the same stand behind each other. */
export interface Line {
  /** A place at the end, or `undefined` if the line is full. `key` is that of a claim under an idempotency key. */
  readonly join: (wanted: Wanted, key: string | undefined) => Place | undefined
  /** Ends the wait of the claim under this key. */
  readonly end: (key: string) => void
  /** A claim got a task. */
  readonly claimed?: (wanted: Wanted) => void
}

/** The line of the present request's scope, if its claims can wait. */
export const CurrentLine = Context.Reference<Line | undefined>("octopoid-server/services/CurrentLine", {
  defaultValue: () => undefined
})

/** If several claims look for the same tasks, only the first has to try. Their machines make no difference. */
export const wantedBy = (
  { account, priority_order, queue, role_filter, type_filter }: Partial<Omit<Claim, "wait_seconds">>
): Wanted => ({
  same: JSON.stringify([queue, role_filter, type_filter, priority_order, account]),
  queue: queue || (asList(role_filter).length === 0 ? "incoming" : undefined),
  roles: asList(role_filter),
  types: asList(type_filter)
})

/**
 * Repeats the attempt while it finds no task and the claim may wait. A repetition under its idempotency key ends the
 * wait of the first request, whose client may be gone.
 */
export const waiting = <A, E, R>(
  claim: Claim,
  once: Effect.Effect<A, E | NoTasksAvailable, R>
): Effect.Effect<A, E | NoTasksAvailable, R> =>
  Effect.flatMap(Effect.all([CurrentLine, CurrentIdempotency]), ([line, request]) => {
    const seconds = claim.wait_seconds ?? 0
    if (line === undefined) return once
    const wanted = wantedBy(claim)
    const attempt = Effect.tap(once, () => Effect.sync(() => line.claimed?.(wanted)))
    if (request !== undefined) line.end(request.id)
    if (seconds === 0) return attempt
    return Effect.acquireUseRelease(
      Effect.sync(() => line.join(wanted, request?.id)),
      Effect.fnUntraced(function*(place) {
        if (place === undefined) return yield* attempt
        const cost = yield* CurrentCost
        const ends = (yield* Clock.currentTimeMillis) + seconds * 1000
        for (;;) {
          place.begin()
          // Each attempt may send as much as a request.
          const tried = yield* Effect.result(
            Effect.provideService(attempt, StatementLimit, cost.statements + MaxStatements)
          )
          if (tried._tag === "Success" || !(tried.failure instanceof NoTasksAvailable)) {
            return yield* Effect.fromResult(tried)
          }
          // Others that look for the same may get a task, so they must not wait behind a machine that gets none.
          if (tried.failure.reason === "maintenance") return yield* Effect.fromResult(tried)
          place.empty()
          const left = ends - (yield* Clock.currentTimeMillis)
          const called = left > 0 && (yield* Effect.timeoutOrElse(
            Effect.callback<boolean>((resume) => {
              const takeBack = place.turn((again) => resume(Effect.succeed(again)))
              return Effect.sync(takeBack)
            }),
            { duration: left, orElse: () => Effect.succeed(false) }
          ))
          if (!called) return yield* Effect.fromResult(tried)
        }
      }),
      (place) => Effect.sync(() => place?.leave())
    )
  })
