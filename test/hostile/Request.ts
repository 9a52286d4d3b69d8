/** A request on its way from an idea to bytes. */
import type { Operation } from "./Document.ts"

/**
 * How a request came about: `valid` fits the document and is about records that exist; `foreign` fits it as well, but is
 * about records of another scope, or of none; `nearly` has one thing wrong; `garbage` has nothing to lose.
 */
export const kinds = ["valid", "foreign", "nearly", "garbage"] as const
export type Kind = (typeof kinds)[number]

/** The sender: the administrator, a key of the attacker's scope, or a caller without a valid key. */
export type Caller = "administrator" | "key" | "nobody"

/** A request as its sender thinks of it. */
export interface Draft {
  readonly operation: Operation
  readonly caller: Caller
  readonly path: Record<string, string>
  readonly query: Array<readonly [name: string, value: string]>
  readonly headers: Array<readonly [name: string, value: string]>
  /** JSON; `undefined` is no body. */
  body: unknown
}

/** A request as it travels. */
export interface Request {
  readonly kind: Kind
  readonly caller: Caller
  /** The operation it was made from. The request may match another operation, or none. */
  readonly operation: Operation
  readonly method: string
  /** Path and query. */
  readonly target: string
  readonly headers: ReadonlyArray<readonly [name: string, value: string]>
  readonly body: Uint8Array<ArrayBuffer> | undefined
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

const encoder = new TextEncoder()

export const utf8 = (text: string) => encoder.encode(text) as Uint8Array<ArrayBuffer>

/** Percent-encoded; half of a surrogate pair as the three bytes it would be, which are no UTF-8. */
const encoded = (text: string) =>
  text.isWellFormed() ? encodeURIComponent(text) : Array.from(
    text,
    (character) => character.isWellFormed() ? encodeURIComponent(character) : "%ED%A0%80"
  ).join("")

/** A header holds bytes: other characters travel as their UTF-8, and what would end the header is left out. */
const headerValue = (text: string) =>
  // oxlint-disable-next-line no-control-regex
  Buffer.from(text).toString("latin1").replace(/[\0-\u001f\u007f]/g, "").trim()

export const serialize = (kind: Kind, draft: Draft): Request => {
  const { body, caller, operation } = draft
  // A segment of nothing but dots is taken for a step up or none, encoded or not.
  const path = operation.path.replace(/\{(\w+)\}/g, (_, name: string) => encoded(draft.path[name] ?? ""))
  const query = draft.query.map(([name, value]) => `${encoded(name)}=${encoded(value)}`).join("&")
  return {
    kind,
    caller,
    operation,
    method: operation.method,
    target: query === "" ? path : `${path}?${query}`,
    headers: [
      ...(body === undefined ? [] : [["content-type", "application/json"] as const]),
      ...draft.headers.map(([name, value]) => [name, headerValue(value)] as const)
    ],
    body: body === undefined ? undefined : utf8(JSON.stringify(body))
  }
}
