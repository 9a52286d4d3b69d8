/** What must never happen, because a client would break, on a server without a secret. */
import { assert } from "@effect/vitest"
import { compatible, type Step } from "./support/cases.ts"
import {
  accept,
  claim,
  claimed,
  create,
  get,
  patch,
  post,
  propose,
  register,
  reject,
  remove,
  submit
} from "./support/requests.ts"
import { offlineWords } from "./support/typescript.ts"

const bearer = (rest: object = {}) => ({ headers: { authorization: "Bearer {key}" }, ...rest })

compatible("must not", [
  {
    line: "require a scope where a task is named by its id, DELETE included",
    steps: [
      ...claimed,
      get("tasks/{id}"),
      patch("tasks/{id}", { title: "x" }),
      submit(),
      reject("r"),
      claim(),
      post("tasks/{id}/requeue"),
      post("tasks/{id}/force-queue", { queue: "provisional", reason: "r" }),
      accept(),
      post("tasks", { id: "{id}-h", file_path: "h", branch: "b", hooks: "[{\"name\":\"h\"}]" }, { status: 201 }),
      post("tasks/{id}-h/hooks/h/complete", { status: "passed" }),
      remove("tasks/{id}")
    ]
  },
  {
    line: "require a scope where anything else is named by its id, DELETE included",
    steps: [
      register,
      post("orchestrators/k-{id}/heartbeat"),
      get("orchestrators/k-{id}"),
      patch("orchestrators/k-{id}", { status: "active" }),
      post("projects", { id: "{id}-p", title: "t", branch: "b", scope: "{scope}" }, { status: 201 }),
      get("projects/{id}-p"),
      patch("projects/{id}-p", { title: "x" }),
      remove("projects/{id}-p"),
      post("drafts", { title: "t", author: "a", scope: "{scope}" }, { status: 201, keep: { draft: "id" } }),
      get("drafts/{draft}"),
      patch("drafts/{draft}", { title: "x" }),
      remove("drafts/{draft}"),
      propose(),
      post("actions/{action}/execute"),
      patch("actions/{action}", { status: "completed" })
    ]
  },
  {
    line: "find a record by its id in another scope than the request names",
    steps: [create(), get("tasks/{id}?scope={scope}"), get("tasks/{id}?scope=other", { status: 404 })]
  },
  {
    line: "refuse register, save the key, retry with it; register again tells no key",
    steps: [
      { ...register, keep: { key: "api_key" } },
      { ...register, status: 200, absent: ["api_key"] },
      get("tasks?scope={scope}", bearer()),
      { ...create(), ...bearer({ status: 201 }) },
      { ...claim(), ...bearer() },
      post("orchestrators/k-{id}/heartbeat", undefined, bearer())
    ]
  },
  {
    line: "refuse clients that carry no key: evidence, a machine that knows only the address, TypeScript's commands",
    steps: [
      { ...register, keep: { key: "api_key" } },
      create({ hooks: "[{\"name\":\"h\"}]" }),
      post("tasks/{id}/hooks/h/complete", { status: "passed" }),
      get("tasks?scope={scope}"),
      claim(),
      post("projects", { id: "{id}-p", title: "t", branch: "b", scope: "{scope}" }, { status: 201 }),
      post("drafts", { title: "t", author: "a", scope: "{scope}" }, { status: 201 })
    ]
  },
  {
    line: "cap a lease below the 4 hours that the Python client asks for",
    steps: [
      register,
      create(),
      claim({ lease_duration_seconds: 14_400 }, {
        check: ({ claimed_at, lease_expires_at }) =>
          assert.strictEqual(Date.parse(lease_expires_at) - Date.parse(claimed_at), 14_400_000)
      })
    ]
  },
  {
    line: "page the tasks of a project",
    steps: [
      post("projects", { id: "{id}-p", title: "t", branch: "b", scope: "{scope}" }, { status: 201 }),
      { ...create({ id: "{id}-{n}", file_path: "{n}", project_id: "{id}-p" }), times: 60, together: true },
      get("projects/{id}-p/tasks?scope={scope}&limit=10", { answer: { total: 60, "tasks.length": 60 } })
    ]
  },
  {
    line: "answer 409 to claims that contend: 20 tasks and 20 claims at once are 20 grants",
    steps: [
      register,
      { ...create({ id: "{id}-{n}", file_path: "{n}" }), times: 20, together: true },
      {
        ...claim({ agent_name: "agent-{n}" }),
        times: 20,
        together: true,
        checkAll: (tasks) => assert.strictEqual(new Set(tasks.map(({ id }) => id)).size, 20)
      },
      { ...claim(), times: 5, together: true, status: 404 }
    ]
  },
  {
    line: "say a word that the TypeScript client takes for an unreachable server",
    steps: [
      get("tasks/network", { status: 404 }),
      patch("tasks/Timeout", { title: "x" }, { status: 404 }),
      get("projects/ECONNREFUSED", { status: 404 }),
      get("orchestrators/fetch%20failed", { status: 404 }),
      get("tasks?limit=ETIMEDOUT", { status: 400 }),
      post("tasks", { id: ["enotfound"] }, { status: 400 }),
      get("roles/network", { status: 404 }),
      get("flows/timeout", { status: 404 })
    ].map((step) => ({ ...step, check: ({ error }) => assert.notMatch(error, offlineWords) }))
  },
  {
    line: "answer an `error` that is no text",
    steps: ([
      create(),
      get("nowhere", { status: 404 }),
      { send: "PUT /api/v1/tasks", body: {}, status: 405 },
      post("tasks", "{", { status: 400 }),
      create({}, { status: 409 }),
      accept({ status: 409 }),
      claim({}, { status: 400 }),
      get("tasks", { headers: { authorization: "Basic x" }, status: 401 })
    ] as ReadonlyArray<Step>).map((step): Step => step.status === 201 ? step : { ...step, error: "" })
  }
])
