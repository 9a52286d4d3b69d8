/**
 * Every endpoint with a D1 that fails in every way at every batch. The answer is honest, the change happens completely
 * or not at all, and a repetition under the same key has one effect and the right answer.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { DatabaseUnavailable, InternalError, Unhealthy } from "../../src/client.ts"
import { endpoints } from "../../src/http/Endpoints.ts"
import { table } from "../support/access.ts"
import type { Fault } from "../support/Faulty.ts"
import { some } from "../support/runs.ts"
import type { Answer } from "../support/server.ts"
import * as Faulted from "./Faulted.ts"

const names = endpoints.map(({ method, path }) => `${method} ${path}`)
const reads = (name: string) => name.startsWith("GET")

const lasting = new Error("D1_ERROR: CHECK constraint failed: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_CHECK)")
// Each part is all or nothing, and a repetition makes the rest.
const inParts = new Set(["POST /api/v1/tasks/bulk"])

const faults: ReadonlyArray<Fault> = [
  "lost request",
  "no answer",
  lasting,
  "lost answer",
  "committed without an answer",
  "late"
]

const decode = (answer: Answer, error: Schema.Codec<unknown, unknown>) =>
  Schema.decodeUnknownSync(Schema.toCodecJson(error))(answer.body)

/** That a request which D1 failed says so, as it is declared. */
const assertHonest = (name: string, fault: Fault, answer: Answer, where: string) => {
  if (name === "GET /api/health") {
    assert.strictEqual(answer.status, 503, where)
    return decode(answer, Unhealthy)
  }
  assert.notMatch(answer.body.error, /network|timeout|SQLITE|D1/i, where)
  if (fault === lasting) {
    assert.strictEqual(answer.status, 500, where)
    return decode(answer, InternalError)
  }
  assert.strictEqual(answer.status, 503, where)
  decode(answer, DatabaseUnavailable)
  assert.strictEqual(answer.headers.get("retry-after"), String(answer.body.retry_after_seconds), where)
}

describe("with a D1 that fails", () => {
  it("every endpoint is tested here", () => assert.includeMembers(Object.keys(table), names))

  it.effect.each(some(names, 6))("%s: all or nothing, and once", (name) =>
    Effect.gen(function*() {
      // How it goes where nothing fails.
      const twin = yield* Faulted.make(name)
      const untouched = twin.rows()
      const sent = twin.sent()
      const answered = yield* twin.ask
      assert.strictEqual(answered.status, twin.row.success, JSON.stringify(answered.body))
      const batches = twin.sent() - sent
      const after = twin.rows()
      if (name !== "GET /") assert.isAtLeast(batches, 1)
      let kept = false
      // What only reads has nothing to lose.
      for (const fault of reads(name) ? faults.slice(0, 3) : faults) {
        for (let place = 0; place < batches; place++) {
          const where = `${String(fault)}, batch ${place + 1} of ${batches}`
          const { ask, everything, faults, release, rows } = yield* Faulted.make(name)
          const before = everything()
          assert.deepStrictEqual(rows(), untouched, where)
          faults.push(...Array.from({ length: place }, () => undefined), fault)
          const answer = yield* ask
          // A claim that cannot take leases back goes on without it.
          if (answer.status !== answered.status) assertHonest(name, fault, answer, where)
          const changed = JSON.stringify(everything()) !== JSON.stringify(before)
          kept ||= changed && answer.status >= 500
          if (changed && !inParts.has(name)) assert.deepStrictEqual(rows(), after, where)
          if (
            !inParts.has(name) && fault !== "lost answer" && fault !== "committed without an answer" &&
            answer.status >= 300
          ) {
            assert.isFalse(changed, where)
          }
          if (reads(name) || name.startsWith("POST") || !changed) {
            const again = yield* ask
            assert.strictEqual(again.status, answered.status, `${where}: ${JSON.stringify(again.body)}`)
            if (!reads(name)) assert.strictEqual(Faulted.settled(again.body), Faulted.settled(answered.body), where)
            assert.deepStrictEqual(rows(), after, where)
          }
          // What was on its way all the time finds that it has happened already.
          if (name.startsWith("POST")) {
            yield* Effect.promise(release)
            assert.deepStrictEqual(rows(), after, where)
          }
        }
      }
      assert.strictEqual(kept, !reads(name), "an answer was lost after its change was made")
    }))
})
