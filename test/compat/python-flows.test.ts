/** Flows and projects as the orchestrator syncs, reads and completes them. */
import { assert } from "@effect/vitest"
import { compatible } from "./support/cases.ts"
import {
  accept,
  claim,
  claimed,
  create,
  defaultFlow,
  projectFlow,
  register,
  type Rest,
  sdk,
  submit,
  submitted
} from "./support/python.ts"

const project = sdk.post("projects", {
  id: "PROJ-{id}",
  title: "A project",
  description: "All of it",
  branch: "feature/{id}",
  base_branch: "main",
  auto_accept: false,
  created_by: "human",
  status: "active"
}, { status: 201 })

/** `create_task` for a project: it names the flow `project`. */
const child = (fields: object = {}, rest: Rest = {}) =>
  create({ project_id: "PROJ-{id}", flow: "project", ...fields }, rest)

const children = (count: number) => ({
  answer: { project_id: "PROJ-{id}", total: count },
  check: ({ tasks }: { readonly tasks: ReadonlyArray<unknown> }) => assert.strictEqual(tasks.length, count)
})

compatible("flows", [
  {
    line: "sync-flows: PUT is 200 from the first time on, and the row has states and transitions as text",
    steps: [
      {
        ...defaultFlow,
        answer: { name: "default", scope: "{scope}" },
        check: ({ states, transitions }) => {
          assert.include(JSON.parse(states), "needs_continuation")
          assert.deepStrictEqual(JSON.parse(transitions)[1], {
            from: "claimed",
            to: "provisional",
            runs: ["rebase_on_base", "push_branch", "create_pr"]
          })
        },
        keep: { first: "registered_at" }
      },
      { ...defaultFlow, after: 20, answer: { registered_at: "{first}" } }
    ]
  },
  {
    line: "8.1#4, 8.2#7, C6: description and child_flow are kept, and load_flow finds them in the list",
    steps: [
      projectFlow,
      sdk.get("flows", {}, {
        answer: { "flows.length": 1, "flows.0.description": "One pull request for all tasks of a project" },
        check: ({ flows: [{ child_flow, transitions }] }) => {
          const read = typeof child_flow === "string" ? JSON.parse(child_flow) : child_flow
          assert.deepStrictEqual(read, (projectFlow.body as any).child_flow)
          assert.deepStrictEqual(Object.keys(JSON.parse(transitions)[1]), ["from", "to", "conditions", "runs"])
        }
      })
    ]
  },
  {
    line: "flows are listed by name; flow tasks keep being claimed when it is registered again",
    steps: [
      { ...defaultFlow, send: "PUT /api/v1/flows/qa" },
      ...claimed,
      defaultFlow,
      defaultFlow,
      sdk.get("flows", {}, { answer: { "flows.0.name": "default", "flows.1.name": "qa" } }),
      submit({}, { answer: { queue: "provisional" } })
    ]
  },
  {
    line: "8.2#4: sdk.flows.delete sends no scope, and the flow is found by its name",
    steps: [
      { ...defaultFlow, send: "PUT /api/v1/flows/flow-{id}" },
      sdk.delete("flows/flow-{id}", { answer: { message: "Flow deleted", name: "flow-{id}", scope: "{scope}" } }),
      sdk.get("flows/flow-{id}", {}, { status: 404, error: "Flow not found" }),
      sdk.delete("flows/flow-{id}", { status: 404, error: "Flow not found" })
    ]
  },
  {
    line: "flows.register(transitions=None) is a 400 that says what is missing, as is a flow without a built-in state",
    steps: [
      sdk.put("flows/f", { states: ["incoming", "claimed", "done"] }, {
        status: 400,
        error: "Missing required field: transitions (array)"
      }),
      sdk.put("flows/f", { states: ["incoming", "claimed"], transitions: [] }, {
        status: 400,
        error: "Flow states must include built-in state \"done\". Got: incoming, claimed"
      })
    ]
  },
  {
    line: "4.5: the client's implicit steps: on_checks_fail and on_fail lead back from review",
    steps: [
      defaultFlow,
      ...submitted,
      sdk.post("tasks/{id}/requeue", {}, { answer: { queue: "incoming", attempt_count: 1 } })
    ]
  }
])

