/**
 * A short text that identifies a query: the same for the same list with the same filters. It is neither secret nor a
 * proof.
 */

/**
 * 53 bits of a text, in base 36: two sums of 32 bits (FNV-1a and a multiplicative one), which rarely collide together.
 */
const hash = (text: string): string => {
  let one = 0x811c9dc5
  let two = 0x9e3779b9
  for (let i = 0; i < text.length; i++) {
    one = Math.imul(one ^ text.charCodeAt(i), 0x01000193)
    two = Math.imul(two + text.charCodeAt(i), 0x85ebca6b) ^ (two >>> 13)
  }
  return ((one >>> 0) * 0x200000 + (two >>> 11)).toString(36)
}

/** The fingerprint of a name and its parameters, in any order. Empty parameters do not count. */
export const fingerprint = (name: string, asked: Readonly<Record<string, unknown>>): string =>
  hash(
    JSON.stringify([
      name,
      ...Object.entries(asked).filter(([, value]) => value !== undefined && value !== "").toSorted(
        ([a], [b]) => a < b ? -1 : 1
      )
    ])
  )
