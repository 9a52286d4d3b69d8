/** A receiver of webhooks: an HTTP server on a port of this machine, which answers as a test says. */
import * as Effect from "effect/Effect"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { text } from "node:stream/consumers"

export interface Received {
  readonly headers: Record<string, string>
  readonly text: string
  readonly body: any
}

/** What the receiver does with a message. `reset` ends the connection, `hang` never answers, and `drip` begins an answer and never ends it. */
export type Reaction =
  | number
  | "drip"
  | "hang"
  | "reset"
  | { readonly status: number; readonly headers?: Record<string, string>; readonly body?: string }

export interface Receiver {
  readonly url: string
  /** Every message that arrived, in order. */
  readonly received: Array<Received>
  /** Resolves when the sender has left an answer that never ends. */
  readonly left: Promise<void>
  /** What it does with a message. It may be replaced. */
  react: (message: Received) => Reaction
}

/** Runs until the scope closes. */
export const receiver = Effect.gen(function*() {
  const { promise: left, resolve: leave } = Promise.withResolvers<void>()
  const listener = createServer(async (request, response) => {
    const body = await text(request)
    const message: Received = {
      headers: request.headers as Record<string, string>,
      text: body,
      body: body === "" ? undefined : JSON.parse(body)
    }
    self.received.push(message)
    const reaction = self.react(message)
    if (reaction === "hang") return
    if (reaction === "drip") {
      response.writeHead(200)
      response.write(".")
      return void response.on("close", leave)
    }
    if (reaction === "reset") return void request.socket.destroy()
    const { body: answer = "ok", headers, status } = typeof reaction === "number"
      ? { status: reaction, headers: {} }
      : reaction
    response.writeHead(status, headers).end(answer)
  })
  yield* Effect.acquireRelease(
    Effect.promise(() => new Promise<void>((done) => listener.listen(0, "127.0.0.1", done))),
    () => Effect.promise(() => new Promise((done) => listener.close(done).closeAllConnections()))
  )
  const self: Receiver = {
    url: `http://127.0.0.1:${(listener.address() as AddressInfo).port}/hook`,
    received: [],
    left,
    react: () => 200
  }
  return self
})
