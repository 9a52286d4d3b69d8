/** The edges of tasks to what they wait for: how one is found, when it is satisfied, and what is left to wait for. */
import type * as D1Client from "@effect/sql-d1/D1Client"
import { memoize } from "effect/Function"
import type { Fragment, Statement } from "effect/sql/Statement"
import type { Waits } from "../../domain/dependency/Dependency.ts"
import type { TaskId } from "../../domain/Identifier.ts"

/** What an edge is found by: the same for `x` and `TASK-x`. SQL has it as `replace(id, 'TASK-', '')`. */
export const blockerKey = (id: string) => id.replaceAll("TASK-", "")

/** The queues in which a blocker has failed, as what waits for it sees it. */
export const lost = ["failed", "cancelled"]

/**
 * What begins a FROM clause whose rest is of interest only if `condition` holds, or if the statement before changed anything.
 * D1 counts no row for this form.
 */
export const onlyIf = (sql: D1Client.D1Client, condition: Fragment): Fragment =>
  sql`json_each(iif(${condition}, '[1]', '[]')) AS made CROSS JOIN`
export const ifChanged = (sql: D1Client.D1Client): Fragment => onlyIf(sql, sql`changes() > 0`)

/** An edge as columns of a row, or as values that are about to become one. */
interface EdgeColumns {
  readonly scope: Fragment
  readonly blocker: Fragment
  readonly on_failure: Fragment
}

export const make = memoize((sql: D1Client.D1Client) => {
  /** The ids of the tasks that this name means, to be looked for in a list. */
  const meant = (name: Fragment): Fragment => sql`(${name}, iif(${name} GLOB 'TASK-*', substr(${name}, 6), NULL))`

  /** That `edge` leads to the task with this id, in the scope it was found in. */
  const leadsTo = (id: Fragment): Fragment =>
    sql`edge.blocker_key = replace(${id}, 'TASK-', '') AND edge.blocker_id IN (${id}, 'TASK-' || ${id})`

  /** The edges to the task with this id, which may be named as `TASK-<id>`. */
  const edgesTo = (id: TaskId): Fragment =>
    sql`blocker_key = ${blockerKey(id)} AND (blocker_id = ${id} OR blocker_id = ${`TASK-${id}`})`

  /** What a task still waits for, as `blocked_by` shows it. */
  const remaining = (id: Fragment): Fragment =>
    sql`(SELECT group_concat(blocker_id, ',' ORDER BY position) FROM dependencies
      WHERE task_id = ${id} AND satisfied_at IS NULL)`

  /**
   * Whether the edge keeps nobody waiting: its blocker is done, or has failed where that does not matter. `ending`, a
   * condition on columns of `tasks`, holds for those that are about to fail.
   */
  const isSatisfied = (edge: EdgeColumns, ending: Fragment = sql`0`): Fragment =>
    sql`EXISTS (
      SELECT 1 FROM tasks WHERE +tasks.scope = ${edge.scope} AND tasks.id IN ${meant(edge.blocker)}
        AND (+tasks.queue = 'done'
          OR (${edge.on_failure} = 'skip' AND (+tasks.queue IN ${sql.in(lost)} OR (${ending})))))`

  /** The columns of a row of `dependencies`, to ask that of it. */
  const stored: EdgeColumns = {
    scope: sql`dependencies.scope`,
    blocker: sql`dependencies.blocker_id`,
    on_failure: sql`dependencies.on_failure`
  }

  const given: EdgeColumns = {
    scope: sql`tasks.scope`,
    blocker: sql`given.value ->> 1`,
    on_failure: sql`given.value ->> 2`
  }

  /** Adds what a task waits for, or changes how it does, as long as `where` holds for the task. */
  const depend = (id: TaskId, waits: ReadonlyArray<Waits>, now: number, where: Fragment): Statement<any> => {
    const scope = sql`(SELECT scope FROM tasks WHERE id = ${id})`
    const edge = { ...given, scope }
    const list = waits.map(({ blocker, on_failure }) => [blockerKey(blocker), blocker, on_failure])
    return sql`
      INSERT INTO dependencies (scope, blocker_key, blocker_id, task_id, position, on_failure, satisfied_at)
      SELECT ${scope}, given.value ->> 0, given.value ->> 1, ${id}, given.key, given.value ->> 2,
        iif(${isSatisfied(edge)}, ${now}, NULL)
      FROM json_each(${JSON.stringify(list)}) AS given WHERE ${where}
      ON CONFLICT (blocker_key, task_id, blocker_id) DO UPDATE SET position = excluded.position,
        on_failure = excluded.on_failure,
        satisfied_at = iif(excluded.satisfied_at IS NULL, NULL, coalesce(satisfied_at, excluded.satisfied_at))`
  }

  /** Everything a task waits for from now on, as long as `where` holds for it: what is not listed goes. */
  const replace = (
    id: TaskId,
    waits: ReadonlyArray<Waits>,
    now: number,
    where: Fragment
  ): Array<Statement<any>> => [
    sql`
      DELETE FROM dependencies WHERE task_id = ${id} AND ${where}
        AND blocker_id NOT IN (SELECT value FROM json_each(${JSON.stringify(waits.map(({ blocker }) => blocker))}))`,
    ...(waits.length === 0 ? [] : [depend(id, waits, now, where)])
  ]

  /** What a task waits for, in order, and where that is. Of two tasks that a name means, the one that is done counts. */
  const listed = (id: TaskId): Statement<any> =>
    sql`
      SELECT blocker_id, on_failure, satisfied_at, (
        SELECT queue FROM tasks WHERE tasks.id IN ${meant(sql`dependencies.blocker_id`)}
          AND +tasks.scope = dependencies.scope
        ORDER BY queue = 'done' DESC, tasks.id = dependencies.blocker_id DESC LIMIT 1) AS queue
      FROM dependencies WHERE task_id = ${id} ORDER BY position`

  return { listed, meant, leadsTo, edgesTo, remaining, isSatisfied, stored, depend, replace }
})
