/** What an agent made, as the server takes it: a log that was cut in the middle of a character must not cost the result. */
import { halvesCharacters, mended } from "../domain/WellFormed.ts"

const isPlain = (value: object) => [Object.prototype, Array.prototype, null].includes(Object.getPrototypeOf(value))

/** The same value, with U+FFFD for each half of a surrogate pair in its texts, and in those that are JSON. */
export const wellFormed = <A>(value: A): A => {
  const any: unknown = value
  const made = typeof any === "string"
    ? (halvesCharacters(any) ? mended(any) : any).toWellFormed()
    : typeof any !== "object" || any === null || !isPlain(any)
    ? any
    : Array.isArray(any)
    ? any.map(wellFormed)
    : Object.fromEntries(Object.entries(any).map(([key, item]) => [key.toWellFormed(), wellFormed(item)]))
  return made as A
}
