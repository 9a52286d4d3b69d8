/**
 * The storage of an object on `node:sqlite`: the same SQL in process. It gives the counts of rows as 0 or 1, and keeps the
 * time of the alarm without waking anyone.
 */
import type { DurableObjectState, DurableObjectStorage } from "@cloudflare/workers-types"
import { DatabaseSync, type SQLInputValue } from "node:sqlite"

/** Whether the text has several statements. */
const isSeveral = (text: string) => /;\s*\S/.test(text.replace(/--[^\n]*/g, ""))

export const make = (raw = new DatabaseSync(":memory:")) => {
  raw.exec("PRAGMA foreign_keys = ON")
  let alarm: number | null = null
  let depth = 0
  let blocked: Promise<unknown> = Promise.resolve()
  const exec = (text: string, ...given: ReadonlyArray<SQLInputValue | ArrayBuffer>) => {
    const values = given.map((value) => value instanceof ArrayBuffer ? new Uint8Array(value) : value)
    const before = Number(raw.prepare("SELECT total_changes() AS n").get()!["n"])
    if (values.length === 0 && isSeveral(text)) raw.exec(text)
    const rows = values.length === 0 && isSeveral(text) ? [] : raw.prepare(text).all(...values)
    const written = Number(raw.prepare("SELECT total_changes() AS n").get()!["n"]) - before
    return { toArray: () => rows, one: () => rows[0], rowsRead: 0, rowsWritten: written }
  }
  const storage = {
    sql: { exec },
    transactionSync: <A>(work: () => A): A => {
      const name = `s${depth++}`
      raw.exec(`SAVEPOINT ${name}`)
      try {
        const done = work()
        raw.exec(`RELEASE ${name}`)
        return done
      } catch (error) {
        raw.exec(`ROLLBACK TO ${name}; RELEASE ${name}`)
        throw error
      } finally {
        depth--
      }
    },
    getAlarm: async () => alarm,
    setAlarm: async (time: number) => {
      alarm = time
    }
  }
  const state = {
    id: { name: "scope:red" },
    storage,
    blockConcurrencyWhile: (work: () => Promise<unknown>) => {
      blocked = work()
      return blocked
    },
    waitUntil: () => {},
    getWebSockets: () => [],
    setWebSocketAutoResponse: () => {}
  }
  return {
    raw,
    storage: storage as unknown as DurableObjectStorage,
    state: state as unknown as DurableObjectState,
    alarm: () => alarm,
    /** No request is delivered before this. */
    unblocked: () => blocked
  }
}
