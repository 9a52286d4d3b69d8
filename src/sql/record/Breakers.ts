/**
 * Breakers in the batch of a move. A failure is added to the breakers of its scope and its project, and may open them. A canary's result
 * closes them. Each change of state is first recorded in the feed (`opened`, `closed`) and then made, both under the same condition.
 *
 * A history row of a breaker has the task id `char(31) || scope`, which no task has, and a version of its own.
 *
 * Parameters: `:id`, `:now`, `:excerpt` (the reason), `:fingerprint` (null: the failure is like no other).
 */
import { MaxRemembered, MaxSeconds } from "../../domain/record/Breaker.ts"
import { type Move, moves } from "../../domain/task/Moves.ts"
import { nextSeq } from "../Feed.ts"
import { type Statement, statement } from "../Statement.ts"

// A search that finds nothing costs no row. So moves in scopes without breakers, and of tasks that are no canaries, cost little more.
const plan = "CROSS JOIN history AS plan ON plan.task_id = tasks.id AND plan.version = tasks.version + 1"
const columns = "own.scope, own.project_id, tasks.grants, tasks.claimed_by"

/** The breakers of the task whose move is planned and not applied, with what the task has. */
const watching = `(
  SELECT ${columns} FROM tasks
  CROSS JOIN breakers AS own ON own.scope = tasks.scope AND own.project_id IN ('', tasks.project_key) ${plan}
  WHERE tasks.id = :id AND (SELECT 1 FROM breakers WHERE breakers.scope = tasks.scope LIMIT 1)) AS task`

/** The same for the breakers whose canary the task is, if the move hands in what the task asked for. */
const tried = `(
  SELECT ${columns} FROM breakers AS own INDEXED BY breakers_canary
  CROSS JOIN tasks ON tasks.id = own.canary_task AND tasks.grants = own.canary_token ${plan}
  WHERE own.canary_task = :id AND plan.event IN ('submitted', 'accepted', 'rejected')) AS task`

const its = "breakers.scope = task.scope AND breakers.project_id = task.project_id"

/** The task is the canary of the breaker, under the lease that it got as such. */
const isCanary = "coalesce(canary_task = :id AND canary_token = task.grants, 0)"

/** The failure counts. Only a holder can tell that the work failed; others give tasks up for reasons of their own. */
const counts = "(opened_at IS NULL AND :fingerprint IS NOT NULL AND claimed_by IS NOT NULL)"

const recent = "FROM json_each(failures) WHERE value ->> 2 > :now - window_millis"

/** How many different tasks have failed alike within the window, with this one. */
const alike = `(SELECT count(*) + 1 ${recent} AND value ->> 0 = :fingerprint AND value ->> 1 <> :id)`

const trips = `(${counts} AND ${alike} >= threshold)`
const canaryFails = `(opened_at IS NOT NULL AND ${isCanary})`

const remembered = `(SELECT json_group_array(json(value)) FROM (
  SELECT value FROM (
    SELECT value, key ${recent} AND NOT (value ->> 0 = :fingerprint AND value ->> 1 = :id)
    UNION ALL SELECT json_array(:fingerprint, :id, CAST(:now AS INTEGER)), 1e9
    ORDER BY key DESC LIMIT ${MaxRemembered})
  ORDER BY value ->> 2))`

/** When the next canary may be claimed after `n` have failed. */
const after = (n: string) => `:now + min(wait_millis << min(${n}, 20), max(wait_millis, ${MaxSeconds * 1000}))`

const itself = "char(31) || breakers.scope"
const recorded = (
  event: string,
  about: { readonly actor: string; readonly reason: string; readonly details: string }
) =>
  `INSERT INTO history (task_id, version, scope, seq, event, actor, reason, details, grants, at, project_id)
  SELECT ${itself}, coalesce((SELECT max(version) FROM history WHERE task_id = ${itself}), 0) + row_number() OVER (),
    breakers.scope, ${
    nextSeq("breakers", "many")
  }, '${event}', ${about.actor}, ${about.reason}, ${about.details}, 0, :now,
    nullif(breakers.project_id, '')`

export interface Steps {
  readonly announced: Statement
  readonly applied: Statement
}

