/** Checks the order of claims: by priority, then age, then id. No claim may get nothing while a task is ready. */
import type { Commit, Row } from "../Ledger.ts"
import { ensure } from "../Violation.ts"
import type { World } from "../World.ts"

export const isReady = (row: Row, scope: string, queue: string, role: string | undefined) =>
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
        !isReady(other, task.scope, grant.from_queue!, role) || !isBefore(other, task) ||
          world.isStopped(other, grant.at),
        () => `${exchange.name} got ${id} while ${other.id} is before it`
      )
    }
  }
}

/** Whether the task is ready again once its lease is taken back, which a claim sees to. What comes to an end waits for the cron. */
const comesBack = (row: Row, config: Record<string, string>) => {
  const spends = (spent: number, own: number | null, usual: string) => {
    const limit = own ?? Number(config[usual])
    return limit > 0 && spent + 1 >= limit
  }
  return row.blocked_by === null && row.cancel_requested_at === null
    && !spends(row.attempt_count, row.max_attempts, "MAX_ATTEMPTS")
    && !spends(row.lease_losses, row.max_lease_losses, "MAX_LEASE_LOSSES")
}

/**
 * Records which leases had expired at the time of the claim, and counts the batches after which a task was ready for
 * it.
 */
export const observe = (world: World, rows: ReadonlyMap<string, Row>): void => {
  const exchange = world.current
  if (exchange?.asked.verb !== "claim") return
  const { queue = "incoming", role_filter, wait_seconds = 0 } = exchange.body
  // A claim that has waited in vain does not look again, and the next one is not far.
  if (world.engine === "objects" && wait_seconds > 0 && exchange.sentAt - exchange.waitsSince! >= wait_seconds * 1000) {
    return
  }
  exchange.batches += 1
  for (const { claimed_by, lease_expires_at, scope } of rows.values()) {
    if (scope === exchange.scope && claimed_by !== null && lease_expires_at === exchange.sentAt + 1) {
      world.journal.saw("claim left a lease with a millisecond to go")
    }
  }
  exchange.left = Array.from(rows.values()).find((row) =>
    row.scope === exchange.scope && row.claimed_by !== null && row.lease_expires_at! <= exchange.sentAt
    && comesBack(row, world.config)
  )?.id
  if (
    Array.from(rows.values()).some((row) =>
      isReady(row, exchange.scope!, queue, role_filter?.[0]) && !world.isStopped(row, exchange.sentAt)
    )
  ) {
    exchange.batchesWithReady += 1
  }
}
