/**
 * Machines that claim from a scope other than their own. On one database a claim by the administrator finds the machine
 * in any scope (`sql/lease/Claimant.ts`). Here the Worker copies it, with its roles, into the object of the claim,
 * where its row keeps the scope that it is registered in. Each claim brings the copy up to date.
 */
import type { DurableObjectStorage } from "@cloudflare/workers-types"

/** A machine and its roles, as they are stored. */
export interface Copy {
  readonly machine: Readonly<Record<string, unknown>>
  readonly roles: ReadonlyArray<Readonly<Record<string, unknown>>>
}

type Row = Readonly<Record<string, unknown>>

/** What a copy is brought up to date in. Its heartbeats are its own, and end its silence. */
const essence = (row: Row) =>
  JSON.stringify({ ...row, last_heartbeat: 0, status: row["status"] === "maintenance" }, Object.keys(row).toSorted())

/** `needReady` fails if the object lacks a migration. */
export const make = ({ sql }: DurableObjectStorage, scope: string | undefined, needReady: () => void) => {
  const put = (table: string, key: string, row: Row) => {
    const [before] = sql.exec(`SELECT * FROM ${table} WHERE ${key} = ? AND scope = ?`, row[key], row["scope"]).toArray()
    if (before !== undefined && essence(before) === essence(row)) return
    const names = Object.keys(row)
    sql.exec(
      `INSERT OR REPLACE INTO ${table} (${names.join(", ")}) VALUES (${names.map(() => "?").join(", ")})`,
      ...Object.values(row)
    )
  }
  return {
    /** The scope of the machine that a claim finds here. */
    homeOf: (id: string): string | undefined => {
      needReady()
      return sql.exec(
        "SELECT scope FROM orchestrators WHERE id = ? ORDER BY scope = ? DESC, last_heartbeat DESC LIMIT 1",
        id,
        scope
      ).toArray()[0]?.["scope"] as string | undefined
    },
    /** The machine of this scope. */
    lend: (id: string): Copy | undefined => {
      needReady()
      const [machine] = sql.exec("SELECT * FROM orchestrators WHERE id = ? AND scope = ?", id, scope).toArray()
      return machine && { machine, roles: sql.exec("SELECT * FROM roles WHERE scope = ?", scope).toArray() }
    },
    /** Keeps a machine of another scope. */
    borrow: ({ machine, roles }: Copy): void => {
      needReady()
      put("orchestrators", "id", machine)
      for (const role of roles) put("roles", "name", role)
    },
    /** Removes the machine of another scope. */
    giveBack: (id: string): void => {
      needReady()
      sql.exec("DELETE FROM orchestrators WHERE id = ? AND scope <> ?", id, scope)
    }
  }
}

/** Another object, as the Worker reaches it. */
export interface MachinesStub {
  readonly homeOfMachine: (id: string) => Promise<string | undefined>
  readonly lendMachine: (id: string) => Promise<Copy | undefined>
  readonly borrowMachine: (copy: Copy) => Promise<void>
  readonly giveBackMachine: (id: string) => Promise<void>
}
