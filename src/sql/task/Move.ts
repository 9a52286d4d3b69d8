/**
 * The statements that move one task, given by its id, from queue to queue: submit, accept, fail and so on. They run as
 * one batch:
 *
 * 1. `recorded` checks whether the move is allowed, decides which queue the task goes to, and writes that as a history
 *    row.
 * 2. The steps of `dependency/Cascade.ts` write such rows for the tasks that wait for this one.
 * 3. `moved` changes the tasks as the new history rows say.
 * 4. `counted` updates the counters of the scope by the same rows.
 *
 * If `recorded` writes no row, the other steps change nothing. The text of the statements is made once for each move,
 * from the table of moves (`domain/task/Moves.ts`). Parameters: `:id`, `:scope` and `:version` (null: any), `:token`
 * and `:lenient` (see `fenced`), `:now`, `:actor`, `:reason` and its beginning `:excerpt`, `:details`, `:max_attempts`,
 * `:max_rejections`; of a fail and a redrive `:terminal`; with backoff `:backoff_base`, `:backoff_max`, `:seed`.
 */
import { type Budget, units } from "../../domain/lease/Budget.ts"
import { Never } from "../../domain/lease/Question.ts"
import { ends, intervention, type Move, moves } from "../../domain/task/Moves.ts"
import * as Cascade from "../dependency/Cascade.ts"
import { counted, nextSeq } from "../Feed.ts"
import { backsOffUntil, noLease, withSetback } from "../lease/End.ts"
import * as Parked from "../lease/Parked.ts"
import { type Statement, statement, variants } from "../Statement.ts"

const { oversized } = Cascade

const listed = (queues: ReadonlyArray<string>) => `(${queues.map((queue) => `'${queue}'`).join(", ")})`

/** The scope and version that a call names, if it does. */
export const named = "(:scope IS NULL OR scope = :scope) AND (:version IS NULL OR version = :version)"

/**
 * The fence (`domain/lease/Fence.ts`): a given token has to be that of the lease, or of the lease that expired last. If
 * tokens are required (`:lenient` is 0) and none is given, nobody may hold the task.
 */
export const fenced = (afterLapse: boolean): string =>
  `(coalesce(fencing_token, lapsed_token) = :token OR (:token IS NULL AND (:lenient OR (
    claimed_by IS NULL${afterLapse ? " AND lapsed_token IS NULL" : ""}))))`

/**
 * The queue from which the move starts, over the view `held`. A task with an expired lease counts as held, if the move
 * may still be made. A settled intervention continues from the queue before it, or is submitted like other unfinished
 * work.
 */
const place = ({ afterLapse, flow }: Move): string =>
  `CASE ${afterLapse ? "WHEN lapsed_token IS NOT NULL THEN 'claimed'" : ""} WHEN queue = '${intervention}'
    THEN ${flow === "step" ? "came_from" : "iif(came_from = 'done', 'done', 'claimed')"} ELSE queue END`

/** The destination, if no flow says otherwise. */
const destination = ({ to }: Move): string =>
  to === "same"
    ? "queue"
    : to === "back"
    ? "iif(queue = 'claimed', claimed_from, queue)"
    : to === "origin"
    ? "iif(queue = 'claimed', claimed_from, 'incoming')"
    : `'${to.queue}'`

const leadsToDone = ({ to }: Move) => typeof to === "object" && to.queue === "done"

/** Whether the move leads out of an intervention: to begin again, or to be done as before. */
const settles = (move: Move): string => leadsToDone(move) ? "(stuck AND came_from = 'done')" : "stuck"

const starts = (move: Move): string =>
  move.from === "other"
    ? "queue <> 'claimed'"
    : move.from === "held"
    ? "claimed_by IS NOT NULL"
    : move.from === "unfinished"
    ? `queue NOT IN ${listed(ends)}`
    : `(place IN ${listed(move.from)} ${move.flow === "step" ? `OR ${settles(move)}` : ""})`

