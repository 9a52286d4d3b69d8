/** The Worker as it is deployed, in workerd with a real D1, by wrangler's own test harness. */
import type { D1Database } from "@cloudflare/workers-types"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { createTestHarness } from "wrangler"

export interface Cost {
  readonly trips: number
  readonly read: number
  readonly written: number
}

const start = async (secrets: Record<string, string>) => {
  const harness = createTestHarness({ workers: [{ configPath: "./wrangler.toml", secrets }] })
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
        ({ harness }) => Effect.promise(() => harness.close())
      )
    )

  static readonly layer = this.layerWith({})
}
