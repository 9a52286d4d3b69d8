/** Checks of what an administrator reaches across scopes, on servers with one database and with one for each scope. */
import type { Bench } from "../Bench.ts"
import type { Check } from "../Check.ts"
import { expect, must, refused } from "../Expectation.ts"
import { Look } from "../Look.ts"

const hidden = "The administrator does not find records, or changes those of another scope."

/** How many pages of a list are looked through at most. */
const MaxPages = 50

/** Whether the list of all scopes has an item of each scope. */
const listsBoth = async (bench: Bench, kind: string, of: (item: any) => string): Promise<boolean> => {
  const { admin, other } = bench.administered()
  const missing = new Set([bench.scope, other.scope])
  let cursor = ""
  for (let pages = 0; pages < MaxPages && missing.size > 0; pages++) {
    const body = expect(await admin("GET", `/api/v1/${kind}?limit=500${cursor}`), 200)
    for (const item of body[kind]) missing.delete(of(item))
    if (body.next_cursor === null) break
    cursor = `&cursor=${encodeURIComponent(body.next_cursor)}`
  }
  return missing.size === 0
}

export const across: ReadonlyArray<Check> = [
  {
    name: "the administrator finds a record by its id in any scope",
    means: hidden,
    look: Look.access,
    async run(bench) {
      const { admin, other } = bench.administered()
      const home = await bench.create("home")
      const away = expect(await other.ask("POST", "/api/v1/tasks", bench.newTask("away")), 201)
      expect(await admin("GET", `/api/v1/tasks/${home.id}`), 200, { scope: bench.scope })
      expect(await admin("GET", `/api/v1/tasks/${away.id}`), 200, { scope: other.scope })
      expect(await admin("PATCH", `/api/v1/tasks/${away.id}`, { title: "changed" }), 200)
      expect(await other.ask("GET", `/api/v1/tasks/${away.id}`), 200, { title: "changed" })
      refused(await admin("GET", `/api/v1/tasks/${bench.idOf("nowhere")}`), 404)
      const project = { id: bench.idOf("project"), title: "conformance", branch: "main" }
      expect(await other.ask("POST", "/api/v1/projects", project), 201)
      expect(await admin("GET", `/api/v1/projects/${project.id}`), 200, { scope: other.scope })
      expect(await admin("DELETE", `/api/v1/tasks/${away.id}`), 200)
      refused(await other.ask("GET", `/api/v1/tasks/${away.id}`), 404)
      expect(await admin("GET", `/api/v1/tasks/${away.id}/history`), 200)
    }
  },
  {
    name: "an id names one task in each scope at most, and is refused where it could mean two",
    means: hidden,
    look: Look.access,
    async run(bench) {
      const { admin, other } = bench.administered()
      const task = await bench.create("twice", { title: "home" })
      const path = `/api/v1/tasks/${task.id}`
      const second = await other.ask("POST", "/api/v1/tasks", bench.newTask("twice", { title: "away" }))
      if (second.status !== 201) {
        // Ids are unique on the server.
        refused(second, 409)
        refused(await other.ask("GET", path), 404)
        return
      }
      expect(await bench.ask("GET", path), 200, { title: "home" })
      expect(await other.ask("GET", path), 200, { title: "away" })
      expect(await admin("GET", `${path}?scope=${other.scope}`), 200, { title: "away" })
      refused(await admin("GET", path), 400)
      refused(await admin("POST", `${path}/accept`, { accepted_by: "rex" }), 400)
      expect(await bench.ask("GET", path), 200, { title: "home", version: task.version })
    }
  },
  {
    name:
      "a machine that the administrator lets work for another scope keeps its leases there, and goes into maintenance",
    means: "A machine stops work that it still holds, or gets work that it should not get.",
    look: Look.access,
    async run(bench) {
      const { admin, other } = bench.administered()
      const machine = { cluster: bench.orchestrator, machine_id: bench.idOf("lent") }
      const { orchestrator_id } = expect(await bench.post("orchestrators/register", machine), 201)
      const away = expect(await other.ask("POST", "/api/v1/tasks", bench.newTask("away")), 201)
      const claim = () => admin("POST", "/api/v1/tasks/claim", bench.newClaim({ orchestrator_id, scope: other.scope }))
      const { fencing_token } = expect(await claim(), 200, { id: away.id })
      const leases = [{ task_id: away.id, fencing_token, lease_duration_seconds: 3600 }]
      const beat = await admin("POST", `/api/v1/orchestrators/${orchestrator_id}/heartbeat`, { leases })
      must(expect(beat, 200, { lost: [] }).renewed?.[0]?.task_id === away.id, "the lease renewed", beat)
      expect(await other.ask("POST", "/api/v1/tasks", bench.newTask("next")), 201)
      const path = `/api/v1/orchestrators/${orchestrator_id}`
      expect(await bench.ask("PATCH", path, { status: "maintenance" }), 200)
      expect(await claim(), 404, { reason: "maintenance" })
      expect(await bench.ask("PATCH", path, { status: "active" }), 200)
      expect(await claim(), 200)
    }
  },
  {
    name: "the lists of the administrator have the records of every scope",
    means: hidden,
    look: Look.access,
    async run(bench) {
      const { admin, other } = bench.administered()
      const { ask, scope } = bench
      for (const [name, to] of [["a", ask], ["b", other.ask]] as const) {
        expect(
          await to("POST", "/api/v1/projects", { id: bench.idOf(name), title: "conformance", branch: "main" }),
          201
        )
      }
      must(await listsBoth(bench, "projects", (project) => project.scope), "projects of both scopes")
      must(await listsBoth(bench, "keys", (key) => key.scope), "keys of both scopes")
      for (const each of [scope, other.scope]) {
        const page = await admin("GET", `/api/v1/keys?limit=1`)
        must(expect(page, 200).keys.length === 1 && page.body.next_cursor !== null, "a page of one key", page)
        const one = await admin("GET", `/api/v1/projects?scope=${each}&limit=500`)
        must(expect(one, 200).projects.every((project: any) => project.scope === each), `projects of ${each} only`, one)
      }
    }
  },
  {
    name: "an export of the whole server goes on from page to page",
    means: "A copy of the server lacks records.",
    look: Look.deployment,
    async run(bench) {
      const { admin, other } = bench.administered()
      await bench.create("home")
      expect(await other.ask("POST", "/api/v1/tasks", bench.newTask("away")), 201)
      const first = await admin("GET", "/api/v1/export?limit=1")
      must(expect(first, 200, { scope: null }).next_cursor !== null, "a second page", first)
      const second = await admin("GET", `/api/v1/export?limit=1&cursor=${encodeURIComponent(first.body.next_cursor)}`)
      must(expect(second, 200, { scope: null }).next_cursor !== first.body.next_cursor, "another page", second)
      refused(await admin("GET", "/api/v1/export?cursor=nowhere"), 400)
    }
  }
]