// Queue names contain no quotes (`domain/Identifier.ts`), so this is always a valid path. Null if the flow has no such
// step.
const leads = (from: string, to: string): string => `rule ->> ('$.leads."' || ${from} || '"."' || ${to} || '"')`
const onward = `coalesce(rule ->> ('$.onward."' || origin || '"'), rule ->> '$.submit')`

/**
 * The destination in the registered flow; '' if there is none. A task claimed from a queue of its flow may continue
 * from there.
 */
const flowed = (move: Move): string =>
  move.flow === "step"
    ? `iif(${settles(move)} OR ${leads("place", "destination")} OR ${leads("origin", "destination")}
        OR ${leads("queue", "destination")} ${move.to === "origin" ? `OR ${leads("place", "'incoming'")}` : ""},
      destination, '')`
    : move.flow === "burnOut"
    ? `coalesce(rule ->> '$.burnOut', ${onward})`
    : onward

/**
 * The destination of the move, or '' if there is none: over `place`, `origin` and `destination`. A task without a
 * registered flow follows the table of moves.
 */
const queueAfter = (move: Move): string => {
  const byFlow = (otherwise: string) =>
    move.flow === "none" ? otherwise : `coalesce((
    SELECT ${flowed(move)} FROM (
      SELECT rules -> iif(project_id IS NULL, '$.task', '$.child') AS rule FROM flows
      WHERE flows.scope = task.scope AND flows.name = task.flow)), ${otherwise})`
  // A flow may allow a step from where the default does not.
  return move.flow === "step"
    ? byFlow(`iif(${starts(move)}, destination, '')`)
    : `iif(${starts(move)}, ${byFlow("destination")}, '')`
}

const spent: Record<Budget, string> = {
  max_attempts: "attempt_count - lease_losses",
  max_lease_losses: "lease_losses",
  max_rejections: "rejection_count"
}

// A bound number may be a real, which has another text and other JSON.
const limit = (budget: Budget): string => `coalesce(${budget}, CAST(:${budget} AS INTEGER))`

/** The cap on the review rounds of the project is the lower one (`roundsOf` in `domain/lease/Budget.ts`). */
const own = `nullif(${limit("max_rejections")}, 0)`
const byProject = `coalesce(${own} > rounds, rounds IS NOT NULL)`

/** The limit that a task is judged by; null or 0: none. */
const most = (budget: Budget): string =>
  budget === "max_rejections" ? `iif(${byProject}, rounds, ${limit(budget)})` : limit(budget)

const spendsLast = (budget: Budget): string => `${spent[budget]} + 1 >= nullif(most, 0)`

/** The final queue: a requested cancellation comes first, and a spent budget fails the task. */
const target = ({ budget, yields }: Move): string =>
  budget === undefined && !yields ? "usual" : `CASE
    ${yields ? "WHEN cancel_requested_at IS NOT NULL THEN 'cancelled'" : ""}
    ${budget === undefined ? "" : `WHEN ${spendsLast(budget)} THEN 'failed'`} ELSE usual END`

/** The reason of a failure by a spent budget of `most`. `last` is the reason of the move. */
export const budgetSpent = (budget: Budget, most: string, last: string): string => {
  const { many, one } = units[budget]
  return `'The budget of ' || ${most} || iif(${most} = 1, ' ${one} is spent.', ' ${many} is spent.')
    || coalesce(' Last: ' || ${last}, '')`
}

/** Further details for the history: the budget, if it is spent. */
const details = ({ budget, yields }: Move): string =>
  budget === undefined ? ":details" : `iif(${yields ? "cancel_requested_at IS NULL AND " : ""}${spendsLast(budget)},
    json_set(coalesce(:details, '{}'), '$.budget', ${
    budget === "max_rejections" ? `iif(${byProject}, 'max_review_rounds', '${budget}')` : `'${budget}'`
  }, '$.limit', most), :details)`

