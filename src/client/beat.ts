/** The heartbeat of the machine with all its leases, as often as the server asks for it. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { Client, OrchestratorId, Renewals } from "../client.ts"
import * as Ask from "./call/Ask.ts"
import { NoUsableAnswer } from "./call/NoUsableAnswer.ts"
import * as report from "./call/report.ts"
import { jittered, now } from "./call/Time.ts"
import { type Held, pause, pausesClaims, stop, type Worker } from "./Held.ts"

/** The longest time between heartbeats, and so the longest wait for a cancellation. */
const LongestSilence = 60_000

/**
 * The same for a worker without leases whose claims are answered. A heartbeat also finds out that the server has lost
 * the machine.
 */
const LongestIdleSilence = 600_000
/** How long after a claim a worker without leases sends a heartbeat. The next claim usually comes before. */
const SilenceAfterClaim = 75_000

/** The shortest time between heartbeats that handlers ask for. */
const ShortestSilence = 2_000

// A body may have a mebibyte, and a checkpoint 16 KiB. The other checkpoints go with the next heartbeat.
const CheckpointsAtOnce = 40

// A cache on the way answered: no lease was renewed, and no checkpoint saved.
const unanswered = NoUsableAnswer.none("the heartbeat", "what came says nothing about the leases that were sent")

export interface Machine<E> {
  readonly id: OrchestratorId
  readonly register: Effect.Effect<unknown, E>
}

const tell = Effect.fnUntraced(
  function*(worker: Worker, held: Held, { directive, pause_kind, reason }: Renewals["directives"][number]) {
    const before = yield* SubscriptionRef.get(held.directive)
    const paused = pausesClaims(held)
    held.pauseKind = pause_kind
    if (before !== directive) {
      yield* Effect.logInfo(`the server says ${directive}`).pipe(Effect.annotateLogs({ reason }))
      yield* SubscriptionRef.set(held.directive, directive)
    }
    if (paused && !pausesClaims(held)) worker.claimNow.openUnsafe()
    if (directive === "cancel") stop(held, { why: "cancel", reason })
  }
)

/** Applies the answer of the server to the leases that were sent. */
const apply = Effect.fnUntraced(function*(
  worker: Worker,
  sent: ReadonlyArray<Held>,
  { directives, lost, renewed }: Renewals
) {
  const at = yield* now
  for (const held of sent) {
    const { task: { id }, token } = held
    yield* Effect.gen(function*() {
      const lease = renewed.find(({ fencing_token, task_id }) => task_id === id && fencing_token === token)
      if (lease !== undefined) {
        held.renewAt = at + (yield* jittered(lease.renew_after_seconds * 1000))
        if (lease.reattached) yield* Effect.logInfo("the lease had run out, and holds again")
        const directive = directives.find(({ task_id }) => task_id === id)
        if (directive !== undefined) yield* tell(worker, held, directive)
        return
      }
      const over = lost.find(({ fencing_token, task_id }) => task_id === id && fencing_token === token)
      if (over === undefined) return
      held.renewAt = Infinity
      // The answer to the result that is being handed in says what happened to the lease.
      if (held.settling) return
      yield* Effect.logWarning("the lease is lost").pipe(Effect.annotateLogs({ reason: over.reason }))
      stop(held, { why: "lost", reason: over.reason, error: over.error })
    }).pipe(Effect.annotateLogs({ task_id: id, fencing_token: token }))
  }
})

/** Sends heartbeats as long as it runs. Only an answer that ends the worker ends it. */
export const beating = <E>(worker: Worker, client: Client, machine: Machine<E>) =>
  Effect.gen(function*() {
    const ask = Ask.make("heartbeat")
    let last = yield* now
    let silent = false
    let silence = yield* jittered(LongestSilence)
    let asked = -Infinity

    const due = (): number => {
      const idle = worker.held.size > 0
        ? -Infinity
        : Math.min(worker.claimedAt + SilenceAfterClaim, last + LongestIdleSilence)
      const soonest = Math.min(
        Math.max(last + silence, idle),
        ...Array.from(worker.held.values(), ({ renewAt }) => renewAt)
      )
      return worker.awaiting.size > 0 ? Math.min(soonest, asked + ShortestSilence) : soonest
    }

    const beat = Effect.fnUntraced(function*() {
      const sent = Array.from(worker.held.values()).filter((held) => held.stop?.why !== "lost")
      const waiting = Array.from(worker.awaiting)
      for (const held of sent) yield* report.send(client, held)
      const unwritten = sent.filter(({ checkpoint }) => checkpoint !== undefined)
      const checkpoints = new Map(unwritten.slice(0, CheckpointsAtOnce).map((held) => [held, held.checkpoint]))
      const payload = sent.length === 0 ? null : {
        leases: sent.map((held) => ({
          task_id: held.task.id,
          fencing_token: held.token,
          checkpoint: checkpoints.get(held) ?? null,
          ...held.session
        }))
      }
      const answer = yield* ask.once(
        Effect.flatMap(
          client.orchestrators.heartbeat({ params: { id: machine.id }, query: {}, payload }),
          (answer) => payload === null || "renewed" in answer ? Effect.succeed(answer) : Effect.fail(unanswered)
        )
      )
      last = yield* now
      worker.heardAt = last
      if (silent) worker.deliverNow.openUnsafe()
      silent = false
      silence = yield* jittered(LongestSilence)
      for (const [held, checkpoint] of checkpoints) {
        if (held.checkpoint === checkpoint) held.checkpoint = undefined
      }
      for (const held of sent) held.renewAt = last + silence
      if ("renewed" in answer) yield* apply(worker, sent, answer)
      if (waiting.length > 0) asked = last
      // Waiters wait until every checkpoint is saved.
      if (unwritten.length > checkpoints.size) return
      for (const deferred of waiting) {
        worker.awaiting.delete(deferred)
        yield* Deferred.succeed(deferred, undefined)
      }
    })

    return yield* Effect.forever(Effect.gen(function*() {
      worker.beatNow.closeUnsafe()
      const wait = due() - (yield* now)
      if (wait > 0) return yield* pause(wait, worker.beatNow)
      yield* beat().pipe(
        Effect.catchTags({
          Unreachable: (error) => {
            silent = true
            return Effect.sleep(error.pause)
          },
          OrchestratorNotFound: () =>
            Effect.andThen(Effect.logWarning("the server does not know the machine; registering"), machine.register)
        })
      )
    }))
  })
