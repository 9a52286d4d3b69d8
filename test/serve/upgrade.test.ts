/**
 * The folder of an older build goes on under this code. `test/releases/folder.json.gz` has the files of a folder: a build with
 * fewer migrations made them, and was killed with a write-ahead log that no checkpoint had emptied (`Folder.ts` there).
 */
import { assert, it } from "@effect/vitest"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Kept from "../releases/Folder.ts"
import { readingEach, violationsOf } from "../support/Leftover.ts"
import * as Served from "../support/Served.ts"
import { connect } from "../support/Wire.ts"

it("octopoid-server serve upgrades the folder of an older build that was killed, and goes on with its leases and keys", async () => {
  const data = await mkdtemp(join(tmpdir(), "octopoid-upgrade-"))
  try {
    const { folder, held, key, migrations } = await Kept.unpack(data)
    assert.isBelow(migrations, Kept.newest)
    const server = await Served.launch({ data: folder })
    // The key of the administrator was kept.
    assert.isNull(server.said.key)
    const wire = connect(server.base, { authorization: `Bearer ${key}` })
    const ask = (method: string, path: string, body?: object) =>
      wire.send({ method, path: `/api/v1/${path}`, ...(body === undefined ? {} : { body }) })
    const tasks = await ask("GET", "tasks")
    assert.deepStrictEqual([tasks.status, tasks.body.total], [200, Kept.tasks.length])
    assert.deepStrictEqual(tasks.body.tasks.map((task: any) => task.id).toSorted(), Kept.tasks)
    const lease = { fencing_token: held.token }
    // The lease has expired since, and its holder may still submit while nobody else has claimed the task.
    const submitted = await ask("POST", `tasks/${held.id}/submit`, { ...lease, commits_count: 1, turns_used: 1 })
    assert.strictEqual(submitted.status, 200, JSON.stringify(submitted.body))
    const claimed = await ask("POST", "tasks/claim", { orchestrator_id: "k-m", agent_name: "ann" })
    assert.deepStrictEqual([claimed.status, claimed.body.id === held.id], [200, false])
    wire.close()
    assert.strictEqual(await server.end("SIGTERM"), 0)
    const versions = readingEach(folder, (db) => db.prepare("SELECT ready FROM _schema").get()?.["ready"])
    for (const version of versions) assert.match(String(version), new RegExp(`^${Kept.newest}\\.`))
    assert.deepStrictEqual(readingEach(folder, violationsOf).flat(), [])
  } finally {
    await rm(data, { recursive: true, force: true, maxRetries: 5 })
  }
})
