/** What has to stay as it was: each thing that a client or a test of the old server depends on. */
import { assert } from "@effect/vitest"
import { compatible, type Step } from "./support/cases.ts"
import {
  claim,
  claimed,
  create,
  flow,
  get,
  message,
  patch,
  post,
  propose,
  register,
  remove
} from "./support/requests.ts"

const endpoints = [
  "GET /",
  "GET /api/health",
  ...[
    "GET tasks",
    "POST tasks",
    "POST tasks/claim",
    "GET tasks/{id}",
    "PATCH tasks/{id}",
    "DELETE tasks/{id}",
    "GET tasks/{id}/messages",
    "POST tasks/{id}/hooks/h/complete",
    "POST tasks/{id}/submit",
    "POST tasks/{id}/accept",
    "POST tasks/{id}/reject",
    "POST tasks/{id}/requeue",
    "POST tasks/{id}/force-queue",
    "POST orchestrators/register",
    "POST orchestrators/{id}/heartbeat",
    "GET orchestrators",
    "GET orchestrators/{id}",
    "PATCH orchestrators/{id}",
    "POST orchestrators/scopes/{scope}/rotate-key",
    "GET scheduler/poll",
    "PUT flows/{id}",
    "GET flows",
    "GET flows/{id}",
    "DELETE flows/{id}",
    "POST messages",
    "GET messages",
    "POST actions",
    "GET actions",
    "POST actions/{id}/execute",
    "PATCH actions/{id}",
    "POST roles/register",
    "GET roles",
    "GET roles/{id}",
    "POST projects",
    "GET projects",
    "GET projects/{id}",
    "GET projects/{id}/tasks",
    "PATCH projects/{id}",
    "DELETE projects/{id}",
    "POST drafts",
    "GET drafts",
    "GET drafts/999999",
    "PATCH drafts/999999",
    "DELETE drafts/999999"
  ].map((endpoint) => endpoint.replace(" ", " /api/v1/"))
] as ReadonlyArray<Exclude<Step["send"], "cron">>

const row = (kind: string, count: number) => ({
  answer: { total: count, offset: 0, limit: 50, [`${kind}.length`]: count }
})

compatible("must keep", [
  {
    line: "the paths and methods of all endpoints",
    steps: endpoints.map((send): Step => ({
      send,
      ...(/^(POST|PATCH|PUT)/.test(send) ? { body: {} } : {}),
      status: [200, 201, 400, 401, 404, 409],
      check: ({ _tag }) => assert.notInclude(["RouteNotFound", "MethodNotAllowed", "InternalError"], _tag)
    }))
  },
  { line: "version 2.0.0 in health", steps: [{ send: "GET /api/health", answer: { version: "2.0.0" } }] },
  {
    line: "a claim that finds nothing is 404 { message: \"No tasks available\" }",
    steps: [register, claim({}, { status: 404, answer: { message: "No tasks available" } })]
  },
  {
    line: "Flow deleted",
    steps: [
      flow("{id}", [["incoming", "done"]]),
      remove("flows/{id}?scope={scope}", { answer: { message: "Flow deleted", name: "{id}", scope: "{scope}" } }),
      remove("flows/{id}?scope={scope}", { status: 404, error: "Flow not found" })
    ]
  },
  { line: "ids act-…", steps: [propose({}, { check: ({ id }) => assert.match(id, /^act-/) })] },
  {
    line: "ids oct_…, 64 hexadecimal digits",
    steps: [{ ...register, check: ({ api_key }) => assert.match(api_key, /^oct_[0-9a-f]{64}$/) }]
  },
  {
    line: "0 and 1 for the booleans of a task",
    steps: [create({ auto_accept: true }, { answer: { auto_accept: 1, needs_intervention: 0, has_plan: 0 } })]
  },
  {
    line: "the envelopes of lists",
    steps: [
      ...claimed,
      message(),
      propose(),
      flow("{id}", [["incoming", "done"]]),
      post("projects", { id: "{id}-p", title: "t", branch: "b", scope: "{scope}" }, { status: 201 }),
      post("drafts", { title: "t", author: "a", scope: "{scope}" }, { status: 201 }),
      ...["tasks", "messages", "actions", "projects", "drafts"].map((kind) =>
        get(`${kind}?scope={scope}`, row(kind, 1))
      ),
      get("tasks/{id}/messages?scope={scope}", row("messages", 1)),
      get("flows?scope={scope}", { answer: { "flows.length": 1 } }),
      get("orchestrators?scope={scope}", { answer: { "orchestrators.length": 1, total: 1 } }),
      get("roles?scope={scope}", { answer: { roles: [] } }),
      get("projects/{id}-p/tasks", { answer: { project_id: "{id}-p", tasks: [], total: 0 } })
    ]
  },
  {
    line: "the default limit of 50 is echoed on actions",
    steps: [get("actions?scope={scope}", { answer: { limit: 50, offset: 0 } })]
  },
  {
    line: "content is in lists",
    steps: [create({ content: "# Do it" }), get("tasks?scope={scope}", { answer: { "tasks.0.content": "# Do it" } })]
  },
  {
    line: "hooks, action_data and tags are text",
    steps: [
      create({ hooks: "[]" }, { answer: { hooks: "[]" } }),
      propose({ action_data: "{}" }, { answer: { action_data: "{}" } }),
      post("drafts", { title: "t", author: "a", tags: [] }, { status: 201, answer: { tags: "[]" } })
    ]
  },
  {
    line: "a task claimed from provisional stays in provisional",
    steps: [
      register,
      create({ queue: "provisional" }),
      claim({ queue: "provisional" }, { answer: { queue: "provisional" } })
    ]
  },
  {
    line: "an orchestrator claims in other scopes than its own",
    steps: [
      register,
      create({ scope: "{scope}-2" }),
      claim({ scope: "{scope}-2" }, { answer: { id: "{id}", scope: "{scope}-2", orchestrator_id: "k-{id}" } })
    ]
  },
  {
    line: "roles that an orchestrator registered are seen by GET /roles without a scope",
    steps: [
      register,
      post("roles/register", { orchestrator_id: "k-{id}", roles: [{ name: "{id}-r", claims_from: "incoming" }] }),
      get("roles", { check: ({ roles }) => assert.isTrue(roles.some(({ name }: any) => name.endsWith("-r"))) }),
      get("roles/{id}-r", { answer: { name: "{id}-r", claims_from: "incoming" } })
    ]
  },
  {
    line: "by id without a scope",
    steps: [create(), get("tasks/{id}", { answer: { id: "{id}", scope: "{scope}" } })]
  },
  {
    line: "claimed_by that is given together with queue=failed is kept",
    steps: [
      ...claimed,
      patch("tasks/{id}", { queue: "failed", claimed_by: "ann" }, { answer: { queue: "failed", claimed_by: "ann" } }),
      create({ id: "{id}-2", file_path: "2" }),
      claim(),
      patch("tasks/{id}-2", { queue: "failed" }, { answer: { claimed_by: null, lease_expires_at: null } })
    ]
  }
])
