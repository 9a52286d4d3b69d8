/** A D1 whose transport fails on demand: batches that commit and whose answer is lost, or that never arrive. */
import type { D1Database } from "@cloudflare/workers-types"
import type { DatabaseSync } from "node:sqlite"
import { migrated } from "./layers.ts"

type Fault = "lost answer" | "lost request"

export interface Faulty {
  readonly open: () => D1Database
  readonly raw: DatabaseSync
  /** What befalls the next batches, in this order; after that they go well. */
  readonly faults: Array<Fault | undefined>
}

const lost = (what: string) => new Error(`D1_ERROR: ${what}: internal error`)

/** Whether this is what such a batch fails with. */
export const isLost = (defect: unknown): boolean =>
  defect instanceof Error && /^D1_ERROR: the (request|answer) was lost/.test(defect.message)

export const make = (): Faulty => {
  const { db, raw } = migrated()
  const faults: Faulty["faults"] = []
  const open = () =>
    ({
      prepare: (text: string) => db.prepare(text),
      async batch(statements: Parameters<D1Database["batch"]>[0]) {
        const fault = faults.shift()
        if (fault === "lost request") throw lost("the request was lost")
        const answers = await db.batch(statements)
        if (fault === "lost answer") throw lost("the answer was lost")
        return answers
      }
    }) as unknown as D1Database
  return { open, raw, faults }
}

const tables = [
  "tasks",
  "history",
  "queue_counts",
  "dependencies",
  "orchestrators",
  "projects",
  "drafts",
  "messages",
  "actions",
  "roles",
  "flows",
  "api_keys",
  "idempotency_keys"
]

/** All there is in the database. */
export const everything = (raw: DatabaseSync): Record<string, ReadonlyArray<unknown>> =>
  Object.fromEntries(tables.map((table) => [table, raw.prepare(`SELECT * FROM ${table}`).all()]))
