/**
 * The statements of a claim: which task it gets, whether the machine may have it, and the grant. `recorded` plans the
 * grant as a history row, and only it asks whether the machine may have the task. `granted` carries out the plan, and
 * `counted` counts it.
 *
 * Parameters: `:scope`, `:queue`, `:machine`, `:reach` (the scope that the machine has to belong to; null: any),
 * `:review` (1: a review claim), `:max_claimed`, `:roles`, `:types` and `:ranks` (JSON lists), `:queue_named` (1: the
 * claim names its queue), `:agent`, `:details`, `:seconds`, `:ends` (when the lease ends), `:asked_seconds` (how
 * long the claim says that the attempt may take; null: nothing) and `:attempt_seconds` (the same, or the default),
 * `:max_attempts`, `:max_lease_losses`, `:now`, and `:account` if it names one.
 */
import type { ScopeName } from "../../domain/Identifier.ts"
import { MaxRecord } from "../../domain/Size.ts"
import * as Feed from "../Feed.ts"
import * as Idempotency from "../Idempotency.ts"
import * as Breakers from "../record/Breakers.ts"
import * as Revisions from "../Revisions.ts"
import { type Statement, statement, type Values } from "../Statement.ts"
import { claimingFrom } from "./Claimant.ts"
import * as Parked from "./Parked.ts"

/**
 * What a claim looks past. `tasks`: oversized tasks and tasks at a cap of their own, which costs reading each of them.
 * `projects`: also the projects that are stopped, which costs a row or two for each project that has ready tasks.
 */
export type Passing = "nothing" | "tasks" | "projects"

/** The variant of a claim's statements. */
export interface Wanted {
  /** Whether it asks for every role, one, or several. A task without a role has the role ''. */
  readonly roles: "any" | "one" | "several"
  /** Whether it names priorities that come first. */
  readonly ranked: boolean
  /** Whether only some types match. */
  readonly typed: boolean
  readonly passing: Passing
  /** Whether one of the roles is '', which the index of roles does not contain. */
  readonly roleless: boolean
  /** Whether it names an account, which may be parked. */
  readonly accounted: boolean
}

/** The task is neither oversized nor at a cap of its own. */
const passable = `AND bytes <= ${MaxRecord} AND NOT capped`

const order = "ORDER BY priority_rank, created_at, id LIMIT 1"

/** The project is not stopped. The claim has already checked that the scope is not stopped. */
const runs = `NOT EXISTS (SELECT 1 FROM stopped_projects AS stopped
  WHERE stopped.id = stretch.project_key AND stopped.scope = :scope AND stopped.until > :now)`

/**
 * The best task of the projects that are not stopped. The index `tasks_ready_by_project` has the tasks of each role and
 * project in claim order. So each project costs as much as any other, however many tasks it has ready.
 */
const pastProjects = (roles: Wanted["roles"], ranked: boolean, typed: boolean): string => {
  const ready = "ready_by_project WHERE scope = :scope AND queue = :queue"
  const after = (column: string, last: string) => `(SELECT ${column} FROM ${ready} ${last} ORDER BY ${column} LIMIT 1)`
  const lanes = roles === "any"
    ? `SELECT ${after("lane", "")} UNION ALL SELECT ${
      after("lane", "AND lane > lanes.lane")
    } FROM lanes WHERE lane IS NOT NULL`
    : "SELECT value FROM json_each(:roles)"
  const inLane = "AND lane = stretch.lane"
  return `(
    WITH RECURSIVE lanes (lane) AS (${lanes}), stretch (lane, project_key) AS (
      SELECT lane, ${after("project_key", "AND lane = lanes.lane")} FROM lanes WHERE lane IS NOT NULL
      UNION ALL SELECT lane, ${after("project_key", `${inLane} AND project_key > stretch.project_key`)}
      FROM stretch WHERE project_key IS NOT NULL)
    SELECT best.id FROM stretch ${
    ranked ? "CROSS JOIN json_each(:places) AS asked" : ""
  } CROSS JOIN tasks AS best ON best.id = (
      SELECT id FROM ${ready} ${inLane} AND project_key = stretch.project_key
        ${
    ranked ? "AND priority_rank BETWEEN coalesce(asked.value, -9e15) AND coalesce(asked.value, 9e15)" : ""
  } ${passable}
        ${typed ? "AND type IN (SELECT value FROM json_each(:types))" : ""} ${order})
    WHERE stretch.project_key IS NOT NULL AND ${runs}
    ORDER BY ${ranked ? "asked.key," : ""} best.priority_rank, best.created_at, best.id LIMIT 1)`
}

