/** What wakes the claims that wait in an object, and what does not. */
import { assert, describe, it } from "@effect/vitest"
import * as Objects from "./Objects.ts"

const settled = () => new Promise<void>((done) => setTimeout(done, 50))

/** Waits until it holds, but at most two seconds. */
const until = async (holds: () => boolean) => {
  for (let n = 0; n < 100 && !holds(); n++) await new Promise<void>((done) => setTimeout(done, 20))
}

const start = async () => {
  let transactions = 0
  const home = Objects.make({}, {
    around: (run) => {
      transactions++
      return run()
    }
  })
  const { ask } = home
  await ask("POST", "orchestrators/register", { scope: "a", cluster: "k", machine_id: "m" })
  const create = (id: string, rest: object = {}) =>
    ask("POST", "tasks", { scope: "a", id, file_path: id, branch: "b", ...rest })
  const claim = (rest: object = {}) =>
    ask("POST", "tasks/claim", { scope: "a", orchestrator_id: "k-m", agent_name: "w", ...rest })
  /** The transactions of the work, and of the claims that it wakes. */
  const counted = async (work: () => Promise<{ readonly status: number }>) => {
    transactions = 0
    assert.oneOf((await work()).status, [200, 201])
    await settled()
    return transactions
  }
  return { ...home, create, claim, counted }
}

describe("claims that wait", () => {
  it("are woken by no renewal and no heartbeat, and by no task that they do not look for", async () => {
    const { ask, claim, counted, create } = await start()
    await create("held", { type: "held" })
    const { body: { fencing_token } } = await claim({ type_filter: "held", lease_duration_seconds: 600 })
    const beat = () =>
      ask("POST", "orchestrators/k-m/heartbeat", { scope: "a", leases: [{ task_id: "held", fencing_token }] })
    const renew = () => ask("POST", "tasks/held/renew", { scope: "a", fencing_token })
    const rare = (n: number) => create(`rare${n}`, { type: "rare", role: "rare" })
    const alone = [await counted(renew), await counted(beat), await counted(() => rare(1))]
    const waits = Array.from(
      { length: 60 },
      (_, n) => claim({ agent_name: `w${n}`, wait_seconds: 1, [n < 30 ? "type_filter" : "role_filter"]: `x${n}` })
    )
    await settled()
    assert.deepStrictEqual([await counted(renew), await counted(beat), await counted(() => rare(2))], alone)
    assert.isTrue((await Promise.all(waits)).every(({ status }) => status === 404))
  })

  it("are woken by a task of their type, of their role, and of the queue of their role", async () => {
    const { ask, claim, create } = await start()
    await ask("POST", "roles/register", {
      scope: "a",
      orchestrator_id: "k-m",
      roles: [{ name: "dev" }, { name: "checker", claims_from: "provisional" }]
    })
    const waits = [
      claim({ type_filter: ["x", "y"], wait_seconds: 5 }),
      claim({ role_filter: ["dev"], wait_seconds: 5 }),
      claim({ role_filter: "checker", wait_seconds: 5 })
    ]
    await settled()
    await create("y", { type: "y", role: "checker" })
    await create("dev", { role: "dev" })
    await create("review", { role: "checker", type: "other" })
    await ask("POST", "tasks/review/force-queue", { scope: "a", queue: "provisional", reason: "looked at" })
    assert.deepStrictEqual((await Promise.all(waits)).map(({ body }) => body.id), ["y", "dev", "review"])
  })

  it("get a task when the park of their account ends, and when the wait of a breaker ends", async () => {
    const { alarm, claim, create, raw, ring } = await start()
    for (
      const make of [
        (end: number) =>
          raw("a").prepare("INSERT INTO parked_accounts (scope, account, until) VALUES ('a', 'x', ?)").run(end),
        (end: number) =>
          raw("a").prepare(`
          INSERT INTO breakers (scope, project_id, threshold, window_millis, wait_millis, opened_at, tripped_by, retry_at)
          VALUES ('a', '', 2, 60000, 60000, ?, 'f', ?)`).run(Date.now(), end)
      ]
    ) {
      const end = Date.now() + 1000
      make(end)
      await create(`t${end}`)
      const waiting = claim({ account: "x", wait_seconds: 10 })
      await until(() => alarm("a") === end)
      assert.strictEqual(alarm("a"), end)
      await until(() => Date.now() > end)
      await ring("a")
      assert.strictEqual((await waiting).body.id, `t${end}`)
    }
  })
})
