/** Where a cascade starts (`Cascade.ts`): at one task or at many, with the edges of the tasks that wait for them. */
import type * as D1Client from "@effect/sql-d1/D1Client"
import type { Fragment } from "effect/sql/Statement"
import type { TaskId } from "../../domain/Identifier.ts"
import * as Edges from "../dependency/Edges.ts"

export interface Source {
  /** A query with a row if a task may have to fail: asked before anything else, which costs nothing where none has. */
  readonly risk: Fragment
  /** Rows `edge` of `dependencies` with `up`, the id, scope and queue of the blocker they lead to. It may have failed. */
  readonly failing: Fragment
  /** More of these. */
  readonly besides?: Fragment
  /** A query with a row if there may be `edges`. */
  readonly waiting: Fragment
  /** A query for the edges whose blocker has moved: `columns`, and the id and the queue of the blocker. */
  readonly edges: Fragment
  /** A condition on columns of `tasks`: which of them are about to fail, but have not been moved yet. */
  readonly ending?: Fragment
}

export const make = (sql: D1Client.D1Client) => {
  const { edgesTo, leadsTo, meant } = Edges.make(sql)

  const columns = sql`edge.task_id, edge.blocker_key, edge.blocker_id, edge.on_failure = 'fail'`
  const edges = (id: TaskId, condition: Fragment): Fragment => {
    // Looked up once, and only if there is an edge.
    const own = (column: Fragment) => sql`(SELECT ${column} FROM tasks WHERE id = ${id} ${condition})`
    return sql`SELECT ${columns}, ${id}, ${own(sql`queue`)} FROM dependencies AS edge
      WHERE ${edgesTo(id)} AND edge.scope = ${own(sql`scope`)}`
  }
  // A move that was refused left the task as it was, and so there is nothing to look at.
  const moved = (id: TaskId, now: number) => edges(id, sql`AND updated_at = ${now}`)

  const toOne = (id: TaskId) => sql`dependencies AS edge CROSS JOIN tasks AS up ON ${edgesTo(id)} AND up.id = ${id}`
  const some = (id: TaskId) => sql`SELECT 1 FROM dependencies WHERE ${edgesTo(id)} LIMIT 1`

  /** A task that has just been moved. */
  const of = (id: TaskId, now: number): Source => ({
    risk: some(id),
    failing: toOne(id),
    waiting: some(id),
    edges: moved(id, now)
  })

  /** A task that has not been moved, but is what another name means from now on. */
  const named = (id: TaskId): Source => ({ ...of(id, 0), edges: edges(id, sql``) })

  /** A task that has just been given these to wait for, some of which may have failed already. */
  const to = (id: TaskId, blockers: ReadonlyArray<string>, now: number): Source => ({
    ...of(id, now),
    // It keeps others waiting as before, unless it failed.
    edges: edges(id, sql`AND updated_at = ${now} AND queue = 'failed'`),
    risk: sql`SELECT 1`,
    failing: sql`dependencies AS edge CROSS JOIN tasks AS up
      ON edge.task_id = ${id} AND edge.blocker_id IN (SELECT value FROM json_each(${JSON.stringify(blockers)}))
        AND up.id IN ${meant(sql`edge.blocker_id`)}`
  })

  /**
   * The tasks for which `where` holds, which the batch is about to move to `queue`, an expression over their columns. Both
   * come before the move, since nothing finds those tasks after it.
   */
  const ofAll = (where: Fragment, queue: Fragment): Source => {
    // A task that only loses a lease where it is has failed before, and so have the tasks that fail with it.
    const up = sql`(SELECT * FROM (SELECT id, scope, ${queue} AS queue FROM tasks WHERE ${where} AND ${queue} <> queue)
      WHERE queue IN ${sql.in(Edges.lost)}) AS up CROSS JOIN dependencies AS edge ON ${leadsTo(sql`up.id`)}`
    const ending = sql`${where} AND ${queue} IN ${sql.in(Edges.lost)} AND ${queue} <> queue`
    const some = sql`SELECT 1 FROM tasks WHERE ${ending} LIMIT 1`
    return {
      risk: some,
      failing: up,
      waiting: some,
      edges: sql`SELECT ${columns}, up.id, up.queue FROM ${up} AND edge.scope = up.scope`,
      ending
    }
  }

  /** Whether a task that was just given back may fail with what it waits for: a condition on its columns. */
  const mayFall = sql`blocked_by IS NOT NULL`

  // While an agent held the tasks `freed`, their own blockers may have failed, and they would have failed with those.
  const freed = (from: Fragment) => {
    const all = sql`SELECT freed.id FROM ${from} AND freed.blocked_by IS NOT NULL AND freed.claimed_by IS NULL`
    return {
      risk: sql`${all} LIMIT 1`,
      failing: sql`(${all}) AS freed
        CROSS JOIN dependencies AS edge ON edge.task_id = freed.id AND edge.on_failure = 'fail'
        CROSS JOIN tasks AS up ON up.id IN ${meant(sql`edge.blocker_id`)}`
    }
  }

  /** A task that has just been moved, for what it waits for itself, as long as `condition`, which is about `freed`, holds. */
  const own = (id: TaskId, now: number, condition: Fragment = sql`1`): Source => ({
    ...of(id, now),
    ...freed(sql`tasks AS freed WHERE freed.id = ${id} AND ${condition}`)
  })

  /**
   * A task that has just been moved, for the tasks that wait for it, if the statement before changed anything, and for what it
   * waits for itself, if `condition` holds.
   */
  const around = (id: TaskId, now: number, condition: Fragment): Source => {
    const { failing: besides, risk } = own(id, now, condition)
    return {
      ...of(id, now),
      risk: sql`SELECT 1 WHERE (changes() > 0 AND EXISTS (${some(id)})) OR EXISTS (${risk})`,
      besides,
      // A task that was only given back where it is has failed before, and the tasks that failed with it then may have been
      // brought back since.
      failing: sql`${Edges.ifChanged(sql)} ${toOne(id)}
        AND (SELECT from_queue <> to_queue FROM history WHERE task_id = ${id} ORDER BY version DESC LIMIT 1)`
    }
  }

  /** Many tasks for what they wait for themselves, each at the version that the move gave it. */
  const ownOf = (tasks: ReadonlyArray<{ readonly id: TaskId; readonly version: number }>): Source => {
    const given = sql`json_each(${JSON.stringify(tasks.map(({ id, version }) => [id, version]))}) AS given`
    return {
      ...freed(sql`${given} CROSS JOIN tasks AS freed
        WHERE freed.id = given.value ->> 0 AND freed.version = given.value ->> 1`),
      waiting: sql`SELECT 1`,
      edges: sql`SELECT ${columns}, up.id, up.queue FROM ${given} CROSS JOIN tasks AS up ON up.id = given.value ->> 0
        CROSS JOIN dependencies AS edge ON ${leadsTo(sql`up.id`)} AND edge.scope = up.scope`
    }
  }

  return { of, named, to, own, ownOf, around, ofAll, mayFall }
}
