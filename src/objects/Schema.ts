/**
 * The schema of an object: the migrations of the server, which it applies when it wakes, and a few tables and triggers
 * of its own. Their names begin with `_`, and no service knows them.
 */
import type { DurableObjectStorage } from "@cloudflare/workers-types"

/** The name and the text of each migration, in order (`scripts/build/worker.ts`). */
export type Migrations = ReadonlyArray<readonly [name: string, text: string]>

/** The longest row, as on D1. A Durable Object on Cloudflare has the same limit, and workerd allows twice as much. */
export const MaxRow = 2_000_000

// Raise it with every change of what an object has besides the migrations.
const OwnVersion = 3

const nameTable =
  "CREATE TABLE IF NOT EXISTS _name (one INTEGER PRIMARY KEY CHECK (one = 1), name TEXT NOT NULL) STRICT;"

const own = `
  ${nameTable}
  -- What the control object has to be told, in this order: which keys and machines came and went, and that the scope has
  -- records or none.
  CREATE TABLE IF NOT EXISTS _notices (
    seq INTEGER PRIMARY KEY, kind TEXT NOT NULL CHECK (kind IN ('scope', 'key', 'machine')), name TEXT NOT NULL,
    gone INTEGER NOT NULL CHECK (gone IN (0, 1))) STRICT;
  -- Has a row once the control object knows the scope.
  CREATE TABLE IF NOT EXISTS _told (one INTEGER PRIMARY KEY CHECK (one = 1)) STRICT;
  -- Has a row while the control object has it that the scope has no records.
  CREATE TABLE IF NOT EXISTS _empty (one INTEGER PRIMARY KEY CHECK (one = 1)) STRICT;
  -- When the duties of the cron were done last.
  CREATE TABLE IF NOT EXISTS _duties (one INTEGER PRIMARY KEY CHECK (one = 1), done_at INTEGER NOT NULL) STRICT;
  -- The restore whose pieces are kept: how many bytes they have, and when the last one came.
  CREATE TABLE IF NOT EXISTS _restoring (
    one INTEGER PRIMARY KEY CHECK (one = 1), id TEXT NOT NULL, bytes INTEGER NOT NULL, at INTEGER NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS _restore (
    id TEXT NOT NULL, piece INTEGER NOT NULL, part INTEGER NOT NULL, bytes BLOB NOT NULL,
    PRIMARY KEY (id, piece, part)) STRICT, WITHOUT ROWID;
  -- The restores that were finished, and what they were answered.
  CREATE TABLE IF NOT EXISTS _restored (id TEXT NOT NULL PRIMARY KEY, answer TEXT NOT NULL) STRICT, WITHOUT ROWID;`

const noticeTriggers = `
  CREATE TRIGGER _key_issued AFTER INSERT ON api_keys BEGIN
    INSERT INTO _notices (kind, name, gone) VALUES ('key', NEW.hash, 0);
  END;
  CREATE TRIGGER _key_gone AFTER DELETE ON api_keys BEGIN
    INSERT INTO _notices (kind, name, gone) VALUES ('key', OLD.hash, 1);
  END;
  -- Also of a copy of a machine of another scope (Machines.ts): its heartbeats renew leases here.
  CREATE TRIGGER _machine_come AFTER INSERT ON orchestrators BEGIN
    INSERT INTO _notices (kind, name, gone) VALUES ('machine', NEW.id, 0);
  END;
  CREATE TRIGGER _machine_gone AFTER DELETE ON orchestrators
    WHEN NOT EXISTS (SELECT 1 FROM orchestrators WHERE id = OLD.id) BEGIN
    INSERT INTO _notices (kind, name, gone) VALUES ('machine', OLD.id, 1);
  END;`

// An upgraded object tells everything again: an earlier release may not have told it.
const again = `
  INSERT INTO _notices (kind, name, gone) SELECT 'scope', '', 0 FROM _told;
  INSERT INTO _notices (kind, name, gone) SELECT DISTINCT 'machine', id, 0 FROM orchestrators`

// The texts of these have limits far below that of a row. A trigger costs a row read with each update, also of a
// heartbeat.
const small = [
  "api_keys",
  "dependencies",
  "event_counts",
  "orchestrators",
  "parked_accounts",
  "queue_counts",
  "schema_version",
  "sweeps",
  "usage",
  "usage_caps"
]

