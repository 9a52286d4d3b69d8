/**
 * The records of a scope or the server as they are stored, in pages that fit into a Worker. A page is read in two
 * steps: first the keys and sizes of the records, then the records.
 */
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
import type { Row } from "../../sql/Batch.ts"
import { bytesOfTask } from "../../sql/Columns.ts"
import { Database } from "../../sql/Database.ts"
import { inScope, type Reach } from "../../sql/Reach.ts"
import { statement, type Values, variants } from "../../sql/Statement.ts"

interface Look {
  readonly cursor?: ExportCursor
  /** How many records a page holds. */
  readonly limit?: number
  /** Whether the export has what may lead to an API key: the hashes of keys, and the salts of kept answers. */
  readonly secrets: boolean
}

// How many bytes of records a page has, unless its first record is larger. A Worker has 128 MB for everything.
const MaxBytes = 2_000_000

// About how many bytes a record, a task and a history entry have besides their texts: names, numbers and punctuation.
const BytesOfRecord = 500
const BytesOfTask = 2000
const BytesOfEntry = 300

// How many entries of a long history a page has at most. Together they may be a tenth of a page.
const MaxEntries = 1000

interface Table {
  readonly key: ReadonlyArray<string>
  /** The columns that callers write. */
  readonly texts: ReadonlyArray<string>
  /** A column that is left out: the order of arrival, which the lines of the export show. */
  readonly without?: string
}

const tables: Readonly<Record<Exclude<ExportKind, "tasks">, Table>> = {
  flows: { key: ["scope", "name"], texts: ["description", "states", "transitions", "child_flow", "rules"] },
  roles: { key: ["scope", "name"], texts: ["description"] },
  projects: {
    key: ["id"],
    texts: [
      "title",
      "description",
      "status",
      "branch",
      "base_branch",
      "flow",
      "pr_url",
      "created_by",
      "evidence_required"
    ]
  },
  orchestrators: {
    key: ["id", "scope"],
    texts: ["cluster", "machine_id", "hostname", "repo_url", "version", "capabilities"]
  },
  drafts: {
    key: ["id"],
    texts: [
      "slug",
      "title",
      "status",
      "author",
      "domain",
      "file_path",
      "linked_task_id",
      "linked_project_id",
      "tags"
    ]
  },
  messages: {
    key: ["seq"],
    texts: ["task_id", "from_actor", "to_actor", "type", "content"],
    without: "seq"
  },
  actions: {
    key: ["seq"],
    texts: [
      "entity_type",
      "entity_id",
      "action_type",
      "label",
      "description",
      "proposed_by",
      "metadata",
      "action_data",
      "result"
    ],
    without: "seq"
  },
  usage: { key: ["scope", "day"], texts: ["models"] },
  usage_caps: { key: ["scope"], texts: [] },
  idempotency_keys: { key: ["id"], texts: ["answer"] },
  api_keys: { key: ["hash"], texts: ["name", "created_by"] }
}

// Changes of breakers are in history under ids that no task has (`sql/record/Breakers.ts`).
const BeforeTasks = "\u001f\u{10ffff}"

/** The columns that are computed or left out. */
const beside = (kind: ExportKind): ReadonlyArray<string> =>
  kind === "tasks"
    ? ["fencing_token", "lane", "bytes", "capped", "waiting_for_reply", "by_project", "project_key"]
    : kind === "projects" || kind === "usage"
    ? ["capped"]
    : [tables[kind].without ?? ""]

const bytesOfTexts = (names: ReadonlyArray<string>, besides: number): string =>
  [besides, ...names.map((name) => `coalesce(octet_length(${name}), 0)`)].join(" + ")

const bytesOfEntry = bytesOfTexts(["actor", "reason", "details", "title"], BytesOfEntry)

// The `+` makes SQLite find records by their keys and not by their scope.
const inReach = "(:scope IS NULL OR +scope = :scope)"

