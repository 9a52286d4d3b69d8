/**
 * How much a test draws. `npm test` is the fast run and draws less; every other run of Vitest, also
 * `npx vitest run test/state-machine.test.ts`, draws all of it.
 */
import { inject } from "vitest"

declare module "vitest" {
  interface ProvidedContext {
    /** Whether this is the fast run (`vitest.config.ts`). */
    readonly fast: boolean
  }
}

export const isFast = inject("fast")

const times = Number(process.env.PROPERTY_RUNS ?? 1)

/** The number of cases to draw: in a full run, and in the fast one. `PROPERTY_RUNS=<n>` draws n times as many in a full run. */
export const runs = (full: number, fast: number): number => isFast ? fast : full * times

/** The cases to try: all of them in a full run, and every `step`-th in the fast one. */
export const some = <A>(all: ReadonlyArray<A>, step: number): ReadonlyArray<A> =>
  isFast ? all.filter((_, n) => n % step === 0) : all
