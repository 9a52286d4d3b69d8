/**
 * The statements of a claim: which task it gets, whether the machine may have it, and the grant. `recorded` plans the grant as
 * a history row, and only it asks whether the machine may have the task; `counted` and `granted` carry out what is planned.
 *
 * Their parameters: `:scope`, `:queue`, `:machine`, `:reach` (the scope that the machine has to belong to; null: any), `:review` (1: a review claim),
 * `:max_claimed`, `:roles`, `:types` and `:ranks` (JSON lists), `:queue_named` (1: the claim names its queue), `:agent`, `:details`, `:seconds`,
 * `:ends` (when the lease ends), `:attempt_seconds` and `:default_attempt_seconds`, `:max_attempts`, `:max_lease_losses`, `:now`.
 */
import type { ScopeName } from "../../domain/Identifier.ts"
import * as Cascade from "../dependency/Cascade.ts"
import * as Idempotency from "../Idempotency.ts"
import { type Statement, statement, type Values } from "../Statement.ts"
import { claimingFrom } from "./Claimant.ts"

/** What a claim looks for: the names of its variants. */
export interface Wanted {
  /** For every role, for one, or for several. A task without a role has the role ''. */
  readonly roles: "any" | "one" | "several"
  /** Whether some priorities go first. */
  readonly ranked: boolean
  /** Whether only some types match. */
  readonly typed: boolean
  /** Whether it looks past tasks that are oversized, which takes reading each of them. */
  readonly passing: boolean
  /** Whether one of the roles is '', which the index of roles leaves out. */
  readonly roleless: boolean
}

const order = "ORDER BY priority_rank, created_at, id LIMIT 1"

/**
 * The id of the task that a claim gets: the most urgent one that is ready and matches. The index `tasks_ready` has the ready tasks
 * in the order of claims, and `tasks_ready_for` has the same for each role: so a claim reads a row or two for each role,
 * however many tasks of other roles are ahead.
 */
