/** Values as SQL text, for statements that are made from records and not written in a module. */

const encoder = new TextEncoder()

export const hex = (text: string): string =>
  `CAST(x'${Array.from(encoder.encode(text), (byte) => byte.toString(16).padStart(2, "0")).join("")}' AS TEXT)`

/**
 * A value as SQL has it. Text with characters that D1 or wrangler could take for the end of a statement is written in
 * hexadecimal.
 */
export const literal = (value: unknown): string => {
  if (value === null) return "NULL"
  if (typeof value === "number") return String(value)
  if (typeof value !== "string") throw new TypeError(`${JSON.stringify(value)} is no value of a column.`)
  return /^[\w .,:/@{}[\]"+=-]*$/.test(value) && !value.includes("--") ? `'${value}'` : hex(value)
}
