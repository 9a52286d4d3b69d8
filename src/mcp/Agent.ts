/**
 * The agent's side of the server: the task that it holds, and what happened to it meanwhile. The lease is renewed in
 * the background, by the parts of the worker (`client/`). What the agent has to know before it goes on is a notice, and
 * the next tool that it calls tells it.
 */
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as KeyValueStore from "effect/persistence/KeyValueStore"
import type * as client from "../client.ts"
import { beating } from "../client/beat.ts"
import * as Ask from "../client/call/Ask.ts"
import type { Stop, TaskResult } from "../client/call/Attempt.ts"
import { IdempotencyKey } from "../client/call/Call.ts"
import { textOf } from "../client/call/NoUsableAnswer.ts"
import * as Claim from "../client/claim/claim.ts"
import * as Signal from "../client/claim/signal.ts"
import { make as makeTwins } from "../client/claim/twins.ts"
import { delivering, report } from "../client/deliver.ts"
import { type Held, keyOf, makeWorker, stop } from "../client/Held.ts"
import * as Outbox from "../client/Outbox.ts"
import * as Settle from "../client/settle.ts"
import { refusalOf, refuse, type Refused } from "./Refused.ts"

/** How long a tool waits for the server. Clients of MCP give a call a minute, unless they are configured otherwise. */
export const Patience = "25 seconds"

/** How long the question whether the lease still holds may delay a tool. */
const Glance = "5 seconds"

/** How long the process may take to end. MCP clients kill the process a few seconds after they closed its input. */
const Ending = "3 seconds"

export interface Options {
  readonly client: client.Client
  /** The address of the server, for errors. */
  readonly address: string
  readonly machine: client.Registration
  /** The name in `claimed_by`. */
  readonly name: string
  readonly claim: Pick<
    Claim.Claiming["options"],
    "queue" | "roles" | "types" | "account" | "leaseSeconds" | "maxAttemptSeconds"
  >
  readonly outbox: KeyValueStore.KeyValueStore
}

/** What the agent has to know, and the lease that it is about. */
interface Notice {
  readonly says: string
  readonly held: Held
}

/** What became of a result. */
export type HandedIn =
  | { readonly state: "submitted"; readonly queue: string }
  /** The server did not answer in time. The result is in the outbox, and the process goes on handing it in. */
  | { readonly state: "saved"; readonly queue: null }

/** Repeats a call until the server settles it, for as long as an agent waits. */
export const within = <A, E>(
  call: string,
  effect: Effect.Effect<A, E>,
  patience: typeof Patience | typeof Glance = Patience
) => {
  let why = `no answer within ${patience}.`
  return Ask.make(call).persistently(
    Effect.tapError(effect, (error) => Effect.sync(() => void (why = textOf(error))))
  )
    .pipe(
      Effect.timeoutOrElse({ duration: patience, orElse: () => Effect.fail(new Ask.Unreachable({ why, pause: 0 })) })
    )
}

export type Agent = Effect.Success<ReturnType<typeof make>>