/** The steps of a move by which work fails. */
export const failed: Steps = {
  announced: statement(`
    ${
    recorded("breaker_opened", {
      actor: "NULL",
      reason: `iif(${canaryFails}, breakers.reason, :excerpt)`,
      details: `json_object('task_id', :id, 'canary_failed', json(iif(${canaryFails}, 'true', 'false')),
        'tasks', iif(${canaryFails}, NULL, ${alike}), 'next_canary_at', strftime('%Y-%m-%dT%H:%M:%fZ', (${
        after(`iif(${canaryFails}, probes + 1, 0)`)
      }) / 1000.0, 'unixepoch'))`
    })
  }
    FROM ${watching} CROSS JOIN breakers WHERE ${its} AND (${trips} OR ${canaryFails})`),
  applied: statement(`
    UPDATE breakers SET
      failures = iif(${trips} OR ${canaryFails}, '[]', ${remembered}),
      opened_at = iif(${trips}, :now, opened_at), tripped_by = iif(${trips}, :id, tripped_by),
      reason = iif(${trips}, :excerpt, breakers.reason),
      retry_at = CASE WHEN ${trips} THEN ${after("0")} WHEN ${canaryFails} THEN ${
    after("probes + 1")
  } ELSE retry_at END,
      probes = iif(${canaryFails}, probes + 1, 0), canary_task = NULL, canary_token = NULL
    FROM ${watching} WHERE ${its} AND (${counts} OR ${canaryFails})`)
}

const closed =
  `failures = '[]', opened_at = NULL, tripped_by = NULL, reason = NULL, retry_at = NULL, probes = 0, canary_task = NULL,
  canary_token = NULL`

/** The steps of a move by which a holder hands in what the task asked for. */
export const succeeded: Steps = {
  announced: statement(`
    ${
    recorded("breaker_closed", {
      actor: "NULL",
      reason: "breakers.reason",
      details: "json_object('task_id', :id)"
    })
  }
    FROM ${tried} CROSS JOIN breakers WHERE ${its} AND opened_at IS NOT NULL`),
  applied: statement(`UPDATE breakers SET ${closed} FROM ${tried} WHERE ${its} AND opened_at IS NOT NULL`)
}

const both = ({ announced, applied }: Steps): ReadonlyArray<Statement> => [announced, applied]

/** The steps of each move that says whether work succeeds, after its plan and before the move. */
export const ofMove: ReadonlyMap<Move, ReadonlyArray<Statement>> = new Map<Move, ReadonlyArray<Statement>>([
  [moves.submit, both(succeeded)],
  // A burnout is a submission where the flow has no state for it.
  [moves.burnOut, both(succeeded)],
  [moves.accept, both(succeeded)],
  [moves.reject, both(succeeded)],
  [moves.fail, both(failed)],
  [moves.requeue, both(failed)]
])

const named = "breakers.scope = :scope AND breakers.project_id = :project_key AND opened_at IS NOT NULL"

/** The steps by which someone closes the breaker of `:scope` and `:project_key`. */
export const byHand: Steps = {
  announced: statement(`
    ${
    recorded("breaker_closed", { actor: ":actor", reason: ":excerpt", details: "NULL" })
  } FROM breakers WHERE ${named}`),
  applied: statement(`UPDATE breakers SET ${closed} WHERE ${named}`)
}

/** Makes the task that a claim was granted the canary of its breakers that are open. `granted` is its id, an expression. */
export const probed = (granted: string): Statement =>
  statement(`
    UPDATE breakers SET canary_task = task.id, canary_token = task.grants, retry_at = ${after("probes")}
    FROM (
      SELECT own.project_id, tasks.id, tasks.grants FROM breakers AS own INDEXED BY breakers_open
      CROSS JOIN tasks ON tasks.id = ${granted}
      WHERE own.scope = :scope AND own.opened_at IS NOT NULL AND own.project_id IN ('', tasks.project_key)) AS task
    WHERE breakers.scope = :scope AND breakers.project_id = task.project_id`)

/** The breaker that stops a task, a row of `of`, as JSON; null if there is none. */
export const stopping = (of: string): string =>
  `(SELECT json_object('project_id', nullif(breaker.project_id, ''), 'opened_at', opened_at, 'reason', breaker.reason,
    'retry_at', retry_at, 'half_open', json(iif(half_open, 'true', 'false')), 'canary_task', canary_task)
  FROM open_breakers AS breaker
  WHERE breaker.scope = ${of}.scope AND +breaker.project_id IN ('', coalesce(${of}.project_id, '')) AND breaker.until > :now
  ORDER BY breaker.project_id LIMIT 1)`
