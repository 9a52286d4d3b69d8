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

const wrangler = join(createRequire(import.meta.url).resolve("wrangler/package.json"), "..", "bin", "wrangler.js")

const run = (...args: ReadonlyArray<string>) =>
  spawnSync(process.execPath, args, { cwd: root, encoding: "utf8", env: { ...process.env, CI: "true" } })

/** What a database consists of, and which migrations wrangler takes for applied. */
const schemaOf = (state: string) => {
  const file = new DatabaseSync(databaseFile(join(state, "v3")))
  const schema = file.prepare("SELECT name, sql FROM sqlite_schema WHERE name NOT GLOB '_cf_*' ORDER BY name").all()
  const applied = file.prepare("SELECT name FROM d1_migrations ORDER BY id").all()
  file.close()
  // Wrangler quotes the name of its own table.
  return { schema: schema.filter(({ name }) => name !== "d1_migrations"), applied }
}

describe("npm run doctor", () => {
  it("exits with 0 without problems, with 1 and the drift otherwise, and with 2 without a database", () => {
    const state = mkdtempSync(join(tmpdir(), "octopoid-doctor-"))
    try {
      const doctor = () => run("scripts/data/doctor.ts", "--persist-to", state, "--json")
      const none = doctor()
      assert.strictEqual(none.status, 2)
      assert.include(none.stderr, "There is no local database")
      const made = run(wrangler, "d1", "migrations", "apply", "DB", "--local", "--persist-to", state)
      assert.strictEqual(made.status, 0, made.stderr)
      // `npm start` applies all of them at once.
      const atOnce = join(state, "at-once")
      assert.strictEqual(migrate(atOnce).status, 0)
      assert.deepStrictEqual(schemaOf(atOnce), schemaOf(state))

      const well = doctor()
      assert.strictEqual(well.status, 0, well.stdout + well.stderr)
      assert.isTrue(JSON.parse(well.stdout).healthy)

      const file = new DatabaseSync(databaseFile(join(state, "v3")))
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
