/** The habits of the Python SDK: where it puts the scope, how it writes values, and which fields it reads. */
import { assert } from "@effect/vitest"
import { compatible } from "./support/cases.ts"
import { accept, claim, claimed, create, register, sdk, submit } from "./support/python.ts"

const ids = (rows: ReadonlyArray<{ readonly id: string }>) => rows.map(({ id }) => id)

compatible("the Python SDK's requests", [
  {
    line: "status.health() sends its scope like any other GET",
    steps: [{ send: "GET /api/health?scope={scope}", answer: { status: "healthy" } }]
  },
  {
    line: "7.1: the scope is in the query of a GET and in the JSON body of everything else",
    steps: [
      create(),
      sdk.get("tasks", {}, { answer: { "tasks.length": 1, "tasks.0.scope": "{scope}" } }),
      sdk.get("tasks", { scope: "{scope}-other" }, { answer: { tasks: [] } }),
      sdk.patch("tasks/{id}", { title: "new" }, { answer: { title: "new" } }),
      sdk.patch("tasks/{id}", { title: "newer", scope: "{scope}-other" }, { status: 404 })
    ]
  },
  {
    line: "2.3: tasks.delete and messages about it carry no scope, no body and no content type",
    steps: [
      create(),
      sdk.delete("tasks/{id}", { answer: { message: "Task deleted", task_id: "{id}" } }),
      sdk.delete("tasks/{id}", { status: 404, error: "Task not found" }),
      sdk.get("tasks/{id}", {}, { status: 404 })
    ]
  },
  {
    line: "2.3: every call by id finds the task without being told the scope",
    steps: [
      ...claimed,
      { send: "GET /api/v1/tasks/{id}", answer: { id: "{id}" } },
      { send: "PATCH /api/v1/tasks/{id}", body: { title: "new" }, answer: { title: "new" } },
      { send: "POST /api/v1/tasks/{id}/submit", body: { commits_count: 1, turns_used: 2 } },
      { send: "POST /api/v1/tasks/{id}/reject", body: { reason: "r", rejected_by: "orchestrator" } },
      claim(),
      { send: "POST /api/v1/tasks/{id}/requeue", answer: { queue: "incoming", attempt_count: 1 } },
      {
        send: "POST /api/v1/tasks/{id}/force-queue",
        body: { queue: "provisional", reason: "r" },
        answer: { queue: "provisional" }
      },
      { send: "POST /api/v1/tasks/{id}/accept", body: { accepted_by: "human" }, answer: { queue: "done" } }
    ]
  },
  {
    line: "1.1: ids in a path are decoded, and HEAD works where GET does",
    steps: [
      create({ id: "{id}/a b", file_path: "{id}/a b.md" }),
      sdk.get("tasks/{id}%2Fa%20b", {}, { answer: { id: "{id}/a b" } }),
      { send: "HEAD /api/v1/tasks?scope={scope}" }
    ]
  },
  {
    line: "tasks.get and projects.get: unknown is a 404, which they read as None",
    steps: [
      sdk.get("tasks/no-{id}", {}, { status: 404, error: "Task not found", answer: { task_id: "no-{id}" } }),
      sdk.get("projects/no-{id}", {}, { status: 404, error: "not found" })
    ]
  },
  {
    line: "1.4: every list is an envelope of its plural, total, offset and limit, 50 unless asked otherwise",
    steps: ["tasks", "drafts", "projects", "actions", "messages"].map((list) =>
      sdk.get(list, {}, { answer: { [list]: [], total: 0, offset: 0, limit: 50 } })
    )
  },
  {
    line: "flows.list, orchestrators and roles answer their plural too",
    steps: [
      sdk.get("flows", {}, { answer: { flows: [] } }),
      sdk.get("orchestrators", {}, { answer: { orchestrators: [] } }),
      sdk.get("roles", {}, { answer: { roles: [] } })
    ]
  }
])

const three = [
  create({ id: "{id}-a", file_path: "{id}-a", priority: "P2" }),
  create({ id: "{id}-b", file_path: "{id}-b", priority: "P0", role: "review", type: "bug", flow: "qa" }),
  create({ id: "{id}-c", file_path: "{id}-c", priority: "P1", role: "breakdown" })
]

