/** The order of claims: by priority, then age, then id; and nobody is told that there is nothing while there is something. */
import type { Commit, Row } from "../Ledger.ts"
import { ensure } from "../Violation.ts"
import type { World } from "../World.ts"

const isReady = (row: Row, scope: string, queue: string, role: string | undefined) =>
  row.scope === scope && row.queue === queue && row.claimed_by === null && row.blocked_by === null &&
  row.available_at === null
  && (role === undefined || row.role === role)

const isBefore = (a: Row, b: Row) =>
  a.priority_rank !== b.priority_rank
    ? a.priority_rank < b.priority_rank
    : a.created_at !== b.created_at
    ? a.created_at < b.created_at
    : a.id < b.id

export const check = (world: World, commit: Commit): void => {
  const exchange = world.current
  if (exchange?.asked.verb !== "claim") return
  const role: string | undefined = exchange.body.role_filter?.[0]
  for (const [id, entries] of commit.entries) {
    const grant = entries.find(({ event }) => event === "claimed" || event === "review_claimed")
    const task = commit.after.get(id)
    if (grant === undefined || task === undefined) continue
    exchange.granted.push(`${id} ${task.grants}`)
    ensure(
      role === undefined || task.role === role,
      () => `${exchange.name} asked for ${role} and got ${id}, which is for ${task.role}`
    )
    for (const other of commit.after.values()) {
      ensure(
        !isReady(other, task.scope, grant.from_queue!, role) || !isBefore(other, task),
        () => `${exchange.name} got ${id} while ${other.id} is before it`
      )
    }
  }
}

/** Counts the batches after which the claim could have been given something. */
export const observe = (world: World, rows: ReadonlyMap<string, Row>): void => {
  const exchange = world.current
  if (exchange?.asked.verb !== "claim") return
  const { queue = "incoming", role_filter } = exchange.body
  exchange.batches += 1
  if (Array.from(rows.values()).some((row) => isReady(row, exchange.scope!, queue, role_filter?.[0]))) {
    exchange.batchesWithReady += 1
  }
}
