/** Creating, reading and changing tasks. */
import { about, type Case, type Cases, plain, scope, type Setup } from "../Case.ts"
import { blocker, held, newTask, submitted, task } from "./given.ts"

const at = (rest = "") => (id: string) => `/api/v1/tasks/${id}${rest}`
const list = (query: string, variant: string) => plain(`/api/v1/tasks?scope=${scope}&${query}`, variant)

const creation = (
  variant: string | undefined,
  rest: (setup: Setup) => Promise<object> | object,
  key?: string
): Case => ({
  ...(variant === undefined ? {} : { variant }),
  prepare: async (setup) => ({ path: "/api/v1/tasks", body: newTask(setup.fresh("new"), await rest(setup)), key })
})

const waiting = async (setup: Setup) => task(setup, { depends_on: [await blocker(setup)] })

export const tasks: Cases = {
  "POST /api/v1/tasks": [
    creation(undefined, () => ({})),
    creation("with a blocker", async (setup) => ({ depends_on: [await blocker(setup)] })),
    creation("under an idempotency key", () => ({}), "a key of the bench"),
    {
      variant: "repeated under its key",
      prepare: async ({ ask, fresh }) => {
        const [path, body, key] = ["/api/v1/tasks", newTask(fresh("new")), fresh("key")]
        await ask("POST", path, body, key)
        return { path, body, key }
      }
    },
    {
      variant: "whose id is taken",
      status: 409,
      prepare: async (setup) => ({ path: "/api/v1/tasks", body: newTask(await task(setup)) })
    }
  ],
  "POST /api/v1/tasks/bulk": [
    {
      variant: "that creates five",
      prepare: ({ fresh }) => ({
        path: "/api/v1/tasks/bulk",
        body: { scope, action: "create", tasks: Array.from({ length: 5 }, () => newTask(fresh("new"), {})) }
      })
    },
    {
      variant: "that cancels three, under an idempotency key",
      prepare: async (setup) => ({
        path: "/api/v1/tasks/bulk",
        body: { scope, action: "cancel", ids: [await task(setup), await task(setup), await task(setup)] },
        key: setup.fresh("bulk")
      })
    },
    {
      variant: "a dry run of a filter that matches few",
      prepare: () => ({
        path: "/api/v1/tasks/bulk",
        body: { scope, action: "cancel", filter: { queue: "incoming", type: "no such type" }, dry_run: true }
      })
    }
  ],
  "GET /api/v1/tasks": [
    list("queue=incoming&limit=50", "50 of a queue"),
    list("queue=incoming&sort=priority&limit=50", "50 of a queue by priority"),
    list("limit=50", "50 of all queues"),
    list("queue=done&limit=50", "50 that are done"),
    list("queue=incoming&limit=50&offset=450", "50 of a queue from the 450th on"),
    list("q=no-task-has-this&limit=50", "a search that finds nothing in 500 tasks"),
    list("priority=P1&limit=50", "50 of a priority, which counts them")
  ],
  "GET /api/v1/tasks/:id": [about(task, at())],
  "PATCH /api/v1/tasks/:id": [
    about(task, at(), { title: "Another title" }),
    about(task, at(), { queue: "requires-intervention" }, "into another queue")
  ],
  "DELETE /api/v1/tasks/:id": [about(task, at())],
  "GET /api/v1/events": [
    plain(`/api/v1/events?scope=${scope}`, "100, the oldest"),
    plain(`/api/v1/events?scope=${scope}&after=latest`, "the newest number"),
    {
      variant: "nothing new",
      prepare: async ({ ask }) => {
        const { latest } = await ask("GET", `/api/v1/events?scope=${scope}&after=latest`)
        return { path: `/api/v1/events?scope=${scope}&after=${latest}` }
      }
    },
    plain(`/api/v1/events?scope=${scope}&types=deleted`, "of a type, among 500"),
    plain(`/api/v1/events?scope=${scope}&since=2026-01-01T00:00:00.000Z&limit=10`, "10 since a time")
  ],
  "GET /api/v1/overview": [plain(`/api/v1/overview?scope=${scope}`)],
  "GET /metrics": [plain("/metrics", "of all scopes"), plain(`/metrics?scope=${scope}`, "of one scope")],
  "GET /api/v1/tasks/:id/history": [about(submitted, at("/history"))],
  "GET /api/v1/tasks/:id/explain": [
    about(task, at("/explain"), undefined, "of one that is ready"),
    about(waiting, at("/explain"), undefined, "of one that waits"),
    about(async (setup) => (await held(setup)).id, at("/explain"), undefined, "of one that is held")
  ],
  "GET /api/v1/tasks/:id/fence": [about(async (setup) => (await held(setup)).id, at("/fence?token=1"))],
  "GET /api/v1/tasks/:id/handoff": [about(submitted, at("/handoff"))],
  "GET /api/v1/tasks/:id/dependencies": [about(waiting, at("/dependencies"))],
  "PUT /api/v1/tasks/:id/dependencies": [{
    prepare: async (setup) => {
      const [id, before] = [await task(setup), await blocker(setup)]
      return { path: at("/dependencies")(id), body: { depends_on: [before] } }
    }
  }],
  "DELETE /api/v1/tasks/:id/dependencies": [about(waiting, at("/dependencies"))],
  "PUT /api/v1/tasks/:id/dependencies/:blocker": [{
    prepare: async (setup) => {
      const [id, before] = [await task(setup), await blocker(setup)]
      return { path: at(`/dependencies/${before}`)(id) }
    }
  }],
  "DELETE /api/v1/tasks/:id/dependencies/:blocker": [{
    prepare: async (setup) => {
      const before = await blocker(setup)
      return { path: at(`/dependencies/${before}`)(await task(setup, { depends_on: [before] })) }
    }
  }],
  "GET /api/v1/tasks/:id/graph": [about(waiting, at("/graph"))]
}
