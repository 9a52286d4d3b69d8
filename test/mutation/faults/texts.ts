/** Faults in what is taken: bytes, texts, numbers and times that would come back as others. */
import type { Fault } from "../Fault.ts"

export const texts: ReadonlyArray<Fault> = [
  {
    name: "bytes-replaced",
    breaks: "A body that is not UTF-8 is refused.",
    symbol: "WellFormed.decoder",
    find: "const decoder = new TextDecoder(\"utf-8\", { fatal: true })",
    replace: "const decoder = new TextDecoder(\"utf-8\")"
  },
  {
    name: "halves-taken",
    breaks: "Half of a surrogate pair is refused, escaped in either case.",
    symbol: "isHalved",
    find: "const isHalved = (token: string) => /\\\\ud[89a-f]/i.test(token)",
    replace: "const isHalved = (token: string) => /\\\\ud[89a-f]/.test(token)"
  },
  {
    name: "halves-in-text",
    breaks: "Half of a surrogate pair is refused in JSON that travels as text.",
    symbol: "isWellFormedJson",
    find: "typeof value !== \"string\" || !halvesCharacters(value)",
    replace: "typeof value !== \"string\" || true"
  },
  {
    name: "halves-answered",
    breaks: "What an earlier version stored is answered as well-formed JSON.",
    symbol: "jsonColumn",
    find: "SchemaTransformation.transform({ decode: mended,",
    replace: "SchemaTransformation.transform({ decode: (text) => text,"
  },
  {
    name: "numbers-rounded",
    breaks: "A whole number that a double does not hold is refused.",
    symbol: "WellFormed.changes",
    find: "Math.abs(value) > Number.MAX_SAFE_INTEGER",
    replace: "Math.abs(value) > 2 ** 64"
  },
  {
    name: "numbers-infinite",
    breaks: "A number that becomes infinite is refused.",
    symbol: "WellFormed.changes",
    find: "if (!Number.isFinite(value)) return true",
    replace: "if (!Number.isFinite(value)) return false"
  },
  {
    name: "query-replaced",
    breaks: "A query that is not UTF-8 is refused.",
    symbol: "garbledQuery",
    find: "if (isEncodedUtf8(query)) return undefined",
    replace: "if (isEncodedUtf8(query) || query !== \"\") return undefined"
  },
  {
    name: "dates-rolled-over",
    breaks: "A day that does not exist is refused.",
    symbol: "domain/Instant.millisOf",
    find: "!(new Date(local).getUTCDate() === Number(day))",
    replace: "Number.isNaN(new Date(local).getUTCDate() - Number(day))"
  },
  {
    name: "offset-turned-round",
    breaks: "A time with an offset is the instant it names.",
    symbol: "domain/Instant.millisOf",
    find: "sign === \"-\" ? local + offset : local - offset",
    replace: "sign === \"-\" ? local - offset : local + offset"
  },
  {
    name: "results-cut",
    breaks: "A result whose text was cut in the middle of a character is handed in.",
    symbol: "mend",
    find: "(halvesCharacters(any) ? mended(any) : any).toWellFormed()",
    replace: "halvesCharacters(any) ? mended(any) : any"
  }
]
