/** Both engines behind a Worker in workerd, to send the same batch to each. */
import { convertV4MiniflareOptions, Miniflare } from "miniflare"
import { bundled, migrations } from "../support/InWorkerd.ts"

/** A value of a statement, as JSON can carry it. */
export type Value =
  | { readonly text: string; readonly times?: number }
  | { readonly number: number }
  | {
    readonly odd: "true" | "false" | "undefined" | "bigint" | "date" | "object" | "null" | "NaN" | "infinity" | "bytes"
  }

export interface Sent {
  readonly text: string
  readonly values?: ReadonlyArray<Value>
}

/** What came of a batch. */
export type Ran =
  | { readonly rows: ReadonlyArray<unknown>; readonly read: number; readonly written: number }
  | { readonly violates: ReadonlyArray<string> }
  | { readonly error: string; readonly refusal: boolean; readonly tooBig: boolean; readonly transient: boolean }

export const start = async () => {
  const miniflare = new Miniflare(convertV4MiniflareOptions({
    modules: [{ type: "ESModule", path: "worker.js", contents: await bundled("test/engines/worker.ts") }],
    compatibilityDate: "2026-10-01",
    d1Databases: ["DB"],
    durableObjects: { STORED: { className: "Stored", useSQLite: true } },
    host: "127.0.0.1",
    port: 0
  }))
  const db = await miniflare.getD1Database("DB")
  for (const [, text] of migrations()) await db.prepare(text).run()
  return {
    /** Runs the batch on each engine. */
    run: async (sent: ReadonlyArray<Sent>): Promise<{ readonly d1: Ran; readonly object: Ran }> => {
      const answer = await miniflare.dispatchFetch("http://localhost/", { method: "POST", body: JSON.stringify(sent) })
      if (answer.status !== 200) throw new Error(await answer.text())
      return await answer.json() as any
    },
    close: () => miniflare.dispose()
  }
}
