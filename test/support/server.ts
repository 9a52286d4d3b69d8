/** The routes over a fresh in-memory database: raw requests and the typed client, without a socket. */
import type { D1Database } from "@cloudflare/workers-types"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as client from "../../src/client.ts"
import { AfterAnswer } from "../../src/http/request/AfterAnswer.ts"
import * as Serve from "../../src/http/Serve.ts"
import { Fetch } from "../../src/services/feed/send.ts"
import { CurrentLine, type Line } from "../../src/services/lease/Line.ts"
import { servicesWith } from "./layers.ts"

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: any
}

/** Webhooks of tests reach this machine, and nothing else. */
export const loopbackOnly: typeof globalThis.fetch = (input, init) =>
  ["127.0.0.1", "localhost"].includes(new URL(input instanceof Request ? input.url : input).hostname)
    ? globalThis.fetch(input, init)
    : Promise.reject(new TypeError("fetch failed"))

/**
 * The server, configured as the Worker by its environment, on a database of its own unless one is given. `later` gets the
 * work that goes on after an answer; without it there is none. Claims wait in the `line`, if there is one.
 */
export const make = (
  config: Record<string, string> = {},
  open?: () => D1Database,
  later?: (work: Promise<void>) => void,
  line?: Line
) =>
  Effect.gen(function*() {
    const { handler } = yield* Effect.acquireRelease(
      Effect.sync(() => Serve.make(servicesWith(config, open))),
      ({ dispose }) => Effect.promise(dispose)
    )
    // The requests live in the test's time: where it has a TestClock, so have they, in the whole milliseconds of a server.
    const time = yield* Clock.Clock
    const currentTimeMillisUnsafe = () => Math.floor(time.currentTimeMillisUnsafe())
    const whole: Clock.Clock = Object.assign(Object.create(time), {
      currentTimeMillisUnsafe,
      currentTimeMillis: Effect.sync(currentTimeMillisUnsafe)
    })
    const surroundings = Context.make(Clock.Clock, whole).pipe(
      Context.add(Fetch, loopbackOnly),
      Context.add(AfterAnswer, later),
      Context.add(CurrentLine, line)
    )
    const fetch = ((input: string | URL | Request, init?: RequestInit) =>
      handler(new Request(input, init), surroundings as Context.Context<never>)) as typeof globalThis.fetch

    /** Sends a request, with a body as JSON unless it is text already. */
    const send = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
      Effect.promise(async (): Promise<Answer> => {
        const response = await fetch(`http://server${path}`, {
          method,
          headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
          ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) })
        })
        const text = await response.text()
        let parsed: unknown = text
        try {
          parsed = JSON.parse(text)
        } catch {
          /* not JSON: the test sees the text */
        }
        return { status: response.status, headers: response.headers, body: parsed }
      })

    /** A typed client that calls these routes. */
    const connect = (options: Omit<client.Options, "baseUrl"> = {}) =>
      client.make({ baseUrl: "http://server", ...options }).pipe(
        Effect.provide(FetchHttpClient.layer),
        Effect.provideService(FetchHttpClient.Fetch, fetch)
      )

    return { fetch, send, connect, withFetch: Effect.provideService(FetchHttpClient.Fetch, fetch) }
  })