/**
 * The id of the task that the claim gets: the most urgent ready task that matches. The index `tasks_ready` has the
 * ready tasks in claim order, and `tasks_ready_for` has them for each role. So a claim reads a row or two for each
 * role, however many tasks of other roles are ahead.
 */
export const nextTask = ({ passing, ranked, roleless, roles, typed }: Omit<Wanted, "accounted">): string => {
  if (passing === "projects") return pastProjects(roles, ranked, typed)
  const ready = roles === "any" || roleless ? "ready" : "ready_for"
  const matching = `scope = :scope AND queue = :queue
    ${passing === "tasks" ? passable : ""} ${typed ? "AND type IN (SELECT value FROM json_each(:types))" : ""}`
  const lane = "lane = asked.value ->> 0"
  const best = (seeks: string, match: string, first: string) =>
    `SELECT best.id FROM json_each(${seeks}) AS asked CROSS JOIN tasks AS best ON best.id = (
      SELECT id FROM ${ready} WHERE ${matching} AND ${match} ${order})
    ORDER BY ${first} best.priority_rank, best.created_at, best.id LIMIT 1`
  const mostUrgent = roles === "any"
    ? `SELECT id FROM ${ready} WHERE ${matching} ${order}`
    : roles === "one"
    ? `SELECT id FROM ${ready} WHERE ${matching} AND lane = :roles ->> 0 ${order}`
    : best(":lanes", lane, "")
  return ranked
    ? `coalesce((${
      best(":seeks", `${roles === "any" ? "" : `${lane} AND`} priority_rank = asked.value ->> 1`, "asked.value ->> 2,")
    }), (${mostUrgent}))`
    : `(${mostUrgent})`
}

/**
 * Whether the machine may hold one more task. Reviews do not count and have no limit. Tasks of another scope do not
 * count either, because each project of a machine has its own limit. Usually all machines together hold fewer, and
 * nothing is counted.
 */
const hasRoom = `(:review OR coalesce(:max_claimed, max_claimed) IS NULL
  OR coalesce((SELECT counts ->> '$.claimed' FROM queue_counts WHERE queue_counts.scope = :scope), 0) < coalesce(:max_claimed, max_claimed)
  OR (SELECT count(*) FROM (
    SELECT 1 FROM tasks INDEXED BY tasks_leased WHERE claimed_by IS NOT NULL AND scope = :scope AND queue = 'claimed'
      AND orchestrator_id = :machine LIMIT coalesce(:max_claimed, -1))) < coalesce(:max_claimed, max_claimed))`

/** Whether the roles of the machine's scope are as the claim assumes. A scope without roles knows every name. */
const rolesHold = `(SELECT count(*) = 0 OR (
    count(*) FILTER (WHERE name IN (SELECT value FROM json_each(:roles))) = json_array_length(:roles)
    AND (:queue_named OR count(*) FILTER (WHERE name = :roles ->> 0 AND claims_from = :queue) = 1))
  FROM roles WHERE roles.scope = orchestrators.scope)`

/**
 * The token of the next grant: higher than all before, even in a restored database (`../transfer/Recount.ts`).
 */
export const nextToken = (grants: string) =>
  `max(${grants}, coalesce((SELECT token FROM fencing_floor WHERE id = 1), 0)) + 1`

/** The deadline: the shorter limit of task and claim, or else the default. */
const deadline =
  "iif(:review, NULL, :now + 1000 * min(coalesce(max_attempt_seconds, :attempt_seconds), coalesce(:asked_seconds, 9e15)))"

/** A machine that was silent shows another status after `seen`. */
export const revived = Revisions.raiseMachines("id = :machine AND scope = :scope AND status = 'offline'")

/** Records that the machine is alive. If its last heartbeat is younger than `:fresh`, that is not written again. */
export const seen = statement(`
  UPDATE orchestrators SET last_heartbeat = :now, status = iif(status = 'offline', 'active', status)
  WHERE id = :machine AND scope = :scope AND (status = 'offline' OR last_heartbeat < :fresh)`)

