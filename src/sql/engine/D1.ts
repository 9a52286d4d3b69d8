/** Batches on a D1 database. D1 runs a batch in one transaction, and answers it in one round trip. */
import type { D1Database } from "@cloudflare/workers-types"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Engine, EngineFailure } from "./Engine.ts"

export const layer = (db: D1Database): Layer.Layer<Engine> =>
  Layer.succeed(Engine, {
    run: (statements) =>
      Effect.tryPromise({
        try: async () => {
          const results = await db.batch<Record<string, unknown>>(
            statements.map(([text, parameters]) => db.prepare(text).bind(...parameters))
          )
          return results.map(({ meta, results }) => ({
            rows: results,
            read: meta.rows_read,
            written: meta.rows_written,
            changes: meta.changes as number | undefined
          }))
        },
        catch: (cause) => new EngineFailure({ cause })
      })
  })
