/**
 * Which web pages may send a request, and which host names a local server answers under.
 *
 * A browser states the origin of the page in `Origin`, for every write and for every read that a script may see. Clients
 * that are no browser send neither `Origin` nor `Sec-Fetch-Site`, so nothing here concerns them.
 */
import * as Effect from "effect/Effect"
import * as HttpMiddleware from "effect/http/HttpMiddleware"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import { HostNotAllowed, OriginNotAllowed } from "../../api/access/Origin.ts"
import { Settings } from "../../services/Settings.ts"

/** The address of an http(s) origin that is spelled as browsers spell it; of anything else, `undefined`. */
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

/** Whether a host name is an IP address, which no DNS server can point elsewhere. */
const isAddress = (hostname: string) => hostname.startsWith("[") || /^\d+\.\d+\.\d+\.\d+$/.test(hostname)

// A proxy that ends TLS changes the scheme, so only the host is compared.
const isOwn = (origin: string, url: URL) => parse(origin)?.host === url.host

const reads = new Set(["GET", "HEAD", "OPTIONS"])

export const make = Effect.gen(function*() {
  const { allowedHosts, apiSecretKey, corsOrigins, local } = yield* Settings
  const open = apiSecretKey === undefined
  const any = !open && corsOrigins.includes("*")
  // On an open server `*` names no origin: without a bearer nothing else tells pages apart.
  const named = new Set(corsOrigins)
  named.delete("*")
  const hosts = new Set(allowedHosts)

  const mayCall = (origin: string) => any || named.has(origin.toLowerCase()) || (open && isLoopback(origin))

  /** Whether the page that sends the request may. Without `Origin`, `Sec-Fetch-Site` tells only that it is another one. */
  const mayPage = ({ headers, method }: HttpServerRequest.HttpServerRequest, url: URL): boolean => {
    const origin = headers["origin"]
    if (origin !== undefined) return mayCall(origin) || isOwn(origin, url)
    const foreign = /^(cross-site|same-site)$/i.test(headers["sec-fetch-site"] ?? "")
    // To follow a link is no request of the page with the link: it never sees the answer.
    return any || !foreign || (reads.has(method) && headers["sec-fetch-mode"] === "navigate")
  }

  /** Why the request is refused, if it is. */
  const refusal = (request: HttpServerRequest.HttpServerRequest): HostNotAllowed | OriginNotAllowed | undefined => {
    const url = new URL(request.originalUrl)
    const { hostname } = url
    // A page of evil.example reaches a local server as its own origin if its name is made to resolve to 127.0.0.1. Only the
    // name tells. A deployed Worker is reached only under the names it was deployed to.
    if (local && !isAddress(hostname) && !isLocalhost(hostname) && !hosts.has(withoutDot(hostname))) {
      return HostNotAllowed.local()
    }
    if (mayPage(request, url)) return undefined
    return open ? OriginNotAllowed.open() : reads.has(request.method) ? undefined : OriginNotAllowed.write()
  }

  const cors = HttpMiddleware.cors({
    // The library reads an empty list as every origin, and asks also where there is none.
    ...(any ? {} : { allowedOrigins: (origin: string | undefined) => origin !== undefined && mayCall(origin) }),
    exposedHeaders: ["Server-Timing", "Retry-After", "ETag", "X-Request-Id", "X-Reason", "Idempotent-Replayed"],
    maxAge: 86_400
  })

  return { cors, refusal }
})
