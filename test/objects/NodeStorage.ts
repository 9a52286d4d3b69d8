/**
 * The storage of an object on `node:sqlite`: the same SQL in process. It gives the counts of rows as 0 or 1, and keeps the
 * time of the alarm without waking anyone, unless it is given an alarm that does.
 */
import type { DurableObjectState, DurableObjectStorage } from "@cloudflare/workers-types"
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite"

/** Whether the text has several statements. */
const isSeveral = (text: string) => /;\s*\S/.test(text.replace(/--[^\n]*/g, ""))

// To compile a statement takes longer than to run it. An object that wakes again finds its statements.
const compilers = new WeakMap<DatabaseSync, (text: string) => StatementSync>()

const compilerOf = (raw: DatabaseSync) => {
  const before = compilers.get(raw)
  if (before !== undefined) return before
  const compiled = new Map<string, StatementSync>()
  const compile = (text: string) => {
    const known = compiled.get(text) ?? raw.prepare(text)
    compiled.set(text, known)
    return known
  }
  compilers.set(raw, compile)
  return compile
}

/** The alarm of an object. */
export interface AlarmClock {
  readonly get: () => number | null
  readonly set: (time: number) => void
}

const silent = (): AlarmClock => {
  let at: number | null = null
  return {
    get: () => at,
    set: (time) => {
      at = time
    }
  }
}

export const make = (raw = new DatabaseSync(":memory:"), alarm = silent()) => {
  raw.exec("PRAGMA foreign_keys = ON")
  const changes = raw.prepare("SELECT total_changes() AS n")
  const compile = compilerOf(raw)
  let depth = 0
  let blocked: Promise<unknown> = Promise.resolve()
  const exec = (text: string, ...given: ReadonlyArray<SQLInputValue | ArrayBuffer>) => {
    const values = given.map((value) => value instanceof ArrayBuffer ? new Uint8Array(value) : value)
    const before = Number(changes.get()!["n"])
    if (values.length === 0 && isSeveral(text)) raw.exec(text)
    const rows = values.length === 0 && isSeveral(text) ? [] : compile(text).all(...values)
    const written = Number(changes.get()!["n"]) - before
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
    deleteAll: async () => {
      raw.exec("PRAGMA foreign_keys = OFF")
      for (const kind of ["view", "table"]) {
        const named = "SELECT name FROM sqlite_schema WHERE type = ? AND name NOT LIKE 'sqlite_%'"
        for (const { name } of raw.prepare(named).all(kind)) raw.exec(`DROP ${kind} "${String(name)}"`)
      }
      raw.exec("PRAGMA foreign_keys = ON")
    },
    getAlarm: async () => alarm.get(),
    setAlarm: async (time: number) => alarm.set(time)
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
    getWebSocketAutoResponseTimestamp: () => null,
    setWebSocketAutoResponse: () => {}
  }
  return {
    raw,
    storage: storage as unknown as DurableObjectStorage,
    state: state as unknown as DurableObjectState,
    alarm: alarm.get,
    /** No request is delivered before this. */
    unblocked: () => blocked
  }
}
