/** The statements that renew leases, and re-attach those that expired. */
import { MaxRepeatedReason } from "../../domain/lease/Renewal.ts"
import { MaxRecord } from "../../domain/Size.ts"
import { moves } from "../../domain/task/Moves.ts"
import { beginning } from "../Columns.ts"
import * as Feed from "../Feed.ts"
import { keeping } from "../Idempotency.ts"
import { statement, variants } from "../Statement.ts"
import * as UsageSums from "../task/Usage.ts"

// `:leases` is a JSON list of `{ task, token, millis, checkpoint }` for the leases to renew, without duplicates; the
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
export type By = keyof typeof conditions

// The `+` makes SQLite find tasks by their ids, not by their scope or among all held tasks.
const inReach = "(:scope IS NULL OR +tasks.scope = :scope)"

/** The task is held under the token. */
const underToken = "+claimed_by IS NOT NULL AND fencing_token = asked.value ->> 'token'"

/** The task is held under the token, and its deadline has not passed. */
const heldInTime = `${underToken} AND coalesce(deadline_at > :now, 1)`

/** The expired leases whose tasks were neither granted to anyone else nor moved. */
const lapsed = `json_each(:keys) AS asked
  CROSS JOIN tasks ON tasks.id = asked.value ->> 'task' AND tasks.lapsed_token = asked.value ->> 'token'`

/** The version at which the lease expired. That history entry holds the holder and the terms of the lease. */
const expiryVersion = `(
  SELECT version FROM history WHERE task_id = tasks.id AND event = '${moves.expire.event}' ORDER BY version DESC LIMIT 1)`

/** The milliseconds since 1970 of an ISO time in the details of a history entry. */
const millisOf = (text: string): string =>
  `(CAST(strftime('%s', ${text}) AS INTEGER) * 1000 + CAST(substr(${text}, 21, 3) AS INTEGER))`

const deadline = millisOf("(expiry.details ->> '$.deadline_at')")

export const recorded = variants((by: By) =>
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
export const counted = Feed.counted(`IN (
  SELECT tasks.scope FROM json_each(:keys) AS asked
    CROSS JOIN tasks ON tasks.id = asked.value ->> 'task' AND tasks.updated_at = :now)`)

// The lease is re-attached with no time left. The renewal then extends it like the others.
export const reattached = statement(`
  UPDATE tasks SET version = planned.version, updated_at = :now, queue = planned.to_queue, lapsed_token = NULL,
    available_at = NULL, failure_reason = NULL, cancel_reason = NULL, needs_intervention = 0, completed_at = NULL,
    claimed_from = tasks.queue, claimed_by = expiry.actor,
    claimed_at = coalesce(${millisOf("(expiry.details ->> '$.claimed_at')")}, expiry.at),
    orchestrator_id = expiry.details ->> '$.orchestrator_id', lease_seconds = expiry.details ->> '$.lease_seconds',
    deadline_at = ${deadline}, lease_expires_at = :now
  FROM json_each(:keys) AS asked CROSS JOIN planned CROSS JOIN history AS expiry
  WHERE tasks.id = asked.value ->> 'task' AND tasks.lapsed_token = asked.value ->> 'token' AND planned.id = tasks.id
    AND expiry.task_id = tasks.id AND expiry.version = ${expiryVersion}
  RETURNING tasks.id, tasks.scope, tasks.queue, tasks.version, claimed_by, fencing_token`)

/** Raises the revision of leases, in the scope of the request or in the scopes of the tasks. */
export const raised = variants((by: By, reach: "scope" | "everywhere") => {
  const renewing = `FROM json_each(:keys) AS asked CROSS JOIN tasks ON tasks.id = asked.value ->> 'task'
    WHERE ${underToken} AND ${inReach} AND ${conditions[by]}`
  return statement(`
    UPDATE queue_counts SET leases_revision = leases_revision + 1
    WHERE ${
    reach === "scope" ? `scope = :scope AND EXISTS (SELECT 1 ${renewing})` : `scope IN (SELECT tasks.scope ${renewing})`
  }`)
})

export const renewed = variants((by: By) =>
  statement(`
    UPDATE tasks SET
      lease_expires_at = CAST(max(lease_expires_at, min(coalesce(deadline_at, 9e15),
        :now + coalesce(asked.value ->> 'millis', lease_seconds * 1000, :default_millis))) AS INTEGER),
      checkpoint = iif(asked.value ->> 'checkpoint' IS NULL OR ${oversized}, checkpoint, json_set(asked.value ->> 'checkpoint',
        '$.version', coalesce(checkpoint ->> '$.version', 0) + 1, '$.fencing_token', asked.value ->> 'token', '$.at', :now)),
      head_commit = coalesce(iif(${oversized}, NULL, asked.value ->> 'checkpoint' ->> '$.head_commit'), head_commit)
    FROM json_each(:leases) AS asked
    WHERE tasks.id = asked.value ->> 'task' AND ${heldInTime} AND ${inReach} AND ${conditions[by]}`)
)

/** The steps that add what the renewals report. A renewal that is refused, or of a lost lease, adds nothing. */
export const used = variants((by: By) =>
  UsageSums.steps({ with: "", where: `${heldInTime} AND ${inReach} AND ${conditions[by]}` })
)

/** What a session has in a column afterwards: what the renewal names, or what this lease has named before. */
const namedBy = (column: "session_url" | "resume_command"): string =>
  `coalesce(asked.value ->> '${column}', iif(session_token = asked.value ->> 'token', ${column}, NULL))`

/**
 * Keeps the sessions of `:sessions`, a JSON list of `{ task, token, session_url, resume_command }` for the leases that
 * name one. What a lease does not name stays, unless it is of an earlier lease. Agents name their session again and
 * again, so the row is written only if it changes.
 */
export const sessions = variants((by: By) => {
  const [url, command] = [namedBy("session_url"), namedBy("resume_command")]
  return statement(`
    UPDATE tasks SET session_url = ${url}, resume_command = ${command}, session_token = asked.value ->> 'token'
    FROM json_each(:sessions) AS asked
    WHERE tasks.id = asked.value ->> 'task' AND ${heldInTime} AND ${inReach} AND ${conditions[by]} AND NOT ${oversized}
      AND (session_token IS NOT asked.value ->> 'token' OR session_url IS NOT ${url} OR resume_command IS NOT ${command})`)
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
  // The setback that ended a lost lease, without its texts.
  setbacks: `iif(held, NULL, (
    SELECT json_array(json_set(value, '$.actor', NULL, '$.reason', NULL)) FROM json_each(setbacks)
    WHERE value ->> '$.fencing_token' = token ORDER BY key DESC LIMIT 1))`
}

const sent = `(
  SELECT asked.value ->> 'task' AS task, asked.value ->> 'token' AS token, coalesce(${heldInTime}, 0) AS held, tasks.*
  FROM json_each(:keys) AS asked LEFT JOIN tasks ON tasks.id = asked.value ->> 'task' AND ${inReach}) AS lease`

export const found = statement(
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
