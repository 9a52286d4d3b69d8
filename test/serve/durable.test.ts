/** What `octopoid-server serve` has on disk before it answers, and what is left when the disk loses the end of a file. */
import { afterAll, assert, describe, it } from "@effect/vitest"
import { spawn, spawnSync } from "node:child_process"
import { readdirSync, statSync, truncateSync } from "node:fs"
import { mkdtemp, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import * as Crash from "../crash/Crash.ts"
import * as Served from "../support/Served.ts"
import { connect } from "../support/Wire.ts"

const folders: Array<string> = []
const folder = async () => {
  const made = await mkdtemp(join(tmpdir(), "octopoid-durable-"))
  folders.push(made)
  return made
}
afterAll(() => Promise.all(folders.map((one) => rm(one, { recursive: true, force: true, maxRetries: 5 }))))

const secret = "a-secret-of-sixteen-and-more"
const serve = (data: string) => Served.launch({ data, env: { API_SECRET_KEY: secret } })
const wireOf = ({ base }: Served.Served) => connect(base, { authorization: `Bearer ${secret}` })
const create = (id: string) => ({
  method: "POST",
  path: "/api/v1/tasks",
  body: { id, scope: "durable", file_path: `${id}.md`, branch: "main" }
})

const hasStrace = process.platform === "linux" && spawnSync("strace", ["-V"]).status === 0

describe("octopoid-server serve", () => {
  it.skipIf(!hasStrace)("has the write-ahead log on disk before it answers a create", async () => {
    const data = await folder()
    const server = await serve(data)
    const wire = wireOf(server)
    assert.strictEqual((await wire.send(create("warm"))).status, 201)
    const trace = join(data, "trace")
    const calls = "trace=fsync,fdatasync,pwrite64,write,writev,sendmsg,sendto"
    const strace = spawn("strace", ["-f", "-y", "-o", trace, "-e", calls, "-p", String(server.workerd)], {
      stdio: ["ignore", "ignore", "pipe"]
    })
    await new Promise((done) => strace.stderr.once("data", done))
    for (const id of ["a", "b", "c"]) assert.strictEqual((await wire.send(create(id))).status, 201)
    const ended = new Promise((done) => strace.once("close", done))
    strace.kill("SIGINT")
    await ended
    wire.close()
    await server.end("SIGTERM")
    let [unsynced, answers] = [false, 0]
    for (const line of (await readFile(trace, "utf8")).split("\n")) {
      const [, call, file = ""] = /^\d+\s+(\w+)\(\d+<([^>]*)>/.exec(line) ?? []
      if (call === "pwrite64" && file.endsWith(".sqlite-wal") && file.includes("/scopes/")) unsynced = true
      if (/^f(data)?sync$/.test(call ?? "") && file.endsWith(".sqlite-wal") && line.endsWith(" = 0")) unsynced = false
      if (line.includes("HTTP/1.1 201")) {
        assert.isFalse(unsynced, `An answer before the log was on disk: ${line}`)
        answers += 1
      }
    }
    assert.strictEqual(answers, 3)
  })

  it("keeps what was committed before the cut, if a file of the log was cut short", async () => {
    const data = await folder()
    const server = await serve(data)
    const wire = wireOf(server)
    const ids = Array.from({ length: 40 }, (_, i) => `t${String(i).padStart(2, "0")}`)
    for (const id of ids) assert.strictEqual((await wire.send(create(id))).status, 201)
    await server.kill()
    wire.close()
    const scopes = join(data, "objects", "scopes")
    const log = readdirSync(scopes).filter((name) => /^[0-9a-f]{64}\.sqlite-wal$/.test(name))
      .map((name) => join(scopes, name)).sort((a, b) => statSync(b).size - statSync(a).size)[0]!
    // In the middle of a page.
    truncateSync(log, Math.floor(statSync(log).size * 0.9) - 7)

    const again = await serve(data)
    const more = wireOf(again)
    const { body, status } = await more.send({ method: "GET", path: "/api/v1/tasks?scope=durable&limit=100" })
    assert.strictEqual(status, 200)
    const left: ReadonlyArray<string> = body.tasks.map(({ id }: { readonly id: string }) => id).sort()
    assert.isBelow(left.length, ids.length)
    assert.isAbove(left.length, 0)
    assert.deepStrictEqual(left, ids.slice(0, left.length))
    assert.strictEqual((await more.send(create("after"))).status, 201)
    assert.strictEqual(
      (await more.send({ method: "GET", path: "/api/v1/tasks?scope=durable&limit=100" })).body.total,
      left.length + 1
    )
    more.close()
    await again.end("SIGTERM")
  })

  it("goes on with what it has to do by itself after a start, without a request", async () => {
    const data = await folder()
    const server = await serve(data)
    const wire = wireOf(server)
    const register = { cluster: "c", machine_id: "m", scope: "durable" }
    await wire.send({ method: "POST", path: "/api/v1/orchestrators/register", body: register })
    await wire.send(create("held"))
    const claimed = await wire.send({
      method: "POST",
      path: "/api/v1/tasks/claim",
      body: { scope: "durable", orchestrator_id: "c-m", agent_name: "ann", lease_duration_seconds: 1 }
    })
    assert.strictEqual(claimed.status, 200)
    await server.kill()
    wire.close()
    await sleep(1000)
    const again = await serve(data)
    const more = wireOf(again)
    // The history says when the lease was taken back; the first reading may itself be the first request for the scope.
    await sleep(2000)
    const asked = Date.now()
    const { body } = await more.send({ method: "GET", path: "/api/v1/tasks/held/history?scope=durable" })
    const expired = body.history.find(({ event }: { readonly event: string }) => event === "lease_expired")
    assert.isBelow(Date.parse(expired?.at ?? ""), asked - 500)
    more.close()
    await again.end("SIGTERM")
  })

  it("loses nothing that was acknowledged when it is killed under load", async () => {
    const report = await Crash.run({ engine: "serve", kills: 2, seed: 1 })
    assert.deepStrictEqual([report.lost, report.violations], [[], []])
    assert.isAbove(report.acknowledged, 0)
    assert.isAbove(report.interrupted, 0)
  })
})
