/** The scripts and commands around the orchestrator: plain requests by people, agents and cron jobs. */
import { assert } from "@effect/vitest"
import { compatible, type Step } from "./support/cases.ts"
import { accept, claim, claimed, create, type Rest, sdk } from "./support/python.ts"

/** `run-tests` of an implementer: urllib, neither scope nor key. */
const evidence = (hook: string, body: object, rest: Partial<Step> = {}): Step => ({
  send: `POST /api/v1/tasks/{id}/hooks/${hook}/complete`,
  body,
  ...rest
})

const hooks = JSON.stringify([
  { name: "run_tests", point: "before_submit", type: "script" },
  { name: "lint", point: "before_submit", type: "script" }
])

const passed = { status: "passed", evidence: { exit_code: 0, output: "12 passed" } }

compatible("run-tests", [
  {
    line: "8.2#19, 7.3: evidence without key and scope is kept with the hook it is about",
    steps: [
      create({ hooks }),
      evidence("run_tests", passed, {
        answer: { id: "{id}", queue: "incoming" },
        check: (task) => {
          assert.deepStrictEqual(JSON.parse(task.hooks), [
            { name: "run_tests", point: "before_submit", type: "script", ...passed },
            { name: "lint", point: "before_submit", type: "script" }
          ])
        }
      }),
      sdk.get("tasks/{id}", {}, { check: ({ hooks }) => assert.include(hooks, "12 passed") })
    ]
  },
  {
    line: "1.1: urllib's own content type, when the script names none, is as good as JSON's",
    steps: [
      create({ hooks }),
      evidence("lint", passed, { headers: { "content-type": "application/x-www-form-urlencoded" } })
    ]
  },
  {
    line: "it works on a claimed task and does not touch the claim",
    steps: [
      ...claimed,
      sdk.patch("tasks/{id}", { hooks }),
      evidence("run_tests", { status: "failed", evidence: { exit_code: 1 } }, {
        answer: { queue: "claimed", claimed_by: "implementer-1", orchestrator_id: "c-{id}", fencing_token: 1 }
      })
    ]
  },
  {
    line: "another status, an unknown hook and an unknown task are told apart",
    steps: [
      create({ hooks }),
      evidence("run_tests", { status: "ok" }, { status: 400, error: "status must be \"passed\" or \"failed\"" }),
      evidence("deploy", passed, { status: 404, error: "Hook 'deploy' not found on task" }),
      evidence("lint", passed, {
        send: "POST /api/v1/tasks/no-{id}/hooks/lint/complete",
        status: 404,
        error: "Task not found"
      })
    ]
  },
  {
    line: "B2: ten hooks that end at once are all kept",
    steps: [
      create({ hooks: JSON.stringify(Array.from({ length: 10 }, (_, n) => ({ name: `hook-${n}` }))) }),
      evidence("hook-{n}", passed, { times: 10, together: true }),
      sdk.get("tasks/{id}", {}, {
        check: ({ hooks }) =>
          assert.strictEqual(JSON.parse(hooks).filter(({ status }: any) => status === "passed").length, 10)
      })
    ]
  }
])

const dependent = (blocked_by: string, rest: Rest = {}) =>
  create({ id: "{id}-b", file_path: "b", blocked_by }, {
    answer: { blocked_by },
    keep: { updated: "updated_at" },
    ...rest
  })

const waiting = [
  sdk.post("orchestrators/register", { id: "c-{id}", cluster: "c", machine_id: "{id}" }, { status: 201 }),
  create(),
  create({ id: "{id}-c", file_path: "c" })
]

/** Finishes a task by hand. */
const finish = (id: string) => sdk.post(`tasks/${id}/force-queue`, { queue: "done", reason: "merged by hand" })

const free = sdk.get("tasks/{id}-b", {}, { answer: { blocked_by: null, queue: "incoming", updated_at: "{updated}" } })
const held = (blocked_by: string) => sdk.get("tasks/{id}-b", {}, { answer: { blocked_by } })

compatible("create_task.py and approve-task", [
  {
    line: "4.6: a blocker that is accepted releases its dependent, whose `updated_at` stays (T14)",
    steps: [...waiting, dependent("{id}"), claim(), { ...accept(), after: 20 }, free]
  },
  {
    line: "8.2#16: a comma list waits for all of them",
    steps: [...waiting, dependent("{id},{id}-c"), finish("{id}"), held("{id}-c"), finish("{id}-c"), free]
  },
  {
    line: "8.2#16, U18: `TASK-` before an id means the same task, in a list too",
    steps: [
      ...waiting,
      dependent("TASK-{id},TASK-{id}-c"),
      finish("{id}"),
      held("TASK-{id}-c"),
      finish("{id}-c"),
      free
    ]
  },
  {
    line: "A9: a blocker that is done already does not block; one that is not there yet does",
    steps: [
      ...waiting,
      finish("{id}"),
      dependent("{id}", { answer: { blocked_by: null } }),
      create({ id: "{id}-d", file_path: "d", blocked_by: "{id}-later" }, { answer: { blocked_by: "{id}-later" } })
    ]
  },
  {
    line: "A9: what waited for a cancelled task is not stuck for ever",
    steps: [
      ...waiting,
      dependent("{id}"),
      sdk.delete("tasks/{id}"),
      free
    ]
  },
  {
    line: "A9, D9: another project's task of any name releases nothing here",
    steps: [
      ...waiting,
      dependent("{id}-x"),
      create({ id: "{id}-x", file_path: "x", scope: "{scope}-other" }),
      {
        send: "POST /api/v1/tasks/{id}-x/force-queue",
        body: { queue: "done", reason: "r" },
        answer: { queue: "done" }
      },
      held("{id}-x")
    ]
  },
  {
    line: "4.6: a blocked task is not handed out, with any priority",
    steps: [
      ...waiting,
      create({ id: "{id}-b", file_path: "b", blocked_by: "{id}", priority: "P0" }),
      claim({}, { answer: { id: "{id}" } }),
      claim({}, { answer: { id: "{id}-c" } }),
      claim({}, { status: 404 })
    ]
  },
  {
    line: "approve-task: `awaiting-approval` blocks until the command reads the task and PATCHes blocked_by to null",
    steps: [
      sdk.post("orchestrators/register", { id: "c-{id}", cluster: "c", machine_id: "{id}" }, { status: 201 }),
      create({ blocked_by: "awaiting-approval" }, { answer: { blocked_by: "awaiting-approval" } }),
      claim({}, { status: 404, answer: { message: "No tasks available" } }),
      sdk.get("tasks/{id}", {}, { answer: { blocked_by: "awaiting-approval" } }),
      sdk.patch("tasks/{id}", { blocked_by: null }, { answer: { blocked_by: null, queue: "incoming" } }),
      claim({}, { answer: { id: "{id}" } })
    ]
  }
])
