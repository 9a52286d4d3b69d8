/**
 * Requests as the Python SDK and the orchestrator built on it word them. The SDK adds its scope to the query of a GET and
 * to a JSON body if there is one; a DELETE, or a POST without a body, says nothing about scope. Booleans in a query are
 * spelled as Python spells them.
 */
import { assert } from "@effect/vitest"
import type { Step } from "./cases.ts"

/** What a step says beside its request. */
export type Rest = Omit<Step, "body" | "headers" | "send">
type Parameters = Readonly<Record<string, boolean | number | string>>

const spelled = (value: boolean | number | string) =>
  encodeURIComponent(value === true ? "True" : value === false ? "False" : value)
    .replaceAll("%7B", "{").replaceAll("%7D", "}")

const query = (parameters: Parameters) =>
  Object.entries({ ...parameters, scope: parameters.scope ?? "{scope}" })
    .map(([name, value]) => `${name}=${spelled(value)}`).join("&")

const scoped = (json: object | undefined) => json === undefined ? {} : { body: { scope: "{scope}", ...json } }

export const sdk = {
  get: (path: string, parameters: Parameters = {}, rest: Rest = {}): Step => ({
    send: `GET /api/v1/${path}?${query(parameters)}`,
    ...rest
  }),
  post: (path: string, json?: object, rest: Rest = {}): Step => ({
    send: `POST /api/v1/${path}`,
    ...scoped(json),
    ...rest
  }),
  put: (path: string, json: object, rest: Rest = {}): Step => ({
    send: `PUT /api/v1/${path}`,
    ...scoped(json),
    ...rest
  }),
  patch: (path: string, json: object, rest: Rest = {}): Step => ({
    send: `PATCH /api/v1/${path}`,
    ...scoped(json),
    ...rest
  }),
  delete: (path: string, rest: Rest = {}): Step => ({ send: `DELETE /api/v1/${path}`, ...rest })
}

/** `_register_orchestrator` with the configuration it is shipped with, which has no `repo.url`. */
export const register: Step = sdk.post("orchestrators/register", {
  id: "c-{id}",
  cluster: "c",
  machine_id: "{id}",
  version: "2.0.0",
  max_agents: 3
}, { status: 201, answer: { orchestrator_id: "c-{id}", status: "active" } })

/** `tasks.create_task`. */
export const create = (fields: object = {}, rest: Rest = {}): Step =>
  sdk.post("tasks", {
    id: "{id}",
    file_path: "TASK-{id}.md",
    title: "Do it",
    role: "implement",
    branch: "main",
    content: "# Do it\n\nAll of it.",
    queue: "incoming",
    priority: "P1",
    flow: "default",
    metadata: { created_by: "human", checks: ["gk-testing"], breakdown_depth: 1 },
    ...fields
  }, { status: 201, ...rest })

/** `tasks.claim_task`: a lease of four hours, and never more than three tasks at once. */
export const claim = (fields: object = {}, rest: Rest = {}): Step =>
  sdk.post("tasks/claim", {
    orchestrator_id: "c-{id}",
    agent_name: "implementer-1",
    lease_duration_seconds: 14400,
    max_claimed: 3,
    ...fields
  }, rest)

/** The bodies of the result handler and of `submit_completion`. */
export const submit = (fields: object = {}, rest: Rest = {}): Step =>
  sdk.post("tasks/{id}/submit", { commits_count: 0, turns_used: 0, ...fields }, rest)

export const accept = (rest: Rest = {}): Step => sdk.post("tasks/{id}/accept", { accepted_by: "flow-engine" }, rest)

/** A registered machine, and a task that its agent has claimed. */
export const claimed: ReadonlyArray<Step> = [
  register,
  create(),
  claim({}, { answer: { id: "{id}", queue: "claimed" } })
]

/** The same with the result handed in. */
export const submitted: ReadonlyArray<Step> = [...claimed, submit({}, { answer: { queue: "provisional" } })]

/** `sync-flows` of the default flow, with the states and the steps back that the client adds by itself. */
export const defaultFlow: Step = sdk.put("flows/default", {
  states: ["incoming", "claimed", "provisional", "done", "failed", "needs_continuation", "requires-intervention"],
  transitions: [
    { from: "incoming", to: "claimed", agent: "implementer" },
    { from: "claimed", to: "provisional", runs: ["rebase_on_base", "push_branch", "create_pr"] },
    {
      from: "provisional",
      to: "done",
      conditions: [{ name: "gatekeeper_review", type: "agent", agent: "gatekeeper", on_fail: "incoming" }],
      runs: ["post_review_comment", "merge_pr"]
    },
    { from: "provisional", to: "incoming" },
    { from: "claimed", to: "incoming" },
    { from: "claimed", to: "needs_continuation" }
  ]
})

/** An instant as `datetime.now(timezone.utc).isoformat()` spells it, and as the server does. */
export const isoformat = (from_now: number) => {
  const wire = new Date(Date.now() + from_now).toISOString()
  return { python: wire.replace("Z", "456+00:00"), wire }
}

const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

/** Every instant in an answer is ISO 8601 with milliseconds and `Z`: what `fromisoformat` of every Python can read. */
export const instants = (body: unknown): void => {
  if (typeof body !== "object" || body === null) return
  for (const [key, value] of Object.entries(body)) {
    const timed = /(^|_)at$|^last_heartbeat$|^timestamp$/.test(key) ? [value].flat().filter((at) => at !== null) : []
    for (const at of timed) assert.match(String(at), instant, key)
    instants(value)
  }
}

/** `project.yaml`: the steps of the project and of its tasks, which reach `done` without a review. */
export const projectFlow: Step = sdk.put("flows/project", {
  description: "One pull request for all tasks of a project",
  states: "children_complete provisional done incoming claimed failed needs_continuation requires-intervention".split(
    " "
  ),
  transitions: [
    { from: "children_complete", to: "provisional", runs: ["create_project_pr"] },
    { from: "provisional", to: "done", conditions: [{ name: "human_approval", type: "manual" }], runs: ["merge_pr"] },
    { from: "provisional", to: "incoming" },
    { from: "claimed", to: "incoming" },
    { from: "claimed", to: "needs_continuation" }
  ],
  child_flow: {
    transitions: [
      { from: "incoming", to: "claimed", agent: "implementer" },
      { from: "claimed", to: "done", runs: ["rebase_on_project_branch", "run_tests"] }
    ]
  }
})

/** The same request with the API key that a registration answered, as the client sends it once it has saved the key. */
export const keyed = (step: Step): Step => ({
  ...step,
  headers: {
    "authorization": "Bearer {key}",
    ...(step.body === undefined ? {} : { "content-type": "application/json" })
  }
})
