/** Faults in leases: who holds a task, until when, and where it goes when nobody does any more. */
import type { Fault } from "../Fault.ts"

export const leases: ReadonlyArray<Fault> = [
  {
    name: "claim-takes-held",
    breaks: "A task has at most one live lease: no second reviewer gets a task under review.",
    view: "ready",
    find: "claimed_by IS NULL AND blocked_by IS NULL",
    replace: "blocked_by IS NULL"
  },
  {
    name: "page-settles",
    breaks: "Only an answer of the server settles a request of the worker: a page of a proxy settles nothing.",
    symbol: "Ask.passing",
    find: "\"InternalError\", \"NoUsableAnswer\", \"TooManyFailures\"",
    replace: "\"InternalError\", \"TooManyFailures\""
  },
  {
    name: "worker-by-wall-clock",
    breaks: "The worker waits by a clock that no correction changes.",
    symbol: "Time.now",
    find: "Effect.map(Clock.monotonicTimeNanos, (nanos) => Number(nanos / 1_000_000n))",
    replace: "Clock.currentTimeMillis"
  },
  {
    name: "result-not-written-down",
    breaks: "The worker stores a result before it submits it, so that a crash loses no result.",
    symbol: "Outbox.make",
    find: "places.set(entry.key, place)\n    yield* write(entry)",
    replace: "places.set(entry.key, place)"
  },
  {
    name: "double-entry-untold",
    breaks: "A heartbeat that lists a lease twice learns which entry was not used.",
    symbol: "renewalsOf",
    find: "...superseded(entries).map(",
    replace: "...superseded([]).map("
  },
  {
    name: "expiry-too-late",
    breaks: "A lease has expired at the millisecond of its end.",
    symbol: "Expiry.isOver",
    find: "AND lease_expires_at <= :now",
    replace: "AND lease_expires_at < :now"
  },
  {
    name: "expiry-too-early",
    breaks: "A lease has not expired a millisecond before its end.",
    symbol: "Expiry.isOver",
    find: "AND lease_expires_at <= :now",
    replace: "AND lease_expires_at - 1 <= :now"
  },
  {
    name: "expiry-by-database-time",
    breaks: "SQL never asks for the time: the clock of the service decides which leases have expired.",
    symbol: "Expiry.isOver",
    find: "AND lease_expires_at <= :now",
    replace: "AND lease_expires_at <= iif(:now IS NULL, NULL, unixepoch() * 1000)"
  },
  {
    name: "reaper-does-not-look-again",
    breaks: "The server takes back no lease that was renewed after the server found it expired.",
    symbol: "Expiry.isOver",
    find: "AND lease_expires_at <= :now",
    replace: "AND ${which.endsWith(\"listed\") ? \":now > 0\" : \"lease_expires_at <= :now\"}"
  },
  {
    name: "expiry-not-counted",
    breaks: "An expired lease counts as a lost lease.",
    step: "reclaimed",
    find: "lease_losses = lease_losses + (event = 'lease_expired'),",
    replace: ""
  },
  {
    name: "reaped-to-incoming",
    breaks: "A task whose lease expires goes back to the queue that it was claimed from.",
    view: "expiring",
    find: "iif(lease_losses + 1 >= loss_limit, 'failed', claimed_from)",
    replace: "iif(lease_losses + 1 >= loss_limit, 'failed', 'incoming')"
  },
  {
    name: "lease-not-whole",
    breaks: "A task that nobody holds has no column of a lease.",
    step: "moved",
    find: "lease_seconds = NULL, deadline_at = NULL",
    replace: "deadline_at = NULL"
  },
  {
    name: "review-claim-moves",
    breaks: "A task under review stays in its queue.",
    step: "recorded",
    find: "queue, iif(:review, queue, 'claimed'), :agent",
    replace: "queue, 'claimed', :agent"
  },
  {
    name: "deadline-off-by-one",
    breaks: "An attempt ends at its deadline, also if its lease is renewed.",
    symbol: "lease/Renewal.heldInTime",
    find: "coalesce(deadline_at > :now, 1)",
    replace: "coalesce(deadline_at >= :now, 1)"
  },
  {
    name: "budget-off-by-one",
    breaks: "The n-th setback spends a budget of n.",
    symbol: "Move.spendsLast",
    find: "+ 1 >= nullif",
    replace: "+ 1 > nullif"
  },
  {
    name: "lost-leases-off-by-one",
    breaks: "The n-th lost lease spends a budget of n lost leases.",
    view: "expiring",
    find: "iif(lease_losses + 1 >= loss_limit",
    replace: "iif(lease_losses + 1 > loss_limit"
  },
  {
    name: "grant-without-limits",
    breaks: "A grant fixes how many leases the task may lose.",
    step: "granted",
    find: "loss_limit = nullif(coalesce(max_lease_losses, CAST(:max_lease_losses AS INTEGER)), 0),",
    replace: ""
  },
  {
    name: "loss-spends-attempts",
    breaks: "A lost lease spends none of the task's attempts.",
    symbol: "Move.spent",
    find: "\"attempt_count - lease_losses\"",
    replace: "\"attempt_count\""
  },
  {
    name: "cancel-not-heeded",
    breaks: "A requested cancellation takes effect when the holder ends its lease.",
    symbol: "Move.target",
    find: "WHEN cancel_requested_at IS NOT NULL THEN",
    replace: "WHEN cancel_requested_at < 0 THEN"
  },
  {
    name: "cancel-not-heeded-at-expiry",
    breaks: "A requested cancellation takes effect when the lease expires.",
    view: "expiring",
    find: "WHEN cancel_requested_at IS NOT NULL THEN 'cancelled'",
    replace: "WHEN cancel_requested_at < 0 THEN 'cancelled'"
  },
  {
    name: "backoff-ends-early",
    breaks: "A claim does not get a task before its backoff ends.",
    symbol: "Backoff.due",
    find: "available_at <= :now",
    replace: "available_at - 5000 <= :now"
  },
  {
    name: "end-of-backoff-unseen",
    breaks: "A conditional read sees that the cron ended a backoff.",
    file: "src/sql/lease/Backoff.ts",
    find: "  counted: Feed.counted(scope)",
    replace: "  counted: Feed.counted(\"NULL\")"
  },
  {
    name: "newest-leases-first",
    breaks: "The server takes back the leases that expired first before the others.",
    symbol: "Expiry.some",
    find: "ORDER BY lease_expires_at, id LIMIT :most",
    replace: "ORDER BY lease_expires_at DESC, id LIMIT :most"
  },
  {
    name: "reattached-without-deadline",
    breaks: "A lease that is given back keeps its deadline.",
    view: "expiring",
    find: "'deadline_at', strftime('%Y-%m-%dT%H:%M:%fZ', deadline_at / 1000.0, 'unixepoch')",
    replace: "'deadline_at', NULL"
  },
  {
    name: "refused-leases-keep-others",
    breaks: "The server takes back a lease, also behind many that the database refuses.",
    file: "src/services/lease/takeBack.ts",
    find: "{ ...walk, place, window,",
    replace: "{ ...walk, place: null, window,"
  },
  {
    name: "attempts-beyond-the-statements",
    breaks: "A request sends no more statements than D1's free plan allows.",
    file: "src/sql/Database.ts",
    find: "cost.statements + sent <= (yield* StatementLimit)",
    replace: "cost.statements + sent <= 2 * (yield* StatementLimit)"
  }
]
