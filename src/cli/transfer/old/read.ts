/** Reads a scope from the old server, each kind in the order it is to be written in. */
import * as Effect from "effect/Effect"
import { parseBlockers } from "../../../domain/dependency/Dependency.ts"
import { millisOf } from "../../../domain/Instant.ts"
import { type ImportKind, importKinds } from "../../../domain/transfer/Import.ts"
import { count } from "../../show/Moment.ts"
import type { Item, Source } from "./Source.ts"

export interface Contents {
  readonly records: Readonly<Record<ImportKind, ReadonlyArray<Item>>>
  /** What could not be read. */
  readonly missing: ReadonlyArray<{ readonly kind: ImportKind; readonly id: string; readonly error: string }>
  /** Notes for the person who moves the scope. */
  readonly notes: ReadonlyArray<string>
}

const by = (field: string) => (a: Item, b: Item) => instantOf(a[field]) - instantOf(b[field])
const instantOf = (value: unknown) => millisOf(String(value)) ?? 0

/** A sentence for each task with a blocker that does not exist: it would wait for ever on both servers. */
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

/**
 * On the old server all scopes share the roles. Those that no machine of the scope registered are reported and not
 * copied.
 */
const foreignRoles = (roles: ReadonlyArray<Item>, tasks: ReadonlyArray<Item>): ReadonlyArray<string> => {
  const names = roles.map(({ name }) => {
    const open = tasks.filter(({ queue, role }) => role === name && queue !== "done").length
    return open === 0 ? String(name) : `${String(name)} (of ${count(open, "open task")})`
  })
  return names.length === 0
    ? []
    : [
      `Roles not copied, as no orchestrator of the scope registered them: ${
        names.join(", ")
      }. Once the scope has roles, no task can be created with others: register those it needs (POST /api/v1/roles/register).`
    ]
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

  /** The records of the scope, and those without a scope, which older clients left behind. */
  const withUnscoped = Effect.fnUntraced(function*(kind: "projects" | "drafts") {
    const own = yield* paged(kind)
    const everything = yield* source.pages(kind, [{}, {}])
    const rest = everything.records.filter((record) => record.scope === null)
    if (unscoped) return [...own, ...rest]
    if (rest.length > 0) {
      const [belongs, them] = rest.length === 1 ? ["belongs", "it"] : ["belong", "them"]
      notes.push(`${count(rest.length, kind.slice(0, -1))} ${belongs} to no scope. --unscoped copies ${them} too.`)
    }
    return own
  })

  const orchestrators = (yield* source.list("orchestrators", { scope })).filter((machine) => machine.scope === scope)
  const machines = new Set(orchestrators.map(({ id }) => id))
  const roles = yield* source.list("roles", { scope })
  const isOwn = (role: Item) => machines.has(role.orchestrator_id)
  const tasks = yield* paged("tasks", [{}, { sort: "priority" }, {}])
  const records: Contents["records"] = {
    flows: yield* source.list("flows", { scope }),
    roles: roles.filter(isOwn),
    orchestrators,
    projects: yield* withUnscoped("projects"),
    drafts: yield* withUnscoped("drafts"),
    // Blockers come first, so that a task with a finished blocker keeps its version.
    tasks: tasks.toSorted((a, b) => Number(b.queue === "done") - Number(a.queue === "done")),
    messages: (yield* paged("messages")).toSorted(by("created_at")),
    actions: (yield* paged("actions")).toSorted(by("proposed_at"))
  }
  notes.push(...foreignRoles(roles.filter((role) => !isOwn(role)), tasks), ...lostBlockers(tasks))
  if (importKinds.every((kind) => records[kind].length === 0)) {
    missing.push({ kind: "tasks", id: "*", error: `The server has nothing in the scope ${scope}. Is that its name?` })
  }
  return { records, missing, notes } satisfies Contents
})
