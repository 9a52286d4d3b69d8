/** Checks that a key opens only its scope. */
import type { Bench } from "../Bench.ts"
import type { Check, Group } from "../Check.ts"
import { expect, must, refused, same } from "../Expectation.ts"
import { Look } from "../Look.ts"
import { across } from "./across.ts"
import { keys } from "./keys.ts"

const seen = "A caller with the key of one scope can see the work of others."
const changed = "A caller with the key of one scope can change the work of others, and so run code on their machines."

/** A task of the other scope. */
const foreign = async (bench: Bench) => {
  const { admin, other } = bench.administered()
  const task = expect(await other.ask("POST", "/api/v1/tasks", bench.newTask("foreign")), 201)
  return { ...bench, admin, other, id: String(task.id), path: `/api/v1/tasks/${task.id}` }
}

const checks: ReadonlyArray<Check> = [
  {
    name: "a task of another scope cannot be read by its id",
    means: seen,
    look: Look.access,
    async run(bench) {
      const { ask, other, path } = await foreign(bench)
      expect(await other.ask("GET", path), 200)
      for (const what of ["", "/history", "/explain", "/handoff", "/dependencies", "/graph"]) {
        refused(await ask("GET", `${path}${what}`), 404)
      }
    }
  },
  {
    name: "a task of another scope cannot be changed by its id",
    means: changed,
    look: Look.access,
    async run(bench) {
      const { ask, id, other, path, patch, post } = await foreign(bench)
      const before = await other.ask("GET", path)
      refused(await patch(id, { title: "changed" }), 404)
      refused(await ask("DELETE", path), 404)
      const calls: ReadonlyArray<readonly [string, object]> = [
        ["submit", { commits_count: 1, turns_used: 1 }],
        ["accept", { accepted_by: "rex" }],
        ["reject", { reason: "r", rejected_by: "rex" }],
        ["requeue", {}],
        ["fail", { reason: "r" }],
        ["cancel", {}],
        ["redrive", {}],
        ["renew", { fencing_token: 1 }]
      ]
      for (const [call, body] of calls) refused(await post(`tasks/${id}/${call}`, body), 404)
      same(await other.ask("GET", path), before.body, "the task of the other scope as it was")
    }
  },
  {
    name: "lists, counts and messages show nothing of another scope",
    means: seen,
    look: Look.access,
    async run(bench) {
      const { ask, id, other, tag } = await foreign(bench)
      const queue = `${tag}-foreign`
      expect(await other.ask("POST", "/api/v1/tasks", bench.newTask("aside", { queue })), 201)
      const message = { task_id: id, from_actor: "rex", type: "comment", content: "conformance" }
      const { id: message_id } = expect(await other.ask("POST", "/api/v1/messages", message), 201)
      const page = await ask("GET", `/api/v1/tasks?type=${tag}`)
      must(expect(page, 200).total === 0 && page.body.tasks.length === 0, "no task of the other scope", page)
      const poll = await ask("GET", "/api/v1/scheduler/poll")
      must(expect(poll, 200).queue_counts[queue] === undefined, "no count of a queue of the other scope", poll)
      for (const path of [`/api/v1/tasks/${id}/messages`, `/api/v1/messages?task_id=${id}`]) {
        const mail = await ask("GET", path)
        must(expect(mail, 200).messages.length === 0, "no message of the other scope", mail)
      }
      refused(await ask("GET", `/api/v1/messages/${message_id}`), 404)
    }
  },
  {
    name: "a claim gets no task of another scope, and a heartbeat renews no lease there",
    means: changed,
    look: Look.access,
    async run(bench) {
      const { claim, id, orchestrator, other, path, post } = await foreign(bench)
      expect(await claim(), 404)
      const machine = { cluster: orchestrator, machine_id: "other" }
      const registered = expect(await other.ask("POST", "/api/v1/orchestrators/register", machine), 201)
      const { orchestrator_id } = registered
      const held = expect(await other.ask("POST", "/api/v1/tasks/claim", bench.newClaim({ orchestrator_id })), 200)
      const leases = [{ task_id: id, fencing_token: held.fencing_token, lease_duration_seconds: 3600 }]
      const beat = await post(`orchestrators/${orchestrator}/heartbeat`, { leases })
      must(expect(beat, 200, { renewed: [] }).lost?.[0]?.reason === "not_found", "the lease not to be found", beat)
      expect(await other.ask("GET", path), 200, { lease_expires_at: held.lease_expires_at })
    }
  },
  {
    name: "a key that names another scope is refused",
    means: changed,
    look: Look.access,
    async run(bench) {
      const { admin, other: { scope } } = bench.administered()
      refused(await bench.ask("GET", `/api/v1/tasks?scope=${scope}`), 403)
      refused(await bench.post("tasks", bench.newTask("a", { scope })), 403)
      refused(await bench.post("tasks/claim", bench.newClaim({ scope })), 403)
      refused(await bench.post(`scopes/${scope}/keys`), 403)
      expect(await admin("GET", `/api/v1/tasks/${bench.idOf("a")}`), 404)
    }
  },
  {
    name: "a request that names a scope finds nothing of another scope",
    means: "Clients without a key see and change the work of others.",
    look: Look.access,
    async run(bench) {
      const { admin, id, path, scope, tag } = await foreign(bench)
      refused(await admin("GET", `${path}?scope=${scope}`), 404)
      refused(await admin("POST", `${path}/accept`, { accepted_by: "rex", scope }), 404)
      const claim = await admin("POST", "/api/v1/tasks/claim", bench.newClaim({ scope }))
      expect(claim, 404)
      const page = await admin("GET", `/api/v1/tasks?scope=${scope}&type=${tag}`)
      must(expect(page, 200).total === 0, `no task of another scope, as ${id}`, page)
    }
  }
]

export const isolation: Group = { name: "isolation", checks: [...checks, ...keys, ...across] }
