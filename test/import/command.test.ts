/** The command, between two servers on sockets: its output and its exit codes. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { spawn } from "node:child_process"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { text } from "node:stream/consumers"
import * as Serve from "../../src/http/Serve.ts"
import { commandFile } from "../support/command.ts"
import { servicesWith } from "../support/layers.ts"
import * as OldServer from "./OldServer.ts"

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

/** Where nothing listens any more. */
const deadAddress = async () => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return `http://127.0.0.1:${port}`
}

const run = async (...args: ReadonlyArray<string>) => {
  // The secret of this server is no argument, because others could see it.
  const secret = args.indexOf("OCTOPOID_API_KEY")
  const shown = secret === -1 ? args : args.toSpliced(secret, 2)
  const child = spawn(process.execPath, [await commandFile(), "import", ...shown], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, XDG_CONFIG_HOME: "/nonexistent", OCTOPOID_API_KEY: secret === -1 ? "" : args[secret + 1] }
  })
  const code = new Promise<number | null>((resolve) => child.on("close", resolve))
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)])
  return { code: await code, stdout, stderr }
}

describe("octopoid-server import", () => {
  let from = ""
  let to = ""
  let failures = 1

  const started: Array<ReturnType<typeof Serve.make>> = []
  const serve = (config: Record<string, string> = {}) => {
    const server = Serve.make(servicesWith(config))
    started.push(server)
    return listen((request) => server.handler(request))
  }

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
    to = await serve()
  })
  afterAll(async () => {
    for (const server of servers) server.close()
    for (const { dispose } of started) await dispose()
  })

  it("tries a failing read again, reports what it did, and exits with 1 when something was not copied", async () => {
    const first = await run("--from", from, "--url", to, "--scope", "red", "--from-key", key)
    assert.strictEqual(first.code, 1, first.stderr)
    assert.match(first.stdout, /read +created +already there +not copied/)
    assert.match(first.stdout, /tasks +2 +1 +0 +1\n/)
    assert.match(first.stdout, /Not copied:\n {2}tasks b: queue: /)
    const second = await run("--from", from, "--url", to, "--scope", "blue")
    assert.strictEqual(second.code, 0, second.stdout)
    assert.notMatch(second.stdout, /Not copied/)
    assert.match((await run("--from", from, "--url", to, "--scope", "blue")).stdout, /tasks +1 +0 +1 +0\n/)
  })

  it("exits in a dry run as the import would, with the same words, and writes nothing", async () => {
    const arguments_ = ["--from", from, "--url", await serve(), "--scope", "red", "--from-key", key]
    const dry = await run(...arguments_, "--dry-run")
    const wet = await run(...arguments_)
    assert.deepStrictEqual([dry.code, wet.code], [1, 1], dry.stderr)
    assert.match(dry.stdout, /Nothing was written/)
    assert.match(dry.stdout, /Not copied:\n {2}tasks b: queue: /)
    const [, ...foretold] = dry.stdout.split("\n")
    const [, ...reported] = wet.stdout.split("\n")
    assert.deepStrictEqual(foretold, reported)
  })

  it("says at once, also in a dry run, why this server refuses, and that nothing was copied", async () => {
    const secret = "s".repeat(40)
    const closed = await serve({ API_SECRET_KEY: secret })
    const issued = await fetch(`${closed}/api/v1/scopes/red/keys`, {
      method: "POST",
      headers: { authorization: `Bearer ${secret}` },
      body: JSON.stringify({ name: "laptop" })
    })
    const { api_key } = await issued.json() as { readonly api_key: string }
    const failure = async (...args: ReadonlyArray<string>): Promise<readonly [number | null, string]> => {
      const { code, stderr, stdout } = await run("--from", from, "--scope", "red", ...args)
      assert.strictEqual(stdout, "")
      assert.match(stderr, /\nNothing was copied\.\n$/)
      assert.notMatch(stderr, /Run this again/)
      return [code, stderr]
    }
    const dead = await deadAddress()
    for (const dry of [[], ["--dry-run"]]) {
      const refusals: ReadonlyArray<readonly [ReadonlyArray<string>, number, string]> = [
        [[closed], 1, "asks for a key. Give its API_SECRET_KEY as OCTOPOID_API_KEY"],
        [[closed, "OCTOPOID_API_KEY", "wrong"], 1, "the key. OCTOPOID_API_KEY must be its API_SECRET_KEY"],
        [[closed, "OCTOPOID_API_KEY", api_key], 1, "A key of a scope is not enough"],
        [[dead], 3, `Nothing answers at ${dead}.`],
        [[from], 3, `${from} does not answer as this server does`]
      ]
      for (const [url, exit, sentence] of refusals) {
        const [code, stderr] = await failure("--url", ...url, ...dry)
        assert.strictEqual(code, exit, stderr)
        assert.include(stderr, sentence)
      }
    }
    assert.strictEqual(
      (await run("--from", from, "--url", closed, "OCTOPOID_API_KEY", secret, "--scope", "blue")).code,
      0
    )
  }, 900_000)

  it("says what is wrong with the old server's address or key, and that nothing was copied", async () => {
    const dead = await deadAddress()
    const nobody = await run("--from", dead, "--url", to, "--scope", "red")
    assert.deepStrictEqual([nobody.code, nobody.stdout], [3, ""])
    assert.include(nobody.stderr, `Nothing answers at ${dead}. Is this the address of the old server (--from)?`)
    assert.match(nobody.stderr, /\nNothing was copied\.\n$/)
    const wrong = await run("--from", from, "--url", to, "--scope", "red", "--from-key", "oct_b")
    assert.match(
      wrong.stderr,
      /--from-key \(or OCTOPOID_FROM_KEY\) is a key that the old server has.*\nNothing was copied\.\n$/
    )
  }, 900_000)

  it("names the mistake: an unknown scope, a wrong key, no server, no arguments", async () => {
    const empty = await run("--from", from, "--url", to, "--scope", "rde")
    assert.deepStrictEqual([empty.code, /Is that its name/.test(empty.stdout)], [1, true])
    const wrong = await run("--from", from, "--url", to, "--scope", "red", "--from-key", "oct_b")
    assert.deepStrictEqual([wrong.code, /answered 401: Invalid API key/.test(wrong.stderr)], [1, true])
    const usage = await run("--from", "old", "--scope", "red")
    assert.strictEqual(usage.code, 2)
    assert.include(usage.stderr, "old is not an address.")
    const nothing = await run()
    assert.strictEqual(nothing.code, 2)
    assert.include(nothing.stderr, "--from")
    const nowhere = await run("--from", from)
    assert.strictEqual(nowhere.code, 2)
    assert.include(nowhere.stderr, "--scope")
  })
})
