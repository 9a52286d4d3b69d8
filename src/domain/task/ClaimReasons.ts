/** What keeps a claim from a task that waits: where it asks, for which roles, and by which machine. */
import type { OrchestratorId, QueueName } from "../Identifier.ts"
import type { Reason } from "./Reason.ts"
import { claimOf, moves } from "./Moves.ts"

/** The machine that would claim. */
export interface Claimant {
  readonly id: OrchestratorId
  readonly maintenance: boolean
  readonly offline: boolean
  readonly claimed: number
  readonly max_claimed: number | null
}

/** A reason that stands in the way. */
export const reason = (reason: Reason["reason"], message: string, about: Partial<Reason> = {}): Reason => ({
  reason,
  blocking: true,
  message,
  ...about
})

/** One that informs. */
export const note = (code: Reason["reason"], message: string, about: Partial<Reason> = {}): Reason =>
  reason(code, message, { ...about, blocking: false })

/** About the queue the task is in, and the one that is asked for. */
export const place = (queue: QueueName, asked: string | undefined): ReadonlyArray<Reason> =>
  asked !== undefined && asked !== queue
    ? [reason("other_queue", `It is in ${queue}, and the claim is for ${asked}.`, { queue })]
    : queue === "provisional"
    ? [note("awaiting_review", "It waits for a review: a claim that names the queue provisional gets it.", { queue })]
    : queue === "incoming"
    ? []
    : [note("other_queue", `Only a claim that names the queue ${queue}, or whose role claims from it, gets it.`, {
      queue
    })]

/** About the role the task is for, and those that are asked for. */
export const roleReasons = (role: string | null, wanted: ReadonlyArray<string>, known: ReadonlyArray<string>) => {
  const isKnown = (name: string) => known.length === 0 || known.includes(name)
  const stranger = wanted.find((name) => !isKnown(name)) ?? (role && !isKnown(role) ? role : undefined)
  return [
    ...(stranger === undefined ? [] : [reason(
      "unknown_role",
      `The role ${stranger} is not registered, so a claim that asks for it is refused. Register it, or use one of: ${
        known.join(", ")
      }.`,
      { role: stranger, blocking: wanted.includes(stranger) }
    )]),
    ...(wanted.length > 0 && !wanted.includes(role ?? "")
      ? [reason(
        "role",
        `It is for ${role ? `the role ${role}` : "no role"}, and the claim asks for ${wanted.join(" or ")}.`,
        { role }
      )]
      : role
      ? [note("role", `Only a claim for the role ${role}, or for any role, gets it.`, { role })]
      : known.length > 0
      ? [note("role", "It has no role, so only a claim for any role gets it.", { role: null })]
      : [])
  ]
}

/** About the machine that claims, or that there is none to do so. */
export const machineReasons = (
  machine: Claimant | undefined,
  anyActive: boolean,
  queue: QueueName
): ReadonlyArray<Reason> => {
  if (machine === undefined) {
    return anyActive ? [] : [note("no_active_orchestrator", "No orchestrator of the scope is active to claim it.")]
  }
  const { claimed, id, max_claimed } = machine
  const about = { orchestrator_id: id }
  return [
    ...(machine.maintenance
      ? [reason("maintenance", `Orchestrator ${id} is in maintenance and gets no work until that is lifted.`, about)]
      : []),
    ...(machine.offline
      ? [
        note("orchestrator_offline", `Orchestrator ${id} has been silent. A claim or heartbeat brings it back.`, about)
      ]
      : []),
    ...(claimOf(queue) === moves.claim && max_claimed !== null && claimed >= max_claimed
      ? [reason(
        "at_capacity",
        `Orchestrator ${id} holds ${claimed} of the ${max_claimed} tasks it may hold at once. Finish one first.`,
        { ...about, claimed, max_claimed }
      )]
      : [])
  ]
}
