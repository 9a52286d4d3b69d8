/**
 * Seeds that once ended in a violation, of the server or of one with a planted fault, what they found, and what a run has to
 * see to find it again. A seed means the same run only as long as the simulation draws the same chances: one that no longer
 * sees it fails, and is replaced by another that does.
 */
export const regressions: ReadonlyArray<{ readonly seed: number; readonly found: string; readonly sees: string }> = [
  {
    seed: 2515,
    found: "that nobody brings back a failed blocker whose external key has gone to the task that waits for it",
    sees: "a blocker could not come back"
  },
  {
    seed: 66,
    found: "planted: a lease that is taken back a millisecond early",
    sees: "claim left a lease with a millisecond to go"
  }
]
