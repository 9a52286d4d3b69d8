/** Reads a scope from the old server, each kind in the order it is to be written in. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { type ImportKind, importKinds } from "../../src/domain/Import.ts"
import { millisOf } from "../../src/domain/Imported.ts"
import { parseBlockers } from "../../src/domain/TaskPatch.ts"
import type { Item, Source } from "./Source.ts"

export interface Contents {
  readonly records: Readonly<Record<ImportKind, ReadonlyArray<Item>>>
  /** What could not be read. */
  readonly missing: ReadonlyArray<{ readonly kind: ImportKind; readonly id: string; readonly error: string }>
  /** What whoever moves should know. */
  readonly notes: ReadonlyArray<string>
}

const by = (field: string) => (a: Item, b: Item) => instantOf(a[field]) - instantOf(b[field])
const instantOf = (value: unknown) => Option.getOrElse(millisOf(String(value)), () => 0)

/** Who waits for a task that is not there: it would wait for ever, here as there. */
const lostBlockers = (tasks: ReadonlyArray<Item>): ReadonlyArray<string> => {
  const ids = new Set(tasks.map(({ id }) => id))
  return tasks.filter(({ queue }) => queue !== "done").flatMap(({ blocked_by, id }) => {
    const lost = parseBlockers(typeof blocked_by === "string" ? blocked_by : null)
      .filter((blocker) => !ids.has(blocker) && !ids.has(blocker.replace(/^TASK-/, "")))
    return lost.length === 0
      ? []
      : [`Task ${String(id)} waits for ${lost.join(", ")}, which the scope has not got. Clear its blocked_by.`]
  })
}

export const read = Effect.fnUntraced(function*(source: Source, scope: string, unscoped: boolean) {
  const missing: Array<Contents["missing"][number]> = []
  const notes: Array<string> = []

  const paged = Effect.fnUntraced(
    function*(kind: ImportKind, orders: ReadonlyArray<Record<string, string>> = [{}, {}]) {
      const { records, total } = yield* source.pages(kind, orders.map((order) => ({ scope, ...order })))
      if (records.length < total) {
        missing.push({ kind, id: "*", error: `${total} were announced and ${records.length} found. Run this again.` })
      }
      return records
    }
  )

  /** The scope's records, and those of no scope, which older clients left behind. */
  const withUnscoped = Effect.fnUntraced(function*(kind: "projects" | "drafts") {
    const own = yield* paged(kind)
    const everything = yield* source.pages(kind, [{}, {}])
    const rest = everything.records.filter((record) => record.scope === null)
    if (unscoped) return [...own, ...rest]
    if (rest.length > 0) notes.push(`${rest.length} ${kind} belong to no scope. --unscoped copies them too.`)
    return own
  })

  const orchestrators = (yield* source.list("orchestrators", { scope })).filter((machine) => machine.scope === scope)
  const machines = new Set(orchestrators.map(({ id }) => id))
  const tasks = yield* paged("tasks", [{}, { sort: "priority" }, {}])
  const records: Contents["records"] = {
    flows: yield* source.list("flows", { scope }),
    // Roles are the whole server's over there: those that this scope's machines registered are its own.
    roles: (yield* source.list("roles", { scope })).filter((role) => machines.has(role.orchestrator_id)),
    orchestrators,
    projects: yield* withUnscoped("projects"),
    drafts: yield* withUnscoped("drafts"),
    // Whoever waits for a task finds it done already, and keeps its version.
    tasks: tasks.toSorted((a, b) => Number(b.queue === "done") - Number(a.queue === "done")),
    messages: (yield* paged("messages")).toSorted(by("created_at")),
    actions: (yield* paged("actions")).toSorted(by("proposed_at"))
  }
  notes.push(...lostBlockers(tasks))
  if (importKinds.every((kind) => records[kind].length === 0)) {
    missing.push({ kind: "tasks", id: "*", error: `The server has nothing in the scope ${scope}. Is that its name?` })
  }
  return { records, missing, notes } satisfies Contents
})