export const nextTask = ({ passing, ranked, roleless, roles, typed }: Wanted): string => {
  const ready = roles === "any" || roleless ? "ready" : "ready_for"
  const matching = `scope = :scope AND queue = :queue
    ${passing ? `AND NOT bytes > ${Cascade.MaxBytes}` : ""} ${
    typed ? "AND type IN (SELECT value FROM json_each(:types))" : ""
  }`
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
 * Whether the machine may hold one more task. Reviews do not count and are not limited; nor do tasks of another scope, since each
 * project that a machine works for has a limit of its own. Mostly all machines together hold fewer, and nothing is counted.
 */
const hasRoom = `(:review OR coalesce(:max_claimed, max_claimed) IS NULL
  OR coalesce((SELECT counts ->> '$.claimed' FROM queue_counts WHERE queue_counts.scope = :scope), 0) < coalesce(:max_claimed, max_claimed)
  OR (SELECT count(*) FROM (
    SELECT 1 FROM tasks INDEXED BY tasks_leased WHERE claimed_by IS NOT NULL AND scope = :scope AND queue = 'claimed'
      AND orchestrator_id = :machine LIMIT coalesce(:max_claimed, -1))) < coalesce(:max_claimed, max_claimed))`

/** Whether the roles of the machine's scope are as the claim takes them to be. A scope without roles knows every name. */
const rolesHold = `(SELECT count(*) = 0 OR (
    count(*) FILTER (WHERE name IN (SELECT value FROM json_each(:roles))) = json_array_length(:roles)
    AND (:queue_named OR count(*) FILTER (WHERE name = :roles ->> 0 AND claims_from = :queue) = 1))
  FROM roles WHERE roles.scope = orchestrators.scope)`

/** The token of the next grant: higher than all before, also in a database that was restored (`scripts/data/dump/recount.ts`). */
export const nextToken = (grants: string) =>
  `max(${grants}, coalesce((SELECT token FROM fencing_floor WHERE id = 1), 0)) + 1`

/** When the attempt has to end: the tighter limit of what the task and the claim say, or else the default. */
const deadline = `iif(:review, NULL, :now + 1000 * min(
  coalesce(max_attempt_seconds, :attempt_seconds, :default_attempt_seconds),
  coalesce(:attempt_seconds, max_attempt_seconds, :default_attempt_seconds)))`

/** Says that the machine is alive. A heartbeat younger than `:fresh` says the same, without another written row. */
export const seen = statement(`
  UPDATE orchestrators SET last_heartbeat = :now, status = iif(status = 'offline', 'active', status)
  WHERE id = :machine AND scope = :scope AND (status = 'offline' OR last_heartbeat < :fresh)`)

export interface Steps {
  readonly recorded: Statement
  readonly counted: Statement
  readonly granted: Statement
  readonly kept: Idempotency.Keeping
}

const known = new Map<string, Steps>()

export const steps = (wanted: Wanted): Steps => {
  const key = Object.values(wanted).join()
  const found = known.get(key) ?? make(wanted)
  known.set(key, found)
  return found
}

const make = (wanted: Wanted): Steps => {
  const next = nextTask(wanted)
  return {
    recorded: statement(`
      INSERT INTO history (task_id, version, scope, event, from_queue, to_queue, actor, details, grants, at)
      SELECT id, version + 1, scope, iif(:review, 'review_claimed', 'claimed'), queue, iif(:review, queue, 'claimed'), :agent,
        :details, grants, :now
      FROM tasks WHERE id = ${next} AND bytes <= ${Cascade.MaxBytes} AND EXISTS (
        SELECT 1 FROM orchestrators WHERE ${claimingFrom(":scope")} AND status <> 'maintenance' AND ${hasRoom}
          ${wanted.roles === "any" ? "" : `AND ${rolesHold}`})`),
    counted: Cascade.countedOne(next),
    granted: statement(`
      UPDATE tasks SET version = planned.version, updated_at = :now, queue = to_queue, grants = ${nextToken("grants")},
        claimed_by = :agent, claimed_at = :now, claimed_from = queue, orchestrator_id = :machine, lease_seconds = :seconds,
        deadline_at = ${deadline}, lease_expires_at = min(:ends, coalesce(${deadline}, :ends)),
        loss_limit = nullif(coalesce(max_lease_losses, CAST(:max_lease_losses AS INTEGER)), 0),
        attempt_limit = nullif(coalesce(max_attempts, CAST(:max_attempts AS INTEGER)), 0),
        lapsed_token = NULL, available_at = NULL, failure_reason = NULL, cancel_reason = NULL, needs_intervention = 0,
        completed_at = iif(:review, completed_at, NULL)
      FROM planned WHERE tasks.id = planned.id AND planned.id = ${next} RETURNING *`),
    // While the task is still ready, the same expression finds it.
    kept: Idempotency.keeping({
      row: { id: "id", fencing_token: nextToken("grants") },
      from: "tasks",
      where: `id = ${next}`,
      besides: `SELECT * FROM tasks WHERE scope = :scope
        AND id = (SELECT answer FROM idempotency_keys WHERE id = :key) ->> '$[0].id'`
    })
  }
}

export interface Criteria {
  readonly scope: ScopeName
  readonly queue: string
  /** Any of these roles, or every one. */
  readonly roles: ReadonlyArray<string>
  /** Any of these types, or every one. */
  readonly types: ReadonlyArray<string>
  /** Ranks to look through first, in this order. */
  readonly ranks: ReadonlyArray<number>
}

/** The variant. `passing` is whether the claim looks past oversized tasks, which takes reading each of them. */
export const variantOf = ({ ranks, roles, types }: Criteria, passing: boolean): Wanted => ({
  roles: roles.length === 0 ? "any" : roles.length === 1 ? "one" : "several",
  roleless: roles.includes(""),
  ranked: ranks.length > 0,
  typed: types.length > 0,
  passing
})

export const valuesOf = ({ queue, ranks, roles, scope, types }: Criteria): Values => ({
  scope,
  queue,
  roles: JSON.stringify(roles),
  types: JSON.stringify(types),
  lanes: JSON.stringify(roles.map((role) => [role])),
  seeks: JSON.stringify(
    (roles.length === 0 ? [""] : roles).flatMap((role) => ranks.map((rank, place) => [role, rank, place]))
  )
})
