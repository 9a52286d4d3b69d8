/** Which tasks would wait for each other: read again, in the second round trip that only a refusal costs. */
import * as Effect from "effect/Effect"
import { DependencyCycle, meanings } from "../../domain/dependency/Dependency.ts"
import type { ScopeName, TaskId } from "../../domain/Identifier.ts"
import { Database } from "../../sql/Database.ts"
import * as Cycles from "../../sql/dependency/Cycles.ts"

interface Edge {
  readonly waiter: string
  readonly blocker: string
}

/** The way from one of the blockers down to the task, each of which waits for the next one. Looks at each edge once. */
const wayDown = (edges: ReadonlyArray<Edge>, blockers: ReadonlyArray<string>, id: string) => {
  const waiting = Map.groupBy(edges, ({ blocker }) => blocker)
  // What each task waits for on its way down.
  const next = new Map<string, string | undefined>([[id, undefined]])
  for (const reached of next.keys()) {
    for (const { waiter } of waiting.get(reached) ?? []) if (!next.has(waiter)) next.set(waiter, reached)
  }
  const way: Array<string> = []
  for (let at = blockers.find((blocker) => next.has(blocker)); at !== undefined; at = next.get(at)) way.push(at)
  return way.length === 0 ? undefined : way
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
    const way = wayDown(edges, blockers.flatMap(meanings), id)
    if (way !== undefined) return DependencyCycle.of(id, [id, ...way])
    return end === undefined ? undefined : DependencyCycle.tooLong(id, String(end.blocker))
  })
})
