/** Checks that a key works while it is valid, and only in its scope. */
import type { Check } from "../Check.ts"
import { expect, refused, same, Skipped } from "../Expectation.ts"
import { Look } from "../Look.ts"

export const keys: ReadonlyArray<Check> = [
  {
    name: "an invalid key is refused, and so is a request without a key if keys are required",
    means: "Anybody can read and change the work of every scope.",
    look: Look.access,
    async run({ access, as }) {
      refused(await as(`oct_${"0".repeat(64)}`)("GET", "/api/v1/tasks"), 401)
      if (access === "keys") refused(await as(undefined)("GET", "/api/v1/tasks"), 401)
    }
  },
  {
    name: "a key that was revoked stops working",
    means: "A machine that was stolen cannot be locked out.",
    look: Look.access,
    async run(bench) {
      const { admin, other: { scope } } = bench.administered()
      const { api_key, id } = expect(await admin("POST", `/api/v1/scopes/${scope}/keys`, { name: "revoked" }), 201)
      const revoked = bench.as(api_key)
      expect(await revoked("GET", "/api/v1/tasks"), 200)
      expect(await admin("DELETE", `/api/v1/scopes/${scope}/keys/${id}`), 200)
      // At once in the isolate that revoked it, within 30 seconds in all others.
      for (let seconds = 0; seconds < 60; seconds++) {
        if ((await revoked("GET", "/api/v1/tasks")).status === 401) return
        await bench.sleep(1)
      }
      refused(await revoked("GET", "/api/v1/tasks"), 401)
    }
  },
  {
    name: "a key does no more than its rank may",
    means: "A wall screen, a git hook or a machine can change work that it should only see, or not even that.",
    look: Look.access,
    async run(bench) {
      const { admin, other } = bench.administered()
      const as = async (rank: string) =>
        bench.as(expect(await admin("POST", `/api/v1/scopes/${other.scope}/keys`, { rank }), 201, { rank }).api_key)
      const { id } = expect(await other.ask("POST", "/api/v1/tasks", bench.newTask("ranked")), 201)
      const path = `/api/v1/tasks/${id}`
      const before = await other.ask("GET", path)
      const [screen, machine, hook] = [await as("read"), await as("work"), await as("fence")]
      expect(await screen("GET", path), 200)
      refused(await screen("POST", "/api/v1/tasks/claim", bench.newClaim()), 403, { rank: "read" })
      expect(await machine("GET", path), 200)
      for (const move of ["requeue", "fail"]) refused(await machine("POST", `${path}/${move}`, { reason: "r" }), 409)
      refused(await machine("POST", `${path}/accept`, { accepted_by: "rex" }), 403, { rank: "work" })
      refused(await machine("PATCH", path, { title: "changed" }), 403, { rank: "work" })
      refused(await hook("GET", path), 403, { rank: "fence" })
      expect(await hook("GET", `${path}/fence?token=1`), 200, { may_push: false })
      same(await other.ask("GET", path), before.body, "the task as it was before the refused calls")
    }
  },
  {
    name: "the key of a scope cannot do what only the administrator may",
    means: "The key of a scope can issue more keys, and put tasks into done.",
    look: Look.access,
    async run({ access, ask, create, post, scope }) {
      if (access === "open") throw new Skipped("an open server has no administrator")
      const { id } = await create("a")
      refused(await post(`scopes/${scope}/keys`), 403)
      refused(await ask("GET", "/api/v1/keys"), 403)
      refused(await post(`tasks/${id}/force-queue`, { queue: "done", reason: "r" }), 403)
    }
  }
]
