/** Reading whole tables by their keys: first which records a page has, and how long they are, and then those. */
import type * as D1Client from "@effect/sql-d1/D1Client"
import type { Fragment, Statement } from "effect/sql/Statement"
import type { ExportKind } from "../domain/Export.ts"
import { type Reach, within } from "./Reach.ts"

interface Table {
  readonly key: ReadonlyArray<string>
  /** The columns that may be long. */
  readonly long?: ReadonlyArray<string>
  /** A column that only this server knows: the order of arrival, which the lines have. */
  readonly without?: string
}

const tables: Readonly<Record<Exclude<ExportKind, "tasks">, Table>> = {
  flows: { key: ["scope", "name"], long: ["states", "transitions", "rules"] },
  roles: { key: ["scope", "name"] },
  projects: { key: ["id"], long: ["description"] },
  orchestrators: { key: ["id", "scope"] },
  drafts: { key: ["id"] },
  messages: { key: ["seq"], long: ["content"], without: "seq" },
  actions: { key: ["seq"], long: ["metadata", "action_data", "result"], without: "seq" },
  idempotency_keys: { key: ["id"], long: ["answer"] },
  api_keys: { key: ["hash"] }
}

// What an entry of history is taken for, in characters.
const LengthOfEntry = 500

const longOfTasks = ["content", "execution_notes", "check_results", "metadata", "hooks", "checkpoint", "setbacks"]

/** What a row has that is not stored, or means nothing elsewhere. */
export const beside = (kind: ExportKind): ReadonlyArray<string> =>
  kind === "tasks" ? ["fencing_token", "lane"] : [tables[kind].without ?? ""]

export const make = (sql: D1Client.D1Client) => {
  const columns = (names: ReadonlyArray<string>): Fragment => sql.csv(names.map((name) => sql`${sql(name)}`))
  const length = (names: ReadonlyArray<string>): Fragment =>
    names.map((name) => sql`coalesce(length(${sql(name)}), 0)`).reduce((sum, one) => sql`${sum} + ${one}`, sql`0`)
  // The `+` has SQLite find records by their keys, past what belongs to others, and not go through a scope for each page.
  const reach = (kind: ExportKind, scope: Reach) =>
    scope === undefined || kind === "idempotency_keys"
      ? sql`1`
      : kind === "flows" || kind === "roles"
      ? within(sql, scope)
      : sql`+scope = ${scope}`

  // An API key is the hash of a salt and of the `Idempotency-Key` it was issued under, which may be guessed.
  const saltless = sql`AND answer ->> '$[0].salt' IS NULL`

  /** The keys of the next records, as JSON lists, in order, and the length of each. */
  const look = (
    kind: ExportKind,
    after: ReadonlyArray<string | number>,
    scope: Reach,
    limit: number,
    secrets: boolean
  ): Statement<any> => {
    if (kind === "tasks") {
      // What was deleted as well: its counters go on in what is created under its id again. A row of history counts as long.
      const first = after[0] ?? ""
      return sql`
        SELECT json_array(id) AS key, max(length) AS length FROM (
          SELECT * FROM (
            SELECT id, version * ${LengthOfEntry} + ${length(longOfTasks)} AS length FROM tasks
            WHERE id > ${first} AND ${reach(kind, scope)} ORDER BY id LIMIT ${limit})
          UNION ALL SELECT * FROM (
            SELECT task_id, max(version) * ${LengthOfEntry} FROM history INDEXED BY history_deleted
            WHERE to_queue IS NULL AND task_id > ${first} AND ${reach(kind, scope)}
            GROUP BY task_id ORDER BY task_id LIMIT ${limit}))
        GROUP BY id ORDER BY id LIMIT ${limit}`
    }
    const { key, long = [] } = tables[kind]
    const begin = after.length === 0
      ? sql`1`
      : sql`(${columns(key)}) > (${sql.csv(after.map((value) => sql`${value}`))})`
    return sql`
      SELECT json_array(${columns(key)}) AS key, ${length(long)} AS length FROM ${sql(kind)}
      WHERE ${begin} AND ${reach(kind, scope)} ${kind === "idempotency_keys" && !secrets ? saltless : sql``} ORDER BY ${
      columns(key)
    } LIMIT ${limit}`
  }

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

  return { look, read }
}
