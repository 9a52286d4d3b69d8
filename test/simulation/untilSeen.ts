/** Plays seeds until they have shown what a test looks for. */
import { assert } from "@effect/vitest"
import { isFast, runs } from "../support/runs.ts"
import * as Simulation from "./Simulation.ts"

/** What the server does rarely is seen in some seeds only, and in others after each change of the server. */
const most = 24

/**
 * Plays the seeds from `first` on, each of which has to keep every promise: `least` of them, and more until one of them has shown
 * each of `expected`, which are names of `coverage` and `faults`. Fails when `most` have not shown it: then a check may have nothing
 * to look at. The fast run plays `fast` seeds and asks for nothing.
 */
export const playUntilSeen = async (
  { expected, fast, first, least, options = {} }: {
    readonly expected: ReadonlyArray<string>
    readonly fast: number
    readonly first: number
    readonly least: number
    readonly options?: Simulation.Options
  }
): Promise<void> => {
  const seen = new Set<string>()
  const unseen = () => isFast ? [] : expected.filter((what) => !seen.has(what))
  for (let n = 0; n < runs(least, fast) || (n < most && unseen().length > 0); n++) {
    const run = await Simulation.run(first + n, options)
    assert.isUndefined(run.violation, Simulation.report(run))
    for (const what of [...run.coverage.keys(), ...run.faults.keys()]) seen.add(what)
  }
  assert.deepStrictEqual(unseen(), [], `not seen in ${most} seeds`)
}
