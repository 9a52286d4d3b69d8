/**
 * WebSockets of a scope (`GET /api/v1/events` with `Upgrade: websocket`). Each gets the pages of the feed from its
 * place on, unless it wants none, and may wait for work (`Waiting.ts`). A socket sleeps with its object: the runtime
 * answers `ping`, and what the object has to know is attached to the socket.
 *
 * A browser can set no `Authorization` on a WebSocket. It offers its key as a subprotocol beside `octopoid.events.v1`.
 */
import type { DurableObjectState, WebSocket } from "@cloudflare/workers-types"
import * as Schema from "effect/Schema"
import { InvalidRequest } from "../../api/InvalidRequest.ts"
import { type EventPage, eventParameters } from "../../domain/feed/Event.ts"
import { MaxWait, Wait, work } from "../../domain/feed/Wait.ts"
import { bytesOf } from "../../domain/Size.ts"
import { wantedBy } from "../../services/lease/Line.ts"
import * as Waiting from "./Waiting.ts"

/** How many sockets of a scope get the feed, and how many only wait for work. */
export const MaxSockets = 500

/** The tags of sockets that get the feed and of those that do not. */
const Feed = "feed"
const Work = "work"

/** The longest query of a socket, as it is written in a URL. The runtime keeps 16,384 bytes for each socket. */
const MaxQuery = 8192

/** How many pages a socket gets at a time. Others get theirs before it gets more. */
const MaxPages = 10

/** The subprotocol of these messages. The server answers no other. */
const Protocol = "octopoid.events.v1"

/** Begins the subprotocol that has the caller's key, in base64url. */
const KeyPrefix = "octopoid.key."

type Page = (typeof EventPage)["Encoded"]

interface Attached {
  /** The query of the feed, without its place. */
  readonly query: string
  readonly after: number
  /** The hash of the caller's key. */
  readonly key: string | null
  /** What the socket waits for. */
  readonly wait: Waiting.Wait | null
  /** When the socket was last called. */
  readonly called: number
}

/** What the runtime has for sockets. A test has its own. */
export interface Platform {
  /** Both ends of a new socket: the one of the client, and the object's own. */
  readonly pair: () => readonly [unknown, WebSocket]
  /** The answer that opens the socket for its client. */
  readonly upgraded: (client: unknown, headers: Record<string, string>) => Response
  /** Runs the action after so many milliseconds. */
  readonly later: (millis: number, act: () => void) => void
}

interface Options {
  readonly state: DurableObjectState
  readonly platform: Platform
  /** Answers a request as if it had come without a socket. */
  readonly serve: (request: Request) => Promise<Response>
  /** The page of the feed after this place. Fails if the query cannot be read. */
  readonly page: (query: URLSearchParams) => Promise<Page>
  /** How many ready tasks match, `most` at most. */
  readonly readyTasks: (wanted: Waiting.Wanted, most: number) => number
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

const isValidKey = "SELECT 1 FROM api_keys WHERE hash = ?1 AND (expires_at IS NULL OR expires_at > ?2)"

const hashOf = async (authorization: string | null): Promise<string | null> => {
  const key = /^bearer +(oct_\S+)$/i.exec(authorization ?? "")?.[1]
  if (key === undefined) return null
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(key))
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("")
}

const tooMany = (tag: typeof Feed | typeof Work) =>
  Response.json({
    _tag: "TooManySockets",
    error: `The scope has ${MaxSockets} sockets of this kind, and no more are accepted. ${
      tag === Feed ? "Read the feed with GET /api/v1/events." : "Let your claims wait with wait_seconds."
    }`
  }, { status: 429, headers: { "retry-after": "60" } })

const Stopping = "The server stops. Connect again."

/** A client whose socket was closed may connect again before the server has ended. It would wait for that socket. */
const stopping = () =>
  Response.json({ _tag: "DatabaseUnavailable", error: Stopping, retry_after_seconds: 1 }, {
    status: 503,
    headers: { "retry-after": "1" }
  })

const invalid = (path: string, message: string) => {
  const { _tag, error, issues } = new InvalidRequest({
    error: `${path}: ${message}`,
    issues: [{ path: path.split("."), message }]
  })
  return Response.json({ _tag, error, issues }, { status: 400 })
}

const decodeWait = Schema.decodeUnknownSync(Schema.fromJsonString(Wait))

/** The parameters of a page that a socket keeps: all but its place, which moves on. Others mean nothing to a page. */
const kept = new Set(Object.keys(eventParameters).filter((name) => name !== "after" && name !== "since"))

const attached = (socket: WebSocket): Attached => {
  const found: Attached | null = socket.deserializeAttachment()
  if (found === null) throw new Error("nothing is attached to the socket")
  return found
}

const attach = (socket: WebSocket, next: Attached): void => socket.serializeAttachment(next)

/** Closes a socket that failed, so that the others go on. Its client connects again. */
const failed = (socket: WebSocket, error: unknown) => {
  console.error(JSON.stringify({ level: "WARN", message: "a socket was closed", error: String(error) }))
  try {
    socket.close(1011, "The feed cannot be read. Connect again.")
  } catch {
    // It is closed already.
  }
}

const message = JSON.stringify(work)

/** Answers whether the socket took the text. */
const tell = (socket: WebSocket, text: string): boolean => {
  try {
    socket.send(text)
    return true
  } catch (error) {
    failed(socket, error)
    return false
  }
}

const unreadable = ({ message }: Schema.SchemaError): string =>
  JSON.stringify({ type: "error", error: `${message}. Send {"type":"wait","queue":"incoming"}, or ping.` })

