/** Seeds that once ended in a violation, and what they found. They are played with every run of the tests. */
export const regressions: ReadonlyArray<{ readonly seed: number; readonly found: string }> = [
  { seed: 14, found: "a check that took a refused request for the one that had the effect of its key" },
  {
    seed: 17,
    found: "a check that expected a claim to know of the grant to its double, which was made after it had looked"
  }
]
