/** The poll over HTTP, what flows and polls need of a scope, and the typed client of both. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { defaultFlow, projectFlow, testingFlow } from "../support/flows.ts"
import * as server from "../support/server.ts"

const flows = "/api/v1/flows"
const machine = { cluster: "k", machine_id: "m", scope: "red" }

describe("/api/v1/scheduler/poll", () => {
  it.effect("answers everything that a tick needs", () =>
    Effect.gen(function*() {
      const { send } = yield* server.make()
      yield* send("POST", "/api/v1/orchestrators/register", machine)
      yield* send("PUT", `${flows}/default`, { ...defaultFlow, scope: "red" })
      yield* send("POST", "/api/v1/tasks", { id: "t", file_path: "t", branch: "b", queue: "provisional", scope: "red" })
      const expected = {
        scope: "red",
        queue_counts: { incoming: 0, claimed: 0, provisional: 1 },
        provisional_tasks: [{ id: "t", hooks: null, pr_number: null, claimed_by: null }],
        orchestrator_registered: true,
        flows: { default: { states: defaultFlow.states } }
      }
      const answer = yield* send("GET", "/api/v1/scheduler/poll?orchestrator_id=k-m&scope=red")
      assert.deepStrictEqual(answer.body, expected)
      assert.match(answer.headers.get("server-timing")!, /trips=1 /)
      assert.deepStrictEqual((yield* send("GET", "/api/v1/scheduler/poll?orchestrator_id=k-m")).body, expected)
      const unnamed = yield* send("GET", "/api/v1/scheduler/poll?orchestrator_id=&scope=red")
      assert.deepStrictEqual(unnamed.body, { ...expected, orchestrator_registered: false })
    }))
})

it.effect("with REQUIRE_SCOPE, lists, registrations and polls must name a scope; reads by name need not", () =>
  Effect.gen(function*() {
    const { send } = yield* server.make({ REQUIRE_SCOPE: "true" })
    for (
      const [method, path, body, error] of [
        ["GET", flows, undefined, "Missing required query parameter: scope. Cannot list flows across all scopes."],
        ["PUT", `${flows}/qa`, testingFlow, "Missing required field: scope"],
        [
          "GET",
          "/api/v1/scheduler/poll",
          undefined,
          "Missing scope. Provide orchestrator_id (with registered scope) or scope query parameter."
        ]
      ] as const
    ) {
      const answer = yield* send(method, path, body)
      assert.deepStrictEqual([answer.status, answer.body.error], [400, error])
    }
    yield* send("PUT", `${flows}/qa?scope=red`, testingFlow)
    assert.strictEqual((yield* send("GET", `${flows}/qa`)).body.scope, "red")
    assert.strictEqual((yield* send("DELETE", `${flows}/qa`)).status, 200)
    assert.deepStrictEqual((yield* send("GET", "/api/v1/roles")).body, { roles: [], next_cursor: null })
  }))

it.effect("the typed client registers flows and roles, and polls", () =>
  Effect.gen(function*() {
    const { connect } = yield* server.make()
    const client = yield* connect({ scope: "red" })
    const query = {}
    const registered = yield* client.flows.register({ params: { name: "project" }, query, payload: projectFlow })
    assert.deepStrictEqual([registered.scope, registered.child_flow], ["red", projectFlow.child_flow])
    const bad = { ...testingFlow, transitions: [{ from: "x", to: "done" }] }
    const refused = yield* Effect.flip(client.flows.register({ params: { name: "qa" }, query, payload: bad }))
    assert.strictEqual(refused._tag, "InvalidFlow")
    assert.deepStrictEqual((yield* client.scheduler.poll({ query })).flows, { project: { states: projectFlow.states } })
    assert.deepStrictEqual((yield* client.roles.list({ query })).roles, [])
  }))
