/**
 * A move of one task by its id, as statements: `recorded` asks whether the move may be made and where it leads, and plans it as
 * a history row; `moved` carries out what is planned. What follows for other tasks comes between (`dependency/Cascade.ts`).
 *
 * The statements are made from the table of moves (`domain/task/Moves.ts`), once for each move. Their parameters:
 * `:id`, `:scope` and `:version` (null: any), `:token` and `:lenient` (see `fenced`), `:now`, `:actor`, `:reason` and its
 * beginning `:excerpt`, `:details`, `:max_attempts`, `:max_rejections`; with backoff `:backoff_base`, `:backoff_max`, `:seed`.
 */
import { Spread } from "../../domain/lease/Backoff.ts"
import { type Budget, units } from "../../domain/lease/Budget.ts"
import { ends, intervention, type Move, moves } from "../../domain/task/Moves.ts"
import * as Cascade from "../dependency/Cascade.ts"
import { type Statement, statement } from "../Statement.ts"

const { oversized } = Cascade

const listed = (queues: ReadonlyArray<string>) => `(${queues.map((queue) => `'${queue}'`).join(", ")})`

/** The scope, the version and the token that a call names, where it names them. */
export const named = "(:scope IS NULL OR scope = :scope) AND (:version IS NULL OR version = :version)"

/**
 * The fence (`domain/lease/Fence.ts`): a token that is given has to be that of the lease, or of the lease that expired last. Where
 * tokens are required (`:lenient` is 0) and none is given, nobody may hold the task.
 */
export const fenced = (afterLapse: boolean): string =>
  `(coalesce(fencing_token, lapsed_token) = :token OR (:token IS NULL AND (:lenient OR (
    claimed_by IS NULL${afterLapse ? " AND lapsed_token IS NULL" : ""}))))`

// Where an intervention came up, whether or not the task was claimed to settle it.
const cameFrom = "coalesce(intervention_from, 'claimed')"
const stuck = `(queue = '${intervention}' OR (queue = 'claimed' AND claimed_from = '${intervention}'))`

/**
 * Where the task counts as being. A lease that expired counts as held, for a move that may still be made. A settled intervention
 * goes on from where it came up, or is handed in like other work that is not done.
 */
const place = ({ afterLapse, flow }: Move): string =>
  `CASE ${afterLapse ? "WHEN lapsed_token IS NOT NULL THEN 'claimed'" : ""} WHEN queue = '${intervention}'
    THEN ${flow === "step" ? cameFrom : `iif(${cameFrom} = 'done', 'done', 'claimed')`} ELSE queue END`

// The queue that the task was claimed from: a task claimed from a queue of its flow may go on from there as well.
const origin = `iif(coalesce(claimed_from, queue) = '${intervention}', ${cameFrom}, coalesce(claimed_from, queue))`

/** Where the move leads, if no flow says otherwise. */
const destination = ({ to }: Move): string =>
  to === "same"
    ? "queue"
    : to === "back"
    ? "iif(queue = 'claimed', claimed_from, queue)"
    : to === "origin"
    ? "iif(queue = 'claimed', claimed_from, 'incoming')"
    : `'${to.queue}'`

const leadsToDone = ({ to }: Move) => typeof to === "object" && to.queue === "done"

/** Whether the move is a way out of an intervention: to start again, or to be done as before. */
const settles = (move: Move): string => leadsToDone(move) ? `(${stuck} AND ${cameFrom} = 'done')` : stuck

const starts = (move: Move): string =>
  move.from === "other"
    ? "queue <> 'claimed'"
    : move.from === "held"
    ? "claimed_by IS NOT NULL"
    : move.from === "unfinished"
    ? `queue NOT IN ${listed(ends)}`
    : `(place IN ${listed(move.from)} ${move.flow === "step" ? `OR ${settles(move)}` : ""})`

// Queue names hold no quotes (`domain/Identifier.ts`), so this is always a path.
const leads = (from: string, to: string): string =>
  `coalesce(rule ->> ('$.leads."' || ${from} || '"."' || ${to} || '"'), 0)`
const onward = `coalesce(rule ->> ('$.onward."' || origin || '"'), rule ->> '$.submit')`

/** Where the registered flow leads the task; '' where it leads nowhere. */
const flowed = (move: Move): string =>
  move.flow === "step"
    ? `iif(${settles(move)} OR ${leads("place", "destination")} OR ${leads("origin", "destination")}
        OR ${leads("queue", "destination")} ${move.to === "origin" ? `OR ${leads("place", "'incoming'")}` : ""},
      destination, '')`
    : `iif(${starts(move)}, ${move.flow === "burnOut" ? `coalesce(rule ->> '$.burnOut', ${onward})` : onward}, '')`

