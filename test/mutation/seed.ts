/** What the property tests of a mutation check draw from: the same for each fault, so that a run can be repeated. */
import * as Arbitrary from "effect/Arbitrary"

// A counterexample is reported as soon as it is short enough to read.
const MaxShrinks = 30

Arbitrary.configureGlobal({ check: { seed: Number(process.env.MUTATION_SEED ?? 1), maxShrinks: MaxShrinks } })
