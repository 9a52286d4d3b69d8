/** The records that cases are about. */
import { scope, type Setup } from "../Case.ts"

/** What a new task is created from. It is as urgent as can be, so that it stands in for one that is claimed. */
export const newTask = (id: string, rest: object = {}) => ({
  id,
  scope,
  file_path: `TASK-${id}.md`,
  branch: "main",
  title: `Task ${id}`,
  priority: "P0",
  content: "What is to be done.",
  ...rest
})

export const machine = async ({ ask, fresh }: Setup): Promise<string> => {
  const { orchestrator_id } = await ask("POST", "/api/v1/orchestrators/register", {
    scope,
    cluster: "bench",
    machine_id: fresh("m")
  })
  return orchestrator_id
}

export const task = async ({ ask, fresh }: Setup, rest?: object): Promise<string> => {
  const id = fresh("x")
  await ask("POST", "/api/v1/tasks", newTask(id, rest))
  return id
}

/** A task that others wait for. Claims come to it last, so that cases about a task that is held meet none of these. */
export const blocker = (setup: Setup): Promise<string> => task(setup, { priority: "P9" })

export interface Held {
  readonly id: string
  readonly fencing_token: number
}

/** A task that is held. Another is created first, so that the queue stays as deep as it is. */
export const held = async (setup: Setup, orchestrator_id?: string): Promise<Held> => {
  const holder = orchestrator_id ?? await machine(setup)
  await task(setup)
  return setup.ask("POST", "/api/v1/tasks/claim", { scope, orchestrator_id: holder, agent_name: "ann" })
}

export const submission = { commits_count: 1, turns_used: 5 }

export const submitted = async (setup: Setup): Promise<string> => {
  const { fencing_token, id } = await held(setup)
  await setup.ask("POST", `/api/v1/tasks/${id}/submit`, { fencing_token, ...submission })
  return id
}

export const project = async ({ ask, fresh }: Setup): Promise<string> => {
  const id = fresh("project")
  await ask("POST", "/api/v1/projects", { id, scope, title: "A project", branch: "main" })
  return id
}

export const webhook = async ({ ask, fresh }: Setup): Promise<string> =>
  (await ask("POST", "/api/v1/webhooks", { scope: fresh("hooked"), url: "https://hooks.example.com/" })).id

export const draft = async ({ ask }: Setup): Promise<string> =>
  String((await ask("POST", "/api/v1/drafts", { scope, title: "An idea", author: "ann" })).id)

export const newMessage = (task_id: string) => ({
  scope,
  task_id,
  from_actor: "ann",
  to_actor: "bob",
  type: "comment",
  content: "Something to say."
})

export const message = async ({ ask, fresh }: Setup): Promise<string> =>
  (await ask("POST", "/api/v1/messages", newMessage(fresh("topic")))).id

export const newAction = (entity_id: string) => ({
  scope,
  entity_type: "task",
  entity_id,
  action_type: "archive",
  label: "Archive it",
  proposed_by: "ann"
})

export const action = async ({ ask, fresh }: Setup): Promise<string> =>
  (await ask("POST", "/api/v1/actions", newAction(fresh("entity")))).id

export const executed = async (setup: Setup): Promise<string> => {
  const id = await action(setup)
  await setup.ask("POST", `/api/v1/actions/${id}/execute`)
  return id
}

export const flowBody = {
  scope,
  states: ["incoming", "claimed", "provisional", "done"],
  transitions: [
    { from: "incoming", to: "claimed" },
    { from: "claimed", to: "provisional" },
    { from: "provisional", to: "done" }
  ]
}

export const flow = async ({ ask, fresh }: Setup): Promise<string> => {
  const name = fresh("flow")
  await ask("PUT", `/api/v1/flows/${name}`, flowBody)
  return name
}

/** A scope with roles knows no others, and one with a key is asked for it: both have a scope of their own. */
export const apart = "bench-apart"

export const role = async ({ ask, fresh }: Setup): Promise<string> => {
  const name = fresh("role")
  const { orchestrator_id } = await ask("POST", "/api/v1/orchestrators/register", {
    scope: apart,
    cluster: "bench",
    machine_id: fresh("m")
  })
  await ask("POST", `/api/v1/roles/register?scope=${apart}`, { orchestrator_id, roles: [{ name }] })
  return name
}

export const key = async ({ ask }: Setup): Promise<{ readonly id: string; readonly api_key: string }> =>
  ask("POST", `/api/v1/scopes/${apart}/keys`, { name: "bench" })

/** The name of an account that is parked for a day. */
export const parked = async (setup: Setup): Promise<string> => {
  const account = setup.fresh("account")
  const { fencing_token, id } = await held(setup)
  const until = new Date(Date.now() + 86_400_000).toISOString()
  await setup.ask("POST", `/api/v1/tasks/${id}/park`, { account, until, fencing_token })
  return account
}
