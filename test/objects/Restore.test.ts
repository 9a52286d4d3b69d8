/** A scope moves between D1 and Durable Objects by its export, and nothing is lost. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { integrity } from "../../scripts/data/doctor/Integrity.ts"
import { merge } from "../../scripts/data/dump/scopes.ts"
import { statements } from "../../scripts/data/dump/statements.ts"
import { read } from "../../src/cli/transfer/check.ts"
import { type Line, write } from "../../src/cli/transfer/Dump.ts"
import { pages } from "../../src/cli/transfer/pages.ts"
import * as Pieces from "../../src/objects/restore/Restore.ts"
import * as Schema from "../../src/objects/Schema.ts"
import { migrated } from "../support/layers.ts"
import * as D1Server from "../support/server.ts"
import * as NodeStorage from "./NodeStorage.ts"
import * as Objects from "./Objects.ts"

const Secret = "a secret of the server"
const config = { API_SECRET_KEY: Secret }
const url = "http://server"

type Fetch = typeof globalThis.fetch

const exported = (fetch: Fetch, scope?: string): Promise<ReadonlyArray<string>> =>
  Array.fromAsync(write("2026-01-01T00:00:00.000Z", pages({ url, key: Secret, fetch, scope })))

/** A line as D1 exports it: there a key's line does not name the scope. */
const unplaced = (text: string): string => {
  const { kind, record } = JSON.parse(text)
  return JSON.stringify({ kind, record })
}

