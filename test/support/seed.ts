/**
 * What the property tests draw from: the same in every run, so that a change is judged by itself and a failure can be
 * repeated. `PROPERTY_SEED=<n>` draws something else.
 */
import * as Arbitrary from "effect/Arbitrary"

// A counterexample is reported as soon as it is short enough to read.
const MaxShrinks = 30

Arbitrary.configureGlobal({ check: { seed: Number(process.env.PROPERTY_SEED ?? 1), maxShrinks: MaxShrinks } })
