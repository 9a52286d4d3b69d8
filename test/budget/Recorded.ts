/** A D1 that notes every statement it is given, with the name of its step and the rows that D1 says it read and wrote. */
import type { D1Database, D1PreparedStatement, D1Result } from "@cloudflare/workers-types"
import * as Batch from "../../src/sql/Batch.ts"

export interface Execution {
  /** The step of the batch that the statement belongs to; undefined where it was sent without a name. */
  readonly step: string | undefined
  /** The names of its parameters, in their order; undefined where they have none. */
  readonly names: ReadonlyArray<string> | undefined
  readonly text: string
  readonly parameters: ReadonlyArray<unknown>
  readonly read: number
  readonly written: number
}

/** The statements of each batch, which is a round trip, in the order in which they were sent. */
export type Trips = ReadonlyArray<ReadonlyArray<Execution>>

interface Noted {
  readonly text: string
  readonly parameters: ReadonlyArray<unknown>
  readonly statement: D1PreparedStatement
}

export interface Recorded {
  readonly open: () => D1Database
  /** What was executed since it was last asked. */
  readonly take: () => Trips
}

type Label = Pick<Execution, "names" | "step">

// The labels of statements by their texts: the latest, as the same text may belong to steps of different batches.
const labels = new Map<string, Label>()

Batch.observe((step, statements) => {
  for (const statement of statements) {
    const [text] = Batch.compiled(statement)
    labels.set(text, { step, names: "names" in statement ? statement.names as ReadonlyArray<string> : undefined })
  }
})

const unlabelled: Label = { step: undefined, names: undefined }

export const make = (db: D1Database): Recorded => {
  let trips: Array<ReadonlyArray<Execution>> = []
  const prepare = (text: string) => ({
    bind: (...parameters: ReadonlyArray<unknown>): Noted => ({
      text,
      parameters,
      statement: db.prepare(text).bind(...parameters)
    })
  })
  const batch = async (noted: ReadonlyArray<Noted>): Promise<Array<D1Result<any>>> => {
    const results = await db.batch<any>(noted.map(({ statement }) => statement))
    trips.push(noted.map(({ parameters, text }, i) => {
      const { rows_read: read, rows_written: written } = results[i]!.meta
      return { ...(labels.get(text) ?? unlabelled), text, parameters, read, written }
    }))
    return results
  }
  return {
    open: () => ({ prepare, batch }) as unknown as D1Database,
    take: () => {
      const taken = trips
      trips = []
      return taken
    }
  }
}
