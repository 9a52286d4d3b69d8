/** The Worker as it is deployed, in workerd with a real D1, by wrangler's own test harness. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { createTestHarness } from "wrangler"

export interface Cost {
  readonly trips: number
  readonly read: number
  readonly written: number
}

const start = async () => {
  const harness = createTestHarness({ workers: [{ configPath: "./wrangler.toml" }] })
  await harness.listen()
  await harness.getWorker().applyD1Migrations("DB")

  const send = async (method: string, path: string, body?: unknown) => {
    const response = await harness.fetch(`http://worker${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } })
    })
    const [, trips, read, written] =
      /trips=(\d+) read=(\d+) written=(\d+)/.exec(response.headers.get("server-timing") ?? "") ?? []
    const cost: Cost = { trips: Number(trips), read: Number(read), written: Number(written) }
    return { status: response.status, body: await response.json() as any, cost }
  }
  return {
    harness,
    /** Sends a request and tells what it cost in D1. */
    send: (method: string, path: string, body?: unknown) => Effect.promise(() => send(method, path, body)),
    /** Fires the cron. */
    tick: Effect.promise(() => harness.getWorker().scheduled({ cron: "* * * * *" }))
  }
}

export class Workerd extends Context.Service<Workerd, Awaited<ReturnType<typeof start>>>()("test/Workerd") {
  static readonly layer = Layer.effect(
    Workerd,
    Effect.acquireRelease(Effect.promise(start), ({ harness }) => Effect.promise(() => harness.close()))
  )
}
