/** Finds the circle that a dependency would close, in a second round trip that only a refusal needs. */
import * as Effect from "effect/Effect"
import { DependencyCycle, meanings } from "../../domain/dependency/Dependency.ts"
import type { ScopeName, TaskId } from "../../domain/Identifier.ts"
import { Database } from "../../sql/Database.ts"
import { closingBlocker, edgesBelow } from "../../sql/dependency/Cycles.ts"

interface Edge {
  readonly waiter: string
  readonly blocker: string
}

/** The path from a blocker to the task, on which each task waits for the next. It looks at each edge once. */
const pathDown = (edges: ReadonlyArray<Edge>, blockers: ReadonlyArray<string>, id: string) => {
  const waiting = Map.groupBy(edges, ({ blocker }) => blocker)
  // For each task that was reached, the next task on its path.
  const next = new Map<string, string | undefined>([[id, undefined]])
  for (const reached of next.keys()) {
    for (const { waiter } of waiting.get(reached) ?? []) if (!next.has(waiter)) next.set(waiter, reached)
  }
  const path: Array<string> = []
  for (let at = blockers.find((blocker) => next.has(blocker)); at !== undefined; at = next.get(at)) path.push(at)
  return path.length === 0 ? undefined : path
}

export const make = Effect.gen(function*() {
  const { batch } = yield* Database

  /** The refusal of a task that would wait for these blockers, if that closes a circle. */
  return Effect.fnUntraced(function*(
    { id, scope }: { readonly id: TaskId; readonly scope: ScopeName },
    blockers: ReadonlyArray<string>
  ) {
    if (blockers.length === 0) return undefined
    const values = { id, scope, added: JSON.stringify(blockers) }
    const { below, closing: [end] } = yield* batch({ below: edgesBelow(values), closing: closingBlocker(values) })
    const edges = below.map(({ blocker, waiter }) => ({ waiter: String(waiter), blocker: String(blocker) }))
    const path = pathDown(edges, blockers.flatMap(meanings), id)
    if (path !== undefined) return DependencyCycle.of(id, [id, ...path])
    return end === undefined ? undefined : DependencyCycle.tooLong(id, String(end.blocker))
  })
})
