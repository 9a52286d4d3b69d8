/**
 * Claims that wait for a task. On Durable Objects a scope is one object, which knows of every change: it lets the claims
 * that wait try again, in the order in which they came. On D1 no isolate knows of every change, so a claim is answered at once.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { Claim } from "../../domain/task/MoveInput.ts"
import { NoTasksAvailable } from "../../domain/task/TaskErrors.ts"
import { CurrentCost, MaxStatements, StatementLimit } from "../../sql/Database.ts"

/** A place in the line. */
export interface Place {
  /** The claim tries now. */
  readonly begin: () => void
  /** The claim has tried and got nothing. */
  readonly empty: () => void
  /** Calls back when it is this claim's turn to try again. Answers how to take the call back. */
  readonly turn: (call: () => void) => () => void
  readonly leave: () => void
}

/** The line of a scope. Claims that look for the same stand behind each other. */
export interface Line {
  /** A place at the end, or `undefined` if the line is full. */
  readonly join: (wanted: string) => Place | undefined
}

/** The line of the present request's scope, if its claims can wait. */
export const CurrentLine = Context.Reference<Line | undefined>("octopoid-server/services/CurrentLine", {
  defaultValue: () => undefined
})

/** What the claim looks for. Of claims that look for the same only the first has to try. */
const wantedBy = ({ account, max_claimed, orchestrator_id, priority_order, queue, role_filter, type_filter }: Claim) =>
  JSON.stringify([queue, role_filter, type_filter, priority_order, account, max_claimed, orchestrator_id])

/** Repeats the attempt while it finds no task and the claim may wait. */
export const waiting = <A, E, R>(
  claim: Claim,
  attempt: Effect.Effect<A, E | NoTasksAvailable, R>
): Effect.Effect<A, E | NoTasksAvailable, R> =>
  Effect.flatMap(CurrentLine, (line) => {
    const seconds = claim.wait_seconds ?? 0
    return line === undefined || seconds === 0 ? attempt : Effect.acquireUseRelease(
      Effect.sync(() => line.join(wantedBy(claim))),
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
          place.empty()
          const left = ends - (yield* Clock.currentTimeMillis)
          const called = left > 0 && (yield* Effect.timeoutOrElse(
            Effect.callback<boolean>((resume) => {
              const takeBack = place.turn(() => resume(Effect.succeed(true)))
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
