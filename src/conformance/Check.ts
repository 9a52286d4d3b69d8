/** A check: one promise of the server, and what it means for its operator when it is broken. */
import type { Bench } from "./Bench.ts"

export interface Check {
  /** What holds when it passes. */
  readonly name: string
  /** What may happen to the operator's work when it fails. */
  readonly means: string
  /** Where to look then. */
  readonly look: string
  /** Made when all others are through, because it is about all there is in the scope. */
  readonly last?: boolean
  /** Throws `Broken` or `Skipped`. */
  readonly run: (bench: Bench) => Promise<void>
}

export interface Group {
  readonly name: string
  readonly checks: ReadonlyArray<Check>
}
