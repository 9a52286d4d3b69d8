/**
 * Requests over plain `fetch`, and their answers as they came. The suite shares no code with the server or its client, so
 * that a mistake there cannot hide here: only status, headers and bodies count.
 */

export type Fetch = (url: string, init: RequestInit) => Promise<Response>

export interface Answer {
  readonly method: string
  readonly path: string
  readonly status: number
  readonly headers: Headers
  /** What the body holds as JSON, or its text where it is not JSON. */
  readonly body: any
}

/** Sends a request; a body that is text is sent as it is, any other as JSON. Fails with `NoAnswer`. */
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

// `fetch` itself only says that it failed; the cause says what did.
const reasonOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  if (!(error.cause instanceof Error)) return error.message
  return error.cause.message || String((error.cause as { readonly code?: string }).code ?? error.message)
}

// So that a request that hangs ends the run one day; nothing that is checked depends on it.
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
  /** Nothing more is sent once it is aborted. What is under way is waited for, or it would arrive after all is deleted. */
  readonly signal: AbortSignal | undefined
}

// A deployment may be out of its database for a moment. What may be repeated is; the rest is told as it is.
const Repeats = 3

const pauseBefore = (method: string, headers: Readonly<Record<string, string>>, { headers: told, status }: Answer) =>
  status === 503 && (method === "GET" || "idempotency-key" in headers) ? Number(told.get("retry-after")) : 0

/** Asks the server as the holder of `key`, or as nobody. `heard` is told every answer. */
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
    const asked = async (repeats: number): Promise<Answer> => {
      const answer = await once()
      const pause = pauseBefore(method, headers, answer)
      if (!(pause > 0) || repeats === 0) return answer
      await new Promise((resume) => setTimeout(resume, pause * 1000))
      return asked(repeats - 1)
    }
    return asked(Repeats)
  }
