/** What the holder of a lease is told about its renewal. */
import * as DateTime from "effect/DateTime"
import type { TaskId } from "../../domain/Identifier.ts"
import { renewAfterSeconds } from "../../domain/lease/Lease.ts"
import { lossOf } from "../../domain/lease/LeaseLoss.ts"
import { type HeldLease, type Lease, MaxToldReason, type Renewals } from "../../domain/lease/Renewal.ts"
import { cut, TooLarge } from "../../domain/Size.ts"
import { TaskNotFound } from "../../domain/task/TaskErrors.ts"
import { distinct, problemOf, type Renewed, type Rest, superseded } from "./renew.ts"

type Told = Renewed & { readonly reattached: boolean }

/** The lease as it is now, and what to do: the wish to cancel goes before the machine's rest. */
export const leaseOf = (task: Told, now: number): Lease => ({
  task_id: task.id,
  fencing_token: task.fencing_token,
  lease_expires_at: task.lease_expires_at,
  deadline_at: task.deadline_at,
  renew_after_seconds: renewAfterSeconds(DateTime.toEpochMillis(task.lease_expires_at) - now),
  checkpoint_version: task.checkpoint_version,
  reattached: task.reattached,
  directive: task.cancel_requested_at !== null ? "cancel" : task.machine === "maintenance" ? "pause" : "continue",
  cancel_reason: task.cancel_requested_at === null || task.cancel_reason === null
    ? null
    : cut(task.cancel_reason, MaxToldReason)
})

/** What there is of the task, if it is in reach. */
export const taskOf = ({ id, queue, ...rest }: Rest) =>
  id === null || queue === null ? undefined : { ...rest, id, queue }

const lostOf = (rest: Rest): Renewals["lost"][number] => {
  const task = taskOf(rest)
  return {
    task_id: rest.task,
    fencing_token: rest.token,
    queue: rest.queue,
    claimed_by: rest.claimed_by,
    ...(task === undefined
      ? { reason: "not_found", error: TaskNotFound.of(rest.task).error }
      : lossOf(task, rest.token, true))
  }
}

/** What a machine is told about the leases it sent, in the order it sent them. */
export const renewalsOf = (
  entries: ReadonlyArray<HeldLease>,
  { lost, renewed }: { readonly renewed: ReadonlyArray<Told>; readonly lost: ReadonlyArray<Rest> },
  now: number
): Renewals => {
  const sent = distinct(entries)
  const place = new Map(sent.map(({ task_id }, index) => [task_id, index]))
  const ordered = <A extends { readonly task_id: TaskId }>(items: ReadonlyArray<A>) =>
    items.toSorted((one, other) => Number(place.get(one.task_id)) - Number(place.get(other.task_id)))
  const machines = new Map(renewed.map(({ id, orchestrator_id }) => [id, orchestrator_id]))
  const full = new Set(renewed.flatMap(({ id, oversized }) => oversized === 1 ? [id] : []))
  const leases = ordered(renewed.map((task) => leaseOf(task, now)))
  return {
    renewed: leases,
    lost: ordered(lost.map(lostOf)),
    refused: [
      ...superseded(entries).map(({ fencing_token, task_id }) => ({
        task_id,
        fencing_token,
        error:
          `The lease ${fencing_token} of task ${task_id} is listed twice. The last entry counts: the checkpoint and the duration of this one were not used.`
      })),
      ...sent.flatMap((lease) => {
        const problem = problemOf(lease)
          ?? (lease.checkpoint != null && full.has(lease.task_id) ? TooLarge.forCheckpoint(lease.task_id) : undefined)
        const { fencing_token, task_id } = lease
        return problem === undefined ? [] : [{ task_id, fencing_token, error: problem.error }]
      })
    ],
    directives: leases.map(({ cancel_reason, directive, task_id }) => ({
      task_id,
      directive,
      reason: directive === "pause" ? `Orchestrator ${machines.get(task_id)} is in maintenance.` : cancel_reason
    })),
    renew_after_seconds: leases.length === 0
      ? null
      : Math.min(...leases.map(({ renew_after_seconds }) => renew_after_seconds))
  }
}
