/** Faults in the input that is accepted: bytes, texts, numbers and times that would be stored as others. */
import type { Fault } from "../Fault.ts"

export const texts: ReadonlyArray<Fault> = [
  {
    name: "bytes-replaced",
    breaks: "The server refuses a body that is not UTF-8.",
    symbol: "WellFormed.decoder",
    find: "const decoder = new TextDecoder(\"utf-8\", { fatal: true })",
    replace: "const decoder = new TextDecoder(\"utf-8\")"
  },
  {
    name: "halves-taken",
    breaks: "The server refuses half of a surrogate pair, escaped in either case.",
    symbol: "isHalved",
    find: "const isHalved = (token: string) => /\\\\ud[89a-f]/i.test(token)",
    replace: "const isHalved = (token: string) => /\\\\ud[89a-f]/.test(token)"
  },
  {
    name: "halves-in-text",
    breaks: "The server refuses half of a surrogate pair in JSON inside a text.",
    symbol: "isWellFormedJson",
    find: "typeof value !== \"string\" || !halvesCharacters(value)",
    replace: "typeof value !== \"string\" || true"
  },
  {
    name: "halves-answered",
    breaks: "The server answers well-formed JSON, also from rows of earlier versions.",
    symbol: "jsonColumn",
    find: "SchemaTransformation.transform({ decode: mended,",
    replace: "SchemaTransformation.transform({ decode: (text) => text,"
  },
  {
    name: "numbers-rounded",
    breaks: "The server refuses a whole number that a double does not hold.",
    symbol: "WellFormed.changes",
    find: "Math.abs(value) > Number.MAX_SAFE_INTEGER",
    replace: "Math.abs(value) > 2 ** 64"
  },
  {
    name: "numbers-infinite",
    breaks: "The server refuses a number that becomes infinite.",
    symbol: "WellFormed.changes",
    find: "if (!Number.isFinite(value)) return true",
    replace: "if (!Number.isFinite(value)) return false"
  },
  {
    name: "query-replaced",
    breaks: "The server refuses a query that is not UTF-8.",
    symbol: "garbledQuery",
    find: "if (isEncodedUtf8(query)) return undefined",
    replace: "if (isEncodedUtf8(query) || query !== \"\") return undefined"
  },
  {
    name: "dates-rolled-over",
    breaks: "The server refuses a day that does not exist.",
    symbol: "domain/Instant.millisOf",
    find: "!(new Date(local).getUTCDate() === Number(day))",
    replace: "Number.isNaN(new Date(local).getUTCDate() - Number(day))"
  },
  {
    name: "offset-turned-round",
    breaks: "A time with an offset is the instant that it names.",
    symbol: "domain/Instant.millisOf",
    find: "sign === \"-\" ? local + offset : local - offset",
    replace: "sign === \"-\" ? local - offset : local + offset"
  },
  {
    name: "results-cut",
    breaks: "The worker submits a result whose text was cut in the middle of a character.",
    symbol: "mend",
    find: "(halvesCharacters(any) ? mended(any) : any).toWellFormed()",
    replace: "halvesCharacters(any) ? mended(any) : any"
  }
]
