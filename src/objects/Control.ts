/**
 * What the Worker has to know before it knows the scope of a request: which scopes exist, and to which of them a key or
 * a machine belongs. One object has it. Objects of scopes tell it, in the transaction of the change or later.
 */
import type { DurableObjectStorage } from "@cloudflare/workers-types"

/**
 * A key, by its hash, or a machine, by its id, came or went; or the scope has records again (`gone: false`) or none any
 * more.
 */
export interface Change {
  readonly kind: "key" | "machine" | "scope"
  readonly name: string
  readonly gone: boolean
}

/** What an object tells about its scope. It may tell it again. */
export interface Notice {
  readonly scope: string
  /** In the order in which they happened. */
  readonly changes: ReadonlyArray<Change>
  /** Whether this is all that there is to tell. */
  readonly complete: boolean
}

/** The control object, as others reach it. */
export interface ControlStub {
  readonly note: (notice: Notice) => Promise<void>
  /** The scope of the key with this hash. */
  readonly scopeOf: (hash: string) => Promise<string | undefined>
  /** Whether the scope has, or once had, records. */
  readonly knows: (scope: string) => Promise<boolean>
  /** The first scopes by name, from `from` on. */
  readonly scopes: (from: string, most: number) => Promise<ReadonlyArray<string>>
  /** The first scopes that have records now. */
  readonly filled: (most: number) => Promise<ReadonlyArray<string>>
  /** The first scopes that have the machine, or may have it. */
  readonly scopesOfMachine: (id: string, most: number) => Promise<ReadonlyArray<string>>
}

const schema = `
  CREATE TABLE IF NOT EXISTS scopes (scope TEXT NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS keys (hash TEXT NOT NULL PRIMARY KEY, scope TEXT NOT NULL) STRICT, WITHOUT ROWID;
  -- The scopes without records.
  CREATE TABLE IF NOT EXISTS empty (scope TEXT NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID`

// The scopes that were there before this table tell of their machines when they wake.
const machines = `
  CREATE TABLE machines (id TEXT NOT NULL, scope TEXT NOT NULL, PRIMARY KEY (id, scope)) STRICT, WITHOUT ROWID;
  CREATE TABLE unlisted (scope TEXT NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID;
  INSERT INTO unlisted (scope) SELECT scope FROM scopes`

// A key that moved to another scope with its records is that scope's.
const changed: Readonly<Record<Change["kind"], readonly [come: string, gone: string]>> = {
  key: [
    "INSERT INTO keys (hash, scope) VALUES (?1, ?2) ON CONFLICT (hash) DO UPDATE SET scope = excluded.scope",
    "DELETE FROM keys WHERE hash = ?1 AND scope = ?2"
  ],
  machine: [
    "INSERT INTO machines (id, scope) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
    "DELETE FROM machines WHERE id = ?1 AND scope = ?2"
  ],
  scope: [
    "DELETE FROM empty WHERE ?1 = '' AND scope = ?2",
    "INSERT INTO empty (scope) SELECT ?2 WHERE ?1 = '' ON CONFLICT DO NOTHING"
  ]
}

export const make = (storage: DurableObjectStorage) => {
  const { sql } = storage
  storage.transactionSync(() => {
    sql.exec(schema)
    if (sql.exec("SELECT 1 FROM sqlite_schema WHERE name = 'machines'").toArray().length === 0) sql.exec(machines)
  })
  const scopesOf = (query: string, ...values: ReadonlyArray<string | number>): ReadonlyArray<string> =>
    sql.exec(query, ...values).toArray().map(({ scope }) => String(scope))
  return {
    note: ({ changes, complete, scope }: Notice): void =>
      storage.transactionSync(() => {
        sql.exec("INSERT INTO scopes (scope) VALUES (?) ON CONFLICT DO NOTHING", scope)
        for (const { gone, kind, name } of changes) sql.exec(changed[kind][gone ? 1 : 0], name, scope)
        if (complete) sql.exec("DELETE FROM unlisted WHERE scope = ?", scope)
      }),
    scopeOf: (hash: string): string | undefined => scopesOf("SELECT scope FROM keys WHERE hash = ?", hash)[0],
    knows: (scope: string): boolean => scopesOf("SELECT scope FROM scopes WHERE scope = ?", scope).length > 0,
    scopes: (from: string, most: number) =>
      scopesOf("SELECT scope FROM scopes WHERE scope >= ? ORDER BY scope LIMIT ?", from, most),
    filled: (most: number) =>
      scopesOf(
        "SELECT scope FROM scopes WHERE scope NOT IN (SELECT scope FROM empty) ORDER BY scope LIMIT ?",
        most
      ),
    scopesOfMachine: (id: string, most: number) =>
      scopesOf(
        "SELECT scope FROM machines WHERE id = ? UNION SELECT scope FROM unlisted ORDER BY scope LIMIT ?",
        id,
        most
      )
  }
}
