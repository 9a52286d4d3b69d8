/**
 * Listens on the WebSocket of a scope, where the server has one and the platform knows WebSockets with headers: Node
 * from 22 on. It connects again whenever the connection ends, as it does with every deployment of the server.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Socket from "effect/socket/Socket"
import type { Options } from "../../client.ts"

/** The pause before the first new attempt after a connection, and the longest pause, in milliseconds. */
const FirstPause = 2_000
const LongestPause = 60_000

/** The pause while no connection has ever opened: the server may have no WebSockets. */
const Unknown = 600_000

/** The time between pings. A connection that answers none of them before the next one has ended. */
const Ping = 30_000

export interface Push {
  readonly isOpen: () => boolean
  /** Sends a message as JSON. Without a connection it is dropped. */
  readonly send: (message: object) => Effect.Effect<void>
  /** Keeps a connection open as long as it runs. */
  readonly listening: Effect.Effect<never>
}

export interface Listener {
  /** Runs when a connection opens, and when one has ended and no other opened at once. */
  readonly changed: Effect.Effect<void>
  /** Runs for each message. */
  readonly heard: (message: string) => Effect.Effect<void>
}

/** Node takes headers in the second argument, which its type does not say. */
const construct: Socket.WebSocketConstructor["Service"] = (url, options) =>
  new globalThis.WebSocket(url, options as string)

export const make = (
  { baseUrl, scope, token }: Pick<Options, "baseUrl" | "scope" | "token">,
  query: Readonly<Record<string, string | undefined>>,
  { changed, heard }: Listener
): Push => {
  const address = Effect.sync(() => {
    const url = new URL(`${baseUrl.replace(/^http/, "ws").replace(/\/+$/, "")}/api/v1/events`)
    for (const [name, value] of Object.entries({ ...query, scope })) {
      if (value !== undefined) url.searchParams.set(name, value)
    }
    return url.href
  })
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
  let write: ((text: string) => Effect.Effect<void>) | undefined
  let pause = Unknown
  // What became of the latest attempt to connect.
  let state: "trying" | "opened" = "trying"

  const connection = Effect.scoped(Effect.gen(function*() {
    const socket = yield* Socket.makeWebSocket(address, { headers, openTimeout: "20 seconds" })
    const pull = yield* Socket.readerString(socket)
    const writer = yield* socket.writer
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        write = undefined
      })
    )
    pause = FirstPause
    write = (text) => Effect.ignore(writer.write(text))
    state = "opened"
    yield* changed
    let answered = true
    const reading = Effect.forever(Effect.flatMap(pull, (messages) => {
      answered = true
      return Effect.forEach(messages.filter((message) => message !== "pong"), heard, { discard: true })
    }))
    const pinging = Effect.gen(function*() {
      while (answered) {
        answered = false
        yield* writer.write("ping")
        yield* Effect.sleep(Ping)
      }
    })
    yield* Effect.raceFirst(reading, pinging)
  }))

  const connecting = Effect.forever(Effect.gen(function*() {
    const before = state
    state = "trying"
    // Whatever ends a connection, the next one is tried.
    yield* Effect.ignoreCause(connection)
    // All clients lose their connections at once, when the server begins anew. So they connect again, each at another
    // time, before they do anything else.
    if (before === "opened" && state === "trying") yield* changed
    yield* Effect.sleep(yield* Random.nextBetween(pause / 4, pause))
    if (pause < LongestPause) pause = Math.min(2 * pause, LongestPause)
  }))

  const listening = Effect.flatMap(
    Effect.serviceOption(Socket.WebSocketConstructor),
    Option.match({
      onNone: () =>
        typeof globalThis.WebSocket === "undefined"
          ? Effect.never
          : Effect.provideService(connecting, Socket.WebSocketConstructor, construct),
      onSome: (given) => Effect.provideService(connecting, Socket.WebSocketConstructor, given)
    })
  )
  return {
    isOpen: () => write !== undefined,
    send: (message) => write?.(JSON.stringify(message)) ?? Effect.void,
    listening
  }
}
