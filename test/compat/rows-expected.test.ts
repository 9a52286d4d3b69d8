/** What clients expect and the old server never did. */
import { assert } from "@effect/vitest"
import { compatible } from "./support/cases.ts"
import {
  accept,
  claim,
  claimed,
  create,
  defaultFlow,
  flow,
  get,
  patch,
  post,
  propose,
  put,
  register,
  remove,
  submit
} from "./support/requests.ts"

/** The project flow with the additions of the Python client. Its child tasks are done without a review. */
const projectFlow = flow("project", [
  ["children_complete", "provisional"],
  ["provisional", "done"],
  ["provisional", "incoming"],
  ["claimed", "incoming"],
  ["claimed", "needs_continuation"]
], { child_flow: { transitions: [{ from: "incoming", to: "claimed" }, { from: "claimed", to: "done" }] } })

const project = post("projects", { id: "{id}-p", title: "t", branch: "feature/x", scope: "{scope}" }, { status: 201 })

compatible("8.2: expected, and now done", [
  {
    line: "8.2#1 429 on claim at capacity, with text in `error` and when to come back",
    steps: [
      ...claimed,
      create({ id: "{id}-2", file_path: "2" }),
      claim({ max_claimed: 1 }, { status: 429, error: "holds 1", answerHeaders: { "retry-after": "15" } })
    ]
  },
  {
    line:
      "8.2#2 an empty claim: 204 is what the TypeScript client wants, 404 what Python needs, so 204 is for who asks",
    steps: [
      register,
      claim({}, { status: 404, answer: { message: "No tasks available" }, answerHeaders: { "retry-after": "15" } }),
      claim({}, {
        headers: { prefer: "return=minimal" },
        status: 204,
        answerHeaders: { "preference-applied": "return=minimal", "retry-after": "15" },
        check: (body) => assert.isUndefined(body)
      }),
      create(),
      claim({}, { headers: { prefer: "return=minimal" }, answer: { id: "{id}" } })
    ]
  },
  {
    line: "8.2#3 POST /actions/:id/complete and /fail exist and keep the result",
    steps: [
      propose(),
      post("actions/{action}/execute"),
      post("actions/{action}/complete", { result: "merged" }, { answer: { status: "completed", result: "merged" } }),
      propose(),
      post("actions/{action}/execute"),
      post("actions/{action}/fail", { error: "conflict" }, { answer: { status: "failed", result: "conflict" } })
    ]
  },
  {
    line: "8.2#4 DELETE /flows/:name without a scope deletes the only flow of that name",
    steps: [
      flow("{id}", [["incoming", "done"]]),
      remove("flows/{id}", { answer: { message: "Flow deleted", name: "{id}", scope: "{scope}" } }),
      get("flows?scope={scope}", { answer: { flows: [] } }),
      flow("{id}", [["incoming", "done"]]),
      put("flows/{id}", { scope: "{scope}-2", states: ["incoming", "claimed", "done", "failed"], transitions: [] }),
      remove("flows/{id}", { status: 400, error: "Missing required query parameter: scope" }),
      remove("flows/{id}?scope={scope}", { answer: { scope: "{scope}" } })
    ]
  },
  {
    line: "8.2#5 action_data as an object is accepted, and answered as the text clients parse",
    steps: [propose({ action_data: { buttons: [{ label: "Go", command: "go" }] } }, {
      check: ({ action_data }) => assert.deepStrictEqual(JSON.parse(action_data).buttons[0].command, "go")
    })]
  },
  {
    line: "8.2#6 a project has pr_number, pr_url and flow, which is `project` unless given",
    steps: [
      { ...project, answer: { pr_number: null, pr_url: null, flow: "project" } },
      patch("projects/{id}-p", { pr_number: 7, pr_url: "https://x/7", flow: "fast" }),
      get("projects/{id}-p", { answer: { pr_number: 7, pr_url: "https://x/7", flow: "fast" } }),
      patch("projects/{id}-p", { flow: null }, { answer: { flow: "project" } })
    ]
  },
  {
    line: "8.2#7 flow.child_flow and flow.description are in the list",
    steps: [
      { ...projectFlow, body: { ...projectFlow.body as object, description: "d" } },
      get("flows?scope={scope}", {
        answer: { "flows.0.description": "d", "flows.0.child_flow.transitions.1": { from: "claimed", to: "done" } }
      })
    ]
  },
  {
    line: "8.2#8 accept from claimed makes a project's child done, as its child_flow says; so does one after a review",
    steps: [
      register,
      project,
      projectFlow,
      create({ project_id: "{id}-p", flow: "project" }, { answer: { branch: "feature/x" } }),
      claim(),
      accept({ answer: { queue: "done" } }),
      create({ id: "{id}-2", file_path: "2", project_id: "{id}-p", flow: "project" }),
      claim(),
      post("tasks/{id}-2/submit", { commits_count: 0, turns_used: 0 }, { answer: { queue: "provisional" } }),
      post("tasks/{id}-2/accept", { accepted_by: "flow-engine" }, { answer: { queue: "done" } })
    ]
  },
  {
    line: "8.2#9 submit out of requires-intervention: what a fixer fixed goes on to review",
    steps: [
      ...claimed,
      defaultFlow,
      patch("tasks/{id}", { queue: "requires-intervention", needs_intervention: true, claimed_by: null }),
      submit({ commits_count: 0, turns_used: 0 }, { answer: { queue: "provisional" } })
    ]
  },
  {
    line: "8.2#9 accept out of requires-intervention: what came up in review goes on from there",
    steps: [
      ...claimed,
      defaultFlow,
      submit(),
      patch("tasks/{id}", { queue: "requires-intervention", needs_intervention: true }),
      accept({ answer: { queue: "done", needs_intervention: 0 } })
    ]
  },
  {
    line: "8.2#10 the poll counts every queue, and always the three that clients know",
    steps: [
      get("scheduler/poll?scope={scope}", { answer: { queue_counts: { incoming: 0, claimed: 0, provisional: 0 } } }),
      ...["needs_continuation", "requires-intervention", "breakdown", "testing"].map((queue) =>
        create({ id: `{id}-${queue}`, file_path: queue, queue })
      ),
      get("scheduler/poll?scope={scope}", {
        answer: {
          queue_counts: {
            "incoming": 0,
            "claimed": 0,
            "provisional": 0,
            "needs_continuation": 1,
            "requires-intervention": 1,
            "breakdown": 1,
            "testing": 1
          }
        }
      })
    ]
  }
])
