/** The expected state of the server as plain data: tasks, dependencies and leases. */
import type { Faulty } from "../Faulty.ts"
import * as Breakers from "./breakers.ts"
import { type Change, type Entry, isEnd, leave, type Leaving, record, release, type Task } from "./Task.ts"

export type OnFailure = "wait" | "skip" | "fail"

interface Edge {
  readonly task: string
  readonly blocker: string
  readonly onFailure: OnFailure
}

export interface Options {
  /** The backoff after an attempt that was given up, in milliseconds; none when it is off. */
  readonly backoff: { readonly base: number; readonly max: number } | undefined
  /** Whether every POST has an idempotency key. */
  readonly keyed: boolean
  /** What befalls the next batches. */
  readonly faults: Faulty["faults"]
}

const hasFallen = (task: Task | undefined) => task?.queue === "failed" || task?.queue === "cancelled"

export const make = ({ backoff }: Pick<Options, "backoff">) => {
  const tasks = new Map<string, Task>()
  const edges: Array<Edge> = []
  // How far the counters and the history of an id came: they outlive the task.
  const past = new Map<string, { version: number; grants: number; latest: Entry }>()
  // How many entries the history of an id has from each time it was deleted, and in which scope that was.
  const lives: Array<{ readonly id: string; readonly scope: string; entries: number }> = []
  const changes: Array<Change> = []
  const clock = { now: 0 }
  // When the machine was heard of last in each of its scopes. It claims from blue as well, which does not know it.
  const heard: Record<string, number> = { red: 0, green: 0 }

  // When the cron marked the machine as offline in a scope, it was heard of last at this time.
  const silent: Record<string, number> = {}
  const isActive = (scope: string) => scope in heard && heard[scope] !== silent[scope]

  // The roles of red and green, where the machine is known. If there are none, every name is known.
  const roles = new Set<string>()

  const breaker = Breakers.make({ changes, clock, tasks })

  // Until when the accounts of a scope are parked.
  const parked = new Map<string, number>()

  const backsOff = () => backoff === undefined ? undefined : { now: clock.now, ...backoff }

  /** The task by this name, as a task of this scope sees it. */
  const inScope = (scope: string, id: string) => {
    const task = tasks.get(id)
    return task?.scope === scope ? task : undefined
  }

  /** What a task waits for. */
  const unmet = (id: string) => {
    const scope = tasks.get(id)?.scope ?? ""
    return edges.filter((edge) => {
      if (edge.task !== id) return false
      const blocker = inScope(scope, edge.blocker)
      return blocker?.queue !== "done" && !(edge.onFailure === "skip" && hasFallen(blocker))
    }).map((edge) => edge.blocker)
  }

  /** The direct and indirect dependents of this task, also those that no longer wait. */
  const dependents = (scope: string, id: string, seen = new Set<string>()): ReadonlySet<string> => {
    for (const edge of edges) {
      if (edge.blocker !== id || seen.has(edge.task) || inScope(scope, edge.task) === undefined) continue
      seen.add(edge.task)
      dependents(scope, edge.task, seen)
    }
    return seen
  }

  /** Whether a task would wait for itself if it waited for these. */
  const closesCycle = (scope: string, id: string, blockers: ReadonlyArray<string>) =>
    blockers.some((blocker) => blocker === id || dependents(scope, id).has(blocker))

  // New dependencies that may make a task fail at once, because a blocker has failed already.
  let risks: Array<Edge> = []

  /** Adds a blocker to a task, or changes what its failure means. The blocker keeps its place in the list. */
  const wait = (task: string, blocker: string, onFailure: OnFailure) => {
    const edge = { task, blocker, onFailure }
    const at = edges.findIndex((each) => each.task === task && each.blocker === blocker)
    if (onFailure === "fail" && edges[at]?.onFailure !== "fail") risks.push(edge)
    if (at === -1) edges.push(edge)
    else edges[at] = edge
  }

  const forget = (which: (edge: Edge) => boolean) => {
    for (let i = edges.length - 1; i >= 0; i--) if (which(edges[i]!)) edges.splice(i, 1)
  }

  /**
   * Changes the task `id`, or several, and then updates the dependents of what changed, except for those that were
   * `held` until then.
   */
  const changing = (change: () => void, id?: string, held: ReadonlyArray<Task> = []) => {
    const before = new Map([...tasks.keys()].map((key) => [key, unmet(key).join()]))
    const queues = new Map([...tasks].map(([key, task]) => [key, task.queue]))
    risks = []
    change()
    const falling = [...tasks].filter(([key, task]) => hasFallen(task) && queues.get(key) !== task.queue).map(([key]) =>
      key
    )
    const follow = (edge: Edge) => {
      const task = tasks.get(edge.task)
      if (edge.onFailure !== "fail" || task === undefined || task.holder !== null || isEnd(task.queue)) return
      if (held.includes(task)) return
      if (!hasFallen(inScope(task.scope, edge.blocker))) return
      leave(task, { event: "dependency_failed", to: "failed" })
      falling.push(edge.task)
    }
    risks.forEach(follow)
    for (const blocker of falling) edges.filter((edge) => edge.blocker === blocker).forEach(follow)
    for (const [key, task] of tasks) {
      const left = unmet(key)
      if (key === id || !before.has(key) || before.get(key) === left.join()) continue
      record(task, left.length === 0 ? "unblocked" : "blockers_changed", null)
    }
  }

  /** Nobody holds the task any more. A blocker may have failed meanwhile. Call it together with the change. */
  const free = (task: Task) => risks.push(...edges.filter((edge) => tasks.get(edge.task) === task))

  /** Gives the task, in the queue where it will be held, to an agent. Reviews have no deadline. */
  const grant = (task: Task, holder: string, millis: number, origin: string, asked: boolean) => {
    const deadline = task.queue !== "claimed" || task.maxAttemptMillis === null
      ? null
      : clock.now + task.maxAttemptMillis
    release(task)
    Object.assign(task, {
      holder,
      origin,
      deadline,
      expires: Math.min(clock.now + millis, deadline ?? Infinity),
      leaseMillis: asked ? millis : null,
      grants: task.grants + 1
    })
  }

  const overdue = (scope?: string) =>
    [...tasks.values()].filter((task) =>
      task.holder !== null && task.expires <= clock.now && (scope === undefined || task.scope === scope)
    )

  /** The effect of the end of its lease on a task. */
  const expiry = (task: Task): Leaving =>
    task.queue !== "claimed"
      ? { event: "review_lease_expired", to: task.queue, yields: true }
      : task.deadline !== null && task.expires >= task.deadline
      ? {
        event: "deadline_exceeded",
        to: task.origin!,
        yields: true,
        counts: ["attempts"],
        budget: "attempts",
        setback: true,
        backsOff: backsOff()
      }
      : {
        event: "lease_expired",
        to: task.origin!,
        yields: true,
        counts: ["attempts", "losses"],
        budget: "losses",
        setback: true,
        lapses: true,
        backsOff: backsOff()
      }

  const takeBack = (expired: ReadonlyArray<Task>) => {
    let entries: ReadonlyArray<Entry> = []
    const first = changes.length
    changing(
      () => {
        // A task that failed for good and was given to somebody has still failed for good.
        for (const task of expired) leave(task, { ...expiry(task), terminal: task.terminal })
        entries = expired.map(({ latest }) => latest)
      },
      undefined,
      expired
    )
    // The consequences for other tasks come first, also for tasks that are taken back at the same time.
    for (const [i, task] of expired.entries()) {
      task.latest = entries[i]!
      const own = changes.flatMap((change, place) => place >= first && change.task === task ? [place] : [])
      const [expiry, ...consequences] = own.map((place) => changes[place]!)
      const ordered = [...consequences.map((change) => ({ ...change, from: expiry!.from })), expiry!]
      for (const [n, place] of own.entries()) {
        changes[place] = { ...ordered[n]!, version: expiry!.version + n }
      }
    }
    changing(() => expired.forEach(free))
    return expired.length
  }

  /** Takes expired leases back, in one scope or all, and answers how many there were. */
  const expire = (scope?: string) => takeBack(overdue(scope))

  /** Takes this lease back, if it has expired. */
  const expireOne = (id: string) => takeBack(overdue().filter((task) => task === tasks.get(id)))

  /** Takes back what comes back to be claimed. */
  const expireClaimable = (scope: string) =>
    takeBack(
      overdue(scope).filter((task) => {
        const after = { ...task, changes: [] }
        leave(after, expiry(task))
        return !hasFallen(after) && ![...tasks].some(([id, each]) => each === task && unmet(id).length > 0)
      })
    )

  /** Makes ready who backed off long enough. */
  const endBackoff = (scope: string) => {
    if (backoff === undefined) return
    for (const task of tasks.values()) {
      if (task.scope !== scope || task.availableAt === null || task.availableAt > clock.now) continue
      Object.assign(task, { availableAt: null, backoff: null })
      record(task, "backoff_ended", null)
    }
  }

  /** What each scope and the project used, in tokens, and the caps on it. Sequences are shorter than a day. */
  const used = { red: 0, blue: 0, project: 0 }
  const caps = { red: Infinity, blue: Infinity, project: Infinity }
  type Capped = keyof typeof caps

  /** Tokens are reported for the task. */
  const use = (task: Task, tokens: number) => {
    task.used += tokens
    used[task.scope as Capped] += tokens
    if (task.ofProject) used.project += tokens
  }

  const isCapped = (task: Task) =>
    task.used >= task.cap || used[task.scope as Capped] >= caps[task.scope as Capped]
    || (task.ofProject && used.project >= caps.project)

  /** Whether no claim gets the task, because of a cap or a breaker. */
  const isStopped = (task: Task) => isCapped(task) || breaker.isStopped(task)

  /** The task that a claim gets, or, with `atCaps`, the one that it would get without caps and breakers. */
  const next = (scope: string, from: string, roles: ReadonlyArray<string>, atCaps = false) =>
    [...tasks].filter(([key, task]) =>
      task.scope === scope && task.queue === from && task.holder === null && unmet(key).length === 0
      && task.availableAt === null && task.backoff === null &&
      (roles.length === 0 || roles.includes(task.role ?? "")) && (atCaps || !isStopped(task))
    ).toSorted(([a, x], [b, y]) => x.rank - y.rank || x.created - y.created || (a < b ? -1 : 1))[0]

  return {
    tasks,
    changes,
    edges,
    past,
    lives,
    clock,
    heard,
    silent,
    isActive,
    roles,
    used,
    caps,
    parked,
    use,
    isCapped,
    isStopped,
    breaker,
    backsOff,
    unmet,
    wait,
    forget,
    closesCycle,
    changing,
    free,
    grant,
    expire,
    expireOne,
    expireClaimable,
    endBackoff,
    next
  }
}

export type World = ReturnType<typeof make>