export interface Steps {
  readonly recorded: Statement
  readonly granted: Statement
  readonly probed: Statement
  readonly counted: Statement
  readonly kept: Idempotency.Keeping
}

const known = new Map<string, Steps>()

export const steps = (wanted: Wanted): Steps => {
  const key = Object.values(wanted).join()
  const found = known.get(key) ?? make(wanted)
  known.set(key, found)
  return found
}

/**
 * The newest change that this batch has recorded: the grant, if there is one. The expired leases are recorded before
 * it.
 */
const newest = (columns: string) => `(SELECT ${columns} FROM plans WHERE scope = :scope ORDER BY seq DESC LIMIT 1)`

const make = (wanted: Wanted): Steps => {
  const next = nextTask(wanted)
  return {
    recorded: statement(`
      INSERT INTO history (task_id, version, scope, seq, event, from_queue, to_queue, actor, details, grants, at, title, project_id)
      SELECT id, version + 1, scope, ${Feed.nextSeq("tasks", "one")}, iif(:review, 'review_claimed', 'claimed'), queue,
        iif(:review, queue, 'claimed'), :agent, :details, grants, :now, title, project_id
      FROM caps AS tasks WHERE id = ${next} AND bytes <= ${MaxRecord} AND capped_until <= :now AND breaker_until <= :now AND EXISTS (
        SELECT 1 FROM ${claimingFrom(":scope")} AND status <> 'maintenance' AND ${hasRoom}
          ${wanted.roles === "any" ? "" : `AND ${rolesHold}`})${wanted.accounted ? ` AND ${Parked.mayClaim}` : ""}`),
    granted: statement(`
      UPDATE tasks SET version = version + 1, updated_at = :now, queue = iif(:review, queue, 'claimed'), grants = ${
      nextToken("grants")
    },
        claimed_by = :agent, claimed_at = :now, claimed_from = queue, orchestrator_id = :machine, lease_seconds = :seconds,
        deadline_at = ${deadline}, lease_expires_at = min(:ends, coalesce(${deadline}, :ends)),
        loss_limit = nullif(coalesce(max_lease_losses, CAST(:max_lease_losses AS INTEGER)), 0),
        attempt_limit = nullif(coalesce(max_attempts, CAST(:max_attempts AS INTEGER)), 0),
        lapsed_token = NULL, available_at = NULL, failure_reason = NULL, cancel_reason = NULL, needs_intervention = 0,
        completed_at = iif(:review, completed_at, NULL)
      WHERE (id, version + 1) = ${newest("task_id, version")} RETURNING *`),
    probed: Breakers.probed,
    counted: Feed.counted("= :scope"),
    kept: Idempotency.keeping({
      row: { id: "id", fencing_token: "fencing_token" },
      from: "tasks",
      where: `id = ${newest("task_id")}`,
      besides: `SELECT * FROM tasks WHERE scope = :scope
        AND id = (SELECT answer FROM idempotency_keys WHERE id = :key) ->> '$[0].id'`
    })
  }
}

export interface Criteria {
  readonly scope: ScopeName
  readonly queue: string
  /** Any of these roles; every role if the list is empty. */
  readonly roles: ReadonlyArray<string>
  /** Any of these types; every type if the list is empty. */
  readonly types: ReadonlyArray<string>
  /** The ranks to look through first, in this order. */
  readonly ranks: ReadonlyArray<number>
  /** The account with a provider; null if the claim names none. */
  readonly account: string | null
}

export const variantOf = ({ account, ranks, roles, types }: Criteria, passing: Passing): Wanted => ({
  roles: roles.length === 0 ? "any" : roles.length === 1 ? "one" : "several",
  roleless: roles.includes(""),
  ranked: ranks.length > 0,
  typed: types.length > 0,
  passing,
  accounted: account !== null
})

export const valuesOf = ({ account, queue, ranks, roles, scope, types }: Criteria): Values => ({
  scope,
  queue,
  account,
  roles: JSON.stringify(roles),
  types: JSON.stringify(types),
  // After the ranks that are named come all others.
  places: JSON.stringify([...ranks, null]),
  lanes: JSON.stringify(roles.map((role) => [role])),
  seeks: JSON.stringify(
    (roles.length === 0 ? [""] : roles).flatMap((role) => ranks.map((rank, place) => [role, rank, place]))
  )
})