/**
 * The queue that the move leads to, or '' where it leads nowhere: over `place`, `origin` and `destination`. A task whose flow is
 * not registered follows the table of moves.
 */
const landing = (move: Move): string => {
  const usual = `iif(${starts(move)}, destination, '')`
  return move.flow === "none" ? usual : `coalesce((
    SELECT ${flowed(move)} FROM (
      SELECT rules -> iif(project_id IS NULL, '$.task', '$.child') AS rule FROM flows
      WHERE flows.scope = task.scope AND flows.name = task.flow)), ${usual})`
}

const spent: Record<Budget, string> = {
  max_attempts: "attempt_count - lease_losses",
  max_lease_losses: "lease_losses",
  max_rejections: "rejection_count"
}

// A number that is bound may be a real, which is another text and other JSON.
const limit = (budget: Budget): string => `coalesce(${budget}, CAST(:${budget} AS INTEGER))`

const spendsLast = (budget: Budget): string => `${spent[budget]} + 1 >= nullif(${limit(budget)}, 0)`

/** The queue in which the task ends up: a requested cancellation goes first, and a spent budget fails the task. */
const target = ({ budget, yields }: Move): string =>
  budget === undefined && !yields ? "usual" : `CASE
    ${yields ? "WHEN cancel_requested_at IS NOT NULL THEN 'cancelled'" : ""}
    ${budget === undefined ? "" : `WHEN ${spendsLast(budget)} THEN 'failed'`} ELSE usual END`

/** Says that a budget of `most` is spent. `last` is the reason of the move. */
export const budgetSpent = (budget: Budget, most: string, last: string): string => {
  const { many, one } = units[budget]
  return `'The budget of ' || ${most} || iif(${most} = 1, ' ${one} is spent.', ' ${many} is spent.')
    || coalesce(' Last: ' || ${last}, '')`
}

/** What history keeps besides: the budget, if it is spent. */
const details = ({ budget, yields }: Move): string =>
  budget === undefined ? ":details" : `iif(${yields ? "cancel_requested_at IS NULL AND " : ""}${spendsLast(budget)},
    json_set(coalesce(:details, '{}'), '$.budget', '${budget}', '$.limit', ${limit(budget)}), :details)`

/** Who made the move. */
const actor = (move: Move): string =>
  move === moves.submit || move === moves.burnOut
    // After a lease expired, its holder is in the history row that says so.
    ? `iif(lapsed_token IS NULL, coalesce(claimed_by, :actor), (
        SELECT actor FROM history WHERE task_id = id AND event = '${moves.expire.event}' ORDER BY version DESC LIMIT 1))`
    : move === moves.requeue || move === moves.release || move === moves.fail
    ? "coalesce(:actor, claimed_by)"
    : ":actor"

/** The columns of a lease, which end with it. */
export const noLease = `claimed_by = NULL, claimed_at = NULL, claimed_from = NULL, orchestrator_id = NULL,
  lease_expires_at = NULL, lease_seconds = NULL, deadline_at = NULL, cancel_requested_at = NULL`

// The last setbacks say enough, and a row has to stay small.
const MaxSetbacks = 10

// The notes of a rejected result are lost to the task with its next result. This many characters of them stay.
const MaxNoted = 1000

const ofResult = ["execution_notes", "check_results"].map((name) => `, '${name}', substr(${name}, 1, ${MaxNoted})`)
  .join("")

/** The list of setbacks with one more, from the columns of the task before the move. A task that is oversized keeps it. */
export const withSetback = (event: string, actor: string, reason: string): string =>
  `iif(${oversized}, setbacks, json_insert(
    iif(json_array_length(setbacks) >= ${MaxSetbacks}, json_remove(setbacks, '$[0]'), coalesce(setbacks, '[]')),
    '$[#]', json_object('event', ${event}, 'actor', ${actor}, 'reason', ${reason}, 'at', CAST(:now AS INTEGER),
      'fencing_token', fencing_token${event === `'${moves.reject.event}'` ? ofResult : ""})))`

// What the last characters of an id weigh, where ids differ most: powers of the golden section of the spread, so that tasks
// with consecutive numbers are spread evenly.
const weights = Array.from({ length: 6 }).reduce<ReadonlyArray<number>>(
  (all) => [...all, ((all.at(-1) ?? 1) * 618_036) % Spread],
  []
)
const number = weights.map((weight, i) => `unicode(substr('------' || tasks.id, ${-1 - i}, 1)) * ${weight}`).join(" + ")

