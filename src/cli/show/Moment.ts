/** Times, durations and amounts as people read them. */
import * as DateTime from "effect/DateTime"

type Time = DateTime.DateTime | null | undefined

const steps: ReadonlyArray<readonly [seconds: number, unit: string]> = [
  [86_400, "d"],
  [3_600, "h"],
  [60, "min"],
  [1, "s"]
]

/** `3 h` for a number of seconds. */
export const span = (seconds: number): string => {
  const [size, unit] = steps.find(([size]) => seconds >= size) ?? [1, "s"]
  return `${Math.floor(Math.max(0, seconds) / size)} ${unit}`
}

/** `3 h 20 min` for a number of seconds. */
export const duration = (seconds: number): string => {
  const minutes = Math.floor(seconds / 60)
  return minutes < 60 || minutes % 60 === 0 ? span(seconds) : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

/** `3 h ago`, or `in 3 h`. */
export const relative = (time: Time, now: number): string => {
  if (time === null || time === undefined) return ""
  const seconds = (now - DateTime.toEpochMillis(time)) / 1000
  return seconds < 0 ? `in ${span(-seconds)}` : seconds < 1 ? "now" : `${span(seconds)} ago`
}

/** `3h`, for tables. */
export const brief = (time: Time, now: number): string =>
  relative(time, now).replace(/ ago$/, "").replace(" min", "m").replace(/ (?=[dhs]$)/, "")

/** `2026-08-01 12:30:05Z`. */
export const instant = (time: Time): string =>
  time === null || time === undefined ? "" : DateTime.formatIso(time).replace("T", " ").replace(/\.\d+Z$/, "Z")

/** `2026-08-01 12:30:05Z, 3 h ago`. */
export const both = (time: Time, now: number): string =>
  time === null || time === undefined ? "" : `${instant(time)}, ${relative(time, now)}`

// Sums of fractions come out a little less or more than they are: without this 82.525 would be 82.52 or 82.53.
const Rounding = 1e-6

export const dollars = (amount: number | null | undefined): string =>
  amount === null || amount === undefined ? "" : `$${(Math.round(amount * 100 + Rounding) / 100).toFixed(2)}`

/** `1,234,567`. */
export const amount = (n: number | null | undefined): string =>
  n === null || n === undefined ? "" : n.toLocaleString("en-US")

/** `1 task`, `2 tasks`. */
export const count = (n: number, one: string, many = `${one}s`): string => `${amount(n)} ${n === 1 ? one : many}`