/** SQLite knows the length of a text without reading it. A number or NULL takes nine bytes at most. */
const sizeTriggers = (storage: DurableObjectStorage) => {
  const tables = storage.sql.exec(
    `SELECT name FROM sqlite_schema WHERE type = 'table' AND substr(name, 1, 1) <> '_' AND name NOT LIKE 'sqlite_%'
      AND name <> 'd1_migrations' AND name NOT IN (SELECT value FROM json_each(?)) ORDER BY name`,
    JSON.stringify(small)
  ).toArray()
  return tables.map(({ name }) => {
    const columns = storage.sql.exec(`SELECT name, type FROM pragma_table_info('${String(name)}')`).toArray()
    const bytes = columns.map((column) =>
      column["type"] === "TEXT" ? `coalesce(octet_length(NEW."${String(column["name"])}"), 0)` : "9"
    )
    const size = Array.from(
      { length: Math.ceil(bytes.length / 40) },
      (_, i) => `(${bytes.slice(40 * i, 40 * (i + 1)).join(" + ")})`
    ).join(" + ")
    return ["INSERT", "UPDATE"].map((change) => `
      CREATE TRIGGER "_row_${change}_${String(name)}" AFTER ${change} ON "${
      String(name)
    }" WHEN ${size} > ${MaxRow} BEGIN
        SELECT RAISE(ABORT, 'string or blob too big: SQLITE_TOOBIG');
      END;`).join("")
  }).join("")
}

const dropTriggers = (storage: DurableObjectStorage) => {
  const triggers = storage.sql.exec(
    "SELECT name FROM sqlite_schema WHERE type = 'trigger' AND substr(name, 1, 1) = '_'"
  )
  for (const { name } of triggers.toArray()) storage.sql.exec(`DROP TRIGGER "${String(name)}"`)
}

/** The version of an object's schema: the number of migrations, and the version of what only objects have. */
const versionOf = (migrations: Migrations) => `${migrations.length}.${OwnVersion}`

const isReady = (storage: DurableObjectStorage, version: string): boolean => {
  storage.sql.exec("CREATE TABLE IF NOT EXISTS _schema (one INTEGER PRIMARY KEY, ready TEXT NOT NULL) STRICT")
  return storage.sql.exec("SELECT ready FROM _schema").toArray()[0]?.["ready"] === version
}

/**
 * The name of the object. It is kept, because the platform may not say it to an object that wakes by its alarm; then
 * the object would take itself for that without a scope.
 */
export const nameOf = ({ sql }: DurableObjectStorage, given: string | undefined): string | undefined => {
  sql.exec(nameTable)
  const kept = sql.exec("SELECT name FROM _name").toArray()[0]?.["name"] as string | undefined
  if (kept === undefined && given !== undefined) sql.exec("INSERT INTO _name (one, name) VALUES (1, ?)", given)
  return given ?? kept
}

/** A migration failed. The schema is that of the migrations before it. */
export class MigrationFailed extends Error {
  constructor(name: string, cause: unknown) {
    super(`The migration ${name} failed, and the schema is as it was before it: ${String(cause)}`, { cause })
  }
}

/**
 * Applies the migrations that the object lacks, each in a transaction of its own. If one fails, the object keeps the
 * schema before it, and answers as a database does that lacks a migration. Fails with `MigrationFailed`.
 */
export const prepare = (storage: DurableObjectStorage, migrations: Migrations): void => {
  const version = versionOf(migrations)
  if (isReady(storage, version)) return
  storage.transactionSync(() => {
    storage.sql.exec("DELETE FROM _schema")
    dropTriggers(storage)
    storage.sql.exec(`
      CREATE TABLE IF NOT EXISTS d1_migrations (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE,
        applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL)`)
    storage.sql.exec(own)
    // Earlier releases had the notices in another table.
    if (storage.sql.exec("SELECT 1 FROM sqlite_schema WHERE name = '_outbox'").toArray().length > 0) {
      storage.sql.exec(
        "INSERT INTO _notices (kind, name, gone) SELECT kind, name, gone FROM _outbox; DROP TABLE _outbox"
      )
    }
  })
  const applied = new Set(storage.sql.exec("SELECT name FROM d1_migrations").toArray().map(({ name }) => name))
  try {
    for (const [name, text] of migrations) {
      if (applied.has(name)) continue
      try {
        storage.transactionSync(() => {
          storage.sql.exec(text)
          storage.sql.exec("INSERT INTO d1_migrations (name) VALUES (?)", name)
        })
      } catch (cause) {
        throw new MigrationFailed(name, cause)
      }
    }
  } finally {
    storage.transactionSync(() => {
      if (storage.sql.exec("SELECT 1 FROM sqlite_schema WHERE name = 'api_keys'").toArray().length > 0) {
        storage.sql.exec(noticeTriggers)
        storage.sql.exec(again)
      }
      storage.sql.exec(sizeTriggers(storage))
      if (storage.sql.exec("SELECT count(*) AS n FROM d1_migrations").one()["n"] as number >= migrations.length) {
        storage.sql.exec("INSERT INTO _schema (one, ready) VALUES (1, ?)", version)
      }
    })
  }
}