/** The reason of a failure by the rejections, from the history row of the move. */
const rejectionsSpent = `(SELECT iif(details ->> '$.budget' = 'max_review_rounds',
    'The cap of ' || (details ->> '$.limit') || iif(details ->> '$.limit' = 1, ' review round', ' review rounds')
      || ' of the project is reached.' || coalesce(' Last: ' || :reason, ''),
    ${budgetSpent("max_rejections", "(details ->> '$.limit')", ":reason")})
  FROM history WHERE task_id = tasks.id AND history.version = tasks.version + 1)`

const actor: Record<Move["actor"], string> = {
  // The view `held` knows the holder after an expiry too. Nobody has to hold a task that is submitted.
  holder: "coalesce(holder, :actor)",
  "named or holder": "coalesce(:actor, claimed_by)",
  named: ":actor"
}

/** The further columns that each move writes. Each begins with a comma. */
const besides = new Map<Move, string>([
  [
    moves.submit,
    `, submitted_at = :now, commits_count = :commits_count, turns_used = :turns_used,
    check_results = :check_results, execution_notes = :execution_notes, pr_number = coalesce(:pr_number, pr_number),
    pr_url = coalesce(:pr_url, pr_url), submitted_by = actor, submitted_orchestrator_id = coalesce(orchestrator_id,
      (SELECT machine FROM held WHERE id = :id))`
  ],
  [moves.accept, ", completed_at = :completed"],
  [moves.reject, ", last_rejection_reason = :reason"],
  [moves.ask, ", question_id = :message"],
  [moves.fail, ", execution_notes = :reason, terminal = :terminal"],
  [moves.redrive, ", attempt_count = 0, lease_losses = 0, rejection_count = 0, named_holder = NULL"]
])
besides.set(moves.burnOut, besides.get(moves.submit)!)

const changed = (move: Move, backoff: boolean): string => {
  const ownFailure = move.returns
    ? `WHEN planned.event = 'dependency_failed' THEN iif(${oversized}, NULL, planned.reason)`
    : ""
  const failure = typeof move.to === "object" && move.to.queue === "failed"
    ? ":reason"
    : move.to === "same" || move.to === "back"
    ? `CASE ${ownFailure} WHEN queue = 'failed' THEN failure_reason END`
    : move.budget === undefined
    ? "NULL"
    : `CASE ${ownFailure} WHEN to_queue = 'failed' AND NOT ${oversized} THEN ${
      move === moves.reject ? rejectionsSpent : budgetSpent(move.budget, limit(move.budget), ":reason")
    } END`
  return `version = planned.version, updated_at = :now, queue = to_queue, lapsed_token = NULL, ${noLease},
    ${leadsToDone(move) ? "" : "completed_at = NULL,"}
    ${move.counts.map((counter) => `${counter} = ${counter} + 1,`).join(" ")}
    ${
    move.clearsIntervention
      ? "needs_intervention = 0,"
      : "needs_intervention = iif(planned.event = 'dependency_failed', 0, needs_intervention),"
  }
    failure_reason = ${failure},
    cancel_reason = iif(to_queue = 'cancelled', cancel_reason, NULL),
    available_at = ${
    move === moves.ask
      ? `iif(to_queue IN ('failed', 'cancelled'), NULL, ${Never})`
      : move.backsOff && backoff
      ? `iif(to_queue IN ('failed', 'cancelled'), NULL, ${backsOffUntil})`
      : "NULL"
  }
    ${
    // Only a flow of one's own has a step out of `failed`, besides a redrive.
    move.flow === "step" || move === moves.redrive ? ", terminal = 0" : ""}
    ${move.setback ? `, setbacks = ${withSetback(`'${move.event}'`, actor[move.actor], ":excerpt")}` : ""} ${
    besides.get(move) ?? ""
  }`
}

