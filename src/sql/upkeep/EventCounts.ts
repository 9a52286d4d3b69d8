/**
 * The counters of events. The cron walks through the feed of each scope and adds what it finds, so no request writes a row for
 * them. Both statements belong into one batch: the first one counts, and the second one stores how far.
 */
import { type Statement, statement } from "../Statement.ts"

/** How many scopes are counted in a minute: those that are furthest behind. */
const Scopes = 10

/** How many changes of each scope are counted in a minute. */
const Changes = 500

/**
 * The changes to count next: those of a scope after `events_seq`, up to and including `upto`. Retention leaves gaps in
 * the numbers, so this looks up the first number that still exists.
 */
const next = `(
  SELECT scope, events_seq, min(seq, coalesce((
    SELECT seq FROM history INDEXED BY history_feed
    WHERE history.scope = counter.scope AND history.seq > counter.events_seq ORDER BY history.seq LIMIT 1), seq) + ${
  Changes - 1
}) AS upto
  FROM queue_counts AS counter WHERE scope >= ' ' AND seq > events_seq
  ORDER BY seq - events_seq DESC, scope LIMIT ${Scopes}) AS next`

/** Whether a scope has changes that are not counted. */
export const anyUncounted: Statement = statement(
  "SELECT 1 FROM queue_counts WHERE scope >= ' ' AND seq > events_seq LIMIT 1"
)

export const count: Statement = statement(`
  INSERT INTO event_counts (scope, event, n)
  SELECT next.scope, event, count(*) FROM ${next} CROSS JOIN history INDEXED BY history_feed
    ON history.scope = next.scope AND history.seq > next.events_seq AND history.seq <= next.upto
  GROUP BY next.scope, event
  ON CONFLICT (scope, event) DO UPDATE SET n = n + excluded.n`)

export const moveOn: Statement = statement(`
  UPDATE queue_counts SET events_seq = next.upto FROM ${next} WHERE queue_counts.scope = next.scope`)
