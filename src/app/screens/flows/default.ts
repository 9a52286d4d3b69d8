/** The steps of a task whose flow is not registered, for the diagram. A test holds it to `domain/task/Moves.ts`. */
export const defaultSteps: ReadonlyArray<{ readonly from: string; readonly to: string; readonly by: string }> = [
  { from: "incoming", to: "claimed", by: "claim" },
  { from: "claimed", to: "provisional", by: "submit" },
  { from: "claimed", to: "needs_continuation", by: "submit" },
  { from: "needs_continuation", to: "claimed", by: "claim" },
  { from: "provisional", to: "done", by: "accept" },
  { from: "claimed", to: "done", by: "accept" },
  { from: "provisional", to: "incoming", by: "reject" },
  { from: "claimed", to: "incoming", by: "reject" },
  { from: "incoming", to: "failed", by: "fail" },
  { from: "claimed", to: "failed", by: "fail" },
  { from: "provisional", to: "failed", by: "fail" },
  { from: "incoming", to: "cancelled", by: "cancel" },
  { from: "failed", to: "incoming", by: "redrive" },
  { from: "cancelled", to: "incoming", by: "redrive" }
]
