/**
 * Requests to the server. An unchanged answer is a 304, which costs the database a row or two, so the last answers are
 * kept with their tags.
 */
import type { Answer, Parts, Read, Route } from "./Contract.ts"

/** What a refusal has, whatever the endpoint. */
export interface RefusalBody {
  readonly _tag: string
  readonly error: string
  readonly [field: string]: unknown
}

/** The server answered, and did not do it. The message is the sentence of the server. */
export class Refused extends Error {
  readonly status: number
  readonly body: RefusalBody
  constructor(status: number, body: RefusalBody) {
    super(body.error)
    this.status = status
    this.body = body
  }
}

/** No answer of the server came. */
export class Unreachable extends Error {}

/** How long a request may take, in milliseconds. */
const Patience = 20_000

/** How many answers are kept. */
const MaxKept = 200

interface Kept {
  readonly etag: string
  readonly answer: unknown
}
const kept = new Map<string, Kept>()

/** Forgets all answers, because another caller asks from now on. */
export const forget = () => kept.clear()

const keep = (name: string, value: Kept) => {
  kept.delete(name)
  kept.set(name, value)
  const [oldest] = kept.keys()
  if (kept.size > MaxKept && oldest !== undefined) kept.delete(oldest)
}

let authorization: string | undefined
let onUnauthorized: (sentence: string) => void = () => {}

/** Sets the key of all requests from now on, and what happens when the server does not take it any more. */
export const authorize = (key: string | undefined, refused: (sentence: string) => void) => {
  authorization = key === undefined ? undefined : `Bearer ${key}`
  onUnauthorized = refused
  forget()
}

interface AnyParts {
  readonly params?: Record<string, string>
  readonly query?: Record<string, string | undefined>
  readonly body?: unknown
}

const addressOf = (path: string, { params = {}, query = {} }: AnyParts) => {
  const search = new URLSearchParams(
    Object.entries(query).filter((pair): pair is [string, string] => pair[1] !== undefined)
  )
  const filled = path.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(params[name] ?? ""))
  // Relative to `/app/`: before it, a proxy may have a prefix.
  return `..${filled}${search.size === 0 ? "" : `?${search}`}`
}

const send = async (method: string, url: string, init: RequestInit): Promise<readonly [Response, unknown]> => {
  try {
    const response = await fetch(url, { ...init, method, signal: AbortSignal.timeout(Patience), cache: "no-store" })
    if (response.status === 304) return [response, undefined]
    const text = await response.text()
    return [response, response.headers.get("content-type")?.includes("json") === true ? JSON.parse(text) : text]
  } catch {
    throw new Unreachable("The server cannot be reached. Its last answers stay on the page, and may be old.")
  }
}

const sentenceOf = (response: Response, answer: unknown): RefusalBody =>
  typeof answer === "object" && answer !== null && "error" in answer && typeof answer.error === "string"
    ? { _tag: "Refused", ...answer } as RefusalBody
    : { _tag: "NoAnswerOfTheServer", error: `The server answered ${response.status} without a reason.` }

const request = async (route: string, parts: AnyParts, headers: Record<string, string>): Promise<unknown> => {
  const [method = "", path = ""] = route.split(" ")
  const url = addressOf(path, parts)
  const known = method === "GET" ? kept.get(url) : undefined
  const sender = authorization
  const [response, answer] = await send(method, url, {
    headers: {
      ...headers,
      ...(sender === undefined ? {} : { authorization: sender }),
      ...(known === undefined ? {} : { "if-none-match": known.etag }),
      ...(parts.body === undefined ? {} : { "content-type": "application/json" })
    },
    ...(parts.body === undefined ? {} : { body: JSON.stringify(parts.body) })
  })
  if (response.status === 304 && known !== undefined) return known.answer
  if (!response.ok) {
    const body = sentenceOf(response, answer)
    // The key may have been replaced while the request was under way.
    if (response.status === 401 && sender === authorization) onUnauthorized(body.error)
    throw new Refused(response.status, body)
  }
  const etag = response.headers.get("etag")
  if (etag !== null && method === "GET" && sender === authorization) keep(url, { etag, answer })
  return answer
}

/** Sends a GET. */
export const read = <R extends Read>(route: R, parts: Parts<R>): Promise<Answer<R>> =>
  request(route, parts as AnyParts, {}) as Promise<Answer<R>>

/**
 * Changes something. A POST has an idempotency key, so it is sent again if no answer came: the server does it once.
 * Anything else is sent once.
 */
export const change = async <R extends Exclude<Route, Read>>(route: R, parts: Parts<R>): Promise<Answer<R>> => {
  const isPost = route.startsWith("POST ")
  const headers: Record<string, string> = isPost ? { "idempotency-key": crypto.randomUUID() } : {}
  for (let attempt = 1;; attempt++) {
    try {
      return await request(route, parts as AnyParts, headers) as Answer<R>
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error
      if (!isPost || attempt === 3) {
        throw new Unreachable(
          "The server gave no answer, so whether it was done is not known. Look again before you repeat it."
        )
      }
      await new Promise((done) => setTimeout(done, 700 * attempt))
    }
  }
}
