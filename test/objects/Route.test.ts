/** Every endpoint has a route, for callers with and without a scope. */
import { assert, describe, it } from "@effect/vitest"
import { Api } from "../../src/api/Api.ts"
import { routeOf } from "../../src/objects/Route.ts"

const endpoints = Object.values(Api.groups).flatMap(({ endpoints }) =>
  Object.values(endpoints as Record<string, { readonly method: string; readonly path: string }>)
).map(({ method, path }) => ({ method, path: path.replace(/\/$/, "").replace(/:\w+/g, "x") }))

const route = (method: string, path: string, query = "", body = {}) =>
  routeOf({ method, path, query: new URLSearchParams(query), body })

/** Where a request goes that names no scope, in one line. */
const unscoped = (method: string, path: string) => {
  const found = route(method, path, "orchestrator_id=o", { orchestrator_id: "o" })
  switch (found.to) {
    case "scope":
      return found.scope
    case "record":
      return `${found.several} ${found.kind} ${found.id}`
    case "every":
      return `every ${found.list}`
    case "nobody":
      return "nobody"
  }
}

describe("a request without the key of a scope", () => {
  it("goes to the scope that it names, at every endpoint that has one", () => {
    for (const { method, path } of endpoints) {
      if (!path.startsWith("/api/v1/")) continue
      const found = route(method, path, "scope=red")
      assert.deepStrictEqual(
        found,
        { to: "scope", scope: path.includes("/scopes/") ? "x" : "red" },
        `${method} ${path}`
      )
    }
  })

  it("goes where D1 would look, if it names none", () => {
    const all = Object.fromEntries(endpoints.map(({ method, path }) => [`${method} ${path}`, unscoped(method, path)]))
    const lists = ["keys", "orchestrators", "projects", "drafts", "roles", "export"]
    for (const list of lists) assert.strictEqual(all[`GET /api/v1/${list}`], `every ${list}`)
    for (const [endpoint, to] of Object.entries(all)) {
      const [, path = ""] = endpoint.split(" ")
      if (/^\/api\/v1\/(tasks|projects|drafts|messages|actions|webhooks)\/x/.test(path)) {
        const kind = path.split("/")[3]!.slice(0, -1)
        assert.strictEqual(to, `refuse ${kind} x`, endpoint)
      }
    }
    assert.deepInclude(all, {
      "GET /metrics": "every metrics",
      "GET /api/health": "nobody",
      "POST /api/v1/tasks": "default",
      "GET /api/v1/tasks": "default",
      "POST /api/v1/tasks/claim": "default",
      "POST /api/v1/tasks/bulk": "default",
      "GET /api/v1/events": "default",
      "GET /api/v1/overview": "default",
      "PUT /api/v1/usage/caps": "default",
      "POST /api/v1/orchestrators/register": "default",
      "POST /api/v1/orchestrators/x/heartbeat": "each machine x",
      "GET /api/v1/orchestrators/x": "newest orchestrator x",
      "PATCH /api/v1/orchestrators/x": "refuse orchestrator x",
      "POST /api/v1/roles/register": "refuse orchestrator o",
      "GET /api/v1/roles/x": "newest role x",
      "DELETE /api/v1/roles/x": "refuse role x",
      "PUT /api/v1/flows/x": "default",
      "GET /api/v1/flows/x": "refuse flow x",
      "GET /api/v1/scheduler/poll": "newest orchestrator o"
    })
    const lost = Object.entries(all).filter(([endpoint, to]) => to === "nobody" && endpoint.includes("/api/v1/"))
    assert.deepStrictEqual(lost, [])
  })

  it("is read as the server reads it", () => {
    assert.deepStrictEqual(route("POST", "/api/v1/tasks", "scope=red", { scope: "blue" }), {
      to: "scope",
      scope: "blue"
    })
    assert.deepStrictEqual(route("POST", "/api/v1/tasks", "scope=red", { scope: "" }), { to: "scope", scope: "red" })
    assert.deepStrictEqual(route("GET", "/api/v1/scopes/a%20b/keys"), { to: "scope", scope: "a b" })
    assert.deepInclude(route("GET", "/api/v1/tasks/a%2Fb"), { to: "record", id: "a/b" })
    assert.deepInclude(route("GET", "/api/v1/tasks/claim"), { to: "record", id: "claim" })
    assert.deepInclude(route("GET", "/api/v1/tasks/x/messages"), { to: "record", otherwise: "default" })
    assert.deepStrictEqual(route("GET", "/api/v1/scheduler/poll"), { to: "scope", scope: "default" })
  })
})
