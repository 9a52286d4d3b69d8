-- POST /api/v1/webhooks/:id/test
-- 2 round trips, 3 statements: 718 characters, 7 parameters, 5 rows read, 2 rows written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- rows
-- 167 characters, 2 parameters, 2 rows read, 0 rows written
--   SEARCH webhooks USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 1
--     SEARCH queue_counts USING PRIMARY KEY (scope=?)
SELECT *, coalesce((SELECT seq FROM queue_counts WHERE queue_counts.scope = webhooks.scope), 0) AS latest
FROM webhooks
WHERE id = :id AND (:scope IS NULL OR scope = :scope);

-- logged
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

-- counted
-- 83 characters, 2 parameters, 1 row read, 1 row written
--   SEARCH webhooks USING PRIMARY KEY (id=?)
UPDATE webhooks
SET entries = entries + 1, failures = failures + :failed
WHERE id = :id;
