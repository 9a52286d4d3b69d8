/** Reads the body of a request as text, and refuses what could not be kept as it was sent. */
import * as Effect from "effect/Effect"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import { decodeUtf8, type Flaw, flawsOf, isEncodedUtf8 } from "../../domain/WellFormed.ts"

/** A defect that is answered like a request that does not fit. */
export class Garbled {
  readonly issues: ReadonlyArray<Flaw>
  constructor(place: "body" | "query", flaws: ReadonlyArray<Flaw>) {
    this.issues = flaws.map(({ message, path }) => ({ path: [place, ...path], message }))
  }
}

/** The same request. Its text is read once, and checked before anyone else gets it. */
export const checked = (request: HttpServerRequest.HttpServerRequest): HttpServerRequest.HttpServerRequest => {
  let known: string | undefined
  const text = Effect.flatMap(request.arrayBuffer, (buffer) => {
    if (known !== undefined) return Effect.succeed(known)
    const decoded = decodeUtf8(new Uint8Array(buffer))
    const flaws = typeof decoded === "string" ? flawsOf(decoded) : [decoded]
    return typeof decoded !== "string" || flaws.length > 0
      ? Effect.die(new Garbled("body", flaws))
      : Effect.succeed(known = decoded)
  })
  return Object.defineProperty(request, "text", { value: text })
}

/** The parameters of a query, `a=b&c=d`, that are not UTF-8. */
export const garbledQuery = (query: string): Garbled | undefined => {
  if (isEncodedUtf8(query)) return undefined
  const names = query.split("&").filter((part) => !isEncodedUtf8(part)).map((part) => part.split("=", 1)[0]!)
  return new Garbled(
    "query",
    names.map((name) => ({
      path: [isEncodedUtf8(name) ? Array.from(new URLSearchParams(name).keys())[0] ?? "" : name],
      message: "Expected percent-encoded UTF-8"
    }))
  )
}
