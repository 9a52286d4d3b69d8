/** Where a move leads a task under the flow it follows, as an expression over the columns of `tasks`. */
import type * as D1Client from "@effect/sql-d1/D1Client"
import { memoize } from "effect/Function"
import type { Fragment } from "effect/sql/Statement"
import { ends, intervention, type Move } from "../../domain/task/Moves.ts"

export const make = memoize((sql: D1Client.D1Client) => {
  const kind = sql`iif(project_id IS NULL, '$.task', '$.child')`

  // Queue names hold no quotes (domain/Identifier.ts), so this is always a path.
  const rule = (path: Fragment): Fragment => sql`rules ->> (${kind} || ${path})`
  const leads = (source: Fragment, target: Fragment): Fragment =>
    sql`coalesce(${rule(sql`'.leads."' || ${source} || '"."' || ${target} || '"'`)}, 0)`

  // Where a matter came up that somebody has to settle, whether or not the task was claimed for that.
  const cameFrom = sql`coalesce(intervention_from, 'claimed')`
  const stuck = sql`(queue = ${intervention} OR (queue = 'claimed' AND claimed_from = ${intervention}))`

  /**
   * Where the task counts as being. A lease that ran out is as good as held, for a move that may still be made; and a
   * matter that is settled goes on from where it came up, or is handed in like any other work that is not done.
   */
  const source = ({ afterLapse, flow }: Move): Fragment =>
    sql`CASE ${afterLapse ? sql`WHEN lapsed_token IS NOT NULL THEN 'claimed'` : sql``} WHEN queue = ${intervention}
      THEN ${flow === "step" ? cameFrom : sql`iif(${cameFrom} = 'done', 'done', 'claimed')`} ELSE queue END`

  /** Whether the move is a way out of the intervention wherever it came up: to start again, or to be done as before. */
  const settles = ({ to }: Move): Fragment =>
    typeof to === "object" && to.queue === "done" ? sql`(${stuck} AND ${cameFrom} = 'done')` : stuck

  const destination = ({ to }: Move): Fragment =>
    to === "same"
      ? sql`queue`
      : to === "back"
      ? sql`iif(queue = 'claimed', claimed_from, queue)`
      : to === "origin"
      ? sql`iif(queue = 'claimed', claimed_from, 'incoming')`
      : sql`${to.queue}`

  const starts = (move: Move, from: Fragment): Fragment =>
    move.from === "other"
      ? sql`queue <> 'claimed'`
      : move.from === "held"
      ? sql`claimed_by IS NOT NULL`
      : move.from === "unfinished"
      ? sql`queue NOT IN ${sql.in(ends)}`
      : sql`(${from} IN ${sql.in(move.from)} ${move.flow === "step" ? sql`OR ${settles(move)}` : sql``})`

  // A task that was claimed from a queue of the flow's own may go on from there as well.
  const origin = sql`iif(coalesce(claimed_from, queue) = ${intervention}, ${cameFrom}, coalesce(claimed_from, queue))`
  const onward = sql`coalesce(${rule(sql`'.onward."' || ${origin} || '"'`)}, ${rule(sql`'.submit'`)})`

  /** What the registered flow says, which is in `flows`. */
  const flowed = (move: Move, from: Fragment, to: Fragment): Fragment =>
    move.flow === "step"
      ? sql`iif(${settles(move)} OR ${leads(from, to)} OR ${leads(origin, to)} OR ${leads(sql`queue`, to)} ${
        move.to === "origin" ? sql`OR ${leads(from, sql`'incoming'`)}` : sql``
      }, ${to}, '')`
      : sql`iif(${starts(move, from)}, ${
        move.flow === "burnOut" ? sql`coalesce(${rule(sql`'.burnOut'`)}, ${onward})` : onward
      }, '')`

  /**
   * The queue the move leads to, or '' where it leads nowhere. A task whose flow is not registered follows the table of
   * moves.
   */
  const landing = (move: Move): Fragment => {
    const from = source(move)
    const to = destination(move)
    const usual = sql`iif(${starts(move, from)}, ${to}, '')`
    return move.flow === "none" ? usual : sql`
      coalesce((SELECT ${
      flowed(move, from, to)
    } FROM flows WHERE flows.scope = tasks.scope AND flows.name = tasks.flow),
        ${usual})`
  }

  return { landing, destination }
})
