/**
 * Checks values that cannot be stored as they were sent: they are refused, and accepted values are answered unchanged.
 */
import { isDeepStrictEqual } from "node:util"
import type { Answer, Request } from "./Request.ts"

type Reviver = (this: unknown, key: string, value: unknown, context: { readonly source?: string }) => unknown

const isUtf8 = (bytes: Uint8Array): boolean => {
  // Encoded and decoded: bytes that are not UTF-8 are replaced on the way.
  return Buffer.from(Buffer.from(bytes).toString("utf8"), "utf8").equals(Buffer.from(bytes))
}

const daysIn = (year: number, month: number) => new Date(Date.UTC(year, month, 0)).getUTCDate()

/** Whether the text names a day and a time that there are. The years are those that come back with four digits. */
const isInstant = (text: string): boolean => {
  const parts = /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)/.exec(text)?.slice(1).map(Number)
  if (parts === undefined) return false
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts
  return month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month) && hour < 24 && minute < 60 && second < 60
}

/** Fields that hold a time in a body that a caller sends. */
const times = new Set([
  "claimed_at",
  "completed_at",
  "expires_at",
  "last_rebase_attempt_at",
  "lease_expires_at",
  "submitted_at"
])

/** Fields that are answered as they were sent, where an answer has them. */
const echoed = ["title", "content", "description", "metadata", "label", "author", "hostname", "execution_notes"]

/** Values in a JSON text that would be changed. */
const wrongIn = (text: string): ReadonlyArray<string> => {
  const found: Array<string> = []
  const look: Reviver = (key, value, { source }) => {
    if (!key.isWellFormed()) found.push(`half a character in the key ${JSON.stringify(key)}`)
    if (typeof value === "string" && !value.isWellFormed()) found.push(`half a character in ${key}`)
    if (typeof value === "number" && source !== undefined) {
      const isWhole = /^-?\d+$/.test(source)
      if (!Number.isFinite(value) || (isWhole && BigInt(source) !== BigInt(value))) found.push(`the number ${source}`)
    }
    if (typeof value === "string" && times.has(key) && value !== "" && !isInstant(value)) found.push(`${key}: ${value}`)
    return value
  }
  try {
    JSON.parse(text, look as Parameters<typeof JSON.parse>[1])
  } catch (error) {
    // A field that no endpoint reads may nest more deeply than this goes.
    if (!(error instanceof RangeError)) throw error
  }
  return found
}

const object = (text: string): Record<string, unknown> | undefined => {
  try {
    const value = JSON.parse(text)
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined
  } catch {
    return undefined
  }
}

const isPart = (part: unknown, whole: unknown): boolean =>
  typeof part === "object" &&
  Object.entries(Object(part)).every(([key, value]) => isDeepStrictEqual(Object(whole)[key], value))

const isWellFormed = (value: unknown): boolean =>
  typeof value === "string"
    ? value.isWellFormed()
    : typeof value !== "object" || value === null
      || Object.entries(value).every(([key, item]) => key.isWellFormed() && isWellFormed(item))

/** Whether the text is JSON of the value. A number may be spelled in another way. */
const isJsonOf = (text: unknown, value: unknown): boolean => {
  try {
    return typeof text === "string" && isDeepStrictEqual(JSON.parse(text), value)
  } catch {
    return false
  }
}

export const problems = (request: Request, { status, text }: Answer): ReadonlyArray<string> => {
  const found: Array<string> = []
  const answered = object(text)
  if (answered !== undefined && !isWellFormed(answered)) found.push("the answer has half a character")
  // A body is looked at where an endpoint takes one, and where its answer says that it was taken.
  const { body, method, operation, target } = request
  if (status >= 300) return found
  if (/(?:%[\da-f]{2})+/gi.test(target)) {
    for (const [run] of target.matchAll(/(?:%[\da-f]{2})+/gi)) {
      if (!isUtf8(Buffer.from(run.replaceAll("%", ""), "hex"))) found.push(`${run} was taken`)
    }
  }
  if (body === undefined || operation.body === undefined || method !== operation.method) return found
  if (!isUtf8(body)) return [...found, "bytes that are not UTF-8 were taken"]
  const sent = object(Buffer.from(body).toString())
  if (sent === undefined) return found
  found.push(...wrongIn(Buffer.from(body).toString()).map((what) => `${what} was taken`))
  // A repetition answers the values of the first request. A minimal answer, and one about other records, has none of
  // these.
  if (status !== 201 || answered?.["id"] === undefined) return found
  for (const field of echoed) {
    const [given, kept] = [sent[field], answered[field]]
    if (given == null || given === "" || kept === undefined) continue
    // What a task has no column for is kept in its metadata as well. JSON that travels as text is answered as text.
    const same = field === "metadata" && typeof kept === "object"
      ? isDeepStrictEqual(kept, given) || isDeepStrictEqual(Object(kept).metadata, given) || isPart(given, kept)
      : isDeepStrictEqual(kept, given) || isJsonOf(kept, given)
    if (!same) found.push(`${field} came back as ${JSON.stringify(kept)?.slice(0, 200)}`)
  }
  return found
}
