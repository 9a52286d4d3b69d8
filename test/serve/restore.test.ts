/** A running scope moves from D1 into `octopoid-server serve` and on, by the commands that docs/self-host.md names. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type Line, write } from "../../src/cli/transfer/Dump.ts"
import { pages } from "../../src/cli/transfer/pages.ts"
import { plainNode, run } from "../support/command.ts"
import * as Served from "../support/Served.ts"
import * as D1Server from "../support/server.ts"

const secret = "a-secret-of-sixteen-and-more"
const claim = { scope: "red", orchestrator_id: "k-m", agent_name: "ann" }

it("serve takes an export with its leases and keys, keeps it when it is killed, and gives it back", () =>
  Effect.gen(function*() {
    const admin = { authorization: `Bearer ${secret}` }
    const { fetch: source, send } = yield* D1Server.make({ API_SECRET_KEY: secret })
    const post = (path: string, body: object) =>
      Effect.map(send("POST", `/api/v1/${path}`, { scope: "red", ...body }, admin), (answer) => {
        assert.isBelow(answer.status, 300, JSON.stringify(answer.body))
        return answer.body
      })
    yield* post("orchestrators/register", { cluster: "k", machine_id: "m" })
    yield* post("projects", { id: "p", title: "it's; a project", branch: "b" })
    // More than one piece, and a text of the greatest length.
    const content = `"\\ \n\r ß 漢 🐙`.repeat(20_000)
    for (const id of ["a", "b", "c", "d"]) {
      yield* post("tasks", { id, file_path: `${id}.md`, project_id: "p", content, priority: id === "a" ? "P0" : "P2" })
    }
    yield* post("tasks", { id: "e", file_path: "e.md", branch: "b", blocked_by: "a" })
    yield* post("drafts", { title: "an idea", author: "ann" })
    yield* post("messages", { task_id: "a", from_actor: "ann", type: "comment", content })
    const held = yield* post("tasks/claim", claim)
    const { api_key: key } = yield* post("scopes/red/keys", { name: "laptop" })
    yield* Effect.promise(async () => {
      const lines = await Array.fromAsync(
        write("2026-01-01T00:00:00.000Z", pages({ url: "http://s", key: secret, fetch: source }))
      )
      const folder = await mkdtemp(join(tmpdir(), "octopoid-restore-"))
      const [file, data] = [join(folder, "backup.jsonl"), join(folder, "data")]
      try {
        await writeFile(file, `${lines.join("\n")}\n`)
        let server = await Served.launch({ data })
        const command = async (key: string, ...args: ReadonlyArray<string>) => {
          const { code, stderr, stdout } = await run([...args, "--json"], {
            node: plainNode,
            env: { OCTOPOID_URL: server.base.origin, OCTOPOID_API_KEY: key }
          })
          return { code, said: stdout === "" ? undefined : JSON.parse(stdout), stderr }
        }
        const own = server.said.key!
        const refused = await command("", "restore", "--file", file)
        assert.deepStrictEqual([refused.code, /401/.test(refused.stderr)], [1, true])
        const done = await command(own, "restore", "--file", file)
        assert.strictEqual(done.code, 0, done.stderr)
        const { counts } = JSON.parse(lines.at(-1)!)
        assert.deepStrictEqual(done.said.scopes, [{ scope: "red", counts, before: false }])
        await server.kill()
        server = await Served.launch({ data })
        const again = await command(own, "restore", "--file", file)
        assert.deepStrictEqual([again.code, again.said.scopes[0].before], [0, true])

        const ask = async (token: string, method: string, path: string, body?: object) => {
          const answer = await fetch(new URL(`/api/v1/${path}`, server.base), {
            method,
            headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
            ...(body === undefined ? {} : { body: JSON.stringify(body) })
          })
          return { status: answer.status, body: await answer.json() as any }
        }
        const whole = join(folder, "again.jsonl")
        const exported = await command(own, "export", "--all-scopes", "--out", whole)
        assert.strictEqual(exported.code, 0, exported.stderr)
        const texts = (await readFile(whole, "utf8")).trim().split("\n")
        assert.deepStrictEqual(texts.slice(1), lines.slice(1))

        const renewed = await ask(key, "POST", "tasks/a/renew", { fencing_token: held.fencing_token })
        assert.strictEqual(renewed.status, 200)
        const next = await ask(key, "POST", "tasks/claim", claim)
        assert.strictEqual(next.status, 200)
        // Above every token that the source can have granted meanwhile.
        assert.isAbove(next.body.fencing_token, Date.UTC(2020, 0))
        const result = { fencing_token: held.fencing_token, commits_count: 1, turns_used: 1 }
        assert.strictEqual((await ask(key, "POST", "tasks/a/submit", result)).status, 200)
        assert.strictEqual((await ask(own, "POST", "tasks/a/accept", { accepted_by: "me" })).status, 200)
        assert.isNull((await ask(own, "GET", "tasks/e")).body.blocked_by)

        // workerd would store a row of twice this length.
        const { kind, record } = JSON.parse(lines.find((line) => line.includes("\"kind\":\"messages\""))!)
        const long = (length: number) => {
          const line = JSON.stringify({ kind, record: { ...record, scope: "long", content: "x".repeat(length) } })
          const header = JSON.stringify({ ...JSON.parse(lines[0]!), scope: "long" })
          return writeFile(file, [header, line, JSON.stringify({ end: true, counts: { messages: 1 } })].join("\n"))
        }
        await long(2_000_000)
        const large = await command(own, "restore", "--file", file)
        assert.deepStrictEqual(
          [large.code, /413: Nothing was written: a record is longer than the 2000000 bytes/.test(large.stderr)],
          [1, true]
        )
        assert.deepStrictEqual((await ask(own, "GET", "messages?scope=long")).body.messages, [])
        await long(1_990_000)
        assert.strictEqual((await command(own, "restore", "--file", file)).code, 0)

        // A task of nearly that length, as an older server may have left it, may become no longer than that.
        const records = lines.slice(1, -1).map((line) => JSON.parse(line) as Line)
        const moved = records.filter(({ kind, record }) =>
          (kind === "tasks" && record["id"] === "d") || (kind === "history" && record["task_id"] === "d")
        ).map(({ kind, record }) => {
          const own = kind === "tasks" ? { content: "x".repeat(1_998_000) } : {}
          return JSON.stringify({ kind, record: { ...record, scope: "wide", ...own } })
        })
        const header = JSON.stringify({ ...JSON.parse(lines[0]!), scope: "wide" })
        const end = JSON.stringify({ end: true, counts: { tasks: 1, history: moved.length - 1 } })
        await writeFile(file, [header, ...moved, end].join("\n"))
        const wide = await command(own, "restore", "--file", file)
        assert.strictEqual(wide.code, 0, wide.stderr)
        const before = await ask(own, "GET", "tasks/d?scope=wide")
        assert.strictEqual(before.body.content?.length, 1_998_000)
        const names = Array.from({ length: 15 }, (_, n) => `${n}-${"x".repeat(190)}`)
        for (
          const [method, path, body] of [
            ["PATCH", "tasks/d", { title: "t".repeat(4000) }],
            ["PUT", "tasks/d/dependencies", { depends_on: names }]
          ] as const
        ) {
          const { body: said, status } = await ask(own, method, `${path}?scope=wide`, { scope: "wide", ...body })
          assert.deepStrictEqual([status, said._tag, said.field], [413, "TooLarge", "record"], `${method} ${path}`)
        }
        assert.deepStrictEqual(await ask(own, "GET", "tasks/d?scope=wide"), before)
        assert.strictEqual((await ask(own, "PATCH", "tasks/d?scope=wide", { title: "t".repeat(100) })).status, 200)

        await writeFile(file, `${lines.slice(0, -1).join("\n")}\n`)
        const short = await command(own, "restore", "--file", file)
        assert.deepStrictEqual([short.code, /cut short/.test(short.stderr)], [1, true])
        await server.end("SIGTERM")
      } finally {
        await rm(folder, { recursive: true, force: true, maxRetries: 5 })
      }
    })
  }).pipe(Effect.scoped, Effect.runPromise))
