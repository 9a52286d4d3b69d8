/** What becomes of a task when a move ends a lease: it goes where the move leads, unless it is to be cancelled or has failed. */
import { type Limits, type Spending, spendsLast } from "../lease/Budget.ts"
import type { Move } from "./Move.ts"

export type Outcome = "usual" | "cancelled" | "failed"

/** A cancellation somebody asked for comes first: nobody has to hear that what they gave up has failed. */
export const outcome = (
  { budget, yields }: Pick<Move, "budget" | "yields">,
  task: Spending & { readonly cancelRequested: boolean },
  limits: Limits
): Outcome =>
  yields && task.cancelRequested
    ? "cancelled"
    : budget !== undefined && spendsLast(budget, task, limits)
    ? "failed"
    : "usual"
