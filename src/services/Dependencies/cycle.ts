/** Which tasks would wait for each other: read again, in the second round trip that only a refusal costs. */
import * as Effect from "effect/Effect"
import { meanings } from "../../domain/Dependency.ts"
import { DependencyCycle } from "../../domain/DependencyErrors.ts"
import type { ScopeName, TaskId } from "../../domain/Identifier.ts"
import * as Cycles from "../../sql/Cycles.ts"
import { Database } from "../../sql/Database.ts"

interface Edge {
  readonly waiter: string
  readonly blocker: string
}

/** The way from the last task down to the first, each of which waits for the next one. */
const wayDown = (edges: ReadonlyArray<Edge>, from: string, to: string): ReadonlyArray<string> | undefined => {
  const ways = new Map<string, ReadonlyArray<string>>([[to, [to]]])
  for (const [reached, way] of ways) {
    if (reached === from) return way
    for (const { blocker, waiter } of edges) {
      if (blocker === reached && !ways.has(waiter)) ways.set(waiter, [waiter, ...way])
    }
  }
  return undefined
}

export const make = Effect.gen(function*() {
  const { batch, sql } = yield* Database
  const { closing, edgesBelow } = Cycles.make(sql)

  /** The refusal of a task that would wait for these, if there would be a circle. */
  return Effect.fnUntraced(function*(
    { id, scope }: { readonly id: TaskId; readonly scope: ScopeName },
    blockers: ReadonlyArray<string>
  ) {
    if (blockers.length === 0) return undefined
    const [rows = [], [end] = []] = yield* batch([edgesBelow(id, scope), closing(id, scope, blockers)])
    const edges = rows.map(({ blocker, waiter }) => ({ waiter: String(waiter), blocker: String(blocker) }))
    for (const blocker of blockers.flatMap(meanings)) {
      const way = wayDown(edges, blocker, id)
      if (way !== undefined) return DependencyCycle.of(id, [id, ...way])
    }
    return end === undefined ? undefined : DependencyCycle.tooLong(id, String(end.blocker))
  })
})
