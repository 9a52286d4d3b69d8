/**
 * WebSockets of a scope (`GET /api/v1/events` with `Upgrade: websocket`). Each gets the pages of the feed from its
 * place on, unless it wants none, and may wait for work (`Waiting.ts`). A socket sleeps with its object: the runtime
 * answers `ping`, and what the object has to know is attached to the socket.
 */
import type { DurableObjectState, WebSocket } from "@cloudflare/workers-types"
import * as Schema from "effect/Schema"
import { InvalidRequest } from "../../api/InvalidRequest.ts"
import { type Rank, reaches } from "../../domain/access/Rank.ts"
import { type EventPage, eventParameters } from "../../domain/feed/Event.ts"
import { MaxWait, Wait, work } from "../../domain/feed/Wait.ts"
import { bytesOf } from "../../domain/Size.ts"
import { wantedBy } from "../../services/lease/Line.ts"
import { hashOf, Protocol, protocolsOf } from "./Opening.ts"
import * as Waiting from "./Waiting.ts"

/** How many sockets of a scope get the feed, and how many only wait for work. */
export const MaxSockets = 500

/** The tags of sockets that get the feed and of those that do not. */
const Feed = "feed"
const Work = "work"

/** The longest query of a socket, as it is written in a URL. The runtime keeps 16,384 bytes for each socket. */
const MaxQuery = 8192

/**
 * After so many milliseconds without an answered ping a socket that has pinged before counts as dead. The worker and
 * `watch` ping every 30 seconds.
 */
const MaxSilence = 75_000

/** How many pages a socket gets at a time. Others get theirs before it gets more. */
const MaxPages = 10

type Page = (typeof EventPage)["Encoded"]

interface Attached {
  /** The query of the feed, without its place. */
  readonly query: string
  readonly after: number
  /** The hash of the caller's key. */
  readonly key: string | null
  /** What the socket waits for. */
  readonly wait: Waiting.Wait | null
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

const rankOfKey = "SELECT rank FROM api_keys WHERE hash = ?1 AND (expires_at IS NULL OR expires_at > ?2)"

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

const refusal = (error: string): string => JSON.stringify({ type: "error", error })

const unreadable = ({ message }: Schema.SchemaError): string =>
  refusal(`${message}. Send {"type":"wait","queue":"incoming"}, or ping.`)

const tooManyKinds = refusal(
  `Sockets of the scope wait for ${Waiting.MaxKinds} different things, and for no more. Let your claims wait with wait_seconds.`
)

const isOpen = ({ readyState }: WebSocket): boolean => readyState === 1

/** Ends the wait of the socket. Answers whether its message was sent. */
const call = (socket: WebSocket): boolean => {
  if (!tell(socket, message)) return false
  attach(socket, { ...attached(socket), wait: null })
  return true
}

export const make = ({ page, platform, readyTasks, serve, state }: Options) => {
  let isClosed = false

  /** The rank of the key; the highest for callers without one, and none if the key has ended. */
  const rankOf = (key: string | null): Rank | undefined =>
    key === null
      ? "manage"
      : state.storage.sql.exec(rankOfKey, key, Date.now()).toArray()[0]?.["rank"] as Rank | undefined

  /** Those of the sockets that live and whose keys are valid. The others are closed. */
  const valid = (sockets: ReadonlyArray<WebSocket>): ReadonlyArray<WebSocket> => {
    const now = Date.now()
    const ranks = new Map<string | null, Rank | undefined>()
    return sockets.filter((socket) => {
      try {
        if (!isOpen(socket)) return false
        const { key } = attached(socket)
        if (!ranks.has(key)) ranks.set(key, rankOf(key))
        const isEnded = ranks.get(key) === undefined
        const pinged = state.getWebSocketAutoResponseTimestamp(socket)
        const isSilent = pinged !== null && pinged.getTime() < now - MaxSilence
        if (isEnded) socket.close(4401, "The key has ended.")
        else if (isSilent) socket.close(1001, "No ping came for a while. Connect again.")
        return !isEnded && !isSilent
      } catch (error) {
        failed(socket, error)
        return false
      }
    })
  }

  const isFull = (tag: typeof Feed | typeof Work): boolean => {
    const open = state.getWebSockets(tag).filter(isOpen)
    return open.length >= MaxSockets && valid(open).length >= MaxSockets
  }

  /** Opens a socket, if the caller may read the feed. */
  const open = async (request: Request): Promise<Response> => {
    if (isClosed) return stopping()
    const url = new URL(request.url)
    const feed = url.searchParams.get("feed") ?? "true"
    if (feed !== "true" && feed !== "false") return invalid("query.feed", "Expected true or false")
    const tag = feed === "true" ? Feed : Work
    if (isFull(tag)) return tooMany(tag)
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
    if (isFull(tag)) return tooMany(tag)
    const [client, own] = platform.pair()
    // First what can fail: an accepted socket without an attachment cannot be served.
    attach(own, { query, after: body.next, key, wait: null })
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

  /** Tells the sockets of a change. Unless tasks may be ready, only the feed has something new. */
  const changed = (ready: boolean): void => {
    if (ready) waiting.changed()
    if (state.getWebSockets().length === 0) return
    if (ready) lookSoon()
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
      const rank = rankOf(before.key)
      if (rank !== undefined && !reaches(rank, "work")) {
        tell(socket, refusal(`The key has the rank "${rank}", and a claim needs the rank "work" or higher.`))
        return
      }
      // First the attachment: a call that follows at once clears it again.
      attach(socket, { ...before, wait: { queue, roles, types, since: Date.now() } })
      if (waiting.wait(socket, { queue, roles, types })) return
      attach(socket, before)
      tell(socket, tooManyKinds)
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

  /** Closes the sockets whose keys have ended, and those that are dead. */
  const tidy = (): void => void valid(state.getWebSockets())

  return { open, changed, close, heard, tidy, ended: waiting.end, claimed: waiting.claimed }
}
