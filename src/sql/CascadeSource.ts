/** Where a cascade starts (`Cascade.ts`): with one task or many, and whoever waits for them. */
import type * as D1Client from "@effect/sql-d1/D1Client"
import type { Fragment } from "effect/sql/Statement"
import type { TaskId } from "../domain/Identifier.ts"
import * as Edges from "./Edges.ts"

export interface Source {
  /** A row if there may be anything to do: looked for before anything else, which costs nothing where there is none. */
  readonly any: Fragment
  /** Rows `edge` of `dependencies` with `up`, the id, scope and queue of the blocker they lead to. */
  readonly failing: Fragment
  /** More of these. */
  readonly besides?: Fragment
  /** Rows `edge` of `dependencies` that have to be looked at again, with the id and the queue of their blocker. */
  readonly edges: Fragment
  /** A condition on columns of `tasks`: who is about to fail, but has not been moved yet. */
  readonly ending?: Fragment
}

export const make = (sql: D1Client.D1Client) => {
  const { edgesTo, leadsTo, meant } = Edges.make(sql)

  const columns = sql`edge.blocker_key, edge.task_id, edge.blocker_id, edge.on_failure`
  const edges = (id: TaskId): Fragment => {
    const own = (column: Fragment) => sql`(SELECT ${column} FROM tasks WHERE id = ${id})`
    return sql`SELECT ${columns}, ${id}, ${own(sql`queue`)} FROM dependencies AS edge
      WHERE ${edgesTo(id)} AND edge.scope = ${own(sql`scope`)}`
  }

  /** A task that has just been moved, whoever waits for it. */
  const of = (id: TaskId): Source => ({
    any: sql`SELECT 1 FROM dependencies WHERE ${edgesTo(id)} LIMIT 1`,
    failing: sql`dependencies AS edge CROSS JOIN tasks AS up ON ${edgesTo(id)} AND up.id = ${id}`,
    edges: edges(id)
  })

  /** A task that has just been given these to wait for, some of which may have failed already. */
  const to = (id: TaskId, blockers: ReadonlyArray<string>): Source => ({
    any: sql`SELECT 1`,
    failing: sql`dependencies AS edge CROSS JOIN tasks AS up
      ON edge.task_id = ${id} AND edge.blocker_id IN (SELECT value FROM json_each(${JSON.stringify(blockers)}))
        AND up.id IN ${meant(sql`edge.blocker_id`)}`,
    edges: edges(id)
  })

  /**
   * The tasks for which `where` holds, which the batch is about to move to `queue`, an expression over their columns. Both
   * come before the move, since nothing finds those tasks after it.
   */
  const ofAll = (where: Fragment, queue: Fragment): Source => {
    // One that only loses a lease where it is has failed before, and so has whoever was to fail with it.
    const ending = sql`${where} AND ${queue} IN ${sql.in(Edges.lost)} AND ${queue} <> queue`
    const up = sql`(SELECT * FROM (SELECT id, scope, ${queue} AS queue FROM tasks WHERE ${where} AND ${queue} <> queue)
      WHERE queue IN ${sql.in(Edges.lost)}) AS up CROSS JOIN dependencies AS edge ON ${leadsTo(sql`up.id`)}`
    return {
      any: sql`SELECT 1 FROM tasks WHERE ${ending} LIMIT 1`,
      failing: up,
      edges: sql`SELECT ${columns}, up.id, up.queue FROM ${up} AND edge.scope = up.scope`,
      ending
    }
  }

  /** Whether a task that was just given back may fail with what it waits for: a condition on its columns. */
  const mayFall = sql`blocked_by IS NOT NULL`

  // What these wait for themselves may have failed while somebody held them, or else they would have failed with it.
  const freed = (which: Fragment) => ({
    any: sql`SELECT 1 FROM tasks AS freed
      WHERE ${which} AND freed.blocked_by IS NOT NULL AND freed.claimed_by IS NULL LIMIT 1`,
    failing: sql`tasks AS freed CROSS JOIN dependencies AS edge ON edge.task_id = freed.id
      CROSS JOIN tasks AS up ON ${which} AND up.id IN ${meant(sql`edge.blocker_id`)}`
  })

  /** A task that has just been moved, for what it waits for itself, as long as `moved`, a condition on `freed`, holds. */
  const own = (id: TaskId, moved: Fragment = sql`1`): Source => ({
    ...freed(sql`freed.id = ${id} AND ${moved}`),
    edges: edges(id)
  })

  /**
   * A task that has just been moved, for both: whoever waits for it, if the statement before changed anything, and what it
   * waits for itself, if `moved` holds.
   */
  const around = (id: TaskId, moved: Fragment): Source => {
    const { any, failing } = own(id, moved)
    const others = of(id)
    return {
      ...others,
      // One that was only given back where it is has failed before, and whoever was to fail with it then may have been
      // brought back since.
      failing: sql`${others.failing}
        AND (SELECT from_queue <> to_queue FROM history WHERE task_id = up.id AND history.version = up.version)`,
      any: sql`SELECT 1 WHERE (changes() > 0 AND EXISTS (SELECT 1 FROM dependencies WHERE ${edgesTo(id)}))
        OR EXISTS (${any})`,
      besides: failing
    }
  }

  /** The same of many for what they wait for, each of the version the move gave it; and afterwards whoever waits for those. */
  const ownOf = (tasks: ReadonlyArray<{ readonly id: TaskId; readonly version: number }>) => {
    const given = JSON.stringify(tasks.map(({ id, version }) => [id, version]))
    const fallen = freed(sql`freed.id IN (SELECT value ->> 0 FROM json_each(${given}))
      AND freed.version = (SELECT value ->> 1 FROM json_each(${given}) WHERE value ->> 0 = freed.id)`)
    const waiting = sql`SELECT ${columns}, up.id, up.queue FROM json_each(${given}) AS given
      CROSS JOIN tasks AS up ON up.id = given.value ->> 0
      CROSS JOIN dependencies AS edge ON ${leadsTo(sql`up.id`)} AND edge.scope = up.scope`
    const before: Source = { ...fallen, edges: waiting }
    return { before, after: { ...before, any: sql`SELECT 1` } }
  }

  return { columns, of, to, own, ownOf, around, ofAll, mayFall }
}
