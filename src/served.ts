/**
 * The Worker that `octopoid-server serve` runs in workerd: the Worker on Durable Objects with the page in it, because
 * plain workerd has no service for files.
 */
import { page } from "virtual:page"
import objects, { ControlObject, ScopeObject } from "./objects.ts"

export { ControlObject, ScopeObject }

const isNotModified = (request: Request, etag: string): boolean =>
  (request.headers.get("if-none-match") ?? "").split(",").some((one) => one.trim().replace(/^W\//, "") === etag)

/** A file of the page, as Cloudflare serves it: `/app/` is `/app/index.html`, and `/app` leads to `/app/`. */
const file = (request: Request): Response | undefined => {
  const { pathname } = new URL(request.url)
  if (pathname !== "/app" && !pathname.startsWith("/app/")) return undefined
  if (request.method !== "GET" && request.method !== "HEAD") return undefined
  // Relative, so that it stays behind the prefix of a proxy.
  if (pathname === "/app") return new Response(null, { status: 307, headers: { location: "app/" } })
  const found = page[pathname === "/app/" ? "/app/index.html" : pathname]
  if (found === undefined) return undefined
  const headers = { "cache-control": "public, max-age=0, must-revalidate", ...found.headers, etag: found.etag }
  if (isNotModified(request, found.etag)) return new Response(null, { status: 304, headers })
  return new Response(request.method === "HEAD" ? null : found.text, { headers })
}

export default {
  fetch: (request: Request): Response | Promise<Response> => file(request) ?? objects.fetch(request)
}