/** Ends the wait of the socket. Answers whether its message was sent. */
const call = (socket: WebSocket): boolean => {
  if (!tell(socket, message)) return false
  attach(socket, { ...attached(socket), wait: null, called: Date.now() })
  return true
}

export const make = ({ page, platform, readyTasks, serve, state }: Options) => {
  let isClosed = false

  /** Opens a socket, if the caller may read the feed. */
  const open = async (request: Request): Promise<Response> => {
    if (isClosed) return stopping()
    const url = new URL(request.url)
    const feed = url.searchParams.get("feed") ?? "true"
    if (feed !== "true" && feed !== "false") return invalid("query.feed", "Expected true or false")
    const tag = feed === "true" ? Feed : Work
    if (state.getWebSockets(tag).length >= MaxSockets) return tooMany(tag)
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
    const key = await hashOf(request.headers.get("authorization"))
    // Others may have been opened meanwhile.
    if (isClosed) return stopping()
    if (state.getWebSockets(tag).length >= MaxSockets) return tooMany(tag)
    const [client, own] = platform.pair()
    // First what can fail: an accepted socket without an attachment cannot be served.
    attach(own, { query, after: body.next, key, wait: null, called: 0 })
    state.acceptWebSocket(own, [tag])
    if (tag === Feed) {
      own.send(JSON.stringify({ type: "events", ...body }))
      // For it alone: what changed since its page was read.
      opened.add(own)
      serveThem()
    }
    return platform.upgraded(
      client,
      protocolsOf(request).includes(Protocol) ? { "sec-websocket-protocol": Protocol } : {}
    )
  }

  /** Sends what is new since the place of the socket. Answers whether there may be more. */
  const follow = async (socket: WebSocket): Promise<boolean> => {
    for (let pages = 0; pages < MaxPages; pages++) {
      const { after, query } = attached(socket)
      const asked = new URLSearchParams(query)
      asked.set("after", String(after))
      const body = await page(asked)
      if (body.next === after) return false
      // A message of the client may have come meanwhile.
      attach(socket, { ...attached(socket), after: body.next })
      if (body.events.length > 0 || body.gap) socket.send(JSON.stringify({ type: "events", ...body }))
      if (body.next >= body.latest) return false
    }
    return true
  }

  /** Those of the sockets whose keys are valid. The others are closed. */
  const valid = (sockets: ReadonlyArray<WebSocket>): ReadonlyArray<WebSocket> => {
    const now = Date.now()
    const keys = new Map<string | null, boolean>([[null, true]])
    return sockets.filter((socket) => {
      try {
        const { key } = attached(socket)
        if (!keys.has(key)) keys.set(key, state.storage.sql.exec(isValidKey, key, now).toArray().length > 0)
        if (!keys.get(key)) socket.close(4401, "The key has ended.")
        return keys.get(key)
      } catch (error) {
        failed(socket, error)
        return false
      }
    })
  }

  const waiting = Waiting.make<WebSocket>({
    readyTasks,
    before: () =>
      state.getWebSockets().flatMap((socket) => {
        const found: Attached | null = socket.deserializeAttachment()
        return found === null || found.wait === null ? [] : [[socket, found.wait]]
      }),
    call: (socket) => valid([socket]).length > 0 && call(socket),
    lookAgain: () => lookSoon(),
    later: platform.later
  })

  // Several changes may come before it is time to look.
  let looks = false
  const lookSoon = (): void => {
    if (looks) return
    looks = true
    queueMicrotask(() => {
      looks = false
      try {
        waiting.look()
      } catch (error) {
        console.error(JSON.stringify({ level: "ERROR", message: "no socket was called", error: String(error) }))
      }
    })
  }

  const push = async (sockets: ReadonlyArray<WebSocket>): Promise<boolean> => {
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
          const those = valid(again ? state.getWebSockets(Feed) : [...opened])
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

  // An object that has just begun does not know what changed before. So a socket that waits looks once.
  let readiedAt = Date.now()

  /** Tells the sockets of a change. Unless tasks may be ready, only the feed has something new. */
  const changed = (ready: boolean): void => {
    if (state.getWebSockets().length === 0) return
    if (ready) {
      readiedAt = Date.now()
      lookSoon()
    }
    if (state.getWebSockets(Feed).length === 0) return
    again = true
    serveThem()
  }

  /** A message of a client: it waits for work. */
  const heard = (socket: WebSocket, message: string | ArrayBuffer): void => {
    try {
      if (typeof message !== "string" || message.length > MaxWait || bytesOf(message) > MaxWait) {
        socket.close(1009, `Expected a text of at most ${MaxWait} bytes.`)
        return
      }
      const { queue, roles, types } = wantedBy(decodeWait(message))
      const before = attached(socket)
      waiting.wait(socket, { queue, roles, types })
      attach(socket, { ...before, wait: { queue, roles, types, since: before.wait?.since ?? Date.now() } })
      // If nothing has become ready since the socket was called, its claim has seen all there is.
      if (readiedAt >= before.called) lookSoon()
    } catch (error) {
      if (Schema.isSchemaError(error)) tell(socket, unreadable(error))
      else failed(socket, error)
    }
  }

  /** Closes all sockets, because the server stops. Answers whether there were any. Clients know 1012 as a restart. */
  const close = (): boolean => {
    isClosed = true
    const sockets = state.getWebSockets()
    for (const socket of sockets) {
      try {
        socket.close(1012, Stopping)
      } catch {
        // It is closed already.
      }
    }
    return sockets.length > 0
  }

  return { open, changed, close, heard, ended: waiting.leave, claimed: waiting.claimed }
}
