/** WebSockets in process, as the runtime has them: a socket belongs to its object also while the object is not in memory. */
import type { WebSocket } from "@cloudflare/workers-types"
import type { Platform } from "../../src/objects/push/Sockets.ts"

/** The end of a client, as `WebSocket` of a browser or of Node. */
export class ClientEnd extends EventTarget {
  readyState = 1
  /** When its last ping was answered. */
  pingedAt: number | undefined
  /** Takes what the client sends. */
  heard: (message: string) => void = () => {}
  send(message: string) {
    if (this.readyState !== 1) throw new TypeError("the socket is closed")
    if (message === "ping") this.pingedAt = Date.now()
    queueMicrotask(() => message === "ping" ? this.get("pong") : this.heard(message))
  }
  /** Gets a message of the server. */
  get(data: string) {
    this.dispatchEvent(Object.assign(new Event("message"), { data }))
  }
  close(code = 1000, reason = "") {
    if (this.readyState === 3) return
    this.readyState = 3
    this.dispatchEvent(Object.assign(new Event("close"), { code, reason }))
  }
}

interface Response101 extends Response {
  readonly client: ClientEnd
}

interface Options {
  /** Takes what clients send. */
  readonly heard: (own: WebSocket, message: string) => void
  /** Called when a socket has ended. */
  readonly ended?: (own: WebSocket) => void
  readonly later?: Platform["later"]
}

/** The sockets of an object, and what its state has for them. */
export const make = (
  { ended = () => {}, heard, later = (millis, act) => void setTimeout(act, millis).unref() }: Options
) => {
  const clients = new WeakMap<WebSocket, ClientEnd>()
  const sockets = new Map<WebSocket, ReadonlyArray<string>>()
  const pair = (): readonly [ClientEnd, WebSocket] => {
    const client = new ClientEnd()
    let kept: string | undefined
    const own = {
      get readyState() {
        return client.readyState
      },
      deserializeAttachment: () => kept === undefined ? null : JSON.parse(kept),
      serializeAttachment: (next: unknown) => {
        kept = JSON.stringify(next)
        if (kept.length > 16_384) throw new Error("the attachment is too large")
      },
      send: (data: string) => {
        if (client.readyState !== 1) throw new TypeError("Can't call WebSocket send() after close().")
        queueMicrotask(() => client.get(data))
      },
      close: (code?: number, reason?: string) => queueMicrotask(() => client.close(code, reason))
    } as unknown as WebSocket
    clients.set(own, client)
    client.heard = (message) => heard(own, message)
    client.addEventListener("close", () => {
      sockets.delete(own)
      ended(own)
    })
    return [client, own]
  }
  const platform: Platform = {
    pair,
    // Node has no answer with the status 101.
    upgraded: (client, headers) => Object.assign(new Response(null, { headers }), { client }),
    later
  }
  return {
    platform,
    sockets,
    state: {
      acceptWebSocket: (own: WebSocket, tags: ReadonlyArray<string> = []) => void sockets.set(own, tags),
      getWebSocketAutoResponseTimestamp: (own: WebSocket) => {
        const pingedAt = clients.get(own)?.pingedAt
        return pingedAt === undefined ? null : new Date(pingedAt)
      },
      getWebSockets: (tag?: string) =>
        [...sockets].flatMap(([own, tags]) => tag === undefined || tags.includes(tag) ? [own] : [])
    }
  }
}

/** The client's end of the socket that this answer opened, if it opened one. */
export const opened = (response: Response): ClientEnd | undefined => (response as Response101).client

/** `WebSocket` for a client in process: it connects through this `fetch`. */
export const constructorOf = (fetch: typeof globalThis.fetch) => (url: string, options: unknown): ClientEnd => {
  const { headers = {} } = (options ?? {}) as { readonly headers?: Record<string, string> }
  const end = new ClientEnd()
  end.readyState = 0
  void fetch(url.replace(/^ws/, "http"), { headers: { ...headers, upgrade: "websocket" } }).then((response) => {
    const inner = opened(response)
    if (inner === undefined || end.readyState !== 0) {
      inner?.close()
      end.dispatchEvent(new Event("error"))
      return end.close(1006)
    }
    inner.addEventListener("message", (event) => end.get((event as MessageEvent).data))
    inner.addEventListener("close", (event) => end.close((event as CloseEvent).code))
    end.addEventListener("close", () => inner.close())
    end.heard = (message) => inner.send(message)
    end.readyState = 1
    end.dispatchEvent(new Event("open"))
  })
  return end
}