/** The project of the task requires no evidence that the task lacks. */
const evident = "AND (project_id IS NULL OR NOT EXISTS (SELECT 1 FROM lacking WHERE lacking.id = moving.id))"

/** The failure of the task is not terminal, or the redrive says `terminal`. */
const redrivable = "AND (:terminal OR NOT terminal OR queue <> 'failed')"

/** The scope has room for one more parked account. */
const parkable = `AND ${Parked.mayPark}`

/** The change of the task is planned, and not applied. */
const isPlanned = "planned.task_id = :id AND planned.version = tasks.version + 1"

/**
 * Writes the commit, the evidence and the session that a submission names, after `recorded` and before `moved`.
 * Evidence without a commit is about the head commit. A session of an earlier lease is forgotten. Parameters besides
 * `:id`: `:head_commit`, `:evidence`, `:session_url`, `:resume_command`.
 */
export const shown: Statement = statement(`
  UPDATE tasks SET head_commit = coalesce(:head_commit, head_commit),
    evidence = iif(:evidence IS NULL, evidence, (
      SELECT json_group_array(json_set(value, '$.commit', coalesce(value ->> '$.commit', :head_commit, head_commit)))
      FROM json_each(:evidence))),
    ${
  ["session_url", "resume_command"].map((name) =>
    `${name} = iif(:session_url IS NULL AND :resume_command IS NULL, ${name},
      coalesce(:${name}, iif(session_token = tasks.grants, ${name}, NULL)))`
  ).join(", ")
},
    session_token = iif(:session_url IS NULL AND :resume_command IS NULL, session_token, tasks.grants)
  FROM history AS planned WHERE tasks.id = :id AND ${isPlanned}`)

export interface Steps extends Cascade.Cascade {
  readonly recorded: Statement
  readonly counted: Statement
  readonly moved: Statement
}

/** The steps of a move by id. `backoff` says whether backoff is on. */
const steps = (move: Move, backoff: boolean): Steps => ({
  recorded: statement(`
    INSERT INTO history (
      task_id, version, scope, seq, event, from_queue, to_queue, actor, reason, details, grants, at, title, project_id)
    SELECT id, version + 1, scope, ${nextSeq("moving", "first")},
      ${
    move.flow === "burnOut" ? `iif(usual = destination, '${move.event}', '${moves.submit.event}')` : `'${move.event}'`
  },
      queue, ${target(move)}, ${actor[move.actor]}, :excerpt, ${details(move)}, grants, :now, title, project_id
    FROM (
      SELECT *, ${queueAfter(move)} AS usual ${move.budget === undefined ? "" : `, ${most(move.budget)} AS most`} FROM (
        SELECT *, ${place(move)} AS place, ${destination(move)} AS destination
        FROM held WHERE id = :id AND ${named} AND ${fenced(move.afterLapse)}) AS task) AS moving
    WHERE usual NOT IN ('', ${
    // A move to the present queue is no move, except that a held task may be returned to its own queue.
    move.to === "back" ? "''" : move.afterLapse ? "iif(lapsed_token IS NULL, queue, '')" : "queue"})
      ${move === moves.accept ? evident : move === moves.redrive ? redrivable : move === moves.park ? parkable : ""}`),
  ...Cascade.ofTask(move.returns ? "1" : undefined),
  moved: statement(`
    UPDATE tasks SET ${changed(move, backoff)}
    FROM ${
    // A task that is freed may fail with its own blockers: then it has two plans, and the view has the second.
    move.returns ? "planned WHERE planned.id = :id" : `history AS planned
    WHERE planned.task_id = :id AND planned.version = tasks.version + 1`} AND tasks.id = :id RETURNING *`),
  counted: counted(Cascade.itsScope)
})

/** The steps of every move. An isolate may serve many scopes, and their servers share these texts. */
export const stepsOf = variants((backoff: boolean): ReadonlyMap<Move, Steps> =>
  new Map(Object.values(moves).map((move) => [move, steps(move, backoff)]))
)
