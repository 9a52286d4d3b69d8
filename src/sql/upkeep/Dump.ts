/** Reading whole tables by their keys: first which records a page has, and how long they are, and then those. */
import type * as D1Client from "@effect/sql-d1/D1Client"
import type { Fragment, Statement } from "effect/sql/Statement"
import type { ExportKind } from "../../domain/transfer/Export.ts"
import { longTextsOfTasks } from "../Columns.ts"
import { type Reach, within } from "../Reach.ts"

interface Table {
  readonly key: ReadonlyArray<string>
  /** The columns that callers write. */
  readonly texts: ReadonlyArray<string>
  /** A column that only this server knows: the order of arrival, which the lines have. */
  readonly without?: string
}

const tables: Readonly<Record<Exclude<ExportKind, "tasks">, Table>> = {
  flows: { key: ["scope", "name"], texts: ["description", "states", "transitions", "child_flow", "rules"] },
  roles: { key: ["scope", "name"], texts: ["description"] },
  projects: {
    key: ["id"],
    texts: ["title", "description", "status", "branch", "base_branch", "flow", "pr_url", "created_by"]
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
  idempotency_keys: { key: ["id"], texts: ["answer"] },
  api_keys: { key: ["hash"], texts: ["name", "created_by"] }
}

// What a record, a task and an entry of history are taken for besides their texts: names, numbers and punctuation.
const BytesOfRecord = 500
const BytesOfTask = 2000
const BytesOfEntry = 300

// How many entries of a long history a page has at most: together they may be a tenth of a page.
const MaxEntries = 1000

/** What a row has that is not stored, or means nothing elsewhere. */
export const beside = (kind: ExportKind): ReadonlyArray<string> =>
  kind === "tasks" ? ["fencing_token", "lane", "bytes"] : [tables[kind].without ?? ""]

export const make = (sql: D1Client.D1Client) => {
  const columns = (names: ReadonlyArray<string>): Fragment => sql.csv(names.map((name) => sql`${sql(name)}`))
  const bytesOf = (names: ReadonlyArray<string>, besides: number): Fragment =>
    names.reduce(
      (sum, name) => sql`${sum} + coalesce(octet_length(${sql(name)}), 0)`,
      sql`${sql.literal(String(besides))}`
    )
  // The `+` has SQLite find records by their keys, past what belongs to others, and not go through a scope for each page.
  const reach = (kind: ExportKind, scope: Reach) =>
    scope === undefined || kind === "idempotency_keys"
      ? sql`1`
      : kind === "flows" || kind === "roles"
      ? within(sql, scope)
      : sql`+scope = ${scope}`

  // An API key is the hash of a salt and of the `Idempotency-Key` it was issued under, which may be guessed.
  const saltless = sql`AND answer ->> '$[0].salt' IS NULL`

  /** The keys of the next records, as JSON lists, in order, and how many bytes each has. */
  const look = (
    kind: ExportKind,
    after: ReadonlyArray<string | number>,
    scope: Reach,
    limit: number,
    secrets: boolean
  ): Statement<any> => {
    if (kind === "tasks") {
      // What was deleted as well: its counters go on in what is created under its id again.
      const first = after[0] ?? ""
      return sql`
        SELECT json_array(id) AS key, max(bytes) + coalesce((
          SELECT sum(${bytesOf(["actor", "reason", "details"], BytesOfEntry)}) FROM history WHERE task_id = found.id
        ), 0) AS bytes
        FROM (
          SELECT * FROM (
            SELECT id, ${bytesOf(longTextsOfTasks, BytesOfTask)} AS bytes FROM tasks
            WHERE id > ${first} AND ${reach(kind, scope)} ORDER BY id LIMIT ${limit})
          UNION ALL SELECT * FROM (
            SELECT task_id, 0 FROM history INDEXED BY history_deleted
            WHERE to_queue IS NULL AND task_id > ${first} AND ${reach(kind, scope)}
            GROUP BY task_id ORDER BY task_id LIMIT ${limit})) AS found
        GROUP BY id ORDER BY id LIMIT ${limit}`
    }
    const { key, texts } = tables[kind]
    const begin = after.length === 0
      ? sql`1`
      : sql`(${columns(key)}) > (${sql.csv(after.map((value) => sql`${value}`))})`
    return sql`
      SELECT json_array(${columns(key)}) AS key, ${bytesOf(texts, BytesOfRecord)} AS bytes FROM ${sql(kind)}
      WHERE ${begin} AND ${reach(kind, scope)} ${kind === "idempotency_keys" && !secrets ? saltless : sql``} ORDER BY ${
      columns(key)
    } LIMIT ${limit}`
  }

  /**
   * The next versions of a task's history, how many bytes each has, and the last of all; until that where it is given. Of the
   * history of an id, the last entries in the scope without others between: what it was to others is theirs.
   */
  const lookInto = (id: string, after: number, until: number | undefined, scope: Reach): Statement<any> => {
    const of = sql`FROM history WHERE task_id = ${id}`
    const other = scope === undefined ? sql`0` : sql`scope <> ${scope}`
    return sql`
      WITH own AS MATERIALIZED (
        SELECT max(version) AS last ${of} AND version <= ${until ?? Number.MAX_SAFE_INTEGER} AND ${within(sql, scope)})
      SELECT version, ${bytesOf(["actor", "reason", "details"], BytesOfEntry)} AS bytes, last
      FROM own CROSS JOIN history
      WHERE task_id = ${id} AND version <= last AND version > max(${after}, coalesce((
        SELECT max(version) ${of} AND version < last AND ${other}), 0))
      ORDER BY version LIMIT ${MaxEntries}`
  }

  const entries = (id: string, first: number, last: number): Statement<any> =>
    sql`SELECT * FROM history WHERE task_id = ${id} AND version BETWEEN ${first} AND ${last} ORDER BY version`

  /** The records with these keys, a JSON list. A task's come with its edges and all its history, of every scope. */
  const read = (kind: ExportKind, keys: string, scope: Reach): ReadonlyArray<Statement<any>> => {
    if (kind === "tasks") {
      const ids = sql`(SELECT value ->> 0 FROM json_each(${keys}))`
      return [
        sql`SELECT * FROM tasks WHERE id IN ${ids} AND ${reach(kind, scope)} ORDER BY id`,
        sql`
          SELECT * FROM dependencies WHERE task_id IN ${ids} AND ${reach(kind, scope)}
          ORDER BY task_id, blocker_key, blocker_id`,
        sql`SELECT * FROM history WHERE task_id IN ${ids} ORDER BY task_id, version`
      ]
    }
    const { key } = tables[kind]
    const values = sql.csv(key.map((_, i) => sql.literal(`value ->> ${i}`)))
    return [sql`
      SELECT * FROM ${sql(kind)} WHERE (${columns(key)}) IN (SELECT ${values} FROM json_each(${keys}))
        AND ${reach(kind, scope)} ORDER BY ${columns(key)}`]
  }

  return { entries, look, lookInto, read }
}
