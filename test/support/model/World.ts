/** What the server should hold, as plain data, and what moves do to it. */
import { rulesOf } from "../../../src/domain/FlowRules.ts"

// The tasks of `blue` follow a flow of their own: results are tested before they are reviewed, and may be reopened.
export const flow = {
  states: ["incoming", "claimed", "testing", "provisional", "done"],
  transitions: [
    { from: "incoming", to: "claimed" },
    { from: "claimed", to: "testing" },
    { from: "testing", to: "provisional" },
    { from: "testing", to: "incoming" },
    { from: "provisional", to: "done" },
    { from: "done", to: "incoming" }
  ]
}
const rules = rulesOf(flow, undefined).task

export interface Task {
  readonly scope: string
  readonly role: string | null
  readonly rank: number
  readonly created: number
  queue: string
  version: number
  title: string
  holder: string | null
  origin: string | null
  expires: number
  grants: number
  lapsed: boolean
  /** Where it was before it was put into requires-intervention. */
  came: string
  attempts: number
  rejections: number
  losses: number
}

interface Edge {
  readonly task: string
  readonly blocker: string
  readonly scope: string
}

const ends = new Set(["done", "failed", "cancelled"])

/** Where a task that is taken out of `queue` by hand goes when its lease runs out: never back to an end. */
export const waiting = (queue: string) => ends.has(queue) ? "incoming" : queue

/** The queue of its flow that a task is on its way from. */
const cameFrom = ({ came, origin, queue }: Task) => {
  const from = origin ?? queue
  return from === "requires-intervention" ? came : from
}

export const release = (task: Task) => Object.assign(task, { holder: null, origin: null, lapsed: false })

/** Whether a task may be moved to `to`, as its flow says, or as every task may that follows none. */
export const mayGo = (task: Task, to: string) => {
  const stuck = task.queue === "requires-intervention"
  const settling = stuck || (task.queue === "claimed" && task.origin === "requires-intervention")
  if (settling && (to !== "done" || task.came === "done")) return true
  const at = to === "done" && task.lapsed ? "claimed" : stuck ? task.came : task.queue
  return task.scope === "red"
    ? at === "claimed" || at === "provisional"
    : [at, cameFrom(task), task.queue].some((from) => rules.leads[from]?.[to] === 1)
}

/** Where a result of the task goes. */
export const handedOn = (task: Task) =>
  task.scope === "red" ? "provisional" : rules.onward[cameFrom(task)] ?? rules.submit

export const make = () => {
  const tasks = new Map<string, Task>()
  const edges: Array<Edge> = []
  // How far the counters of an id came: they outlive the task.
  const past = new Map<string, { version: number; grants: number }>()
  const clock = { now: 0 }

  /** What a task waits for. */
  const unmet = (id: string) =>
    edges.filter((edge) => {
      if (edge.task !== id) return false
      const blocker = tasks.get(edge.blocker)
      return blocker?.scope !== edge.scope || blocker.queue !== "done"
    }).map((edge) => edge.blocker)

  /** Runs a change of `id` and then versions the tasks whose blockers it changed. */
  const changing = (id: string, change: () => void) => {
    const before = new Map([...tasks.keys()].map((key) => [key, unmet(key).join()]))
    const scope = tasks.get(id)?.scope
    change()
    if (scope === undefined) return
    for (const [key, task] of tasks) {
      if (key !== id && before.has(key) && before.get(key) !== unmet(key).join()) task.version++
    }
  }

  const grant = (task: Task, holder: string, seconds: number, origin: string) =>
    Object.assign(task, {
      holder,
      origin,
      expires: clock.now + seconds * 1000,
      grants: task.grants + 1,
      lapsed: false
    })

  /** Takes back what has run out, in one scope or all, and answers how many there were. */
  const expire = (scope?: string) => {
    let expired = 0
    for (const task of tasks.values()) {
      if (task.holder === null || task.expires > clock.now || (scope !== undefined && task.scope !== scope)) continue
      const claimed = task.queue === "claimed"
      const origin = task.origin!
      release(task)
      if (claimed) {
        Object.assign(task, { queue: origin, attempts: task.attempts + 1, losses: task.losses + 1, lapsed: true })
      }
      task.version++
      expired++
    }
    return expired
  }

  /** The task a claim gets. */
  const next = (scope: string, from: string, roles: ReadonlyArray<string>) =>
    [...tasks].filter(([key, task]) =>
      task.scope === scope && task.queue === from && task.holder === null && unmet(key).length === 0
      && (roles.length === 0 || roles.includes(task.role ?? ""))
    ).toSorted(([a, x], [b, y]) => x.rank - y.rank || x.created - y.created || (a < b ? -1 : 1))[0]

  return { tasks, edges, past, clock, unmet, changing, grant, expire, next }
}

export type World = ReturnType<typeof make>
