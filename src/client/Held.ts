/** The leases that a worker holds, and the latches by which its parts wake each other. */
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type { Fiber } from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { Checkpoint, ClaimedTask, Lease } from "../client.ts"
import type { Session } from "../domain/lease/Session.ts"
import { type Stop, Stopped } from "./call/Attempt.ts"
import type { Report } from "./call/report.ts"
import type { WorkerError } from "./WorkerError.ts"

/** A lease that the worker holds, and the work under it. */
export interface Held {
  readonly task: ClaimedTask
  readonly token: number
  readonly directive: SubscriptionRef.SubscriptionRef<Lease["directive"]>
  /** What the directive `pause` is about, if the server has said so. */
  pauseKind: Lease["pause_kind"]
  readonly controller: AbortController
  /** Completed when the worker no longer waits for a handler that does not stop. */
  readonly abandoned: Deferred.Deferred<void>
  /** When to renew the lease next, in milliseconds of `Time.now`. */
  renewAt: number
  /** The checkpoint that is still to be saved. */
  checkpoint: Checkpoint | undefined
  /** What the handler used and the server has not confirmed. */
  readonly reports: Array<Report>
  /** The session of the agent, which goes with every renewal and with the result. */
  session: Session
  /** The fiber of the handler, once it runs. */
  handler: Fiber<unknown, unknown> | undefined
  /** How the handler ends its attempt without a result: with a question, or by parking an account. */
  leaving: { readonly verb: "ask" | "park"; readonly body: object } | undefined
  /** Why the handler has to stop, if it has to. */
  stop: Stop | undefined
  /** Whether the handler has ended, and the task is being handed in or released. */
  settling: boolean
  /** Whether an earlier lease finished the work. Then no handler runs, and the worker has room for another task. */
  finished: boolean
}

export interface Worker {
  readonly held: Map<string, Held>
  /** Opened when there may be something to claim, or when claiming is to end. */
  readonly claimNow: Latch.Latch
  /** Opened when the leases are to be checked. */
  readonly beatNow: Latch.Latch
  /** Opened when the outbox is to be handed in at once. */
  readonly deliverNow: Latch.Latch
  /** The waiters for the next renewal. */
  readonly awaiting: Set<Deferred.Deferred<void>>
  /** The error that ends the worker. */
  readonly fatal: Deferred.Deferred<never, WorkerError>
  /** Completed when the worker is to stop. */
  readonly halted: Deferred.Deferred<void>
  /** Whether the worker begins nothing new. */
  stopping: boolean
  /** When the last heartbeat was answered, in milliseconds of `Time.now`. */
  heardAt: number
  /** When the last claim that was answered had been sent. The server takes a claim for a sign of life. */
  claimedAt: number
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
  heardAt: -Infinity,
  claimedAt: -Infinity
})

/** How many held leases only hand in results of earlier leases. */
export const finishedBefore = ({ held }: Worker): number =>
  Array.from(held.values()).filter(({ finished }) => finished).length

/**
 * Whether the directive of a lease keeps its worker from claiming. At a cap of the task or of its project, other tasks
 * may be claimed. A server that does not say what a pause is about means the machine.
 */
export const pausesClaims = ({ directive, pauseKind }: Held): boolean =>
  SubscriptionRef.getUnsafe(directive) === "pause" && pauseKind !== "task" && pauseKind !== "project"

export const keyOf = (task_id: string, token: number): string => `${token} ${task_id}`

/** Waits this long, or until the latch is opened. Close the latch before reading the state that it announces. */
export const pause = (millis: number, latch: Latch.Latch): Effect.Effect<void> =>
  millis <= 0 ? Effect.void : Effect.asVoid(Effect.timeoutOption(latch.await, millis))

const fresh = (task: ClaimedTask, renewAt: number, directive: Held["directive"]): Held => ({
  task,
  token: task.fencing_token!,
  directive,
  pauseKind: undefined,
  controller: new AbortController(),
  abandoned: Deferred.makeUnsafe(),
  renewAt,
  checkpoint: undefined,
  session: {},
  reports: [],
  handler: undefined,
  leaving: undefined,
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

/** Stops the handler. It has no effect on a handler that has ended, and the first reason counts. */
export const stop = (held: Held, why: Stop): void => {
  if (held.stop !== undefined || held.settling) return
  held.stop = why
  held.controller.abort(why)
  held.handler?.interruptUnsafe(undefined, Context.make(Stopped, why) as Context.Context<never>)
}
