/** The suite against our server, where every check passes, and against servers that break a promise, where it is caught. */
import { assert, describe, it } from "vitest"
import { CannotRun, conform, format, groupNames, type Options, type Report } from "../../src/conformance/Conformance.ts"
import * as Serve from "../../src/http/Serve.ts"
import { migrated, servicesWith } from "../support/layers.ts"
import { tampered } from "./Tampered.ts"

const Secret = "a secret of the server"

/** A server with its own database, in real time, and the rows of that database. */
const serve = (config: Record<string, string> = {}) => {
  const { db, raw } = migrated()
  const { handler } = Serve.make(servicesWith(config, () => db))
  const fetch = (url: string, init: RequestInit) => handler(new Request(url, init))
  const rowsOf = (table: string) => raw.prepare(`SELECT * FROM ${table}`).all()
  const run = (options: Partial<Options> = {}) => conform({ url: "http://server", fetch, ...options })
  return { fetch, rowsOf, run }
}

const named = (report: Report, status: string) =>
  report.checks.filter((check) => check.status === status).map(({ name }) => name)

const clean = ({ rowsOf }: ReturnType<typeof serve>, keys = 0) => {
  for (const table of ["tasks", "orchestrators", "projects", "drafts", "flows", "roles", "actions", "webhooks"]) {
    assert.deepStrictEqual(rowsOf(table), [], table)
  }
  assert.lengthOf(rowsOf("api_keys"), keys)
}

const issue = async ({ fetch }: ReturnType<typeof serve>, scope: string): Promise<string> => {
  const headers = { authorization: `Bearer ${Secret}` }
  const answer = await fetch(`http://server/api/v1/scopes/${scope}/keys`, { method: "POST", headers })
  return (await answer.json() as { readonly api_key: string }).api_key
}

const cannot = (running: Promise<unknown>) =>
  running.then(
    () => assert.fail("it ran"),
    (error: unknown) => {
      assert.instanceOf(error, CannotRun)
      return (error as Error).message
    }
  )

const elsewhere = async () => new Response("<h1>It works!</h1>")
const unreachable = async () =>
  Promise.reject(new TypeError("fetch failed", { cause: new Error("connect ECONNREFUSED") }))

