/** Everything of a scope or of the server, as it is stored, in pages that a Worker can hold. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { MaxPageBytes } from "../../domain/Page.ts"
import { bytesOf } from "../../domain/Size.ts"
import {
  type ExportCursor,
  type ExportKind,
  exportKinds,
  type ExportPage,
  wholeOnly
} from "../../domain/transfer/Export.ts"
import { Database, type Row } from "../../sql/Database.ts"
import type { Reach } from "../../sql/Reach.ts"
import * as Dump from "../../sql/upkeep/Dump.ts"

interface Look {
  readonly cursor?: ExportCursor
  /** How many records a page holds. */
  readonly limit?: number
  /** Whether what may lead to an API key is exported too: the hashes of keys, and the salts they are told again with. */
  readonly secrets: boolean
}

// Bytes of records on a page, unless the first one alone has more. A Worker has 128 MB for all it does.
const MaxBytes = 2_000_000

type Records = ExportPage["records"]

const from = (
  kind: Records[number]["kind"],
  rows: ReadonlyArray<Row> = [],
  beside: ReadonlyArray<string> = []
): Records =>
  rows.map((row) => ({
    kind,
    record: Object.fromEntries(Object.entries(row).filter(([column]) => !beside.includes(column)))
  }))

/** As many of the first rows as fit, of those that say how many bytes they have. */
const fitting = (rows: ReadonlyArray<Row>, most: number): ReadonlyArray<Row> => {
  let bytes = 0
  const first = rows.findIndex((row) => (bytes += Number(row.bytes)) > most)
  return first === -1 ? rows : rows.slice(0, first)
}

/** Of the history of an id, the last stay in the scope: what it was to others is theirs. */
const own = (history: ReadonlyArray<Row>, scope: Reach): ReadonlyArray<Row> => {
  if (scope === undefined) return history
  const last = new Map<unknown, Array<Row>>()
  let before: Row | undefined
  for (const row of history) {
    if (row.scope === scope) {
      if (before?.task_id !== row.task_id || before?.scope !== scope) last.set(row.task_id, [])
      last.get(row.task_id)!.push(row)
    }
    before = row
  }
  return [...last.values()].flat()
}

export class Export extends Context.Service<Export, {
  /** One page of what is within reach. Whoever reaches every scope gets what belongs to none as well. */
  readonly page: (scope: Reach, look: Look) => Effect.Effect<ExportPage>
}>()("octopoid-server/services/Export") {
  static readonly layer = Layer.effect(
    Export,
    Effect.gen(function*() {
      const { batch, sql } = yield* Database
      const dump = Dump.make(sql)

      /** The records with these keys, or the first of them: text may be six times as long in JSON as it is stored. */
      const read = Effect.fnUntraced(function*(kind: ExportKind, keys: ReadonlyArray<string>, scope: Reach) {
        for (let taken = keys;; taken = taken.slice(0, Math.ceil(taken.length / 2))) {
          const [rows, edges, history = []] = taken.length === 0
            ? []
            : yield* batch(dump.read(kind, `[${taken.join()}]`, scope))
          const records = [
            ...from(kind, rows, Dump.beside(kind)),
            ...from("dependencies", edges),
            ...from("history", own(history, scope))
          ]
          if (taken.length < 2 || bytesOf(JSON.stringify(records)) <= MaxPageBytes) {
            return { records, last: taken.at(-1) }
          }
        }
      })

      /** A task whose history alone fills pages, or the next part of that. */
      const long = Effect.fnUntraced(function*(id: string, scope: Reach, reached?: readonly [number, number]) {
        const [after, until] = reached ?? [0]
        const [seen = [], rows, edges] = yield* batch([
          dump.lookInto(id, after, until, scope),
          ...(reached === undefined ? dump.read("tasks", JSON.stringify([[id]]), scope).slice(0, 2) : [])
        ])
        const task = [...from("tasks", rows, Dump.beside("tasks")), ...from("dependencies", edges)]
        const fits = fitting(seen, MaxBytes - bytesOf(JSON.stringify(task)))
        const taken = fits.length === 0 && reached !== undefined ? seen.slice(0, 1) : fits
        const last = Number(taken.at(-1)?.version ?? after)
        const [history] = taken.length === 0 ? [] : yield* batch([dump.entries(id, Number(taken[0]!.version), last)])
        const end = Number(seen[0]?.last ?? last)
        return {
          records: [...task, ...from("history", history)],
          last: JSON.stringify(last === end ? [id] : [id, last, end])
        }
      })

      const page = Effect.fn("Export.page")(function*(scope: Reach, { cursor, limit = 200, secrets }: Look) {
        const kinds = exportKinds.filter((kind) =>
          !wholeOnly.includes(kind) || (scope === undefined && (kind !== "api_keys" || secrets))
        )
        const [kind, after] = cursor ?? [kinds[0]!, []]
        // A kind that is out of reach comes after all that are within it.
        if (!kinds.includes(kind)) return { scope: scope ?? null, records: [], next_cursor: null }
        const next = Effect.fnUntraced(function*() {
          if (kind === "tasks" && after.length === 3) {
            return yield* long(String(after[0]), scope, [Number(after[1]), Number(after[2])])
          }
          const [seen = []] = yield* batch([dump.look(kind, after, scope, limit, secrets)])
          const fits = fitting(seen, MaxBytes)
          if (kind === "tasks" && fits.length === 0 && seen[0] !== undefined) {
            return yield* long(JSON.parse(String(seen[0].key))[0], scope)
          }
          const taken = fits.length === 0 ? seen.slice(0, 1) : fits
          return yield* read(kind, taken.map((row) => String(row.key)), scope)
        })
        const { last, records } = yield* next()
        const following: ExportKind | undefined = last === undefined ? kinds[kinds.indexOf(kind) + 1] : kind
        return {
          scope: scope ?? null,
          records,
          next_cursor: following === undefined ? null : `["${following}",${last ?? "[]"}]`
        }
      })

      return Export.of({ page })
    })
  )
}
