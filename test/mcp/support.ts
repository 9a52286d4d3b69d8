/** The official client of MCP, with the command as its child process. */
import { assert } from "@effect/vitest"
import { Client } from "@modelcontextprotocol/sdk/client/index.js"
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js"
import * as Effect from "effect/Effect"
import { mkdtempSync, rmSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { text } from "node:stream/consumers"
import { commandFile } from "../support/command.ts"

/** What a tool answered. */
export interface Answer {
  readonly isError: boolean
  /** The text for the agent: the sentence of an error, or the result as JSON. */
  readonly text: string
  readonly result: any
}

const start = async (url: string, env: Record<string, string>) => {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [await commandFile(), "mcp"],
    env: {
      PATH: process.env.PATH ?? "",
      OCTOPOID_URL: url,
      OCTOPOID_CLUSTER: "mcp",
      OCTOPOID_MACHINE: "box",
      XDG_CONFIG_HOME: "/nonexistent",
      ...env
    },
    stderr: "pipe"
  })
  const seen = { stderr: "", ended: false }
  transport.stderr!.on("data", (chunk) => seen.stderr += String(chunk))
  const client = new Client({ name: "test", version: "1" })
  // oxlint-disable-next-line unicorn/prefer-add-event-listener -- the transport is no EventTarget
  transport.onclose = () => {
    seen.ended = true
  }
  await client.connect(transport)
  return {
    client,
    seen,
    pid: transport.pid!,
    call: async (name: string, input: object = {}): Promise<Answer> => {
      const { content, isError, structuredContent } = await client.callTool({ name, arguments: { ...input } })
      return {
        isError: isError === true,
        text: (content as ReadonlyArray<{ readonly text?: string }>).map(({ text }) => text ?? "").join("\n"),
        result: structuredContent
      }
    }
  }
}

export type Agent = Awaited<ReturnType<typeof start>>

/** An agent with its process, which ends with the scope. */
export const agentOf = (url: string, env: Record<string, string>) =>
  Effect.acquireRelease(
    Effect.promise(() => start(url, env)),
    ({ client }) => Effect.promise(() => client.close())
  )

export const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "mcp-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

/** Waits until it holds. */
export const until = Effect.fnUntraced(function*<R>(what: string, holds: Effect.Effect<boolean, never, R>) {
  for (let left = 1200; !(yield* holds); left--) {
    if (left === 0) throw new Error(`It did not come true: ${what}`)
    yield* Effect.sleep("50 millis")
  }
})

/** Stands between the process and the server. While `isDown` says so of a path, nothing is answered. */
export const between = Effect.fnUntraced(function*(base: URL, isDown: (path: string) => boolean) {
  const listener = createServer(async (request, response) => {
    const body = request.method === "GET" ? undefined : await text(request)
    if (isDown(String(request.url))) return void response.destroy()
    const { "idempotency-key": key } = request.headers
    const answer = await fetch(new URL(String(request.url), base), {
      method: request.method ?? "GET",
      headers: { "content-type": "application/json", ...(key === undefined ? {} : { "idempotency-key": String(key) }) },
      ...(body === undefined ? {} : { body })
    })
    response.writeHead(answer.status, { "content-type": "application/json" }).end(await answer.text())
  })
  yield* Effect.acquireRelease(
    Effect.promise(() => new Promise<void>((done) => listener.listen(0, "127.0.0.1", done))),
    () => Effect.promise(() => new Promise((done) => listener.close(done).closeAllConnections()))
  )
  return `http://127.0.0.1:${(listener.address() as AddressInfo).port}`
})

export const call = ({ call }: Agent, name: string, input?: object) => Effect.promise(() => call(name, input))

/** The call succeeds. Answers its result. */
export const done = Effect.fnUntraced(function*(agent: Agent, name: string, input?: object) {
  const { isError, result, text } = yield* call(agent, name, input)
  assert.isFalse(isError, text)
  assert.deepStrictEqual(JSON.parse(text), result)
  return result
})

/** The call is refused. Answers the sentences. */
export const refused = Effect.fnUntraced(function*(agent: Agent, name: string, input?: object) {
  const { isError, text } = yield* call(agent, name, input)
  assert.isTrue(isError, text)
  return text
})
