/**
 * The seed of the property tests. It is the same in every run, so that only the code changes the result and a failure
 * can be repeated. `PROPERTY_SEED=<n>` draws other cases.
 */
import * as Arbitrary from "effect/Arbitrary"

// A counterexample is reported as soon as it is short enough to read.
const MaxShrinks = 30

Arbitrary.configureGlobal({ check: { seed: Number(process.env.PROPERTY_SEED ?? 1), maxShrinks: MaxShrinks } })
