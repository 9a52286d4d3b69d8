/**
 * Budgets: how often a task may be given up, lost or rejected before it has failed for good. Each is counted apart, so that a
 * worker that vanished spends no attempt of the task's own.
 */
import type { Backoff } from "./Backoff.ts"

/** The column of a task that limits what is spent; null there is the server's default, 0 is no limit. */
export type Budget = "max_attempts" | "max_lease_losses" | "max_rejections"

/** The server's defaults; 0 is no limit. */
export type Limits = Readonly<Record<Budget, number>>

/** What budgets are about: the counters of a task, and its own limits. */
export interface Spending extends Readonly<Record<Budget, number | null>> {
  readonly attempt_count: number
  readonly lease_losses: number
  readonly rejection_count: number
}

/** What is spent of a budget: a lost lease counts as an attempt, but was not the task's. */
const spent: Record<Budget, (task: Spending) => number> = {
  max_attempts: (task) => task.attempt_count - task.lease_losses,
  max_lease_losses: (task) => task.lease_losses,
  max_rejections: (task) => task.rejection_count
}

/** What each budget is counted in. */
export const units: Record<Budget, { readonly one: string; readonly many: string }> = {
  max_attempts: { one: "attempt", many: "attempts" },
  max_lease_losses: { one: "lost lease", many: "lost leases" },
  max_rejections: { one: "rejection", many: "rejections" }
}

/** The limit that holds for the task; 0 is none. */
export const limitOf = (budget: Budget, task: Spending, limits: Limits): number => task[budget] ?? limits[budget]

/** Whether a move that draws on the budget spends the last of it. */
export const spendsLast = (budget: Budget, task: Spending, limits: Limits): boolean => {
  const limit = limitOf(budget, task, limits)
  return limit > 0 && spent[budget](task) + 1 >= limit
}

export interface Policy {
  /** How often each may happen to a task that does not say. */
  readonly limits: Limits
  /** How long a task waits after it was given up. */
  readonly backoff: Backoff
}
