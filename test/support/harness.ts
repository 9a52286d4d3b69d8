/** The Worker as it is deployed, in workerd: on a real D1, or on Durable Objects where the project `objects` runs the test. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { inject } from "vitest"
import { build, type Engine } from "./Bundle.ts"
import { launch } from "./Launcher.ts"
import { SharedFolder } from "./madeOnce.ts"

export interface Cost {
  readonly trips: number
  readonly read: number
  readonly written: number
}

declare module "vitest" {
  interface ProvidedContext {
    readonly engine: Engine
  }
}

/** What the Worker of this run of the tests runs on (`vitest.config.ts`). */
export const engine = inject("engine")

const start = async (secrets: Record<string, string>) => {
  // Within a run of the tests, what a worker leaves behind is removed with the folder of the run.
  const storage = await mkdtemp(join(process.env[SharedFolder] ?? tmpdir(), "worker-"))
  const { base, close, database, duties, fetch, scopes, tick } = await launch({
    code: await build(engine),
    engine,
    storage,
    env: secrets
  })

  const send = async (method: string, path: string, body?: unknown, token?: string, key?: string) => {
    const response = await fetch(`http://localhost${path}`, {
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
    base,
    fetch,
    close: async () => {
      await close()
      await rm(storage, { recursive: true, force: true })
    },
    /** Sends a request, optionally with a bearer token and an idempotency key. Answers its cost in D1 too. */
    send: (method: string, path: string, body?: unknown, token?: string, key?: string) =>
      Effect.promise(() => send(method, path, body, token, key)),
    /** The D1 of the server, for what no request shows. */
    database,
    /** The scopes that have an object; none on D1. */
    scopes: Effect.promise(scopes),
    storage,
    /** Has the object of the scope do now what its alarm would have it do. */
    duties: (scope: string) => Effect.promise(() => duties(scope)),
    /** Fires the cron, and fails if that does. */
    tick: Effect.promise(tick)
  }
}

const shared = new Map<string, ReturnType<typeof start>>()

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

  /**
   * The same for every test of this process that asks for these secrets: for tests that look only at records of their own. It
   * takes a second to start one.
   */
  static readonly layerShared = (secrets: Record<string, string>) =>
    Layer.effect(
      Workerd,
      Effect.promise(() => {
        const name = JSON.stringify(secrets)
        const known = shared.get(name) ?? start(secrets)
        shared.set(name, known)
        return known
      })
    )
}
