/** Ends an attempt under the token of its lease: hands in the result, or gives the task up or back. */
import * as Cause from "effect/Cause"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Data from "effect/Data"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import {
  type AdministratorRequired,
  type Client,
  type HostNotAllowed,
  LeaseLost,
  type RankTooLow,
  type ScopeMismatch,
  type Unauthorized
} from "../client.ts"
import * as Ask from "./call/Ask.ts"
import type { Result as HandlerResult } from "./call/Attempt.ts"
import { bodies, fit, jsonOf } from "./call/body.ts"
import { IdempotencyKey } from "./call/Call.ts"
import { short, textOf } from "./call/NoUsableAnswer.ts"
import * as report from "./call/report.ts"
import type { Held, Worker } from "./Held.ts"
import { Finished, type Outbox, type Place } from "./Outbox.ts"

/** The longest reason that the worker sends. */
const MaxReason = 2000

/**
 * How long the server may answer heartbeats without accepting a result, before the worker releases the lease. It will
 * not accept the result soon, so others may try the task.
 */
const HandInPatience = 4 * 60_000

/**
 * How often the worker looks at a result whose lease was released, until it is handed in under the next lease or the
 * task belongs to someone else.
 */
const BetweenLeases = 60_000

/** How long saving the last checkpoint may delay the result. */
const FlushPatience = "5 seconds"

/** Reviews are claimed from this queue, and a released review stays in it. */
const underReview = "provisional"
export const isReview = ({ task: { queue } }: Held): boolean => queue === underReview

/** Errors that the server would give to every request of this kind, until the worker has another key or address. */
export type Closing = Unauthorized | ScopeMismatch | AdministratorRequired | RankTooLow | HostNotAllowed

const tagOf = (error: unknown): string => String((error as { readonly _tag?: unknown } | null)?._tag)
const isClosing = (error: unknown): error is Closing =>
  ["Unauthorized", "ScopeMismatch", "AdministratorRequired", "RankTooLow", "HostNotAllowed"].includes(tagOf(error))
const isOver = (error: unknown): boolean => ["LeaseLost", "TaskNotFound"].includes(tagOf(error))

/** The result cannot be handed in: it has the wrong form, or the server refuses it. */
export class Refusal extends Data.Error<{ readonly what: string; readonly error: unknown }> {
  override get message(): string {
    return `It could not be ${this.what}: ${textOf(this.error)}`
  }
}

/** The reason of a handler's failure, as text of limited length. */
export const reasonOf = (cause: Cause.Cause<unknown>): string => {
  try {
    return short(Cause.pretty(cause).trim() || "The handler failed without a reason.", MaxReason)
  } catch {
    return "The handler failed with an error that has no text."
  }
}

type Verb = Finished["verb"]
const done: Record<Verb, string> = {
  submit: "submitted",
  accept: "accepted",
  reject: "rejected",
  requeue: "requeued",
  fail: "failed",
  ask: "asked",
  park: "parked"
}

const verbOf = (result: HandlerResult | undefined): Verb =>
  typeof result === "object" && result !== null && "verdict" in result ? result.verdict : "submit"

