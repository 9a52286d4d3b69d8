/** How values are spelled in answers: what `fromisoformat`, `json.loads` and plain arithmetic in the clients can take. */
import { assert } from "@effect/vitest"
import { compatible } from "./support/cases.ts"
import { accept, claim, claimed, create, defaultFlow, instants, register, sdk, submit } from "./support/python.ts"

const columns = `
  id file_path queue priority complexity role branch blocked_by claimed_by claimed_at commits_count
  turns_used attempt_count has_plan plan_id project_id auto_accept rejection_count pr_number pr_url
  checks check_results needs_rebase last_rebase_attempt_at staging_url submitted_at completed_at
  created_at updated_at orchestrator_id lease_expires_at version needs_breakdown review_round
  execution_notes title type hooks flow flow_overrides scope content needs_intervention
`.trim().split(/\s+/)

// Clients give these a meaning of their own, or treat a task that has them otherwise.
const avoided = `
  rejection_reason base_branch branch_name agent assigned_to breakdown_id parent_id expedite created
`.trim().split(/\s+/)

const counters = ["commits_count", "attempt_count", "rejection_count", "version", "review_round"]
const flags = ["has_plan", "auto_accept", "needs_rebase", "needs_breakdown", "needs_intervention"]

const whole = (task: any) => {
  assert.includeMembers(Object.keys(task), columns)
  for (const key of avoided) assert.notProperty(task, key)
  for (const key of counters) assert.isTrue(Number.isInteger(task[key]), key)
  for (const key of flags) assert.include([0, 1], task[key], key)
  instants(task)
}

compatible("the values in answers", [
  {
    line:
      "3.1: every column in every task, list or single; counters are integers, flags 0 or 1; 8.5: no names with a meaning",
    steps: [
      register,
      create({}, { check: whole }),
      claim({}, { check: whole }),
      submit({}, { check: whole }),
      sdk.get("tasks", {}, { check: ({ tasks }) => tasks.forEach(whole) }),
      accept({ check: whole }),
      sdk.get("tasks/{id}", {}, { check: whole })
    ]
  },
  {
    line: "7.2: `attempt_count + 1` and `rejection_count > 0` get integers, also after a PATCH with null",
    steps: [
      create(),
      sdk.patch("tasks/{id}", { attempt_count: null, rejection_count: null, commits_count: null }, { check: whole })
    ]
  },
  {
    line: "1.5: instants are ISO 8601 with three digits and Z, in every record and after every move",
    steps: [
      { ...register, check: instants },
      sdk.post("orchestrators/c-{id}/heartbeat", undefined, { check: instants }),
      sdk.get("orchestrators", {}, { answer: { "orchestrators.length": 1 }, check: instants }),
      { ...defaultFlow, check: instants },
      sdk.get("flows", {}, { answer: { "flows.length": 1 }, check: instants }),
      create(),
      claim(),
      submit(),
      sdk.post("tasks/{id}/force-queue", { queue: "done", reason: "r" }, {
        check: (task) => {
          instants(task)
          assert.isString(task.completed_at)
        }
      }),
      sdk.get("tasks/{id}/messages", {}, { answer: { "messages.0.type": "force_queue" }, check: instants }),
      sdk.get("tasks/{id}/history", {}, { check: instants }),
      sdk.post("projects", { id: "{id}", title: "t", branch: "b" }, { status: 201, check: instants }),
      sdk.patch("projects/{id}", { status: "completed" }, { check: instants }),
      sdk.post("drafts", { title: "t", author: "a" }, { status: 201, check: instants }),
      sdk.post("messages", { task_id: "{id}", from_actor: "a", type: "comment", content: "c" }, {
        status: 201,
        check: instants
      }),
      sdk.post("roles/register", { orchestrator_id: "c-{id}", roles: [{ name: "implement" }] }, { check: instants }),
      { send: "GET /api/health", check: instants }
    ]
  },
  {
    line: "1.5: hooks, checks' results and flow_overrides are text, sent as text or as JSON",
    steps: [
      create({ hooks: "[{\"name\":\"run_tests\"}]" }, { answer: { hooks: "[{\"name\":\"run_tests\"}]" } }),
      sdk.patch("tasks/{id}", { hooks: [{ name: "lint" }], check_results: { ci: { status: "fail" } } }, {
        answer: { hooks: "[{\"name\":\"lint\"}]", check_results: "{\"ci\":{\"status\":\"fail\"}}" }
      }),
      sdk.patch("tasks/{id}", { hooks: null, check_results: null }, { answer: { hooks: null, check_results: null } })
    ]
  },
  {
    line: "draft tags and action_data are text, sent as a list or a dict",
    steps: [
      sdk.post("drafts", { title: "t", author: "a", tags: ["x", "y"] }, {
        status: 201,
        answer: { tags: "[\"x\",\"y\"]" },
        check: ({ id }) => assert.isTrue(Number.isInteger(id)),
        keep: { draft: "id" }
      }),
      sdk.patch("drafts/{draft}", { tags: null }, { answer: { tags: null } })
    ]
  },
  {
    line: "8.1#3, 8.5: metadata of create_task is kept, and its checks are not the task's, which reports iterate over",
    steps: [
      create({}, {
        answer: { checks: null, metadata: { created_by: "human", checks: ["gk-testing"], breakdown_depth: 1 } }
      }),
      sdk.get("tasks/{id}", {}, { answer: { checks: null, "metadata.created_by": "human" } })
    ]
  },
  {
    line: "3.1: empty texts of create become defaults, and left out they are the same",
    steps: [
      sdk.post("tasks", { id: "{id}", file_path: "{id}", branch: "b", queue: "incoming", priority: "", role: "" }, {
        status: 201,
        answer: {
          title: "{id}",
          priority: "P2",
          role: null,
          flow: "default",
          attempt_count: 0,
          content: null,
          turns_used: null
        }
      })
    ]
  }
])

