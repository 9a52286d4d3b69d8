/**
 * What an object has to tell the control object. A notice is written in the transaction of the change that it is about,
 * and deleted when the control object has it, so a crash between the two delays it only.
 */
import type { DurableObjectStorage } from "@cloudflare/workers-types"
import { normalize } from "../../http/request/Target.ts"
import type { Change, ControlStub } from "../Control.ts"

/** How many changes an object tells at a time. */
const MaxTold = 100

// A record of another scope is none of this one: a machine that claims here, and its roles (`Machines.ts`). What only
// counts or tells of other records does not need the scope to be found.
const tables = [
  "tasks",
  "orchestrators",
  "api_keys",
  "projects",
  "drafts",
  "messages",
  "actions",
  "roles",
  "flows",
  "webhooks",
  "breakers",
  "parked_accounts",
  "usage_caps"
]

/** Whether the scope has a record. A kept answer is one: the request that is repeated may name no scope. */
export const anyRecord = `SELECT 1 WHERE ${
  tables.map((table) => `EXISTS (SELECT 1 FROM ${table} WHERE scope = ?1)`).join(" OR ")
} OR EXISTS (SELECT 1 FROM idempotency_keys)`

const ignore = () => {}

/**
 * Whether the answer leads nowhere without the control object: that of the first change of a scope, a key, or the
 * registration of a machine.
 */
const needsControl = ({ method, url }: Request, registered: boolean): boolean =>
  method !== "GET" && method !== "HEAD" &&
  (!registered || /^\/api\/v1\/(scopes\/|orchestrators\/register$)/.test(normalize(new URL(url).pathname).path))

export const make = (
  storage: DurableObjectStorage,
  scope: string | undefined,
  control: () => Pick<ControlStub, "note">
) => {
  const { sql } = storage
  const has = (query: string) => sql.exec(query).toArray().length > 0
  let registered = has("SELECT 1 FROM _told")
  let empty = has("SELECT 1 FROM _empty UNION ALL SELECT 1 FROM _notices WHERE kind = 'scope' AND gone = 1")

  const newest = () =>
    (sql.exec("SELECT seq FROM _notices ORDER BY seq DESC LIMIT 1").toArray()[0]?.["seq"] as number | undefined) ?? 0

  // The newest notice that could not be told.
  let failed = 0

  const first = () => sql.exec("SELECT seq, kind, name, gone FROM _notices ORDER BY seq LIMIT ?", MaxTold + 1).toArray()

  const send = async () => {
    if (scope === undefined) return
    for (;;) {
      const rows = first()
      const told = rows.slice(0, MaxTold)
      const last = told.at(-1)
      if (last === undefined) return
      const changes = told.map(({ gone, kind, name }) => ({ kind, name, gone: gone === 1 }) as Change)
      try {
        await control().note({ scope, changes, complete: rows.length === told.length })
      } catch (cause) {
        failed = newest()
        // Nobody may get an answer that leads nowhere. The batch is committed, so it is not known to have failed.
        throw new Error("connection lost: the control object does not answer", { cause })
      }
      const state = changes.findLast(({ kind }) => kind === "scope")
      registered = true
      failed = 0
      storage.transactionSync(() => {
        sql.exec("INSERT INTO _told (one) VALUES (1) ON CONFLICT DO NOTHING")
        sql.exec("DELETE FROM _notices WHERE seq <= ?", last["seq"])
        if (state === undefined) return
        sql.exec(state.gone ? "INSERT INTO _empty (one) VALUES (1) ON CONFLICT DO NOTHING" : "DELETE FROM _empty")
        if (!state.gone && !has("SELECT 1 FROM _notices WHERE kind = 'scope' AND gone = 1")) empty = false
      })
    }
  }

  // One after the other, so that the control object gets the notices in their order.
  let telling: Promise<void> = Promise.resolve()
  let underWay = 0

  const waits = () => newest() > 0

  const tell = (): Promise<void> => {
    underWay++
    telling = telling.then(send, send).finally(() => underWay--)
    return telling
  }

  return {
    /** Whether the control object knows the scope. */
    registered: () => registered,
    /** Whether there are notices that it does not have. */
    waits,
    /** Tells it what it does not have. */
    tell,
    /**
     * Before a request is answered: tells what could not be told. Only a request whose answer could lead nowhere waits
     * for that, and fails if the control object does not answer; the others do not need it.
     */
    before: (request: Request, goOn: (work: Promise<void>) => void): Promise<void> | undefined => {
      if (!waits()) return undefined
      if (needsControl(request, registered)) return tell()
      if (underWay === 0) goOn(tell().catch(ignore))
      return undefined
    },
    /** After a batch that wrote rows: tells what it made known. The answer waits for it. */
    changed: (): Promise<void> | undefined => newest() > failed ? tell() : undefined,
    /** Part of each transaction that writes rows. */
    written: () => {
      if (registered && !empty) return
      sql.exec(`INSERT INTO _notices (kind, name, gone) SELECT 'scope', '', 0
        WHERE NOT EXISTS (SELECT 1 FROM _notices WHERE kind = 'scope' AND gone = 0)`)
    },
    /** Writes a notice if no record is left. */
    lookForRecords: () => {
      if (!registered || empty || sql.exec(anyRecord, scope).toArray().length > 0) return
      sql.exec("INSERT INTO _notices (kind, name, gone) VALUES ('scope', '', 1)")
      empty = true
    }
  }
}
