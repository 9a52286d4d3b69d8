/** Checks the database after the requests: the invariants hold, and the victim's rows are unchanged. */
import { integrity } from "../../scripts/data/doctor/Integrity.ts"
import type { Transport } from "./Transport.ts"

type Query = NonNullable<Transport["query"]>

export const problems = async (query: Query): Promise<ReadonlyArray<string>> => {
  const found: Array<string> = []
  for (const { name, sql } of integrity) {
    const rows = await query(sql)
    if (rows.length > 0) found.push(`does not hold: ${name}: ${JSON.stringify(rows.slice(0, 3))}`)
  }
  return found
}

/** Every row of a scope, by table. */
export const rowsOf = async (query: Query, scope: string): Promise<Record<string, ReadonlyArray<unknown>>> => {
  const tables = await query(
    "SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE '%scope %TEXT%' ORDER BY name"
  )
  const rows: Record<string, ReadonlyArray<unknown>> = {}
  for (const { name } of tables) {
    rows[String(name)] = await query(`SELECT * FROM ${String(name)} WHERE scope = '${scope}'`)
  }
  return rows
}
