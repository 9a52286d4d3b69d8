/**
 * Claims as many tasks as the worker has room for, and then waits: for the signal of the server (`signal.ts`), or in
 * the claim itself (`wait_seconds`). A server that offers neither says when to ask again.
 */
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { type ClaimedTask, type Client, MaxLeases, MaxWaitSeconds, type OrchestratorId } from "../../client.ts"
import * as Ask from "../call/Ask.ts"
import { IdempotencyKey } from "../call/Call.ts"
import { secondsToWait } from "../call/NoUsableAnswer.ts"
import { jittered, now } from "../call/Time.ts"
import { finishedBefore, type Held, hold, pause, pausesClaims, type Worker } from "../Held.ts"
import { MaxWaiting, type Outbox } from "../Outbox.ts"
import type { WorkerOptions } from "../WorkerOptions.ts"
import type { Signal } from "./signal.ts"
import type { make as makeTwins, Strange } from "./twins.ts"

/**
 * A running worker renews its leases at least every minute, and usually gets the answer within the rest of this time.
 */
const Watch = 75_000
const WatchPause = 5_000
const InTransit = 10_000

/** The longest time between claims while the server says when there is work. It also makes good a lost message. */
const LongestWait = 60_000

/** For these reasons a claim may get none of the tasks that are ready, and nothing says when that ends. */
const unsignalled = new Set(["maintenance", "account_parked"])

export interface Claiming {
  readonly client: Client
  readonly twins: ReturnType<typeof makeTwins>
  readonly agent: string
  readonly id: OrchestratorId
  readonly options: Omit<WorkerOptions, "onFailure">
  readonly signal: Signal
}

export const make = (worker: Worker, { agent, client, id, options, signal, twins }: Claiming) => {
  const ask = Ask.make("claim")
  // Whether an earlier process with this name may have left tasks to resume.
  let resuming = options.resume === true
  // A claim is repeated under its key until it is settled. So if its answer is lost, the repetition gets the same task.
  let key: string | undefined

  // A worker that ends when nothing is left does not wait for more.
  const waits = options.until === "idle" ? 0 : options.waitSeconds ?? MaxWaitSeconds
  // When the latest claim was sent.
  let sentAt = -Infinity

  const claimWaiting = Effect.fnUntraced(function*(seconds: number) {
    sentAt = yield* now
    key ??= SecureRandom.uuidV4Unsafe()
    return yield* ask.once(Effect.provideService(
      client.tasks.claim({
        query: {},
        payload: {
          orchestrator_id: id,
          agent_name: agent,
          ...(options.queue === undefined ? {} : { queue: options.queue }),
          ...(options.roles === undefined ? {} : { role_filter: options.roles }),
          ...(options.types === undefined ? {} : { type_filter: options.types }),
          ...(options.account === undefined ? {} : { account: options.account }),
          ...(options.leaseSeconds === undefined ? {} : { lease_duration_seconds: options.leaseSeconds }),
          ...(options.maxAttemptSeconds === undefined ? {} : { max_attempt_seconds: options.maxAttemptSeconds }),
          ...(waits === 0 ? {} : { wait_seconds: signal.isOpen() ? 0 : seconds })
        }
      }),
      IdempotencyKey,
      key
    ))
  })

  const heard = () => {
    worker.claimedAt = sentAt
  }

  /** Any answer of the server is a sign of life, and settles the claim. */
  const settled = (claim: ReturnType<typeof claimWaiting>) =>
    claim.pipe(
      Effect.tap(() => Effect.sync(heard)),
      Effect.tapError((error) =>
        Effect.sync(() => {
          if (error instanceof Ask.Unreachable) return
          heard()
          key = undefined
        })
      ),
      // The answer was lost, and the lease had ended before the claim was repeated. Then there is nothing to work on.
      Effect.catchTag(
        ["LeaseLost", "TaskNotFound"],
        () => new Ask.Unreachable({ why: "the claim came to nothing", pause: 0 })
      )
    )

  // When the worker stops, it gives up a waiting claim. `granted` asks afterwards whether the server had granted a
  // task.
  const next = settled(
    waits === 0 ? claimWaiting(0) : Effect.raceFirst(
      claimWaiting(waits),
      Effect.andThen(
        Deferred.await(worker.halted),
        Effect.fail(new Ask.Unreachable({ why: "the worker stops", pause: 0 }))
      )
    )
  )
  // An older server takes a claim that waits less for another request, and answers the first one at once.
  const last = settled(Effect.catchTag(claimWaiting(0), "IdempotencyKeyReused", () => claimWaiting(waits)))

  const take = Effect.fnUntraced(function*(task: ClaimedTask) {
    const renewAt = (yield* now) + (yield* jittered(task.renew_after_seconds * 1000))
    const held = yield* hold(worker, task, renewAt)
    yield* Effect.logInfo("claimed").pipe(
      Effect.annotateLogs({ task_id: task.id, fencing_token: held.token, title: task.title })
    )
    return held
  })

  let watched: Strange | undefined
  let since = 0
  let renewedAt: number | undefined

  /**
   * The tasks that an earlier process with this name held, at most `room`, once it is certain that the process has
   * ended.
   */
  const left = Effect.fnUntraced(function*(room: number) {
    const strange = yield* twins.look
    const at = yield* now
    if (watched === undefined) since = at
    const taken = twins.moved(watched ?? strange, strange)
    watched = strange
    if (taken !== undefined) {
      // A dead process may have sent one renewal that arrives late. A second renewal, more than `InTransit` later,
      // shows that the process lives.
      if (renewedAt !== undefined && at - renewedAt > InTransit) return yield* taken
      renewedAt ??= at
      since = at
    }
    if (strange.size > 0 && at - since < Watch) {
      return yield* new Ask.Unreachable({ why: "an earlier process of this name may still work", pause: WatchPause })
    }
    const unknown = Array.from(strange.values())
    const found = yield* Effect.forEach(
      unknown.slice(0, room),
      ({ fencing_token, id }) =>
        Effect.gen(function*() {
          const request = { params: { id }, query: {} }
          const task = yield* Ask.make("get").once(client.tasks.get(request))
          const handoff = yield* Ask.make("handoff").once(client.tasks.handoff(request))
          // The remaining time of the lease is unknown.
          const claimed: ClaimedTask = { ...task, renew_after_seconds: 0, handoff }
          return task.fencing_token === fencing_token ? claimed : undefined
        }).pipe(Effect.catchTag("TaskNotFound", () => Effect.undefined)),
      { concurrency: 5 }
    )
    resuming = unknown.length > room
    return yield* Effect.forEach(found.filter((task) => task !== undefined), take)
  })

  const paused = Effect.sync(() => Array.from(worker.held.values()).some(pausesClaims))

  const taken = (claim: typeof next) =>
    Effect.flatMap(claim, (task) => {
      key = undefined
      return take(task)
    })

  return {
    isResuming: () => resuming,
    next: taken(next),
    /** How long ago the latest claim was sent, in milliseconds. */
    age: Effect.map(now, (at) => at - sentAt),
    left,
    paused,
    signal,
    /** The task of a claim whose answer is unknown: the claim is repeated, which may also grant another task. */
    granted: Effect.suspend(() =>
      key === undefined ? Effect.succeed([]) : taken(last).pipe(
        Effect.tapErrorTag("Unreachable", ({ pause }) => Effect.sleep(pause)),
        Effect.retry({ times: 2, while: (error) => error._tag === "Unreachable" }),
        Effect.map((held) => [held]),
        Effect.catchTags({ NoTasksAvailable: () => Effect.succeed([]), AtCapacity: () => Effect.succeed([]) })
      )
    )
  }
}

