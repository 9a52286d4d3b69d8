/**
 * Text as it arrives: bytes that have to be UTF-8, and JSON that has to come back as it was sent. Half of a surrogate pair has
 * no UTF-8, and a number that a double does not hold comes back as another one.
 */
import { excerpt } from "./Excerpt.ts"

/** Where in a JSON text something is that would not be kept, and what was expected there. */
export interface Flaw {
  readonly path: ReadonlyArray<string | number>
  readonly message: string
}

/** A text with many flaws is answered with the first of them. */
const MaxFlaws = 50

/**
 * Goes through JSON text in one pass and calls `visit` with each key, text and number. What `visit` answers is a flaw of that
 * place. A text that is not JSON is gone through as well; its paths mean little.
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

/** The path is part of an answer, so it is short and well-formed. */
const segment = (part: string | number) => typeof part === "string" ? excerpt(part, 100).toWellFormed() : part

const digits = (number: string) => number.replace(/e.*$/i, "").replace(/\D/g, "").replace(/^0+|0+$/g, "")

/**
 * Whether the number comes back as another one. Fractions are rounded to the nearest double, as by every reader of JSON; whole
 * numbers beyond those that a double tells apart are not, nor is what becomes infinite or 0 (RFC 7493, 2.2).
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

// Nearly every text has none of these, and is not looked at further.
const suspectNumber = /(?:^|[:[,\s])-?(?:[\d.]{16}|\d+(?:\.\d+)?[eE])/
const suspectText = /\\u[dD][89a-fA-F]/

/** Whether JSON text holds half of a surrogate pair. A text that is not JSON has none. */
export const halvesCharacters = (text: string): boolean =>
  suspectText.test(text) && isJson(text) &&
  walk(text, (start, end) => isHalved(text.slice(start, end)) ? half : undefined).length > 0

/** What in JSON text would not come back as it was sent. A text that is not JSON has no flaws. */
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

/** The place of the first byte that is not UTF-8; the length of the bytes when they end within a character. */
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

/** The text of UTF-8, without a byte order mark, or the flaw of bytes that are not: in which field of their JSON they are. */
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

// Pairs and escaped backslashes are matched first, and stay.
const escapes = /\\\\|\\u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|(\\u[dD][89a-fA-F][\da-fA-F]{2})/g

/** Stored JSON text with U+FFFD for each half of a surrogate pair: earlier versions kept these. */
export const mended = (json: string): string =>
  suspectText.test(json)
    ? json.replace(escapes, (found, lone: string | undefined) => lone === undefined ? found : "\\ufffd")
    : json

// oxlint-disable-next-line no-control-regex
const encodedBytes = /(?:%[\da-fA-F]{2})+/g

/**
 * Whether text can be percent-decoded. The bundler drops a call of `decodeURIComponent` whose answer nobody looks at, although it
 * may throw: so the answer is looked at.
 */
export const isDecodable = (text: string): boolean => {
  try {
    return typeof decodeURIComponent(text) === "string"
  } catch {
    return false
  }
}

/** Whether all that is percent-encoded is UTF-8. A `%` that encodes nothing is itself. */
export const isEncodedUtf8 = (text: string): boolean => (text.match(encodedBytes) ?? []).every(isDecodable)
