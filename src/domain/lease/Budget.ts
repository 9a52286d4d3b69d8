/**
 * Budgets: how many attempts, lease losses and rejections a task may have before it fails. They are counted separately,
 * so that a worker that disappears does not use up the attempts of the task.
 */
import type { Backoff } from "./Backoff.ts"

/** The column with the limit of a task. Null means the server's default, 0 means no limit. */
export type Budget = "max_attempts" | "max_lease_losses" | "max_rejections"

/** The server's defaults. 0 means no limit. */
export type Limits = Readonly<Record<Budget, number>>

/** The counters of a task and its own limits. */
export interface Spending extends Readonly<Record<Budget, number | null>> {
  readonly attempt_count: number
  readonly lease_losses: number
  readonly rejection_count: number
}

/** How much of a budget is used. A lost lease counts as an attempt, but not in `max_attempts`. */
const spent: Record<Budget, (task: Spending) => number> = {
  max_attempts: (task) => task.attempt_count - task.lease_losses,
  max_lease_losses: (task) => task.lease_losses,
  max_rejections: (task) => task.rejection_count
}

/**
 * The limit of the rejections of a task: the shorter one of its own and of the cap on the review rounds of its project.
 * 0 means none. `rounds` is null if the project has no cap, or the task no project.
 */
export const roundsOf = (
  own: number,
  rounds: number | null
): { readonly by: Budget | "max_review_rounds"; readonly limit: number } =>
  rounds !== null && (own === 0 || rounds < own)
    ? { by: "max_review_rounds", limit: rounds }
    : { by: "max_rejections", limit: own }

/** The unit of each budget, for sentences. */
export const units: Record<Budget, { readonly one: string; readonly many: string }> = {
  max_attempts: { one: "attempt", many: "attempts" },
  max_lease_losses: { one: "lost lease", many: "lost leases" },
  max_rejections: { one: "rejection", many: "rejections" }
}

/** The limit of the task; 0 means none. */
export const limitOf = (budget: Budget, task: Spending, limits: Limits): number => task[budget] ?? limits[budget]

/** Whether a move that draws on the budget uses up the rest of it. */
export const spendsLast = (budget: Budget, task: Spending, limits: Limits): boolean => {
  const limit = limitOf(budget, task, limits)
  return limit > 0 && spent[budget](task) + 1 >= limit
}

export interface Policy {
  /** The limits of tasks that have none of their own. */
  readonly limits: Limits
  /** The backoff of tasks that were given up or lost. */
  readonly backoff: Backoff
}
