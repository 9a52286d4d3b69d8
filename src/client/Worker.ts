/**
 * The worker: claims tasks, renews their leases while a handler works on them, and hands in the results.
 *
 * Consumers import this as `octopoid-server/worker`.
 */
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as client from "../client.ts"
import { beating } from "./beat.ts"
import * as Ask from "./call/Ask.ts"
import type { Attempt, Result } from "./call/Attempt.ts"
import { IdempotencyKey } from "./call/Call.ts"
import * as Claim from "./claim/claim.ts"
import * as Signal from "./claim/signal.ts"
import { make as makeTwins } from "./claim/twins.ts"
import { delivering, report, round } from "./deliver.ts"
import { drain } from "./drain.ts"
import { type Held, makeWorker, type Worker } from "./Held.ts"
import * as Outbox from "./Outbox.ts"
import * as Settle from "./settle.ts"
import { work } from "./work.ts"
import type { WorkerError } from "./WorkerError.ts"
import type { WorkerOptions } from "./WorkerOptions.ts"

export {
  type Attempt,
  type Limit,
  type Question,
  type Result,
  type Stop,
  Stopped,
  type TaskResult,
  // The name that `TaskResult` had before. Consumers may still import it.
  type TaskResult as Outcome,
  type Verdict
} from "./call/Attempt.ts"
export { Finished, unsettled } from "./Outbox.ts"
export { AgentNameTaken, type WorkerError } from "./WorkerError.ts"
export type { WorkerOptions } from "./WorkerOptions.ts"

// How long a stopping worker waits for the answer to a claim.
const InFlight = "5 seconds"

// How long a worker that ends hands in the results that are left in the outbox.
const LastRound = "5 seconds"

/** Runs the effect until it is done or the worker stops. */
const unlessHalted = <A, E, R>(worker: Worker, effect: Effect.Effect<A, E, R>, patience: Duration.Input = 0) =>
  Effect.raceFirst(
    Effect.asSome(effect),
    Effect.as(Effect.andThen(Deferred.await(worker.halted), Effect.sleep(patience)), Option.none<A>())
  )

const core = Effect.fnUntraced(function*<E, R>(
  worker: Worker,
  options: WorkerOptions<E>,
  handler: (attempt: Attempt) => Effect.Effect<Result, E, R>
) {
  const api = "tasks" in options.client
    ? options.client
    : yield* Effect.provide(client.make(options.client), FetchHttpClient.layer)
  const agent = options.agentName ?? `worker-${(yield* Random.nextIntBetween(36 ** 5, 36 ** 6)).toString(36)}`
  const register = Effect.gen(function*() {
    // All tries use one key: only the first answer contains the first key of the scope.
    const registered = yield* Ask.make("register").persistently(
      Effect.provideService(
        api.orchestrators.register({ query: {}, payload: options.machine }),
        IdempotencyKey,
        SecureRandom.uuidV4Unsafe()
      )
    )
    const { orchestrator_id, status } = registered
    yield* Effect.annotateLogs(Effect.logInfo("registered"), { orchestrator_id, agent_name: agent, status })
    yield* options.onRegistered?.(registered) ?? Effect.void
    return orchestrator_id
  })
  const registered = yield* unlessHalted(worker, register)
  if (Option.isNone(registered)) return
  const id = registered.value

  const outbox = yield* Outbox.make(options.outbox ?? Outbox.memory())
  const settle = Settle.make(api, outbox, agent, worker)
  const parts = { options, handler, settle, outbox }
  const attempts = new Set<Fiber.Fiber<void>>()
  const start = Effect.fnUntraced(function*(held: Held) {
    const fiber: Fiber.Fiber<void> = yield* Effect.forkDetach(work(worker, parts, held), { uninterruptible: false })
    attempts.add(fiber)
    fiber.addObserver(() => attempts.delete(fiber))
  })
  const twins = makeTwins(worker, { client: api, agent, id, outbox })
  const signal = Signal.make(worker, options)
  const claims = Claim.make(worker, { client: api, twins, agent, id, options, signal })
  const forever = <E extends WorkerError>(effect: Effect.Effect<never, E>) =>
    Effect.forkChild(Effect.catch(effect, (error) => Deferred.fail(worker.fatal, error)))
  const listening = yield* forever(signal.listening)
  const beats = yield* forever(beating(worker, api, { id, register }))
  yield* report(outbox)
  const deliveries = yield* forever(delivering(worker, outbox, settle))
  // A random name belongs to no other process.
  const watching = options.agentName === undefined ? undefined : yield* forever(twins.watching)
  const ended = yield* Effect.exit(Effect.raceFirst(
    unlessHalted(worker, Claim.claiming(worker, options, outbox, claims, start, register), InFlight),
    Deferred.await(worker.fatal)
  ))
  yield* Fiber.interrupt(listening)
  const granted = Effect.flatMap(claims.granted, Effect.forEach(start, { discard: true }))
  yield* drain(worker, outbox, attempts, granted, Exit.isSuccess(ended) ? options.grace ?? 0 : 0)
  yield* Fiber.interrupt(deliveries)
  yield* Effect.timeoutOption(Effect.ignore(round(worker, outbox, settle)), LastRound)
  yield* report(outbox)
  yield* Fiber.interrupt(beats)
  if (watching !== undefined) yield* Fiber.interrupt(watching)
  yield* ended
})

/**
 * Registers the machine, claims tasks, passes each to the handler, and hands in the results. To stop the worker,
 * interrupt it: it claims no more, lets handlers finish within the grace period, and releases the other tasks at once
 * (`drain.ts`).
 */
export const run: {
  <E, R>(
    options: WorkerOptions<E> & { readonly until: "idle" },
    handler: (attempt: Attempt) => Effect.Effect<Result, E, R>
  ): Effect.Effect<void, WorkerError, R>
  <E, R>(
    options: WorkerOptions<E>,
    handler: (attempt: Attempt) => Effect.Effect<Result, E, R>
  ): Effect.Effect<never, WorkerError, R>
} = <E, R>(options: WorkerOptions<E>, handler: (attempt: Attempt) => Effect.Effect<Result, E, R>) =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function*() {
      const { concurrency = 1 } = options
      if (!Number.isInteger(concurrency) || concurrency < 1 || concurrency > client.MaxLeases) {
        return yield* Effect.die(new RangeError(`concurrency: from 1 to ${client.MaxLeases}, and not ${concurrency}.`))
      }
      const { waitSeconds = 0 } = options
      if (!Number.isInteger(waitSeconds) || waitSeconds < 0 || waitSeconds > client.MaxWaitSeconds) {
        return yield* Effect.die(
          new RangeError(`waitSeconds: from 0 to ${client.MaxWaitSeconds}, and not ${waitSeconds}.`)
        )
      }
      const worker = makeWorker()
      // A fiber of its own: an interrupted fiber could not release tasks.
      const fiber = yield* Effect.forkDetach(core(worker, options, handler), { uninterruptible: false })
      return (yield* Effect.onInterrupt(restore(Fiber.join(fiber)), () => {
        worker.stopping = true
        worker.claimNow.openUnsafe()
        Deferred.doneUnsafe(worker.halted, Effect.void)
        return Fiber.await(fiber)
      })) as never
    })
  )
