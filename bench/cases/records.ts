/** Projects, drafts, flows, keys, imports, and requests about the server itself. */
import { about, type Cases, plain, scope } from "../Case.ts"
import { apart, draft, flow, flowBody, key, parked, project, task, webhook } from "./given.ts"

const projects = (rest = "") => (id: string) => `/api/v1/projects/${id}${rest}`
const drafts = (id: string) => `/api/v1/drafts/${id}`
const flows = (name: string) => `/api/v1/flows/${name}?scope=${scope}`
const webhooks = (rest = "") => (id: string) => `/api/v1/webhooks/${id}${rest}`
const keys = `/api/v1/scopes/${apart}/keys`

export const records: Cases = {
  "GET /api/v1/usage": [plain(`/api/v1/usage?scope=${scope}`)],
  "PUT /api/v1/usage/caps": [{
    prepare: () => ({ path: "/api/v1/usage/caps", body: { scope: apart, max_tokens: 1_000_000_000 } })
  }],
  "GET /api/v1/breakers": [plain(`/api/v1/breakers?scope=${scope}`)],
  "PUT /api/v1/breakers": [{
    prepare: () => ({ path: "/api/v1/breakers", body: { scope: apart, threshold: 100 } })
  }],
  "POST /api/v1/breakers/close": [{
    variant: "that is closed",
    prepare: async ({ ask }) => {
      await ask("PUT", "/api/v1/breakers", { scope: apart, threshold: 100 })
      return { path: "/api/v1/breakers/close", body: { scope: apart } }
    }
  }],
  "GET /api/v1/parks": [plain(`/api/v1/parks?scope=${scope}`)],
  "DELETE /api/v1/parks/:account": [about(parked, (account) => `/api/v1/parks/${account}?scope=${scope}`)],
  "GET /": [plain("/")],
  "GET /api/health": [plain("/api/health")],

  "POST /api/v1/projects": [{
    prepare: ({ fresh }) => ({
      path: "/api/v1/projects",
      body: { id: fresh("project"), scope, title: "A project", branch: "main" }
    })
  }],
  "GET /api/v1/projects": [plain(`/api/v1/projects?scope=${scope}&limit=50`, "50 of all, which counts them")],
  "GET /api/v1/projects/:id": [about(project, projects())],
  "GET /api/v1/projects/:id/tasks": [about(
    async (setup) => {
      const project_id = await project(setup)
      for (let n = 0; n < 10; n++) await task(setup, { project_id })
      return project_id
    },
    projects("/tasks"),
    undefined,
    "of 10 tasks"
  )],
  "GET /api/v1/projects/:id/graph": [about(
    async (setup) => {
      const project_id = await project(setup)
      let before: ReadonlyArray<string> = []
      for (let n = 0; n < 10; n++) before = [await task(setup, { project_id, depends_on: before })]
      return project_id
    },
    projects("/graph"),
    undefined,
    "of 10 tasks in a row"
  )],
  "PATCH /api/v1/projects/:id": [about(project, projects(), { title: "Another title" })],
  "DELETE /api/v1/projects/:id": [about(project, projects())],

  "POST /api/v1/drafts": [{
    prepare: () => ({ path: "/api/v1/drafts", body: { scope, title: "An idea", author: "ann" } })
  }],
  "GET /api/v1/drafts": [plain(`/api/v1/drafts?scope=${scope}&limit=50`, "50 of all, which counts them")],
  "GET /api/v1/drafts/:id": [about(draft, drafts)],
  "PATCH /api/v1/drafts/:id": [about(draft, drafts, { title: "A better idea" })],
  "POST /api/v1/drafts/:id/promote": [{
    variant: "to a task",
    prepare: async (setup) => ({
      path: `${drafts(await draft(setup))}/promote`,
      body: { task: { id: setup.fresh("promoted"), title: "An idea", branch: "main" } }
    })
  }, {
    variant: "to a project",
    prepare: async (setup) => ({
      path: `${drafts(await draft(setup))}/promote`,
      body: { project: { id: setup.fresh("promoted"), branch: "main" } }
    })
  }],
  "DELETE /api/v1/drafts/:id": [about(draft, drafts)],

  "POST /api/v1/webhooks": [{
    prepare: ({ fresh }) => ({
      path: "/api/v1/webhooks",
      body: { scope: fresh("hooked"), url: "https://hooks.example.com/" }
    })
  }],
  "GET /api/v1/webhooks": [plain(`/api/v1/webhooks?scope=${scope}`)],
  "GET /api/v1/webhooks/:id": [about(webhook, webhooks())],
  "PATCH /api/v1/webhooks/:id": [about(webhook, webhooks(), { name: "Another name" })],
  "DELETE /api/v1/webhooks/:id": [about(webhook, webhooks())],
  "GET /api/v1/webhooks/:id/deliveries": [about(webhook, webhooks("/deliveries"))],
  "POST /api/v1/webhooks/:id/test": [about(webhook, webhooks("/test"), undefined, "to an address that does not exist")],
  "POST /api/v1/webhooks/:id/redeliver": [about(webhook, webhooks("/redeliver"), { after: 0 })],

  "GET /api/v1/flows": [plain(`/api/v1/flows?scope=${scope}`)],
  "PUT /api/v1/flows/:name": [{ prepare: ({ fresh }) => ({ path: `/api/v1/flows/${fresh("flow")}`, body: flowBody }) }],
  "GET /api/v1/flows/:name": [about(flow, flows)],
  "DELETE /api/v1/flows/:name": [about(flow, flows)],

  "GET /api/v1/keys": [plain("/api/v1/keys")],
  "POST /api/v1/scopes/:scope/keys": [{ prepare: () => ({ path: keys, body: { name: "bench" } }) }],
  "GET /api/v1/scopes/:scope/keys": [plain(keys)],
  "DELETE /api/v1/scopes/:scope/keys/:id": [about(async (setup) => (await key(setup)).id, (id) => `${keys}/${id}`)],
  "POST /api/v1/orchestrators/scopes/:scope/rotate-key": [{
    prepare: async (setup) => ({
      path: `/api/v1/orchestrators/scopes/${apart}/rotate-key`,
      headers: { authorization: `Bearer ${(await key(setup)).api_key}` }
    })
  }],
  "GET /api/v1/export": [
    plain(`/api/v1/export?scope=${scope}&cursor=${encodeURIComponent("[\"tasks\",[]]")}`, "a page of tasks")
  ],
  "POST /api/v1/scopes/:scope/import": [{
    variant: "of a draft",
    // A number that no draft has yet.
    prepare: () => ({
      path: `/api/v1/scopes/${scope}/import`,
      body: { drafts: [{ id: 900_000, title: "An idea", author: "ann", created_at: "2026-01-01T00:00:00Z" }] }
    })
  }]
}
