/** `npm run doctor` on a database of wrangler's. */
import { assert, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { migrate } from "../../scripts/build/migrate-dev.ts"
import { root } from "../support/Bundle.ts"
import { databaseFile } from "../support/Launcher.ts"
import { migrated } from "../support/layers.ts"

const wrangler = join(createRequire(import.meta.url).resolve("wrangler/package.json"), "..", "bin", "wrangler.js")

const run = (...args: ReadonlyArray<string>) =>
  spawnSync(process.execPath, args, { cwd: root, encoding: "utf8", env: { ...process.env, CI: "true" } })

/** What a database consists of, but for the tables of wrangler and workerd. */
const schemaOf = (file: DatabaseSync) =>
  file.prepare(`SELECT name, sql FROM sqlite_schema
    WHERE tbl_name NOT IN ('d1_migrations', 'sqlite_sequence') AND name NOT GLOB '_cf_*' ORDER BY name`).all()

describe("npm run doctor", () => {
  it("exits with 0 without problems, with 1 and the drift otherwise, and with 2 without a database", () => {
    const state = mkdtempSync(join(tmpdir(), "octopoid-doctor-"))
    try {
      const doctor = () => run("scripts/data/doctor.ts", "--persist-to", state, "--json")
      const none = doctor()
      assert.strictEqual(none.status, 2)
      assert.include(none.stderr, "There is no local database")
      // `npm start` applies all migrations at once. Wrangler finds none to apply afterwards.
      assert.strictEqual(migrate(state).status, 0)
      const again = run(wrangler, "d1", "migrations", "apply", "DB", "--local", "--persist-to", state)
      assert.strictEqual(again.status, 0, again.stderr)
      assert.include(again.stdout, "No migrations to apply")
      const file = new DatabaseSync(databaseFile(join(state, "v3")))
      assert.deepStrictEqual(schemaOf(file), schemaOf(migrated().raw))

      const well = doctor()
      assert.strictEqual(well.status, 0, well.stdout + well.stderr)
      assert.isTrue(JSON.parse(well.stdout).healthy)

      file.exec("INSERT INTO queue_counts (scope, counts) VALUES ('red', '{\"incoming\": 1}')")
      file.close()
      const drifted = doctor()
      assert.strictEqual(drifted.status, 1, drifted.stdout + drifted.stderr)
      assert.include(drifted.stdout.replaceAll(/\s/g, ""), "{\"scope\":\"red\",\"queue\":\"incoming\",\"drift\":1}")
    } finally {
      rmSync(state, { recursive: true, force: true })
    }
  })
})
