/** The command itself, between two servers with sockets: what it prints and how it exits. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { spawn } from "node:child_process"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { text } from "node:stream/consumers"
import * as Serve from "../../src/http/Serve.ts"
import { ServicesLayer } from "../support/layers.ts"
import * as OldServer from "./OldServer.ts"

const script = new URL("../../scripts/import.ts", import.meta.url).pathname
const at = Date.UTC(2026, 2, 2)
const key = `oct_${"a".repeat(64)}`
const servers: Array<Server> = []

const listen = async (handler: (request: Request) => Promise<Response>) => {
  const server = createServer(async (incoming, outgoing) => {
    const { headers, method = "GET", url = "/" } = incoming
    const body = method === "GET" ? null : await text(incoming)
    const response = await handler(
      new Request(`http://server${url}`, { method, headers: headers as Record<string, string>, body })
    )
    outgoing.writeHead(response.status, Object.fromEntries(response.headers)).end(await response.text())
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const run = async (...args: ReadonlyArray<string>) => {
  const child = spawn(process.execPath, [script, ...args], { stdio: ["ignore", "pipe", "pipe"] })
  const code = new Promise<number | null>((resolve) => child.on("close", resolve))
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)])
  return { code: await code, stdout, stderr }
}

describe("scripts/import.ts", () => {
  let from = ""
  let to = ""
  let failures = 1
  const ours = Serve.make(ServicesLayer)

  beforeAll(async () => {
    const old = OldServer.make({
      tasks: [
        OldServer.task("a", at),
        OldServer.task("b", at, { queue: "" }),
        OldServer.task("c", at, { scope: "blue" })
      ],
      keys: { [key]: "red" }
    }, () => failures-- > 0 ? new Response("overloaded", { status: 503 }) : undefined)
    from = await listen((request) => Promise.resolve(old.answer(request)))
    to = await listen((request) => ours.handler(request))
  })
  afterAll(async () => {
    for (const server of servers) server.close()
    await ours.dispose()
  })

  it("tries a failing read again, reports what it did, and exits with 1 when something was not copied", async () => {
    const first = await run("--from", from, "--to", to, "--scope", "red", "--key", key)
    assert.strictEqual(first.code, 1, first.stderr)
    assert.match(first.stdout, /read +created +already there +not copied/)
    assert.match(first.stdout, /tasks +2 +1 +0 +1\n/)
    assert.match(first.stdout, /Not copied:\n {2}tasks b: queue: /)
    const second = await run("--from", from, "--to", to, "--scope", "blue")
    assert.strictEqual(second.code, 0, second.stdout)
    assert.notMatch(second.stdout, /Not copied/)
    assert.match((await run("--from", from, "--to", to, "--scope", "blue")).stdout, /tasks +1 +0 +1 +0\n/)
  })

  it("says what is wrong: no such scope, a wrong key, no server, no arguments", async () => {
    const empty = await run("--from", from, "--to", to, "--scope", "rde")
    assert.deepStrictEqual([empty.code, /Is that its name/.test(empty.stdout)], [1, true])
    const wrong = await run("--from", from, "--to", to, "--scope", "red", "--key", "oct_b")
    assert.deepStrictEqual([wrong.code, /answered 401: Invalid API key/.test(wrong.stderr)], [1, true])
    const usage = await run("--from", "old", "--scope", "red")
    assert.deepStrictEqual([usage.code, usage.stderr], [2, "old is not an address.\n"])
    assert.match((await run()).stderr, /--from <url>/)
  })
})