// An API key is the hash of a salt and an idempotency key, which could be guessed. So salts are left out.
const saltless = "answer ->> '$[0].salt' IS NULL"

type Kind = Exclude<ExportKind, "tasks">

const reachOf = (kind: Kind): string =>
  kind === "idempotency_keys" ? "1" : ["flows", "roles", "usage", "usage_caps"].includes(kind) ? inScope : inReach

/** The keys of the next records as JSON lists, in order, and the size of each record in bytes. */
const look = variants((kind: Kind, next: boolean, secrets: boolean) => {
  const { key, texts } = tables[kind]
  const columns = key.join(", ")
  return statement(`
    SELECT json_array(${columns}) AS key, ${bytesOfTexts(texts, BytesOfRecord)} AS bytes FROM ${kind}
    WHERE ${reachOf(kind)} ${next ? `AND (${columns}) > (${key.map((_, place) => `:after_${place}`).join(", ")})` : ""}
      ${kind === "idempotency_keys" && !secrets ? `AND ${saltless}` : ""}
    ORDER BY ${columns} LIMIT :limit`)
})

// Includes deleted tasks: a new task with the same id continues their counts.
const lookAtTasks = statement(`
  SELECT json_array(id) AS key, max(bytes) + coalesce((
    SELECT sum(${bytesOfEntry}) FROM history WHERE task_id = found.id), 0) AS bytes
  FROM (
    SELECT * FROM (
      SELECT id, ${BytesOfTask} + ${bytesOfTask} AS bytes FROM tasks
      WHERE id > :after AND ${inReach} ORDER BY id LIMIT :limit)
    UNION ALL SELECT * FROM (
      SELECT task_id, 0 FROM history INDEXED BY history_deleted
      WHERE to_queue IS NULL AND task_id > :after AND ${inReach}
      GROUP BY task_id ORDER BY task_id LIMIT :limit)) AS found
  GROUP BY id ORDER BY id LIMIT :limit`)

/**
 * The next versions of a task's history up to `:until`, their sizes in bytes, and the last version of all. An id may
 * have been used in several scopes: its history in this scope is the latest run of entries without entries of others.
 */
const lookInto = statement(`
  WITH own AS MATERIALIZED (
    SELECT max(version) AS last FROM history
    WHERE task_id = :id AND version <= coalesce(:until, ${Number.MAX_SAFE_INTEGER}) AND ${inScope})
  SELECT version, ${bytesOfEntry} AS bytes, last FROM own CROSS JOIN history
  WHERE task_id = :id AND version <= last AND version > max(:after, coalesce((
    SELECT max(version) FROM history WHERE task_id = :id AND version < last AND scope <> :scope), 0))
  ORDER BY version LIMIT ${MaxEntries}`)

const entries = statement(
  "SELECT * FROM history WHERE task_id = :id AND version BETWEEN :first AND :last ORDER BY version"
)

/** The records with these keys. */
const records = variants((kind: Kind) => {
  const { key } = tables[kind]
  const columns = key.join(", ")
  return statement(`
    SELECT * FROM ${kind} WHERE (${columns}) IN (
        SELECT ${key.map((_, place) => `value ->> ${place}`).join(", ")} FROM json_each(:keys))
      AND ${reachOf(kind)} ORDER BY ${columns}`)
})

const ids = "(SELECT value ->> 0 FROM json_each(:keys))"

const tasks = statement(`SELECT * FROM tasks WHERE id IN ${ids} AND ${inReach} ORDER BY id`)

const dependencies = statement(`
  SELECT * FROM dependencies WHERE task_id IN ${ids} AND ${inReach} ORDER BY task_id, blocker_key, blocker_id`)

/** The whole history of tasks, in every scope. */
const histories = statement(`SELECT * FROM history WHERE task_id IN ${ids} ORDER BY task_id, version`)

type Records = ExportPage["records"]

