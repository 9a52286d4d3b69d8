/**
 * Seeds that once ended in a violation, of the server or of one with a planted fault, what they found, and what a run has to
 * see to find it again. A seed means the same run only as long as the simulation draws the same chances: one that no longer
 * sees it fails, and is replaced by another that does.
 */
export const regressions: ReadonlyArray<
  { readonly seed: number; readonly found: string; readonly sees: string; readonly asking?: boolean }
> = [
  {
    seed: 514,
    found: "a claim that left a lease which had run out between its two attempts",
    sees: "event lease_expired"
  },
  {
    seed: 66,
    found: "planted: a lease that is taken back a millisecond early",
    sees: "claim left a lease with a millisecond to go"
  },
  {
    seed: 3043,
    asking: true,
    found:
      "a claim of a parked account that was told of another reason, because the park ended before the claim was explained",
    sees: "claim account_parked"
  }
]
