/**
 * The databases of the objects of scopes, and all of them as one for the checks: each of its tables has the rows of every
 * object. It reads the databases themselves, past the objects, and cannot write.
 */
import { DatabaseSync } from "node:sqlite"
import * as Schema from "../../../src/objects/Schema.ts"
import * as NodeStorage from "../../objects/NodeStorage.ts"
import { migrations } from "../../objects/Objects.ts"

export interface Databases {
  /** The database of each object. */
  readonly of: ReadonlyMap<string, DatabaseSync>
  readonly whole: DatabaseSync
  readonly close: () => void
}

// Connections in this process share a database under such a name, as long as one of them is open.
const shared = (name: string) => `file:/${name}?vfs=memdb`

let template: DatabaseSync | undefined
let made = 0

/** A database after its migrations. To copy it takes a hundredth of the time that the migrations take. */
const migrated = (): DatabaseSync => {
  if (template === undefined) {
    const first = NodeStorage.make(new DatabaseSync(":memory:"))
    Schema.prepare(first.storage, migrations)
    template = first.raw
  }
  return template
}

/** Every object has woken before, so that the tables are there. */
export const make = (names: ReadonlyArray<string>): Databases => {
  const whole = new DatabaseSync(":memory:")
  const of = new Map<string, DatabaseSync>()
  for (const [i, name] of names.entries()) {
    const address = shared(`simulated-${++made}`)
    const own = new DatabaseSync(address)
    migrated().exec(`VACUUM INTO '${address}'`)
    of.set(name, own)
    whole.exec(`ATTACH '${address}' AS o${i}`)
  }
  const tables = whole.prepare("SELECT name FROM o0.sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
  for (const { name } of tables.all()) {
    const rows = names.map((_, i) => `SELECT * FROM o${i}."${String(name)}"`)
    whole.exec(`CREATE TEMP VIEW "${String(name)}" AS ${rows.join(" UNION ALL ")}`)
  }
  return {
    of,
    whole,
    close: () => {
      whole.close()
      for (const own of of.values()) own.close()
    }
  }
}
