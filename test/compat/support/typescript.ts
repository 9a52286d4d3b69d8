/** Requests as the TypeScript client words them: JSON with its content type, never a scope, and no branch for a task. */
import type { Step } from "./cases.ts"

type Rest = Omit<Step, "body" | "send">

const json = { "content-type": "application/json" }
const call =
  (method: "DELETE" | "GET" | "PATCH" | "POST") => (path: string, body?: unknown, rest: Rest = {}): Step => ({
    send: `${method} /api/v1${path}`,
    body,
    ...rest,
    headers: { ...json, ...rest.headers }
  })
export const client = { get: call("GET"), post: call("POST"), patch: call("PATCH"), delete: call("DELETE") }

/** `registerOrchestrator` of the machine `ts-{id}`. */
export const registerOrchestrator = (rest: Rest = {}) =>
  client.post("/orchestrators/register", {
    cluster: "ts",
    machine_id: "{id}",
    repo_url: "https://example.com/repo.git",
    hostname: "laptop",
    version: "2.0.0",
    capabilities: { roles: ["implement"], max_agents: 3 }
  }, { status: 201, ...rest })

/** `createTask` as `enqueue` calls it. All cases share a scope, so each has a role of its own. */
export const createTask = (fields: object = {}, rest: Rest = {}) =>
  client.post("/tasks", {
    id: "TASK-{id}",
    file_path: "tasks/incoming/TASK-{id}.md",
    title: "Do it",
    queue: "incoming",
    priority: "P1",
    role: "{id}",
    ...fields
  }, { status: 201, ...rest })

export const claimTask = (fields: object = {}, rest: Rest = {}) =>
  client.post("/tasks/claim", {
    orchestrator_id: "ts-{id}",
    agent_name: "implementer-1",
    role_filter: ["{id}"],
    ...fields
  }, rest)

export const submitCompletion = (fields: object = {}, rest: Rest = {}) =>
  client.post("/tasks/TASK-{id}/submit", { commits_count: 2, turns_used: 30, ...fields }, rest)

/** What the client's `isNetworkError` takes for an unreachable server. It then goes on offline. */
export const offlineWords = /fetch failed|econnrefused|enotfound|etimedout|network|timeout/i
