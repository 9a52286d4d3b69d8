/**
 * What becomes of tasks whose leases were taken back while they wait for others: what these wait for may have failed while
 * they were held, and then those fail with it that would have failed at once. One batch, where there are any.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { ends } from "../../domain/task/Moves.ts"
import { TaskRow } from "../../domain/task/Task.ts"
import { Database, type Row } from "../../sql/Database.ts"
import * as Cascade from "../../sql/legacy/Cascade.ts"
import { logCascade } from "../task/log.ts"

const { blocked_by, id, queue, scope, version } = TaskRow.fields
const decodeRows = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ id, scope, queue, version, blocked_by })))
const decode = (rows: ReadonlyArray<Row>) => Effect.orDie(decodeRows(rows))

export const make = Effect.gen(function*() {
  const { batch, sql } = yield* Database
  const cascade = Cascade.make(sql)

  const steps = (blocked: ReadonlyArray<Pick<TaskRow, "id" | "scope" | "version">>, now: number) => {
    const source = cascade.ownOf(blocked)
    const owners = JSON.stringify([...new Set(blocked.map(({ scope }) => scope))])
    return [
      ...cascade.fall(source, now),
      ...cascade.settle(source, now),
      sql`UPDATE queue_counts SET revision = revision + 1 WHERE scope IN (SELECT value FROM json_each(${owners}))`
    ]
  }
  /** How many statements it takes. */
  const most = steps([], 0).length

  /** Of the tasks as the taking back (`sql/lease/Expiry.ts`) answered them. Answers whether there was anything to look at. */
  const failFreed = Effect.fnUntraced(function*(taken: ReadonlyArray<Row> | undefined, now: number) {
    const blocked = (yield* decode(taken ?? [])).filter(({ blocked_by, queue }) =>
      blocked_by !== null && !ends.includes(queue)
    )
    if (blocked.length === 0) return false
    const answers = yield* batch(steps(blocked, now))
    yield* logCascade(answers.slice(0, -1))
    return true
  })

  return { failFreed, most }
})
