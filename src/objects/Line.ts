/** The line of claims that wait for a task of a scope (`services/lease/Line.ts`). */
import type { Line, Place, Wanted } from "../services/lease/Line.ts"

/** How many claims of a scope wait. Further ones are answered at once. */
export const MaxWaiting = 500

interface Waiting {
  /** Set while it waits for its turn. */
  resume: ((again: boolean) => void) | undefined
  /** Whether it is trying, or has got a task. */
  trying: boolean
  /** Whether its wait has ended. */
  over: boolean
}

/** Claims that look for the same tasks. */
interface Group {
  readonly wanted: Wanted
  readonly places: Array<Waiting>
  /** How many changes there had been when a claim that got nothing began to try. */
  tried: number
  /** The claim that was woken and tries next. */
  called: Waiting | undefined
}

/**
 * `hasReady` says whether a ready task matches what the claims look for. Most changes make no such task ready, and this
 * question is much cheaper than a claim.
 */
export const make = (
  hasReady: (wanted: Wanted) => boolean
): Line & {
  readonly changed: (anew?: "anew") => void
  /** Ends every wait, for a server that stops. Claims that come later are answered at once. */
  readonly close: () => void
} => {
  const groups = new Map<string, Group>()
  const keyed = new Map<string, Waiting>()
  let changes = 0
  // The last change after which a claim tries although no task seems to be ready.
  let anew = 0
  let count = 0
  let isClosed = false

  /** Wakes the first waiting claim of each group, if something has changed since a claim of the group last tried. */
  const call = () => {
    for (const group of groups.values()) {
      if (group.called !== undefined || group.tried === changes) continue
      const first = group.places.find(({ resume }) => resume !== undefined)
      if (first === undefined) continue
      if (group.tried >= anew && !hasReady(group.wanted)) {
        group.tried = changes
        continue
      }
      const { resume } = first
      group.called = first
      first.resume = undefined
      resume!(true)
    }
  }

  const over = (waiting: Waiting) => {
    const { resume } = waiting
    waiting.over = true
    waiting.resume = undefined
    resume?.(false)
  }

  const end = (key: string) => {
    const waiting = keyed.get(key)
    if (waiting !== undefined) over(waiting)
  }

  const close = () => {
    isClosed = true
    // A claim that is answered leaves its group.
    const all = [...groups.values()].flatMap(({ places }) => places)
    for (const place of all) over(place)
  }

  const join = (wanted: Wanted, key: string | undefined): Place | undefined => {
    if (isClosed || count >= MaxWaiting) return undefined
    count++
    const { same } = wanted
    const group = groups.get(same) ?? { wanted, places: [], tried: changes, called: undefined }
    groups.set(same, group)
    const own: Waiting = { resume: undefined, trying: false, over: false }
    group.places.push(own)
    if (key !== undefined) keyed.set(key, own)
    let began = changes
    const settle = () => {
      if (group.called === own) group.called = undefined
      queueMicrotask(call)
    }
    return {
      begin: () => {
        began = changes
        own.trying = true
      },
      empty: () => {
        // It may not have seen a change after it began.
        group.tried = began
        own.trying = false
        settle()
      },
      turn: (resume) => {
        if (own.over) queueMicrotask(() => resume(false))
        else own.resume = resume
        queueMicrotask(call)
        return () => {
          own.resume = undefined
        }
      },
      leave: () => {
        count--
        group.places.splice(group.places.indexOf(own), 1)
        if (group.places.length === 0) groups.delete(same)
        if (key !== undefined && keyed.get(key) === own) keyed.delete(key)
        // The claim got a task while others may still be ready, or it was woken and did not try. So the next claim in
        // line tries now.
        if (own.trying || group.called === own) group.tried = Math.min(group.tried, changes - 1)
        settle()
      }
    }
  }

  return {
    join,
    end,
    close,
    changed: (why) => {
      changes++
      if (why === "anew") anew = changes
      queueMicrotask(call)
    }
  }
}
