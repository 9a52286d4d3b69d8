/**
 * Breakers in the batch of a move. A failure is added to the breakers of its scope and its project, and may open them.
 * A canary's result closes them. Each change of state is first recorded in the feed (`announced`) and then made
 * (`applied`). The views `watching`, `closing` and `probing` say what the planned change of a task means for its
 * breakers. A search in them that finds nothing costs no row. So moves in scopes without breakers, and of tasks that
 * are no canaries, cost little more.
 *
 * A history row of a breaker has the task id `char(31) || scope`, which no task has, and a version of its own.
 *
 * Parameters: `:id`, `:now`, `:excerpt` (the reason), `:fingerprint` (null: the failure is like no other).
 */
import { MaxRemembered } from "../../domain/record/Breaker.ts"
import { type Move, moves } from "../../domain/task/Moves.ts"
import { type Statement, statement } from "../Statement.ts"

const its = "breakers.scope = task.scope AND breakers.project_id = task.project_id"

/** A failure that a breaker remembers and that is not older than its window. */
const recent = "value ->> 2 > :now - window_millis"

/**
 * How many different tasks have failed alike within the window, with this one. A failure without a fingerprint is like
 * no other.
 */
const alike = `(SELECT count(*) + 1 FROM json_each(failures)
  WHERE ${recent} AND value ->> 0 = :fingerprint AND value ->> 1 <> :id)`

/** The failures with this one, which replaces an earlier one of the same task. */
const remembered = `(SELECT json_group_array(json(value) ORDER BY value ->> 2) FROM (
  SELECT value FROM json_each(json_insert(failures, '$[#]', json_array(:fingerprint, :id, CAST(:now AS INTEGER))))
  WHERE ${recent} AND (key = json_array_length(failures) OR NOT (value ->> 0 = :fingerprint AND value ->> 1 = :id))
  ORDER BY key DESC LIMIT ${MaxRemembered}))`

/** Records an event of each breaker of `task`. */
const recorded = (
  event: string,
  about: { readonly actor: string; readonly details: string; readonly reason: string }
) =>
  `INSERT INTO history (task_id, version, scope, seq, event, actor, reason, details, grants, at, project_id)
  SELECT own.task_id, own.version + row_number() OVER (), own.scope, own.last + row_number() OVER (), '${event}',
    ${about.actor}, ${about.reason}, ${about.details}, 0, :now, nullif(task.project_id, '')`

/** Joins what breakers have in the history. */
const feed = "CROSS JOIN breaker_feed AS own ON own.scope = task.scope"

export interface Steps {
  readonly announced: Statement
  readonly applied: Statement
}

/**
 * The steps of a move by which work fails. A canary that fails keeps the breaker open for the reason that it was opened
 * for.
 */
export const failed: Steps = {
  announced: statement(`
    ${
    recorded("breaker_opened", {
      actor: "NULL",
      reason: "iif(tried, task.reason, :excerpt)",
      details: `json_object('task_id', :id, 'canary_failed', json(iif(tried, 'true', 'false')),
        'tasks', iif(tried, NULL, alike), 'next_canary_at', strftime('%Y-%m-%dT%H:%M:%fZ', again_at / 1000.0, 'unixepoch'))`
    })
  }
    FROM (SELECT *, ${alike} AS alike FROM watching WHERE task_id = :id) AS task ${feed}
    WHERE tried OR (counts AND alike >= threshold)`),
  applied: statement(`
    UPDATE breakers SET failures = iif(opens, '[]', ${remembered}), opened_at = iif(opens, coalesce(opened_at, :now), NULL),
      tripped_by = iif(opens, coalesce(tripped_by, :id), NULL), reason = iif(opens, iif(tried, breakers.reason, :excerpt), NULL),
      retry_at = iif(opens, again_at, NULL), probes = iif(tried, probes + 1, 0), canary_task = NULL, canary_token = NULL
    FROM (SELECT scope, project_id, tried, opens, again_at FROM watching
      WHERE task_id = :id AND (tried OR (counts AND :fingerprint IS NOT NULL))) AS task
    WHERE ${its}`)
}

const closed =
  `failures = '[]', opened_at = NULL, tripped_by = NULL, reason = NULL, retry_at = NULL, probes = 0, canary_task = NULL,
  canary_token = NULL`

/** The steps of a move by which a holder hands in what the task asked for. */
export const succeeded: Steps = {
  announced: statement(`
    ${recorded("breaker_closed", { actor: "NULL", reason: "task.reason", details: "json_object('task_id', :id)" })}
    FROM closing AS task ${feed} WHERE task.task_id = :id`),
  applied: statement(`UPDATE breakers SET ${closed} FROM closing AS task WHERE task.task_id = :id AND ${its}`)
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

const named = "scope = :scope AND project_id = :project_key AND opened_at IS NOT NULL"

/** The steps by which someone closes the breaker of `:scope` and `:project_key`. */
export const byHand: Steps = {
  announced: statement(`
    ${recorded("breaker_closed", { actor: ":actor", reason: ":excerpt", details: "NULL" })}
    FROM (SELECT scope, project_id FROM breakers WHERE ${named}) AS task ${feed}`),
  applied: statement(`UPDATE breakers SET ${closed} WHERE ${named}`)
}

/** Makes the granted task the canary of each open breaker that concerns it. */
export const probed: Statement = statement(`
  UPDATE breakers SET canary_task = task.id, canary_token = task.grants, retry_at = task.retry_at
  FROM probing AS task WHERE task.scope = :scope AND ${its}`)

/** The breaker that stops a task, as JSON; null if there is none. `of`: the alias of the task's row. */
export const stopping = (of: string): string =>
  `(SELECT json_object('project_id', nullif(breaker.project_id, ''), 'opened_at', opened_at, 'reason', breaker.reason,
    'retry_at', retry_at, 'half_open', json(iif(half_open, 'true', 'false')), 'canary_task', canary_task)
  FROM open_breakers AS breaker
  WHERE breaker.scope = ${of}.scope AND +breaker.project_id IN ('', coalesce(${of}.project_id, '')) AND breaker.until > :now
  ORDER BY breaker.project_id LIMIT 1)`
