/** How many tasks are ready for a claim that waits, so that few claims try in vain. */
import type { SqlStorage } from "@cloudflare/workers-types"
import type { ScopeName } from "../../domain/Identifier.ts"
import { MaxRecord } from "../../domain/Size.ts"
import { nextTask, type Passing, valuesOf, variantOf, type Wanted as Variant } from "../../sql/lease/Claim.ts"
import { type Bound, statement, variants } from "../../sql/Statement.ts"
import type { Wanted } from "./Waiting.ts"

/**
 * The queues that a claim of the role looks at if it names none. Several scopes may have the role (`../Machines.ts`).
 */
const queuesOfRole = statement("SELECT 'incoming' AS queue UNION SELECT claims_from FROM roles WHERE name = :role")

/**
 * The first task that matches. `claimable`: a claim may have it. Otherwise `stopped` says that the whole scope is at a
 * cap or behind a breaker, and `by_project` which tasks a claim looks at next (`services/task/claimRefusal.ts`).
 */
const first = variants((roles: Variant["roles"], roleless: boolean, typed: boolean) =>
  statement(`
    SELECT bytes <= ${MaxRecord} AND capped_until <= :now AND breaker_until <= :now AS claimable,
      (cap = 'scope' AND capped_until > :now) OR EXISTS (
        SELECT 1 FROM open_breakers AS open WHERE open.scope = :scope AND open.project_id = '' AND open.until > :now
      ) AS stopped,
      (SELECT by_project FROM queue_counts WHERE queue_counts.scope = :scope) AS by_project
    FROM caps WHERE id = ${nextTask({ roles, roleless, typed, ranked: false, passing: "nothing" })}`)
)

/** Whether a claim that looks past some tasks finds another. */
const further = variants((passing: Passing, roles: Variant["roles"], roleless: boolean, typed: boolean) =>
  statement(`SELECT ${nextTask({ roles, roleless, typed, ranked: false, passing })} IS NOT NULL AS found`)
)

/** How many ready tasks match, `:most` at most. The index of roles does not contain tasks without a role. */
const matching = variants((roles: "any" | "some" | "with none", typed: boolean) =>
  statement(`
    SELECT count(*) AS n FROM (
      SELECT 1 FROM ${roles === "some" ? "ready_for" : "ready"} WHERE scope = :scope AND queue = :queue
        ${roles === "any" ? "" : "AND lane IN (SELECT value FROM json_each(:roles))"}
        ${typed ? "AND type IN (SELECT value FROM json_each(:types))" : ""}
      LIMIT :most)`)
)

/**
 * Counts the tasks that are ready for a claim, `most` at most. If a claim may not have the first of them, it answers 1
 * for all others.
 */
export const make = (sql: SqlStorage, scope: ScopeName) => {
  const rows = ({ parameters, text }: Bound) => sql.exec(text, ...parameters).toArray()

  const inQueue = (queue: string, { roles, types }: Wanted, most: number): number => {
    const criteria = { scope, queue, roles, types, ranks: [], account: null }
    const { roleless, roles: some, typed } = variantOf(criteria, "nothing")
    const values = { ...valuesOf(criteria), now: Date.now(), most }
    const [next] = rows(first(some, roleless, typed)(values))
    if (next === undefined) return 0
    if (next["claimable"] === 1) {
      if (most === 1) return 1
      const lanes = some === "any" ? "any" : roleless ? "with none" : "some"
      return Number(rows(matching(lanes, typed)(values))[0]!["n"])
    }
    if (next["stopped"] === 1) return 0
    const passing = next["by_project"] === 1 ? "projects" : "tasks"
    return Number(rows(further(passing, some, roleless, typed)(values))[0]!["found"])
  }

  return (wanted: Wanted, most: number): number => {
    const { queue, roles: [role] } = wanted
    const queues = queue === undefined
      ? rows(queuesOfRole({ role: role! })).map((row) => String(row["queue"]))
      : [queue]
    return queues.reduce((before, one) => before >= most ? before : before + inQueue(one, wanted, most), 0)
  }
}
