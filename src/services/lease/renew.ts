/**
 * Renews any number of leases in one batch. An expired lease is re-attached, if no one else was granted the task and no
 * one moved it.
 *
 * A renewal is no change of the task: it raises no version and has no history entry, so a call that states a version is
 * not refused because of renewals. A re-attachment is a change, and is recorded and counted like every other.
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { TimeColumn } from "../../domain/Encoding.ts"
import { TaskId } from "../../domain/Identifier.ts"
import { checkpointText, CheckpointTooLarge, MaxCheckpointBytes } from "../../domain/lease/Handoff.ts"
import { MaxLeaseSeconds, renewAfterSeconds } from "../../domain/lease/Lease.ts"
import {
  type HeldLease,
  type Lease,
  lossOf,
  MaxRepeatedReason,
  type PauseKind,
  type Renewals
} from "../../domain/lease/Renewal.ts"
import { namesSession, type Session } from "../../domain/lease/Session.ts"
import { Cap, capSentence, dayOf, reportOf } from "../../domain/record/Usage.ts"
import { cut, TooLarge } from "../../domain/Size.ts"
import { moves } from "../../domain/task/Moves.ts"
import { TaskRow } from "../../domain/task/Task.ts"
import { InvalidTask, TaskNotFound } from "../../domain/task/TaskErrors.ts"
import type { Row } from "../../sql/Batch.ts"
import * as Renewal from "../../sql/lease/Renewal.ts"
import type { Reach } from "../../sql/Reach.ts"
import type { Values } from "../../sql/Statement.ts"
import { Settings } from "../Settings.ts"
import { logTransitions } from "../task/log.ts"

const {
  cancel_reason,
  cancel_requested_at,
  claimed_by,
  fencing_token,
  lapsed_token,
  orchestrator_id,
  queue,
  setbacks
} = TaskRow.fields

const Held = Schema.Struct({
  id: TaskId,
  fencing_token: Schema.Int,
  orchestrator_id,
  lease_expires_at: TimeColumn,
  deadline_at: Schema.NullOr(TimeColumn),
  cancel_requested_at,
  cancel_reason,
  checkpoint_version: Schema.NullOr(Schema.Int),
  oversized: Schema.Int,
  // An answer that was kept before migration 0015 lacks both.
  project_id: Schema.NullOr(Schema.String),
  cap: Schema.NullOr(Cap),
  machine: Schema.NullOr(Schema.String)
})

/** A lost lease, with the columns of its task if that is within reach. */
const Lost = Schema.Struct({
  task: TaskId,
  token: Schema.Int,
  id: Schema.NullOr(TaskId),
  queue: Schema.NullOr(queue),
  claimed_by,
  fencing_token,
  lapsed_token,
  setbacks
})
type Lost = typeof Lost.Type

const decodeHeld = Schema.decodeUnknownEffect(Schema.Array(Held))
const decodeLost = Schema.decodeUnknownEffect(Schema.Array(Lost))

/** Decodes the leases of an answer, new or kept. `back` holds the tasks that were re-attached just now. */
export const read = Effect.fnUntraced(function*(leases: ReadonlyArray<Row>, back: ReadonlyArray<Row> = []) {
  const heldRows = leases.filter((row) => row.held === 1)
  const given = new Set([...heldRows.filter((row) => row.reattached === 1), ...back].map((row) => row.id))
  yield* logTransitions(moves.reattach.event, back, ({ claimed_by }) => claimed_by)
  return {
    held: (yield* decodeHeld(heldRows)).map((lease) => ({ ...lease, reattached: given.has(lease.id) })),
    lost: yield* decodeLost(leases.filter((row) => row.held !== 1))
  }
}, Effect.orDie)

type Found = Effect.Success<ReturnType<typeof read>>

const lastOfEach = (leases: ReadonlyArray<HeldLease>): ReadonlyMap<string, HeldLease> =>
  new Map(leases.map((lease) => [keyOf(lease), lease]))

const keyOf = ({ fencing_token, task_id }: HeldLease): string => `${fencing_token} ${task_id}`

/** Each lease once. The last entry of a lease counts. */
export const distinct = (leases: ReadonlyArray<HeldLease>): ReadonlyArray<HeldLease> =>
  Array.from(lastOfEach(leases).values())

