/** The page says which actions a task allows. The server must agree: it does what the page offers, and refuses what the page does not. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { stepsOf } from "../../src/app/parts/flow.ts"
import { type ActionName, actionsOf } from "../../src/app/screens/task/actions.ts"
import * as server from "../support/server.ts"

/** The requests of the actions that the state of the task decides about. */
const requests: Partial<Record<ActionName, readonly [path: string, body: Record<string, unknown>]>> = {
  accept: ["accept", { accepted_by: "ada" }],
  reject: ["reject", { rejected_by: "ada", reason: "No test." }],
  requeue: ["requeue", { requeued_by: "ada" }],
  release: ["requeue", { release: true, requeued_by: "ada" }],
  cancel: ["cancel", { cancelled_by: "ada" }],
  fail: ["fail", { failed_by: "ada", reason: "It cannot be done." }],
  redrive: ["redrive", { redriven_by: "ada" }]
}

const states = [
  "incoming",
  "claimed",
  "claimed, asked to stop",
  "provisional",
  "provisional, in review",
  "needs_continuation",
  "requires-intervention",
  "done",
  "failed",
  "cancelled"
] as const

const flow = {
  states: ["incoming", "claimed", "provisional", "done"],
  transitions: [{ from: "incoming", to: "claimed" }, { from: "claimed", to: "provisional" }, {
    from: "provisional",
    to: "done"
  }]
}

describe.each(["default", "strict"])("a task of the flow %s", (name) => {
  it.effect.each(states)("allows what the page says: %s", (state) =>
    Effect.gen(function*() {
      const { send } = yield* server.make()
      const post = (path: string, body: unknown) => send("POST", `/api/v1/${path}?scope=s`, body)
      if (name === "strict") {
        yield* send("PUT", "/api/v1/flows/strict?scope=s", { ...flow, child_flow: { transitions: [] } })
      }
      const registered = (yield* send("GET", "/api/v1/flows?scope=s")).body.flows[0]
      yield* post("orchestrators/register", { cluster: "c", machine_id: "m" })
      const claim = (queue: string) =>
        post("tasks/claim", { orchestrator_id: "c-m", agent_name: "ann", queue, lease_duration_seconds: 600 })

      for (const [action, [path, body]] of Object.entries(requests) as Array<[ActionName, readonly [string, object]]>) {
        const id = `t-${action}`
        yield* post("tasks", { id, file_path: `${id}.md`, title: id, branch: "main", flow: name, role: action })
        const [queue, besides] = state.split(", ")
        if (queue === "claimed" || queue === "provisional") {
          yield* claim("incoming")
          if (queue === "provisional") {
            yield* post(`tasks/${id}/submit`, { commits_count: 1, turns_used: 1 })
            if (besides !== undefined) yield* claim("provisional")
          } else if (besides !== undefined) yield* post(`tasks/${id}/cancel`, {})
        } else if (queue !== "incoming") yield* post(`tasks/${id}/force-queue`, { queue, reason: "For the test." })
        const { body: task } = yield* send("GET", `/api/v1/tasks/${id}`)
        assert.strictEqual(task.queue, queue, action)

        const judged = actionsOf({
          task,
          steps: registered === undefined ? undefined : stepsOf(registered),
          mayManage: true,
          mayWork: true,
          mayForce: true
        }).find((one) => one.name === action)!
        const answer = yield* post(`tasks/${id}/${path}`, body)
        // A second request to cancel changes nothing, and is answered.
        const isSecond = action === "cancel" && (task.cancel_requested_at !== null || queue === "cancelled")
        assert.strictEqual(
          judged.not === undefined || isSecond,
          answer.status === 200,
          `${action}: the page says ${judged.not ?? "yes"}, the server ${answer.status} ${answer.body.error ?? ""}`
        )
        // The next one is claimed alone.
        yield* send("DELETE", `/api/v1/tasks/${id}`)
      }
    }))
})

describe("a key", () => {
  const task = {
    queue: "provisional",
    lease_expires_at: null,
    claimed_by: null,
    cancel_requested_at: null,
    project_id: null,
    flow: "default"
  }
  const allowed = (rights: { mayManage: boolean; mayWork: boolean; mayForce: boolean }) =>
    actionsOf({ task, steps: undefined, ...rights } as never).filter(({ not }) => not === undefined).map(({ name }) =>
      name
    )

  it("that may only read can do nothing, and one that may work can write", () => {
    assert.deepStrictEqual(allowed({ mayManage: false, mayWork: false, mayForce: false }), [])
    assert.deepStrictEqual(allowed({ mayManage: false, mayWork: true, mayForce: false }), ["message"])
  })

  it("of a scope does not force a task", () => {
    assert.notInclude(allowed({ mayManage: true, mayWork: true, mayForce: false }), "force")
    assert.include(allowed({ mayManage: true, mayWork: true, mayForce: true }), "force")
  })
})