export const make = Effect.fnUntraced(function*(options: Options) {
  const { address, client: api, name: agent } = options
  const worker = makeWorker()
  const outbox = yield* Outbox.make(options.outbox)
  const settle = Settle.make(api, outbox, agent, worker)
  const background = new Set<Fiber.Fiber<unknown, unknown>>()
  const deliveries = new Set<Fiber.Fiber<unknown, unknown>>()
  let current: Held | undefined
  let notices: Array<Notice> = []

  /** Starts a fiber that outlives the call which starts it. */
  const start = <A, E>(effect: Effect.Effect<A, E>, among: typeof background) =>
    Effect.map(Effect.forkDetach(effect, { uninterruptible: false }), (fiber) => {
      among.add(fiber)
      fiber.addObserver(() => among.delete(fiber))
      return fiber
    })

  const unreachable = (why: string) =>
    refuse(
      `The server at ${address} does not answer: ${why}`,
      "It is unknown whether the call had an effect. Wait a minute and call again.",
      ...(current === undefined
        ? []
        : ["You still hold your task: the lease is renewed as soon as the server answers."])
    )

  /** The lease is over, or its task is handed in: the agent holds nothing. */
  const drop = (held: Held) =>
    Effect.sync(() => {
      worker.held.delete(keyOf(held.task.id, held.token))
      if (current === held) current = undefined
      held.controller.abort(held.stop)
    })

  /** Leaves a notice, and takes the task from the agent. */
  const notify = (held: Held, says: string): void => {
    notices.push({ held, says })
    if (current === held) current = undefined
  }

  /**
   * Waits until the server takes the lease or wants it back. The notice is there at once, so that the call which asked
   * the server tells it.
   */
  const watch = (held: Held) => {
    const { id } = held.task
    const { signal } = held.controller
    const stopped = Effect.callback<Stop | undefined>((resume) => {
      signal.addEventListener("abort", () => {
        const why = held.stop
        if (why?.why === "lost") notify(held, `${why.error} Push nothing more for it.`)
        if (why?.why === "cancel") {
          const reason = why.reason === null ? "" : ` The reason: ${why.reason.replace(/\.$/, "")}.`
          notify(
            held,
            `Task ${id} was cancelled.${reason} It was given back for you. Stop working on it, push nothing more for it, and claim another.`
          )
        }
        resume(Effect.succeed(why))
      }, { once: true })
    })
    return Effect.gen(function*() {
      const why = yield* stopped
      if (why?.why === "cancel") {
        yield* settle.giveBack(held, why.reason ?? "It is to be cancelled.").pipe(
          Effect.catch((error) => Effect.logError(textOf(error)))
        )
      }
      yield* drop(held)
    })
  }

  // All tries use one key: only the first answer has the first key of the scope.
  const register = Effect.provideService(
    api.orchestrators.register({ query: {}, payload: options.machine }),
    IdempotencyKey,
    SecureRandom.uuidV4Unsafe()
  )

  let claims: ReturnType<typeof Claim.make> | undefined

  /** Registers the machine with the first claim, and keeps its leases from then on. */
  const ready = Effect.gen(function*() {
    if (claims === undefined) {
      const { orchestrator_id: id } = yield* within("register", register)
      const twins = makeTwins(worker, { client: api, agent, id, outbox })
      claims = Claim.make(worker, {
        client: api,
        twins,
        agent,
        id,
        signal: Signal.none,
        // A tool that waits looks as if it hung.
        options: { ...options.claim, client: api, machine: options.machine, waitSeconds: 0 }
      })
      const beat = beating(worker, api, { id, register: within("register", register) })
      yield* start(
        Effect.forever(
          Effect.catch(beat, (error) =>
            Effect.gen(function*() {
              yield* Effect.logError(`the leases are not renewed: ${textOf(error)}`)
              yield* Effect.sleep("1 minute")
            }))
        ),
        background
      )
    }
    return claims
  })

  /** Renews the lease at once, so that the agent learns what it has to know with this call and not with a later one. */
  const renew = Effect.fnUntraced(function*(held: Held, checkpoint?: client.Checkpoint, patience?: typeof Glance) {
    const { task: { id }, token } = held
    const answer = yield* within(
      "renew",
      api.tasks.renew({
        query: {},
        params: { id },
        payload: { fencing_token: token, ...(checkpoint === undefined ? {} : { checkpoint }) }
      }),
      patience
    ).pipe(
      Effect.tapError((error) =>
        error._tag === "LeaseLost" || error._tag === "TaskNotFound"
          ? Effect.sync(() =>
            stop(held, {
              why: "lost",
              reason: error._tag === "LeaseLost" ? error.reason : "not_found",
              error: error.error
            })
          )
          : Effect.void
      )
    )
    if (answer.directive === "cancel") stop(held, { why: "cancel", reason: answer.cancel_reason })
    return answer
  })

  /** Fails with what the agent has to know, once. */
  const tell = Effect.suspend(() => {
    if (notices.length === 0) return Effect.void
    const says = notices.map((notice) => notice.says)
    notices = []
    return Effect.fail(refuse(...says, "This call was not carried out: repeat it if you still need it."))
  })

  /** Tells what is known, and asks the server first if the agent holds a task. */
  const look = Effect.gen(function*() {
    yield* tell
    if (current === undefined) return
    // If the server does not answer, the call itself will say so.
    yield* Effect.ignore(renew(current, undefined, Glance))
    yield* tell
  })

  const holding = Effect.suspend(() =>
    current === undefined
      ? Effect.fail(refuse("You hold no task.", "Call claim_task to get one."))
      : Effect.succeed(current)
  )

  /** Ends the lease by a call of the agent. `settling` keeps the heartbeats from calling that a loss. */
  const ending = <A, E>(held: Held, call: string, effect: Effect.Effect<A, E>): Effect.Effect<A, Refused> =>
    Effect.suspend(() => {
      held.settling = true
      return within(call, effect)
    }).pipe(
      Effect.tap(() => drop(held)),
      Effect.catch((error: unknown) =>
        Effect.gen(function*() {
          held.settling = false
          const tag = String((error as { readonly _tag?: unknown } | null)?._tag)
          if (tag === "LeaseLost" || tag === "TaskNotFound") yield* drop(held)
          return yield* error instanceof Ask.Unreachable ? unreachable(error.why) : refusalOf(error)
        })
      )
    )

  /**
   * Hands the result in until the server has it, and keeps the lease as long. Fails if the server refuses the result.
   */
  const handIn = (held: Held, place: Outbox.Place) =>
    Effect.gen(function*() {
      const left = yield* settle.handIn(place)
      // The server answers, but does not take the result: others may try the task, and the next lease hands it in.
      if (left instanceof Ask.Unreachable) yield* settle.letGo(held, place)
      else if (left !== undefined) return yield* left
      yield* drop(held)
      worker.deliverNow.openUnsafe()
      return place
    })

  const claim = Effect.gen(function*() {
    if (current !== undefined) {
      return yield* refuse(
        `You hold task ${current.task.id} already.`,
        "Call submit_result, give_back, fail_task or ask_person first."
      )
    }
    if (outbox.waiting().length >= Outbox.MaxWaiting) {
      return yield* refuse(
        `${Outbox.MaxWaiting} results wait until the server takes them.`,
        "Nothing more is claimed before that. Tell the person."
      )
    }
    const { next } = yield* ready
    for (;;) {
      const held = yield* next.pipe(
        // The server lost the machine, for instance with its database.
        Effect.catchTag(
          "InvalidTask",
          (error) =>
            error.field === "orchestrator_id" ? Effect.andThen(within("register", register), next) : Effect.fail(error)
        )
      )
      const kept = yield* settle.kept(held)
      yield* start(watch(held), background)
      if (kept === undefined) {
        current = held
        return held
      }
      // An earlier lease finished the work. It is not done twice.
      held.settling = true
      const place = yield* settle.record(held, kept)
      yield* start(handIn(held, place), deliveries)
    }
  })

  const submit = Effect.fnUntraced(function*(result: TaskResult): Effect.fn.Return<HandedIn, unknown> {
    const lost = notices.at(-1)
    if (lost !== undefined && current === undefined) {
      // The work is done, and may be of use: it is kept, and the agent learns why nobody takes it.
      yield* settle.record(lost.held, result).pipe(Effect.flatMap((place) => {
        place.underWay = false
        return outbox.refuse(place, lost.says)
      }))
      notices = []
      return yield* refuse(lost.says, "The result was not handed in. It is kept in the outbox of this machine.")
    }
    const held = yield* holding
    const place = yield* settle.record(held, result)
    held.settling = true
    const fiber = yield* start(Effect.exit(handIn(held, place)), deliveries)
    const ended = yield* Effect.timeoutOption(Fiber.join(fiber), Patience)
    if (ended._tag === "None") {
      current = undefined
      yield* start(
        Effect.flatMap(Fiber.join(fiber), (exit) =>
          Effect.sync(() => {
            if (exit._tag === "Success" && place.entry.refused === null) return
            notify(
              held,
              `The result of task ${held.task.id} was saved, but the server does not take it: ${
                place.entry.refused ?? textOf(exit)
              }`
            )
          })),
        background
      )
      return { state: "saved", queue: null }
    }
    const exit = ended.value
    if (exit._tag === "Failure") {
      held.settling = false
      return yield* Effect.failCause(exit.cause)
    }
    const answer = place.answer
    if (answer?._tag === "Success") return { state: "submitted", queue: (answer.success as client.Task).queue }
    if (answer?._tag === "Failure") return yield* Effect.fail(answer.failure)
    return { state: "saved", queue: null }
  })

  /** Gives back what the agent holds. A result that is not handed in yet stays in the outbox. */
  const end = Effect.gen(function*() {
    worker.stopping = true
    const granted = claims === undefined ? Effect.void : Effect.asVoid(claims.granted)
    yield* Effect.ignore(Effect.timeoutOption(granted, "1 second"))
    const held = Array.from(worker.held.values()).filter(({ settling, stop }) => !settling && stop === undefined)
    yield* Effect.forEach(held, (one) => {
      one.settling = true
      return settle.giveBack(one, "The process of the agent ended.")
    }, { concurrency: "unbounded", discard: true }).pipe(
      Effect.catch((error) => Effect.logError(textOf(error))),
      Effect.timeoutOption(Ending)
    )
    yield* Effect.timeoutOption(Fiber.awaitAll(Array.from(deliveries)), "1 second")
    yield* report(outbox)
    yield* Fiber.interruptAll([...background, ...deliveries])
  })

  yield* report(outbox)
  yield* start(
    Effect.catch(
      delivering(worker, outbox, settle),
      (error) => Effect.logError(`the results in the outbox are not handed in: ${textOf(error)}`)
    ),
    background
  )

  return {
    api,
    name: agent,
    unreachable,
    look,
    tell,
    holding,
    renew,
    ending,
    claim,
    submit,
    end,
    current: () => current
  }
})
