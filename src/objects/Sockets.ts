/**
 * WebSockets on the feed of a scope (`GET /api/v1/events` with `Upgrade: websocket`). Each gets the pages of the feed
 * from its place on, and if it asks for that, a word when there is work. A socket sleeps with its object: the runtime
 * answers `ping`, and what the object has to know is attached to the socket.
 *
 * A browser can set no `Authorization` on a WebSocket. It offers its key as a subprotocol beside `octopoid.events.v1`.
 */
import type { DurableObjectState, WebSocket } from "@cloudflare/workers-types"
import * as Schema from "effect/Schema"
import { InvalidRequest } from "../api/InvalidRequest.ts"
import { type EventPage, eventParameters } from "../domain/feed/Event.ts"
import { QueueName } from "../domain/Identifier.ts"

/** How many sockets a scope has. */
export const MaxSockets = 500

/** The longest query of a socket, as it is written in a URL. The runtime keeps 16,384 bytes for each socket. */
const MaxQuery = 8192

/** How many pages a socket gets at a time. Others get theirs before it gets more. */
const MaxPages = 10

/** The shortest time between two messages about work on a socket, in milliseconds. */
const Quiet = 1000

/** The subprotocol of these messages. The server answers no other. */
const Protocol = "octopoid.events.v1"

/** Begins the subprotocol that has the caller's key, in base64url. */
const KeyPrefix = "octopoid.key."

type Page = (typeof EventPage)["Encoded"]

interface Attached {
  /** The query of the feed, without its place. */
  readonly query: string
  readonly after: number
  /** The queue whose work the socket waits for. */
  readonly work: string | null
  /** The hash of the caller's key. */
  readonly key: string | null
  /** When the socket last got a message about work. */
  readonly told: number
}

interface Options {
  readonly state: DurableObjectState
  readonly scope: string
  /** Answers a request as if it had come without a socket. */
  readonly serve: (request: Request) => Promise<Response>
  /** The page of the feed after this place. Fails if the query cannot be read. */
  readonly page: (query: URLSearchParams) => Promise<Page>
}

const wantsSocket = ({ headers, method }: Request): boolean =>
  method === "GET" && headers.get("upgrade")?.toLowerCase() === "websocket"

/** Whether the request opens a socket. */
export const opens = (request: Request): boolean =>
  wantsSocket(request) && new URL(request.url).pathname === "/api/v1/events"

const protocolsOf = ({ headers }: Request): ReadonlyArray<string> =>
  (headers.get("sec-websocket-protocol") ?? "").split(",").map((name) => name.trim()).filter((name) => name !== "")

/** The key in a subprotocol. One that cannot be read is empty, which no key is. */
const keyIn = (protocol: string): string => {
  try {
    const key = atob(protocol.slice(KeyPrefix.length).replaceAll("-", "+").replaceAll("_", "/"))
    return /^[ -~]+$/.test(key) ? key : ""
  } catch {
    return ""
  }
}

/** The request with the key of its subprotocol as `Authorization`, as other requests have it. */
export const authorized = (request: Request): Request => {
  const protocols = wantsSocket(request) ? protocolsOf(request) : []
  const key = protocols.find((name) => name.startsWith(KeyPrefix))
  if (key === undefined) return request
  const headers = new Headers(request.headers)
  headers.delete("sec-websocket-protocol")
  for (const name of protocols) if (!name.startsWith(KeyPrefix)) headers.append("sec-websocket-protocol", name)
  if (!headers.has("authorization")) headers.set("authorization", `Bearer ${keyIn(key)}`)
  return new Request(request, { headers })
}

const readyTasks = `
  SELECT count(*) AS n FROM (SELECT 1 FROM ready WHERE scope = ?1 AND queue = ?2 LIMIT ?3)`

const isValidKey = "SELECT 1 FROM api_keys WHERE hash = ?1 AND (expires_at IS NULL OR expires_at > ?2)"

const hashOf = async (authorization: string | null): Promise<string | null> => {
  const key = /^bearer +(oct_\S+)$/i.exec(authorization ?? "")?.[1]
  if (key === undefined) return null
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(key))
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("")
}

const tooMany = () =>
  Response.json({
    _tag: "TooManySockets",
    error: `The scope has ${MaxSockets} sockets, and no more are accepted. Read the feed with GET /api/v1/events.`
  }, { status: 429, headers: { "retry-after": "60" } })

const invalid = (path: string, message: string) => {
  const { _tag, error, issues } = new InvalidRequest({
    error: `${path}: ${message}`,
    issues: [{ path: path.split("."), message }]
  })
  return Response.json({ _tag, error, issues }, { status: 400 })
}

const isQueue = Schema.is(QueueName)

/** The parameters of a page that a socket keeps: all but its place, which moves on. Others mean nothing to a page. */
const kept = new Set(Object.keys(eventParameters).filter((name) => name !== "after" && name !== "since"))

const attached = (socket: WebSocket): Attached => {
  const found: Attached | null = socket.deserializeAttachment()
  if (found === null) throw new Error("nothing is attached to the socket")
  return found
}

