/**
 * What every endpoint answers to whom: a row for each, which says how to ask it about a record of a scope. A new
 * endpoint needs a row; test/http/AccessMatrix.test.ts asks for it.
 */
import * as Effect from "effect/Effect"
import type { Rank } from "../../src/domain/access/Rank.ts"

/** Sends as the administrator, and answers the body. A refusal is a defect. */
export type Admin = (method: string, path: string, body?: unknown) => Effect.Effect<any>

export type Question = readonly [path: string, body?: unknown]

export interface Row {
  /** The answer to the administrator, and to a caller with a key of the record's scope. */
  readonly success: number
  /** The answer to a caller with a key of the record's scope, if it differs. */
  readonly key?: number
  /** What a key of another scope is answered: 404 where a record is asked for by its id, 403 where its scope is stated. */
  readonly denied?: 403 | 404
  /** The lowest rank of a key that may ask; `read` for a GET and `manage` for anything else, if it is absent. */
  readonly rank?: Rank
  /** What a key of the rank `work` adds to the body, to show that it holds the task. */
  readonly held?: object
  /** The path, and the body, about a record of the scope that has just been made for it. */
  readonly ask: (scope: string, admin: Admin) => Question | Effect.Effect<Question>
}

/** An endpoint that answers everybody alike. */
const everybody = (path: string) => ({ success: 200, open: true as const, ask: (): Question => [path] })

let last = 0
export const fresh = (name: string) => `${name}-${++last}`

const statedInQuery = (path: string, success = 200): Row => ({
  success,
  denied: 403,
  ask: (scope) => [`${path}${path.includes("?") ? "&" : "?"}scope=${scope}`]
})

const statedInBody = (path: string, body: () => object, success = 201): Row => ({
  success,
  denied: 403,
  ask: (scope) => [path, { ...body(), scope }]
})

/** An endpoint about one record: `make` makes it and answers its id. */
const byId = (
  make: (scope: string, admin: Admin) => Effect.Effect<string>,
  path: (id: string) => string,
  body?: unknown
): Row => ({
  success: 200,
  denied: 404,
  ask: (scope, admin) => Effect.map(make(scope, admin), (id): Question => [path(id), body])
})

export const machine = (scope: string, admin: Admin) =>
  Effect.map(
    admin("POST", "/api/v1/orchestrators/register", { scope, cluster: "k", machine_id: fresh("m") }),
    ({ orchestrator_id }) => orchestrator_id as string
  )

export const task = (scope: string, admin: Admin, rest?: object) => {
  const id = fresh("task")
  return Effect.as(admin("POST", "/api/v1/tasks", { id, scope, file_path: `${id}.md`, branch: "b", ...rest }), id)
}

const failed = (scope: string, admin: Admin) => task(scope, admin, { queue: "failed" })
export const waiting = (scope: string, admin: Admin) => {
  const id = fresh("waiting")
  const blocked = { id, scope, file_path: `${id}.md`, branch: "b", blocked_by: "x" }
  return Effect.as(admin("POST", "/api/v1/tasks", blocked), id)
}

export const claimed = Effect.fnUntraced(function*(scope: string, admin: Admin) {
  const orchestrator_id = yield* machine(scope, admin)
  const id = yield* task(scope, admin)
  yield* admin("POST", "/api/v1/tasks/claim", { scope, orchestrator_id, agent_name: "ann" })
  return id
})

const project = (scope: string, admin: Admin) => {
  const id = fresh("project")
  return Effect.as(admin("POST", "/api/v1/projects", { id, scope, title: "t", branch: "b" }), id)
}

const draft = (scope: string, admin: Admin) =>
  Effect.map(admin("POST", "/api/v1/drafts", { scope, title: "t", author: "a" }), ({ id }) => String(id))

const message = (scope: string, admin: Admin) =>
  Effect.map(
    admin("POST", "/api/v1/messages", { scope, task_id: "t", from_actor: "a", type: "comment", content: "c" }),
    ({ id }) => id as string
  )

