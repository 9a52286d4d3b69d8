/**
 * Fencing: a call that names the lease it is made under changes nothing once that lease is over. Every grant has a token of
 * its own, so that whoever lost a lease cannot be taken for whoever holds the next one.
 */
import type { Expected } from "../task/MoveInput.ts"
import type { TaskRow } from "../task/Task.ts"
import { LeaseLost, VersionConflict } from "../task/TaskErrors.ts"

/**
 * Why a call with this token may not be made, if so. `required`: whether a task that is held wants one; `afterLapse`: whether
 * one does whose lease ran out, since the call is for its holder to make.
 */
export const fenceProblem = (
  task: TaskRow,
  token: number | null | undefined,
  required: boolean,
  afterLapse = false
): LeaseLost | undefined => {
  const { claimed_by, fencing_token, id, lapsed_token, queue } = task
  return token == null
    ? required && (claimed_by !== null || (afterLapse && lapsed_token !== null))
      ? LeaseLost.unnamed(id, queue, claimed_by)
      : undefined
    : token === (fencing_token ?? lapsed_token)
    ? undefined
    : LeaseLost.of(task, token)
}

/** The same, and why the task is not as the call states it, if that is so. */
export const expectationProblem = (
  task: TaskRow,
  { fencing_token, version }: { readonly [field in keyof Expected]: Expected[field] | undefined },
  required: boolean,
  afterLapse = false
): VersionConflict | LeaseLost | undefined =>
  typeof version === "number" && version !== task.version
    ? VersionConflict.of(task.id, version, task.version)
    : fenceProblem(task, fencing_token, required, afterLapse)
