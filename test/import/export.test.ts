/** An imported export equals the original, and work continues from there. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { integrity } from "../../scripts/data/doctor/Integrity.ts"
import { merge } from "../../scripts/data/dump/scopes.ts"
import { statements } from "../../scripts/data/dump/statements.ts"
import { read } from "../../src/cli/transfer/check.ts"
import { write } from "../../src/cli/transfer/Dump.ts"
import type { Header, Line, Page } from "../../src/cli/transfer/Dump.ts"
import { pages } from "../../src/cli/transfer/pages.ts"
import * as Objects from "../objects/Objects.ts"
import * as Faulty from "../support/Faulty.ts"
import { migrated, servicesWith } from "../support/layers.ts"
import { begin, Command, config, run, Start } from "../support/model.ts"
import { runs } from "../support/runs.ts"
import * as Server from "../support/server.ts"

const url = "http://server"

/** The lines of an export in pages of so many rows, with something done before each. */
const exported = (
  fetch: typeof globalThis.fetch,
  { before = () => Promise.resolve(), ...source }: {
    readonly key?: string
    readonly scope?: string
    readonly limit?: number
    readonly before?: () => Promise<unknown>
  } = {}
) =>
  Effect.promise(async () => {
    const page = pages({ url, key: "", fetch, ...source })
    const next = async (cursor: string | undefined): Promise<Page> => {
      await before()
      return page(cursor)
    }
    return Array.fromAsync(write("2026-01-01T00:00:00.000Z", next))
  })

const linesOf = async function*(texts: ReadonlyArray<string>) {
  yield* texts
}

/** A new database with the content of the export. */
const imported = (
  texts: ReadonlyArray<string>,
  into = migrated(),
  { lastDraft, now = 0 }: { readonly lastDraft?: number; readonly now?: number } = {}
) =>
  Effect.promise(async () => {
    const records = async function*(): AsyncGenerator<Line> {
      for await (const { line } of read(linesOf(texts))) if (line !== undefined) yield line
    }
    const header: Header = JSON.parse(texts[0]!)
    const merged = await merge(records(), lastDraft)
    into.raw.exec("BEGIN")
    try {
      for await (const statement of statements(header, records, now, merged)) {
        assert.isAtMost(Buffer.byteLength(statement), 100_000)
        into.raw.exec(statement)
      }
      into.raw.exec("COMMIT")
    } catch (error) {
      into.raw.exec("ROLLBACK")
      throw error
    }
    return into
  })

const holds = ({ raw }: Pick<ReturnType<typeof migrated>, "raw">) => {
  for (const { name, sql } of integrity) assert.deepStrictEqual(raw.prepare(sql).all(), [], name)
}

const counters = ({ raw }: ReturnType<typeof migrated>) =>
  raw.prepare("SELECT scope, key, value FROM queue_counts, json_each(counts) WHERE value > 0 ORDER BY 1, 2").all()

const refusal = (texts: ReadonlyArray<string>) =>
  Effect.promise(() => Array.fromAsync(read(linesOf(texts))).then(() => "whole", (error: Error) => error.message))

const newTask = (id: string, rest: object = {}) =>
  ["/api/v1/tasks", { id, file_path: id, branch: "b", ...rest }] as const

