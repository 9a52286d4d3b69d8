/** Priorities: the texts that callers send, and their order. */

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

/** The priority of a task that names none. */
export const DefaultPriority = "P2"

// The rank of an unknown word. It is greater than every usual number.
const unknown = 1_000_000

/**
 * The rank of a priority. Claims take the lowest rank first. `P<n>` and a plain number have that number as rank, so
 * `P10` comes after `P2`. Common words have the ranks of P0 to P4. Any other text comes last.
 */
export const rank = (priority: string): number => {
  const number = /^p?(\d{1,5})$/i.exec(priority.trim())?.[1]
  return number === undefined ? words.get(priority.trim().toLowerCase()) ?? unknown : Number(number)
}