compatible("projects", [
  {
    line: "create_project and get_project; 8.5: its flow is `project`, 8.2#6: its pull request is readable",
    steps: [
      { ...project, answer: { status: "active", auto_accept: false, branch: "feature/{id}", flow: "project" } },
      sdk.get("projects/PROJ-{id}", {}, { answer: { pr_number: null, pr_url: null, base_branch: "main" } }),
      { ...project, status: 409, error: "Project PROJ-{id} already exists" }
    ]
  },
  {
    line: "4.7: a child gets the project's branch, whatever branch it was created with",
    steps: [project, child({ branch: "main" }, { answer: { branch: "feature/{id}", project_id: "PROJ-{id}" } })]
  },
  {
    line: "8.2#8, A3: a child's result is accepted from claimed, as the child_flow says",
    steps: [
      projectFlow,
      project,
      register,
      child(),
      claim({}, { answer: { id: "{id}" } }),
      accept({ answer: { queue: "done", claimed_by: null } })
    ]
  },
  {
    line: "T10: and from provisional, as the project's own flow says",
    steps: [
      projectFlow,
      project,
      register,
      child(),
      claim(),
      submit({}, { answer: { queue: "provisional" } }),
      accept({ answer: { queue: "done" } })
    ]
  },
  {
    line: "A3: the client's other ways out of a claimed child stay open",
    steps: [
      projectFlow,
      project,
      register,
      child(),
      claim(),
      sdk.patch("tasks/{id}", { queue: "needs_continuation" }, { answer: { queue: "needs_continuation" } }),
      claim({ queue: "needs_continuation" }),
      sdk.post("tasks/{id}/reject", { reason: "r", rejected_by: "orchestrator" }, { answer: { queue: "incoming" } })
    ]
  },
  {
    line: "A3: a task of the same flow that is in no project has no such step",
    steps: [projectFlow, register, create({ flow: "project" }), claim(), accept({ status: 409 })]
  },
  {
    line: "check_project_completion: all children of a project come, not a page of them",
    steps: [
      project,
      child({ id: "{id}-{n}", file_path: "{id}-{n}" }, { times: 60 }),
      sdk.get("projects", { status: "active" }, { answer: { total: 1, "projects.0.id": "PROJ-{id}" } }),
      sdk.get("projects/PROJ-{id}/tasks", {}, children(60)),
      { send: "GET /api/v1/projects/PROJ-{id}/tasks", ...children(60) }
    ]
  },
  {
    line: "activate_project and the project flow set any status; `completed` sets completed_at",
    steps: [
      project,
      ...["draft", "active", "children_complete", "provisional", "ready-for-pr", "done"].map((status) =>
        sdk.patch("projects/PROJ-{id}", { status }, { answer: { status, completed_at: null } })
      ),
      sdk.patch("projects/PROJ-{id}", { status: "completed" }, {
        check: ({ completed_at }) => assert.isString(completed_at)
      })
    ]
  },
  {
    line: "8.1#5, C7: create_project_pr: pr_url and pr_number alone are a PATCH, and its verify reads them",
    steps: [
      project,
      sdk.patch("projects/PROJ-{id}", { pr_url: "https://example.com/pull/9", pr_number: 9 }),
      sdk.get("projects/PROJ-{id}", {}, { answer: { pr_url: "https://example.com/pull/9", pr_number: 9 } })
    ]
  },
  {
    line: "a project with tasks is not deleted, and the answer says what to do first",
    steps: [
      project,
      child(),
      sdk.delete("projects/PROJ-{id}", {
        status: 409,
        error: "Cannot delete project PROJ-{id}: has 1 tasks",
        answer: { hint: "Delete or unlink tasks first" }
      }),
      sdk.patch("tasks/{id}", { project_id: null }, { answer: { project_id: null } }),
      sdk.delete("projects/PROJ-{id}", { answer: { message: "Project PROJ-{id} deleted" } })
    ]
  }
])
