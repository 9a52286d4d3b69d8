/**
 * Requests as the old server's documentation describes them: with every required field, the scope in the body of new
 * records and in the query of lists, and no scope in requests by id.
 */
import type { Step } from "./cases.ts"

type Rest = Omit<Step, "body" | "send">

const send = (method: "PATCH" | "POST" | "PUT") => (path: string, body?: unknown, rest: Rest = {}): Step => ({
  send: `${method} /api/v1/${path}`,
  body,
  ...rest
})
export const post = send("POST")
export const put = send("PUT")
export const patch = send("PATCH")
export const get = (path: string, rest: Rest = {}): Step => ({ send: `GET /api/v1/${path}`, ...rest })
export const remove = (path: string, rest: Rest = {}): Step => ({ send: `DELETE /api/v1/${path}`, ...rest })

/** The machine `k-{id}`, in the scope of the case. */
export const register = post("orchestrators/register", {
  cluster: "k",
  machine_id: "{id}",
  repo_url: "https://example.com/repo.git",
  scope: "{scope}"
}, { status: 201 })

export const create = (fields: object = {}, rest: Rest = {}) =>
  post("tasks", { id: "{id}", file_path: "{id}.md", branch: "b", scope: "{scope}", ...fields }, {
    status: 201,
    ...rest
  })

export const claim = (fields: object = {}, rest: Rest = {}) =>
  post("tasks/claim", { orchestrator_id: "k-{id}", agent_name: "ann", scope: "{scope}", ...fields }, rest)

export const submit = (fields: object = {}, rest: Rest = {}) =>
  post("tasks/{id}/submit", { commits_count: 1, turns_used: 5, ...fields }, rest)

export const accept = (rest: Rest = {}) => post("tasks/{id}/accept", { accepted_by: "ben" }, rest)

export const reject = (reason: string, rest: Rest = {}) =>
  post("tasks/{id}/reject", { reason, rejected_by: "ben" }, rest)

/** The task `{id}`, in the hands of ann. */
export const claimed: ReadonlyArray<Step> = [register, create(), claim()]

export const message = (fields: object = {}, rest: Rest = {}) =>
  post("messages", {
    task_id: "{id}",
    from_actor: "ann",
    type: "comment",
    content: "hello",
    scope: "{scope}",
    ...fields
  }, { status: 201, ...rest })

/** A proposal, whose id is `{action}` from then on. */
export const propose = (fields: object = {}, rest: Rest = {}) =>
  post("actions", {
    entity_type: "draft",
    entity_id: "42",
    label: "Enqueue",
    proposed_by: "ann",
    scope: "{scope}",
    ...fields
  }, { status: 201, keep: { action: "id" }, ...rest })

export const flow = (
  name: string,
  transitions: ReadonlyArray<readonly [from: string, to: string]>,
  rest: object = {}
) =>
  put(`flows/${name}`, {
    scope: "{scope}",
    states: [...new Set(["incoming", "claimed", "done", ...transitions.flat(), "failed"])],
    transitions: transitions.map(([from, to]) => ({ from, to })),
    ...rest
  })

/** The default flow, with the steps that the Python client adds to it when it registers it. */
export const defaultFlow = flow("default", [
  ["incoming", "claimed"],
  ["claimed", "provisional"],
  ["provisional", "done"],
  ["provisional", "incoming"],
  ["claimed", "incoming"],
  ["claimed", "needs_continuation"],
  ["requires-intervention", "requires-intervention"]
])
