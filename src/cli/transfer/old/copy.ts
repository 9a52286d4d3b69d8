/** Copies a scope from one server to another: reads everything, then writes it, or rehearses that, in pieces. */
import * as Effect from "effect/Effect"
import { type ImportKind, importKinds, MaxRecords } from "../../../domain/transfer/Import.ts"
import * as Destination from "./Destination.ts"
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
  /** Whether to write nothing, and to say what would be written. */
  readonly dryRun: boolean
  /** Is called with how many records are done, and how many there are. */
  readonly progress?: ((done: number, total: number) => void) | undefined
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

/** The projects that tasks refer to, and of each only what a project must have. */
const projectsOf = (tasks: ReadonlyArray<Item>, projects: ReadonlyMap<unknown, Item>): ReadonlyArray<Item> =>
  [...new Set(tasks.map(({ project_id }) => project_id))].map((id) => projects.get(id)).filter((project) =>
    project !== undefined
  )

export const copy = Effect.fnUntraced(
  function*({ dryRun, from, key, progress = () => {}, scope, to, toKey, unscoped }: Options) {
    const target = yield* Destination.make({ to, token: toKey, scope, dryRun })
    const nothing = Effect.mapError(({ message, why }: ImportStopped) =>
      new ImportStopped({ message: `${message}\nNothing was copied.`, why })
    )
    yield* nothing(target.knock)
    const source = yield* make(from, key)
    const contents = yield* nothing(read(source, scope, unscoped))
    const problems = [...contents.missing]
    const total = importKinds.reduce((sum, kind) => sum + contents.records[kind].length, 0)
    let done = 0
    const kinds = Object.fromEntries(importKinds.map((kind) => {
      const read = contents.records[kind].length
      return [kind, { read, created: 0, existing: 0, failed: 0 }]
    })) as Record<ImportKind, Tally>
    // A dry run does not find the projects it would have written, so they are sent again, and those that fit count.
    const projects = new Map<unknown, Item>(
      dryRun ? contents.records.projects.map(({ created_at, id }) => [id, { id, created_at }]) : []
    )
    const stopped = ({ message, why }: ImportStopped) =>
      new ImportStopped({
        why,
        message: `${message}\n${
          dryRun ? "Nothing was copied." : "The records that were copied stay. Run this again, and it copies the rest."
        }`
      })

    for (const kind of importKinds) {
      const all = contents.records[kind]
      for (const record of all) {
        const error = source.flaw(record)
        if (error === undefined) continue
        problems.push({ kind, id: String(record.id ?? record.name), error })
        kinds[kind] = { ...kinds[kind], failed: kinds[kind].failed + 1 }
        if (kind === "projects") projects.delete(record.id)
      }
      for (const chunk of chunks(all.filter((record) => source.flaw(record) === undefined))) {
        const answer = yield* target.write(kind, chunk, kind === "tasks" ? projectsOf(chunk, projects) : []).pipe(
          Effect.mapError(stopped)
        )
        progress(done += chunk.length, total)
        const { created, existing, failed, read } = kinds[kind]
        kinds[kind] = {
          read,
          created: created + answer.created,
          existing: existing + answer.existing,
          failed: failed + answer.conflicts.length
        }
        problems.push(...answer.conflicts)
        if (kind === "projects") { for (const { id } of answer.conflicts) projects.delete(id) }
      }
    }
    return { kinds, problems, notes: contents.notes } satisfies Report
  }
)

const line = (cells: ReadonlyArray<string | number>) =>
  cells.map((cell, index) => index === 0 ? String(cell).padEnd(14) : String(cell).padStart(14)).join("")

/** What was done, as a table, and what was not. */
export const format = ({ kinds, notes, problems }: Report, { dryRun, from, scope, to }: Options): string => {
  return [
    dryRun
      ? `Scope ${scope}: from ${from} to ${to}. Nothing was written; without --dry-run this would be done:`
      : `Scope ${scope}: from ${from} to ${to}`,
    "",
    line(["", "read", "created", "already there", "not copied"]),
    ...importKinds.map((kind) => {
      const { created, existing, failed, read } = kinds[kind]
      return line([kind, read, created, existing, failed])
    }),
    ...(problems.length === 0 ? [] : ["", "Not copied:"]),
    ...problems.map(({ error, id, kind }) => `  ${kind} ${id}: ${error}`),
    ...(notes.length === 0 ? [] : ["", "Worth knowing:"]),
    ...notes.map((note) => `  ${note}`)
  ].join("\n")
}
