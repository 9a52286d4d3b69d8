/**
 * The index of ready tasks by project (`tasks_ready_by_project`), by which a claim looks past projects that are
 * stopped. It has the tasks of scopes where a project may be stopped. The first cap or breaker on a project of a scope
 * puts all tasks of the scope into it.
 */
import { type Statement, statement } from "../Statement.ts"
import * as Places from "../task/Places.ts"

// A search that finds nothing costs no row.
/** Whether a new task of `:scope` is in the index while it is ready. */
export const ofNew = `EXISTS (
  SELECT 1 FROM queue_counts INDEXED BY queue_counts_by_project WHERE queue_counts.scope = :scope AND by_project = 1)`

/** Puts the tasks of a scope, an expression, into the index, also those to come. It does nothing if they are there. */
const beginIn = (scope: string): ReadonlyArray<Statement> => {
  const all = Places.everywhere({
    columns: "id",
    scope: "counter.owner",
    queue: "counter.name",
    each: `(SELECT scope AS owner, key AS name FROM queue_counts CROSS JOIN json_each(counts)
      WHERE queue_counts.scope = ${scope} AND NOT by_project) AS counter`
  })
  return [
    statement(`UPDATE tasks SET by_project = 1 WHERE id IN (${all})`),
    statement(`UPDATE queue_counts SET by_project = 1 WHERE queue_counts.scope = ${scope} AND NOT by_project`)
  ]
}

/** The tasks in the scope of the project `:id`, if it is within reach. */
export const ofProject = beginIn("(SELECT scope FROM projects WHERE id = :id AND (:scope IS NULL OR scope = :scope))")

/** The tasks in `:scope`. */
export const ofScope = beginIn(":scope")
