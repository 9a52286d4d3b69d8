/**
 * Machines that claim from a scope other than their own. On one database a claim by the administrator finds the machine
 * in any scope (`sql/lease/Claimant.ts`). Here the Worker copies it, with its roles, into the object of the claim,
 * where its row keeps the scope that it is registered in.
 */
import type { DurableObjectStorage } from "@cloudflare/workers-types"

/** A machine and its roles, as they are stored. */
export interface Copy {
  readonly machine: Readonly<Record<string, unknown>>
  readonly roles: ReadonlyArray<Readonly<Record<string, unknown>>>
}

/** `needReady` fails if the object lacks a migration. */
export const make = ({ sql }: DurableObjectStorage, scope: string | undefined, needReady: () => void) => {
  const put = (table: string, row: Readonly<Record<string, unknown>>) => {
    const names = Object.keys(row)
    sql.exec(
      `INSERT OR REPLACE INTO ${table} (${names.join(", ")}) VALUES (${names.map(() => "?").join(", ")})`,
      ...Object.values(row)
    )
  }
  return {
    /** Whether a claim finds the machine here. */
    knows: (id: string): boolean => {
      needReady()
      return sql.exec("SELECT 1 FROM orchestrators WHERE id = ? LIMIT 1", id).toArray().length > 0
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
      put("orchestrators", machine)
      for (const role of roles) put("roles", role)
    }
  }
}

/** Another object, as the Worker reaches it. */
export interface MachinesStub {
  readonly knowsMachine: (id: string) => Promise<boolean>
  readonly lendMachine: (id: string) => Promise<Copy | undefined>
  readonly borrowMachine: (copy: Copy) => Promise<void>
}
