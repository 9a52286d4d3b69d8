/**
 * Fencing: a call that names its lease changes nothing once that lease is over. Every grant has its own token, so the
 * server can distinguish a former holder from the present one.
 */
import type { Actor } from "../access/Caller.ts"
import type { Expected } from "../task/MoveInput.ts"
import type { TaskRow } from "../task/Task.ts"
import { LeaseLost, VersionConflict } from "../task/TaskErrors.ts"

/**
 * Why a call with this token is refused, or undefined. `required` says whether a call about a held task needs a token.
 * `afterLapse` says that a call is for the last holder to make, after the lease expired too: where tokens are required,
 * it then has to name the token of that lease.
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

/** The same. It also checks that the task has the version that the call expects. */
export const expectationProblem = (
  task: TaskRow,
  { fencing_token, version }: { readonly [field in keyof Expected]: Expected[field] | undefined },
  required: boolean,
  afterLapse = false
): VersionConflict | LeaseLost | undefined =>
  typeof version === "number" && version !== task.version
    ? VersionConflict.of(task.id, version, task.version)
    : fenceProblem(task, fencing_token, required, afterLapse)

/**
 * Whether the caller may move only what it holds, which the token of the lease shows. A name in the body shows nothing:
 * every caller of the scope may send it.
 */
export const movesOnlyHeld = ({ rank }: Actor): boolean => rank === "work"