const asking = (fetch: Fetch) => async (method: string, path: string, body?: object, key = Secret, headers = {}) => {
  const answer = await fetch(`${url}/api/v1/${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json", ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) })
  })
  return { status: answer.status, body: await answer.json() as any }
}

/** The export in a new D1 database, as `npm run restore` writes it. With `lastDraft`, drafts get numbers that are greater. */
const onD1 = async (lines: ReadonlyArray<string>, lastDraft?: number) => {
  const into = migrated()
  const texts = async function*() {
    yield* lines
  }
  const records = async function*(): AsyncGenerator<Line> {
    for await (const { line } of read(texts())) if (line !== undefined) yield line
  }
  const merged = await merge(records(), lastDraft)
  for await (const statement of statements(JSON.parse(lines[0]!), records, Date.now(), merged)) {
    into.raw.exec(statement)
  }
  return into
}

const holds = (raw: ReturnType<typeof migrated>["raw"]) => {
  for (const { name, sql } of integrity) assert.deepStrictEqual(raw.prepare(sql).all(), [], name)
}

const claim = (scope: string, agent_name: string) => ({ scope, orchestrator_id: "k-m", agent_name })

/** Puts records of every kind into the scope: done, held, waiting, deleted and failed work. */
const fill = async (ask: ReturnType<typeof asking>, scope: string) => {
  const sure = async (...given: Parameters<typeof ask>) => {
    const answer = await ask(...given)
    assert.isBelow(answer.status, 300, `${given[0]} ${given[1]}: ${JSON.stringify(answer.body)}`)
    return answer.body
  }
  const post = (path: string, body: object, ...rest: [string?, object?]) =>
    sure("POST", path, { scope, ...body }, ...rest)
  const id = (name: string) => `${scope}-${name}`
  const task = (name: string, rest: object = {}) =>
    post("tasks", { id: id(name), file_path: `${name}.md`, branch: "b", ...rest })
  await post("orchestrators/register", { cluster: "k", machine_id: "m" })
  await sure("PUT", "flows/f", { scope, states: ["incoming", "claimed", "done"], transitions: [] })
  await post("roles/register", { orchestrator_id: "k-m", roles: [{ name: "build", claims_from: "incoming" }] })
  await post("projects", { id: id("p"), title: "it's; a project", branch: "b" })
  await task("done", { priority: "P0", project_id: id("p"), content: `'; -- "\\ \r\n ß 漢 🐙`.repeat(100) })
  await task("waits", { blocked_by: `${id("done")},${id("held")}` })
  await task("held", { priority: "P1", metadata: { a: [1, "x"] }, external_key: "k" })
  await task("failed", { priority: "P3" })
  await task("deleted", { priority: "P3" })
  await sure("DELETE", `tasks/${id("deleted")}`)
  const first = await post("tasks/claim", claim(scope, "ann"))
  await post(`tasks/${first.id}/submit`, { fencing_token: first.fencing_token, commits_count: 1, turns_used: 2 })
  await post(`tasks/${first.id}/accept`, { accepted_by: "me" })
  await post(`tasks/${id("failed")}/fail`, { reason: "no", usage: { model: "m", cost_usd: 0.1, input_tokens: 3 } })
  const held = await post("tasks/claim", claim(scope, "bob"))
  assert.strictEqual(held.id, id("held"))
  await post("messages", { task_id: id("held"), from_actor: "ann", to_actor: "bob", type: "comment", content: "hi" })
  await post("drafts", { title: "an idea", author: "ann" })
  await post("actions", {
    entity_type: "task",
    entity_id: id("done"),
    action_type: "archive",
    label: "Archive",
    proposed_by: "ann"
  })
  await sure("PUT", "usage/caps", { scope, max_tokens: 5_000_000 })
  await post("webhooks", { url: "https://example.com/hook" })
  const { api_key: key } = await post(`scopes/${encodeURIComponent(scope)}/keys`, { name: "laptop", rank: "manage" })
  const again = { "idempotency-key": "one" }
  await task("once", { priority: "P4" })
  const created = await sure("POST", "tasks", { id: id("keyed"), file_path: "k.md", branch: "b" }, key, again)
  return { held, key: String(key), created, again, id }
}

describe("a scope", () => {
  it("moves from D1 to objects and back with all that it has, and no token is granted twice", async () => {
    await Effect.runPromise(Effect.scoped(Effect.gen(function*() {
      const original = migrated()
      const { fetch } = yield* D1Server.make(config, () => original.db)
      yield* Effect.promise(async () => {
        const before = asking(fetch)
        const [red, blue] = [await fill(before, "red"), await fill(before, "blue-é")]
        const own = { red: await exported(fetch, "red"), blue: await exported(fetch, "blue-é") }
        const whole = await exported(fetch)

        const home = Objects.make(config)
        const restored = await Objects.restore(home, whole, Secret)
        assert.deepStrictEqual(restored.map(({ before, scope }) => [scope, before]), [["blue-é", false], [
          "red",
          false
        ]])
        // Every record is there once; an idempotency key is with the scope that its answer names.
        const { counts } = JSON.parse(whole.at(-1)!)
        for (const kind of Object.keys(counts)) {
          assert.strictEqual(restored.reduce((sum, { counts }) => sum + (counts[kind] ?? 0), 0), counts[kind], kind)
        }
        assert.deepStrictEqual(await exported(home.fetch, "red"), own.red)
        assert.deepStrictEqual(await exported(home.fetch, "blue-é"), own.blue)
        assert.sameMembers((await exported(home.fetch)).slice(1, -1).map(unplaced), whole.slice(1, -1))
        for (const scope of ["red", "blue-é"]) holds(home.raw(scope))

        // The source, which nobody stopped, grants once more; the copy never gives a token that it may have given.
        const late = await before("POST", "tasks/claim", claim("red", "late"))
        assert.strictEqual(late.status, 200)
        const after = asking(home.fetch)
        const { held, key } = red
        const renewed = await after("POST", `tasks/${held.id}/renew`, { fencing_token: held.fencing_token }, key)
        assert.strictEqual(renewed.status, 200, "its holder still holds it, under its key")
        const given = await after("POST", "tasks/claim", claim("red", "bob"), key)
        assert.strictEqual(given.body.id, late.body.id)
        assert.isAbove(given.body.fencing_token, late.body.fencing_token)
        const stale = await after("POST", `tasks/${late.body.id}/submit`, {
          fencing_token: late.body.fencing_token,
          commits_count: 1,
          turns_used: 1
        }, key)
        assert.strictEqual(stale.status, 409, "a lease of the source counts no more")
        const repeated = await after(
          "POST",
          "tasks",
          { id: "red-keyed", file_path: "k.md", branch: "b" },
          key,
          red.again
        )
        assert.deepStrictEqual(
          [repeated.status, repeated.body],
          [201, red.created],
          "a repeated request has its answer"
        )
        assert.strictEqual((await after("GET", "tasks/red-held", undefined, blue.key)).status, 404)
        // Work goes on: the blocker is done, and its dependent with it.
        const result = { fencing_token: held.fencing_token, commits_count: 1, turns_used: 1 }
        assert.strictEqual((await after("POST", `tasks/${held.id}/submit`, result, key)).status, 200)
        assert.strictEqual((await after("POST", `tasks/${held.id}/accept`, { accepted_by: "me" })).status, 200)
        assert.isNull((await after("GET", "tasks/red-waits")).body.blocked_by)
        // What a move leaves out.
        assert.deepStrictEqual((await after("GET", "webhooks?scope=red")).body.webhooks, [])
        for (const scope of ["red", "blue-é"]) holds(home.raw(scope))

        const moved = await exported(home.fetch, "red")
        const back = await onD1(moved)
        holds(back.raw)
        const tokens = back.raw.prepare("SELECT max(token) AS n FROM fencing_floor").get()!
        assert.isAtLeast(Number(tokens["n"]), given.body.fencing_token)
        const server = await Effect.runPromise(Effect.scoped(
          Effect.flatMap(
            D1Server.make(config, () => back.db),
            ({ fetch }) => Effect.promise(() => exported(fetch, "red"))
          )
        ))
        assert.deepStrictEqual(server, moved)
      })
    })))
  })

  it("is restored by the same command again, after whichever request the server was killed", async () => {
    await Effect.runPromise(Effect.scoped(Effect.gen(function*() {
      const { fetch } = yield* D1Server.make(config)
      yield* Effect.promise(async () => {
        const ask = asking(fetch)
        for (const scope of ["red", "blue-é"]) await fill(ask, scope)
        const long = { id: "long", scope: "red", file_path: "long.md", branch: "b", content: "x".repeat(500_000) }
        assert.strictEqual((await ask("POST", "tasks", long)).status, 201)
        const whole = await exported(fetch)
        const own = { red: await exported(fetch, "red"), "blue-é": await exported(fetch, "blue-é") }
        const sent: Array<string> = []

        /** Restores until the request of this number, which the server gets or does not. Answers whether there was one. */
        const killedAt = async (home: ReturnType<typeof Objects.make>, number: number, arrives: boolean) => {
          sent.length = 0
          const killed = new AbortController()
          const dying = (async (input, init) => {
            sent.push(new URL(String(input)).search)
            const last = sent.length === number
            const answer = last && !arrives ? undefined : await home.fetch(input, { ...init, signal: null })
            if (answer !== undefined && !last) return answer
            killed.abort()
            throw new TypeError("connection reset")
          }) as Fetch
          await Objects.restore({ fetch: dying }, whole, Secret, killed.signal).catch((error: unknown) => {
            if (!killed.signal.aborted) throw error
          })
          home.restart()
          return killed.signal.aborted
        }

        let number = 0
        for (let reached = true; reached;) {
          number++
          for (const arrives of [false, true]) {
            const home = Objects.make(config)
            reached = await killedAt(home, number, arrives)
            const half = home.scopes().toSorted()
            for (const scope of half) assert.deepStrictEqual(await exported(home.fetch, scope), own[scope as "red"])
            const restored = await Objects.restore(home, whole, Secret)
            assert.deepStrictEqual(restored.filter(({ before }) => before).map(({ scope }) => scope).toSorted(), half)
            for (const scope of ["red", "blue-é"] as const) {
              assert.deepStrictEqual(await exported(home.fetch, scope), own[scope])
              holds(home.raw(scope))
              assert.strictEqual(home.raw(scope).prepare("SELECT count(*) AS n FROM _restore").get()!["n"], 0)
            }
          }
        }
        // A piece of one scope, at least two of the other, and the two last requests.
        assert.isAtLeast(number - 1, 5)
      })
    })))
  })

  it("is restored whole or not at all, by the administrator, where nothing is, and once", async () => {
    await Effect.runPromise(Effect.scoped(Effect.gen(function*() {
      const { fetch } = yield* D1Server.make(config)
      yield* Effect.promise(async () => {
        const { key } = await fill(asking(fetch), "red")
        const lines = await exported(fetch, "red")
        const records = lines.slice(1, -1)
        const home = Objects.make(config)
        const send = async (query: string, body: string, token = Secret, scope = "red") => {
          const answer = await home.fetch(`${url}/api/v1/scopes/${scope}/restore?${query}`, {
            method: "POST",
            headers: token === "" ? {} : { authorization: `Bearer ${token}` },
            body
          })
          return { status: answer.status, body: await answer.json() as any }
        }
        const id = "restore=0123456789abcdef"
        for (const [token, status] of [["", 401], ["wrong", 401], [key, 401]] as const) {
          assert.strictEqual((await send(`${id}&piece=0`, records.join("\n"), token)).status, status)
        }
        const wrong = async (line: object, why: RegExp) => {
          const { body, status } = await send(`${id}&piece=0`, `${records[0]}\n${JSON.stringify(line)}`)
          assert.strictEqual(status, 400)
          assert.match(body.error, why)
        }
        const { record } = JSON.parse(records.find((line) => line.includes("\"kind\":\"drafts\""))!)
        await wrong({ kind: "drafts", record: { ...record, scope: "blue" } }, /^Record 2 .*another scope/)
        await wrong({ kind: "drafts", record: { ...record, "id = 1; --": 1 } }, /no column/)
        await wrong({ kind: "drafts", record: { ...record, created_at: "1" } }, /created_at/)
        await wrong({ kind: "_told", record: { scope: "red" } }, /no kind/)
        await wrong({ kind: "sweeps", record: { scope: "red" } }, /no kind/)
        assert.match((await send(`${id}&piece=0`, "{\"kind\":")).body.error, /no JSON/)
        assert.strictEqual((await send(id, "")).status, 400)
        assert.strictEqual((await send("restore=x&piece=0", "")).status, 400)
        assert.strictEqual((await send(`${id}&piece=0`, "x".repeat(Pieces.MaxPiece + 1))).status, 413)
        assert.deepStrictEqual(home.scopes(), [], "nothing of it was written")

        // A piece that is missing, and a record that cannot be written: nothing of the others is there.
        const half = Math.ceil(records.length / 2)
        assert.strictEqual((await send(`${id}&piece=0`, records.slice(0, half).join("\n"))).status, 200)
        assert.match((await send(`${id}&pieces=2`, "")).body.error, /piece 1 is missing/)
        assert.strictEqual((await send(`${id}&piece=1`, records[0]!)).status, 200)
        const twice = await send(`${id}&pieces=2`, "")
        assert.strictEqual(twice.status, 409)
        assert.match(twice.body.error, /^Nothing was written/)
        assert.deepStrictEqual(home.scopes(), [])
        assert.strictEqual(home.raw("red").prepare("SELECT count(*) AS n FROM tasks").get()!["n"], 0)

        // The piece is sent again, and then all are written.
        assert.strictEqual((await send(`${id}&piece=1`, records.slice(half).join("\n"))).status, 200)
        const done = await send(`${id}&pieces=2`, "")
        assert.deepStrictEqual([done.status, done.body.before], [200, false])
        assert.deepStrictEqual(done.body.counts, JSON.parse(lines.at(-1)!).counts)
        assert.deepStrictEqual(home.scopes(), ["red"])
        assert.deepStrictEqual(await exported(home.fetch, "red"), lines)
        const again = await send(`${id}&pieces=2`, "")
        assert.deepStrictEqual(again.body, { ...done.body, before: true })
        const other = await send(`restore=${"f".repeat(16)}&piece=0`, records.join("\n"))
        assert.deepStrictEqual([other.status, /has records already, in tasks/.test(other.body.error)], [409, true])
        assert.deepStrictEqual(await exported(home.fetch, "red"), lines)
        assert.strictEqual(home.raw("red").prepare("SELECT count(*) AS n FROM _restore").get()!["n"], 0)

        // The key of a scope restores nothing, there or elsewhere.
        const { body: { api_key } } = await asking(home.fetch)("POST", "scopes/red/keys", { name: "k", rank: "manage" })
        for (const scope of ["red", "blue"]) {
          assert.include([403, 404], (await send(`${id}&piece=0`, "", api_key, scope)).status)
        }
        assert.deepStrictEqual(home.scopes(), ["red"])
      })
    })))
  })
})

/** Scopes of objects in which an answer that names no scope is kept under an idempotency key. */
const withKeptClaim = async () => {
  const home = Objects.make(config)
  const ask = asking(home.fetch)
  for (const scope of ["red", "blue"]) {
    assert.strictEqual(
      (await ask("POST", "tasks", { id: `${scope}-1`, scope, file_path: "f", branch: "b" })).status,
      201
    )
    assert.strictEqual(
      (await ask("POST", "orchestrators/register", { scope, cluster: "k", machine_id: "m" })).status,
      201
    )
  }
  const headers = { "idempotency-key": "kept" }
  const claimed = await ask("POST", "tasks/claim", claim("red", "ann"), Secret, headers)
  assert.strictEqual(claimed.status, 200)
  return { home, headers, claimed: claimed.body }
}

const keysIn = (lines: ReadonlyArray<string>) =>
  lines.map((text) => JSON.parse(text)).filter(({ kind }) => kind === "idempotency_keys")

describe("an export of objects", () => {
  it("is the same after a restore, and after the restore of the restored server's export", async () => {
    const { claimed, headers, home } = await withKeptClaim()
    const first = await exported(home.fetch)
    assert.deepStrictEqual(keysIn(first).map(({ scope }) => scope), ["red"], "the line of a key names its scope")
    let lines = first
    for (const stop of ["second", "third"]) {
      const next = Objects.make(config)
      await Objects.restore(next, lines, Secret)
      lines = await exported(next.fetch)
      assert.deepStrictEqual(lines, first, stop)
      const repeated = await asking(next.fetch)("POST", "tasks/claim", claim("red", "ann"), Secret, headers)
      assert.strictEqual(repeated.body.fencing_token, claimed.fencing_token)
    }
    // A scope that a file could not have, and one that the request is not for.
    const [key] = keysIn(first)
    const bad = [...first.slice(0, -1), JSON.stringify({ ...key, scope: "no such/\u0000" }), first.at(-1)!]
    assert.match(await Objects.restore(Objects.make(config), bad, Secret).then(() => "", String), /names no scope/)
    const elsewhere = await Objects.make(config).fetch(
      `${url}/api/v1/scopes/blue/restore?restore=${"a".repeat(16)}&piece=0`,
      {
        method: "POST",
        headers: { authorization: `Bearer ${Secret}` },
        body: JSON.stringify(key)
      }
    )
    assert.strictEqual(elsewhere.status, 400)
  })

  it("of several scopes that is stopped says which scopes are restored and which are not", async () => {
    const { home } = await withKeptClaim()
    const lines = await exported(home.fetch)
    const failed = (target: { readonly fetch: Fetch }) => Objects.restore(target, lines, Secret).then(() => "", String)
    const task = { id: "there", scope: "red", file_path: "f", branch: "b" }

    const full = Objects.make(config)
    await asking(full.fetch)("POST", "tasks", task)
    const first = await failed(full)
    assert.include(first, "The scope red has records already, in tasks, history.")
    assert.include(first, "such as a server on a new folder (serve --data DIR) or a new deployment.")
    assert.include(first, "No scope of the file was restored by this command: blue, red.")
    assert.deepStrictEqual(full.scopes(), ["red"])

    // Another client is faster, between the pieces of a scope and their end.
    const raced = Objects.make(config)
    const fetch = (async (input, init) => {
      if (/red\/restore.*&pieces=/.test(String(input))) await asking(raced.fetch)("POST", "tasks", task)
      return raced.fetch(input, init)
    }) as Fetch
    assert.include(await failed({ fetch }), "Restored: blue. Not restored: red.")
    assert.deepStrictEqual(
      (await exported(raced.fetch, "blue")).slice(1),
      (await exported(home.fetch, "blue")).slice(1)
    )
  })

  it("that has a key several times, as files made before, is restored with the youngest", async () => {
    const { home } = await withKeptClaim()
    const lines = await exported(home.fetch)
    const [{ kind, record }] = keysIn(lines)
    const of = (at: number) => JSON.stringify({ kind, record: { ...record, at, fingerprint: String(at) } })
    const end = JSON.parse(lines.at(-1)!)
    end.counts.idempotency_keys = 3
    const old = [
      ...lines.slice(0, -1).filter((line) => !line.includes(`"kind":"${kind}"`)),
      ...[1, 3, 2].map((second) => of(record.at + second)),
      JSON.stringify(end)
    ]
    const next = Objects.make(config)
    const restored = await Objects.restore(next, old, Secret)
    assert.deepStrictEqual(restored.map(({ counts }) => counts[kind]), [1, 1])
    for (const scope of ["red", "blue"]) {
      const rows = next.raw(scope).prepare("SELECT fingerprint, at FROM idempotency_keys").all()
      assert.deepStrictEqual(rows.map(({ at, fingerprint }) => [at, fingerprint]), [[
        record.at + 3,
        String(record.at + 3)
      ]])
    }
  })
})

const about = (scope: string) => ({ scope, title: `of ${scope}`, author: "ann" })

describe("all scopes of objects", () => {
  it("go into one D1 database with their keys, and drafts of the same numbers get others", async () => {
    const home = Objects.make(config)
    const ask = asking(home.fetch)
    const [red, blue] = [await fill(ask, "red"), await fill(ask, "blue")]
    const again = { "idempotency-key": "of the administrator" }
    const once = { "idempotency-key": "without a scope" }
    const reason = { reason: "no more" }
    for (const scope of ["red", "blue"]) {
      assert.strictEqual((await ask("POST", "drafts", about(scope), Secret, again)).body.id, 2)
      const message = { scope, task_id: "2", from_actor: "ann", type: "comment", content: "about the draft" }
      assert.strictEqual((await ask("POST", "messages", message)).status, 201)
      // These name no scope: the administrator's key is the same one, in the databases of two scopes.
      assert.strictEqual((await ask("POST", `tasks/${scope}-waits/cancel`, reason, Secret, once)).status, 200)
    }
    const lines = await exported(home.fetch)
    assert.match(await onD1(lines).then(() => "", String), /drafts of the same numbers. With --renumber-drafts/)
    const { db, raw } = await onD1(lines, 0)
    holds(raw)
    await Effect.runPromise(Effect.scoped(Effect.gen(function*() {
      const { fetch } = yield* D1Server.make(config, () => db)
      yield* Effect.promise(async () => {
        const there = asking(fetch)
        const drafts = await there("GET", "drafts")
        assert.deepStrictEqual(
          drafts.body.drafts.map(({ id, scope, title }: any) => `${id} ${scope} ${title}`).toSorted(),
          ["1 blue an idea", "2 blue of blue", "3 red an idea", "4 red of red"]
        )
        const messages = raw.prepare("SELECT scope, task_id FROM messages WHERE content = 'about the draft'").all()
        assert.deepStrictEqual(messages.map(({ scope, task_id }) => `${scope} ${task_id}`).toSorted(), [
          "blue 2",
          "red 4"
        ])
        // Keys of both scopes work, and a repeated request has its old answer.
        for (const [scope, { created, held, again, key }] of [["red", red], ["blue", blue]] as const) {
          const renewed = await there("POST", `tasks/${held.id}/renew`, { fencing_token: held.fencing_token }, key)
          assert.strictEqual(renewed.status, 200, scope)
          const repeated = await there(
            "POST",
            "tasks",
            { id: `${scope}-keyed`, file_path: "k.md", branch: "b" },
            key,
            again
          )
          assert.deepStrictEqual([repeated.status, repeated.body], [201, created])
        }
        for (const [scope, id] of [["red", 4], ["blue", 2]] as const) {
          const repeated = await there("POST", "drafts", about(scope), Secret, again)
          assert.deepStrictEqual(
            [repeated.status, repeated.body.id],
            [201, id],
            "with the number that the draft has now"
          )
        }
        assert.lengthOf((await there("GET", "drafts")).body.drafts, 4)
        // Of two requests under one key the younger one is known.
        const repeats = await Promise.all(
          ["red", "blue"].map((scope) => there("POST", `tasks/${scope}-waits/cancel`, reason, Secret, once))
        )
        assert.deepStrictEqual(repeats.map(({ status }) => status), [422, 200])
      })
    })))
  })

  it("do not go into one D1 database if two have a task of one name, which is named", async () => {
    const home = Objects.make(config)
    const ask = asking(home.fetch)
    for (const scope of ["red", "blue"]) {
      const body = { scope, id: "same", file_path: "f", branch: "b" }
      assert.strictEqual((await ask("POST", "tasks", body)).status, 201)
    }
    assert.match(
      await onD1(await exported(home.fetch)).then(() => "", String),
      /unique on D1: tasks same in blue and red\./
    )
  })
})

const draft = (id: number, title = "t") =>
  JSON.stringify({
    kind: "drafts",
    record: {
      id,
      scope: "red",
      title,
      status: "idea",
      author: "a",
      domain: null,
      file_path: null,
      linked_task_id: null,
      linked_project_id: null,
      tags: null,
      created_at: 1,
      updated_at: 1
    }
  })

describe("the pieces of a restore", () => {
  const first = "restore=0123456789abcdef"
  const second = "restore=fedcba9876543210"

  it("have a bound together, and a piece that is sent again counts once", async () => {
    const { raw, storage } = NodeStorage.make()
    Schema.prepare(storage, Objects.migrations)
    const store = { storage, written: () => {}, changed: () => undefined }
    const { answer } = Pieces.make(store, { scope: "red", most: 5000, wake: () => {} })
    const send = async (query: string, body = "") => {
      const response = await answer(new Request(`${url}/?${query}`), new TextEncoder().encode(body))
      return { status: response.status, body: await response.json() as any }
    }
    const bytes = () =>
      raw.prepare("SELECT (SELECT bytes FROM _restoring) AS noted, sum(length(bytes)) AS n FROM _restore").get()
    const long = draft(1, "x".repeat(2000))
    for (const piece of [0, 0, 1, 1]) assert.strictEqual((await send(`${first}&piece=${piece}`, long)).status, 200)
    assert.deepStrictEqual({ ...bytes() }, { noted: 2 * long.length, n: 2 * long.length })
    const refused = await send(`${first}&piece=2`, long)
    assert.strictEqual(refused.status, 413)
    assert.match(refused.body.error, /^The pieces of a restore have 5000 bytes at most together/)
    assert.deepStrictEqual({ ...bytes() }, { noted: 2 * long.length, n: 2 * long.length })
    // A piece without a record would cost a row and no bytes.
    assert.strictEqual((await send(`${first}&piece=2`, "\n")).status, 400)
    // Another file begins anew.
    assert.strictEqual((await send(`${second}&piece=0`, draft(7))).status, 200)
    assert.strictEqual((await send(`${second}&pieces=1`)).status, 200)
    assert.deepStrictEqual({ ...bytes() }, { noted: null, n: null })
    assert.deepStrictEqual(raw.prepare("SELECT id FROM drafts").all().map(({ id }) => id), [7])
  })

  it("are removed by the alarm a day after the last one came, and the scope never was", async () => {
    const home = Objects.make(config)
    const send = async (query: string, body = "") =>
      (await home.fetch(`${url}/api/v1/scopes/red/restore?${query}`, {
        method: "POST",
        headers: { authorization: `Bearer ${Secret}` },
        body
      })).status
    const raw = home.raw("red")
    const pieces = () => raw.prepare("SELECT count(*) AS n FROM _restore").get()!["n"]
    const older = (millis: number) => raw.exec(`UPDATE _restoring SET at = at - ${millis}`)
    const soon = Date.now() + Pieces.MaxAge
    assert.strictEqual(await send(`${first}&piece=0`, draft(1)), 200)
    assert.closeTo(home.alarm("red")!, soon, 60_000)
    // It rings for a piece that was followed by another one.
    older(Pieces.MaxAge / 2)
    assert.strictEqual(await send(`${first}&piece=1`, draft(2)), 200)
    await home.ring("red")
    assert.strictEqual(pieces(), 2)
    assert.closeTo(home.alarm("red")!, soon, 60_000)
    older(Pieces.MaxAge)
    home.restart()
    await home.ring("red")
    // They were all that the database had, so it is removed with them.
    assert.deepStrictEqual(raw.prepare("SELECT name FROM sqlite_schema WHERE name = '_restore'").all(), [])
    assert.deepStrictEqual(home.scopes(), [])
    assert.strictEqual(await send(`${first}&pieces=2`), 409)
    // The scope is as any other that is new: its first change sets its alarm.
    assert.strictEqual(
      (await home.ask("POST", "drafts", { scope: "red", title: "t", author: "a" }, Secret)).status,
      201
    )
    assert.isBelow(home.alarm("red")!, Date.now() + 3_600_000)
    assert.deepStrictEqual(home.scopes(), ["red"])
  })
})
