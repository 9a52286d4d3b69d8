/** The routes on a port of this machine, for what needs a socket. */
import type { D1Database } from "@cloudflare/workers-types"
import * as Effect from "effect/Effect"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { text } from "node:stream/consumers"
import * as server from "./server.ts"

/** The address of a server, configured and opened as `server.make` does it, until the scope closes. */
export const listening = (config: Record<string, string> = {}, open?: () => D1Database) =>
  Effect.gen(function*() {
    const { fetch } = yield* server.make(config, open)
    const listener = createServer(async (request, response) => {
      const body = request.method === "GET" || request.method === "HEAD" ? undefined : await text(request)
      const answer = await fetch(`http://server${request.url}`, {
        method: request.method ?? "GET",
        headers: new Headers(request.headersDistinct as Record<string, never>),
        ...(body === undefined ? {} : { body })
      })
      response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(await answer.text())
    })
    yield* Effect.acquireRelease(
      Effect.promise(() => new Promise<void>((done) => listener.listen(0, "127.0.0.1", done))),
      () => Effect.promise(() => new Promise((done) => listener.close(done).closeAllConnections()))
    )
    return `http://127.0.0.1:${(listener.address() as AddressInfo).port}`
  })
