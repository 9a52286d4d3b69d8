/** A machine that works for a scope other than its own: the administrator names the scope of the claim. */
import { assert, it } from "@effect/vitest"
import * as Objects from "./Objects.ts"

const claim = { scope: "b", orchestrator_id: "k-m", agent_name: "ann" }
const create = (id: string) => ({ id, scope: "b", file_path: id, branch: "main" })

it("a heartbeat without a scope renews the leases of a machine also in a scope that it is not registered in", async () => {
  const { ask } = Objects.make()
  await ask("POST", "orchestrators/register", { cluster: "k", machine_id: "m" })
  await ask("POST", "tasks", create("t"))
  const { fencing_token } = (await ask("POST", "tasks/claim", claim)).body
  const leases = [{ task_id: "t", fencing_token }, { task_id: "none", fencing_token: 1 }]
  const { body, status } = await ask("POST", "orchestrators/k-m/heartbeat", { leases })
  assert.deepStrictEqual(
    [status, body.renewed.map((each: any) => each.task_id), body.lost.map((each: any) => each.task_id)],
    [200, ["t"], ["none"]]
  )
  // The copy is no machine: without its own scope it is not registered.
  assert.strictEqual((await ask("DELETE", "orchestrators/k-m?scope=default")).status, 200)
  assert.strictEqual((await ask("POST", "orchestrators/k-m/heartbeat", { leases })).status, 404)
  assert.strictEqual((await ask("GET", "orchestrators/k-m")).status, 404)
  assert.strictEqual((await ask("DELETE", "orchestrators/k-m")).status, 404)
})

it("a claim from another scope knows what became of its machine since the last claim", async () => {
  const { ask, raw } = Objects.make()
  await ask("POST", "orchestrators/register", { cluster: "k", machine_id: "m" })
  for (const id of ["t", "u", "v"]) await ask("POST", "tasks", create(id))
  assert.strictEqual((await ask("POST", "tasks/claim", claim)).status, 200)
  const inMaintenance = { status: "maintenance" }
  assert.strictEqual((await ask("PATCH", "orchestrators/k-m?scope=default", inMaintenance)).status, 200)
  const refused = await ask("POST", "tasks/claim", claim)
  assert.deepStrictEqual([refused.status, refused.body.reason], [404, "maintenance"])
  await ask("PATCH", "orchestrators/k-m?scope=default", { status: "active" })
  assert.strictEqual((await ask("POST", "tasks/claim", claim)).status, 200)
  await ask("DELETE", "orchestrators/k-m?scope=default")
  assert.strictEqual((await ask("POST", "tasks/claim", claim)).status, 400)
  assert.deepStrictEqual(raw("b").prepare("SELECT * FROM orchestrators").all(), [])
})
