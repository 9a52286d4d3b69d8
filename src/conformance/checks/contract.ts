/** Checks that answers have the form that clients rely on, and that an invalid request gets a useful error. */
import type { Check, Group } from "../Check.ts"
import { expect, must, refused } from "../Expectation.ts"
import { Look } from "../Look.ts"

const unread = "Clients cannot tell what went wrong, and retry or give up where they should not."
const Instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

const checks: ReadonlyArray<Check> = [
  {
    name: "the server is healthy, and names its version",
    means: "Monitors and clients take the server for down.",
    look: Look.between,
    async run({ as }) {
      const nobody = as(undefined)
      expect(await nobody("GET", "/api/health"), 200, { status: "healthy", version: "2.0.0", database: "connected" })
      const info = await nobody("GET", "/")
      must(expect(info, 200, { name: "Octopoid Server" }).endpoints?.length > 0, "the endpoints of the server", info)
    }
  },
  {
    name: "a task has the fields clients read, with times in ISO 8601",
    means: "Clients of the old server misread tasks: leases look expired, and flags look set.",
    look: Look.between,
    async run({ ask, create, tag }) {
      const task = await create("a", { hooks: [{ name: "lint" }], needs_intervention: true, unknown_to_the_server: 1 })
      const page = await ask("GET", `/api/v1/tasks?type=${tag}`)
      const [listed] = expect(page, 200, { total: 1, offset: 0, limit: 50 }).tasks
      must(listed?.id === task.id && listed.content === task.content, "the task as it was created", page)
      must(
        Instant.test(listed.created_at) && Instant.test(listed.updated_at),
        "times as 2026-01-01T00:00:00.000Z",
        page
      )
      must(listed.needs_intervention === 1 && listed.auto_accept === 0, "flags as 0 and 1", page)
      must(typeof listed.hooks === "string" && JSON.parse(listed.hooks)[0].name === "lint", "hooks as JSON text", page)
    }
  },
  {
    name: "JSON that cannot be read is refused",
    means: unread,
    look: Look.between,
    async run({ post }) {
      const { error } = refused(await post("tasks", "{\"id\": "), 400)
      must(/json/i.test(error), "an error that names JSON")
    }
  },
  {
    name: "an invalid request is refused with the name of the field, and has no effect",
    means: unread,
    look: Look.between,
    async run({ claim, create, idOf, newTask, post, read }) {
      must(
        /orchestrator_id/.test(refused(await post("tasks/claim", {}), 400).error),
        "an error that names orchestrator_id"
      )
      const task = newTask("a", { title: 5, max_attempts: -1 })
      const { error } = refused(await post("tasks", task), 400)
      must(/max_attempts/.test(error), "an error that names max_attempts")
      // If there is nothing to claim, an unregistered machine gets a 404, as from the old server.
      await create("b")
      const { error: unknown } = refused(await claim({ orchestrator_id: idOf("nobody") }), 400)
      must(unknown.includes(idOf("nobody")), `an error that names ${idOf("nobody")}, which is no orchestrator`)
      expect(await read(task.id), 404)
    }
  },
  {
    name: "a task that exists already is a conflict",
    means: "Clients cannot distinguish a task that exists already from a broken server.",
    look: Look.between,
    async run({ create, newTask, post }) {
      const { file_path, id } = await create("a")
      refused(await post("tasks", newTask("a")), 409, { task_id: id })
      refused(await post("tasks", { ...newTask("b"), file_path }), 409)
    }
  },
  {
    name: "a missing record is a 404 in JSON",
    means: unread,
    look: Look.between,
    async run({ ask, idOf, read }) {
      refused(await read(idOf("nothing")), 404, { task_id: idOf("nothing") })
      refused(await ask("GET", "/api/v1/no-such-endpoint"), 404)
    }
  },
  {
    name: "a wrong method gets 405, with the allowed methods",
    means: unread,
    look: Look.between,
    async run({ ask }) {
      const answer = await ask("PUT", "/api/v1/tasks", {})
      refused(answer, 405)
      must((answer.headers.get("allow") ?? "").includes("POST"), "the header Allow with POST", answer)
    }
  },
  {
    name: "a body that is too large is refused",
    means: "One request can exhaust the memory of the server.",
    look: Look.between,
    async run({ newTask, post, read }) {
      const task = newTask("a", { content: "x".repeat(1_100_000) })
      refused(await post("tasks", task), 413)
      expect(await read(task.id), 404)
    }
  },
  {
    name: "every answer shows its costs and the request id for the log",
    means: "The cost of a request and the reason of a failure cannot be found.",
    look: Look.between,
    async run({ read, idOf }) {
      const answer = await read(idOf("nothing"))
      const [timing, id] = [answer.headers.get("server-timing"), answer.headers.get("x-request-id")]
      must(/^d1;dur=\d+/.test(timing ?? ""), "the header Server-Timing with d1", answer)
      must(id !== null && id !== "", "the header X-Request-Id", answer)
    }
  },
  {
    name: "the server publishes its OpenAPI document",
    means: "Tools and clients cannot be generated from the OpenAPI document.",
    look: Look.between,
    async run({ as }) {
      const answer = await as(undefined)("GET", "/openapi.json")
      const { openapi, paths } = expect(answer, 200)
      must(
        String(openapi).startsWith("3.") && paths["/api/v1/tasks/claim"] !== undefined,
        "an OpenAPI document",
        answer
      )
    }
  }
]

export const contract: Group = { name: "contract", checks }