compatible("tasks.list", [
  {
    line: "newest first; sort=priority is most urgent first",
    steps: [
      ...three,
      sdk.get("tasks", {}, { answer: { "tasks.0.id": "{id}-c", "tasks.2.id": "{id}-a" } }),
      sdk.get("tasks", { sort: "priority" }, { answer: { "tasks.0.id": "{id}-b", "tasks.2.id": "{id}-a" } })
    ]
  },
  {
    line: "queue, priority and role are comma lists; claimed_by and project_id are exact",
    steps: [
      ...three,
      sdk.get("tasks", { queue: "incoming,claimed" }, { answer: { total: 3 } }),
      sdk.get("tasks", { queue: "claimed" }, { answer: { total: 0 } }),
      sdk.get("tasks", { priority: "P0,P1" }, { answer: { total: 2 } }),
      sdk.get("tasks", { role: "review,breakdown" }, { answer: { total: 2 } }),
      sdk.get("tasks", { claimed_by: "implementer-1" }, { answer: { total: 0 } }),
      sdk.get("tasks", { project_id: "none" }, { answer: { total: 0 } })
    ]
  },
  {
    line: "8.1#10: pr_number, type, flow and the flags narrow the list",
    steps: [
      ...three,
      sdk.patch("tasks/{id}-a", { pr_number: 7, has_plan: true, auto_accept: true, needs_rebase: true }),
      ...["pr_number=7", "has_plan=True", "auto_accept=True", "needs_rebase=True"].map((filter) => ({
        send: `GET /api/v1/tasks?${filter}&scope={scope}` as const,
        answer: { total: 1, "tasks.0.id": "{id}-a" }
      })),
      sdk.get("tasks", { type: "bug" }, { answer: { total: 1, "tasks.0.id": "{id}-b" } }),
      sdk.get("tasks", { flow: "qa" }, { answer: { total: 1, "tasks.0.id": "{id}-b" } }),
      sdk.get("tasks", { pr_number: 8 }, { answer: { total: 0 } })
    ]
  },
  {
    line: "8.1#11, 8.3: needs_intervention=True lists only tasks that need it, False only the others",
    steps: [
      ...three,
      sdk.patch("tasks/{id}-b", { needs_intervention: true }, { answer: { needs_intervention: 1 } }),
      sdk.get("tasks", { needs_intervention: true }, { answer: { total: 1, "tasks.0.id": "{id}-b" } }),
      sdk.get("tasks", { needs_intervention: false }, { answer: { total: 2 } }),
      ...["true", "1"].map((flag) =>
        sdk.get("tasks", { needs_intervention: flag }, { answer: { total: 1, "tasks.0.id": "{id}-b" } })
      )
    ]
  },
  {
    line: "rows hold what expiry and the fixer read: lease, claimer, integers and the content",
    steps: [
      ...claimed,
      sdk.get("tasks", { queue: "claimed" }, {
        answer: {
          "tasks.0.claimed_by": "implementer-1",
          "tasks.0.attempt_count": 0,
          "tasks.0.content": "# Do it\n\nAll of it."
        },
        check: ({ tasks }) => assert.isAbove(Date.parse(tasks[0].lease_expires_at), Date.now())
      })
    ]
  },
  {
    line: "a page is 50 rows, `total` counts all, and the rest is reached by limit and offset",
    steps: [
      create({ id: "{id}-{n}", file_path: "{id}-{n}" }, { times: 60 }),
      sdk.get("tasks", {}, {
        answer: { "tasks.length": 50, total: 60, limit: 50, offset: 0 },
        check: ({ tasks }) => assert.strictEqual(new Set(ids(tasks)).size, 50)
      }),
      sdk.get("tasks", { limit: 1000, offset: 50 }, { answer: { "tasks.length": 10, total: 60, limit: 500 } }),
      sdk.get("tasks", { limit: 0 }, { answer: { tasks: [], total: 60, limit: 0 } })
    ]
  }
])

compatible("the SDK's writes", [
  {
    line: "9: unknown and undeclared fields are tolerated on every write",
    steps: [
      register,
      create({ base_branch: "main", expedite: true, whatever: { deep: [1] } }),
      claim({ whatever: 1, priority_order: ["P0"] }, { answer: { id: "{id}" } }),
      sdk.patch("tasks/{id}", { title: "t", whatever: null }, { answer: { title: "t" } }),
      submit({ whatever: "x" }),
      sdk.post("tasks/{id}/accept", { accepted_by: "scheduler", merge_method: "squash" }, {
        answer: { queue: "done" }
      }),
      sdk.post("projects", { id: "{id}", title: "t", branch: "b", whatever: 1 }, { status: 201 }),
      sdk.post("drafts", { title: "t", author: "a", whatever: 1 }, { status: 201 })
    ]
  },
  {
    line: "tasks.create of an id there is already is an error, so that test_create_duplicate_task_id raises",
    steps: [
      create(),
      create({ file_path: "other-{id}.md" }, { status: 409, error: "already exists" }),
      sdk.get("tasks/{id}", {}, { answer: { file_path: "TASK-{id}.md" } })
    ]
  },
  {
    line: "D8: another project may have a task of the same file_path; its ids are its own",
    steps: [create(), create({ id: "{id}-2", scope: "{scope}-other" }), create({ id: "{id}-3" }, { status: 409 })]
  },
  {
    line: "accept() without accepted_by sends {} and the scope: a 400 that names the field",
    steps: [
      ...claimed,
      sdk.post("tasks/{id}/accept", {}, { status: 400, error: "Missing required field: accepted_by" }),
      accept({ answer: { queue: "done", id: "{id}" } })
    ]
  },
  {
    line:
      "reject() without rejected_by says orchestrator; 8.1#9, 8.2#13: the reason is kept under a name no client reads",
    steps: [
      ...claimed,
      submit(),
      sdk.post("tasks/{id}/reject", { reason: "no tests", rejected_by: "orchestrator" }, {
        answer: { queue: "incoming", rejection_count: 1, last_rejection_reason: "no tests", claimed_by: null },
        check: (task) => assert.notProperty(task, "rejection_reason")
      })
    ]
  }
])
