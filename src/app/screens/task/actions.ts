/**
 * What may be done with a task now, and why the rest may not. The server decides; this says beforehand what it would
 * refuse. The queues are those of `domain/task/Moves.ts`, and a test holds both together.
 */
import type { Task } from "../../api/Contract.ts"
import type { Step } from "../../parts/flow.ts"
import { words } from "../../parts/words.ts"

export type ActionName =
  | "accept"
  | "reject"
  | "requeue"
  | "release"
  | "cancel"
  | "fail"
  | "redrive"
  | "message"
  | "edit"
  | "force"
  | "delete"

export interface Situation {
  readonly task: Pick<Task, "queue" | "lease_expires_at" | "claimed_by" | "cancel_requested_at" | "project_id" | "flow">
  /** The steps of its flow; undefined if that is not registered, which is the usual. */
  readonly steps: ReadonlyArray<Step> | undefined
  readonly mayManage: boolean
  readonly mayWork: boolean
  /** Whether the caller may force a task into a queue. */
  readonly mayForce: boolean
}

export interface Judged {
  readonly name: ActionName
  readonly label: string
  /** What it does, in a sentence. */
  readonly does: string
  /** Why it cannot be done now; undefined if it can. */
  readonly not: string | undefined
}

const ends = new Set(["done", "failed", "cancelled"])
const underJudgement = ["provisional", "claimed"]
const intervention = "requires-intervention"
/** A task that is given up goes back to where it was claimed from, and these queues are no such place. */
const noOrigin = new Set(["claimed", "provisional", ...ends])

const labels: Record<ActionName, readonly [label: string, does: string]> = {
  accept: ["Accept", "The result is good: the task is done, and what waits for it may begin."],
  reject: ["Reject …", "The result is not good: the task goes back, with the reason for the next agent."],
  requeue: ["Give up the attempt …", "The task goes back to where it was claimed from. It counts as an attempt."],
  release: ["Release", "The task goes back to where it was claimed from. It counts as no attempt."],
  cancel: ["Cancel …", "Nobody is to do it any more. A holder is asked to stop."],
  fail: ["Fail …", "It cannot be done as it is. It waits for somebody to redrive it."],
  redrive: ["Redrive …", "It is tried again from the beginning, with all its attempts."],
  message: ["Message …", "Says something to the agent."],
  edit: ["Title and priority …", "Changes what it is called and how urgent it is."],
  force: ["Force into a queue …", "Puts it into any queue, against its flow."],
  delete: ["Delete …", "Removes the task. Its history stays."]
}

/** Why a move with these beginnings cannot be made. The steps of a registered flow come before them. */
const notFrom = (
  { steps, task }: Situation,
  from: ReadonlyArray<string>,
  to: string | undefined
): string | undefined => {
  const { flow, project_id, queue } = task
  if (queue === intervention && to !== "done") return undefined
  if (steps === undefined) {
    return from.includes(queue) ?
      undefined :
      `It is in ${words(queue)}, and this is for a task in ${from.map(words).join(" or ")}.`
  }
  const leads = steps.filter((step) => step.from === queue && (project_id !== null || !step.ofChild))
  return leads.some((step) => to === undefined ? !noOrigin.has(step.to) : step.to === to)
    ? undefined
    : `Its flow ${flow} has no step from ${words(queue)} ${to === undefined ? "back" : `to ${words(to)}`}.`
}

const reasonOf = (name: ActionName, situation: Situation): string | undefined => {
  const { mayForce, mayManage, mayWork, task } = situation
  const isEnded = ends.has(task.queue)
  const ended = isEnded ? `It is ${words(task.queue)} already.` : undefined
  if (name === "message") return mayWork ? undefined : "Your key may only read."
  if (name === "force") return mayForce ? undefined : "Only the administrator may force a task."
  if (!mayManage) return "Your key may not manage tasks."
  switch (name) {
    case "accept":
      return ended ?? notFrom(situation, underJudgement, "done")
    case "reject":
      return ended ?? notFrom(situation, underJudgement, "incoming")
    case "requeue":
      return ended ?? notFrom(situation, underJudgement, undefined)
    case "release":
      return task.lease_expires_at === null ? "Nobody holds it." : undefined
    case "cancel":
      return ended ?? (task.cancel_requested_at === null ? undefined : "Its holder was asked to stop already.")
    case "fail":
      return ended
    case "redrive":
      return task.queue === "failed" || task.queue === "cancelled"
        ? undefined
        : `It is in ${words(task.queue)}, and only a failed or cancelled task is redriven.`
    case "edit":
    case "delete":
      return undefined
  }
}

export const actionsOf = (situation: Situation): ReadonlyArray<Judged> =>
  (Object.keys(labels) as Array<ActionName>).map((name) => {
    const [label, does] = labels[name]
    return { name, label, does, not: reasonOf(name, situation) }
  })
