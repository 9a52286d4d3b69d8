/** A task as the model has it, and what ends a lease on it. */
import { rulesOf } from "../../../src/domain/flow/FlowRules.ts"
import { testingFlow } from "../flows.ts"

// The tasks of `blue` follow a flow of their own: results are tested before they are reviewed, and may be reopened.
export const flow = {
  ...testingFlow,
  transitions: [...testingFlow.transitions, { from: "done", to: "incoming" }]
}
const rules = rulesOf(flow, undefined).task

/** The cap on the review rounds of the project. */
export const ReviewRounds = 2

/** How often each may happen before the task fails; 0 is no limit. */
export interface Limits {
  readonly attempts: number
  readonly losses: number
  readonly rejections: number
}

/** The newest row of a task's history. Where the task went is where it is. */
export interface Entry {
  readonly at: number
  readonly event: string
  readonly from: string | null
  readonly actor: string | null
}

/** A change of a task as the feed has it, without where the task went: that is where its next change finds it. */
export interface Change extends Entry {
  readonly task: Task
  readonly version: number
  readonly title: string
}

export interface Task {
  readonly id: string
  readonly scope: string
  /** The changes of all tasks, oldest first, except that the order within a command is not that of the server. */
  readonly changes: Array<Change>
  readonly clock: { readonly now: number }
  readonly role: string | null
  readonly rank: number
  readonly branch: string
  readonly path: string
  readonly key: string | null
  readonly created: number
  readonly limits: Limits
  readonly maxAttemptMillis: number | null
  /** The version of the id before it was created, or before the oldest entry that is left of its history. */
  since: number
  queue: string
  version: number
  latest: Entry
  title: string
  holder: string | null
  origin: string | null
  expires: number
  /** How long the lease was asked for. */
  leaseMillis: number | null
  deadline: number | null
  cancelling: boolean
  grants: number
  /** The holder and the terms of the expired lease, until the task moves or is granted again. */
  lapsed: Pick<Task, "holder" | "leaseMillis" | "deadline"> | null
  /** When it may be claimed again: known from the database once it is found to be within these bounds. */
  backoff: { readonly from: number; readonly to: number } | null
  availableAt: number | null
  /** Where it was before it was put into requires-intervention. */
  came: string
  attempts: number
  rejections: number
  losses: number
  checkpoint: number
  /** Whether it belongs to the project, which requires evidence. */
  readonly ofProject: boolean
  submitter: string | null
  /** The newest commit that was named, the commit of the evidence, and the token of the lease whose session is known. */
  head: string | null
  evidence: { readonly commit: string | null } | null
  session: number | null
  /** How many tokens were used for it, and how many may be. */
  used: number
  readonly cap: number
  setbacks: ReadonlyArray<string>
  /** How many answers it has. */
  answers: number
  /** Whether it failed for a reason that no retry mends. */
  terminal: boolean
  /** Whether the task has a reason for its failure. */
  reasoned: boolean
}

const ends = new Set(["done", "failed", "cancelled"])
export const isEnd = (queue: string) => ends.has(queue)

/** The queue of a task that was taken out of `queue` by hand, when its lease expires: never an end. */
export const waiting = (queue: string) => isEnd(queue) ? "incoming" : queue

/** The queue of its flow that a task is on its way from. */
const cameFrom = ({ came, origin, queue }: Task) => {
  const from = origin ?? queue
  return from === "requires-intervention" ? came : from
}

/** Whether a task may be moved to `to`, as its flow says, or as every task may that follows none. */
export const mayGo = (task: Task, to: string) => {
  const stuck = task.queue === "requires-intervention"
  const settling = stuck || (task.queue === "claimed" && task.origin === "requires-intervention")
  if (settling && (to !== "done" || task.came === "done")) return true
  const at = to === "done" && task.lapsed !== null ? "claimed" : stuck ? task.came : task.queue
  return task.scope === "red"
    ? at === "claimed" || at === "provisional"
    : [at, cameFrom(task), task.queue].some((from) => rules.leads[from]?.[to] === 1)
}

/** Whether the task has what its project requires: evidence of the newest commit. */
export const isEvident = ({ evidence, head, ofProject }: Task) =>
  !ofProject || (evidence !== null && (head === null || evidence.commit === head))

/** Where a result of the task goes. */
export const handedOn = (task: Task) =>
  task.scope === "red" ? "provisional" : rules.onward[cameFrom(task)] ?? rules.submit

/** Nobody holds the task, and nothing of a lease is left. */
export const release = (task: Task) =>
  Object.assign(task, {
    holder: null,
    origin: null,
    leaseMillis: null,
    deadline: null,
    cancelling: false,
    lapsed: null,
    backoff: null,
    availableAt: null
  })

/** The task is about to change, or just has: that is a version of its own, with an entry in its history. */
export const record = (task: Task, event: string, actor: string | null, from = task.queue) => {
  task.version++
  task.latest = { at: task.clock.now, event, from, actor }
  task.changes.push({ ...task.latest, task, version: task.version, title: task.title })
}

export interface Leaving {
  readonly event: string
  /** Who did it; the holder unless given. */
  readonly actor?: string | null
  readonly to: string
  /** Whether a requested cancellation takes effect with it. */
  readonly yields?: boolean
  readonly counts?: ReadonlyArray<"attempts" | "rejections" | "losses">
  readonly budget?: keyof Limits
  readonly setback?: boolean
  readonly lapses?: boolean
  readonly terminal?: boolean
  readonly backsOff?: { readonly now: number; readonly base: number; readonly max: number } | undefined
}

const isSpent = (task: Task, budget: keyof Limits | undefined) => {
  if (budget === undefined) return false
  const most = [task.limits[budget], ...(budget === "rejections" && task.ofProject ? [ReviewRounds] : [])]
    .filter((limit) => limit > 0)
  if (most.length === 0) return false
  // A worker that vanished spends none of the task's own attempts.
  const spent = budget === "attempts" ? task.attempts - task.losses : task[budget]
  return spent >= Math.min(...most)
}

/** Moves the task somewhere where nobody holds it. */
export const leave = (task: Task, move: Leaving) => {
  for (const counter of move.counts ?? []) task[counter]++
  const to = move.yields === true && task.cancelling
    ? "cancelled"
    : isSpent(task, move.budget)
    ? "failed"
    : move.to
  const { deadline, holder, leaseMillis } = task
  record(task, move.event, move.actor === undefined ? holder : move.actor)
  release(task)
  if (move.lapses === true && !isEnd(to)) task.lapsed = { holder, leaseMillis, deadline }
  if (move.backsOff !== undefined && !isEnd(to)) {
    const { base, max, now } = move.backsOff
    const delay = Math.min(max, base * 2 ** (task.attempts - 1))
    task.backoff = { from: now + delay / 2, to: now + delay }
  }
  if (move.setback === true) task.setbacks = [...task.setbacks, move.event].slice(-10)
  if (task.queue !== to) task.reasoned = true
  task.terminal = move.terminal === true
  task.queue = to
}