const action = (scope: string, admin: Admin) =>
  Effect.map(
    admin("POST", "/api/v1/actions", {
      scope,
      entity_type: "task",
      entity_id: "t",
      action_type: "archive",
      label: "l",
      proposed_by: "a"
    }),
    ({ id }) => id as string
  )

const executed = (scope: string, admin: Admin) =>
  Effect.tap(action(scope, admin), (id) => admin("POST", `/api/v1/actions/${id}/execute`))

const hooked = (scope: string, admin: Admin) => {
  const id = fresh("task")
  const hooks = [{ name: "tests", point: "before_submit" }]
  return Effect.as(admin("POST", "/api/v1/tasks", { id, scope, file_path: `${id}.md`, branch: "b", hooks }), id)
}

const flowBody = { states: ["incoming", "claimed", "done"], transitions: [{ from: "incoming", to: "claimed" }] }

const flow = (scope: string, admin: Admin) => {
  const name = fresh("flow")
  return Effect.as(admin("PUT", `/api/v1/flows/${name}`, { scope, ...flowBody }), name)
}

const role = Effect.fnUntraced(function*(scope: string, admin: Admin) {
  const name = fresh("role")
  yield* admin("POST", "/api/v1/roles/register", {
    orchestrator_id: yield* machine(scope, admin),
    roles: [{ name }]
  })
  return name
})

const webhook = (scope: string, admin: Admin) =>
  Effect.map(
    admin("POST", "/api/v1/webhooks", { scope, url: "https://hooks.example.com/" }),
    ({ id }) => id as string
  )

const key = (scope: string, admin: Admin) =>
  Effect.map(admin("POST", `/api/v1/scopes/${scope}/keys`), ({ id }) => id as string)

/** What a machine does in its day. */
const work = (row: Row): Row => ({ ...row, rank: "work" })

/** What a machine may do with a task that it holds. It is the first grant of the task. */
const whileHeld = (row: Row): Row => ({ ...work(row), held: { fencing_token: 1 } })

/** For the administrator alone. */
const administrator = { key: 403, denied: 403 } as const