// Most of the time leases are waited for, and that at the same time.
describe.concurrent("the conformance suite", { timeout: 900_000 }, () => {
  it("passes against an open server, and leaves nothing behind", async () => {
    const server = serve()
    const report = await server.run()
    assert.deepStrictEqual(named(report, "failed"), [], format(report, false))
    assert.deepStrictEqual(named(report, "skipped"), [
      "the key of a scope cannot do what only the administrator may"
    ])
    assert.isAtLeast(report.passed, 61)
    assert.deepStrictEqual([...new Set(report.checks.map(({ group }) => group))], groupNames)
    clean(server)
    assert.lengthOf(server.rowsOf("messages"), 1)
    assert.isAbove(server.rowsOf("history").length, 100)
  })

  it("passes with the secret of a server that is configured as strictly as can be", async () => {
    const server = serve({
      API_SECRET_KEY: Secret,
      REQUIRE_SCOPE: "true",
      REQUIRE_FENCING_TOKEN: "true",
      MAX_ATTEMPTS: "1",
      MAX_LEASE_LOSSES: "1",
      MAX_REJECTIONS: "1",
      MAX_ATTEMPT_SECONDS: "60",
      BACKOFF_SECONDS: "2"
    })
    const report = await server.run({ key: Secret })
    assert.deepStrictEqual(named(report, "failed"), [], format(report, false))
    assert.deepStrictEqual(named(report, "skipped"), [])
    clean(server)
  })

  it("skips checks that would wait too long after a setback", async () => {
    const report = await serve({ BACKOFF_SECONDS: "3600" }).run({ only: ["leases"] })
    assert.deepStrictEqual(named(report, "failed"), [], format(report, false))
    assert.lengthOf(named(report, "skipped"), 2)
    assert.include(format(report, false), "BACKOFF_SECONDS")
  })

  it("runs in the scope of a key, and skips what needs an administrator", async () => {
    const server = serve({ API_SECRET_KEY: Secret })
    const report = await server.run({ key: await issue(server, "mine") })
    assert.deepStrictEqual(named(report, "failed"), [], format(report, false))
    assert.deepStrictEqual(report.scopes, ["mine"])
    assert.lengthOf(named(report, "skipped"), 13)
    clean(server, 1)
    assert.deepStrictEqual(server.rowsOf("messages"), [])
  })

  it("does not run with a key that may not do everything in its scope", async () => {
    const server = serve({ API_SECRET_KEY: Secret })
    for (const rank of ["fence", "read", "work"]) {
      const answer = await server.fetch("http://server/api/v1/scopes/mine/keys", {
        method: "POST",
        headers: { authorization: `Bearer ${Secret}` },
        body: JSON.stringify({ rank })
      })
      const { api_key } = await answer.json() as { readonly api_key: string }
      assert.include(await cannot(server.run({ key: api_key })), `has the rank "${rank}"`)
    }
  })

  it("does not run in a scope with its own state machine", async () => {
    const server = serve({ API_SECRET_KEY: Secret })
    const key = await issue(server, "mine")
    const [from, to] = ["incoming", "claimed"]
    await server.fetch("http://server/api/v1/flows/default", {
      method: "PUT",
      headers: { authorization: `Bearer ${key}` },
      body: JSON.stringify({ states: [from, to, "done"], transitions: [{ from, to }, { from: to, to: "done" }] })
    })
    assert.lengthOf(server.rowsOf("flows"), 1)
    assert.include(await cannot(server.run({ key })), "a state machine of its own")
  })

  it("does not run where it could take someone's work, or without a required key", async () => {
    const server = serve({ API_SECRET_KEY: Secret })
    const key = await issue(server, "mine")
    const task = { id: "real", file_path: "real.md", branch: "main" }
    const headers = { authorization: `Bearer ${key}` }
    await server.fetch("http://server/api/v1/tasks", { method: "POST", headers, body: JSON.stringify(task) })
    const before = server.rowsOf("tasks")
    assert.match(await cannot(server.run({ key })), /holds 1 task\b/)
    assert.include(await cannot(server.run()), "asks for a key")
    assert.include(await cannot(server.run({ key: `oct_${"0".repeat(64)}` })), "refuses the key")
    assert.deepStrictEqual(server.rowsOf("tasks"), before)
    assert.lengthOf(server.rowsOf("api_keys"), 1)
  })

  it("does not run against another kind of server, or an unhealthy one", async () => {
    assert.include(await cannot(conform({ url: "http://other", fetch: elsewhere })), "not that of a healthy Octopoid")
    assert.include(await cannot(conform({ url: "http://down", fetch: unreachable })), "ECONNREFUSED")
  })

  it("deletes what it made when it is interrupted", async () => {
    const server = serve()
    const stop = new AbortController()
    let asked = 0
    const fetch = (url: string, init: RequestInit) => {
      if (++asked === 60) stop.abort()
      return server.fetch(url, init)
    }
    const report = await server.run({ fetch, signal: stop.signal })
    assert.isTrue(report.interrupted)
    assert.isAbove(named(report, "skipped").length, 20)
    assert.deepStrictEqual(named(report, "failed"), [])
    clean(server)
  })

  it("says what it could not delete, and deletes the rest", async () => {
    const server = serve()
    const fetch = async (url: string, init: RequestInit) =>
      init.method === "DELETE" && url.includes("/projects/")
        ? Response.json({ message: "only said to be deleted" })
        : init.method === "GET" && url.includes("/orchestrators")
        ? Response.json({ error: "Out of order." }, { status: 500 })
        : server.fetch(url, init)
    const report = await server.run({ fetch, only: ["lifecycle"] })
    assert.isFalse(report.cleaned)
    const left = report.left.join("\n")
    assert.match(left, /Could not delete 1 projects of the scope conformance-/)
    assert.match(left, /Could not delete orchestrators of the scope .*: GET .* is answered 500 Out of order\./)
    assert.deepStrictEqual([server.rowsOf("tasks"), server.rowsOf("api_keys")], [[], []])
  })

  it("reports what failed, what that means and where to look, also without an answer", async () => {
    const server = serve()
    const fetch = async (url: string, init: RequestInit) => {
      if (url.endsWith("/openapi.json")) throw new TypeError("fetch failed", { cause: new Error("socket hang up") })
      const answer = await server.fetch(url, init)
      if (url.endsWith("/api/health")) {
        return Response.json({ ...await answer.json() as object, version: "1.0.0" })
      }
      return url.endsWith("/no-such-endpoint")
        ? new Response("nothing", { status: 200, headers: answer.headers })
        : answer
    }
    const report = await server.run({ fetch, only: ["contract"] })
    const text = format(report, false)
    assert.match(text, /✗ a missing record is a 404 in JSON\n +expected: +status 404\n/)
    assert.match(text, /answered: +GET \/api\/v1\/no-such-endpoint → 200 nothing\n +request id: +\S+\n/)
    assert.match(text, /What it means: +Clients cannot tell.*\n +Look at: +Does a proxy/)
    assert.match(text, /expected: +an answer to GET \/openapi\.json\n +answered: +no answer.*socket hang up/)
    assert.include(text, "status 200 with version: '2.0.0', not '1.0.0'")
    assert.match(text, /\n7 passed, 3 failed, 0 skipped against http:\/\/server$/)
    assert.notInclude(text, "\u001B")
    assert.include(format(report, true), "\u001B[31m✗")
  })
})

describe.concurrent("a server that", { timeout: 900_000 }, () => {
  it.each(Object.entries(tampered))("%s is caught", async (_, { caught, groups, tamper }) => {
    const server = serve()
    const report = await server.run({ fetch: tamper(server.fetch), only: groups })
    assert.sameMembers(named(report, "failed"), [...caught], format(report, false))
    for (const { answered, expected, look, means, status } of report.checks) {
      if (status === "failed") { for (const text of [answered, expected, look, means]) assert.isNotEmpty(text) }
    }
    clean(server)
  })
})
