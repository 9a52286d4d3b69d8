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
import { type HeldLease, type Lease, lossOf, MaxRepeatedReason, type Renewals } from "../../domain/lease/Renewal.ts"
import { namesSession, type Session } from "../../domain/lease/Session.ts"
import { Cap, capSentence, dayOf, reportOf } from "../../domain/record/Usage.ts"
import { cut, MaxRecord, TooLarge } from "../../domain/Size.ts"
import { moves } from "../../domain/task/Moves.ts"
import { TaskRow } from "../../domain/task/Task.ts"
import { InvalidTask, TaskNotFound } from "../../domain/task/TaskErrors.ts"
import type { Row } from "../../sql/Batch.ts"
import { beginning } from "../../sql/Columns.ts"
import * as Feed from "../../sql/Feed.ts"
import { keeping } from "../../sql/Idempotency.ts"
import type { Reach } from "../../sql/Reach.ts"
import { statement, type Values, variants } from "../../sql/Statement.ts"
import * as UsageSums from "../../sql/task/Usage.ts"
import { Settings } from "../Settings.ts"
import { logTransitions } from "../task/log.ts"

// `:leases` is a JSON list of [task, token, milliseconds, checkpoint] for the leases to renew, without duplicates; the
// last two may be null. `:keys` holds only the tasks and tokens, for the statements that need no more.

/** The task is oversized and takes no more text (`domain/Size.ts`). */
const oversized = `tasks.bytes > ${MaxRecord}`

/** A condition for all renewals of the request. */
const conditions = {
  // A checkpoint that cannot be stored refuses the renewal. The lease stays unchanged.
  task: `(:checkpointed = 0 OR NOT ${oversized})`,
  // An unknown machine refuses the heartbeat. Nothing changes.
  heartbeat: "EXISTS (SELECT 1 FROM orchestrators WHERE id = :machine AND (:scope IS NULL OR scope = :scope))"
}

/** A renewal is by `task` for a single lease, or by `heartbeat` for the leases of a machine. */
type By = keyof typeof conditions

// The `+` makes SQLite find tasks by their ids, not by their scope or among all held tasks.
const inReach = "(:scope IS NULL OR +tasks.scope = :scope)"

/** The task is held under the token. */
const own = "+claimed_by IS NOT NULL AND fencing_token = asked.value ->> 1"

/** The task is held under the token, and its deadline has not passed. */
const held = `${own} AND coalesce(deadline_at > :now, 1)`

/** The expired leases whose tasks were neither granted to anyone else nor moved. */
const lapsed = `json_each(:keys) AS asked
  CROSS JOIN tasks ON tasks.id = asked.value ->> 0 AND tasks.lapsed_token = asked.value ->> 1`

/** The version at which the lease expired. That history entry holds the holder and the terms of the lease. */
const expiryVersion = `(
  SELECT version FROM history WHERE task_id = tasks.id AND event = '${moves.expire.event}' ORDER BY version DESC LIMIT 1)`

/** The milliseconds since 1970 of an ISO time in the details of a history entry. */
const millisOf = (text: string): string =>
  `(CAST(strftime('%s', ${text}) AS INTEGER) * 1000 + CAST(substr(${text}, 21, 3) AS INTEGER))`

const deadline = millisOf("(expiry.details ->> '$.deadline_at')")

const recorded = variants((by: By) =>
  statement(`
    INSERT INTO history (task_id, version, scope, seq, event, from_queue, to_queue, actor, reason, grants, at, title, project_id)
    SELECT tasks.id, tasks.version + 1, tasks.scope, ${
    Feed.nextSeq("tasks", "scopes")
  }, '${moves.reattach.event}', tasks.queue, 'claimed', expiry.actor,
      'The holder renewed the lease before anybody else was granted the task.', tasks.grants, :now,
      tasks.title, tasks.project_id
    FROM ${lapsed} CROSS JOIN history AS expiry ON expiry.task_id = tasks.id AND expiry.version = ${expiryVersion}
    WHERE ${inReach} AND queue <> 'done' AND queue <> 'failed' AND queue <> 'cancelled' AND NOT ${oversized}
      AND coalesce(${deadline} > :now, 1) AND ${conditions[by]}`)
)

// After the answer is kept: until then, the plans say which leases this very request has re-attached.
const counted = Feed.counted(`plans.scope IN (
  SELECT tasks.scope FROM json_each(:keys) AS asked
    CROSS JOIN tasks ON tasks.id = asked.value ->> 0 AND tasks.updated_at = :now)`)