describe("an export", () => {
  it.effect.prop(
    "is imported without changes, after any history, and exported again is the same",
    { start: Start, limit: Schema.Literals([1, 7, 200]), commands: Schema.Array(Command) },
    ({ commands, limit, start }) =>
      Effect.gen(function*() {
        const original = migrated()
        const { faults } = Faulty.make()
        yield* run([...begin(start), ...commands], { backoff: undefined, keyed: true, faults }).pipe(
          Effect.provide(servicesWith(config, () => original.db), { local: true })
        )
        const { fetch } = yield* Server.make({}, () => original.db)
        const lines = yield* exported(fetch, { limit })
        const copy = yield* imported(lines)
        holds(copy)
        assert.deepStrictEqual(counters(copy), counters(original))
        const again = yield* Server.make({}, () => copy.db)
        assert.deepStrictEqual(yield* exported(again.fetch, { limit }), lines)
        for (const scope of ["red", "blue"]) {
          const own = yield* exported(fetch, { scope, limit })
          const alone = yield* imported(own)
          holds(alone)
          const { fetch: ask } = yield* Server.make({}, () => alone.db)
          assert.deepStrictEqual(yield* exported(ask, { scope, limit }), own)
          for (const text of own.slice(1, -1)) {
            assert.strictEqual(JSON.parse(text).record.scope, scope, "another's record")
          }
          // The same in Durable Objects.
          const home = Objects.make()
          yield* Effect.promise(() => Objects.restore(home, own))
          holds({ raw: home.raw(scope) })
          assert.deepStrictEqual(yield* exported(home.fetch, { scope, limit }), own)
        }
      }),
    { timeout: 900_000, arbitrary: { runs: runs(10, 4), size: 80 } }
  )

  it.effect("holds every table, and text of every kind and length", () =>
    Effect.gen(function*() {
      const original = migrated()
      const { fetch, send } = yield* Server.make({ API_SECRET_KEY: "s".repeat(20) }, () => original.db)
      const admin = { authorization: `Bearer ${"s".repeat(20)}` }
      const post = (path: string, body: object, headers: object = {}) =>
        Effect.map(send("POST", `/api/v1/${path}`, body, { ...admin, ...headers }), (answer) => {
          assert.isBelow(answer.status, 300, JSON.stringify(answer.body))
          return answer.body
        })
      const content = `'; DROP TABLE tasks; -- /* "\\ \n\r\u2028 ß 漢 🐙`.repeat(9000)
      const scope = "red"
      yield* post("orchestrators/register", { scope, cluster: "k", machine_id: "m" })
      const flow = { scope, states: ["incoming", "claimed", "done"], transitions: [] }
      assert.strictEqual((yield* send("PUT", "/api/v1/flows/f", flow, admin)).status, 200)
      yield* post("roles/register", {
        scope,
        orchestrator_id: "k-m",
        roles: [{ name: "build", claims_from: "incoming" }]
      })
      yield* post("projects", {
        scope,
        id: "p",
        title: "it's; a project",
        branch: "b",
        description: "d".repeat(100_000)
      })
      yield* post("tasks", {
        scope,
        id: "t",
        file_path: "t'.md",
        project_id: "p",
        content,
        metadata: { content: content.slice(0, 80_000) }
      }, {
        "idempotency-key": "one"
      })
      yield* post("tasks", { scope, id: "u", file_path: "u.md", branch: "b", blocked_by: "t" })
      yield* post("drafts", { scope, title: "draft", author: "ann" })
      yield* post("messages", { scope, task_id: "t", from_actor: "ann", type: "comment", content })
      yield* post("actions", {
        scope,
        entity_type: "task",
        entity_id: "t",
        action_type: "archive",
        label: "Archive",
        proposed_by: "ann"
      })
      yield* post("tasks/u/fail", { reason: "no", usage: { model: "it's", cost_usd: 0.1, input_tokens: 3 } })
      assert.strictEqual((yield* send("PUT", "/api/v1/usage/caps", { scope, max_tokens: 5 }, admin)).status, 200)
      const { api_key: key } = yield* post("scopes/red/keys", { name: "laptop" })
      const lines = yield* exported(fetch, { key: "s".repeat(20) })
      // Webhooks are not exported: their receivers would get the same events from two servers. Parked accounts are soon free, the
      // counters of the metrics belong to one server, and a breaker is about the failures of one server.
      const tables = original.raw.prepare(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB 'sqlite_*' AND name NOT IN ('sweeps', 'queue_counts', 'fencing_floor', 'schema_version', 'webhooks', 'webhook_deliveries', 'parked_accounts', 'd1_costs', 'breakers')"
      ).all().map(({ name }) => String(name))
      assert.deepStrictEqual(Object.keys(JSON.parse(lines.at(-1)!).counts).toSorted(), tables.toSorted())
      const copy = yield* imported(lines)
      holds(copy)
      const server = yield* Server.make({ API_SECRET_KEY: "s".repeat(20) }, () => copy.db)
      assert.deepStrictEqual(yield* exported(server.fetch, { key: "s".repeat(20) }), lines)
      const own = yield* exported(server.fetch, { key })
      assert.strictEqual(JSON.parse(own[0]!).scope, "red", "a key exports its scope")
      assert.notMatch(own.join(), /"kind":"(api_keys|idempotency_keys)"/)
      const bearer = { authorization: `Bearer ${key}` }
      const task = yield* server.send("GET", "/api/v1/tasks/t", undefined, bearer)
      assert.strictEqual(task.body.content, content, "the key goes on working, and the content is whole")
    }))

  it.effect("of a history of several pages is one file, with the task as it was when it was read", () =>
    Effect.gen(function*() {
      const original = migrated()
      const { fetch, send } = yield* Server.make({}, () => original.db)
      yield* send("POST", ...newTask("t", { hooks: [{ name: "h" }] }))
      yield* send("POST", ...newTask("u"))
      const complete = () =>
        fetch(`${url}/api/v1/tasks/t/hooks/h/complete`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ status: "passed", evidence: "x".repeat(130_000) })
        })
      for (let n = 0; n < 40; n++) yield* Effect.promise(complete)
      const quiet = yield* exported(fetch)
      const copy = yield* imported(quiet)
      holds(copy)
      const again = yield* Server.make({}, () => copy.db)
      assert.deepStrictEqual(yield* exported(again.fetch), quiet)
      const busy = yield* imported(yield* exported(fetch, { before: complete }))
      holds(busy)
      const count =
        "SELECT version, (SELECT count(*) FROM history WHERE task_id = 't') AS entries FROM tasks WHERE id = 't'"
      const row = { ...busy.raw.prepare(count).get() }
      assert.strictEqual(row.entries, row.version)
    }))

  it.effect("can be worked on: no token and no version is used twice", () =>
    Effect.gen(function*() {
      const original = migrated()
      const { fetch, send } = yield* Server.make({}, () => original.db)
      const claim = { orchestrator_id: "k-m", agent_name: "ann" }
      yield* send("POST", "/api/v1/orchestrators/register", { cluster: "k", machine_id: "m" })
      yield* send("POST", "/api/v1/tasks", { id: "a", file_path: "a", branch: "b" })
      yield* send("POST", "/api/v1/tasks/claim", claim)
      yield* send("DELETE", "/api/v1/tasks/a")
      yield* send("POST", "/api/v1/tasks", { id: "b", file_path: "b", branch: "b" })
      const held = yield* send("POST", "/api/v1/tasks/claim", claim)
      const copy = yield* imported(yield* exported(fetch))
      const server = yield* Server.make({}, () => copy.db)
      const renewed = yield* server.send("POST", "/api/v1/tasks/b/renew", { fencing_token: held.body.fencing_token })
      assert.strictEqual(renewed.status, 200, "the holder still holds it")
      yield* server.send("POST", "/api/v1/tasks/b/requeue", {})
      yield* server.send("POST", "/api/v1/tasks", { id: "a", file_path: "a", branch: "b", priority: "P0" })
      const [again, other] = [
        yield* server.send("POST", "/api/v1/tasks/claim", claim),
        yield* server.send("POST", "/api/v1/tasks/claim", claim)
      ]
      assert.deepStrictEqual([again.body.id, again.body.version, again.body.fencing_token], ["a", 5, 2])
      assert.deepStrictEqual([other.body.id, other.body.fencing_token], ["b", 2])
      holds(copy)
    }))

  it.effect("grants no token that may have been granted after the export", () =>
    Effect.gen(function*() {
      const original = migrated()
      const { fetch, send } = yield* Server.make({}, () => original.db)
      const claim = { orchestrator_id: "k-m", agent_name: "ann" }
      yield* send("POST", "/api/v1/orchestrators/register", { cluster: "k", machine_id: "m" })
      for (const id of ["deleted", "held", "waiting", "patched"]) yield* send("POST", ...newTask(id))
      yield* send("DELETE", "/api/v1/tasks/deleted")
      const held = yield* send("POST", "/api/v1/tasks/claim", claim)
      assert.strictEqual(held.body.id, "held")
      const now = 1_000_000
      const copy = yield* imported(yield* exported(fetch), migrated(), { now })
      const server = yield* Server.make({}, () => copy.db)
      const renewed = yield* server.send("POST", "/api/v1/tasks/held/renew", { fencing_token: held.body.fencing_token })
      assert.strictEqual(renewed.status, 200, "the holder still holds it")
      yield* server.send("POST", "/api/v1/tasks/held/requeue", {})
      yield* server.send("POST", ...newTask("deleted"))
      yield* server.send("POST", ...newTask("never known"))
      const answers = [
        yield* server.send("PATCH", "/api/v1/tasks/patched", { queue: "claimed", claimed_by: "bob" }),
        yield* server.send("POST", ...newTask("put", { queue: "claimed" })),
        ...yield* Effect.all(Array.from({ length: 4 }, () => server.send("POST", "/api/v1/tasks/claim", claim)))
      ]
      assert.sameMembers(answers.map(({ body }) => body.id), [
        "patched",
        "put",
        "held",
        "waiting",
        "deleted",
        "never known"
      ])
      for (const { body } of answers) assert.strictEqual(body.fencing_token, now + 1, body.id)
      yield* server.send("POST", "/api/v1/tasks/held/requeue", {})
      const again = yield* server.send("POST", "/api/v1/tasks/claim", claim)
      assert.deepStrictEqual([again.body.id, again.body.fencing_token], ["held", now + 2])
      holds(copy)
    }))

  it.effect("of a scope shows nothing of other scopes, wherever a page ends", () =>
    Effect.gen(function*() {
      const { fetch, send } = yield* Server.make({ API_SECRET_KEY: "s".repeat(20) })
      const admin = { authorization: `Bearer ${"s".repeat(20)}` }
      for (const n of [1, 2, 3]) {
        for (const scope of ["blue", "red"]) {
          const made = { scope, branch: "b", title: scope, author: scope }
          for (const id of [`${n}-${scope}`, `${n}-${scope}-deleted`]) {
            yield* send("POST", "/api/v1/tasks", { ...made, id, file_path: id }, admin)
          }
          yield* send("DELETE", `/api/v1/tasks/${n}-${scope}-deleted`, undefined, admin)
          yield* send("POST", "/api/v1/projects", { ...made, id: `p${n}-${scope}` }, admin)
          yield* send("POST", "/api/v1/drafts", made, admin)
        }
      }
      const { body: { api_key: key } } = yield* send("POST", "/api/v1/scopes/red/keys", { name: "laptop" }, admin)
      for (const limit of [1, 2, 500]) {
        const bodies: Array<string> = []
        const spy: typeof globalThis.fetch = async (...args) => {
          const answer = await fetch(...args)
          bodies.push(await answer.clone().text())
          return answer
        }
        const lines = yield* exported(spy, { key, limit })
        assert.notInclude(bodies.join(), "blue")
        assert.deepInclude(JSON.parse(lines.at(-1)!).counts, { tasks: 3, history: 9, projects: 3, drafts: 3 })
      }
    }))

  it.effect("of a scope can be added to other scopes, with new numbers for its drafts", () =>
    Effect.gen(function*() {
      const [from, to] = [migrated(), migrated()]
      const [red, blue] = [yield* Server.make({}, () => from.db), yield* Server.make({}, () => to.db)]
      for (const [{ send }, scope, drafts] of [[red, "red", 2], [blue, "blue", 3]] as const) {
        yield* send("POST", "/api/v1/tasks", { scope, id: `${scope}-1`, file_path: "f", branch: "b" })
        yield* send("POST", "/api/v1/projects", { scope, id: scope, title: "t", branch: "b" })
        for (let n = 0; n < drafts; n++) yield* send("POST", "/api/v1/drafts", { scope, title: "t", author: "a" })
        for (const task_id of ["1", "2", `${scope}-1`, "77"]) {
          yield* send("POST", "/api/v1/messages", { scope, task_id, from_actor: "a", type: "comment", content: "c" })
        }
        yield* send("POST", "/api/v1/tasks", { scope, id: scope === "red" ? "2" : "3", file_path: "g", branch: "b" })
        const about = { scope, entity_id: "1", action_type: "x", label: "l", proposed_by: "a" }
        for (const entity_type of ["draft", "task"]) yield* send("POST", "/api/v1/actions", { ...about, entity_type })
      }
      const all = (text: string) => to.raw.prepare(text).all().map((row) => Object.values(row).join(" "))
      const before = all("SELECT * FROM queue_counts")
      const lines = yield* exported(red.fetch, { scope: "red" })
      const plain = yield* imported(lines, to).pipe(Effect.sandbox, Effect.flip)
      assert.match(String(plain), /UNIQUE constraint failed: drafts.id/)
      assert.deepStrictEqual(all("SELECT * FROM queue_counts"), before)
      yield* imported(lines, to, { lastDraft: 3 })
      holds(to)
      assert.deepStrictEqual(all("SELECT id, scope FROM drafts ORDER BY id"), [
        "1 blue",
        "2 blue",
        "3 blue",
        "4 red",
        "5 red"
      ])
      // The message about 2 is about the task of this name.
      assert.deepStrictEqual(all("SELECT task_id FROM messages WHERE scope = 'red' ORDER BY seq"), [
        "4",
        "2",
        "red-1",
        "77"
      ])
      assert.deepStrictEqual(all("SELECT task_id FROM messages WHERE scope = 'blue' ORDER BY seq"), [
        "1",
        "2",
        "blue-1",
        "77"
      ])
      assert.deepStrictEqual(all("SELECT entity_type, entity_id FROM actions WHERE scope = 'red'"), [
        "draft 4",
        "task 1"
      ])
      assert.deepStrictEqual(JSON.parse(all("SELECT counts FROM queue_counts WHERE scope = 'blue'")[0]!), {
        incoming: 2
      })
    }))

  it.effect("of a scope is refused as a whole if it has a record of another scope or of the server", () =>
    Effect.gen(function*() {
      const original = migrated()
      const { fetch, send } = yield* Server.make({}, () => original.db)
      for (const [scope, id] of [["guest", "a"], ["guest", "b"], ["red", "theirs"]] as const) {
        yield* send("POST", "/api/v1/tasks", {
          scope,
          id,
          file_path: id,
          branch: "b",
          blocked_by: id === "b" ? "a" : ""
        })
        yield* send("POST", "/api/v1/projects", { scope, id: `p-${id}`, title: "t", branch: "b" })
        yield* send("POST", "/api/v1/drafts", { scope, title: "t", author: "a" })
        yield* send("POST", "/api/v1/orchestrators/register", { scope, cluster: "k", machine_id: id })
        yield* send("POST", "/api/v1/scopes/red/keys", { name: id }, { "idempotency-key": id })
      }
      const lines = yield* exported(fetch, { scope: "guest" })
      const [header, ...rest] = lines.map((text) => JSON.parse(text))
      const records: ReadonlyArray<Line> = rest.slice(0, -1)
      const counted = (all: ReadonlyArray<Line>) => {
        const counts: Record<string, number> = {}
        for (const { kind } of all) counts[kind] = (counts[kind] ?? 0) + 1
        return [header, ...all, { end: true, counts }].map((line) => JSON.stringify(line))
      }
      assert.strictEqual(yield* refusal(counted(records)), "whole")
      const refusedAt = Effect.fnUntraced(function*(all: ReadonlyArray<Line>, at: number, because: string) {
        const why = yield* refusal(counted(all))
        assert.match(why, new RegExp(`^Line ${at + 2} .*${because}`))
      })
      // Each record in turn, as one of another scope, of no scope, and of an invalid scope.
      for (const [at, { kind, record }] of records.entries()) {
        const { scope: _, ...bare } = record
        for (const changed of [{ ...record, scope: "red" }, { ...record, scope: 7 }, { ...record, scope: "" }, bare]) {
          const because = changed.scope === "red" ? "scope red.*scope guest" : "names no scope"
          yield* refusedAt(records.with(at, { kind, record: changed }), at, because)
        }
      }
      // Records that a file of a scope cannot have, even with the right scope.
      const whole = yield* exported(fetch)
      const key = original.raw.prepare("SELECT * FROM api_keys").get()!
      const once = original.raw.prepare("SELECT * FROM idempotency_keys").get()!
      for (const [kind, record] of [["api_keys", key], ["idempotency_keys", once]] as const) {
        for (const scope of ["guest", "red"]) {
          const line: Line = { kind, record: { ...record, scope } }
          yield* refusedAt([...records, line], records.length, "only an export of the whole server")
        }
      }
      for (const kind of ["sweeps", "queue_counts", "fencing_floor", "d1_migrations", "toString", "__proto__"]) {
        yield* refusedAt([{ kind, record: { scope: "guest" } }, ...records], 0, "no export has")
      }
      // What a task of another scope waits for.
      const edge = records.find(({ kind }) => kind === "dependencies")!
      const astray = { kind: "dependencies", record: { ...edge.record, task_id: "theirs" } }
      yield* refusedAt([...records, astray], records.length, "the task theirs waits for")
      yield* refusedAt([astray, ...records], 0, "the task theirs waits for")
      // A record that no statement can be made of.
      yield* refusedAt(
        [...records, { kind: "drafts", record: { scope: "guest", "id = 1; --": 1 } }],
        records.length,
        ""
      )
      yield* refusedAt([...records, { kind: "drafts", record: { scope: "guest", id: {} } }], records.length, "")
      // A header that was edited, left out, or there twice.
      for (const scope of ["", 7, undefined, ["guest"], "\u001fp-theirs"]) {
        const edited = [JSON.stringify({ ...header, scope }), ...lines.slice(1)]
        assert.match(yield* refusal(edited), /^Line 1 names no scope/)
      }
      assert.match(yield* refusal(lines.slice(1)), /This is no export/)
      assert.match(yield* refusal([lines[0]!, ...lines]), /^Line 2 is no record/)
      assert.match(
        yield* refusal([JSON.stringify({ ...header, scope: "red" }), ...lines.slice(1)]),
        /^Line 2 .*scope guest/
      )
      assert.match(
        yield* refusal([JSON.stringify({ ...header, scope: "red" }), ...whole.slice(1)]),
        /^Line \d+ .*scope guest, and this is an export of the scope red/
      )
      assert.strictEqual(yield* refusal(whole), "whole")
    }))

  it.effect("of a scope is refused if it names a task of another scope", () =>
    Effect.gen(function*() {
      const [from, to] = [migrated(), migrated()]
      const [guest, theirs] = [yield* Server.make({}, () => from.db), yield* Server.make({}, () => to.db)]
      yield* guest.send("POST", "/api/v1/tasks", { scope: "guest", id: "a", file_path: "a", branch: "b" })
      yield* guest.send("DELETE", "/api/v1/tasks/a")
      yield* theirs.send("POST", "/api/v1/tasks", { scope: "red", id: "a", file_path: "a", branch: "b" })
      const lines = (yield* exported(guest.fetch, { scope: "guest" })).map((text) =>
        // Its versions are none that the task of the other scope has.
        text.replace(/"version":(\d)/, "\"version\":7$1")
      )
      const before = Faulty.everything(to.raw)
      const failed = yield* imported(lines, to).pipe(Effect.sandbox, Effect.flip)
      assert.match(String(failed), /CHECK constraint failed: id = 1/)
      assert.deepStrictEqual(Faulty.everything(to.raw), before)
    }))

  it.effect("keeps the invariants of a server that works meanwhile", () =>
    Effect.gen(function*() {
      const original = migrated()
      const { fetch, send } = yield* Server.make({}, () => original.db)
      const task = (id: string, rest: object = {}) =>
        send("POST", "/api/v1/tasks", { id, file_path: id, branch: "b", ...rest })
      const done = (id: string) => send("POST", `/api/v1/tasks/${id}/force-queue`, { queue: "done", reason: "r" })
      yield* send("POST", "/api/v1/projects", { id: "p", title: "p", branch: "b" })
      yield* task("a", { blocked_by: "z", project_id: "p" })
      yield* task("b", { file_path: "taken", external_key: "k" })
      yield* task("z")
      const work = [
        // Before the flows, the roles, and the first task.
        [],
        [],
        [],
        [
          done("z"),
          send("PATCH", "/api/v1/tasks/a", { project_id: null }),
          send("DELETE", "/api/v1/projects/p"),
          send("POST", "/api/v1/projects", { id: "q", title: "q", branch: "b" })
        ],
        [
          send("DELETE", "/api/v1/tasks/b"),
          task("c", { file_path: "taken", external_key: "k", project_id: "q", blocked_by: "b" })
        ]
      ]
      const services = yield* Effect.context<never>()
      const before = async () => {
        for (const step of work.shift() ?? []) {
          const { body, status } = await Effect.runPromiseWith(services)(step)
          assert.isBelow(status, 300, JSON.stringify(body))
        }
      }
      const lines = yield* exported(fetch, { limit: 1, before })
      assert.lengthOf(lines.filter((text) => text.includes("\"file_path\":\"taken\"")), 2, "both were there in turn")
      const copy = yield* imported(lines)
      holds(copy)
      const state = copy.raw.prepare("SELECT id, queue, project_id, blocked_by FROM tasks ORDER BY id").all()
      assert.deepStrictEqual(state.map((row) => Object.values(row)), [
        ["a", "incoming", null, null],
        ["c", "incoming", "q", "b"],
        ["z", "done", null, null]
      ])
      const [last] = copy.raw.prepare("SELECT event FROM history WHERE task_id = 'b' ORDER BY version DESC").all()
      assert.strictEqual(last?.["event"], "deleted")
      // The same in Durable Objects.
      const home = Objects.make()
      yield* Effect.promise(() => Objects.restore(home, lines))
      const object = { raw: home.raw("default") }
      holds(object)
      const rows = (text: string) => [object, copy].map(({ raw }) => raw.prepare(text).all().map((row) => ({ ...row })))
      for (
        const text of [
          "SELECT id, version, queue, project_id, blocked_by FROM tasks ORDER BY id",
          "SELECT task_id, version, event, to_queue FROM history ORDER BY 1, 2"
        ]
      ) {
        const [there, here] = rows(text)
        assert.deepStrictEqual(there, here)
      }
    }))

  it.effect("is refused if it is incomplete or changed", () =>
    Effect.gen(function*() {
      const { fetch, send } = yield* Server.make()
      yield* send("POST", "/api/v1/tasks", { id: "a", file_path: "a", branch: "b" })
      const lines = yield* exported(fetch)
      assert.strictEqual(yield* refusal(lines), "whole")
      assert.match(yield* refusal(lines.slice(0, -1)), /cut short/)
      assert.match(yield* refusal([...lines.slice(0, 1), ...lines.slice(2)]), /There are 0 tasks, and should be 1/)
      assert.match(yield* refusal(lines.slice(1)), /This is no export/)
      assert.match(yield* refusal([lines[0]!.replace(":1,", ":2,"), ...lines.slice(1)]), /version 2/)
      assert.match(yield* refusal([...lines, lines[1]!]), /after the end/)
      assert.match(yield* refusal([...lines.slice(0, -1), "{\"end\":true}"]), /says no counts/)
    }))
})
