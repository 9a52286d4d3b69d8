/** Scripts and commands that look after a project: requeue, status, sweep, clean up, and moves by hand. */
import { assert } from "@effect/vitest"
import { compatible } from "./support/cases.ts"
import { accept, claim, claimed, create, defaultFlow, sdk, submitted } from "./support/python.ts"

compatible("requeue, status, sweep and clean up", [
  {
    line: "requeue_all: lists a queue and PATCHes each task back to incoming",
    steps: [
      defaultFlow,
      ...claimed,
      sdk.get("tasks", { queue: "claimed" }, { answer: { "tasks.0.id": "{id}" } }),
      sdk.patch("tasks/{id}", { queue: "incoming", claimed_by: null }, {
        answer: { queue: "incoming", claimed_by: null, claimed_at: null, lease_expires_at: null }
      }),
      sdk.patch("tasks/{id}", { queue: "failed" }),
      sdk.patch("tasks/{id}", { queue: "incoming", claimed_by: null }, { answer: { queue: "incoming" } }),
      claim({}, { answer: { id: "{id}" } })
    ]
  },
  {
    line: "octopoid-status: one list without a queue is the newest of everything",
    steps: [
      ...submitted,
      create({ id: "{id}-2", file_path: "2" }),
      sdk.get("tasks", {}, {
        check: ({ tasks }) => assert.deepStrictEqual(tasks.map(({ queue }: any) => queue), ["incoming", "provisional"])
      }),
      sdk.get("tasks", { limit: 1000 }, { answer: { total: 2 } })
    ]
  },
  {
    line: "sweep_stale_resources: done and failed rows tell when they ended, and looking at them changes nothing",
    steps: [
      ...submitted,
      accept({ keep: { updated: "updated_at" } }),
      create({ id: "{id}-f", file_path: "f" }),
      sdk.patch("tasks/{id}-f", { queue: "failed" }, { keep: { failed: "updated_at" } }),
      { send: "cron", after: 20 },
      sdk.get("tasks", { queue: "done" }, { answer: { total: 1, "tasks.0.updated_at": "{updated}" } }),
      sdk.get("tasks", { queue: "failed" }, { answer: { total: 1, "tasks.0.updated_at": "{failed}" } })
    ]
  },
  {
    line: "worktrees clean: an existing task is never a 404, in any queue and with any holder",
    steps: [
      ...claimed,
      ...["provisional", "needs_continuation", "requires-intervention", "escalated", "failed", "incoming"].flatMap((
        queue
      ) => [
        sdk.patch("tasks/{id}", { queue }),
        sdk.get("tasks/{id}", {}, { answer: { id: "{id}", queue } })
      ])
    ]
  },
  {
    line: "octopoid cancel: reads, deletes without a body, and takes the 404 of a second try for success",
    steps: [
      ...claimed,
      sdk.get("tasks/{id}"),
      sdk.delete("tasks/{id}", { answer: { message: "Task deleted" } }),
      sdk.delete("tasks/{id}", { status: 404, error: "not found" })
    ]
  },
  {
    line: "cleanup-test-data: every task it lists can be deleted, in any queue, and its id used again",
    steps: [
      ...submitted,
      create({ id: "{id}-2", file_path: "2" }),
      accept(),
      sdk.delete("tasks/{id}"),
      sdk.delete("tasks/{id}-2"),
      sdk.get("tasks", {}, { answer: { tasks: [], total: 0 } }),
      create({}, { answer: { queue: "incoming", claimed_by: null, submitted_at: null, completed_at: null } })
    ]
  },
  {
    line: "delete-project: its tasks, then the project",
    steps: [
      sdk.post("projects", { id: "P-{id}", title: "t", branch: "b" }, { status: 201 }),
      create({ project_id: "P-{id}" }),
      sdk.get("projects/P-{id}/tasks", {}, { answer: { "tasks.0.id": "{id}" } }),
      sdk.delete("tasks/{id}"),
      sdk.delete("projects/P-{id}", { answer: { message: "Project P-{id} deleted" } }),
      sdk.get("projects/P-{id}", {}, { status: 404 })
    ]
  },
  {
    line: "force-queue by hand: moves from anywhere, and leaves a message from `system` with the reason",
    steps: [
      ...claimed,
      sdk.patch("tasks/{id}", { queue: "failed" }),
      sdk.post("tasks/{id}/force-queue", { queue: "provisional", reason: "the work is there" }, {
        answer: { queue: "provisional", claimed_by: null }
      }),
      sdk.get("tasks/{id}/messages", {}, {
        answer: {
          "messages.0.from_actor": "system",
          "messages.0.to_actor": null,
          "messages.0.type": "force_queue",
          "messages.0.content": "the work is there"
        }
      })
    ]
  },
  {
    line: "draft-idea and process-draft: create, then PATCH file_path and status by the integer id",
    steps: [
      sdk.post("drafts", { title: "An idea", author: "human", status: "idea", domain: "testing" }, {
        status: 201,
        keep: { draft: "id" }
      }),
      sdk.patch("drafts/{draft}", { file_path: "drafts/{draft}-an-idea.md" }, {
        answer: { file_path: "drafts/{draft}-an-idea.md", status: "idea" }
      }),
      sdk.patch("drafts/{draft}", { status: "complete", linked_task_id: "{id}" }, {
        answer: { status: "complete", linked_task_id: "{id}" }
      }),
      sdk.get("drafts/abc", {}, { status: 400, error: "Draft ID must be an integer" }),
      sdk.delete("drafts/{draft}", { answer: { message: "Draft {draft} deleted" } }),
      sdk.get("drafts/{draft}", {}, { status: 404, error: "Draft {draft} not found" })
    ]
  }
])
