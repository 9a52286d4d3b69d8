/** What a request costs on Durable Objects. */
import type { Execution, Taken } from "./Objects.ts"

export const figures = ["statements", "transactions", "read", "written", "alarms", "objects"] as const

/** `written` has a row for each alarm, as the platform bills it. */
export type Counts = Record<typeof figures[number], number>

export interface MeasuredObjects extends Counts {
  readonly name: string
  /** The depth of the scope, or how many scopes there are. */
  readonly where: string
  readonly executions: ReadonlyArray<Execution>
}

export const tally = (
  name: string,
  where: string,
  { alarms, executions, objects, transactions }: Taken
): MeasuredObjects => ({
  name,
  where,
  statements: executions.length,
  transactions,
  read: executions.reduce((sum, { read }) => sum + read, 0),
  written: executions.reduce((sum, { written }) => sum + written, alarms),
  alarms,
  objects,
  executions
})
