/** What a check expects of an answer, and the errors it throws otherwise. */
import { inspect, isDeepStrictEqual } from "node:util"
import type { Answer } from "./Ask.ts"

/** A broken promise: what was expected, and the answer. */
export class Broken extends Error {
  readonly expected: string
  readonly answer: Answer | undefined

  constructor(expected: string, answer?: Answer) {
    super(`expected ${expected}`)
    this.expected = expected
    this.answer = answer
  }
}

/** The check cannot run here, with the reason. */
export class Skipped extends Error {}

const show = (value: unknown): string => inspect(value, { breakLength: Infinity, depth: 4 })

/** Requires that something is true of an answer. `answer` is shown if it is not. */
export const must = (holds: boolean, expected: string, answer?: Answer): void => {
  if (!holds) throw new Broken(expected, answer)
}

/** Requires this status and these fields of the body. Returns the body. */
export const expect = (answer: Answer, status: number, fields: Readonly<Record<string, unknown>> = {}): any => {
  must(answer.status === status, `status ${status}`, answer)
  for (const [name, value] of Object.entries(fields)) {
    const found = answer.body?.[name]
    must(isDeepStrictEqual(found, value), `status ${status} with ${name}: ${show(value)}, not ${show(found)}`, answer)
  }
  return answer.body
}

/** Requires a refusal with this status and a readable sentence. Returns the body. */
export const refused = (answer: Answer, status: number, fields: Readonly<Record<string, unknown>> = {}): any => {
  const body = expect(answer, status, fields)
  must(typeof body?.error === "string" && body.error !== "", `status ${status} with error: a sentence`, answer)
  return body
}

/** Requires that the body equals an earlier one. */
export const same = (answer: Answer, earlier: unknown, expected: string): void =>
  must(isDeepStrictEqual(answer.body, earlier), expected, answer)
