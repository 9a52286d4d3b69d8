/** Ways to a server: in process, or over a socket. */
import * as http from "node:http"
import type { Answer, Request } from "./Request.ts"

export interface Transport {
  /** Sends a request, with the token of its caller if it has one. */
  readonly send: (request: Pick<Request, "body" | "headers" | "method" | "target">) => Promise<Answer>
  /** Lets time pass, where time is not real. */
  readonly pass?: (millis: number) => Promise<void>
  /** Rows of the server's database, where it is at hand. */
  readonly query?: (sql: string) => Promise<ReadonlyArray<Record<string, unknown>>>
  /** How many rows were ever written, where the server's connection to its database is at hand. */
  readonly written?: () => number
}

/** How long an answer may take before it counts as none. Nothing is asserted about how fast it is. */
const Patience = 120_000

const within = async <A>(promise: Promise<A>): Promise<A> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${Patience} ms`)), Patience)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

/** Sends through a function like the platform's `fetch`, which removes dot segments and fragments. */
export const through =
  (fetch: (request: globalThis.Request) => Promise<Response>): Transport["send"] =>
  async ({ body, headers, method, target }) => {
    const carriesNone = body === undefined || method === "GET" || method === "HEAD"
    const request = new Request(`http://server${target}`, {
      method,
      headers: headers.map(([name, value]) => [name, value] as [string, string]),
      ...(carriesNone ? {} : { body })
    })
    const response = await within(fetch(request))
    return { status: response.status, headers: response.headers, text: await within(response.text()) }
  }

// The bytes of a body that the server reads (src/http/request/Requests.ts).
const MaxBody = 2 ** 20

/** The status if the connection was closed during a larger body: a refusal need not read it completely. */
export const Closed = 0

/** Over a socket, where everything arrives as it was written. */
export const overSocket = (base: string): Transport["send"] => {
  const { hostname, port, protocol } = new URL(base)
  if (protocol !== "http:") throw new Error(`${base} is not http://`)
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
  return ({ body, headers, method, target }) =>
    within(
      new Promise<Answer>((resolve, reject) => {
        const length = body === undefined ? [] : [["content-length", String(body.length)] as const]
        const request = http.request({
          agent,
          hostname,
          port,
          method,
          path: target,
          headers: [
            ...(headers.some(([name]) => name === "host") ? [] : [["host", `${hostname}:${port}`]]),
            ...headers,
            ...length
          ].flat()
        }, (response) => {
          const chunks: Array<Buffer> = []
          response.on("data", (chunk: Buffer) => chunks.push(chunk))
          response.on("error", reject)
          response.on("end", () => {
            const received = Object.entries(response.headersDistinct).flatMap(([name, values = []]) =>
              values.map((value) => [name, value] as [string, string])
            )
            resolve({
              status: response.statusCode ?? 0,
              headers: new Headers(received),
              text: Buffer.concat(chunks).toString()
            })
          })
        })
        request.on("error", (error) => {
          if ((body?.length ?? 0) > MaxBody) resolve({ status: Closed, headers: new Headers(), text: "" })
          else reject(error)
        })
        request.end(body)
      })
    )
}
