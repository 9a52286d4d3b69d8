/** A check: a promise of the server, and what its failure means for the operator. */
import type { Bench } from "./Bench.ts"

export interface Check {
  /** What is true if the check passes. */
  readonly name: string
  /** What a failure may do to the operator's work. */
  readonly means: string
  /** Where the operator should look then. */
  readonly look: string
  /** Runs after all others, because it concerns all tasks of the scope. */
  readonly last?: boolean
  /** Throws `Broken` or `Skipped`. */
  readonly run: (bench: Bench) => Promise<void>
}

export interface Group {
  readonly name: string
  readonly checks: ReadonlyArray<Check>
}
