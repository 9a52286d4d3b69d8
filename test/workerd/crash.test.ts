/** What survives when workerd is killed: everything that was acknowledged. `npm run prove -- crash` does it fifty times. */
import { assert, beforeAll, describe, it } from "@effect/vitest"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import * as Crash from "../crash/Crash.ts"
import * as Ledger from "../crash/Ledger.ts"
import { verify } from "../crash/Verify.ts"
import { build } from "../support/Bundle.ts"
import { engine } from "../support/harness.ts"
import { databaseFile, launch } from "../support/Launcher.ts"
import { connect } from "../support/Wire.ts"

let code = ""
beforeAll(async () => {
  code = await build(engine)
})

describe("workerd killed", () => {
  it("a crash under load loses nothing that was acknowledged", async () => {
    const report = await Crash.run({ code, engine, kills: 3, seed: 1 })
    assert.deepStrictEqual(report.lost, [])
    assert.deepStrictEqual(report.violations, [])
    assert.isAbove(report.acknowledged, 0)
    assert.isAbove(report.interrupted, 0)
    assert.isAbove(report.tasks["done"] ?? 0, 0)
  }, 900_000)

  it("a loss of its storage is detected", async () => {
    const storage = mkdtempSync(join(tmpdir(), "octopoid-lossy-"))
    try {
      const server = await launch({ code, engine, storage, env: { LOG_LEVEL: "Error" } })
      const wire = connect(server.base)
      const ledger = Ledger.make()
      for (const id of ["a", "b"]) {
        const body = { id, scope: "lossy", file_path: id, branch: "main" }
        const request: Ledger.Request = {
          kind: "create",
          method: "POST",
          path: "/api/v1/tasks",
          body,
          effect: { event: "created", mark: id }
        }
        assert.isUndefined(Ledger.note(ledger, request, await wire.send(request)))
      }
      await server.kill()
      wire.close()
      assert.deepStrictEqual(verify(storage, ledger), { lost: [], violations: [] })
      const db = new DatabaseSync(databaseFile(storage))
      db.exec("DELETE FROM history WHERE task_id = 'b'; DELETE FROM tasks WHERE id = 'b'")
      db.close()
      const { lost, violations } = verify(storage, ledger)
      assert.strictEqual(lost.length, 1)
      assert.include(lost[0], "created b")
      assert.strictEqual(violations.length, 1)
      assert.include(violations[0], "the counters equal what counting the tasks gives")
    } finally {
      rmSync(storage, { recursive: true, force: true })
    }
  }, 900_000)
})
