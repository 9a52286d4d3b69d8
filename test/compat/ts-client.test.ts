/** The TypeScript client, its SDK and its commands: `packages/client` and `packages/sdk`. */
import { assert } from "@effect/vitest"
import { compatible, type Step } from "./support/cases.ts"
import {
  claimTask,
  client,
  createTask,
  offlineWords,
  registerOrchestrator,
  submitCompletion
} from "./support/typescript.ts"

const held: ReadonlyArray<Step> = [registerOrchestrator(), createTask(), claimTask()]

const project = (rest: object = {}): Step =>
  client.post("/projects", {
    id: "PROJ-{id}",
    title: "Rework",
    description: "all of it",
    branch: "feature/x",
    base_branch: "main",
    auto_accept: false,
    created_by: "human"
  }, { status: 201, ...rest })

compatible("the TypeScript client", [
  {
    line: "healthCheck and the sync manager's probe want a 2xx, the status command a version",
    steps: [{ send: "GET /api/health", answer: { status: "healthy", version: "2.0.0", database: "connected" } }]
  },
  {
    line: "registerOrchestrator without a scope: 201, then 200 for a machine that is known",
    steps: [
      registerOrchestrator({ answer: { orchestrator_id: "ts-{id}", status: "active" } }),
      registerOrchestrator({ status: 200, answer: { orchestrator_id: "ts-{id}", status: "active" } })
    ]
  },
  {
    line: "heartbeat sends { timestamp } and reads { success }",
    steps: [
      registerOrchestrator(),
      client.post("/orchestrators/ts-{id}/heartbeat", { timestamp: "2026-03-02T10:00:00.000Z" }, {
        answer: { success: true }
      }),
      client.post("/orchestrators/ts-nobody/heartbeat", { timestamp: "2026-03-02T10:00:00.000Z" }, {
        status: 404,
        error: "Orchestrator not found"
      })
    ]
  },
  {
    line: "listOrchestrators by cluster and by a,b of statuses, and the status command's look at its own",
    steps: [
      registerOrchestrator(),
      client.get("/orchestrators?cluster=ts&status=active,maintenance", undefined, {
        check: ({ orchestrators, total }) => assert.strictEqual(orchestrators.length, total)
      }),
      client.get("/orchestrators?cluster=ts&status=offline", undefined, { answer: { orchestrators: [], total: 0 } }),
      client.get("/orchestrators/ts-{id}", undefined, { answer: { status: "active", hostname: "laptop" } }),
      client.get("/tasks?limit=1000", undefined, { answer: { limit: 500, offset: 0 } })
    ]
  },
  {
    line: "8.2#20: createTask without scope and branch works on main, in the scope that listTasks without scope lists",
    steps: [
      createTask({}, { answer: { id: "TASK-{id}", scope: "default", branch: "main", queue: "incoming" } }),
      client.get("/tasks?role={id}", undefined, { answer: { total: 1, "tasks.0.id": "TASK-{id}" } }),
      createTask({}, { status: 409, error: "TASK-{id}" })
    ]
  },
  {
    line: "createTask keeps what the typed request has: hooks and flow, type, blocker, project and its branch",
    steps: [
      project(),
      createTask({
        type: "feature",
        complexity: "M",
        project_id: "PROJ-{id}",
        blocked_by: "TASK-other",
        hooks: "[{\"name\":\"run_tests\",\"point\":\"before_submit\",\"type\":\"script\",\"status\":\"pending\"}]",
        flow: "default",
        content: "# Do it"
      }, {
        answer: {
          type: "feature",
          complexity: "M",
          project_id: "PROJ-{id}",
          branch: "feature/x",
          blocked_by: "TASK-other",
          content: "# Do it"
        }
      })
    ]
  },
  {
    line: "listTasks joins its filters with commas",
    steps: [
      ...held,
      client.get(
        "/tasks?queue=incoming,claimed&priority=P0,P1&role={id},x&claimed_by=implementer-1&limit=10",
        undefined,
        {
          answer: { total: 1, limit: 10, "tasks.0.id": "TASK-{id}", "tasks.0.claimed_by": "implementer-1" }
        }
      ),
      client.get("/tasks?queue=done,failed&role={id}", undefined, { answer: { tasks: [], total: 0 } }),
      client.get("/tasks?project_id=PROJ-{id}", undefined, { answer: { tasks: [], total: 0 } })
    ]
  },
  {
    line: "getTask of an unknown task is a 404 with text in `error`, which the SDK reads as null",
    steps: [client.get("/tasks/TASK-{id}", undefined, { status: 404, error: "Task not found" })]
  },
  {
    line: "updateTask sends what changes, and the version if it has one",
    steps: [
      createTask(),
      client.patch("/tasks/TASK-{id}", { priority: "P0", pr_number: 7, pr_url: "https://x/7", version: 1 }, {
        answer: { priority: "P0", pr_number: 7, pr_url: "https://x/7", version: 2 }
      }),
      client.patch("/tasks/TASK-{id}", { priority: "P1", version: 1 }, { status: 409, error: "version 2" })
    ]
  },
  {
    line: "deleteTask answers an object, never nothing",
    steps: [
      createTask(),
      client.delete("/tasks/TASK-{id}", undefined, { answer: { message: "Task deleted", task_id: "TASK-{id}" } })
    ]
  },
  {
    line: "8.2#2: claimTask of nothing: 404 as Python needs it, 204 for a client that asks with Prefer: return=minimal",
    steps: [
      registerOrchestrator(),
      claimTask({}, { status: 404, answer: { message: "No tasks available" }, error: "" }),
      claimTask({}, {
        headers: { prefer: "return=minimal" },
        status: 204,
        check: (body) => assert.isUndefined(body)
      })
    ]
  },
  {
    line: "claimTask gives the most urgent task of its roles, held by the agent until its lease ends",
    steps: [
      registerOrchestrator(),
      createTask(),
      createTask({ id: "TASK-{id}-0", file_path: "{id}-0", priority: "P0" }),
      claimTask({ type_filter: null, lease_duration_seconds: 600 }, {
        answer: { id: "TASK-{id}-0", queue: "claimed", claimed_by: "implementer-1", orchestrator_id: "ts-{id}" },
        check: ({ claimed_at, lease_expires_at }) =>
          assert.strictEqual(Date.parse(lease_expires_at) - Date.parse(claimed_at), 600_000)
      })
    ]
  },
  {
    line: "submitCompletion, then approve",
    steps: [
      ...held,
      submitCompletion({ check_results: "{\"tests\":\"ok\"}", execution_notes: "done" }, {
        answer: { queue: "provisional", commits_count: 2, turns_used: 30, execution_notes: "done", claimed_by: null }
      }),
      client.post("/tasks/TASK-{id}/accept", { accepted_by: "human", completed_at: "2026-03-02T10:00:00.000Z" }, {
        answer: { queue: "done", completed_at: "2026-03-02T10:00:00.000Z" }
      })
    ]
  },
  {
    line: "reject sends its reason and who",
    steps: [
      ...held,
      submitCompletion(),
      client.post("/tasks/TASK-{id}/reject", { reason: "no tests", rejected_by: "human" }, {
        answer: { queue: "incoming", rejection_count: 1, last_rejection_reason: "no tests" }
      })
    ]
  },
  {
    line: "the sync manager counts what is below 400 as synced: a queued update, submit and accept replay in order",
    steps: [
      ...held,
      client.patch("/tasks/TASK-{id}", { queue: "claimed", claimed_by: "implementer-1" }),
      submitCompletion(),
      client.post("/tasks/TASK-{id}/accept", { accepted_by: "human" })
    ]
  },
  {
    line: "no error says a word that it takes for an unreachable server, not even one it quotes",
    steps: [
      client.get("/tasks/network-timeout", undefined, { status: 404 }),
      client.patch("/tasks/ECONNREFUSED", { title: "x" }, { status: 404 }),
      createTask({ id: "{id}-ETIMEDOUT network fetch failed" }),
      createTask({ id: "{id}-ETIMEDOUT network fetch failed" }, { status: 409 }),
      createTask({ project_id: "enotfound-timeout" }, { status: 400 }),
      claimTask({ orchestrator_id: "network" }, { status: 400 })
    ].map((step) =>
      step.status === 201 ? step : { ...step, check: ({ error }) => assert.notMatch(error, offlineWords) }
    )
  },
  {
    line: "projects are created, listed, read, updated and deleted without a scope",
    steps: [
      project({ answer: { id: "PROJ-{id}", status: "draft", branch: "feature/x", auto_accept: false } }),
      project({ status: 409, error: "Project PROJ-{id} already exists" }),
      client.get("/projects?status=draft&created_by=human", undefined, {
        check: ({ projects, total }) => assert.strictEqual(projects.length, total)
      }),
      client.patch("/projects/PROJ-{id}", { status: "active" }, { answer: { status: "active" } }),
      client.get("/projects/PROJ-{id}", undefined, { answer: { status: "active", created_by: "human" } }),
      client.get("/projects/PROJ-{id}/tasks", undefined, { answer: { project_id: "PROJ-{id}", tasks: [], total: 0 } }),
      client.delete("/projects/PROJ-{id}", undefined, { answer: { message: "Project PROJ-{id} deleted" } }),
      client.post("/projects", { id: "PROJ-{id}-2", title: "no branch" }, {
        status: 400,
        error: "Missing required fields: branch ("
      })
    ]
  },
  {
    line: "8.1#15: drafts are created with a slug, and shown, updated and deleted by the number they get",
    steps: [
      client.post("/drafts", { id: "my-idea-{id}", title: "Idea", author: "human", status: "idea", tags: ["x"] }, {
        status: 201,
        answer: { slug: "my-idea-{id}", tags: "[\"x\"]" },
        keep: { draft: "id" },
        check: ({ id, tags }) => {
          assert.isNumber(id)
          assert.deepStrictEqual(JSON.parse(tags), ["x"])
        }
      }),
      client.get("/drafts/{draft}", undefined, { answer: { title: "Idea" } }),
      client.patch("/drafts/{draft}", { status: "approved", tags: ["y"] }, {
        answer: { status: "approved", tags: "[\"y\"]" }
      }),
      client.get("/drafts?status=approved&author=human", undefined, { answer: { total: 1, limit: 50, offset: 0 } }),
      client.get("/drafts/my-idea-{id}", undefined, { status: 400, error: "Draft ID must be an integer" }),
      client.delete("/drafts/{draft}", undefined, { answer: { message: "Draft {draft} deleted" } })
    ]
  }
])