const from = (
  kind: Records[number]["kind"],
  rows: ReadonlyArray<Row>,
  beside: ReadonlyArray<string> = []
): Records =>
  rows.map((row) => ({
    kind,
    record: Object.fromEntries(Object.entries(row).filter(([column]) => !beside.includes(column)))
  }))

/** The first rows that fit. Each row has its size in bytes. */
const fitting = (rows: ReadonlyArray<Row>, most: number): ReadonlyArray<Row> => {
  let bytes = 0
  const first = rows.findIndex((row) => (bytes += Number(row.bytes)) > most)
  return first === -1 ? rows : rows.slice(0, first)
}

/** The latest run of entries in the scope: entries of the id before that belong to other scopes. */
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
  /** A page of the records within reach. If all scopes are, it includes records that belong to no scope. */
  readonly page: (scope: Reach, look: Look) => Effect.Effect<ExportPage>
}>()("octopoid-server/services/Export") {
  static readonly layer = Layer.effect(
    Export,
    Effect.gen(function*() {
      const { batch } = yield* Database

      /** The records with these keys, or the first of them: text may be six times as long in JSON as it is stored. */
      const read = Effect.fnUntraced(function*(kind: ExportKind, keys: ReadonlyArray<string>, scope: Reach) {
        if (keys.length === 0) return { records: [], last: undefined }
        for (let taken = keys;; taken = taken.slice(0, Math.ceil(taken.length / 2))) {
          const values: Values = { keys: `[${taken.join()}]`, scope: scope ?? null }
          const ofTask = kind === "tasks"
          const { edges, history, rows } = yield* batch({
            rows: kind === "tasks" ? tasks(values) : records(kind)(values),
            edges: ofTask ? dependencies(values) : undefined,
            history: ofTask ? histories(values) : undefined
          })
          const all = [
            ...from(kind, rows, beside(kind)),
            ...from("dependencies", edges),
            ...from("history", own(history, scope))
          ]
          if (taken.length < 2 || bytesOf(JSON.stringify(all)) <= MaxPageBytes) {
            return { records: all, last: taken.at(-1) }
          }
        }
      })

      /** A task whose history fills pages, or the next part of that history. */
      const long = Effect.fnUntraced(function*(id: string, scope: Reach, reached?: readonly [number, number]) {
        const [after, until = null] = reached ?? [0]
        const values: Values = { id, after, until, scope: scope ?? null, keys: JSON.stringify([[id]]) }
        const first = reached === undefined
        const { edges, rows, seen } = yield* batch({
          seen: lookInto(values),
          rows: first ? tasks(values) : undefined,
          edges: first ? dependencies(values) : undefined
        })
        const task = [...from("tasks", rows, beside("tasks")), ...from("dependencies", edges)]
        const fits = fitting(seen, MaxBytes - bytesOf(JSON.stringify(task)))
        const taken = fits.length === 0 && !first ? seen.slice(0, 1) : fits
        const last = Number(taken.at(-1)?.version ?? after)
        const history = taken.length === 0
          ? []
          : (yield* batch({ entries: entries({ id, first: Number(taken[0]!.version), last }) })).entries
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
        // Kinds within reach come before kinds out of reach.
        if (!kinds.includes(kind)) return { scope: scope ?? null, records: [], next_cursor: null }
        const next = Effect.fnUntraced(function*() {
          if (kind === "tasks" && after.length === 3) {
            return yield* long(String(after[0]), scope, [Number(after[1]), Number(after[2])])
          }
          const { seen } = yield* batch({
            seen: kind === "tasks"
              ? lookAtTasks({ after: after[0] ?? BeforeTasks, scope: scope ?? null, limit })
              : look(kind, after.length > 0, secrets)({
                ...Object.fromEntries(after.map((value, place) => [`after_${place}`, value])),
                scope: scope ?? null,
                limit
              })
          })
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
