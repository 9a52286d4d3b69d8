/** Migrated databases of the real D1, in a workerd that runs nothing else. */
import type { D1Database } from "@cloudflare/workers-types"
import * as Effect from "effect/Effect"
import { convertV4MiniflareOptions, Miniflare } from "miniflare"
import { migrations } from "../support/layers.ts"

/**
 * Runs a batch in workerd. Miniflare's own proxy to a D1 sends each `prepare` and each `bind` as a request of its own, while
 * which the test waits: that took most of the time of these tests.
 */
const worker = `export default {
  async fetch(request, env) {
    const { name, statements } = await request.json()
    const db = env[name]
    try {
      return Response.json(await db.batch(statements.map(({ text, parameters }) => db.prepare(text).bind(...parameters))))
    } catch (error) {
      return new Response(String(error.message), { status: 400 })
    }
  }
}`

/** A statement with its values, as JSON can carry it. */
export interface Bound {
  readonly text: string
  readonly parameters: ReadonlyArray<unknown>
}

export const prepare = (text: string) => ({
  text,
  parameters: [],
  bind: (...parameters: ReadonlyArray<unknown>): Bound => ({ text, parameters })
})

/** The database of this name, as the server reaches a D1: only batches of bound statements. */
const databaseOf = (url: URL, name: string): D1Database => {
  const batch = async (statements: ReadonlyArray<Bound>) => {
    const answer = await fetch(url, { method: "POST", body: JSON.stringify({ name, statements }) })
    // The texts of D1's errors are what the server tells them apart by.
    if (answer.status !== 200) throw new Error(await answer.text())
    return answer.json()
  }
  return { batch, prepare } as unknown as D1Database
}

/** As many as are asked for, each on its own. They are gone with the scope. */
export const make = (names: ReadonlyArray<string>) =>
  Effect.acquireRelease(
    Effect.sync(() =>
      new Miniflare(convertV4MiniflareOptions({
        modules: [{ type: "ESModule", path: "worker.js", contents: worker }],
        compatibilityDate: "2026-10-01",
        d1Databases: [...names],
        unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
        host: "127.0.0.1",
        port: 0
      }))
    ),
    (miniflare) => Effect.promise(() => miniflare.dispose())
  ).pipe(Effect.flatMap((miniflare) =>
    Effect.promise(async () => {
      await miniflare.ready
      const url = await miniflare.unsafeGetDirectURL()
      return Promise.all(names.map(async (name): Promise<D1Database> => {
        const db = databaseOf(url, name)
        for (const migration of migrations) await db.batch([db.prepare(migration)])
        return db
      }))
    })
  ))
