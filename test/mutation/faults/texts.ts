/** Faults in what is taken: bytes, texts, numbers and times that would come back as others. */
import type { Fault } from "../Fault.ts"

export const texts: ReadonlyArray<Fault> = [
  {
    name: "bytes-replaced",
    breaks: "A body that is not UTF-8 is refused.",
    file: "src/domain/WellFormed.ts",
    find: "const decoder = new TextDecoder(\"utf-8\", { fatal: true })",
    replace: "const decoder = new TextDecoder(\"utf-8\")"
  },
  {
    name: "halves-taken",
    breaks: "Half of a surrogate pair is refused, escaped in either case.",
    file: "src/domain/WellFormed.ts",
    find: "const isHalved = (token: string) => /\\\\ud[89a-f]/i.test(token)",
    replace: "const isHalved = (token: string) => /\\\\ud[89a-f]/.test(token)"
  },
  {
    name: "halves-in-text",
    breaks: "Half of a surrogate pair is refused in JSON that travels as text.",
    file: "src/domain/Encoding.ts",
    find: "typeof value !== \"string\" || !halvesCharacters(value)",
    replace: "typeof value !== \"string\" || true"
  },
  {
    name: "halves-answered",
    breaks: "What an earlier version stored is answered as well-formed JSON.",
    file: "src/domain/Encoding.ts",
    find: "SchemaTransformation.transform({ decode: mended,",
    replace: "SchemaTransformation.transform({ decode: (text) => text,"
  },
  {
    name: "numbers-rounded",
    breaks: "A whole number that a double does not hold is refused.",
    file: "src/domain/WellFormed.ts",
    find: "Math.abs(value) > Number.MAX_SAFE_INTEGER",
    replace: "Math.abs(value) > 2 ** 64"
  },
  {
    name: "numbers-infinite",
    breaks: "A number that becomes infinite is refused.",
    file: "src/domain/WellFormed.ts",
    find: "if (!Number.isFinite(value)) return true",
    replace: "if (!Number.isFinite(value)) return false"
  },
  {
    name: "query-replaced",
    breaks: "A query that is not UTF-8 is refused.",
    file: "src/http/request/Body.ts",
    find: "if (isEncodedUtf8(query)) return undefined",
    replace: "if (isEncodedUtf8(query) || query !== \"\") return undefined"
  },
  {
    name: "dates-rolled-over",
    breaks: "A day that does not exist is refused.",
    file: "src/domain/Instant.ts",
    find: "!(new Date(local).getUTCDate() === Number(day))",
    replace: "Number.isNaN(new Date(local).getUTCDate() - Number(day))"
  },
  {
    name: "offset-turned-round",
    breaks: "A time with an offset is the instant it names.",
    file: "src/domain/Instant.ts",
    find: "sign === \"-\" ? local + offset : local - offset",
    replace: "sign === \"-\" ? local - offset : local + offset"
  },
  {
    name: "results-cut",
    breaks: "A result whose text was cut in the middle of a character is handed in.",
    file: "src/client/call/wellFormed.ts",
    find: "(halvesCharacters(any) ? mended(any) : any).toWellFormed()",
    replace: "halvesCharacters(any) ? mended(any) : any"
  }
]
