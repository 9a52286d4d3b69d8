-- GET /api/v1/webhooks/:id/deliveries
-- 1 round trip, 2 statements: 346 characters, 3 parameters, 2 rows read, 0 rows written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- webhook
-- 270 characters, 2 parameters, 1 row read, 0 rows written
--   SEARCH webhooks USING PRIMARY KEY (id=?)
SELECT id, scope, name, url, types, project_id, template, position, disabled_at IS NULL AS enabled,
  disabled_at, disabled_reason, attempts, failing_since, next_attempt_at, delivered_at, created_by, created_at
FROM webhooks
WHERE id = :id AND (:scope IS NULL OR scope = :scope);

-- rows
-- 76 characters, 1 parameter, 1 row read, 0 rows written
--   SEARCH webhook_deliveries USING PRIMARY KEY (webhook_id=?)
--   USE TEMP B-TREE FOR ORDER BY
SELECT *
FROM webhook_deliveries
WHERE webhook_id = :id
ORDER BY number DESC;
