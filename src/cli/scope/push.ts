/**
 * Listens on the WebSocket of the feed, where the server has one and Node knows WebSockets (from 22 on): it says when
 * to read the feed. Without it the feed is read every few seconds.
 */
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import type { Server } from "../ask/Server.ts"

const FirstPause = 1_000
/** The pause after a server without push was asked. */
const LongPause = 600_000
const Ping = 30_000

export interface Push {
  /** Whether the server says when something happens. */
  readonly isOpen: () => boolean
  /** Opened when there may be something to read. */
  readonly news: Latch.Latch
}

/** Listens to these changes until the scope is closed. */
export const listen = ({ key, scope, url }: Server, filters: Readonly<Record<string, string | undefined>>) => {
  const news = Latch.makeUnsafe()
  const address = new URL(`${url.replace(/^http/, "ws")}/api/v1/events`)
  for (const [name, value] of Object.entries({ ...filters, scope, after: "latest" })) {
    if (value !== undefined) address.searchParams.set(name, value)
  }
  let socket: WebSocket | undefined
  let open = false
  let over = false
  let pause = LongPause
  let again: NodeJS.Timeout | undefined

  const connect = () => {
    // Node's WebSocket takes headers, which its type does not say.
    const headers = key === undefined ? {} : { authorization: `Bearer ${key}` }
    const own = socket = new WebSocket(address, { headers } as unknown as Array<string>)
    let answered = true
    const ping = setInterval(() => {
      if (!open) return
      if (!answered) return ended()
      answered = false
      own.send("ping")
    }, Ping)
    const ended = () => {
      if (own !== socket) return
      socket = undefined
      open = false
      clearInterval(ping)
      own.close()
      news.openUnsafe()
      if (over) return
      again = setTimeout(connect, pause)
      pause = Math.min(2 * pause, LongPause)
    }
    own.addEventListener("open", () => {
      open = true
      pause = FirstPause
    })
    own.addEventListener("message", ({ data }) => {
      answered = true
      if (data !== "pong") news.openUnsafe()
    })
    own.addEventListener("error", () => {})
    own.addEventListener("close", ended)
  }

  return Effect.acquireRelease(
    Effect.sync((): Push => {
      if (typeof WebSocket !== "undefined") connect()
      return { isOpen: () => open, news }
    }),
    () =>
      Effect.sync(() => {
        over = true
        clearTimeout(again)
        socket?.close()
      })
  )
}
