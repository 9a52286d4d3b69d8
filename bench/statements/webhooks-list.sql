-- GET /api/v1/webhooks
-- 1 round trip, 1 statement: 264 characters, 1 parameter, 1 row read, 0 rows written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- rows
-- 264 characters, 1 parameter, 1 row read, 0 rows written
--   SEARCH webhooks USING INDEX webhooks_of_scope (scope=?)
--   USE TEMP B-TREE FOR ORDER BY
SELECT id, scope, name, url, types, project_id, template, position, disabled_at IS NULL AS enabled,
  disabled_at, disabled_reason, attempts, failing_since, next_attempt_at, delivered_at, created_by, created_at
FROM webhooks
WHERE scope = :scope
ORDER BY created_at, id;