// The lease is re-attached with no time left. The renewal then extends it like the others.
const reattached = statement(`
  UPDATE tasks SET version = planned.version, updated_at = :now, queue = planned.to_queue, lapsed_token = NULL,
    available_at = NULL, failure_reason = NULL, cancel_reason = NULL, needs_intervention = 0, completed_at = NULL,
    claimed_from = tasks.queue, claimed_by = expiry.actor,
    claimed_at = coalesce(${millisOf("(expiry.details ->> '$.claimed_at')")}, expiry.at),
    orchestrator_id = expiry.details ->> '$.orchestrator_id', lease_seconds = expiry.details ->> '$.lease_seconds',
    deadline_at = ${deadline}, lease_expires_at = :now
  FROM json_each(:keys) AS asked CROSS JOIN planned CROSS JOIN history AS expiry
  WHERE tasks.id = asked.value ->> 0 AND tasks.lapsed_token = asked.value ->> 1 AND planned.id = tasks.id
    AND expiry.task_id = tasks.id AND expiry.version = ${expiryVersion}
  RETURNING tasks.id, tasks.scope, tasks.queue, tasks.version, claimed_by, fencing_token`)

/** Raises the revision of leases, in the scope of the request or in the scopes of the tasks. */
const raised = variants((by: By, reach: "scope" | "everywhere") => {
  const renewing = `FROM json_each(:keys) AS asked CROSS JOIN tasks ON tasks.id = asked.value ->> 0
    WHERE ${own} AND ${inReach} AND ${conditions[by]}`
  return statement(`
    UPDATE queue_counts SET leases_revision = leases_revision + 1
    WHERE ${
    reach === "scope" ? `scope = :scope AND EXISTS (SELECT 1 ${renewing})` : `scope IN (SELECT tasks.scope ${renewing})`
  }`)
})

const renewed = variants((by: By) =>
  statement(`
    UPDATE tasks SET
      lease_expires_at = CAST(max(lease_expires_at, min(coalesce(deadline_at, 9e15),
        :now + coalesce(asked.value ->> 2, lease_seconds * 1000, :default_millis))) AS INTEGER),
      checkpoint = iif(asked.value ->> 3 IS NULL OR ${oversized}, checkpoint, json_set(asked.value ->> 3,
        '$.version', coalesce(checkpoint ->> '$.version', 0) + 1, '$.fencing_token', asked.value ->> 1, '$.at', :now)),
      head_commit = coalesce(iif(${oversized}, NULL, asked.value ->> 3 ->> '$.head_commit'), head_commit)
    FROM json_each(:leases) AS asked
    WHERE tasks.id = asked.value ->> 0 AND ${held} AND ${inReach} AND ${conditions[by]}`)
)

/** The steps that add what the renewals report. A renewal that is refused, or of a lost lease, adds nothing. */
const used = variants((by: By) => UsageSums.steps({ with: "", where: `${held} AND ${inReach} AND ${conditions[by]}` }))

/** What a session has in a column afterwards: what the renewal names, or what this lease has named before. */
const namedBy = (place: number, column: string): string =>
  `coalesce(asked.value ->> ${place}, iif(session_token = asked.value ->> 1, ${column}, NULL))`

/**
 * Keeps the sessions of `:sessions`, a JSON list of [task, token, url, command] for the leases that name one. What a lease
 * does not name stays, unless it is of an earlier lease. Agents name their session again and again, so the row is
 * written only if it changes.
 */
const sessions = variants((by: By) => {
  const [url, command] = [namedBy(2, "session_url"), namedBy(3, "resume_command")]
  return statement(`
    UPDATE tasks SET session_url = ${url}, resume_command = ${command}, session_token = asked.value ->> 1
    FROM json_each(:sessions) AS asked
    WHERE tasks.id = asked.value ->> 0 AND ${held} AND ${inReach} AND ${conditions[by]} AND NOT ${oversized}
      AND (session_token IS NOT asked.value ->> 1 OR session_url IS NOT ${url} OR resume_command IS NOT ${command})`)
})

/**
 * The columns of an answer about each lease, held or lost. An answer may hold many leases, so it repeats little of
 * each.
 */
const columns = {
  task: "task",
  token: "token",
  held: "held",
  id: "id",
  queue: "queue",
  claimed_by: "iif(held, NULL, claimed_by)",
  orchestrator_id: "iif(held, orchestrator_id, NULL)",
  fencing_token: "fencing_token",
  lapsed_token: "lapsed_token",
  lease_expires_at: "lease_expires_at",
  deadline_at: "deadline_at",
  cancel_requested_at: "cancel_requested_at",
  cancel_reason: `iif(held, ${beginning("cancel_reason", MaxRepeatedReason)}, NULL)`,
  checkpoint_version: "checkpoint ->> '$.version'",
  oversized: `bytes > ${MaxRecord}`,
  project_id: "iif(held, project_id, NULL)",
  cap: "iif(held, (SELECT iif(capped_until > :now, cap, NULL) FROM caps WHERE caps.id = lease.id), NULL)",
  machine: "iif(held, (SELECT status FROM orchestrators WHERE id = orchestrator_id AND scope = lease.scope), NULL)",
  // The incident that ended a lost lease, without its texts.
  setbacks: `iif(held, NULL, (
    SELECT json_array(json_set(value, '$.actor', NULL, '$.reason', NULL)) FROM json_each(setbacks)
    WHERE value ->> '$.fencing_token' = token ORDER BY key DESC LIMIT 1))`
}

