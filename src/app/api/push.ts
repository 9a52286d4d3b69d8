/**
 * The feed on a WebSocket, where the server sends it. A browser sends its key there as a subprotocol
 * (`docs/events.md`).
 */
import type { Answer } from "./Contract.ts"
import { hasPush, key } from "./session.ts"

/**
 * The shortest and the longest wait between two tries to connect, in milliseconds. It doubles until a socket has
 * worked.
 */
const Shortest = 4000
const Longest = 15 * 60_000

/** How long the answer to a ping may take, in milliseconds. */
const Patience = 10_000

export type Page = Answer<"GET /api/v1/events">

export interface Push {
  /** Connects, unless it is too early to try again. */
  readonly connect: (after: number) => void
  /** Whether the feed comes by itself. Closes a socket that did not answer the last ping, and sends the next one. */
  readonly works: () => boolean
  readonly isOpen: () => boolean
  readonly close: () => void
}

const base64url = (text: string) =>
  btoa(String.fromCharCode(...new TextEncoder().encode(text))).replace(/\+/g, "-").replace(/\//g, "_").replace(
    /=+$/,
    ""
  )

/**
 * `received` gets each page of the feed, and `lost` is called when a socket that was open is closed by the other side.
 */
export const createPush = (
  { lost, received, scope }: {
    readonly scope: string
    readonly received: (page: Page) => void
    readonly lost: () => void
  }
): Push => {
  let socket: WebSocket | undefined
  let pingedAt: number | undefined
  let tries = 0
  let nextTry = 0

  const isOpen = () => socket?.readyState === WebSocket.OPEN
  const close = () => {
    const own = socket
    socket = undefined
    own?.close()
  }
  return {
    isOpen,
    close,
    connect: (after) => {
      // The server opens no socket on a scope that has no changes yet.
      if (!hasPush() || after === 0 || socket !== undefined || Date.now() < nextTry) return
      nextTry = Date.now() + Math.min(Longest, Shortest * 2 ** tries++)
      const url = new URL("../api/v1/events", location.href)
      url.protocol = url.protocol.replace("http", "ws")
      url.search = String(new URLSearchParams({ scope, after: String(after), limit: "500" }))
      const secret = key()
      const own = new WebSocket(url, [
        "octopoid.events.v1",
        ...(secret === undefined ? [] : [`octopoid.key.${base64url(secret)}`])
      ])
      socket = own
      pingedAt = undefined
      let wasOpen = false
      own.addEventListener("open", () => {
        wasOpen = true
      })
      own.addEventListener("message", ({ data }: MessageEvent<string>) => {
        if (socket !== own) return
        if (data !== "pong") return received(JSON.parse(data) as Page)
        pingedAt = undefined
        tries = 0
      })
      own.addEventListener("close", () => {
        if (socket !== own) return
        socket = undefined
        if (wasOpen) lost()
      })
    },
    works: () => {
      if (!isOpen()) return false
      if (pingedAt === undefined) {
        pingedAt = Date.now()
        socket?.send("ping")
      } else if (Date.now() - pingedAt > Patience) close()
      return isOpen()
    }
  }
}
