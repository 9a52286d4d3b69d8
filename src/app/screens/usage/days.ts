/** The days of a list of sums, also those without any. */
import type { UsageSum } from "../../api/Contract.ts"

export interface Day {
  /** The beginning of the day, in seconds. */
  readonly at: number
  readonly cost: number
  readonly tokens: number
}

const DayMillis = 86_400_000

export const dayOf = (millis: number): string => new Date(millis).toISOString().slice(0, 10)

export const daysOf = (
  { from, to, usage }: { readonly from: string; readonly to: string; readonly usage: ReadonlyArray<UsageSum> }
): ReadonlyArray<Day> => {
  const byDay = new Map(usage.map((sum) => [sum.day, sum]))
  const days: Array<Day> = []
  for (let at = Date.parse(from); at <= Date.parse(to); at += DayMillis) {
    const sum = byDay.get(dayOf(at))
    days.push({ at: at / 1000, cost: sum?.cost_usd ?? 0, tokens: (sum?.input_tokens ?? 0) + (sum?.output_tokens ?? 0) })
  }
  return days
}
