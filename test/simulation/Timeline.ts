/** Virtual time: events in order, one at a time, each carried to its end before the next begins. */
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

/** Something that runs: a machine with its agents, or an isolate of the server. What happens to it waits while it sleeps. */
export interface Process {
  readonly name: string
  /** Nothing happens to it any more. */
  dead: boolean
  asleepUntil: number
  /** How far its clock is off, in milliseconds. A correction moves it, and must not move its timers. */
  skew: number
}

interface Event {
  at: number
  order: number
  readonly label: string
  readonly owner: Process | undefined
  readonly run: () => void
  /** Whether it is not to happen any more. */
  cancelled: boolean
}

const isBefore = (a: Event, b: Event) => a.at < b.at || (a.at === b.at && a.order < b.order)

// Promises and fibers run in microtasks. All of them have run when Node gets here.
const settled = () => new Promise<void>((resolve) => setImmediate(resolve))

export const make = (start: number) => {
  const events: Array<Event> = []
  let now = start
  let order = 0

  const insert = (event: Event) => {
    let low = 0
    let high = events.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (isBefore(events[middle]!, event)) high = middle
      else low = middle + 1
    }
    events.splice(low, 0, event)
  }

  /** Makes something happen after so many milliseconds, to `owner` if it is still there. Answers what cancels it. */
  const after = (millis: number, label: string, owner: Process | undefined, run: () => void): () => void => {
    const event = { at: now + Math.max(0, Math.ceil(millis)), order: order++, label, owner, run, cancelled: false }
    insert(event)
    return () => {
      event.cancelled = true
    }
  }

  /** Lets the next event happen, and answers it; nothing if it is later than `until`. */
  const step = async (until: number): Promise<string | undefined> => {
    for (;;) {
      const event = events.at(-1)
      if (event === undefined || event.at > until) {
        now = Math.max(now, until)
        return undefined
      }
      events.pop()
      if (event.cancelled || event.owner?.dead === true) continue
      if (event.owner !== undefined && event.owner.asleepUntil > event.at) {
        insert(Object.assign(event, { at: event.owner.asleepUntil, order: order++ }))
        continue
      }
      now = event.at
      event.run()
      await settled()
      return event.label
    }
  }

  const monotonic = () => BigInt(now) * 1_000_000n

  /** The clock of a process: its timers are events like all others. */
  const clockOf = (owner: Process): Clock.Clock => {
    const millis = () => now + owner.skew
    const nanos = () => BigInt(millis()) * 1_000_000n
    return {
      currentTimeMillisUnsafe: millis,
      currentTimeMillis: Effect.sync(millis),
      currentTimeNanosUnsafe: nanos,
      currentTimeNanos: Effect.sync(nanos),
      monotonicTimeNanosUnsafe: monotonic,
      monotonicTimeNanos: Effect.sync(monotonic),
      sleep: (duration) =>
        Effect.callback<void>((resume) => {
          const wait = Duration.toMillis(duration)
          if (!Number.isFinite(wait)) return
          return Effect.sync(after(wait, `${owner.name} wakes`, owner, () => resume(Effect.void)))
        })
    }
  }

  return { now: () => now, after, step, clockOf, settled }
}

export type Timeline = ReturnType<typeof make>

export const makeProcess = (name: string, skew = 0): Process => ({ name, dead: false, asleepUntil: 0, skew })
