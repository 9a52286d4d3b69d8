/**
 * What the control object knows: the scopes that have records, and which scope each key opens. An object tells it
 * before it answers, so that no key and no record is known to a client that no request leads to.
 */
import type { DurableObjectStorage } from "@cloudflare/workers-types"

/** What an object tells about its scope. It may tell it again. */
export interface Notice {
  readonly scope: string
  /** The hashes of keys that were issued. */
  readonly keys: ReadonlyArray<string>
  /** The hashes of keys that were deleted. */
  readonly gone: ReadonlyArray<string>
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
}

const schema = `
  CREATE TABLE IF NOT EXISTS scopes (scope TEXT NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS keys (hash TEXT NOT NULL PRIMARY KEY, scope TEXT NOT NULL) STRICT, WITHOUT ROWID`

export const make = (storage: DurableObjectStorage) => {
  const { sql } = storage
  sql.exec(schema)
  return {
    note: ({ gone, keys, scope }: Notice): void =>
      storage.transactionSync(() => {
        sql.exec("INSERT INTO scopes (scope) VALUES (?) ON CONFLICT DO NOTHING", scope)
        for (const hash of keys) {
          sql.exec(
            "INSERT INTO keys (hash, scope) VALUES (?, ?) ON CONFLICT (hash) DO UPDATE SET scope = excluded.scope",
            hash,
            scope
          )
        }
        // A key that moved to another scope with its records is that scope's.
        for (const hash of gone) sql.exec("DELETE FROM keys WHERE hash = ? AND scope = ?", hash, scope)
      }),
    scopeOf: (hash: string): string | undefined =>
      sql.exec("SELECT scope FROM keys WHERE hash = ?", hash).toArray()[0]?.["scope"] as string | undefined,
    knows: (scope: string): boolean => sql.exec("SELECT 1 FROM scopes WHERE scope = ?", scope).toArray().length > 0,
    scopes: (from: string, most: number): ReadonlyArray<string> =>
      sql.exec("SELECT scope FROM scopes WHERE scope >= ? ORDER BY scope LIMIT ?", from, most).toArray()
        .map(({ scope }) => String(scope))
  }
}
