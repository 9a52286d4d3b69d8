/**
 * The sockets that wait for work. A socket says what a claim of its client would look for. When such a task is ready,
 * it is called: it gets one message, and its client claims. The client says again what it waits for when it wants more.
 */
import { work } from "../../domain/feed/Wait.ts"
import type * as Line from "../../services/lease/Line.ts"

export type Wanted = Omit<Line.Wanted, "same">

/** What a socket waits for, and since when. */
export interface Wait extends Wanted {
  readonly since: number
}

/** Equal for all that look for the same tasks. */
const kindOf = ({ queue, roles, types }: Wanted): string => JSON.stringify([queue, roles, types])

/** How long the claim of a called socket may take to come, in milliseconds. Then another socket is called. */
export const Patience = 2_000

export interface Options {
  /** How many ready tasks match, `most` at most. */
  readonly readyTasks: (wanted: Wanted, most: number) => number
  /** Has `look` called with all sockets that wait. */
  readonly lookAgain: () => void
  /** Runs the action after so many milliseconds. */
  readonly later: (millis: number, act: () => void) => void
}

/** A socket that waits. `called` sends the message; it answers `false` if the socket has failed. */
export interface Waiter extends Wait {
  readonly call: (message: string) => boolean
}

const message = JSON.stringify(work)

export const make = ({ later, lookAgain, readyTasks }: Options) => {
  // When sockets were called whose claims have not come. An object that was evicted does not remember them: then one
  // socket more than necessary may be called.
  const called = new Map<string, Array<number>>()
  let timed = false

  const coming = (kind: string, now: number): Array<number> => {
    const young = (called.get(kind) ?? []).filter((time) => time > now - Patience)
    if (young.length === 0) called.delete(kind)
    else called.set(kind, young)
    return young
  }

  /** Calls others for the tasks of those that did not claim in time. A laptop that sleeps answers nothing. */
  const expire = () => {
    timed = false
    const now = Date.now()
    const before = [...called].map(([kind, times]) => times.length - coming(kind, now).length)
    if (before.some((late) => late > 0)) lookAgain()
    time()
  }
  const time = () => {
    if (timed || called.size === 0) return
    timed = true
    later(Patience, expire)
  }

  /**
   * Calls as many sockets as there are tasks for which no claim is coming: those that have waited longest. `anew` calls
   * one of each kind in any case: a claim may find what is not counted as ready.
   */
  const look = (waiters: ReadonlyArray<Waiter>, anew: boolean): void => {
    const now = Date.now()
    for (const [kind, all] of Map.groupBy(waiters, kindOf)) {
      const awaited = coming(kind, now)
      const ready = readyTasks(all[0]!, all.length + awaited.length)
      let left = Math.max(ready - awaited.length, anew ? 1 : 0)
      for (const { call } of all.toSorted((a, b) => a.since - b.since)) {
        if (left === 0) break
        if (!call(message)) continue
        awaited.push(now)
        called.set(kind, awaited)
        left--
      }
    }
    time()
  }

  /** A claim that looks for this has tried. It may be that of a socket that was called. */
  const tried = (wanted: Wanted): void => {
    called.get(kindOf(wanted))?.shift()
  }

  return { look, tried }
}
