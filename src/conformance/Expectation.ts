/** What a check expects of an answer, and what it throws when it is not so. */
import { inspect, isDeepStrictEqual } from "node:util"
import type { Answer } from "./Ask.ts"

/** A promise is broken: what was expected, and the answer that shows it. */
export class Broken extends Error {
  readonly expected: string
  readonly answer: Answer | undefined

  constructor(expected: string, answer?: Answer) {
    super(`expected ${expected}`)
    this.expected = expected
    this.answer = answer
  }
}

/** The check cannot be made here, and why. */
export class Skipped extends Error {}

const show = (value: unknown): string => inspect(value, { breakLength: Infinity, depth: 4 })

/** That something holds of an answer, or of several of which this is the one to show. */
export const must = (holds: boolean, expected: string, answer?: Answer): void => {
  if (!holds) throw new Broken(expected, answer)
}

/** That the answer has this status, and its body these fields. Answers the body. */
export const expect = (answer: Answer, status: number, fields: Readonly<Record<string, unknown>> = {}): any => {
  must(answer.status === status, `status ${status}`, answer)
  for (const [name, value] of Object.entries(fields)) {
    const found = answer.body?.[name]
    must(isDeepStrictEqual(found, value), `status ${status} with ${name}: ${show(value)}, not ${show(found)}`, answer)
  }
  return answer.body
}

/** That the answer refuses the request with this status, and one sentence that a person can read. */
export const refused = (answer: Answer, status: number, fields: Readonly<Record<string, unknown>> = {}): any => {
  const body = expect(answer, status, fields)
  must(typeof body?.error === "string" && body.error !== "", `status ${status} with error: a sentence`, answer)
  return body
}

/** That two bodies are the same. */
export const same = (answer: Answer, earlier: unknown, expected: string): void =>
  must(isDeepStrictEqual(answer.body, earlier), expected, answer)