/** What a renewal asks for besides more time. */
const wish = ({ checkpoint, lease_duration_seconds, resume_command, session_url, usage }: HeldLease) =>
  JSON.stringify({
    checkpoint: checkpoint ?? null,
    seconds: lease_duration_seconds || null,
    session_url: session_url ?? null,
    resume_command: resume_command ?? null,
    usage: usage ?? null
  })

const wishesNothing = ({ checkpoint, lease_duration_seconds, resume_command, session_url, usage }: HeldLease) =>
  checkpoint == null && !lease_duration_seconds && session_url == null && resume_command == null && usage == null

/** Entries that a later entry of the same lease replaces, if they ask for something else. */
const superseded = (leases: ReadonlyArray<HeldLease>): ReadonlyArray<HeldLease> => {
  const last = lastOfEach(leases)
  return leases.filter((lease) => {
    const counts = last.get(keyOf(lease))!
    return lease !== counts && !wishesNothing(lease) && wish(lease) !== wish(counts)
  })
}

/** The part of a renewal that cannot be done. The lease may be renewed without it. */
export const problemOf = (
  { checkpoint, lease_duration_seconds, task_id }: HeldLease
): InvalidTask | CheckpointTooLarge | undefined => {
  const seconds = lease_duration_seconds || null
  if (seconds !== null && (seconds < 1 || seconds > MaxLeaseSeconds)) return InvalidTask.lease(MaxLeaseSeconds)
  const bytes = checkpoint == null ? 0 : new TextEncoder().encode(checkpointText(checkpoint)).length
  return bytes > MaxCheckpointBytes ? CheckpointTooLarge.of(task_id, bytes) : undefined
}

/** A lease as the statements get it. A part that cannot be done is left out. */
const asked = (lease: HeldLease) => {
  const { checkpoint, fencing_token, lease_duration_seconds, task_id } = lease
  const usable = problemOf(lease) === undefined
  return {
    task: task_id,
    token: fencing_token,
    millis: usable && lease_duration_seconds ? Math.round(lease_duration_seconds * 1000) : null,
    checkpoint: usable && checkpoint != null ? checkpointText(checkpoint) : null
  }
}

/** The session that a renewal names. What it names itself comes before what its checkpoint names. */
const sessionOf = ({ checkpoint, resume_command, session_url }: HeldLease): Session => ({
  session_url: session_url ?? checkpoint?.session_url ?? null,
  resume_command: resume_command ?? checkpoint?.resume_command ?? null
})

const valuesOf = (leases: ReadonlyArray<HeldLease>, defaultMillis: number) => ({
  leases: JSON.stringify(leases.map(asked)),
  keys: JSON.stringify(leases.map(({ fencing_token, task_id }) => ({ task: task_id, token: fencing_token }))),
  sessions: JSON.stringify(leases.flatMap((lease) => {
    const named = sessionOf(lease)
    return namesSession(named) ? [{ task: lease.task_id, token: lease.fencing_token, ...named }] : []
  })),
  used: JSON.stringify(
    leases.flatMap(({ fencing_token, task_id, usage }) =>
      usage == null ? [] : [{ task: task_id, token: fencing_token, ...reportOf(usage) }]
    )
  ),
  default_millis: defaultMillis
})

const usedBy = (by: Renewal.By, values: Values) => {
  const { usedByProject, usedByTask, usedOnDay } = Renewal.used(by)
  return {
    usedByTask: usedByTask(values),
    usedByProject: usedByProject(values),
    usedOnDay: usedOnDay(values)
  }
}

/** Makes the steps that renew leases, each named once, and the values for them and for `answers`. */
export const make = Effect.map(
  Settings,
  ({ defaultLeaseSeconds }) =>
  (by: Renewal.By, leases: ReadonlyArray<HeldLease>, scope: Reach, besides: Values & { readonly now: number }) => {
    const values: Values = {
      ...besides,
      ...valuesOf(leases, defaultLeaseSeconds * 1000),
      day: dayOf(besides.now),
      scope: scope ?? null
    }
    return {
      values,
      steps: {
        // Before a lease is re-attached, because that changes the revision of tasks, not of leases.
        raised: Renewal.raised(by, scope === undefined ? "everywhere" : "scope")(values),
        recorded: Renewal.recorded(by)(values),
        reattached: Renewal.reattached(values),
        ...(leases.some(({ usage }) => usage != null) ? usedBy(by, values) : {}),
        sessions: leases.some((lease) => namesSession(sessionOf(lease))) ? Renewal.sessions(by)(values) : undefined,
        renewed: Renewal.renewed(by)(values),
        counted: Renewal.counted(values),
        leases: Renewal.found(values)
      }
    }
  }
)

