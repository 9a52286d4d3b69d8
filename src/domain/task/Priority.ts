/** Priorities: what callers call them, and the order they stand for. */

const words: ReadonlyMap<string, number> = new Map([
  ["critical", 0],
  ["urgent", 0],
  ["highest", 0],
  ["high", 1],
  ["medium", 2],
  ["normal", 2],
  ["low", 3],
  ["lowest", 4]
])

/** What a task without a priority gets. */
export const DefaultPriority = "P2"

// After every number a caller might think of, and before nothing.
const unknown = 1_000_000

/**
 * The rank tasks are claimed by, lowest first. `P<n>` and a bare number rank as that number, so `P10` comes after
 * `P2`; common words rank beside P0–P4; any other text comes last.
 */
export const rank = (priority: string): number => {
  const number = /^p?(\d{1,5})$/i.exec(priority.trim())?.[1]
  return number === undefined ? words.get(priority.trim().toLowerCase()) ?? unknown : Number(number)
}
