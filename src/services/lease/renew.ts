/** Renewals as a batch of one's own or a part of another: what to send, and what its answers say. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Fragment } from "effect/sql/Statement"
import { TimeColumn } from "../../domain/Encoding.ts"
import { TaskId } from "../../domain/Identifier.ts"
import { checkpointText, CheckpointTooLarge, MaxCheckpointBytes } from "../../domain/lease/Handoff.ts"
import { MaxLeaseSeconds } from "../../domain/lease/Lease.ts"
import type { HeldLease } from "../../domain/lease/Renewal.ts"
import { moves } from "../../domain/task/Moves.ts"
import { TaskRow } from "../../domain/task/Task.ts"
import { InvalidTask } from "../../domain/task/TaskErrors.ts"
import { type Answers, Database } from "../../sql/Database.ts"
import * as Renewal from "../../sql/lease/Renewal.ts"
import type { Reach } from "../../sql/Reach.ts"
import { Settings } from "../Settings.ts"
import { logTransitions } from "../task/log.ts"

const { cancel_reason, claimed_by, fencing_token, id, lapsed_token, queue, scope, setbacks, version } = TaskRow.fields

/** A lease as the statement that renewed it returned it. */
const Renewed = Schema.Struct({
  id,
  scope,
  queue,
  version,
  claimed_by,
  fencing_token: Schema.Int,
  orchestrator_id: TaskRow.fields.orchestrator_id,
  lease_expires_at: TimeColumn,
  deadline_at: Schema.NullOr(TimeColumn),
  cancel_requested_at: TaskRow.fields.cancel_requested_at,
  cancel_reason,
  checkpoint_version: Schema.NullOr(Schema.Int),
  oversized: Schema.NullOr(Schema.Int),
  machine: Schema.NullOr(Schema.String)
})
export type Renewed = typeof Renewed.Type

/** A lease that is not held, and what there is of its task. */
const Rest = Schema.Struct({
  task: TaskId,
  token: Schema.Int,
  id: Schema.NullOr(id),
  queue: Schema.NullOr(queue),
  claimed_by,
  fencing_token,
  lapsed_token,
  setbacks
})
export type Rest = typeof Rest.Type

export const decodeRenewed = Schema.decodeUnknownEffect(Schema.Array(Renewed))
export const decodeRest = Schema.decodeUnknownEffect(Schema.Array(Rest))

const lastOfEach = (leases: ReadonlyArray<HeldLease>): ReadonlyMap<string, HeldLease> =>
  new Map(leases.map((lease) => [keyOf(lease), lease]))

const keyOf = ({ fencing_token, task_id }: HeldLease): string => `${fencing_token} ${task_id}`

/** The leases, without those that are named twice: the last counts. */
export const distinct = (leases: ReadonlyArray<HeldLease>): ReadonlyArray<HeldLease> =>
  Array.from(lastOfEach(leases).values())

const wish = ({ checkpoint, lease_duration_seconds }: HeldLease) =>
  JSON.stringify([checkpoint ?? null, lease_duration_seconds || null])

/** The entries that ask for something which is not done, because a later entry names the same lease. */
export const superseded = (leases: ReadonlyArray<HeldLease>): ReadonlyArray<HeldLease> => {
  const last = lastOfEach(leases)
  return leases.filter((lease) => {
    const counts = last.get(keyOf(lease))!
    return lease !== counts && wish(lease) !== "[null,null]" && wish(lease) !== wish(counts)
  })
}

/** What cannot be done of a renewal; the lease may be renewed without it. */
export const problemOf = (
  { checkpoint, lease_duration_seconds, task_id }: HeldLease
): InvalidTask | CheckpointTooLarge | undefined => {
  const seconds = lease_duration_seconds || null
  if (seconds !== null && (seconds < 1 || seconds > MaxLeaseSeconds)) return InvalidTask.lease(MaxLeaseSeconds)
  const bytes = checkpoint == null ? 0 : new TextEncoder().encode(checkpointText(checkpoint)).length
  return bytes > MaxCheckpointBytes ? CheckpointTooLarge.of(task_id, bytes) : undefined
}

const asked = (lease: HeldLease): Renewal.Asked => {
  const { checkpoint, fencing_token, lease_duration_seconds, task_id } = lease
  const bare = { task_id, fencing_token, millis: null, checkpoint: null }
  return problemOf(lease) === undefined
    ? {
      ...bare,
      millis: lease_duration_seconds ? Math.round(lease_duration_seconds * 1000) : null,
      checkpoint: checkpoint == null ? null : checkpointText(checkpoint)
    }
    : bare
}

export const make = Effect.gen(function*() {
  const { sql } = yield* Database
  const { defaultLeaseSeconds } = yield* Settings
  const statements = Renewal.make(sql, defaultLeaseSeconds * 1000)

  /** The statements that renew these leases, no two of which are the same. */
  const plan = (leases: ReadonlyArray<HeldLease>, now: number, scope: Reach, condition?: Fragment) =>
    leases.length === 0
      ? []
      : statements({ leases: leases.map(asked), scope, now, ...(condition === undefined ? {} : { condition }) })

  /** What the answers of those statements say. */
  const read = Effect.fnUntraced(function*([, renewed, rest, , , again]: Answers) {
    const held = yield* Effect.orDie(decodeRenewed(renewed ?? []))
    const reattached = yield* Effect.orDie(decodeRenewed(again ?? []))
    yield* logTransitions(moves.reattach.event, again ?? [], ({ claimed_by }) => claimed_by)
    const back = new Set(reattached.map((task) => task.id))
    return {
      renewed: [
        ...held.map((task) => ({ ...task, reattached: false })),
        ...reattached.map((task) => ({ ...task, reattached: true }))
      ],
      lost: (yield* Effect.orDie(decodeRest(rest ?? []))).filter(({ lapsed_token, task, token }) =>
        !(back.has(task) && lapsed_token === token)
      )
    }
  })

  return { plan, read }
})
