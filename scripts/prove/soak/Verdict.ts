/** Whether a sustained load was borne: each criterion with what was found. */
import { growth, median, type Window } from "./Windows.ts"

export interface Finding {
  readonly criterion: string
  readonly found: string
  readonly holds: boolean
}

const ratio = (windows: ReadonlyArray<Window>, of: (window: Window) => number) => {
  const third = Math.floor(windows.length / 3)
  return median(windows.slice(-third).map(of)) / median(windows.slice(third, -third).map(of))
}

/**
 * Thirds of the run are compared by the medians of their windows, since one window in which the machine was busy with
 * something else says nothing about the server. Memory is judged by the second half: V8 lets its heaps grow for thousands
 * of requests before it collects all of them for the first time, and a leak goes on growing after that. `memory` are
 * samples of the whole run, in bytes, one a second.
 */
export const judge = (
  windows: ReadonlyArray<Window>,
  memory: ReadonlyArray<number>,
  problems: ReadonlyArray<string>
): ReadonlyArray<Finding> => {
  const warm = memory.slice(Math.floor(memory.length / 2))
  const errors = windows.reduce((sum, { errors }) => sum + errors, 0)
  const [grown, slower, dearer] = [growth(warm), ratio(windows, ({ p95 }) => p95), ratio(windows, ({ read }) => read)]
  return [
    { criterion: "no request fails", found: `${errors} errors`, holds: errors === 0 },
    {
      criterion: "counters are right, and all that always holds does",
      found: problems[0] ?? "all",
      holds: problems.length === 0
    },
    ...(warm.length === 0 ? [] : [{
      criterion: "memory grows by at most 10 % in the second half, by a line through its samples",
      found: `${(grown * 100).toFixed(1)} %`,
      holds: grown <= 0.1
    }]),
    {
      criterion: "p95 of the last third is at most 1.5 times that of the second",
      found: slower.toFixed(2),
      holds: slower <= 1.5
    },
    {
      criterion:
        "a request of the last third reads at most 1.1 times the rows of the second, however many there are by then",
      found: dearer.toFixed(2),
      holds: dearer <= 1.1
    }
  ]
}