/** What a pause of the holder is about, or null. Maintenance comes first. */
const kindOf = ({ cap, machine }: Found["held"][number]): PauseKind | null =>
  machine === "maintenance" ? "maintenance" : cap

/** Why the holder is to pause, or null. */
const pauseOf = ({ cap, id, machine, orchestrator_id, project_id }: Found["held"][number]): string | null =>
  machine === "maintenance"
    ? `Orchestrator ${orchestrator_id} is in maintenance.`
    : cap === null
    ? null
    : capSentence(cap, id, project_id)

const directiveOf = (task: Found["held"][number]): Lease["directive"] =>
  task.cancel_requested_at !== null ? "cancel" : pauseOf(task) === null ? "continue" : "pause"

/** The present lease and its directive. A requested cancellation comes before a pause. */
export const leaseOf = (task: Found["held"][number], now: number) => ({
  task_id: task.id,
  fencing_token: task.fencing_token,
  lease_expires_at: task.lease_expires_at,
  deadline_at: task.deadline_at,
  renew_after_seconds: renewAfterSeconds(DateTime.toEpochMillis(task.lease_expires_at) - now),
  checkpoint_version: task.checkpoint_version,
  reattached: task.reattached,
  directive: directiveOf(task),
  pause_reason: directiveOf(task) === "pause" ? pauseOf(task) : null,
  pause_kind: directiveOf(task) === "pause" ? kindOf(task) : null,
  cancel_reason: task.cancel_requested_at === null || task.cancel_reason === null
    ? null
    : cut(task.cancel_reason, MaxRepeatedReason)
} satisfies Lease)

/** The task of a lost lease, if it is within reach. */
export const taskOf = ({ id, queue, ...rest }: Lost) =>
  id === null || queue === null ? undefined : { ...rest, id, queue }

const lostOf = (lease: Lost): Renewals["lost"][number] => {
  const task = taskOf(lease)
  return {
    task_id: lease.task,
    fencing_token: lease.token,
    queue: lease.queue,
    claimed_by: lease.claimed_by,
    ...(task === undefined
      ? { reason: "not_found", error: TaskNotFound.of(lease.task).error }
      : lossOf(task, lease.token, true))
  }
}

/** The answer to a heartbeat about its leases, in their order. */
export const renewalsOf = (entries: ReadonlyArray<HeldLease>, { held, lost }: Found, now: number): Renewals => {
  const sent = distinct(entries)
  const place = new Map(sent.map(({ task_id }, index) => [task_id, index]))
  const ordered = <A extends { readonly task_id: TaskId }>(items: ReadonlyArray<A>) =>
    items.toSorted((one, other) => Number(place.get(one.task_id)) - Number(place.get(other.task_id)))
  const full = new Set(held.flatMap(({ id, oversized }) => oversized === 1 ? [id] : []))
  const leases = ordered(held.map((task) => leaseOf(task, now)))
  return {
    renewed: leases,
    lost: ordered(lost.map(lostOf)),
    refused: [
      ...superseded(entries).map(({ fencing_token, task_id }) => ({
        task_id,
        fencing_token,
        error:
          `The lease ${fencing_token} of task ${task_id} is listed twice. The last entry counts: the checkpoint and the duration of this one were not used.`
      })),
      ...sent.flatMap((lease) => {
        const problem = problemOf(lease)
          ?? (lease.checkpoint != null && full.has(lease.task_id) ? TooLarge.forCheckpoint(lease.task_id) : undefined)
        const { fencing_token, task_id } = lease
        return problem === undefined ? [] : [{ task_id, fencing_token, error: problem.error }]
      })
    ],
    directives: leases.map(({ cancel_reason, directive, pause_kind, pause_reason, task_id }) => ({
      task_id,
      directive,
      reason: directive === "pause" ? pause_reason : cancel_reason,
      pause_kind
    })),
    renew_after_seconds: leases.length === 0
      ? null
      : Math.min(...leases.map(({ renew_after_seconds }) => renew_after_seconds))
  }
}
