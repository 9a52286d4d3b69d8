/**
 * The same lives of tasks on four servers, side by side: this one, the version before its statements became constant, one by
 * hand that sends D1 the same batches, and one as they are usually written. All stay up and take turns, so that other work of
 * the machine slows all of them down.
 */
import { launch } from "../test/support/Launcher.ts"
import * as Baseline from "./baseline/Build.ts"
import { record } from "./baseline/Recording.ts"
import { scope, setupOf } from "./Case.ts"
import { newTask } from "./cases/given.ts"
import * as Before from "./life/Before.ts"
import * as Load from "./Load.ts"
import * as Seed from "./Seed.ts"
import * as Storage from "./Storage.ts"

export const servers = ["this server", "before", "bare batches", "Hono"] as const
export type Server = typeof servers[number]

export interface Options extends Seed.Size {
  readonly code: string
  readonly empty: string
  /** How many clients there are at once, in turn. */
  readonly clients: ReadonlyArray<number>
  readonly rounds: number
  /** How long each server has in each round. */
  readonly seconds: number
}

export interface Comparison extends Seed.Size {
  readonly rounds: number
  readonly seconds: number
  readonly results: ReadonlyArray<{ readonly clients: number; readonly of: Record<Server, Load.Result> }>
}

const priorities = 4

/** Fills the database of the server on Hono as the others are. */
const seedHono = (storage: string, { depth, history }: Seed.Size) =>
  Storage.opened(storage, ({ raw }) => {
    const range = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < ?)"
    const tasks = raw.prepare(`${range}
      INSERT INTO tasks (id, scope, file_path, title, content, queue, priority, branch, created_at, updated_at)
      SELECT ? || n, '${scope}', ? || n || '.md', 'Task ' || n, 'What is to be done.', ?, 'P' || (n % ${priorities}), 'main',
        strftime('%Y-%m-%dT%H:%M:%fZ', 1700000000 + n, 'unixepoch'), '2026-01-01T00:00:00.000Z' FROM r`)
    const done = Math.max(1, Math.floor((history - depth) / 4))
    raw.exec("PRAGMA synchronous = OFF; BEGIN")
    tasks.run(depth, "ready-", "ready-", "incoming")
    tasks.run(done, "done-", "done-", "done")
    raw.exec(
      "INSERT INTO history (task_id, event, to_queue, at) SELECT id, 'created', 'incoming', created_at FROM tasks"
    )
    for (
      const [event, from, to] of [
        ["claimed", "incoming", "claimed"],
        ["submitted", "claimed", "provisional"],
        ["accepted", "provisional", "done"]
      ] as const
    ) {
      raw.prepare(`INSERT INTO history (task_id, event, from_queue, to_queue, at)
        SELECT id, ?, ?, ?, created_at FROM tasks WHERE queue = 'done'`).run(event, from, to)
    }
    raw.exec("COMMIT")
  })

/** Fills the version before by requests, since its schema is another one. It has no history but that of these tasks. */
const fillBefore = async (base: URL, depth: number, clients: number) => {
  const { ask } = setupOf(async ({ body, method, path }) => {
    const answer = await fetch(new URL(path, base), {
      method,
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body)
    })
    return { status: answer.status, body: await answer.json() as any }
  })
  for (const machine_id of Load.machines(clients)) {
    await ask("POST", "/api/v1/orchestrators/register", { scope, cluster: "bench", machine_id })
  }
  for (let n = 0; n < depth; n++) {
    await ask("POST", "/api/v1/tasks", newTask(`ready-${n}`, { priority: `P${n % priorities}` }))
  }
}

export const run = async (
  { clients, code, depth, empty, history, rounds, seconds }: Options
): Promise<Comparison> => {
  const size = { depth, history }
  const own = Storage.copyOf(empty)
  await Storage.opened(own, async (database) => {
    await Seed.seed(database, size)
    await Seed.register(database, Load.machines(Math.max(...clients)))
  })
  const [bare, hono] = [await Baseline.build("bare"), await Baseline.build("hono")]
  const forHono = await Storage.migrated({ code: hono, migrations: Baseline.honoMigrations })
  await seedHono(forHono, size)
  // Before the first of them is opened, or its database would be copied in the middle of something.
  const forBare = Storage.copyOf(own)

  const before = await Before.build()
  const forBefore = await Storage.migrated(before)

  const env = { LOG_LEVEL: "Error" }
  const running = {
    "this server": await launch({ code, storage: own, env }),
    "bare batches": await launch({ code: bare, storage: forBare, env: { BATCHES: JSON.stringify(await record()) } }),
    before: await launch({ ...before, storage: forBefore, env }),
    Hono: await launch({ code: hono, storage: forHono, migrations: Baseline.honoMigrations })
  } satisfies Record<Server, unknown>
  try {
    await fillBefore(running.before.base, depth, Math.max(...clients))
    const results = []
    for (const count of clients) {
      const of: Record<Server, Array<Load.Result>> = { "this server": [], before: [], "bare batches": [], Hono: [] }
      for (const server of servers) {
        await Load.run({ base: running[server].base, clients: count, seconds: Math.min(1, seconds) })
      }
      for (let round = 0; round < rounds; round++) {
        // Nobody is always first.
        for (const server of servers.map((_, n) => servers[(n + round) % servers.length]!)) {
          of[server].push(await Load.run({ base: running[server].base, clients: count, seconds }))
        }
      }
      results.push({
        clients: count,
        of: {
          "this server": Load.sum(of["this server"]),
          before: Load.sum(of.before),
          "bare batches": Load.sum(of["bare batches"]),
          Hono: Load.sum(of.Hono)
        }
      })
    }
    return { ...size, rounds, seconds, results }
  } finally {
    for (const server of servers) await running[server].close()
  }
}
