/**
 * The Worker that `octopoid-server serve` runs in workerd: the Worker on Durable Objects with the page in it, because
 * plain workerd has no service for files.
 */
import type { DurableObjectNamespace } from "@cloudflare/workers-types"
import { page } from "virtual:page"
import objects, { ControlObject, ScopeObject } from "./objects.ts"
import type { ControlStub } from "./objects/Control.ts"
import * as Every from "./objects/Every.ts"
import * as Home from "./objects/Home.ts"

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

interface Env {
  readonly API_SECRET_KEY: string
  readonly SCOPES: DurableObjectNamespace
  readonly CONTROL: DurableObjectNamespace
}

const MaxListed = 1000

/**
 * Has the claims that wait in each scope answered and its WebSockets closed, because the command stops the server
 * (`serve/Server.ts`): workerd waits for requests under way and for sockets.
 */
const close = async ({ CONTROL, SCOPES }: Env): Promise<Response> => {
  const control = CONTROL.getByName("control") as unknown as ControlStub
  let scopes: ReadonlyArray<string>
  let from = ""
  do {
    scopes = await control.scopes(from, MaxListed)
    await Every.inChunks(
      scopes,
      (scope) => (SCOPES.getByName(Home.nameOf(scope)) as unknown as { readonly close: () => Promise<void> }).close()
    )
    // The first name after the last one.
    from = `${scopes.at(-1)}\0`
  } while (scopes.length === MaxListed)
  return new Response(null, { status: 204 })
}

/** Digests are compared, so the time tells nothing about the secret. */
const isStop = async (request: Request, { API_SECRET_KEY }: Env): Promise<boolean> => {
  const given = request.headers.get("authorization") ?? ""
  return await Every.sha256(given) === await Every.sha256(`Bearer ${API_SECRET_KEY}`)
}

export default {
  fetch: async (request: Request, env: Env): Promise<Response> =>
    request.method === "POST" && new URL(request.url).pathname === "/stop" && await isStop(request, env)
      ? close(env)
      : file(request) ?? objects.fetch(request)
}