compatible("the errors of the SDK's calls", [
  {
    line: "9: missing fields are named in the contract's words",
    steps: [
      sdk.post("tasks", { title: "t" }, { status: 400, error: "Missing required fields: id, file_path" }),
      sdk.post("tasks", { id: "{id}", file_path: "f" }, { status: 400, error: "Missing required field: branch" }),
      sdk.post("tasks/claim", {}, { status: 400, error: "Missing required fields: orchestrator_id, agent_name" }),
      create(),
      sdk.post("tasks/{id}/submit", {}, {
        status: 400,
        error: "Missing required fields: commits_count, turns_used"
      }),
      sdk.post("tasks/{id}/reject", {}, { status: 400, error: "Missing required fields: reason, rejected_by" }),
      sdk.post("tasks/{id}/force-queue", {}, { status: 400, error: "Missing required fields: queue, reason" }),
      sdk.post("orchestrators/register", {}, { status: 400, error: "Missing required fields: cluster, machine_id" }),
      sdk.post("messages", {}, {
        status: 400,
        error: "Missing required fields: task_id, from_actor, type, content"
      }),
      sdk.post("actions", {}, {
        status: 400,
        error: "Missing required fields: entity_type, entity_id, label, proposed_by"
      }),
      sdk.post("projects", {}, { status: 400, error: "Missing required fields: id, title, branch" }),
      sdk.post("drafts", {}, { status: 400, error: "Missing required fields: title, author" }),
      sdk.post("roles/register", {}, { status: 400, error: "Missing required fields: orchestrator_id, roles" }),
      sdk.put("flows/f", { transitions: [] }, { status: 400, error: "Missing required field: states (array)" }),
      sdk.patch("orchestrators/x", {}, { status: 400, error: "Missing field: status" })
    ]
  },
  {
    line: "9: accept of a task that is not ready is 409 `Failed to accept task`, with details as texts",
    steps: [
      create(),
      accept({
        status: 409,
        error: "Failed to accept task",
        answer: {
          task_id: "{id}",
          details: ["Invalid transition: task is in incoming, expected provisional or claimed"]
        }
      }),
      submit({}, {
        status: 409,
        answer: { details: ["Invalid transition: task is in incoming, expected claimed"] }
      })
    ]
  },
  {
    line: "9: a PATCH to done is refused and names /accept; one with nothing known in it has no fields to update",
    steps: [
      create(),
      sdk.patch("tasks/{id}", { queue: "done" }, { status: 400, error: "Cannot set queue to \"done\"" }),
      sdk.patch("tasks/{id}", { queue: "done" }, { status: 400, error: "/accept" }),
      sdk.patch("tasks/{id}", { whatever: 1 }, { status: 400, error: "No fields to update" }),
      sdk.patch("tasks/no-{id}", { title: "t" }, { status: 404, error: "Task not found" })
    ]
  },
  {
    line: "1.2: `error` never says network or timeout, whatever a caller calls its tasks",
    steps: [
      ["GET /api/v1/tasks/network-timeout?scope={scope}"] as const,
      ["POST /api/v1/tasks/Network/submit", { commits_count: 0, turns_used: 0 }] as const,
      ["POST /api/v1/tasks", { id: "{id}", file_path: "f", branch: "b", project_id: "fetch failed, timeout" }] as const,
      ["PUT /api/v1/flows/default", { states: ["network", "timeout"], transitions: [] }] as const,
      ["GET /api/v1/network/timeout"] as const
    ].map(([send, body]) => ({
      send,
      body,
      status: [400, 404],
      check: ({ error }: { error: string }) => {
        assert.isString(error)
        assert.notMatch(error, /network|timeout|fetch failed|econnrefused|enotfound|etimedout/i)
      }
    }))
  },
  {
    line: "1.2: what used to be a 500 names what does not fit, as text",
    steps: [
      { send: "POST /api/v1/tasks", body: "{not json", status: 400, error: "JSON" },
      { send: "POST /api/v1/tasks", body: "null", status: 400, error: "" },
      create({ project_id: "no-{id}" }, { status: 400, error: "no-{id}" }),
      sdk.get("tasks", { limit: "abc" }, { status: 400, error: "limit" }),
      create(),
      sdk.patch("tasks/{id}", { queue: null }, { answer: { queue: "incoming" } }),
      sdk.patch("tasks/{id}", { branch: null }, { answer: { branch: "main" } }),
      claim({ agent_name: "a", lease_duration_seconds: "abc" }, { status: 400, error: "lease_duration_seconds" }),
      claim({ orchestrator_id: "nobody-{id}" }, { status: 400, error: "nobody-{id}" })
    ]
  },
  {
    line: "9: unknown roles are refused by name once the scope has roles",
    steps: [
      ...claimed,
      sdk.post("roles/register", { orchestrator_id: "c-{id}", roles: [{ name: "implement" }] }),
      create({ id: "{id}-2", file_path: "2", role: "pilot" }, { status: 400, error: "Unknown role 'pilot'" }),
      claim({ role_filter: ["pilot"] }, { status: 400, error: "Unknown role 'pilot'" })
    ]
  }
])
