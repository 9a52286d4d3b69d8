/**
 * Stops a worker so that no task has to wait for its lease to expire:
 * 1. The worker claims nothing more. If a claim is under way, what it brings is released.
 * 2. During the grace period handlers go on, leases are renewed, and results are handed in.
 * 3. The other handlers are interrupted. Their finalizers have five seconds.
 * 4. Their checkpoints are saved and their tasks released, all at once, within ten seconds.
 */
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { stop, type Worker } from "./Held.ts"
import type { Outbox } from "./Outbox.ts"

const Finalizing = Duration.seconds(5)
const Settling = Duration.seconds(10)

/** `attempts` are the running fibers. `granted` starts work on the task of a claim whose answer was lost. */
export const drain = Effect.fnUntraced(function*<E, R>(
  worker: Worker,
  outbox: Outbox,
  attempts: ReadonlySet<Fiber.Fiber<void>>,
  granted: Effect.Effect<void, E, R>,
  grace: Duration.Input
) {
  worker.stopping = true
  const held = () => Array.from(worker.held.values())
  const ended = (within: Duration.Input) =>
    Effect.timeoutOption(Effect.suspend(() => Fiber.awaitAll(Array.from(attempts))), within)
  if (worker.held.size > 0) {
    yield* Effect.annotateLogs(Effect.logInfo("stopping: nothing more is claimed"), { held: worker.held.size })
  }
  const looking = yield* Effect.forkDetach(
    Effect.catchCause(granted, (cause) => Effect.logWarning("what a lost answer granted is left to run out", cause)),
    { uninterruptible: false }
  )
  yield* ended(grace)
  for (const one of held()) stop(one, { why: "drain" })
  yield* ended(Finalizing)
  for (const one of held()) yield* Deferred.succeed(one.abandoned, undefined)
  yield* Effect.timeoutOption(Effect.andThen(Fiber.await(looking), ended(Settling)), Settling)
  for (const { task: { id }, token } of held()) {
    const says = outbox.has(id, token)
      ? "finished but not handed in: it stays in the outbox"
      : "the task could not be given back: its lease is left to run out"
    yield* Effect.annotateLogs(Effect.logError(says), { task_id: id, fencing_token: token })
  }
  yield* Fiber.interruptAll([...attempts, looking])
})