/** Until when a task backs off after one more attempt (`domain/lease/Backoff.ts`). Tasks of one batch share the seed. */
export const backsOffUntil = `:now + CAST(round(
  min(:backoff_max, :backoff_base * (1 << min(max(attempt_count, 0), 30)))
  * (500 + 500 * ((coalesce(${number}, 0) + :seed) % ${Spread} / ${Spread}.0))) AS INTEGER)`

/** Moves after which the task is free again without a result. Its own blockers may have failed while it was held. */
const frees: ReadonlySet<Move> = new Set<Move>([moves.requeue, moves.release, moves.reject])

/** What the moves write besides. Each begins with a comma. */
const besides = new Map<Move, string>([
  [
    moves.submit,
    `, submitted_at = :now, commits_count = :commits_count, turns_used = :turns_used,
    check_results = :check_results, execution_notes = :execution_notes, pr_number = coalesce(:pr_number, pr_number),
    pr_url = coalesce(:pr_url, pr_url)`
  ],
  [moves.accept, ", completed_at = :completed"],
  [moves.reject, ", last_rejection_reason = :reason"],
  [moves.fail, ", execution_notes = :reason"],
  [moves.redrive, ", attempt_count = 0, lease_losses = 0, rejection_count = 0, named_holder = NULL"]
])
besides.set(moves.burnOut, besides.get(moves.submit)!)

const changed = (move: Move, backoff: boolean): string => {
  const ownFailure = frees.has(move)
    ? `WHEN planned.event = 'dependency_failed' THEN iif(${oversized}, NULL, planned.reason)`
    : ""
  const failure = typeof move.to === "object" && move.to.queue === "failed"
    ? ":reason"
    : move.to === "same" || move.to === "back"
    ? `CASE ${ownFailure} WHEN queue = 'failed' THEN failure_reason END`
    : move.budget === undefined
    ? "NULL"
    : `CASE ${ownFailure} WHEN to_queue = 'failed' AND NOT ${oversized} THEN ${
      budgetSpent(move.budget, limit(move.budget), ":reason")
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
    move.backsOff && backoff ? `iif(to_queue IN ('failed', 'cancelled'), NULL, ${backsOffUntil})` : "NULL"
  }
    ${move.setback ? `, setbacks = ${withSetback(`'${move.event}'`, actor(move), ":excerpt")}` : ""} ${
    besides.get(move) ?? ""
  }`
}

// What decides whether a move may be made and where it leads. SQLite takes longer to prepare a statement that names all columns.
const judged =
  `id, scope, version, queue, grants, flow, project_id, claimed_by, claimed_from, lapsed_token, intervention_from,
  cancel_requested_at, attempt_count, lease_losses, rejection_count, max_attempts, max_rejections`

export interface Steps extends Cascade.Cascade {
  readonly recorded: Statement
  readonly counted: Statement
  readonly moved: Statement
}

/** The steps of a move by id. `backoff` says whether the server lets tasks back off. */
export const steps = (move: Move, backoff: boolean): Steps => ({
  recorded: statement(`
    INSERT INTO history (task_id, version, scope, event, from_queue, to_queue, actor, reason, details, grants, at)
    SELECT id, version + 1, scope,
      ${
    move.flow === "burnOut" ? `iif(usual = destination, '${move.event}', '${moves.submit.event}')` : `'${move.event}'`
  },
      queue, ${target(move)}, ${actor(move)}, :excerpt, ${details(move)}, grants, :now
    FROM (
      SELECT *, ${landing(move)} AS usual FROM (
        SELECT ${judged}, ${place(move)} AS place, ${origin} AS origin, ${destination(move)} AS destination
        FROM tasks WHERE id = :id AND ${named} AND ${fenced(move.afterLapse)}) AS task)
    WHERE usual NOT IN ('', ${
    // A move to where the task is already is none, except that a held task may be given back where it is.
    move.to === "back" ? "''" : move.afterLapse ? "iif(lapsed_token IS NULL, queue, '')" : "queue"})`),
  counted: Cascade.countedOne(":id"),
  ...Cascade.make(Cascade.itself, frees.has(move) ? { ownFailure: "1" } : {}),
  moved: statement(`
    UPDATE tasks SET ${changed(move, backoff)}
    FROM planned WHERE tasks.id = :id AND planned.id = :id RETURNING *`)
})
