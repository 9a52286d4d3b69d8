/** When the alarm of an object is set, and for which time. */
import { afterEach, assert, describe, it, vi } from "@effect/vitest"
import type { DatabaseSync } from "node:sqlite"
import * as Alarm from "../../src/objects/Alarm.ts"
import * as Schema from "../../src/objects/Schema.ts"
import * as NodeStorage from "./NodeStorage.ts"
import * as Objects from "./Objects.ts"
import { migrations } from "./Objects.ts"

const Silence = 120_000

/** Has an agent hold a task until that time. */
const lease = (raw: DatabaseSync, id: string, end: number) =>
  raw.prepare(`
    INSERT INTO tasks (id, scope, file_path, title, queue, version, priority, priority_rank, flow, branch, created_at, updated_at, claimed_by,
      claimed_at, claimed_from, lease_expires_at, grants)
    VALUES (?1, 'red', ?1, 't', 'claimed', 1, 'P2', 2, 'default', 'b', 1, 1, 'a', 1, 'incoming', ?2, 1)`)
    .run(id, end)

/** An object with leases that end then, in milliseconds from now, and a machine that was heard of then. */
const start = (leases: ReadonlyArray<number>, heard?: number) => {
  const { alarm, raw, storage } = NodeStorage.make()
  Schema.prepare(storage, migrations)
  const now = Date.now()
  for (const [i, end] of leases.entries()) lease(raw, `t${i}`, now + end)
  if (heard !== undefined) {
    raw.prepare(`
      INSERT INTO orchestrators (id, scope, cluster, machine_id, status, registered_at, last_heartbeat)
      VALUES ('k-m', 'red', 'k', 'm', 'active', 1, ?)`).run(now + heard)
  }
  return { now, alarm, raw, own: Alarm.make({ storage, scope: "red", silence: Silence, unclaimable: 0, set: alarm() }) }
}

const nothing = async () => {}

describe("the alarm of an object", () => {
  it("is set for the earliest of its leases", () => {
    const { alarm, now, own } = start([30_000, 5000, 20_000])
    own.changed()
    assert.strictEqual(alarm(), now + 5000)
  })

  it("is at the end of a lease that is near, though a duty that is due could not be done", async () => {
    const { alarm, now, own } = start([-10, 5000])
    await own.run(nothing)
    assert.strictEqual(alarm(), now + 5000)
  })

  it("is a minute after duties that could not be done", async () => {
    const { alarm, now, own } = start([-10, 3_000_000])
    await own.run(nothing)
    assert.closeTo(alarm()!, now + 60_000, 5000)
  })

  it("is set for a lease that is granted while the duties run", async () => {
    const { alarm, now, own, raw } = start([])
    await own.run(async () => {
      lease(raw, "new", now + 5000)
      own.changed()
      assert.strictEqual(alarm(), now + 5000)
    })
    assert.strictEqual(alarm(), now + 5000)
  })

  it("is at the moment from which a machine counts as silent, and not a millisecond before", () => {
    const { alarm, now, own } = start([], -90_000)
    own.changed()
    assert.strictEqual(alarm(), now - 90_000 + Silence + 1)
  })

  for (
    const { attempt, rings, what } of [
      { what: "when it is to be tried again", attempt: 15_000, rings: 15_000 },
      { what: "in a minute, if it is due", attempt: -1, rings: 60_000 }
    ]
  ) {
    it(`is set for a webhook that has not got everything: ${what}`, async () => {
      const { alarm, now, own, raw } = start([])
      raw.exec("INSERT INTO queue_counts (scope, counts, seq) VALUES ('red', '{}', 2)")
      raw.prepare(`
        INSERT INTO webhooks (id, scope, url, secret, position, attempts, failing_since, next_attempt_at, created_by, created_at)
        VALUES ('w', 'red', 'https://example.com', 's', 1, 1, 1, ?, 'a', 1)`).run(now + attempt)
      await own.run(nothing)
      assert.closeTo(alarm()!, now + rings, 5000)
    })
  }

  describe("at each minute of the clock", () => {
    afterEach(() => {
      vi.restoreAllMocks()
    })

    for (const minute of [0, 1, 2, 3, 4]) {
      it(`tells of an unclaimable task of a quiet scope in time, once, and then rings every hour: minute ${minute}`, async () => {
        const created = Date.parse("2026-11-30T10:00:30Z") + minute * 60_000
        let now = created
        vi.spyOn(Date, "now").mockImplementation(() => now)
        const { alarm, ask, raw, restart, ring } = Objects.make()
        await ask("POST", "tasks", { scope: "a", id: "t", file_path: "t", branch: "b" })
        const rings: Array<number> = []
        while (now < created + 4 * 3_600_000) {
          // It is some milliseconds late, and the object was dropped meanwhile.
          now = Math.max(now, alarm("a")!) + 15
          if (rings.length % 2 === 1) restart()
          await ring("a")
          rings.push((now - created) / 60_000)
        }
        const told = raw("a").prepare("SELECT at FROM history WHERE event = 'unclaimable'").all()
        assert.strictEqual(told.length, 1)
        assert.isAtMost(Number(told[0]!["at"]) - created, 22 * 60_000)
        assert.isAtMost(rings.length, 10, rings.join(" "))
        assert.isAtMost(rings.filter((each) => each > 60).length, 4, rings.join(" "))
      })
    }
  })
})
