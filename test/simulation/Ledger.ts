/** What the run remembers of the database, so that it sees what each batch changed and notices losses. */
import type { DatabaseSync } from "node:sqlite"
import { ensure } from "./Violation.ts"

export interface Row {
  readonly id: string
  readonly scope: string
  readonly project_id: string | null
  readonly queue: string
  readonly version: number
  readonly priority_rank: number
  readonly role: string | null
  readonly created_at: number
  readonly blocked_by: string | null
  readonly claimed_by: string | null
  readonly claimed_at: number | null
  readonly lease_expires_at: number | null
  readonly grants: number
  readonly lapsed_token: number | null
  readonly available_at: number | null
  readonly failure_reason: string | null
  readonly cancel_reason: string | null
  readonly checkpoint: string | null
  readonly cancel_requested_at: number | null
  readonly deadline_at: number | null
  readonly attempt_count: number
  readonly lease_losses: number
  readonly rejection_count: number
  readonly waiting_for_reply: string | null
  readonly max_attempts: number | null
  readonly max_lease_losses: number | null
  readonly input_tokens: number
}

export interface Entry {
  readonly task_id: string
  readonly version: number
  readonly scope: string
  readonly event: string
  readonly from_queue: string | null
  readonly to_queue: string | null
  readonly actor: string | null
  readonly reason: string | null
  readonly details: string | null
  readonly grants: number
  readonly at: number
}

export interface Edge {
  readonly task_id: string
  readonly blocker_id: string
  readonly on_failure: string
  readonly satisfied_at: number | null
  readonly scope: string
}

/** One batch, as it changed the tasks. */
export interface Commit {
  readonly now: number
  readonly before: ReadonlyMap<string, Row>
  readonly after: ReadonlyMap<string, Row>
  /** The history that was written, by task, oldest first. */
  readonly entries: ReadonlyMap<string, ReadonlyArray<Entry>>
  readonly edges: ReadonlyArray<Edge>
}

/** What may change without a new version: the end of a lease, its checkpoint, its session, and what was used. */
const renewable = new Set([
  "lease_expires_at",
  "checkpoint",
  "head_commit",
  "session_url",
  "session_token",
  "cost_usd",
  "input_tokens"
])

const tokenOf = ({ claimed_by, grants, lapsed_token }: Row) => claimed_by === null ? lapsed_token : grants

export { tokenOf }

/** The history of tasks. That of breakers is under names that no task has. */
export const ofTasks = "task_id >= ' '"

/** `databases` are those that `raw` shows. */
export const make = (raw: DatabaseSync, databases: ReadonlyArray<DatabaseSync>) => {
  const totals = databases.map((database) => database.prepare("SELECT total_changes() AS changes"))
  const columns = raw.prepare("SELECT name FROM pragma_table_info('tasks')").all().map(({ name }) => `"${name}"`)
  // Most batches change one row or none: only those that differ are read.
  const prints = raw.prepare(`SELECT id, json_array(${columns.join()}) AS print FROM tasks`)
  const task = raw.prepare("SELECT * FROM tasks WHERE id = ?")
  const history = raw.prepare(`SELECT count(*) AS n FROM history WHERE ${ofTasks}`)
  const since = raw.prepare("SELECT * FROM history WHERE task_id = ? AND version > ? ORDER BY version")
  const dependencies = raw.prepare("SELECT * FROM dependencies ORDER BY task_id, position")
  let rows: ReadonlyMap<string, Row> = new Map()
  let known = new Map<unknown, unknown>()
  /** Everything that was ever recorded, as it was: by task, in order of its versions. */
  const recorded = new Map<string, Array<Entry>>()
  let entriesSoFar = 0
  let changes = -1

  /** What has changed since the last look; undefined if nothing has. */
  const look = (now: number): Commit | undefined => {
    const total = totals.reduce((sum, changes) => sum + Number(changes.get()!.changes), 0)
    if (total === changes) return undefined
    changes = total
    const before = rows
    const after = new Map<string, Row>()
    const present = new Map<unknown, unknown>()
    const differing = new Set<string>()
    for (const { id, print } of prints.all() as ReadonlyArray<any>) {
      present.set(id, print)
      if (known.get(id) !== print) differing.add(id)
      after.set(id, differing.has(id) ? task.get(id) as unknown as Row : before.get(id)!)
    }
    for (const id of before.keys()) if (!after.has(id)) differing.add(id)
    known = present
    const entries = new Map<string, ReadonlyArray<Entry>>()
    for (const id of differing) {
      const [was, is] = [before.get(id), after.get(id)]
      if (was?.version === is?.version) {
        for (const [column, value] of Object.entries(was!)) {
          ensure(
            renewable.has(column) || value === is![column as keyof Row],
            () =>
              `${id}: ${column} changed from ${value} to ${is![column as keyof Row]} and the version stayed ${
                is!.version
              }`
          )
        }
        continue
      }
      const past = recorded.get(id) ?? []
      const written = since.all(id, past.length) as unknown as ReadonlyArray<Entry>
      const version = is?.version ?? was!.version + 1
      ensure(
        written.every((entry, i) => entry.version === past.length + 1 + i) && past.length + written.length === version,
        () =>
          `${id} is at version ${version}, and history was written for ${
            written.map((one) => one.version)
          } after ${past.length}`
      )
      const all = [...past, ...written]
      ensure(
        all.slice(-written.length).every(({ grants }, i) => grants >= (all[past.length + i - 1]?.grants ?? 0)),
        () => `${id}: history says that fewer leases were granted than before`
      )
      recorded.set(id, all)
      entriesSoFar += written.length
      entries.set(id, written)
    }
    const stored = Number(history.get()!.n)
    ensure(
      stored === entriesSoFar,
      () => `history holds ${stored} entries, and ${entriesSoFar} were written for changes`
    )
    rows = after
    return { now, before, after, entries, edges: dependencies.all() as unknown as ReadonlyArray<Edge> }
  }

  return { look, rows: () => rows, recorded }
}

export type Ledger = ReturnType<typeof make>
