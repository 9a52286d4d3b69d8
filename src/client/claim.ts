/** Claiming: as many tasks as the worker has hands for, and then a wait that fits what the server said. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { ClaimedTask, Client, OrchestratorId } from "../client.ts"
import { type Ask, jittered, Unreachable } from "./Ask.ts"
import { type Held, hold, keyOf, pause, type Worker } from "./Held.ts"
import type { WorkerOptions } from "./WorkerOptions.ts"

export interface Claiming {
  readonly client: Client
  readonly ask: Ask
  readonly agent: string
  readonly id: OrchestratorId
  readonly options: Omit<WorkerOptions, "onFailure">
}

export const make = (worker: Worker, { agent, ask, client, id, options }: Claiming) => {
  // A task may have been granted in an answer that was lost, and nobody would know of it until its lease runs out.
  let unsure = options.resume === true

  const claim = Effect.suspend(() => {
    unsure = true
    return ask.once(client.tasks.claim({
      query: {},
      payload: {
        orchestrator_id: id,
        agent_name: agent,
        ...(options.queue === undefined ? {} : { queue: options.queue }),
        ...(options.roles === undefined ? {} : { role_filter: options.roles }),
        ...(options.types === undefined ? {} : { type_filter: options.types }),
        ...(options.leaseSeconds === undefined ? {} : { lease_duration_seconds: options.leaseSeconds }),
        ...(options.maxAttemptSeconds === undefined ? {} : { max_attempt_seconds: options.maxAttemptSeconds })
      }
    }))
  }).pipe(Effect.tapErrorTag(["NoTasksAvailable", "AtCapacity", "InvalidTask"], () => {
    unsure = false
    return Effect.void
  }))
  // An answer was lost, and when the claim was repeated its grant was over already: that leaves nothing to take up.
  const next = claim.pipe(
    Effect.catchTag(
      ["LeaseLost", "TaskNotFound"],
      () => new Unreachable({ why: "the claim came to nothing", pause: 0 })
    )
  )

  const take = Effect.fnUntraced(function*(task: ClaimedTask) {
    const renewAt = (yield* Clock.currentTimeMillis) + (yield* jittered(task.renew_after_seconds * 1000))
    const held = yield* hold(worker, task, renewAt)
    yield* Effect.logInfo("claimed").pipe(
      Effect.annotateLogs({ task_id: task.id, fencing_token: held.token, title: task.title })
    )
    return held
  })

  /** The tasks that were granted to this worker without its knowing: so many of them at most. */
  const orphans = Effect.fnUntraced(function*(room: number) {
    const { tasks } = yield* ask.once(client.tasks.list({
      query: { queue: ["claimed", "provisional"], claimed_by: agent, orchestrator_id: id }
    }))
    const unknown = tasks.filter(({ fencing_token, id }) =>
      fencing_token !== null && !worker.held.has(keyOf(id, fencing_token))
    )
    const found = yield* Effect.forEach(
      unknown.slice(0, room),
      (task) =>
        ask.once(client.tasks.handoff({ params: { id: task.id }, query: {} })).pipe(
          // Nobody knows how much of the lease is left.
          Effect.map((handoff): ClaimedTask => ({ ...task, renew_after_seconds: 0, handoff })),
          Effect.catchTag("TaskNotFound", () => Effect.undefined)
        ),
      { concurrency: 5 }
    )
    unsure = unknown.length > room
    return yield* Effect.forEach(found.filter((task) => task !== undefined), take)
  })

  const paused = Effect.sync(() =>
    Array.from(worker.held.values()).some(({ directive }) => SubscriptionRef.getUnsafe(directive) === "pause")
  )

  return {
    isUnsure: () => unsure,
    next: Effect.flatMap(next, (task) => {
      unsure = false
      return take(task)
    }),
    orphans,
    paused
  }
}

/** Claims and starts tasks until the worker stops, or, where it is to end then, until there is nothing to do. */
export const claiming = <E, R>(
  worker: Worker,
  options: Claiming["options"],
  { isUnsure, next, orphans, paused }: ReturnType<typeof make>,
  start: (held: Held) => Effect.Effect<void, never, R>,
  register: Effect.Effect<unknown, E>
) =>
  Effect.gen(function*() {
    const concurrency = options.concurrency ?? 1
    // No sooner than the server said, and not all machines at once.
    const wait = (seconds: number) =>
      Effect.flatMap(jittered(seconds * 1250), (millis) => pause(millis, worker.claimNow))

    while (!worker.stopping) {
      worker.claimNow.closeUnsafe()
      if (worker.held.size >= concurrency || (yield* paused)) {
        yield* worker.claimNow.await
        continue
      }
      const some: Effect.Effect<
        ReadonlyArray<Held>,
        Effect.Error<ReturnType<typeof orphans>> | Effect.Error<typeof next>
      > = isUnsure() ? orphans(concurrency - worker.held.size) : Effect.map(next, (held) => [held])
      yield* some.pipe(
        Effect.flatMap((all) => Effect.forEach(all, start, { discard: true })),
        Effect.as(true),
        Effect.catchTags({
          Unreachable: (error) => pause(error.pause, worker.claimNow),
          NoTasksAvailable: (error) => {
            if (options.until === "idle" && worker.held.size === 0) {
              worker.stopping = true
              return Effect.void
            }
            return wait(error.retry_after_seconds)
          },
          AtCapacity: (error) => wait(error.retry_after_seconds),
          InvalidTask: (error) =>
            error.field === "orchestrator_id"
              ? Effect.andThen(Effect.logWarning("the server does not know the machine; registering"), register)
              : Effect.fail(error)
        })
      )
    }
  })