export const make = (client: Client, outbox: Outbox, agent: string, worker: Pick<Worker, "heardAt">) => {
  const query = {}
  /** Results of expired leases that are handed in under new leases, by task. */
  const renewed = new Map<string, Place>()
  const isEnough = (failingSince: number): boolean => worker.heardAt - failingSince >= HandInPatience

  /** Whether the lease of a result was released, and the worker may still claim the task, or has claimed it again. */
  const awaitsLease = ({ given_back, verb }: Finished, error: unknown): boolean => {
    if (given_back === undefined || !(error instanceof LeaseLost)) return false
    const isUnderReview = error.queue === underReview
    return error.reason === "taken"
      ? error.claimed_by === agent
      : error.reason === "moved" && isUnderReview === (verb !== "submit")
  }

  const call = ({ key, payload, task_id, verb }: Finished) => {
    const params = { id: task_id }
    const send = {
      submit: () =>
        Effect.flatMap(
          Schema.decodeEffect(bodies.submit)(payload as typeof bodies.submit.Encoded),
          (payload) => client.tasks.submit({ query, params, payload })
        ),
      accept: () =>
        Effect.flatMap(
          Schema.decodeEffect(bodies.accept)(payload as typeof bodies.accept.Encoded),
          (payload) => client.tasks.accept({ query, params, payload })
        ),
      reject: () =>
        Effect.flatMap(
          Schema.decodeEffect(bodies.reject)(payload as typeof bodies.reject.Encoded),
          (payload) => client.tasks.reject({ query, params, payload })
        ),
      requeue: () =>
        Effect.flatMap(
          Schema.decodeEffect(bodies.requeue)(payload as typeof bodies.requeue.Encoded),
          (payload) => client.tasks.requeue({ query, params, payload })
        ),
      fail: () =>
        Effect.flatMap(
          Schema.decodeEffect(bodies.fail)(payload as typeof bodies.fail.Encoded),
          (payload) => client.tasks.fail({ query, params, payload })
        ),
      ask: () =>
        Effect.flatMap(
          Schema.decodeEffect(bodies.ask)(payload as typeof bodies.ask.Encoded),
          (payload) => client.messages.send({ query, payload })
        ),
      park: () =>
        Effect.flatMap(
          Schema.decodeEffect(bodies.park)(payload as typeof bodies.park.Encoded),
          (payload) => client.tasks.park({ query, params, payload })
        )
    }
    return Effect.suspend((): Effect.Effect<unknown, Effect.Error<ReturnType<typeof send[Verb]>>> => send[verb]()).pipe(
      Effect.catchDefect((defect) => Effect.fail(new Refusal({ what: done[verb], error: defect }))),
      Effect.provideService(IdempotencyKey, key)
    )
  }

  /**
   * Hands in an entry of the outbox until the server's answer is final or `isEnough` holds. Answers the refusal, or
   * that the entry waits in the outbox. Only the request can be interrupted: the effect of an answer is always saved.
   */
  const handIn = (
    place: Place,
    enough: (failingSince: number) => boolean = isEnough
  ): Effect.Effect<Refusal | Ask.Unreachable | undefined, Closing> =>
    Effect.uninterruptibleMask((restore) =>
      Effect.gen(function*() {
        const ask = Effect.suspend(() => Effect.result(restore(place.ask.patiently(call(place.entry), enough))))
        place.underWay = true
        let answer = yield* ask
        // Another version of this program made the body in another way. The token ensures that there is one effect.
        if (Result.isFailure(answer) && tagOf(answer.failure) === "IdempotencyKeyReused") {
          yield* outbox.rename(place, SecureRandom.uuidV4Unsafe())
          answer = yield* ask
        }
        const { verb } = place.entry
        const what = done[verb]
        if (Result.isSuccess(answer)) {
          place.answer = answer
          yield* outbox.remove(place)
          yield* Effect.logInfo(what)
          return undefined
        }
        const error: unknown = answer.failure
        if (error instanceof Ask.Unreachable) return error
        if (isClosing(error)) return yield* error
        if (awaitsLease(place.entry, error)) {
          return new Ask.Unreachable({ why: textOf(error), pause: BetweenLeases })
        }
        place.answer = answer
        // Only results are worth keeping.
        if (verb === "submit" || verb === "accept" || verb === "reject") yield* outbox.refuse(place, textOf(error))
        else yield* outbox.remove(place)
        if (!isOver(error)) return error instanceof Refusal ? error : new Refusal({ what, error })
        yield* Effect.annotateLogs(Effect.logWarning(`not ${what}: the lease is lost`), { answer: textOf(error) })
        return undefined
      }).pipe(
        Effect.ensuring(Effect.sync(() => {
          place.underWay = false
        })),
        Effect.annotateLogs({ task_id: place.entry.task_id, fencing_token: place.entry.fencing_token })
      )
    )

  const keep = Effect.fnUntraced(function*({ session, task: { id }, token }: Held, verb: Verb, body: object) {
    const refuse = (error: unknown) => new Refusal({ what: done[verb], error })
    const json = yield* Effect.try({
      try: () => jsonOf({ ...(verb === "submit" ? session : {}), ...body, fencing_token: token }),
      catch: (error) => refuse(`the result cannot be written as JSON. ${textOf(error)}`)
    })
    const { body: payload, problem, shortened } = fit(verb, json)
    if (shortened.length > 0) {
      yield* Effect.annotateLogs(Effect.logWarning("texts of the result are too large, and are cut to their limits"), {
        fields: shortened.join(", ")
      })
    }
    const place = yield* outbox.put(
      new Finished({
        key: SecureRandom.uuidV4Unsafe(),
        task_id: id,
        fencing_token: token,
        verb,
        payload,
        finished_at: yield* DateTime.now,
        refused: problem ?? null
      })
    )
    if (problem !== undefined) return yield* refuse(problem)
    const before = renewed.get(id)
    renewed.delete(id)
    if (before !== undefined) yield* outbox.remove(before)
    return place
  })

  /** Saves the result of the handler. Fails if it has the wrong form. */
  const record = (held: Held, result: HandlerResult | undefined) =>
    Effect.suspend(() => {
      const verb = verbOf(result)
      if (result !== undefined && (typeof result !== "object" || result === null || Array.isArray(result))) {
        const error = `the handler answered ${
          result === null ? "null" : Array.isArray(result) ? "a list" : `a ${typeof result}`
        }`
        return Effect.fail(new Refusal({ what: done[verb], error: `${error}, which is no result` }))
      }
      const reason = result !== undefined && "reason" in result ? { reason: result.reason } : {}
      switch (verb) {
        case "submit":
          return keep(held, verb, result ?? {})
        case "accept":
          return keep(held, verb, { accepted_by: agent })
        case "reject":
          return keep(held, verb, { rejected_by: agent, ...reason })
        default:
          return Effect.fail(new Refusal({ what: "handed in", error: "the verdict is neither accept nor reject" }))
      }
    })

  /**
   * The saved result of an earlier lease of the task, if that lease expired or was released and the task is unchanged.
   * Then the work is not done twice: the result is saved again under the new lease.
   */
  const kept = Effect.fnUntraced(function*(held: Held): Effect.fn.Return<HandlerResult | undefined> {
    const { handoff: { setbacks }, id } = held.task
    const last = setbacks.at(-1)
    const isOf = ({ fencing_token, given_back, refused, task_id, verb }: Finished): boolean =>
      task_id === id && refused === null &&
      (isReview(held) ? verb === "accept" || verb === "reject" : verb === "submit") &&
      ((last?.event === "lease_expired" && last.fencing_token === fencing_token) ||
        (given_back !== undefined && (last === undefined || DateTime.isLessThanOrEqualTo(last.at, given_back))))
    const find = () => Array.from(outbox.places.values()).find(({ entry }) => isOf(entry))
    // A request under the old lease may be under way. Its answer comes first.
    while (find()?.underWay === true) yield* Effect.sleep("1 second")
    const place = find()
    if (place === undefined) return undefined
    place.underWay = true
    renewed.set(id, place)
    // A handler made this result, so it is checked like one.
    const { payload, verb } = place.entry
    return (verb === "submit" ? payload : { ...payload, verdict: verb }) as unknown as HandlerResult
  })

  /** Reports the last usage, and saves the last checkpoint, so that the next holder of the task finds it. */
  const flush = Effect.fnUntraced(function*(held: Held) {
    const { checkpoint, session, task: { id }, token } = held
    if (held.reports.length > 0) {
      yield* report.send(client, held).pipe(
        Effect.retry({ schedule: Schedule.spaced("500 millis") }),
        Effect.timeout(FlushPatience),
        Effect.catchCause((cause) =>
          Effect.annotateLogs(Effect.logWarning("the last usage was not reported"), {
            why: textOf(Cause.squash(cause))
          })
        )
      )
    }
    if (checkpoint === undefined) return
    yield* Ask.make("renew").persistently(
      client.tasks.renew({ query, params: { id }, payload: { fencing_token: token, checkpoint, ...session } })
    ).pipe(
      Effect.timeout(FlushPatience),
      Effect.catchCause((cause) =>
        Effect.annotateLogs(Effect.logWarning("the last checkpoint was not kept"), { why: textOf(Cause.squash(cause)) })
      )
    )
  })

  /** Releases a task unchanged. */
  const giveBack = ({ task: { id }, token: fencing_token }: Held, reason: string) =>
    Ask.make("requeue").patiently(
      client.tasks.requeue({
        query,
        params: { id },
        payload: { release: true, reason: short(reason, MaxReason), fencing_token }
      }),
      isEnough
    ).pipe(
      Effect.andThen(Effect.logInfo("given back")),
      Effect.as(undefined),
      Effect.catch((error: unknown) => {
        if (isClosing(error)) return Effect.fail(error)
        if (!isOver(error)) return Effect.succeed(new Refusal({ what: "given back", error }))
        return Effect.as(
          Effect.annotateLogs(Effect.logInfo("not given back: the lease is lost"), { answer: textOf(error) }),
          undefined
        )
      })
    )

  /**
   * Releases a task whose result the server does not accept. That costs the task no attempt, and the next lease hands
   * the result in.
   */
  const letGo = Effect.fnUntraced(function*(held: Held, place: Place) {
    if (held.task.claimed_at !== null) yield* outbox.giveBack(place, held.task.claimed_at)
    return yield* giveBack(held, "The work is finished, but the server does not take the result now.")
  })

  /** Gives up a task, or releases a review. */
  const giveUp = (held: Held, how: "fail" | "retry" | "terminal", reason: string) =>
    isReview(held)
      ? giveBack(held, reason)
      : (how === "retry"
        ? keep(held, "requeue", { reason })
        : keep(held, "fail", { reason, failed_by: agent, ...(how === "terminal" ? { terminal: true } : {}) })).pipe(
          Effect.flatMap((place) => handIn(place)),
          Effect.catchIf((error) => error instanceof Refusal, Effect.succeed)
        )

  /** Ends the attempt with a question, or by parking an account. */
  const leave = (held: Held, { body, verb }: NonNullable<Held["leaving"]>) =>
    keep(held, verb, verb === "ask" ? { ...body, task_id: held.task.id, from_actor: agent } : body).pipe(
      Effect.flatMap((place) => handIn(place)),
      Effect.catchIf((error) => error instanceof Refusal, Effect.succeed)
    )

  return { flush, kept, leave, record, handIn, giveBack, letGo, giveUp }
}
