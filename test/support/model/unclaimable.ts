/** The ready tasks that no machine will claim, as the model has them. */
import type { Task } from "./Task.ts"
import type { World } from "./World.ts"

/** For how long a task has to be ready and unchanged before the cron tells of it. */
export const UnclaimableAfterSeconds = 60

/** What the services of a run have to be configured with. */
export const config = { UNCLAIMABLE_AFTER_SECONDS: String(UnclaimableAfterSeconds) }

interface Head {
  readonly task: Task
  readonly why: string
}

/**
 * The first ready task of the scope, if no machine is active there and nobody works for it, and the first of each role that the scope does
 * not know. Caps and breakers make no difference.
 */
export const unclaimable = (
  { clock, isActive, next, roles, tasks }: World,
  scope: string
): ReadonlyArray<Head> => {
  const first = (role: ReadonlyArray<string>) => next(scope, "incoming", role, true)?.[1]
  const works = [...tasks.values()].some((task) =>
    task.scope === scope && task.holder !== null && task.expires > clock.now
  )
  const idle = works || isActive(scope) ? undefined : first([])
  // Blue has no machine, so it has no roles, and every name is known.
  const unknown = scope === "blue" || roles.size === 0
    ? []
    : ["build", "review"].filter((role) => !roles.has(role)).map((role) => first([role]))
  return [
    ...(idle === undefined ? [] : [{ task: idle, why: "no_active_orchestrator" }]),
    ...unknown.flatMap((task) => task === undefined || task === idle ? [] : [{ task, why: "unknown_role" }])
  ]
}
