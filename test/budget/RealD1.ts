/** Migrated databases of the real D1, in a workerd that runs nothing else. */
import type { D1Database } from "@cloudflare/workers-types"
import * as Effect from "effect/Effect"
import { convertV4MiniflareOptions, Miniflare } from "miniflare"
import { migrations } from "../support/layers.ts"

/** As many as are asked for, each on its own. They are gone with the scope. */
export const make = (names: ReadonlyArray<string>) =>
  Effect.acquireRelease(
    Effect.sync(() =>
      new Miniflare(convertV4MiniflareOptions({
        modules: [{ type: "ESModule", path: "worker.js", contents: "export default {}" }],
        compatibilityDate: "2026-10-01",
        d1Databases: [...names],
        host: "127.0.0.1",
        port: 0
      }))
    ),
    (miniflare) => Effect.promise(() => miniflare.dispose())
  ).pipe(Effect.flatMap((miniflare) =>
    Effect.promise(() =>
      Promise.all(names.map(async (name): Promise<D1Database> => {
        const db = await miniflare.getD1Database(name) as unknown as D1Database
        for (const migration of migrations) await db.prepare(migration).run()
        return db
      }))
    )
  ))