/** Closes a socket that failed, so that the others go on. Its client connects again. */
const failed = (socket: WebSocket, error: unknown) => {
  console.error(JSON.stringify({ level: "WARN", message: "a socket was closed", error: String(error) }))
  try {
    socket.close(1011, "The feed cannot be read. Connect again.")
  } catch {
    // It is closed already.
  }
}

export const make = ({ page, scope, serve, state }: Options) => {
  /** Opens a socket, if the caller may read the feed. */
  const open = async (request: Request): Promise<Response> => {
    if (state.getWebSockets().length >= MaxSockets) return tooMany()
    const url = new URL(request.url)
    const work = url.searchParams.get("work")
    if (work !== null && !isQueue(work)) {
      return invalid(
        "query.work",
        "Expected the name of a queue: at most 200 characters, without quotes, backslashes and control characters"
      )
    }
    const query = new URLSearchParams([...url.searchParams].filter(([name]) => kept.has(name))).toString()
    if (query.length > MaxQuery) return invalid("query", `Expected at most ${MaxQuery} characters`)
    if (!url.searchParams.has("after") && !url.searchParams.has("since")) url.searchParams.set("after", "latest")
    const headers = new Headers(request.headers)
    // `Upgrade` stays: a page that may not read an answer may not open a socket either (`http/access/Origin.ts`).
    for (const name of ["connection", "if-none-match"]) headers.delete(name)
    headers.set("accept", "application/json")
    const first = await serve(new Request(url, { headers }))
    if (first.status !== 200) return first
    const body = await first.json() as Page
    const { WebSocketPair, WebSocketRequestResponsePair } = globalThis as any
    state.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong"))
    const key = await hashOf(request.headers.get("authorization"))
    // Others may have been opened meanwhile.
    if (state.getWebSockets().length >= MaxSockets) return tooMany()
    const [client, own] = Object.values(new WebSocketPair()) as [WebSocket, WebSocket]
    // First what can fail: an accepted socket without an attachment cannot be served.
    own.serializeAttachment({ query, after: body.next, work, key, told: 0 } satisfies Attached)
    state.acceptWebSocket(own)
    own.send(JSON.stringify({ type: "events", ...body }))
    // For it alone: what changed since its page was read.
    opened.add(own)
    serveThem()
    const protocol = protocolsOf(request).includes(Protocol) ? { "sec-websocket-protocol": Protocol } : {}
    return new Response(null, { status: 101, webSocket: client, headers: protocol } as ResponseInit)
  }

  /** Sends what is new since the place of the socket. Answers whether there may be more. */
  const follow = async (socket: WebSocket): Promise<boolean> => {
    for (let pages = 0; pages < MaxPages; pages++) {
      const { after, query, ...rest } = attached(socket)
      const asked = new URLSearchParams(query)
      asked.set("after", String(after))
      const body = await page(asked)
      if (body.next === after) return false
      socket.serializeAttachment({ ...rest, query, after: body.next })
      if (body.events.length > 0 || body.gap) socket.send(JSON.stringify({ type: "events", ...body }))
      if (body.next >= body.latest) return false
    }
    return true
  }

  /** Tells as many sockets of work as there are tasks: those that were told longest ago. */
  const tell = (sockets: ReadonlyArray<WebSocket>, now: number) => {
    const waiting = Map.groupBy(
      sockets.filter((socket) => attached(socket).work !== null),
      (socket) => attached(socket).work!
    )
    for (const [queue, all] of waiting) {
      const quiet = all.filter((socket) => attached(socket).told <= now - Quiet)
        .toSorted((a, b) => attached(a).told - attached(b).told)
      let n = state.storage.sql.exec(readyTasks, scope, queue, quiet.length).one()["n"] as number
      for (const socket of quiet) {
        if (n === 0) break
        try {
          socket.send(JSON.stringify({ type: "work", queue }))
          socket.serializeAttachment({ ...attached(socket), told: now })
          n--
        } catch (error) {
          failed(socket, error)
        }
      }
    }
  }

  const push = async (all: ReadonlyArray<WebSocket>): Promise<boolean> => {
    const now = Date.now()
    const sockets = all.filter((socket) => {
      try {
        const { key } = attached(socket)
        const valid = key === null || state.storage.sql.exec(isValidKey, key, now).toArray().length > 0
        if (!valid) socket.close(4401, "The key has ended.")
        return valid
      } catch (error) {
        failed(socket, error)
        return false
      }
    })
    tell(sockets, now)
    let more = false
    for (const socket of sockets) {
      try {
        more = await follow(socket) || more
      } catch (error) {
        failed(socket, error)
      }
    }
    return more
  }

  // A change while sockets are served is served after them.
  let pushing = false
  let again = false
  const opened = new Set<WebSocket>()
  const serveThem = (): void => {
    if (pushing) return
    pushing = true
    state.waitUntil((async () => {
      try {
        while (again || opened.size > 0) {
          const those = again ? state.getWebSockets() : [...opened]
          again = false
          opened.clear()
          again = await push(those) || again
        }
      } catch (error) {
        console.error(JSON.stringify({ level: "ERROR", message: "the sockets were not served", error: String(error) }))
      } finally {
        pushing = false
      }
    })())
  }

  const changed = (): void => {
    if (state.getWebSockets().length === 0) return
    again = true
    serveThem()
  }

  return { open, changed }
}
