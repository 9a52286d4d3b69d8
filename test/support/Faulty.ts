/**
 * A D1 that fails on demand: batches that never arrive, that commit and whose answer is lost, that are not answered at all,
 * that commit and answer when nobody waits for them any more, or that D1 refuses with an error of its own.
 */
import type { D1Database } from "@cloudflare/workers-types"
import type { DatabaseSync } from "node:sqlite"
import { migrated } from "./layers.ts"

/** An error is what D1 answers, and then the batch changed nothing. */
export type Fault = "lost request" | "lost answer" | "no answer" | "committed without an answer" | "late" | Error

export interface Faulty {
  readonly open: () => D1Database
  readonly raw: DatabaseSync
  /** What befalls the next batches, in this order; after that they go well. */
  readonly faults: Array<Fault | undefined>
  /** How many batches were sent. */
  readonly sent: () => number
  /** How many batches are waited for in vain. */
  readonly silent: () => number
  /** Lets the late batches happen, in order. */
  readonly release: () => Promise<void>
}

const lost = (what: string) => new Error(`D1_ERROR: ${what}: internal error`)
const never = new Promise<never>(() => {})

/** `next` chooses the fault of a batch when the list `faults` is empty. */
export const make = (next: () => Fault | undefined = () => undefined): Faulty => {
  const { db, raw } = migrated()
  const faults: Faulty["faults"] = []
  const late: Array<() => Promise<unknown>> = []
  let sent = 0
  let silent = 0

  const batch = async (statements: Parameters<D1Database["batch"]>[0]): Promise<unknown> => {
    sent++
    const fault = faults.length > 0 ? faults.shift() : next()
    switch (fault) {
      case undefined:
        return db.batch(statements)
      case "lost request":
        throw lost("the request was lost")
      case "lost answer":
        await db.batch(statements)
        throw lost("the answer was lost")
      case "no answer":
        silent++
        return never
      case "committed without an answer":
        await db.batch(statements)
        silent++
        return never
      case "late":
        silent++
        return new Promise((resolve, reject) => {
          late.push(() => db.batch(statements).then(resolve, reject))
        })
      default:
        throw fault
    }
  }

  return {
    open: () => ({ prepare: (text: string) => db.prepare(text), batch }) as unknown as D1Database,
    raw,
    faults,
    sent: () => sent,
    silent: () => silent,
    release: async () => {
      for (const happen of late.splice(0)) await happen()
    }
  }
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
  "webhooks",
  "webhook_deliveries",
  "usage",
  "usage_caps",
  "breakers",
  "parked_accounts",
  "d1_costs",
  "idempotency_keys"
]

/** All there is in the database. */
export const everything = (raw: DatabaseSync): Record<string, ReadonlyArray<unknown>> =>
  Object.fromEntries(tables.map((table) => [table, raw.prepare(`SELECT * FROM ${table}`).all()]))
