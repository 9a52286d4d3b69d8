/**
 * Finds what would not come back as it was sent: bytes that are not UTF-8, halves of surrogate pairs, and numbers that
 * a double does not hold.
 */
import { excerpt } from "./Excerpt.ts"

/** A place in JSON text that could not be kept, and what was expected there. */
export interface Flaw {
  readonly path: ReadonlyArray<string | number>
  readonly message: string
}

/** How many flaws of a text are answered. */
const MaxFlaws = 50

/**
 * Walks through JSON text in one pass and calls `visit` with each key, text and number. `visit` answers the flaw of
 * that place, if it has one. Text that is not JSON is walked too; its paths mean little.
 */
const walk = (
  text: string,
  visit: (start: number, end: number) => string | undefined,
  most = MaxFlaws
): ReadonlyArray<Flaw> => {
  const flaws: Array<Flaw> = []
  const path: Array<string | number> = []
  let isKey = false
  const leaf = (start: number, end: number) => {
    const message = visit(start, end)
    if (message !== undefined) flaws.push({ path: path.map((part) => segment(part)), message })
  }
  for (let i = 0; i < text.length && flaws.length < most; i++) {
    const character = text[i]!
    if (character === "{" || character === "[") {
      path.push(character === "{" ? "" : 0)
      isKey = character === "{"
    } else if (character === "}" || character === "]") {
      path.pop()
    } else if (character === ",") {
      const last = path.pop()
      isKey = typeof last === "string"
      if (last !== undefined) path.push(typeof last === "number" ? last + 1 : last)
    } else if (character === ":") {
      isKey = false
    } else if (character === "\"") {
      const start = i++
      while (i < text.length && text[i] !== "\"") i += text[i] === "\\" ? 2 : 1
      if (isKey && path.length > 0) path[path.length - 1] = unquoted(text.slice(start, i + 1))
      leaf(start, i + 1)
    } else if (/[-\d]/.test(character)) {
      const start = i
      while (/[-+.\deE]/.test(text[i + 1] ?? "")) i++
      leaf(start, i + 1)
    }
  }
  return flaws
}

const unquoted = (token: string): string => {
  try {
    return JSON.parse(token)
  } catch {
    return token
  }
}

/** The path is part of an answer, so it has to be short and well-formed. */
const segment = (part: string | number) => typeof part === "string" ? excerpt(part, 100).toWellFormed() : part

const digits = (number: string) => number.replace(/e.*$/i, "").replace(/\D/g, "").replace(/^0+|0+$/g, "")

/**
 * Whether the number would come back as another one. Every reader of JSON rounds fractions to the nearest double, so
 * those are accepted. Whole numbers that a double cannot distinguish are not, nor numbers that become infinite or 0
 * (RFC 7493, 2.2).
 */
const changes = (token: string): boolean => {
  const value = Number(token)
  if (!Number.isFinite(value)) return true
  if (value === 0) return /^[-0.]*[1-9]/.test(token)
  return Math.abs(value) > Number.MAX_SAFE_INTEGER
    && (/^-?\d+$/.test(token) || digits(token) !== digits(String(value)))
}

const half = "Expected well-formed Unicode, got half of a surrogate pair"
const isHalved = (token: string) => /\\ud[89a-f]/i.test(token) && !unquoted(token).isWellFormed()

const isJson = (text: string): boolean => {
  try {
    return JSON.parse(text) !== undefined
  } catch {
    return false
  }
}

// Nearly every text has no such number, and is not walked.
const suspectNumber = /(?:^|[:[,\s])-?(?:[\d.]{16}|\d+(?:\.\d+)?[eE])/
const suspectText = /\\u[dD][89a-fA-F]/

/** Whether JSON text holds half of a surrogate pair. A text that is not JSON has none. */
export const halvesCharacters = (text: string): boolean =>
  suspectText.test(text) && isJson(text) &&
  walk(text, (start, end) => isHalved(text.slice(start, end)) ? half : undefined).length > 0

/** The flaws of JSON text. Text that is not JSON has none. */
export const flawsOf = (text: string, most = MaxFlaws): ReadonlyArray<Flaw> =>
  (suspectText.test(text) || suspectNumber.test(text)) && isJson(text)
    ? walk(text, (start, end) => {
      const token = text.slice(start, end)
      if (token.startsWith("\"")) return isHalved(token) ? half : undefined
      return changes(token)
        ? `Expected a number that comes back as it was sent, got ${excerpt(token, 40)}. Send it as text`
        : undefined
    }, most)
    : []

const fits = (bytes: Uint8Array, length: number): boolean => {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(0, length), { stream: true })
    return true
  } catch {
    return false
  }
}

/** The index of the first byte that is not UTF-8, or the length if the bytes end within a character. */
const firstMisfit = (bytes: Uint8Array): number => {
  let [low, high] = [0, bytes.length]
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if (fits(bytes, middle)) low = middle
    else high = middle - 1
  }
  return low
}

const decoder = new TextDecoder("utf-8", { fatal: true })

/**
 * The text of UTF-8 bytes, without a byte order mark. If they are not UTF-8, the flaw names the field of their JSON.
 */
export const decodeUtf8 = (bytes: Uint8Array): string | Flaw => {
  try {
    return decoder.decode(bytes)
  } catch {
    const at = firstMisfit(bytes)
    const message = `Expected UTF-8, got something else at byte ${at}`
    const place = new TextDecoder().decode(bytes.subarray(0, at)).length
    const text = new TextDecoder().decode(bytes)
    const [flaw] = walk(text, (start, end) => start <= place && place <= end ? message : undefined)
    return flaw ?? { path: [], message }
  }
}

// The pattern matches pairs and escaped backslashes first, and keeps them.
const escapes = /\\\\|\\u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|(\\u[dD][89a-fA-F][\da-fA-F]{2})/g

/** Replaces each half of a surrogate pair in stored JSON text by U+FFFD: earlier versions stored them. */
export const mended = (json: string): string =>
  suspectText.test(json)
    ? json.replace(escapes, (found, lone: string | undefined) => lone === undefined ? found : "\\ufffd")
    : json

// oxlint-disable-next-line no-control-regex
const encodedBytes = /(?:%[\da-fA-F]{2})+/g

/**
 * Whether text can be percent-decoded. The bundler removes a call of `decodeURIComponent` whose result is unused,
 * although the call may throw. So the result is used.
 */
export const isDecodable = (text: string): boolean => {
  try {
    return typeof decodeURIComponent(text) === "string"
  } catch {
    return false
  }
}

/** Whether all percent-encoded bytes of the text are UTF-8. A `%` that encodes nothing is allowed. */
export const isEncodedUtf8 = (text: string): boolean => (text.match(encodedBytes) ?? []).every(isDecodable)
