/** The Worker as it is deployed, in workerd with a real D1, by wrangler's own test harness. */
import type { D1Database } from "@cloudflare/workers-types"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createTestHarness } from "wrangler"
import { build, root } from "./Bundle.ts"

export interface Cost {
  readonly trips: number
  readonly read: number
  readonly written: number
}

/**
 * A folder with the Worker and the configuration of wrangler.toml, but for the command that builds the Worker: each test file
 * would build it anew, and a server that `wrangler dev` runs beside the tests would go on with their code.
 */
const built = async () => {
  const folder = await mkdtemp(join(tmpdir(), "octopoid-worker-"))
  const config = await readFile(join(root, "wrangler.toml"), "utf8")
  await writeFile(join(folder, "worker.js"), await build())
  await writeFile(
    join(folder, "wrangler.toml"),
    config
      .replace("build/worker.js", "worker.js")
      .replace("migrations_dir = \"", `migrations_dir = "${root}/`)
      .replace(/^(\[build\]|command = .*|watch_dir = .*)$/gm, "")
  )
  return folder
}

const start = async (secrets: Record<string, string>) => {
  const folder = await built()
  const harness = createTestHarness({ workers: [{ configPath: join(folder, "wrangler.toml"), secrets }] })
  await harness.listen()
  await harness.getWorker().applyD1Migrations("DB")

  const send = async (method: string, path: string, body?: unknown, token?: string, key?: string) => {
    const response = await harness.fetch(`http://localhost${path}`, {
      method,
      headers: {
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(key === undefined ? {} : { "idempotency-key": key })
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) })
    })
    const [, trips, read, written] =
      /trips=(\d+) read=(\d+) written=(\d+)/.exec(response.headers.get("server-timing") ?? "") ?? []
    const cost: Cost = { trips: Number(trips), read: Number(read), written: Number(written) }
    return { status: response.status, body: await response.json() as any, cost }
  }
  return {
    harness,
    close: async () => {
      await harness.close()
      await rm(folder, { recursive: true, force: true })
    },
    /** Sends a request, with a bearer token and under an idempotency key if there are any, and tells what it cost in D1. */
    send: (method: string, path: string, body?: unknown, token?: string, key?: string) =>
      Effect.promise(() => send(method, path, body, token, key)),
    /** Its D1, for what no request tells. */
    database: Effect.promise(async () => (await harness.getWorker().getEnv() as { readonly DB: D1Database }).DB),
    /** Fires the cron. */
    tick: Effect.promise(() => harness.getWorker().scheduled({ cron: "* * * * *" }))
  }
}

export class Workerd extends Context.Service<Workerd, Awaited<ReturnType<typeof start>>>()("test/Workerd") {
  /** The Worker with the secrets of its environment. */
  static readonly layerWith = (secrets: Record<string, string>) =>
    Layer.effect(
      Workerd,
      Effect.acquireRelease(
        Effect.promise(() => start(secrets)),
        ({ close }) => Effect.promise(close)
      )
    )

  static readonly layer = this.layerWith({})
}
