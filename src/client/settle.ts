/** Ending an attempt: its result is handed in, or the task is given up or back, under the token of its lease. */
import * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type { AdministratorRequired, Client, HostNotAllowed, ScopeMismatch, Unauthorized } from "../client.ts"
import type { Ask } from "./Ask.ts"
import type { Outcome, Result } from "./Attempt.ts"
import type { Held } from "./Held.ts"

/** The longest reason that is sent. */
const MaxReason = 2000

/** Where reviews are claimed from: what ends one leaves the task there. */
const underReview = "provisional"
export const isReview = ({ task: { queue } }: Held): boolean => queue === underReview

/** The server will answer nothing the worker asks for otherwise. */
export type Closing = Unauthorized | ScopeMismatch | AdministratorRequired | HostNotAllowed

const tagOf = (error: unknown): unknown => (error as { readonly _tag?: unknown } | null)?._tag
const isClosing = (error: unknown): error is Closing =>
  ["Unauthorized", "ScopeMismatch", "AdministratorRequired", "HostNotAllowed"].includes(String(tagOf(error)))
const isOver = (error: unknown): boolean => ["LeaseLost", "TaskNotFound"].includes(String(tagOf(error)))

/** The server does not want what it was sent, and the lease still holds. */
export class Refusal extends Data.Error<{ readonly what: string; readonly error: unknown }> {
  override get message(): string {
    return `It could not be ${this.what}: ${String(this.error)}`
  }
}

export const reasonOf = (cause: Cause.Cause<unknown>): string => {
  const text = Cause.pretty(cause).trim() || "The handler failed without a reason."
  return (text.length <= MaxReason ? text : `${text.slice(0, MaxReason - 1)}…`).toWellFormed()
}

export const make = (client: Client, ask: Ask, agent: string) => {
  const query = {}

  /** Asks until the server settles it. Answers what it was refused with, if it was. */
  const settled = <A, E>(what: string, call: Effect.Effect<A, E>): Effect.Effect<Refusal | undefined, Closing> =>
    Effect.suspend(() => {
      let asked = 0
      return ask.persistently(Effect.suspend(() => {
        asked += 1
        return call
      })).pipe(
        Effect.andThen(Effect.logInfo(what)),
        Effect.as(undefined),
        Effect.catch((error: unknown) => {
          if (isClosing(error)) return Effect.fail(error)
          if (!isOver(error)) return Effect.succeed(new Refusal({ what, error }))
          // Nobody may do anything about a lease that is over: it is only told of.
          const told = asked > 1
            ? Effect.logInfo(`${what}, unless the lease was lost: an earlier answer did not arrive`)
            : Effect.logWarning(`not ${what}: the lease is lost`)
          return Effect.as(Effect.annotateLogs(told, { answer: String(error) }), undefined)
        })
      )
    })

  /** Writes down what is still to be, so that whoever takes the task next finds it. */
  const flush = Effect.fnUntraced(function*({ checkpoint, task: { id }, token }: Held) {
    if (checkpoint === undefined) return
    yield* ask.persistently(
      client.tasks.renew({ query, params: { id }, payload: { fencing_token: token, checkpoint } })
    ).pipe(
      Effect.catch((error) =>
        Effect.logWarning("the last checkpoint was not kept").pipe(Effect.annotateLogs({ error }))
      )
    )
  })

  const submit = ({ task: { id }, token: fencing_token }: Held, result: Result | undefined) => {
    const params = { id }
    // What a handler in JavaScript may answer instead is for the server's schema to refuse.
    if (result === undefined || !("verdict" in result)) {
      return settled(
        "submitted",
        client.tasks.submit({ query, params, payload: { ...result as Outcome, fencing_token } })
      )
    }
    return result.verdict === "accept"
      ? settled("accepted", client.tasks.accept({ query, params, payload: { accepted_by: agent, fencing_token } }))
      : settled(
        "rejected",
        client.tasks.reject({ query, params, payload: { rejected_by: agent, reason: result.reason, fencing_token } })
      )
  }

  const giveBack = (held: Held, reason: string) => {
    const { task: { id }, token: fencing_token } = held
    return settled(
      "given back",
      client.tasks.requeue({ query, params: { id }, payload: { release: true, reason, fencing_token } })
    )
  }

  const giveUp = (held: Held, how: "fail" | "retry", reason: string) => {
    const { task: { id }, token: fencing_token } = held
    const params = { id }
    if (isReview(held)) return giveBack(held, reason)
    return how === "retry"
      ? settled("requeued", client.tasks.requeue({ query, params, payload: { reason, fencing_token } }))
      : settled("failed", client.tasks.fail({ query, params, payload: { reason, failed_by: agent, fencing_token } }))
  }

  return { flush, submit, giveBack, giveUp }
}
