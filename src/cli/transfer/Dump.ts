/**
 * The file that `octopoid-server export` writes and `npm run restore` reads: a header, a line of JSON for each record,
 * and a line that says how many there are of each kind, so that a reader notices a file that was cut short.
 */
import { flawsOf } from "../../domain/WellFormed.ts"

export interface Header {
  /** The version of the format. */
  readonly octopoid_export: 1
  /** The scope it is of; null when it is of the whole server. */
  readonly scope: string | null
  /** When it was begun. */
  readonly at: string
}

export interface Line {
  readonly kind: string
  /** The scope that an idempotency key was kept in, if it is known: the record has no such column. */
  readonly scope?: string
  readonly record: Readonly<Record<string, unknown>>
}

/** A file that cannot be read as an export, and why. */
export class DumpUnreadable extends Error {}

export interface Page {
  readonly scope: string | null
  readonly records: ReadonlyArray<Line>
  readonly next_cursor: string | null
}

/** The lines of an export, read page by page. */
export const write = async function*(at: string, page: (cursor: string | undefined) => Promise<Page>) {
  const counts: Record<string, number> = {}
  for (let cursor: string | null | undefined; cursor !== null;) {
    const { next_cursor, records, scope } = await page(cursor)
    // A key that names no scope exports its own, which the server knows.
    if (cursor === undefined) yield JSON.stringify({ octopoid_export: 1, scope, at } satisfies Header)
    for (const { kind, record, scope } of records) {
      counts[kind] = (counts[kind] ?? 0) + 1
      yield JSON.stringify({ kind, scope, record })
    }
    cursor = next_cursor
  }
  const sorted = Object.entries(counts).toSorted(([a], [b]) => a < b ? -1 : 1)
  yield JSON.stringify({ end: true, counts: Object.fromEntries(sorted) })
}

const NoExport = "This is no export: it does not begin with {\"octopoid_export\":1}."

const parse = (text: string, number: number): Record<string, any> => {
  const [flaw] = flawsOf(text)
  if (flaw !== undefined) throw new DumpUnreadable(`Line ${number}: ${flaw.path.join(".")}: ${flaw.message}.`)
  try {
    const value = JSON.parse(text)
    if (typeof value === "object" && value !== null) return value
  } catch {
    /* said below */
  }
  throw new DumpUnreadable(
    number === 1 ? NoExport : `Line ${number} is not a JSON object. The file was cut short or edited.`
  )
}

/**
 * The header, the records with their line numbers, and at the end the counts. Fails at once if the export is
 * incomplete.
 */
export const read = async function*(lines: AsyncIterable<string>) {
  const counts: Record<string, number> = {}
  let number = 0
  let ended = false
  for await (const text of lines) {
    const line = parse(text, ++number)
    if (number === 1) {
      if (line.octopoid_export !== 1) {
        throw new DumpUnreadable(
          line.octopoid_export === undefined
            ? NoExport
            : `This is an export of version ${line.octopoid_export}, and this program reads version 1.`
        )
      }
      yield { header: line as Header }
    } else if (ended) throw new DumpUnreadable(`Line ${number} comes after the end.`)
    else if (line.end === true) {
      ended = true
      if (typeof line.counts !== "object" || line.counts === null) {
        throw new DumpUnreadable(`Line ${number} ends the export and says no counts.`)
      }
      for (const kind of new Set([...Object.keys(counts), ...Object.keys(line.counts)])) {
        if (counts[kind] !== line.counts[kind]) {
          throw new DumpUnreadable(`There are ${counts[kind] ?? 0} ${kind}, and should be ${line.counts[kind] ?? 0}.`)
        }
      }
      yield { counts }
    } else if (typeof line.kind === "string" && typeof line.record === "object" && line.record !== null) {
      counts[line.kind] = (counts[line.kind] ?? 0) + 1
      yield { line: line as Line, number }
    } else throw new DumpUnreadable(`Line ${number} is no record.`)
  }
  if (!ended) throw new DumpUnreadable("The file was cut short: its last line does not say that it is complete.")
}
