/** Machines, their roles, and what they ask with every turn. */
import { about, type Cases, plain, scope } from "../Case.ts"
import { apart, held, machine, role } from "./given.ts"

const at = (rest = "") => (id: string) => `/api/v1/orchestrators/${id}${rest}?scope=${scope}`
const inApart = (name: string) => `/api/v1/roles/${name}?scope=${apart}`

const Leases = 100

export const machines: Cases = {
  "GET /api/v1/scheduler/poll": [
    plain(`/api/v1/scheduler/poll?scope=${scope}`),
    about(machine, (id) => `/api/v1/scheduler/poll?scope=${scope}&orchestrator_id=${id}`, undefined, "of a machine")
  ],
  "POST /api/v1/orchestrators/register": [{
    prepare: ({ fresh }) => ({
      path: "/api/v1/orchestrators/register",
      body: { scope, cluster: "bench", machine_id: fresh("m") }
    })
  }],
  "POST /api/v1/orchestrators/:id/heartbeat": [
    about(machine, at("/heartbeat")),
    {
      variant: `with ${Leases} leases`,
      prepare: async (setup) => {
        const id = await machine(setup)
        const leases: Array<object> = []
        while (leases.length < Leases) {
          const { fencing_token, id: task_id } = await held(setup, id)
          leases.push({ task_id, fencing_token })
        }
        return { path: at("/heartbeat")(id), body: { leases } }
      }
    }
  ],
  "GET /api/v1/orchestrators": [plain(`/api/v1/orchestrators?scope=${scope}`)],
  "GET /api/v1/orchestrators/:id": [about(machine, at())],
  "PATCH /api/v1/orchestrators/:id": [about(machine, at(), { status: "maintenance" })],
  "DELETE /api/v1/orchestrators/:id": [about(machine, at())],

  "GET /api/v1/roles": [plain(`/api/v1/roles?scope=${apart}`)],
  "POST /api/v1/roles/register": [{
    prepare: async ({ ask, fresh }) => {
      const { orchestrator_id } = await ask("POST", "/api/v1/orchestrators/register", {
        scope: apart,
        cluster: "bench",
        machine_id: fresh("m")
      })
      return {
        path: `/api/v1/roles/register?scope=${apart}`,
        body: { orchestrator_id, roles: [{ name: fresh("role") }] }
      }
    }
  }],
  "GET /api/v1/roles/:name": [about(role, inApart)],
  "DELETE /api/v1/roles/:name": [about(role, inApart)]
}
