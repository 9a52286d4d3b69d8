/** Copies a scope from one server to another: reads everything, then writes it in requests that the server takes. */
import * as Effect from "effect/Effect"
import * as client from "../../src/client.ts"
import { type ImportKind, importKinds, MaxRecords } from "../../src/domain/Import.ts"
import { read } from "./read.ts"
import { ImportStopped, type Item, make } from "./Source.ts"

export interface Options {
  readonly from: string
  readonly key?: string | undefined
  readonly to: string
  readonly toKey?: string | undefined
  readonly scope: string
  /** Whether projects and drafts of no scope are copied into this one. */
  readonly unscoped: boolean
  /** Whether to read only. */
  readonly dryRun: boolean
}

export interface Tally {
  readonly read: number
  readonly created: number
  readonly existing: number
  readonly failed: number
}

export interface Report {
  readonly kinds: Readonly<Record<ImportKind, Tally>>
  readonly problems: ReadonlyArray<{ readonly kind: ImportKind; readonly id: string; readonly error: string }>
  readonly notes: ReadonlyArray<string>
}

// A request may have 1 MiB.
const MaxBytes = 900_000

/** The records in pieces that fit a request. */
export const chunks = (records: ReadonlyArray<Item>): ReadonlyArray<ReadonlyArray<Item>> => {
  const pieces: Array<Array<Item>> = []
  let bytes = Infinity
  for (const record of records) {
    const size = Buffer.byteLength(JSON.stringify(record)) + 1
    const piece = pieces.at(-1)
    bytes += size
    if (piece === undefined || piece.length === MaxRecords || bytes > MaxBytes) {
      pieces.push([record])
      bytes = size
    } else piece.push(record)
  }
  return pieces
}

export const copy = Effect.fnUntraced(function*(options: Options) {
  const { scope, to } = options
  const contents = yield* read(yield* make(options.from, options.key), scope, options.unscoped)
  const target = yield* client.make({ baseUrl: to, token: options.toKey })
  const problems = [...contents.missing]

  const write = (kind: ImportKind, records: ReadonlyArray<Item>) =>
    target.import.run({ params: { scope }, payload: { [kind]: records } }).pipe(
      Effect.catchTag("BodyTooLarge", ({ error }) =>
        Effect.succeed({
          imported: { [kind]: 0 },
          existing: { [kind]: 0 },
          conflicts: records.map(({ id, name }) => ({ kind, id: String(id ?? name), error }))
        })),
      Effect.mapError((error) =>
        new ImportStopped({
          message: `${to} does not take the ${kind}: ${"error" in error ? error.error : error.message}`
        })
      )
    )

  const kinds = Object.fromEntries(importKinds.map((kind) => {
    const read = contents.records[kind].length
    return [kind, { read, created: 0, existing: 0, failed: 0 }]
  })) as Record<ImportKind, Tally>
  if (!options.dryRun) {
    for (const kind of importKinds) {
      for (const chunk of chunks(contents.records[kind])) {
        const answer = yield* write(kind, chunk)
        const { created, existing, failed, read } = kinds[kind]
        kinds[kind] = {
          read,
          created: created + (answer.imported[kind] ?? 0),
          existing: existing + (answer.existing[kind] ?? 0),
          failed: failed + answer.conflicts.length
        }
        problems.push(...answer.conflicts)
      }
    }
  }
  return { kinds, problems, notes: contents.notes } satisfies Report
})

const line = (cells: ReadonlyArray<string | number>) =>
  cells.map((cell, index) => index === 0 ? String(cell).padEnd(14) : String(cell).padStart(14)).join("")

/** What was done, as a table, and what was not. */
export const format = ({ kinds, notes, problems }: Report, { dryRun, from, scope, to }: Options): string => {
  return [
    dryRun ? `Scope ${scope} of ${from}: nothing was written.` : `Scope ${scope}: from ${from} to ${to}`,
    "",
    line(["", "read", ...(dryRun ? [] : ["created", "already there", "not copied"])]),
    ...importKinds.map((kind) => {
      const { created, existing, failed, read } = kinds[kind]
      return line([kind, read, ...(dryRun ? [] : [created, existing, failed])])
    }),
    ...(problems.length === 0 ? [] : ["", "Not copied:"]),
    ...problems.map(({ error, id, kind }) => `  ${kind} ${id}: ${error}`),
    ...(notes.length === 0 ? [] : ["", "Worth knowing:"]),
    ...notes.map((note) => `  ${note}`)
  ].join("\n")
}
