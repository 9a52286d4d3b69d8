/** What survives when workerd is killed: everything that was acknowledged. `npm run crash` does it fifty times. */
import { assert, describe, it } from "@effect/vitest"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Crash from "../crash/Crash.ts"
import * as Ledger from "../crash/Ledger.ts"
import { verify } from "../crash/Verify.ts"
import { build } from "../support/Bundle.ts"
import { databaseFile, launch } from "../support/Launcher.ts"
import { connect } from "../support/Wire.ts"

describe("workerd killed", () => {
  it("in the middle of load, it loses nothing that was acknowledged", async () => {
    const report = await Crash.run({ code: await build(), kills: 3, seed: 1 })
    assert.deepStrictEqual(report.lost, [])
    assert.deepStrictEqual(report.violations, [])
    assert.isAbove(report.acknowledged, 0)
    assert.isAbove(report.interrupted, 0)
    assert.isAbove(report.tasks["done"] ?? 0, 0)
  }, 240_000)

  it("it is noticed when its storage does lose something", async () => {
    const storage = mkdtempSync(join(tmpdir(), "octopoid-lossy-"))
    try {
      const server = await launch({ code: await build(), storage, env: { LOG_LEVEL: "Error" } })
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
      // SQLite has not moved what was written last into the database itself yet.
      rmSync(`${databaseFile(storage)}-wal`)
      assert.strictEqual(verify(storage, ledger).lost.length, 2)
    } finally {
      rmSync(storage, { recursive: true, force: true })
    }
  }, 120_000)
})
