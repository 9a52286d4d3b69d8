/** What clients expect of tasks and messages, and the old server never did. */
import { assert } from "@effect/vitest"
import { compatible, type Step } from "./support/cases.ts"
import {
  accept,
  claim,
  claimed,
  create,
  defaultFlow,
  get,
  message,
  patch,
  post,
  register,
  remove,
  submit
} from "./support/requests.ts"

const gone = (seconds: number): Step => ({ send: "cron", after: seconds * 1000 })

compatible("8.2: expected of tasks and messages, and now done", [
  {
    line: "8.2#11 without an offset the page of messages ends with the latest one, oldest first",
    steps: [
      { ...message({ content: "message {n}", to_actor: "agent" }), times: 60 },
      ...["messages?scope={scope}&to_actor=agent", "tasks/{id}/messages?scope={scope}"].map((path) =>
        get(path, {
          answer: { total: 60, limit: 50, offset: 10, "messages.length": 50, "messages.49.content": "message 59" }
        })
      ),
      get("messages?scope={scope}&offset=0&limit=2", { answer: { "messages.0.content": "message 0", offset: 0 } })
    ]
  },
  {
    line: "8.2#12 GET /tasks/:id/history tells who accepted, and outlives the task",
    steps: [
      ...claimed,
      submit(),
      accept(),
      remove("tasks/{id}"),
      get("tasks/{id}/history", {
        answer: { task_id: "{id}", total: 5 },
        check: ({ history }) => {
          assert.deepStrictEqual(history.map(({ event }: any) => event), [
            "created",
            "claimed",
            "submitted",
            "accepted",
            "deleted"
          ])
          assert.strictEqual(history[3].actor, "ben")
        }
      })
    ]
  },
  {
    line:
      "8.2#13 the reason of a rejection is last_rejection_reason; there is no rejection_reason, which would skip a step",
    steps: [
      ...claimed,
      submit(),
      post("tasks/{id}/reject", { reason: "no tests", rejected_by: "gatekeeper" }),
      get("tasks/{id}", { answer: { last_rejection_reason: "no tests" }, absent: ["rejection_reason"] })
    ]
  },
  {
    line: "8.2#14 messages have a status: of two that take one up, one gets it",
    steps: [
      message({ type: "action_command", to_actor: "agent" }, {
        answer: { status: "pending" },
        keep: { message: "id" }
      }),
      patch("messages/{message}", { status: "processing", expected_status: "pending" }, {
        answer: { status: "processing" }
      }),
      patch("messages/{message}", { status: "processing", expected_status: "pending" }, {
        status: 409,
        error: "is processing, not pending"
      }),
      patch("messages/{message}", { status: "done" }, { answer: { status: "done" } }),
      get("messages?scope={scope}&status=pending", { answer: { total: 0 } })
    ]
  },
  {
    line: "8.2#15 the server takes back an expired lease by itself, counts the attempt and clears needs_intervention",
    steps: [
      register,
      create(),
      claim({ lease_duration_seconds: 1 }),
      patch("tasks/{id}", { needs_intervention: true }),
      gone(1.2),
      get("tasks/{id}", {
        answer: {
          queue: "incoming",
          attempt_count: 1,
          needs_intervention: 0,
          claimed_by: null,
          claimed_at: null,
          orchestrator_id: null,
          lease_expires_at: null
        }
      }),
      submit({}, { answer: { queue: "provisional" } })
    ]
  },
  {
    line:
      "8.2#16 blocked_by takes a,b and TASK-a: claimable once all are done, and awaiting-approval until it is cleared",
    steps: [
      register,
      create({ id: "{id}a", file_path: "a", queue: "provisional" }),
      create({ id: "{id}b", file_path: "b", queue: "provisional" }),
      create({ blocked_by: "{id}a,TASK-{id}b" }),
      claim({}, { status: 404 }),
      post("tasks/{id}a/accept", { accepted_by: "ben" }),
      claim({}, { status: 404 }),
      post("tasks/{id}b/accept", { accepted_by: "ben" }),
      get("tasks/{id}", { answer: { blocked_by: null } }),
      claim({}, { answer: { id: "{id}" } }),
      create({ id: "{id}c", file_path: "c", blocked_by: "awaiting-approval" }, {
        answer: { blocked_by: "awaiting-approval" }
      }),
      claim({}, { status: 404 }),
      patch("tasks/{id}c", { blocked_by: null }, { answer: { blocked_by: null } }),
      claim({}, { answer: { id: "{id}c" } })
    ]
  },
  {
    line: "8.2#17 escalated, breakdown, rejected and recycled are queues, also when the default flow is registered",
    steps: [
      defaultFlow,
      create(),
      ...["escalated", "breakdown", "rejected", "recycled"].map((queue) =>
        patch("tasks/{id}", { queue }, { answer: { queue } })
      ),
      create({ id: "{id}-2", file_path: "2", queue: "breakdown", role: "breakdown" }, {
        answer: { queue: "breakdown" }
      })
    ]
  },
  {
    line: "8.2#18 registration without repo_url, as with the configuration that is shipped",
    steps: [
      post("orchestrators/register", {
        id: "c-{id}",
        cluster: "c",
        machine_id: "{id}",
        version: "2.0.0",
        max_agents: 3,
        scope: "{scope}"
      }, { status: 201, answer: { orchestrator_id: "c-{id}" } }),
      create(),
      claim({ orchestrator_id: "c-{id}" }, { answer: { id: "{id}" } })
    ]
  },
  {
    line: "8.2#19 hooks evidence without a key and without a scope, on a server without a secret",
    steps: [
      create({ hooks: "[{\"name\":\"run_tests\",\"point\":\"before_submit\",\"status\":\"pending\"}]" }),
      post("tasks/{id}/hooks/run_tests/complete", {
        status: "passed",
        evidence: { command: "pytest", exit_code: 0, output: "5 passed" }
      }, {
        check: ({ hooks }) =>
          assert.deepInclude(JSON.parse(hooks)[0], {
            status: "passed",
            evidence: { command: "pytest", exit_code: 0, output: "5 passed" }
          })
      })
    ]
  },
  {
    line: "8.2#20 a task that names neither scope nor branch gets main; with a scope, a branch is asked for as ever",
    steps: [
      post("tasks", { id: "{id}", file_path: "{id}.md" }, {
        status: 201,
        answer: { scope: "default", branch: "main" }
      }),
      post("tasks", { id: "{id}-2", file_path: "{id}-2.md", scope: "{scope}" }, {
        status: 400,
        error: "Missing required field: branch. Caller must set branch explicitly."
      }),
      post("orchestrators/register", { cluster: "ts", machine_id: "{id}", repo_url: "r" }, { status: 201 }),
      get("orchestrators/ts-{id}", { answer: { scope: "default" } })
    ]
  }
])
