/**
 * Tasks that are ready, and that no machine will claim: the scope has no active machine, or it does not know the role
 * of the task. The cron looks for them every few minutes, and records the event `unclaimable` for the first such task
 * of each queue or role. The newest history entry of a task shows whether it was reported, so nothing else is stored. A
 * task that has changed since is reported again.
 *
 * Parameters: `:now`, `:before` (a task is reported if it has not changed since then).
 */
import { unclaimable as ends } from "../../domain/task/Moves.ts"
import * as Feed from "../Feed.ts"
import { isScope } from "../record/ProjectCounts.ts"
import { type Statement, statement } from "../Statement.ts"

/** How many minutes pass between two looks. */
export const Minutes = 5

/** How many scopes a look goes through. The next one goes on after them. */
export const Scopes = 100

/** How many tasks a look finds at most. */
export const MaxReported = 50

/** How many machines of a scope, and how many roles of tasks in all queues, are looked at. */
const MaxMachines = 500
const MaxLanes = 500

/** The reasons, as `explain` has them, and their sentences. */
const sentences = {
  no_active_orchestrator: "No orchestrator of the scope is active to claim it.",
  unknown_role: "The scope does not know its role, so no claim for that role is possible."
}

/**
 * The first ready task of each queue or role that no machine will claim: `id` and `why`. `scopes` is a query for the
 * scopes, whose column is `scope`. The queues are those that claims look into by themselves. If somebody holds a task
 * of the scope, no queue counts as without a machine: a machine of another scope may work for it.
 */
const heads = (scopes: string): string =>
  `(
  WITH RECURSIVE looked (scope) AS MATERIALIZED (${scopes}),
  places (scope, queue) AS MATERIALIZED (
    SELECT scope, 'incoming' FROM looked
    UNION SELECT roles.scope, claims_from FROM looked CROSS JOIN roles ON roles.scope = looked.scope
    WHERE claims_from NOT IN (${ends.map((queue) => `'${queue}'`).join(", ")})),
  lanes (scope, queue, lane) AS (
    SELECT scope, queue, (
      SELECT lane FROM ready_for WHERE ready_for.scope = places.scope AND ready_for.queue = places.queue ORDER BY lane LIMIT 1)
    FROM places WHERE EXISTS (SELECT 1 FROM roles WHERE roles.scope = places.scope)
    UNION ALL SELECT scope, queue, (
      SELECT lane FROM ready_for WHERE ready_for.scope = lanes.scope AND ready_for.queue = lanes.queue AND lane > lanes.lane
      ORDER BY lane LIMIT 1)
    FROM lanes WHERE lane IS NOT NULL LIMIT ${MaxLanes})
  SELECT id, min(why) AS why FROM (
    SELECT (
      SELECT id FROM ready WHERE ready.scope = places.scope AND ready.queue = places.queue
      ORDER BY priority_rank, created_at, id LIMIT 1) AS id, 'no_active_orchestrator' AS why
    FROM places
    WHERE NOT EXISTS (
      SELECT 1 FROM (SELECT status FROM orchestrators INDEXED BY orchestrators_of_scope
        WHERE orchestrators.scope = places.scope LIMIT ${MaxMachines}) WHERE status = 'active')
      AND NOT EXISTS (
        SELECT 1 FROM tasks INDEXED BY tasks_leased
        WHERE claimed_by IS NOT NULL AND tasks.scope = places.scope AND lease_expires_at > :now)
    UNION ALL SELECT (
      SELECT id FROM ready_for WHERE ready_for.scope = lanes.scope AND ready_for.queue = lanes.queue AND ready_for.lane = lanes.lane
      ORDER BY priority_rank, created_at, id LIMIT 1), 'unknown_role'
    FROM lanes WHERE lane IS NOT NULL AND NOT EXISTS (
      SELECT 1 FROM roles WHERE roles.scope = lanes.scope AND roles.name = lanes.lane))
  WHERE id IS NOT NULL GROUP BY id) AS head`

const newest = "history AS newest ON newest.task_id = tasks.id AND newest.version = tasks.version"

const place = "coalesce((SELECT position FROM sweeps WHERE name = 'unclaimable'), '')"
const page = `SELECT scope FROM queue_counts WHERE ${isScope} AND scope > ${place} ORDER BY scope LIMIT ${Scopes}`

/** The tasks to report, in the scopes of this look. */
export const found: Statement = statement(`
  SELECT tasks.id, tasks.scope, tasks.version, why FROM ${heads(page)}
  CROSS JOIN tasks ON tasks.id = head.id CROSS JOIN ${newest}
  WHERE newest.at <= :before AND newest.event <> 'unclaimable' LIMIT ${MaxReported}`)

/**
 * Goes on with the next scopes, or with the first ones after the last. It writes nothing if one look reaches all of
 * them.
 */
export const moveOn: Statement = statement(`
  INSERT INTO sweeps (name, position, due_at)
  SELECT 'unclaimable', iif(count(*) = ${Scopes}, max(scope), ''), 0 FROM (${page}) HAVING count(*) = ${Scopes} OR ${place} <> ''
  ON CONFLICT (name) DO UPDATE SET position = excluded.position`)

const reason = `CASE value ->> 'why' ${
  Object.entries(sentences).map(([why, sentence]) => `WHEN '${why}' THEN '${sentence}'`).join(" ")
} END`

/**
 * Reports the tasks in `:found`, a JSON list of the rows of `found`, in `:scopes`. A task that has changed meanwhile is
 * left out. A report is a change of the task like any other, but `updated_at` stays, because nobody worked on the task.
 */
export const report: ReadonlyArray<Statement> = [
  statement(`
    INSERT INTO history (
      task_id, version, scope, seq, event, from_queue, to_queue, reason, details, grants, at, title, project_id)
    SELECT tasks.id, version + 1, scope, ${Feed.nextSeq("tasks", "scopes")}, 'unclaimable', queue, queue, ${reason},
      json_object('why', value ->> 'why', 'role', role), grants, :now, title, project_id
    FROM json_each(:found) CROSS JOIN tasks ON tasks.id = value ->> 'id' AND tasks.version = value ->> 'version'`),
  statement(`
    UPDATE tasks SET version = tasks.version + 1
    FROM json_each(:found) AS entry CROSS JOIN history
    WHERE tasks.id = value ->> 'id' AND tasks.version = value ->> 'version'
      AND history.task_id = tasks.id AND history.version = tasks.version + 1`),
  Feed.counted("IN (SELECT value FROM json_each(:scopes))")
]

/** The tasks of `:scope` that were reported, and that still no machine will claim. */
export const reported = (most: number, characters: number): Statement =>
  statement(`
    SELECT tasks.id AS task_id, tasks.queue, tasks.project_id, substr(tasks.title, 1, ${characters}) AS title,
      substr(tasks.role, 1, ${characters}) AS role, why, newest.at AS at
    FROM ${heads("SELECT :scope")}
    CROSS JOIN tasks ON tasks.id = head.id CROSS JOIN ${newest} WHERE newest.event = 'unclaimable'
    ORDER BY newest.at, tasks.id LIMIT ${most}`)
