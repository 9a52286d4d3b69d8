-- after-request
-- 1 round trip, 1 statement: 306 characters, 4 parameters, 1 row read, 1 row written
-- Written by `npm run statements -- --write`, which measures on D1 with 10 records of each kind.

-- added
-- 306 characters, 4 parameters, 1 row read, 1 row written
INSERT INTO d1_costs (id, trips, statements, rows_read, rows_written)
VALUES (1, :trips, :statements, :read, :written)
ON CONFLICT (id)
DO UPDATE SET trips = trips + excluded.trips, statements = statements + excluded.statements,
  rows_read = rows_read + excluded.rows_read, rows_written = rows_written + excluded.rows_written;

-- ======== Sent in special cases only ========

-- claimed  (after a request: no webhook)
-- 444 characters, 5 parameters, 4 rows read, 0 rows written
--   SEARCH webhooks USING PRIMARY KEY (id=?)
--   LIST SUBQUERY 2
--     SEARCH webhooks USING INDEX webhooks_of_scope (scope=?)
--     CORRELATED SCALAR SUBQUERY 1
--       SEARCH queue_counts USING PRIMARY KEY (scope=?)
--     USE TEMP B-TREE FOR ORDER BY
--   CORRELATED SCALAR SUBQUERY 3
--     SEARCH queue_counts USING PRIMARY KEY (scope=?)
UPDATE webhooks
SET sender = :sender, sending_until = :until, tried_at = :now
WHERE id IN (
  SELECT id
  FROM webhooks
  WHERE scope = :scope
    AND disabled_at IS NULL
    AND coalesce(next_attempt_at, 0) <= :now
    AND coalesce(sending_until, 0) <= :now
    AND position < (SELECT seq FROM queue_counts WHERE queue_counts.scope = webhooks.scope)
  ORDER BY tried_at, id
  LIMIT :most
)
RETURNING *, (SELECT seq FROM queue_counts WHERE queue_counts.scope = webhooks.scope) AS latest;

-- events  (after a request: no webhook)
-- 1,510 characters, 2 parameters, 1 row read, 0 rows written
--   SEARCH hook USING INDEX webhooks_of_scope (scope=?)
--   SEARCH entry USING INDEX history_feed (scope=? AND seq=?)
--   CORRELATED LIST SUBQUERY 1
--     SEARCH history USING COVERING INDEX history_feed (scope=? AND seq>?)
--   USE TEMP B-TREE FOR LAST TERM OF ORDER BY
SELECT hook.id AS webhook_id,
  (
    (hook.types IS NULL OR instr(hook.types, '"' || entry.event || '"') > 0)
    AND (hook.project_id IS NULL OR entry.project_id IS hook.project_id)
  ) AS matches,
  entry.seq AS seq, iif(entry.task_id < ' ', NULL, entry.task_id) AS task_id, entry.scope AS scope,
  iif(entry.task_id < ' ', NULL, entry.version) AS version, entry.event AS event,
  iif(
    (
      (hook.types IS NULL OR instr(hook.types, '"' || entry.event || '"') > 0)
      AND (hook.project_id IS NULL OR entry.project_id IS hook.project_id)
    ),
    entry.title,
    NULL
  ) AS title,
  entry.project_id AS project_id, entry.from_queue AS from_queue, entry.to_queue AS to_queue,
  iif(
    (
      (hook.types IS NULL OR instr(hook.types, '"' || entry.event || '"') > 0)
      AND (hook.project_id IS NULL OR entry.project_id IS hook.project_id)
    ),
    entry.actor,
    NULL
  ) AS actor,
  iif(
    (
      (hook.types IS NULL OR instr(hook.types, '"' || entry.event || '"') > 0)
      AND (hook.project_id IS NULL OR entry.project_id IS hook.project_id)
    ),
    entry.reason,
    NULL
  ) AS reason,
  iif(
    (
      (hook.types IS NULL OR instr(hook.types, '"' || entry.event || '"') > 0)
      AND (hook.project_id IS NULL OR entry.project_id IS hook.project_id)
    ),
    entry.details,
    NULL
  ) AS details,
  entry.at AS at
FROM webhooks AS hook
CROSS JOIN history AS entry INDEXED BY history_feed ON entry.scope = hook.scope
  AND entry.seq IN (
    SELECT seq
    FROM history INDEXED BY history_feed
    WHERE history.scope = hook.scope AND seq > hook.position
    ORDER BY seq
    LIMIT 50
  )
WHERE hook.scope = :scope AND hook.sender = :sender
ORDER BY hook.id, entry.seq;

-- any  (after a request: no webhook)
-- 72 characters, 1 parameter, 0 rows read, 0 rows written
--   SEARCH webhooks USING INDEX webhooks_of_scope (scope=?)
SELECT 1
FROM webhooks
WHERE scope = :scope AND disabled_at IS NULL
LIMIT 1;

-- logged  (after a request: a webhook gets an event)
-- 468 characters, 3 parameters, 2 rows read, 1 row written
--   SEARCH hook USING PRIMARY KEY (id=?)
--   SCAN each VIRTUAL TABLE INDEX 1:
INSERT
  OR REPLACE INTO webhook_deliveries (
    webhook_id, slot, number, seq, event, at, attempt, status, error, response, millis
  )
SELECT hook.id, (hook.entries + each.key) % 100, hook.entries + each.key, value ->> 'seq', value ->> 'event',
  value ->> 'at', value ->> 'attempt', value ->> 'status', value ->> 'error', value ->> 'response',
  value ->> 'millis'
FROM webhooks AS hook
CROSS JOIN json_each(:log) AS each
WHERE hook.id = :id AND (:sender IS NULL OR hook.sender = :sender);

-- ended  (after a request: a webhook gets an event)
-- 353 characters, 11 parameters, 1 row read, 1 row written
--   SEARCH webhooks USING PRIMARY KEY (id=?)
UPDATE webhooks
SET position = :position, entries = entries + :logged, failures = failures + :failed, attempts = :attempts,
  failing_since = :failing_since, next_attempt_at = :next_attempt_at,
  delivered_at = coalesce(:delivered_at, delivered_at), disabled_at = coalesce(disabled_at, :disabled_at),
  disabled_reason = coalesce(disabled_reason, :disabled_reason), sender = NULL, sending_until = NULL
WHERE id = :id AND sender = :sender;
