/** The measurements of a sustained load, in windows of some seconds each. */

export interface Window {
  /** When it ended, in seconds since the load began. */
  readonly until: number
  readonly requests: number
  readonly rps: number
  /** Milliseconds below which this part of the requests were answered, in percent. */
  readonly p50: number
  readonly p95: number
  readonly p99: number
  /** Rows D1 read for one request, on average. */
  readonly read: number
  readonly errors: number
  /** The memory workerd has in use, in MiB: the median of one sample a second. */
  readonly memory: number | undefined
  /** Processor time in percent of one processor. */
  readonly workerd: number | undefined
  readonly generator: number
}

/** The value below which `part` of the values are. */
export const quantile = (values: ReadonlyArray<number>, part: number): number => {
  const sorted = Float64Array.from(values).sort()
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN
}

export const median = (values: ReadonlyArray<number>) => quantile(values, 0.5)

/** By how much a line through the points rises from the first to the last, as a part of their mean. */
export const growth = (values: ReadonlyArray<number>): number => {
  const middle = (values.length - 1) / 2
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const up = values.reduce((sum, value, i) => sum + (i - middle) * (value - mean), 0)
  const square = values.reduce((sum, _, i) => sum + (i - middle) ** 2, 0)
  return up / square * (values.length - 1) / mean
}

const columns = [
  ["until s", 8, ({ until }) => until.toFixed(0)],
  ["requests", 10, ({ requests }) => String(requests)],
  ["rps", 8, ({ rps }) => rps.toFixed(0)],
  ["p50 ms", 8, ({ p50 }) => p50.toFixed(1)],
  ["p95 ms", 8, ({ p95 }) => p95.toFixed(1)],
  ["p99 ms", 8, ({ p99 }) => p99.toFixed(1)],
  ["rows read", 11, ({ read }) => read.toFixed(2)],
  ["RSS MiB", 9, ({ memory }) => memory?.toFixed(0) ?? "-"],
  ["workerd %", 11, ({ workerd }) => workerd?.toFixed(0) ?? "-"],
  ["load %", 8, ({ generator }) => generator.toFixed(0)],
  ["errors", 8, ({ errors }) => String(errors)]
] as const satisfies ReadonlyArray<readonly [string, number, (window: Window) => string]>

export const header = columns.map(([name, width]) => name.padStart(width)).join("")
export const line = (window: Window) => columns.map(([, width, show]) => show(window).padStart(width)).join("")
