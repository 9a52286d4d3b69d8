/** What the dependencies of a project say: the critical path, and which task holds up how many. */

export interface Edge {
  readonly from: string
  readonly to: string
}

/** The blockers and the dependents of each task. */
const sidesOf = (edges: ReadonlyArray<Edge>) => ({
  blockers: Map.groupBy(edges, ({ to }) => to),
  dependents: Map.groupBy(edges, ({ from }) => from)
})

/**
 * The longest chain of tasks in which each waits for the one before: nothing makes the project end before these are
 * done one after the other. Of several such chains it is the one whose ids come first. Tasks in a circle, which the
 * server refuses, are left out.
 */
export const criticalPath = (edges: ReadonlyArray<Edge>): ReadonlyArray<string> => {
  const { blockers, dependents } = sidesOf(edges)
  const open = new Map([...blockers].map(([id, found]) => [id, found.length]))
  const length = new Map<string, number>()
  const before = new Map<string, string>()
  const ready = [...dependents.keys()].filter((id) => !open.has(id)).sort()
  for (const id of ready) {
    const own = length.get(id) ?? 1
    length.set(id, own)
    for (const { to } of dependents.get(id) ?? []) {
      const known = length.get(to) ?? 1
      if (own + 1 > known || (own + 1 === known && id < (before.get(to) ?? ""))) {
        length.set(to, own + 1)
        before.set(to, id)
      }
      open.set(to, open.get(to)! - 1)
      if (open.get(to) === 0) ready.push(to)
    }
  }
  let last: string | undefined
  for (const id of ready) {
    const found = length.get(id)!
    const best = last === undefined ? 1 : length.get(last)!
    if (found > best || (found === best && last !== undefined && id < last)) last = id
  }
  const path: Array<string> = []
  for (let id = last; id !== undefined; id = before.get(id)) path.unshift(id)
  return path
}

/** How many tasks wait for each, directly or through others. Tasks for which nobody waits are left out. */
export const heldUp = (edges: ReadonlyArray<Edge>): ReadonlyMap<string, number> => {
  const { dependents } = sidesOf(edges)
  const counts = new Map<string, number>()
  for (const id of dependents.keys()) {
    const seen = new Set([id])
    for (const one of seen) for (const { to } of dependents.get(one) ?? []) seen.add(to)
    counts.set(id, seen.size - 1)
  }
  return counts
}
