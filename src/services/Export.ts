/** Everything of a scope or of the server, as it is stored, in pages that a Worker can hold. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type ExportCursor, type ExportKind, exportKinds, type ExportPage, wholeOnly } from "../domain/Export.ts"
import { Database, type Row } from "../sql/Database.ts"
import * as Dump from "../sql/Dump.ts"
import type { Reach } from "../sql/Reach.ts"

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

      const page = Effect.fn("Export.page")(function*(scope: Reach, { cursor, limit = 200, secrets }: Look) {
        const kinds = exportKinds.filter((kind) =>
          !wholeOnly.includes(kind) || (scope === undefined && (kind !== "api_keys" || secrets))
        )
        const [kind, after] = cursor ?? [kinds[0]!, []]
        // A kind that is out of reach comes after all that are within it.
        if (!kinds.includes(kind)) return { scope: scope ?? null, records: [], next_cursor: null }
        const [seen = []] = yield* batch([dump.look(kind, after, scope, limit, secrets)])
        let bytes = 0
        const first = seen.findIndex((row) => (bytes += Number(row.bytes)) > MaxBytes)
        const taken = (first === -1 ? seen : seen.slice(0, Math.max(1, first))).map((row) => String(row.key))
        const answers = taken.length === 0 ? [] : yield* batch(dump.read(kind, `[${taken.join()}]`, scope))
        const [rows, edges, history = []] = answers
        const records = [
          ...from(kind, rows, Dump.beside(kind)),
          ...from("dependencies", edges),
          ...from("history", own(history, scope))
        ]
        const last = taken.at(-1)
        const next: ExportKind | undefined = last === undefined ? kinds[kinds.indexOf(kind) + 1] : kind
        return {
          scope: scope ?? null,
          records,
          next_cursor: next === undefined ? null : `["${next}",${last ?? "[]"}]`
        }
      })

      return Export.of({ page })
    })
  )
}