const sent = `(
  SELECT asked.value ->> 0 AS task, asked.value ->> 1 AS token, coalesce(${held}, 0) AS held, tasks.*
  FROM json_each(:keys) AS asked LEFT JOIN tasks ON tasks.id = asked.value ->> 0 AND ${inReach}) AS lease`

const found = statement(
  `SELECT ${Object.entries(columns).map(([name, value]) => `${value} AS ${name}`).join(", ")} FROM ${sent}`
)

const kept = {
  row: {
    ...columns,
    reattached: "EXISTS (SELECT 1 FROM plans WHERE plans.scope = lease.scope AND plans.task_id = lease.id)"
  },
  from: sent
}

/**
 * What an idempotency key keeps: for a task, its lease if it was renewed; for a heartbeat, the state of every lease.
 */
export const answers = {
  task: keeping({ ...kept, where: `held AND (:checkpointed = 0 OR bytes <= ${MaxRecord})` }),
  heartbeat: keeping({ ...kept, where: "1" })
}

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
  const held = leases.filter((row) => row.held === 1)
  const given = new Set([...held.filter((row) => row.reattached === 1), ...back].map((row) => row.id))
  yield* logTransitions(moves.reattach.event, back, ({ claimed_by }) => claimed_by)
  return {
    held: (yield* decodeHeld(held)).map((lease) => ({ ...lease, reattached: given.has(lease.id) })),
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

const wish = ({ checkpoint, lease_duration_seconds, resume_command, session_url, usage }: HeldLease) =>
  JSON.stringify([
    checkpoint ?? null,
    lease_duration_seconds || null,
    session_url ?? null,
    resume_command ?? null,
    usage ?? null
  ])
const noWish = JSON.stringify([null, null, null, null, null])

/** Entries that a later entry of the same lease replaces, if they ask for something else. */
const superseded = (leases: ReadonlyArray<HeldLease>): ReadonlyArray<HeldLease> => {
  const last = lastOfEach(leases)
  return leases.filter((lease) => {
    const counts = last.get(keyOf(lease))!
    return lease !== counts && wish(lease) !== noWish && wish(lease) !== wish(counts)
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

const asked = (lease: HeldLease) => {
  const { checkpoint, fencing_token, lease_duration_seconds, task_id } = lease
  return problemOf(lease) === undefined
    ? [
      task_id,
      fencing_token,
      lease_duration_seconds ? Math.round(lease_duration_seconds * 1000) : null,
      checkpoint == null ? null : checkpointText(checkpoint)
    ]
    : [task_id, fencing_token, null, null]
}

/** The session that a renewal names. What it names itself comes before what its checkpoint names. */
const sessionOf = ({ checkpoint, resume_command, session_url }: HeldLease): Session => ({
  session_url: session_url ?? checkpoint?.session_url ?? null,
  resume_command: resume_command ?? checkpoint?.resume_command ?? null
})

const valuesOf = (leases: ReadonlyArray<HeldLease>, defaultMillis: number) => ({
  leases: JSON.stringify(leases.map(asked)),
  keys: JSON.stringify(leases.map(({ fencing_token, task_id }) => [task_id, fencing_token])),
  sessions: JSON.stringify(leases.flatMap((lease) => {
    const named = sessionOf(lease)
    return namesSession(named)
      ? [[lease.task_id, lease.fencing_token, named.session_url, named.resume_command]]
      : []
  })),
  used: JSON.stringify(
    leases.flatMap(({ fencing_token, task_id, usage }) =>
      usage == null ? [] : [[task_id, fencing_token, ...reportOf(usage)]]
    )
  ),
  default_millis: defaultMillis
})

const usedBy = (by: By, values: Values) => {
  const { usedByProject, usedByTask, usedOnDay } = used(by)
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
  (by: By, leases: ReadonlyArray<HeldLease>, scope: Reach, besides: Values & { readonly now: number }) => {
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
        raised: raised(by, scope === undefined ? "everywhere" : "scope")(values),
        recorded: recorded(by)(values),
        reattached: reattached(values),
        ...(leases.some(({ usage }) => usage != null) ? usedBy(by, values) : {}),
        sessions: leases.some((lease) => namesSession(sessionOf(lease))) ? sessions(by)(values) : undefined,
        renewed: renewed(by)(values),
        counted: counted(values),
        leases: found(values)
      }
    }
  }
)

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
    directives: leases.map(({ cancel_reason, directive, pause_reason, task_id }) => ({
      task_id,
      directive,
      reason: directive === "pause" ? pause_reason : cancel_reason
    })),
    renew_after_seconds: leases.length === 0
      ? null
      : Math.min(...leases.map(({ renew_after_seconds }) => renew_after_seconds))
  }
}
