/** The way of a task through its queues, as its history tells it: what is lawful, and what was planned. */

export interface Entry {
  readonly version: number
  readonly event: string
  readonly from_queue: string | null
  readonly to_queue: string | null
  readonly grants: number
}

/** From where to where each event leads. What was handed in after its lease ran out comes from `incoming`. */
const lawful: Readonly<Record<string, ReadonlyArray<string>>> = {
  created: [">incoming"],
  claimed: ["incoming>claimed"],
  review_claimed: ["provisional>provisional"],
  reattached: ["incoming>claimed"],
  released: ["claimed>incoming", "provisional>provisional"],
  asked: ["claimed>incoming"],
  answered: ["incoming>incoming"],
  submitted: ["claimed>provisional", "incoming>provisional"],
  accepted: ["provisional>done"],
  rejected: ["provisional>incoming"],
  requeued: ["claimed>incoming", "claimed>failed"],
  failed: ["claimed>failed"],
  dependency_failed: ["incoming>failed"],
  lease_expired: ["claimed>incoming"],
  review_lease_expired: ["provisional>provisional"],
  backoff_ended: ["incoming>incoming"],
  blockers_changed: ["incoming>incoming"],
  unblocked: ["incoming>incoming"],
  unclaimable: ["incoming>incoming"]
}

const lapses = ["lease_expired", "review_lease_expired"]
const ends = new Set(["released", "asked", "submitted", "accepted", "rejected", "requeued", "failed", ...lapses])

/** Whether the entry grants a lease: its token is one more than the grants before. */
export const grants = ({ event }: Entry): boolean => event === "claimed" || event === "review_claimed"

/** What is wrong with the history of a task, which is in the order of its versions. */
export const problems = (id: string, walk: ReadonlyArray<Entry>): ReadonlyArray<string> => {
  const found: Array<string> = []
  let [queue, given] = ["", 0]
  let lease: "held" | "lapsed" | "none" = "none"
  for (const [at, entry] of walk.entries()) {
    const { event, from_queue, to_queue, version } = entry
    const wrong = (what: string) => found.push(`${what}: ${id} ${JSON.stringify(entry)}`)
    if (version !== at + 1) wrong(`Version ${at + 1} is missing`)
    if ((from_queue ?? "") !== queue) wrong(`It was in ${queue}`)
    if (!lawful[event]?.includes(`${from_queue ?? ""}>${to_queue}`)) wrong("No such move")
    queue = to_queue ?? ""
    if (grants(entry)) {
      if (lease === "held") wrong("It was held")
      if (entry.grants < given) wrong(`The token ${given} was granted before`)
      given = entry.grants + 1
      lease = "held"
    } else if (event === "reattached") {
      if (lease !== "lapsed") wrong("No lease had run out")
      lease = "held"
    } else if (ends.has(event)) {
      const isLate = lease === "lapsed" && (event === "submitted" || event === "accepted")
      if (lease !== "held" && !isLate) wrong("Nobody held it")
      lease = lapses.includes(event) ? "lapsed" : "none"
    }
  }
  return found
}

interface End {
  readonly queue: "done" | "failed"
  /** How often these events happen. Those that are not named may not happen. */
  readonly events: Readonly<Record<string, number>>
}

const done = (events: Readonly<Record<string, number>> = {}, rounds = 1): End => ({
  queue: "done",
  events: { submitted: rounds, accepted: 1, ...events }
})

const courses: Readonly<Record<string, End>> = {
  plain: done(),
  die: done(),
  reject: done({ rejected: 1 }, 2),
  retry: done({ requeued: 1 }),
  ask: done({ asked: 1, answered: 1 }),
  spent: { queue: "failed", events: { requeued: 2 } },
  fail: { queue: "failed", events: { failed: 1 } },
  terminal: { queue: "failed", events: { failed: 1 } },
  doomed: { queue: "failed", events: { dependency_failed: 1 } }
}

const counted = [
  "accepted",
  "answered",
  "asked",
  "created",
  "dependency_failed",
  "failed",
  "rejected",
  "requeued",
  "submitted"
]

/** What is otherwise than it was planned. */
export const wrongEnd = (course: string, task: any, walk: ReadonlyArray<Entry>): ReadonlyArray<string> => {
  const { events, queue } = courses[course]!
  const found: Array<string> = []
  if (task.queue !== queue) found.push(`The task ${task.id} (${course}) is ${task.queue}`)
  for (const event of counted) {
    const [n, due] = [walk.filter((entry) => entry.event === event).length, { created: 1, ...events }[event] ?? 0]
    if (n !== due) found.push(`The task ${task.id} (${course}) has ${event} ${n} times, and not ${due}`)
  }
  if (course === "die" && task.lease_losses === 0) found.push(`No lease of ${task.id} ran out`)
  if (course === "terminal" && task.terminal !== 1) found.push(`The failure of ${task.id} is not terminal`)
  const result = walk.findLast(({ event }) => event === "submitted")
  if (result !== undefined && task.execution_notes !== `${task.id} under ${result.grants}`) {
    found.push(`The task ${task.id} has another result than that of token ${result.grants}: ${task.execution_notes}`)
  }
  return found
}
