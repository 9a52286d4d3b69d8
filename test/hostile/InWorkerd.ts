/** The Worker in workerd, on databases of its own, over a socket: URLs, headers and limits are the platform's. */
import * as Effect from "effect/Effect"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { build, type Engine } from "../support/Bundle.ts"
import { launch } from "../support/Launcher.ts"
import { overSocket, type Transport } from "./Transport.ts"

/** Starts it, until the scope ends. */
export const make = Effect.fnUntraced(function*(engine: Engine, env: Record<string, string>) {
  const { base, database } = yield* Effect.acquireRelease(
    Effect.promise(async () => {
      const storage = await mkdtemp(join(tmpdir(), "octopoid-hostile-"))
      return { storage, ...await launch({ code: await build(engine), engine, storage, env }) }
    }),
    ({ close, storage }) =>
      Effect.promise(async () => {
        await close()
        await rm(storage, { recursive: true, force: true, maxRetries: 5 })
      })
  )
  const transport: Transport = {
    send: overSocket(base.href),
    query: async (sql) => (await database.prepare(sql).all<Record<string, unknown>>()).results
  }
  return transport
})
