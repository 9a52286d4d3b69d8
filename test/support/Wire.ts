/** Plain JSON over kept-alive connections: as little client code as possible in a load test. */
import { Agent, type IncomingHttpHeaders, request } from "node:http"

export interface Call {
  readonly method: string
  readonly path: string
  readonly body?: unknown
  /** The idempotency key, if it has one. */
  readonly key?: string | undefined
  readonly headers?: Record<string, string>
}

export interface Answer {
  readonly status: number
  readonly body: any
  /** Whether it is what an earlier request under the same key was answered. */
  readonly replayed: boolean
  /** The rows D1 read for it. */
  readonly read: number
  /** Its headers, with their names in lower case. */
  readonly headers: IncomingHttpHeaders
}

export interface Wire {
  /** Sends the call. Rejects when no whole answer comes back. */
  readonly send: (call: Call) => Promise<Answer>
  readonly close: () => void
}

const isJson = (type: string | undefined) => /^application\/(\w+\+)?json/.test(type ?? "")

/**
 * Connections to the server at `base`: as many as there are calls at once. Each call has the headers in `common`, and fails after
 * `maxSilence` milliseconds without a byte, if that is given.
 */
export const connect = (
  base: URL,
  common: Record<string, string> = {},
  { maxSilence }: { readonly maxSilence?: number } = {}
): Wire => {
  const agent = new Agent({ keepAlive: true, noDelay: true, maxFreeSockets: Infinity })
  const send = ({ body, headers = {}, key, method, path }: Call) =>
    new Promise<Answer>((answered, failed) => {
      const text = body === undefined ? undefined : JSON.stringify(body)
      const sent = request({
        agent,
        host: base.hostname,
        port: base.port,
        method,
        path,
        headers: {
          ...common,
          ...headers,
          ...(text === undefined
            ? {}
            : { "content-type": "application/json", "content-length": Buffer.byteLength(text) }),
          ...(key === undefined ? {} : { "idempotency-key": key })
        }
      }, (response) => {
        const chunks: Array<Buffer> = []
        response.on("data", (chunk: Buffer) => chunks.push(chunk))
        response.once("error", failed)
        response.once("end", () => {
          try {
            const received = Buffer.concat(chunks).toString()
            answered({
              status: response.statusCode!,
              // 204 and 304 have none, and /metrics answers plain text.
              body: received === ""
                ? undefined
                : isJson(response.headers["content-type"])
                ? JSON.parse(received)
                : received,
              headers: response.headers,
              replayed: response.headers["idempotent-replayed"] === "true",
              read: Number(/ read=(\d+)/.exec(String(response.headers["server-timing"]))?.[1] ?? 0)
            })
          } catch (error) {
            failed(error)
          }
        })
      })
      sent.once("error", failed)
      if (maxSilence !== undefined) sent.setTimeout(maxSilence, () => sent.destroy(new Error("not answered in time")))
      sent.end(text)
    })
  return { send, close: () => agent.destroy() }
}
