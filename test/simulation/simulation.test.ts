/**
 * The simulation with a few seeds: it keeps its promises, it is reproducible, and it detects faults. `npm run prove --
 * simulate` plays many seeds.
 */
import { assert, describe, it } from "@effect/vitest"
import { execFileSync } from "node:child_process"
import { runs, some } from "../support/runs.ts"
import { regressions } from "./regressions.ts"
import * as Simulation from "./Simulation.ts"
import { playUntilSeen } from "./untilSeen.ts"

const script = new URL("../../scripts/prove/simulate.ts", import.meta.url).pathname

const holds = async (seed: number, asking = false) => {
  const run = await Simulation.run(seed, { asking })
  assert.isUndefined(run.violation, Simulation.report(run))
  return run
}

/** SQL that is run directly on the database when there are tasks, and the violation it has to cause. */
const tampering: ReadonlyArray<readonly [what: string, sql: string, seen: RegExp]> = [
  [
    "a task that is moved without history",
    "UPDATE tasks SET queue = 'needs_continuation' WHERE id = 'red-1'",
    /red-1: queue changed .* version stayed/
  ],
  ["a version without history", "UPDATE tasks SET version = version + 1", /history was written for  after/],
  ["history that is lost", "DELETE FROM history WHERE version = 1", /history holds/],
  ["history that is written over", "UPDATE history SET actor = 'somebody'", /history is not as it was written/],
  [
    "a counter that is off",
    "UPDATE queue_counts SET counts = json_set(counts, '$.done', 99)",
    /the counter of (red|blue) done is 99/
  ],
  [
    "a blocker that is forgotten",
    "UPDATE dependencies SET satisfied_at = 1 WHERE satisfied_at IS NULL",
    /shows that it waits for/
  ],
  ["a task that is lost", "DELETE FROM tasks WHERE id = 'red-1'", /red-1 is at version/]
]

/** Without these the checks would look at nothing. */
const expected = [
  "re-attached",
  "answered again by key",
  "claim 200 (replayed)",
  "submit 200 (replayed)",
  "renew 200 (replayed)",
  "renew 409 LeaseLost",
  "submit 409 LeaseLost",
  "submit 409 VersionConflict",
  "changed from the version it stated",
  "heartbeat told of a lost lease",
  "event lease_expired",
  "event review_lease_expired",
  "event deadline_exceeded",
  "event reattached",
  "event dependency_failed",
  "event rejected",
  "claim none_ready",
  "claim blocked",
  "claim held",
  "a result was handed in",
  "a result stayed in the outbox"
]

/** Every kind of fault. */
const faults = [
  "answer lost",
  "answer replaced",
  "arrives as a lease ends",
  "batch answer lost after commit",
  "batch lost before commit",
  "clock stepped",
  "cron late",
  "cron never ran",
  "cron twice",
  "delayed by seconds",
  "isolate gone",
  "isolate restarted",
  "isolate stalled",
  "machine asleep",
  "machine killed",
  "request duplicated",
  "request lost"
]

/** The same for runs with questions and parked accounts. */
const whileAsking = [
  "event asked",
  "event answered",
  "event parked",
  "ask 201 (replayed)",
  "ask 409 LeaseLost",
  "park 200 (replayed)",
  "park 409 LeaseLost",
  "claim account_parked",
  "claim waiting_for_reply",
  "an account claimed after it had been parked",
  "a handoff had an answer",
  "a handler left its task"
]

/** The same for runs with breakers. */
const whileBreaking = [
  "breaker_opened",
  "breaker_closed",
  "a canary was claimed",
  "a canary failed",
  "a canary succeeded",
  "claim breaker_open",
  "breakers 200",
  "close 200",
  "close 200 (replayed)"
]

// A busy machine takes its time, and no promise is about that.
const patience = 600_000

describe("simulation", { timeout: patience }, () => {
  it("keeps every promise in runs that once broke one", async () => {
    for (const { asking, found, seed, sees } of some(regressions, 2)) {
      assert.isTrue((await holds(seed, asking)).coverage.has(sees), `seed ${seed} no longer shows ${found}`)
    }
  })

  it("keeps every promise in new runs with every kind of fault", async () => {
    await playUntilSeen({ first: 1006, least: 5, fast: 2, expected: [...expected, ...faults] })
  })

  it("holds a task until its question is answered, and gives a parked account nothing, with every kind of fault", async () => {
    await playUntilSeen({ first: 3006, least: 5, fast: 2, options: { asking: true }, expected: whileAsking })
  })

  it("sees an account that is parked by nobody", async () => {
    const sql = "INSERT INTO parked_accounts (scope, account, until) VALUES ('red', 'max-9', 4000000000000)"
    const run = await Simulation.run(7, { asking: true, tamper: { step: 600, with: ({ raw }) => raw.exec(sql) } })
    assert.match(run.violation ?? "", /\[\["red max-9",4000000000000\].* are parked, and/)
    assert.include(Simulation.report(run), "--seed 7 --asking")
  })

  it("grants one canary of an open breaker, and nothing else, with every kind of fault", async () => {
    await playUntilSeen({ first: 4014, least: 3, fast: 1, options: { breaking: true }, expected: whileBreaking })
  })

  it("sees a breaker that is turned off by nobody", async () => {
    const tamper = {
      step: 600,
      with: ({ raw }: { readonly raw: { readonly exec: (sql: string) => void } }) => raw.exec("DELETE FROM breakers")
    }
    const run = await Simulation.run(4014, { breaking: true, tamper })
    assert.match(run.violation ?? "", /the breakers are .*, and should be /)
    assert.include(Simulation.report(run), "--seed 4014 --breaking")
  })

  it("gives a reader of the feed every change once, in order, with every kind of fault", async () => {
    for (let seed = 2001; seed < 2001 + runs(4, 2); seed++) {
      const run = await Simulation.run(seed, { readers: true })
      assert.isUndefined(run.violation, Simulation.report(run))
      assert.isAtLeast(run.coverage.get("a page of the feed") ?? 0, 5)
    }
  })

  it("sees a change that a reader of the feed did not get", async () => {
    const sql = `UPDATE history SET title = 'Another' WHERE seq = 1`
    const step = {
      step: 1500,
      with: ({ raw }: { readonly raw: { readonly exec: (sql: string) => void } }) => raw.exec(sql)
    }
    const run = await Simulation.run(7, { readers: true, tamper: step })
    assert.match(run.violation ?? "", /the reader of (red|blue) got .* as change 1/)
  })

  it("plays a seed in the same way each time, in this process and in another", async () => {
    const [first, second] = [await holds(7), await holds(7)]
    assert.deepStrictEqual(second, first)
    const output = execFileSync(process.execPath, [script, "--seed", "7"], { encoding: "utf8" })
    assert.include(output, `seed 7: ${first.digest}`)
    assert.notStrictEqual((await holds(8)).digest, first.digest)
  })

  for (const [what, sql, seen] of some(tampering, 3)) {
    it(`sees ${what}`, async () => {
      const run = await Simulation.run(7, { tamper: { step: 600, with: ({ raw }) => raw.exec(sql) } })
      assert.match(run.violation ?? "", seen)
      assert.include(Simulation.report(run), "npm run prove -- simulate --seed 7")
    })
  }
})
