/** The scope that nobody may hear of: a record of each kind, with a canary in every text that is not its name. */
import { Canary } from "./Checks.ts"
import type { Record_ } from "./Known.ts"

/** Sends as the administrator; a refusal is an error. */
export type Ask = (method: string, path: string, body?: object) => Promise<any>

const reads: Record<string, (id: string) => string> = {
  tasks: (id) => `/api/v1/tasks/${id}`,
  projects: (id) => `/api/v1/projects/${id}`,
  drafts: (id) => `/api/v1/drafts/${id}`,
  messages: (id) => `/api/v1/messages/${id}`,
  actions: (id) => `/api/v1/actions/${id}`
}

export const make = async (ask: Ask, scope: string) => {
  const named = (name: string) => `${scope}-${name}`
  const machine = await ask("POST", "/api/v1/orchestrators/register", {
    scope,
    cluster: "victim",
    machine_id: "m",
    hostname: Canary,
    repo_url: Canary,
    capabilities: { says: Canary }
  })
  const orchestrator_id = machine.orchestrator_id as string
  const project = named("project")
  await ask("POST", "/api/v1/projects", { scope, id: project, title: Canary, branch: Canary, created_by: Canary })
  const flow = named("flow")
  await ask("PUT", `/api/v1/flows/${flow}`, {
    scope,
    description: Canary,
    states: ["incoming", "claimed", "done", Canary],
    transitions: [{ from: "claimed", to: Canary }]
  })
  const role = named("role")
  await ask("POST", `/api/v1/roles/register?scope=${scope}`, {
    orchestrator_id,
    roles: [{ name: role, description: Canary, claims_from: Canary }]
  })
  const task = async (name: string, rest: object = {}) => {
    const id = named(name)
    await ask("POST", "/api/v1/tasks", {
      scope,
      id,
      file_path: `${Canary}/${id}`,
      title: Canary,
      branch: Canary,
      content: Canary,
      metadata: { says: Canary },
      ...rest
    })
    return id
  }
  const tasks = [
    await task("ready", { priority: "P0", external_key: Canary, role }),
    await task("waiting", { blocked_by: named("ready"), project_id: project }),
    await task("failed", { queue: "failed" }),
    await task("elsewhere", { queue: Canary }),
    await task("held")
  ]
  const held = tasks.at(-1)!
  await ask("POST", "/api/v1/tasks/claim", {
    scope,
    orchestrator_id,
    agent_name: Canary,
    role_filter: "",
    lease_duration_seconds: 86_400
  })
  const author = { scope, from_actor: Canary, type: "comment", content: Canary }
  const message = await ask("POST", "/api/v1/messages", { ...author, task_id: held, to_actor: Canary })
  const draft = await ask("POST", "/api/v1/drafts", {
    scope,
    title: Canary,
    author: Canary,
    domain: Canary,
    tags: [Canary]
  })
  const action = await ask("POST", "/api/v1/actions", {
    scope,
    entity_type: "task",
    entity_id: held,
    action_type: "archive",
    label: Canary,
    proposed_by: Canary,
    metadata: { says: Canary }
  })
  const key = await ask("POST", `/api/v1/scopes/${scope}/keys`, { name: Canary })

  const ids = new Map<string, ReadonlyArray<string>>([
    ["tasks", tasks],
    ["projects", [project]],
    ["orchestrators", [orchestrator_id]],
    ["flows", [flow]],
    ["roles", [role]],
    ["messages", [message.id]],
    ["actions", [action.id]],
    ["drafts", [String(draft.id)]],
    ["keys", [key.id]]
  ])

  // In Durable Objects another scope may have records of the same ids.
  const scoped = (path: string) => `${path}${path.includes("?") ? "&" : "?"}scope=${scope}`

  /** Every record as the server answers it. */
  const records = async (): Promise<ReadonlyArray<Record_>> => {
    const paths = [
      ...[...ids].flatMap(([collection, ids]) =>
        reads[collection] === undefined ? [] : ids.map(reads[collection]).map(scoped)
      ),
      scoped(`/api/v1/tasks/${held}/history`),
      `/api/v1/flows?scope=${scope}`,
      `/api/v1/roles?scope=${scope}`,
      `/api/v1/scopes/${scope}/keys`
    ]
    const found: Array<Record_> = []
    for (const path of paths) found.push(await ask("GET", path))
    return found
  }
  return { scope, ids, records }
}
