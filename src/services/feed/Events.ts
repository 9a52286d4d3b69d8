/** Reads the feed of a scope: a page of its changes, after a number or since a time. */
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import {
  DefaultEvents,
  type EventPage,
  type EventQuery,
  EventRow,
  eventTypes,
  InvalidPlace,
  UnknownEventType
} from "../../domain/feed/Event.ts"
import type { ScopeName } from "../../domain/Identifier.ts"
import { MaxLimit, MaxPageBytes } from "../../domain/Page.ts"
import type { Row } from "../../sql/Batch.ts"
import { Database } from "../../sql/Database.ts"
import * as Conditional from "../../sql/page/Conditional.ts"
import * as PageBytes from "../../sql/page/PageBytes.ts"
import { statement, type Values, variants } from "../../sql/Statement.ts"

/** How many changes a page with filters looks at. D1 bills each of them. */
const Looked = MaxLimit

/**
 * How much older than its place in the feed a change may be, in milliseconds: requests wait for D1 at most half a
 * minute.
 */
const Late = 60_000

const long = ["title", "actor", "reason", "details"]
const columns = Object.keys(EventRow.fields)

/** A column of an entry. An entry that is not about a task has an id that no task has (`sql/record/Breakers.ts`). */
export const columnOf = (name: string): string =>
  name === "task_id" || name === "version" ? `iif(entry.task_id < ' ', NULL, entry.${name})` : `entry.${name}`

// D1 bills a row for each lookup in a list, and none for a function.
const matching = `(:types IS NULL OR instr(:types, '"' || entry.event || '"') > 0)
  AND (:task_id IS NULL OR entry.task_id = :task_id) AND (:project_id IS NULL OR entry.project_id IS :project_id)`

/**
 * A page: the newest number of the scope (`latest`) with each change, or alone if nothing is new. That is decided
 * before history is read, so it costs one row. With filters, other changes are rows without their texts.
 */
const pages = variants((filtered: boolean) => {
  const shown = columns.map((name) =>
    filtered && long.includes(name)
      ? `iif(${matching}, entry.${name}, NULL) AS ${name}`
      : `${columnOf(name)} AS ${name}`
  )
  return PageBytes.pagesOf(
    { columns: ["latest", "matches", ...columns], long },
    `
    SELECT counter.seq AS latest, ${filtered ? matching : "1"} AS matches, ${shown.join(", ")}
    FROM queue_counts AS counter LEFT JOIN history AS entry INDEXED BY history_feed
      ON entry.scope = iif(counter.seq > :after, counter.scope, NULL) AND entry.seq > :after
    WHERE counter.scope = :scope ORDER BY entry.seq LIMIT :take`
  )
})

const newest = statement("SELECT coalesce(max(seq), 0) AS revision FROM queue_counts WHERE scope = :scope")

/**
 * The number of the last change before a time, by a binary search: each step asks whether the first change from a
 * number on is older. Numbers stay below 2^42: those of a restored database go on from the time in milliseconds.
 */
const before = statement(`
  WITH RECURSIVE search (place, step) AS (
    SELECT 0, 1 << 41
    UNION ALL SELECT place + step * coalesce((
      SELECT at < :since FROM history INDEXED BY history_feed
      WHERE scope = :scope AND seq >= place + step ORDER BY seq LIMIT 1), 0), step / 2
    FROM search WHERE step > 0)
  SELECT place FROM search WHERE step = 0`)

const decode = Schema.decodeUnknownEffect(Schema.Array(EventRow))

const fits = (row: Row, place: number) =>
  place === 0 || row.page_bytes === undefined || Number(row.page_bytes) <= MaxPageBytes

/** The page that these rows make, and where the next one begins. */
const cut = (found: ReadonlyArray<Row>, after: number, bound: number, limit: number) => {
  const latest = Number(found[0]?.latest ?? 0)
  const entries = found.filter(({ seq }) => seq != null)
  const fitting = entries.filter(fits).slice(0, bound)
  const matches = fitting.filter((row) => row.matches === 1)
  const looked = matches.length > limit ? fitting.slice(0, fitting.indexOf(matches[limit - 1]!) + 1) : fitting
  const next = looked.length < entries.length ? Number(looked.at(-1)?.seq ?? after) : Math.max(latest, after)
  return {
    rows: matches.slice(0, limit),
    latest,
    next,
    // Each number was given to one change, in order.
    gap: next - after !== looked.length
  }
}

export class Events extends Context.Service<Events, {
  /** A page of the scope's changes. The same question gets the same answer until the next change, or retention. */
  readonly page: (
    scope: ScopeName,
    query: EventQuery
  ) => Effect.Effect<EventPage, InvalidPlace | UnknownEventType>
}>()("octopoid-server/services/Events") {
  static readonly layer = Layer.effect(
    Events,
    Effect.gen(function*() {
      const { batch } = yield* Database
      const read = yield* Conditional.make
      const paged = yield* PageBytes.reader

      /** The number that the page begins after; `undefined` is the newest one. */
      const placeOf = Effect.fnUntraced(function*(scope: ScopeName, { after, since }: EventQuery) {
        if (since === undefined) return after === "latest" ? undefined : after ?? 0
        if (after !== undefined) return yield* InvalidPlace.twice()
        const values = { scope, since: DateTime.toEpochMillis(since) - Late }
        const { found: [row] } = yield* batch({ found: before(values) })
        return Number(row?.place ?? 0)
      })

      const page = Effect.fn("Events.page")(function*(scope: ScopeName, query: EventQuery) {
        const { limit = DefaultEvents, project_id = null, task_id = null, types = [] } = query
        const unknown = types.filter((type) => !(eventTypes as ReadonlyArray<string>).includes(type))
        if (unknown.length > 0) return yield* UnknownEventType.of(unknown)
        const after = yield* placeOf(scope, query)
        const question = { name: "events", asked: { scope, ...query, after }, revision: newest({ scope }) }
        if (after === undefined) {
          const { found: [row] } = yield* read({ ...question, shows: ({ found: [row] }) => row }, {
            found: question.revision
          })
          const latest = Number(row?.revision ?? 0)
          return { events: [], after: latest, next: latest, latest, gap: false }
        }
        const filtered = types.length > 0 || project_id !== null || task_id !== null
        const bound = filtered ? Looked : limit
        const values: Values = {
          scope,
          after,
          types: types.length === 0 ? null : JSON.stringify(types),
          task_id,
          project_id
        }
        const { found } = yield* paged({
          page: { after: undefined, columns: [], limit: bound, take: bound + 1 },
          pages: pages(filtered),
          values
        }, (rows) =>
          read({
            ...question,
            // If nothing is new, the number of the newest change determines the answer. Retention may change others.
            shows: ({ rows: [row] }) =>
              row === undefined || row.seq != null || Number(row.latest) !== after
                ? undefined
                : { revision: row.latest }
          }, { rows }))
        const { gap, latest, next, rows } = cut(found, after, bound, limit)
        if (after > latest) return yield* InvalidPlace.beyond(after, scope, latest)
        return { events: yield* Effect.orDie(decode(rows)), after, next, latest, gap }
      })

      return Events.of({ page })
    })
  )
}
