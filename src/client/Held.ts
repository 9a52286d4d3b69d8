/** The leases a worker holds, and what each part of it does to the others: it wakes them. */
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type { Fiber } from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { Checkpoint, ClaimedTask, Lease } from "../client.ts"
import { type Stop, Stopped } from "./call/Attempt.ts"
import type { WorkerError } from "./WorkerError.ts"

/** A lease that is held, and the work done under it. */
export interface Held {
  readonly task: ClaimedTask
  readonly token: number
  readonly directive: SubscriptionRef.SubscriptionRef<Lease["directive"]>
  readonly controller: AbortController
  /** Completed when a handler that does not stop is no longer waited for. */
  readonly abandoned: Deferred.Deferred<void>
  /** When to renew it next, in milliseconds of `Time.now`. */
  renewAt: number
  /** What is still to be written down. */
  checkpoint: Checkpoint | undefined
  /** The handler, once it runs. */
  handler: Fiber<unknown, unknown> | undefined
  /** Why the handler has to stop, if it has. */
  stop: Stop | undefined
  /** Whether the handler has ended, and the task is being handed in or given back. */
  settling: boolean
  /** Whether an earlier lease finished the work: then no handler runs, and other tasks can be worked on meanwhile. */
  finished: boolean
}

export interface Worker {
  readonly held: Map<string, Held>
  /** Opened when there may be something to claim, or nothing any more. */
  readonly claimNow: Latch.Latch
  /** Opened when the leases are to be looked at. */
  readonly beatNow: Latch.Latch
  /** Opened when what waits in the outbox is to be handed in at once. */
  readonly deliverNow: Latch.Latch
  /** Those who wait for the next renewal. */
  readonly awaiting: Set<Deferred.Deferred<void>>
  /** The error it cannot go on with. */
  readonly fatal: Deferred.Deferred<never, WorkerError>
  /** Completed when the worker is to stop. */
  readonly halted: Deferred.Deferred<void>
  /** Whether nothing more is begun. */
  stopping: boolean
  /** When a heartbeat was answered last, in milliseconds of `Time.now`. */
  heardAt: number
}

export const makeWorker = (): Worker => ({
  held: new Map(),
  claimNow: Latch.makeUnsafe(),
  beatNow: Latch.makeUnsafe(),
  deliverNow: Latch.makeUnsafe(),
  awaiting: new Set(),
  fatal: Deferred.makeUnsafe(),
  halted: Deferred.makeUnsafe(),
  stopping: false,
  heardAt: -Infinity
})

/** How many results of earlier leases are handed in under leases that are held now. */
export const finishedBefore = ({ held }: Worker): number =>
  Array.from(held.values()).filter(({ finished }) => finished).length

export const keyOf = (task_id: string, token: number): string => `${token} ${task_id}`

/** Waits for so long, or less when the latch is opened. It has to be closed before what it tells of is looked at. */
export const pause = (millis: number, latch: Latch.Latch): Effect.Effect<void> =>
  millis <= 0 ? Effect.void : Effect.asVoid(Effect.timeoutOption(latch.await, millis))

const fresh = (task: ClaimedTask, renewAt: number, directive: Held["directive"]): Held => ({
  task,
  token: task.fencing_token!,
  directive,
  controller: new AbortController(),
  abandoned: Deferred.makeUnsafe(),
  renewAt,
  checkpoint: undefined,
  handler: undefined,
  stop: undefined,
  settling: false,
  finished: false
})

export const hold = Effect.fnUntraced(function*(worker: Worker, task: ClaimedTask, renewAt: number) {
  const held = fresh(task, renewAt, yield* SubscriptionRef.make<Lease["directive"]>("continue"))
  worker.held.set(keyOf(task.id, held.token), held)
  worker.beatNow.openUnsafe()
  return held
})

/** Tells the handler to stop. One that has ended is not stopped any more, and the first reason counts. */
export const stop = (held: Held, why: Stop): void => {
  if (held.stop !== undefined || held.settling) return
  held.stop = why
  held.controller.abort(why)
  held.handler?.interruptUnsafe(undefined, Context.make(Stopped, why) as Context.Context<never>)
}
