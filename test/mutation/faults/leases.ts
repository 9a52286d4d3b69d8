/** Faults in leases: who holds a task, until when, and where it goes when nobody does any more. */
import type { Fault } from "../Fault.ts"

export const leases: ReadonlyArray<Fault> = [
  {
    name: "claim-takes-held",
    breaks: "At most one live lease: a task that somebody reviews is handed to another reviewer.",
    file: "src/sql/lease/Claim.ts",
    find: "SELECT id FROM tasks INDEXED BY ${index} WHERE ${ready} ${order}",
    replace: "SELECT id FROM tasks WHERE scope = ${scope} AND queue = ${queue} AND blocked_by IS NULL ${order}"
  },
  {
    name: "page-settles",
    breaks: "Only an answer of the server settles what the worker asks: a page of a proxy ends nothing.",
    symbol: "Ask.passing",
    find: "\"InternalError\", \"NoUsableAnswer\", \"TooManyFailures\"",
    replace: "\"InternalError\", \"TooManyFailures\""
  },
  {
    name: "worker-by-wall-clock",
    breaks: "The waits of the worker go by a clock that no correction moves.",
    symbol: "Time.now",
    find: "Effect.map(Clock.monotonicTimeNanos, (nanos) => Number(nanos / 1_000_000n))",
    replace: "Clock.currentTimeMillis"
  },
  {
    name: "result-not-written-down",
    breaks: "A result is written down before it is handed in, so that a crash does not lose it.",
    symbol: "Outbox.make",
    find: "places.set(entry.key, place)\n    yield* write(entry)",
    replace: "places.set(entry.key, place)"
  },
  {
    name: "double-entry-untold",
    breaks: "A heartbeat that lists a lease twice is told which entry was not used.",
    file: "src/services/lease/answer.ts",
    find: "...superseded(entries).map(",
    replace: "...superseded([]).map("
  },
  {
    name: "expiry-too-late",
    breaks: "A lease is over when it says, not a moment later.",
    file: "src/sql/lease/Expiry.ts",
    find: "plan(now, seed, scope, { claimable: true, ...",
    replace: "plan(now - 1, seed, scope, { claimable: true, ..."
  },
  {
    name: "expiry-too-early",
    breaks: "Nor a moment sooner.",
    file: "src/sql/lease/Expiry.ts",
    find: "claimed_by IS NOT NULL AND lease_expires_at <= ${at}",
    replace: "claimed_by IS NOT NULL AND lease_expires_at - 1 <= ${at}"
  },
  {
    name: "expiry-by-database-time",
    breaks: "SQL never asks for the time: who is late is decided by the clock of the service.",
    file: "src/sql/lease/Expiry.ts",
    find: "claimed_by IS NOT NULL AND lease_expires_at <= ${at}",
    replace: "claimed_by IS NOT NULL AND lease_expires_at <= iif(${at} IS NULL, NULL, unixepoch() * 1000)"
  },
  {
    name: "reaper-does-not-look-again",
    breaks: "A lease that is not over is left alone, whoever asks to take it back.",
    file: "src/sql/lease/Expiry.ts",
    find: "sql`${overdue(at, scope)}\n",
    replace: "sql`${only.id === undefined ? overdue(at, scope) : sql`claimed_by IS NOT NULL AND ${at} IS NOT NULL`}\n"
  },
  {
    name: "expiry-not-counted",
    breaks: "A lost lease counts as a lost lease.",
    symbol: "Moves.moves",
    find: "counts: [\"attempt_count\", \"lease_losses\"]",
    replace: "counts: [\"attempt_count\"]"
  },
  {
    name: "reaped-to-incoming",
    breaks: "A task that is taken back goes where it was claimed from.",
    file: "src/sql/task/Landing.ts",
    find: "? sql`iif(queue = 'claimed', claimed_from, 'incoming')`",
    replace: "? sql`'incoming'`"
  },
  {
    name: "lease-not-whole",
    breaks: "A task that nobody holds has nothing of a lease left.",
    step: "moved",
    find: "lease_seconds = NULL, deadline_at = NULL",
    replace: "deadline_at = NULL"
  },
  {
    name: "review-claim-moves",
    breaks: "A task under review stays where it is.",
    symbol: "Moves.moves",
    find: "[\"provisional\"], \"same\", { lease",
    replace: "[\"provisional\"], { queue: \"claimed\" }, { lease"
  },
  {
    name: "deadline-off-by-one",
    breaks: "An attempt ends at its deadline, whoever renews its lease.",
    step: "renewed",
    find: "coalesce(deadline_at > :now, 1)",
    replace: "coalesce(deadline_at >= :now, 1)"
  },
  {
    name: "budget-off-by-one",
    breaks: "A budget of n is spent by the n-th time.",
    file: "src/sql/task/Outcome.ts",
    find: "${spent[move.budget]} + 1 >=",
    replace: "${spent[move.budget]} + 1 >"
  },
  {
    name: "loss-spends-attempts",
    breaks: "A worker that vanished spends none of the task's own attempts.",
    file: "src/sql/task/Outcome.ts",
    find: "sql`attempt_count - lease_losses`",
    replace: "sql`attempt_count`"
  },
  {
    name: "cancel-not-heeded",
    breaks: "A cancellation that was asked for takes effect when the lease ends.",
    file: "src/sql/task/Outcome.ts",
    find: "WHEN cancel_requested_at IS NOT NULL THEN ${becomes.cancelled}",
    replace: "WHEN cancel_requested_at < 0 THEN ${becomes.cancelled}"
  },
  {
    name: "backoff-ends-early",
    breaks: "A task that backs off is not handed out before it is due.",
    file: "src/sql/lease/Backoff.ts",
    find: "sql`scope = ${scope} AND available_at IS NOT NULL AND available_at <= ${until}`",
    replace: "sql`scope = ${scope} AND available_at IS NOT NULL AND available_at - 5000 <= ${until}`"
  },
  {
    name: "end-of-backoff-unseen",
    breaks: "A conditional read sees that the cron ended a backoff.",
    file: "src/sql/lease/Backoff.ts",
    find: "UPDATE queue_counts SET revision = revision + 1 WHERE scope IN (",
    replace: "UPDATE queue_counts SET revision = revision + 0 WHERE scope IN ("
  },
  {
    name: "newest-leases-first",
    breaks: "The leases that ran out first are taken back first.",
    file: "src/sql/lease/Expiry.ts",
    find: "ORDER BY lease_expires_at, id LIMIT ${most}",
    replace: "ORDER BY lease_expires_at DESC, id LIMIT ${most}"
  },
  {
    name: "refused-leases-keep-others",
    breaks: "A lease is taken back, however many others are refused.",
    file: "src/services/lease/takeBack.ts",
    find: "{ ...walk, place, window,",
    replace: "{ ...walk, place: null, window,"
  },
  {
    name: "attempts-beyond-the-statements",
    breaks: "A request sends no more statements than D1's free plan allows.",
    file: "src/sql/Database.ts",
    find: "cost.statements + sent <= MaxStatements",
    replace: "cost.statements + sent <= 2 * MaxStatements"
  }
]
