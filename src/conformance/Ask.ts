/**
 * Sends requests by plain `fetch`, and answers status, headers and body as they came. The suite shares no code with the
 * server or its client, so that a mistake there cannot hide here.
 */

export type Fetch = (url: string, init: RequestInit) => Promise<Response>

export interface Answer {
  readonly method: string
  readonly path: string
  readonly status: number
  readonly headers: Headers
  /** The body as JSON, or as text if it is not JSON. */
  readonly body: any
}

/** Sends a request. A body that is text is sent as it is, any other as JSON. Fails with `NoAnswer`. */
export type Ask = (
  method: string,
  path: string,
  body?: unknown,
  headers?: Readonly<Record<string, string>>
) => Promise<Answer>

export class NoAnswer extends Error {
  readonly request: string

  constructor(request: string, cause: unknown) {
    super(`no answer to ${request}: ${reasonOf(cause)}`, { cause })
    this.request = request
  }
}

// The message of `fetch` is always the same. Its cause has the reason.
const reasonOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  if (!(error.cause instanceof Error)) return error.message
  return error.cause.message || String((error.cause as { readonly code?: string }).code ?? error.message)
}

// Ends a request that hangs. No check depends on it.
const PatienceMillis = 60_000

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

export interface Connection {
  readonly url: string
  readonly fetch: Fetch
  /**
   * After it aborts, no request is sent. Requests under way are awaited, so that they do not arrive after the cleanup.
   */
  readonly signal: AbortSignal | undefined
}

// A server may lose its database for a moment. Requests that are safe to repeat are repeated.
const Repeats = 3

const pauseBefore = (
  method: string,
  headers: Readonly<Record<string, string>>,
  { headers: answered, status }: Answer
) => status === 503 && (method === "GET" || "idempotency-key" in headers) ? Number(answered.get("retry-after")) : 0

/** Sends requests with `key`, or without a key. `heard` gets every answer. */
export const make =
  ({ fetch, signal, url }: Connection, key: string | undefined, heard: (answer: Answer) => void = () => {}): Ask =>
  (method, path, body, headers = {}) => {
    const once = async (): Promise<Answer> => {
      if (signal?.aborted) throw new NoAnswer(`${method} ${path}`, new Error("interrupted"))
      try {
        const response = await fetch(`${url}${path}`, {
          method,
          headers: {
            ...(body === undefined ? {} : { "content-type": "application/json" }),
            ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
            ...headers
          },
          ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
          redirect: "manual",
          signal: AbortSignal.timeout(PatienceMillis)
        })
        const answer = {
          method,
          path,
          status: response.status,
          headers: response.headers,
          body: parsed(await response.text())
        }
        heard(answer)
        return answer
      } catch (cause) {
        throw new NoAnswer(`${method} ${path}`, cause)
      }
    }
    // A server that refuses a body ends the connection, and a read that was just sent on it gets no answer.
    const safe = (): Promise<Answer> =>
      once().catch((error: unknown) => {
        if (method !== "GET" || signal?.aborted) throw error
        return once()
      })
    const asked = async (repeats: number): Promise<Answer> => {
      const answer = await safe()
      const pause = pauseBefore(method, headers, answer)
      if (!(pause > 0) || repeats === 0) return answer
      await new Promise((resume) => setTimeout(resume, pause * 1000))
      return asked(repeats - 1)
    }
    return asked(Repeats)
  }