/** How long to wait before the next claim: at least as long as the server said, and different for each machine. */
const millisOf = (said: number) => Effect.map(jittered(said * 1250), (millis) => secondsToWait(millis / 1000) * 1000)

/** Claims and starts tasks until the worker stops, or until there is nothing to do if it is to end then. */
export const claiming = <E, R>(
  worker: Worker,
  options: Claiming["options"],
  outbox: Outbox,
  { age, isResuming, left, next, paused, signal }: ReturnType<typeof make>,
  start: (held: Held) => Effect.Effect<void, never, R>,
  register: Effect.Effect<unknown, E>
) =>
  Effect.gen(function*() {
    const concurrency = options.concurrency ?? 1
    // Activity of the worker does not shorten this wait: the server asked for it, or does not answer.
    const waitWhole = (millis: number) => Effect.timeoutOption(Deferred.await(worker.halted), millis)

    // At most as many leases as one heartbeat renews.
    const room = () => Math.min(concurrency + finishedBefore(worker), MaxLeases) - worker.held.size

    // The time for which the server kept the claim counts as a part of the wait.
    const waitFor = (said: number) =>
      Effect.flatMap(
        Effect.all([millisOf(said), age]),
        ([millis, since]) => pause(millis - since, worker.claimNow)
      )

    const waitForSignal = Effect.andThen(
      signal.ask,
      Effect.flatMap(jittered(LongestWait), (millis) => pause(millis, worker.claimNow))
    )

    let full = false
    const isFull = Effect.gen(function*() {
      const before = full
      // A result whose lease was released waits for the next claim.
      const waiting = outbox.waiting().filter(({ entry }) => entry.given_back === undefined)
      full = waiting.length + finishedBefore(worker) >= MaxWaiting
      if (full && !before) {
        yield* Effect.logError(
          `nothing more is claimed: ${MaxWaiting} results wait in the outbox until the server takes them`
        )
      }
      return full
    })

    while (!worker.stopping) {
      worker.claimNow.closeUnsafe()
      if (room() <= 0 || (yield* paused) || (yield* isFull)) {
        yield* worker.claimNow.await
        continue
      }
      const some: Effect.Effect<
        ReadonlyArray<Held>,
        Effect.Error<ReturnType<typeof left>> | Effect.Error<typeof next>
      > = isResuming() ? left(room()) : Effect.map(next, (held) => [held])
      yield* some.pipe(
        Effect.flatMap((all) => Effect.forEach(all, start, { discard: true })),
        Effect.as(true),
        Effect.catchTags({
          Unreachable: (error) => waitWhole(error.pause),
          NoTasksAvailable: (error) => {
            if (options.until === "idle" && worker.held.size === 0) {
              worker.stopping = true
              return Effect.void
            }
            return signal.isOpen() && !unsignalled.has(error.reason)
              ? waitForSignal
              : waitFor(error.retry_after_seconds)
          },
          // The machine has room again when one of its tasks ends, which may be earlier.
          AtCapacity: (error) => waitFor(error.retry_after_seconds),
          InvalidTask: (error) =>
            error.field === "orchestrator_id"
              ? Effect.andThen(Effect.logWarning("the server does not know the machine; registering"), register)
              : Effect.fail(error)
        })
      )
    }
  })
