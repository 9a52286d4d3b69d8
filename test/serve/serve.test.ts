/** `octopoid-server serve`: its start, its end, its folder, and the page. */
import { afterAll, assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import { readdirSync, readFileSync } from "node:fs"
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises"
import { createServer, request } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { text } from "node:stream/consumers"
import { setTimeout as sleep } from "node:timers/promises"
import * as client from "../../src/client.ts"
import { root } from "../support/Bundle.ts"
import * as Served from "../support/Served.ts"

const folders: Array<string> = []
const folder = async () => {
  const made = await mkdtemp(join(tmpdir(), "octopoid-serve-"))
  folders.push(made)
  return made
}
afterAll(() => Promise.all(folders.map((one) => rm(one, { recursive: true, force: true, maxRetries: 5 }))))

/** A start that has to be refused: its exit code, and its sentence. */
const refusal = async (options: Served.Options) => {
  const child = await Served.spawned(options)
  const ended = new Promise<number | null>((done) => child.once("close", done))
  const [code, stdout, stderr] = await Promise.all([ended, text(child.stdout!), text(child.stderr!)])
  assert.strictEqual(stdout, "")
  return { code, error: JSON.parse(stderr).error as string }
}

const names = (file: string, what: RegExp) =>
  [...new Set(Array.from(readFileSync(join(root, file), "utf8").matchAll(what), ([, name]) => name!))].sort()

const date = (file: string, what: RegExp) => what.exec(readFileSync(join(root, file), "utf8"))?.[1]

describe("octopoid-server serve", () => {
  it("makes a key once, keeps it for its owner only, and stops in order", async () => {
    const data = await folder()
    const first = await Served.launch({ data })
    const key = first.said.key!
    assert.match(key, /^admin_[0-9a-f]{64}$/)
    assert.strictEqual((await stat(join(data, "admin.key"))).mode & 0o777, 0o600)
    assert.strictEqual((await fetch(new URL("/api/v1/tasks", first.base))).status, 401)
    const answer = await fetch(new URL("/api/v1/tasks", first.base), { headers: { authorization: `Bearer ${key}` } })
    assert.strictEqual(answer.status, 200)
    await answer.arrayBuffer()
    assert.strictEqual(await first.end("SIGTERM"), 0)
    assert.isFalse(Served.isRunning(first.workerd))

    await chmod(join(data, "admin.key"), 0o644)
    const logged: Array<string> = []
    const second = await Served.launch({ data, log: (line) => void (line === "" || logged.push(line)) })
    assert.strictEqual(second.said.key, null)
    // A claim that waits is answered when the server stops, and does not have it wait.
    const post = (path: string, body: object) =>
      fetch(new URL(path, second.base), {
        method: "POST",
        headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
        body: JSON.stringify(body)
      })
    assert.strictEqual((await post("/api/v1/orchestrators/register", { cluster: "k", machine_id: "m" })).status, 201)
    const claim = { orchestrator_id: "k-m", agent_name: "ann", wait_seconds: 20 }
    const waits = post("/api/v1/tasks/claim", claim).then(async (answer) => [answer.status, await answer.json()])
    await sleep(300)
    // Only the command may have them answered.
    assert.strictEqual((await fetch(new URL("/stop", second.base), { method: "POST" })).status, 404)
    assert.strictEqual((await stat(join(data, "admin.key"))).mode & 0o777, 0o600)
    assert.strictEqual(await second.end("SIGINT"), 0)
    assert.notInclude(logged.join("\n"), "cut off")
    const [status, said] = await waits as [number, any]
    assert.deepStrictEqual([status, said.reason], [404, "none_ready"])

    await writeFile(join(data, "admin.key"), "short\n")
    assert.match((await refusal({ data })).error, /admin\.key holds no key/)
  })

  it("closes WebSockets when it stops, so that it does not wait for them", async () => {
    const logged: Array<string> = []
    const server = await Served.launch({
      data: await folder(),
      env: { API_SECRET_KEY: "a-secret-of-sixteen" },
      log: (line) => void (line === "" || logged.push(line))
    })
    const headers = { authorization: "Bearer a-secret-of-sixteen", "content-type": "application/json" }
    const body = JSON.stringify({ cluster: "k", machine_id: "m", scope: "s" })
    const registered = await fetch(new URL("/api/v1/orchestrators/register", server.base), {
      method: "POST",
      headers,
      body
    })
    await registered.arrayBuffer()
    const url = `ws://${server.base.host}/api/v1/events?scope=s`
    // The types of the DOM do not have the headers that Node takes.
    const socket = new WebSocket(url, { headers } as unknown as Array<string>)
    await new Promise((done) => socket.addEventListener("message", done, { once: true }))
    const closed = new Promise<CloseEvent>((done) => socket.addEventListener("close", done, { once: true }))
    const ended = server.end("SIGTERM")
    const { code, reason } = await closed
    assert.deepStrictEqual([code, reason, await ended], [1012, "The server stops. Connect again.", 0])
    // Nor does it say that something was cut off.
    assert.deepStrictEqual(logged, [])
  })

  it("says so when it cuts requests off", async () => {
    const logged: Array<string> = []
    const server = await Served.launch({ data: await folder(), log: (line) => logged.push(line) })
    // The body does not end.
    const asked = request(new URL("/api/v1/tasks", server.base), {
      method: "POST",
      headers: { authorization: `Bearer ${server.said.key}`, "content-type": "application/json" }
    })
    const cut = new Promise((done) => asked.once("close", done).on("error", () => {}))
    asked.write("{")
    await sleep(300)
    assert.strictEqual(await server.end("SIGTERM"), 0)
    await cut
    assert.include(logged.join("\n"), "Requests were cut off: they had not ended 5 seconds after the stop.")
  })

  it.skipIf(process.platform !== "linux")("refuses a folder that cannot be made", async () => {
    const { code, error } = await refusal({ data: "/proc/octopoid" })
    assert.strictEqual(code, 1)
    assert.match(error, /^The folder \/proc\/octopoid cannot be used for the data: /)
  })

  it("is one for its folder and its port, and says which other one is there", async () => {
    const [data, other] = [await folder(), await folder()]
    const server = await Served.launch({ data })
    const { port } = server.base
    assert.deepStrictEqual(await refusal({ data }), {
      code: 1,
      error:
        `A server runs on ${data} already (process ${server.pid}, ${server.base.origin}). Stop it, or give another folder: --data DIR.`
    })
    assert.deepStrictEqual(await refusal({ data: other, port }), {
      code: 1,
      error: `Port ${port} of 127.0.0.1 is in use. Stop what listens there, or take another port: --port N.`
    })
    assert.strictEqual((await fetch(new URL("/api/health", server.base))).status, 200)
    await server.end("SIGTERM")
    // The start that failed had no server to print the key of: this one makes it, and prints it.
    const next = await Served.launch({ data: other })
    assert.match(next.said.key!, /^admin_/)
    assert.strictEqual((await readFile(join(other, "admin.key"), "utf8")).trim(), next.said.key)
    await next.end("SIGTERM")
  })

  it("takes workerd with it when it is killed, and starts again", async () => {
    const data = await folder()
    const killed = await Served.launch({ data })
    await killed.end("SIGKILL")
    const again = await Served.launch({ data })
    assert.isFalse(Served.isRunning(killed.workerd))
    // And it ends when workerd does.
    process.kill(again.workerd, "SIGKILL")
    assert.strictEqual(await again.end("SIGCONT"), 1)
  })

  it("refuses a folder whose workerd outlived both the command and the shell that watches it", async () => {
    const data = await folder()
    const server = await Served.launch({ data })
    const children = readFileSync(`/proc/${server.pid}/task/${server.pid}/children`, "utf8").trim().split(" ").map(
      Number
    )
    for (const child of children) if (child !== server.workerd) process.kill(child, "SIGKILL")
    await server.end("SIGKILL")
    assert.strictEqual(children.length, 2)
    assert.isTrue(Served.isRunning(server.workerd))
    assert.deepStrictEqual(await refusal({ data }), {
      code: 1,
      error:
        `The folder ${data} is still in use, and what uses it does not answer. It may be the workerd of a server that was killed, process ${server.workerd}: end it, or give another folder: --data DIR.`
    })
    process.kill(server.workerd, "SIGKILL")
    const again = await Served.launch({ data })
    assert.strictEqual(await again.end("SIGTERM"), 0)
    assert.deepStrictEqual(readdirSync(data).filter((name) => /lock|pid/.test(name)), [])
  })

  it("takes every setting from the environment, and names one that it cannot read", async () => {
    assert.deepStrictEqual(
      names("src/serve/workerd.capnp", /fromEnvironment = "(\w+)"/g),
      names("src/services/Settings.ts", /"([A-Z][A-Z0-9_]+)"/g).filter((name) => name !== "LOCAL")
    )
    const data = await folder()
    assert.match(
      (await refusal({ data, env: { MAX_ATTEMPTS: "many" } })).error,
      /A setting cannot be read.*MAX_ATTEMPTS/
    )
    const short = await refusal({ data, env: { API_SECRET_KEY: "short" } })
    assert.match(short.error, /API_SECRET_KEY is too short/)
    assert.strictEqual(
      (await refusal({ data, env: { API_SECRET_KEY: "" } })).error,
      "API_SECRET_KEY is set but empty. Remove it, and the server makes a key of its own, or set a secret of at least 16 characters."
    )
    const file = join(data, "file")
    await writeFile(file, "")
    for (const path of [file, join(file, "below")]) {
      assert.match(
        (await refusal({ data: path })).error,
        /cannot be used for the data: .*a file is in its path\. Give another one: --data DIR\.$/
      )
    }
  })

  it("has the compatibility date of wrangler.objects.toml", () => {
    assert.strictEqual(
      date("src/serve/workerd.capnp", /compatibilityDate = "(.*?)"/),
      date("wrangler.objects.toml", /compatibility_date = "(.*?)"/)
    )
  })

  it("has no link in its page that leaves the prefix of a proxy", () => {
    const files = readdirSync(join(root, "src/app"), { recursive: true, encoding: "utf8" })
    const links = files.filter((file) => file.endsWith(".tsx"))
      .flatMap((file) => names(`src/app/${file}`, /href="(\/[^"]*)"/g))
    assert.isAbove(files.length, 10)
    assert.deepStrictEqual(links, [])
  })

  it("shows the page, also behind the prefix of a proxy", async () => {
    const data = await folder()
    const server = await Served.launch({ data })
    const proxy = createServer((incoming, answer) => {
      const path = incoming.url!.replace(/^\/octo/, "")
      incoming.pipe(
        request(new URL(path, server.base), { method: incoming.method, headers: incoming.headers }, (got) => {
          answer.writeHead(got.statusCode!, got.headers)
          got.pipe(answer)
        })
      )
    })
    await new Promise<void>((done) => proxy.listen(0, "127.0.0.1", done))
    try {
      const site = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}/octo/`
      const page = await fetch(site, { headers: { accept: "text/html" } })
      assert.strictEqual(page.url, `${site}app/`)
      assert.match(page.headers.get("content-security-policy") ?? "", /default-src 'none'/)
      const html = await page.text()
      const linked = Array.from(html.matchAll(/(?:src|href)="([^"]+)"/g), ([, to]) => new URL(to!, page.url))
      assert.isAtLeast(linked.length, 3)
      for (const url of linked) {
        const answer = await fetch(url)
        assert.strictEqual(answer.status, 200, url.href)
        await answer.arrayBuffer()
      }
      const script = linked.find(({ pathname }) => pathname.endsWith(".js"))!
      const { headers } = await fetch(script)
      assert.match(headers.get("cache-control") ?? "", /immutable/)
      assert.strictEqual((await fetch(script, { headers: { "if-none-match": headers.get("etag")! } })).status, 304)
      const docs = await fetch(`${site}docs/`)
      assert.strictEqual(docs.url, `${site}docs`)
      const document = /href="(openapi.json)"/.exec(await docs.text())![1]!
      assert.strictEqual((await fetch(new URL(document, docs.url))).status, 200)
      assert.strictEqual((await fetch(`${site}app/none`)).status, 404)
      const key = (await readFile(join(data, "admin.key"), "utf8")).trim()
      const made = await Effect.runPromise(
        Effect.flatMap(client.make({ baseUrl: site, token: key }), (api) =>
          api.tasks.create({
            payload: { id: client.TaskId.make("t1"), file_path: "t1.md", branch: "main" },
            query: {}
          })).pipe(Effect.provide(FetchHttpClient.layer))
      )
      assert.strictEqual(made.id, "t1")
    } finally {
      proxy.close()
      proxy.closeAllConnections()
      await server.end("SIGTERM")
    }
  })
})
