/** Repairs texts that agents made: a log that was cut within a character must not cost the result. */
import { halvesCharacters, mended } from "../../domain/WellFormed.ts"

const isPlain = (value: object) => [Object.prototype, Array.prototype, null].includes(Object.getPrototypeOf(value))

const mend = <A>(value: A): A => {
  const any: unknown = value
  const made = typeof any === "string"
    ? (halvesCharacters(any) ? mended(any) : any).toWellFormed()
    : typeof any !== "object" || any === null || !isPlain(any)
    ? any
    : Array.isArray(any)
    ? any.map(mend)
    : Object.fromEntries(Object.entries(any).map(([key, item]) => [key.toWellFormed(), mend(item)]))
  return made as A
}

/**
 * The same value, with U+FFFD for each half of a surrogate pair in its texts, and in texts that are JSON. A value that
 * cannot be walked, such as a cycle, is returned unchanged; it is refused when it is converted to JSON.
 */
export const wellFormed = <A>(value: A): A => {
  try {
    return mend(value)
  } catch {
    return value
  }
}
