/**
 * What becomes of tasks whose leases were taken back while they wait for others: what these wait for may have failed while
 * they were held, and then those fail with it that would have failed at once. One batch, where there are any.
 */
import * as Effect from "effect/Effect"
import { ends } from "../../domain/TaskState.ts"
import * as Cascade from "../../sql/Cascade.ts"
import { Database, type Row } from "../../sql/Database.ts"
import { logCascade } from "../TaskQueue/log.ts"
import { decodeTasks } from "../TaskQueue/rows.ts"

export const make = Effect.gen(function*() {
  const { batch, sql } = yield* Database
  const cascade = Cascade.make(sql)

  /** Of the tasks as the taking back (`sql/Expiry.ts`) answered them. Answers whether there was anything to look at. */
  return Effect.fnUntraced(function*(taken: ReadonlyArray<Row> | undefined, now: number) {
    const blocked = (yield* decodeTasks(taken?.filter(({ blocked_by }) => blocked_by !== null) ?? []))
      .filter(({ queue }) => !ends.includes(queue))
    if (blocked.length === 0) return false
    const { after, before } = cascade.ownOf(blocked)
    const owners = JSON.stringify([...new Set(blocked.map(({ scope }) => scope))])
    const answers = yield* batch([
      ...cascade.fall(before, now),
      ...cascade.settle(after, now),
      sql`UPDATE queue_counts SET revision = revision + 1 WHERE scope IN (SELECT value FROM json_each(${owners}))`
    ])
    yield* logCascade(answers.slice(0, -1))
    return true
  })
})
