/**
 * Which web pages may send a request, and which host names a local server has.
 *
 * A browser sends the origin of the page in `Origin`, with every write and with every read whose answer a script may
 * see. Other clients send neither `Origin` nor `Sec-Fetch-Site`, so these rules do not concern them.
 */
import * as Effect from "effect/Effect"
import * as HttpMiddleware from "effect/http/HttpMiddleware"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import { HostNotAllowed, OriginNotAllowed } from "../../api/access/Origin.ts"
import { Settings } from "../../services/Settings.ts"

/** The address of an http(s) origin in the spelling of browsers; otherwise `undefined`. */
const parse = (origin: string): URL | undefined => {
  if (!/^https?:/i.test(origin) || !URL.canParse(origin)) return undefined
  const url = new URL(origin)
  return url.origin === origin.toLowerCase() ? url : undefined
}

const withoutDot = (hostname: string) => hostname.replace(/\.$/, "")

const isLocalhost = (hostname: string) => /^(.+\.)?localhost$/.test(withoutDot(hostname))

const isLoopback = (origin: string): boolean => {
  const hostname = parse(origin)?.hostname
  return hostname !== undefined &&
    (isLocalhost(hostname) || hostname === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(hostname))
}

/** Whether the host name is an IP address. No DNS server can redirect an address. */
const isAddress = (hostname: string) => hostname.startsWith("[") || /^\d+\.\d+\.\d+\.\d+$/.test(hostname)

// A proxy that ends TLS changes the scheme, so only the hosts are compared.
const isOwn = (origin: string, url: URL) => parse(origin)?.host === url.host

const reads = new Set(["GET", "HEAD", "OPTIONS"])

// Browsers hide the answer to a read from a page of another origin, but not the messages of a WebSocket.
const opensSocket = ({ headers }: HttpServerRequest.HttpServerRequest) =>
  headers["upgrade"]?.toLowerCase() === "websocket"

export const make = Effect.gen(function*() {
  const { allowedHosts, apiSecretKey, corsOrigins, local } = yield* Settings
  const open = apiSecretKey === undefined
  const any = !open && corsOrigins.includes("*")
  // On an open server `*` allows no origin: without a key nothing else keeps pages out.
  const named = new Set(corsOrigins)
  named.delete("*")
  const hosts = new Set(allowedHosts)

  const mayCall = (origin: string) => any || named.has(origin.toLowerCase()) || (open && isLoopback(origin))

  /**
   * Whether the page that sends the request may do so. Without `Origin`, `Sec-Fetch-Site` shows only that it is another
   * page.
   */
  const mayPage = ({ headers, method }: HttpServerRequest.HttpServerRequest, url: URL): boolean => {
    const origin = headers["origin"]
    if (origin !== undefined) return mayCall(origin) || isOwn(origin, url)
    const foreign = /^(cross-site|same-site)$/i.test(headers["sec-fetch-site"] ?? "")
    // A page that links to the server does not see the answer, so following a link is allowed.
    return any || !foreign || (reads.has(method) && headers["sec-fetch-mode"] === "navigate")
  }

  /** Why the request is refused, or undefined. */
  const refusal = (request: HttpServerRequest.HttpServerRequest): HostNotAllowed | OriginNotAllowed | undefined => {
    const url = new URL(request.originalUrl)
    const { hostname } = url
    // If a page of evil.example lets its name resolve to 127.0.0.1, it reaches a local server as its own origin. Only
    // the host name shows that. A deployed Worker answers only to its own names.
    if (local && !isAddress(hostname) && !isLocalhost(hostname) && !hosts.has(withoutDot(hostname))) {
      return HostNotAllowed.local()
    }
    if (mayPage(request, url)) return undefined
    if (open) return OriginNotAllowed.open()
    if (opensSocket(request)) return OriginNotAllowed.socket()
    return reads.has(request.method) ? undefined : OriginNotAllowed.write()
  }

  const cors = HttpMiddleware.cors({
    // The library treats an empty list as every origin, and also asks for requests without an origin.
    ...(any ? {} : { allowedOrigins: (origin: string | undefined) => origin !== undefined && mayCall(origin) }),
    exposedHeaders: ["Server-Timing", "Retry-After", "ETag", "X-Request-Id", "X-Reason", "Idempotent-Replayed"],
    maxAge: 86_400
  })

  return { cors, refusal }
})