export const table: Record<string, Row & { readonly open?: true }> = {
  "GET /": everybody("/"),
  "GET /api/health": everybody("/api/health"),

  "GET /api/v1/tasks": statedInQuery("/api/v1/tasks"),
  "POST /api/v1/tasks": statedInBody("/api/v1/tasks", () => {
    const id = fresh("t")
    return { id, file_path: `TASK-${id}.md`, branch: "b" }
  }),
  "POST /api/v1/tasks/bulk": {
    success: 200,
    denied: 403,
    ask: (scope, admin) =>
      Effect.map(
        task(scope, admin),
        (id): Question => ["/api/v1/tasks/bulk", { scope, action: "cancel", ids: [id] }]
      )
  },
  "POST /api/v1/tasks/claim": work({
    success: 200,
    denied: 403,
    ask: Effect.fnUntraced(function*(scope, admin) {
      const orchestrator_id = yield* machine(scope, admin)
      yield* task(scope, admin)
      return ["/api/v1/tasks/claim", { scope, orchestrator_id, agent_name: "ann" }] as const
    })
  }),
  "GET /api/v1/tasks/:id": byId(task, (id) => `/api/v1/tasks/${id}`),
  "PATCH /api/v1/tasks/:id": byId(task, (id) => `/api/v1/tasks/${id}`, { title: "x" }),
  "DELETE /api/v1/tasks/:id": byId(task, (id) => `/api/v1/tasks/${id}`),
  "GET /api/v1/tasks/:id/explain": byId(task, (id) => `/api/v1/tasks/${id}/explain`),
  "GET /api/v1/tasks/:id/dependencies": byId(task, (id) => `/api/v1/tasks/${id}/dependencies`),
  "PUT /api/v1/tasks/:id/dependencies": byId(task, (id) => `/api/v1/tasks/${id}/dependencies`, { depends_on: ["x"] }),
  "DELETE /api/v1/tasks/:id/dependencies": byId(waiting, (id) => `/api/v1/tasks/${id}/dependencies`),
  "PUT /api/v1/tasks/:id/dependencies/:blocker": byId(task, (id) => `/api/v1/tasks/${id}/dependencies/x`),
  "DELETE /api/v1/tasks/:id/dependencies/:blocker": byId(waiting, (id) => `/api/v1/tasks/${id}/dependencies/x`),
  "GET /api/v1/tasks/:id/graph": byId(task, (id) => `/api/v1/tasks/${id}/graph`),
  "GET /api/v1/tasks/:id/history": byId(task, (id) => `/api/v1/tasks/${id}/history`),
  "POST /api/v1/tasks/:id/submit": whileHeld(byId(claimed, (id) => `/api/v1/tasks/${id}/submit`, {
    commits_count: 1,
    turns_used: 1
  })),
  "POST /api/v1/tasks/:id/accept": byId(claimed, (id) => `/api/v1/tasks/${id}/accept`, { accepted_by: "x" }),
  "POST /api/v1/tasks/:id/reject": byId(claimed, (id) => `/api/v1/tasks/${id}/reject`, {
    reason: "r",
    rejected_by: "x"
  }),
  "POST /api/v1/tasks/:id/requeue": whileHeld(byId(claimed, (id) => `/api/v1/tasks/${id}/requeue`)),
  "POST /api/v1/tasks/:id/park": whileHeld(byId(claimed, (id) => `/api/v1/tasks/${id}/park`, {
    account: fresh("account"),
    until: "1970-02-01T00:00:00Z"
  })),
  "POST /api/v1/tasks/:id/fail": whileHeld(byId(claimed, (id) => `/api/v1/tasks/${id}/fail`, { reason: "r" })),
  "POST /api/v1/tasks/:id/renew": work(byId(claimed, (id) => `/api/v1/tasks/${id}/renew`, { fencing_token: 1 })),
  "GET /api/v1/tasks/:id/fence": { ...byId(claimed, (id) => `/api/v1/tasks/${id}/fence?token=1`), rank: "fence" },
  "GET /api/v1/tasks/:id/handoff": byId(task, (id) => `/api/v1/tasks/${id}/handoff`),
  "POST /api/v1/tasks/:id/cancel": byId(task, (id) => `/api/v1/tasks/${id}/cancel`),
  "POST /api/v1/tasks/:id/redrive": byId(failed, (id) => `/api/v1/tasks/${id}/redrive`),
  "POST /api/v1/tasks/:id/force-queue": {
    ...byId(task, (id) => `/api/v1/tasks/${id}/force-queue`, { queue: "done", reason: "r" }),
    ...administrator
  },
  "POST /api/v1/tasks/:id/hooks/:hookName/complete": work(byId(
    hooked,
    (id) => `/api/v1/tasks/${id}/hooks/tests/complete`,
    { status: "passed" }
  )),
  "GET /api/v1/tasks/:id/messages": statedInQuery("/api/v1/tasks/t/messages"),

  "GET /api/v1/events": statedInQuery("/api/v1/events"),
  "GET /metrics": statedInQuery("/metrics"),
  "GET /api/v1/overview": statedInQuery("/api/v1/overview"),

  "GET /api/v1/webhooks": { ...statedInQuery("/api/v1/webhooks"), rank: "manage" },
  "POST /api/v1/webhooks": statedInBody("/api/v1/webhooks", () => ({ url: "https://hooks.example.com/" })),
  "GET /api/v1/webhooks/:id": { ...byId(webhook, (id) => `/api/v1/webhooks/${id}`), rank: "manage" },
  "PATCH /api/v1/webhooks/:id": byId(webhook, (id) => `/api/v1/webhooks/${id}`, { name: "x" }),
  "DELETE /api/v1/webhooks/:id": byId(webhook, (id) => `/api/v1/webhooks/${id}`),
  "GET /api/v1/webhooks/:id/deliveries": {
    ...byId(webhook, (id) => `/api/v1/webhooks/${id}/deliveries`),
    rank: "manage"
  },
  "POST /api/v1/webhooks/:id/test": byId(webhook, (id) => `/api/v1/webhooks/${id}/test`),
  "POST /api/v1/webhooks/:id/redeliver": byId(webhook, (id) => `/api/v1/webhooks/${id}/redeliver`, { after: 0 }),

  "GET /api/v1/messages": statedInQuery("/api/v1/messages"),
  "POST /api/v1/messages": work(statedInBody("/api/v1/messages", () => ({
    task_id: "t",
    from_actor: "a",
    type: "comment",
    content: "c"
  }))),
  "GET /api/v1/messages/:id": byId(message, (id) => `/api/v1/messages/${id}`),
  "PATCH /api/v1/messages/:id": work(byId(message, (id) => `/api/v1/messages/${id}`, { status: "done" })),

  "GET /api/v1/actions": statedInQuery("/api/v1/actions"),
  "POST /api/v1/actions": work(statedInBody("/api/v1/actions", () => ({
    entity_type: "task",
    entity_id: "t",
    action_type: "archive",
    label: "l",
    proposed_by: "a"
  }))),
  "GET /api/v1/actions/:id": byId(action, (id) => `/api/v1/actions/${id}`),
  "PATCH /api/v1/actions/:id": byId(action, (id) => `/api/v1/actions/${id}`, { status: "failed" }),
  "POST /api/v1/actions/:id/execute": byId(action, (id) => `/api/v1/actions/${id}/execute`),
  "POST /api/v1/actions/:id/complete": byId(executed, (id) => `/api/v1/actions/${id}/complete`),
  "POST /api/v1/actions/:id/fail": byId(executed, (id) => `/api/v1/actions/${id}/fail`),

  "POST /api/v1/orchestrators/register": work(statedInBody("/api/v1/orchestrators/register", () => ({
    cluster: "k",
    machine_id: fresh("m")
  }))),
  "GET /api/v1/orchestrators": statedInQuery("/api/v1/orchestrators"),
  "GET /api/v1/orchestrators/:id": byId(machine, (id) => `/api/v1/orchestrators/${id}`),
  "DELETE /api/v1/orchestrators/:id": byId(machine, (id) => `/api/v1/orchestrators/${id}`),
  "PATCH /api/v1/orchestrators/:id": byId(machine, (id) => `/api/v1/orchestrators/${id}`, { status: "maintenance" }),
  "POST /api/v1/orchestrators/:id/heartbeat": work(byId(machine, (id) => `/api/v1/orchestrators/${id}/heartbeat`)),
  "POST /api/v1/orchestrators/scopes/:scope/rotate-key": work({
    success: 200,
    denied: 403,
    ask: (scope) => [`/api/v1/orchestrators/scopes/${scope}/rotate-key`]
  }),

  "GET /api/v1/flows": statedInQuery("/api/v1/flows"),
  "PUT /api/v1/flows/:name": statedInBody("/api/v1/flows/f", () => flowBody, 200),
  "GET /api/v1/flows/:name": byId(flow, (name) => `/api/v1/flows/${name}`),
  "DELETE /api/v1/flows/:name": byId(flow, (name) => `/api/v1/flows/${name}`),

  "GET /api/v1/roles": statedInQuery("/api/v1/roles"),
  "POST /api/v1/roles/register": work({
    success: 200,
    denied: 403,
    ask: (scope, admin) =>
      Effect.map(machine(scope, admin), (orchestrator_id): Question => [
        `/api/v1/roles/register?scope=${scope}`,
        { orchestrator_id, roles: [{ name: "r" }] }
      ])
  }),
  "GET /api/v1/roles/:name": byId(role, (name) => `/api/v1/roles/${name}`),
  "DELETE /api/v1/roles/:name": byId(role, (name) => `/api/v1/roles/${name}`),

  "GET /api/v1/parks": statedInQuery("/api/v1/parks"),
  "DELETE /api/v1/parks/:account": {
    success: 200,
    denied: 403,
    ask: Effect.fnUntraced(function*(scope, admin) {
      const account = fresh("account")
      const id = yield* claimed(scope, admin)
      // An hour from now by the clock of the server.
      const { updated_at } = yield* admin("GET", `/api/v1/tasks/${id}`)
      const until = new Date(Date.parse(updated_at) + 3_600_000).toISOString()
      yield* admin("POST", `/api/v1/tasks/${id}/park`, { account, until })
      return [`/api/v1/parks/${account}?scope=${scope}`] as const
    })
  },
  "GET /api/v1/usage": statedInQuery("/api/v1/usage"),
  "PUT /api/v1/usage/caps": statedInBody("/api/v1/usage/caps", () => ({ max_tokens: 1_000_000 }), 200),
  "GET /api/v1/breakers": statedInQuery("/api/v1/breakers"),
  "PUT /api/v1/breakers": statedInBody("/api/v1/breakers", () => ({ threshold: 2 }), 200),
  "POST /api/v1/breakers/close": {
    success: 200,
    denied: 403,
    ask: (scope, admin) =>
      Effect.as(
        admin("PUT", "/api/v1/breakers", { scope, threshold: 2 }),
        ["/api/v1/breakers/close", { scope }] as const
      )
  },
  "GET /api/v1/scheduler/poll": statedInQuery("/api/v1/scheduler/poll"),

  "GET /api/v1/projects": statedInQuery("/api/v1/projects"),
  "POST /api/v1/projects": statedInBody("/api/v1/projects", () => ({ id: fresh("p"), title: "t", branch: "b" })),
  "GET /api/v1/projects/:id": byId(project, (id) => `/api/v1/projects/${id}`),
  "GET /api/v1/projects/:id/tasks": byId(project, (id) => `/api/v1/projects/${id}/tasks`),
  "GET /api/v1/projects/:id/graph": byId(project, (id) => `/api/v1/projects/${id}/graph`),
  "PATCH /api/v1/projects/:id": byId(project, (id) => `/api/v1/projects/${id}`, { title: "x" }),
  "DELETE /api/v1/projects/:id": byId(project, (id) => `/api/v1/projects/${id}`),

  "GET /api/v1/drafts": statedInQuery("/api/v1/drafts"),
  "POST /api/v1/drafts": statedInBody("/api/v1/drafts", () => ({ title: "t", author: "a" })),
  "GET /api/v1/drafts/:id": byId(draft, (id) => `/api/v1/drafts/${id}`),
  "PATCH /api/v1/drafts/:id": byId(draft, (id) => `/api/v1/drafts/${id}`, { title: "x" }),
  "POST /api/v1/drafts/:id/promote": {
    ...byId(draft, (id) => `/api/v1/drafts/${id}/promote`),
    success: 201,
    ask: (scope, admin) =>
      Effect.map(draft(scope, admin), (id): Question => [`/api/v1/drafts/${id}/promote`, { task: { id: fresh("t") } }])
  },
  "DELETE /api/v1/drafts/:id": byId(draft, (id) => `/api/v1/drafts/${id}`),

  "GET /api/v1/export": statedInQuery("/api/v1/export"),

  "GET /api/v1/keys": { success: 200, key: 403, denied: 403, ask: () => ["/api/v1/keys"] },
  "POST /api/v1/scopes/:scope/import": {
    success: 200,
    ...administrator,
    ask: (scope) => [`/api/v1/scopes/${scope}/import`, { drafts: [] }]
  },
  "POST /api/v1/scopes/:scope/keys": {
    success: 201,
    ...administrator,
    ask: (scope) => [`/api/v1/scopes/${scope}/keys`, { name: "n" }]
  },
  "GET /api/v1/scopes/:scope/keys": {
    success: 200,
    ...administrator,
    ask: (scope) => [`/api/v1/scopes/${scope}/keys`]
  },
  "DELETE /api/v1/scopes/:scope/keys/:id": {
    success: 200,
    ...administrator,
    ask: (scope, admin) => Effect.map(key(scope, admin), (id): Question => [`/api/v1/scopes/${scope}/keys/${id}`])
  }
}
