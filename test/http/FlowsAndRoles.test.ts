/** Flows and roles over HTTP: what plain clients send and get. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { defaultFlow, projectFlow, testingFlow } from "../support/flows.ts"
import * as server from "../support/server.ts"

const flows = "/api/v1/flows"
const machine = { cluster: "k", machine_id: "m", scope: "red" }

describe("/api/v1/flows", () => {
  it.effect("8.1#4, 8.2#7: PUT answers 200 with lists as JSON text and the child flow as an object, and so do the others", () =>
    Effect.gen(function*() {
      const { send } = yield* server.make()
      // As the Python client sends it: the scope in the body, the name also there.
      const sent = { ...projectFlow, name: "project", scope: "red" }
      const first = yield* send("PUT", `${flows}/project`, sent)
      const again = yield* send("PUT", `${flows}/project`, sent)
      assert.deepStrictEqual([first.status, again.status], [200, 200])
      assert.deepStrictEqual(again.body, first.body)
      assert.match(first.body.registered_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
      assert.strictEqual(first.body.states, JSON.stringify(projectFlow.states))
      assert.strictEqual(first.body.transitions, JSON.stringify(projectFlow.transitions))
      assert.deepStrictEqual(first.body.child_flow, projectFlow.child_flow)
      assert.deepStrictEqual(first.body.warnings, [])
      const { warnings: _warnings, ...flow } = first.body
      yield* send("PUT", `${flows}/default`, { ...defaultFlow, scope: "red" })
      const listed = yield* send("GET", `${flows}?scope=red`)
      assert.deepStrictEqual(listed.body.flows[1], flow)
      assert.deepInclude(listed.body.flows[0], { name: "default", child_flow: null, description: null })
      assert.deepStrictEqual((yield* send("GET", `${flows}/project?scope=red`)).body, flow)
      assert.deepStrictEqual((yield* send("GET", flows)).body, { flows: [], next_cursor: null }, "the default scope's")
    }))

  it.effect("8.2#4: DELETE finds the flow without a scope, as the SDK sends it, and warns of stranded tasks", () =>
    Effect.gen(function*() {
      const { send } = yield* server.make()
      for (const scope of ["red", "blue"]) yield* send("PUT", `${flows}/qa`, { ...testingFlow, scope })
      yield* send("POST", "/api/v1/tasks", {
        id: "t",
        file_path: "t",
        branch: "b",
        flow: "qa",
        queue: "testing",
        scope: "red"
      })
      const several = yield* send("DELETE", `${flows}/qa`)
      assert.deepStrictEqual([several.status, several.body._tag], [400, "ScopeRequired"])
      assert.include(several.body.error, "Missing required query parameter: scope")
      assert.strictEqual((yield* send("DELETE", `${flows}/qa?scope=blue`)).status, 200)
      assert.deepStrictEqual(yield* Effect.map(send("DELETE", `${flows}/qa`), ({ body }) => body), {
        message: "Flow deleted",
        name: "qa",
        scope: "red",
        warnings: ["1 task of this flow is in \"testing\", which nothing leads out of without the flow."]
      })
      const gone = yield* send("DELETE", `${flows}/qa`)
      assert.deepStrictEqual([gone.status, gone.body._tag], [404, "FlowNotFound"])
      assert.match(gone.body.error, /^Flow not found/)
    }))

  const { states, transitions } = testingFlow
  it.effect.each(
    [
      [{ transitions }, "Missing required field: states (array)"],
      [{ states: null, transitions }, "Missing required field: states (array)"],
      [{ states: 7, transitions }, "Missing required field: states (array)"],
      [{ states: {}, transitions }, "Missing required field: states (array)"],
      [{ states }, "Missing required field: transitions (array)"],
      [{ states, transitions: null }, "Missing required field: transitions (array)"],
      [{ states, transitions: "{" }, "body.transitions: "],
      [{ states: ["incoming", 7], transitions }, "body.states.1: "],
      [{ states: ["a\"b"], transitions }, "no quotes"],
      [
        { states: ["incoming", "done"], transitions },
        "Flow states must include built-in state \"claimed\". Got: incoming, done"
      ],
      [{ states, transitions: [null] }, "transitions[0] must be an object"],
      [{ states, transitions: [{ from: "claimed", to: "typo" }] }, "transitions[0].to: \"typo\" is not a state"],
      [{ states, transitions, child_flow: [] }, "body.child_flow: "],
      [{ states, transitions, child_flow: {} }, "child_flow.transitions must be a list"],
      [{ states, transitions, child_flow: "{\"transitions\":[{}]}" }, "child_flow.transitions[0] must be"]
    ] as const
  )("E17: refuses %j", ([body, text]) =>
    Effect.gen(function*() {
      const { send } = yield* server.make()
      const answer = yield* send("PUT", `${flows}/qa`, body)
      assert.strictEqual(answer.status, 400)
      assert.include(answer.body.error, text)
      assert.deepStrictEqual((yield* send("GET", flows)).body, { flows: [], next_cursor: null })
    }))
})

describe("/api/v1/roles", () => {
  it.effect("register, list, read, delete", () =>
    Effect.gen(function*() {
      const { send } = yield* server.make()
      yield* send("POST", "/api/v1/orchestrators/register", machine)
      const registered = yield* send("POST", "/api/v1/roles/register", {
        orchestrator_id: "k-m",
        roles: [{ name: "review", claims_from: "provisional", description: "Reads" }, { name: "build" }, {}]
      })
      assert.strictEqual(registered.status, 200)
      assert.deepStrictEqual(registered.body.roles.map(({ name }: { name: string }) => name), ["build", "review"])
      assert.include(registered.body.roles[0], {
        scope: "red",
        claims_from: "incoming",
        description: null,
        orchestrator_id: "k-m"
      })
      const listed = { roles: registered.body.roles, next_cursor: null }
      assert.deepStrictEqual((yield* send("GET", "/api/v1/roles")).body, listed, "every scope's")
      assert.deepStrictEqual((yield* send("GET", "/api/v1/roles?scope=blue")).body, { roles: [], next_cursor: null })
      assert.deepStrictEqual((yield* send("GET", "/api/v1/roles/review")).body, registered.body.roles[1])
      assert.strictEqual((yield* send("GET", "/api/v1/roles/review?scope=blue")).status, 404)
      assert.deepStrictEqual((yield* send("DELETE", "/api/v1/roles/review")).body, {
        message: "Role deleted",
        name: "review",
        scope: "red"
      })
      const gone = yield* send("GET", "/api/v1/roles/review")
      assert.deepStrictEqual([gone.status, gone.body._tag], [404, "RoleNotFound"])
      assert.match(gone.body.error, /^Role not found/)
    }))

  it.effect.each(
    [
      [{}, "Missing required fields: orchestrator_id, roles"],
      [{ orchestrator_id: "k-m" }, "Missing required fields: roles ("],
      [{ orchestrator_id: "", roles: [] }, "Missing required fields: orchestrator_id ("],
      [{ orchestrator_id: "none", roles: [] }, "Orchestrator 'none' not found"],
      [{ orchestrator_id: "k-m", roles: [], scope: "blue" }, "Orchestrator 'k-m' not found"],
      [{ orchestrator_id: "k-m", roles: [{ name: "x", claims_from: "done" }] }, "body.roles.0.claims_from"]
    ] as const
  )("refuses %j", ([body, text]) =>
    Effect.gen(function*() {
      const { send } = yield* server.make()
      yield* send("POST", "/api/v1/orchestrators/register", machine)
      const answer = yield* send("POST", "/api/v1/roles/register", body)
      assert.strictEqual(answer.status, 400)
      assert.include(answer.body.error, text)
    }))
})
