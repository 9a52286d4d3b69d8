/** The line of claims that wait for a task of a scope (`services/lease/Line.ts`). */
import type { Line, Place } from "../services/lease/Line.ts"

/** How many claims of a scope wait. Further ones are answered at once. */
export const MaxWaiting = 500

interface Waiting {
  /** Set while it waits for its turn. */
  resume: (() => void) | undefined
}

/** Claims that look for the same. */
interface Group {
  readonly places: Array<Waiting>
  /** How many changes there had been when a claim that got nothing began to try. */
  tried: number
  /** Whose turn it is. */
  called: Waiting | undefined
}

export const make = (): Line & { readonly changed: () => void } => {
  const groups = new Map<string, Group>()
  let changes = 0
  let count = 0

  /** Lets the first of each group try again, if something has changed since one of them tried. */
  const call = () => {
    for (const group of groups.values()) {
      if (group.called !== undefined || group.tried === changes) continue
      const first = group.places.find(({ resume }) => resume !== undefined)
      if (first === undefined) continue
      const { resume } = first
      group.called = first
      first.resume = undefined
      resume!()
    }
  }

  const join = (wanted: string): Place | undefined => {
    if (count >= MaxWaiting) return undefined
    count++
    const group = groups.get(wanted) ?? { places: [], tried: changes, called: undefined }
    groups.set(wanted, group)
    const own: Waiting = { resume: undefined }
    group.places.push(own)
    let began = changes
    const settle = () => {
      if (group.called === own) group.called = undefined
      queueMicrotask(call)
    }
    return {
      begin: () => {
        began = changes
      },
      empty: () => {
        // It may not have seen a change after it began.
        group.tried = began
        settle()
      },
      turn: (resume) => {
        own.resume = resume
        queueMicrotask(call)
        return () => {
          own.resume = undefined
        }
      },
      leave: () => {
        count--
        group.places.splice(group.places.indexOf(own), 1)
        if (group.places.length === 0) groups.delete(wanted)
        // This request may have got a task while others are still ready, so the next in line tries now. If it got none, that try is one claim for nothing.
        group.tried = -1
        settle()
      }
    }
  }

  return {
    join,
    changed: () => {
      changes++
      queueMicrotask(call)
    }
  }
}
