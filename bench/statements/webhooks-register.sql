-- POST /api/v1/webhooks
-- 1 round trip, 1 statement: 520 characters, 10 parameters, 3 rows read, 2 rows written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- inserted
-- 520 characters, 10 parameters, 3 rows read, 2 rows written
--   SCAN CONSTANT ROW
--   SCALAR SUBQUERY 2
--     SEARCH webhooks USING COVERING INDEX webhooks_of_scope (scope=?)
--   SCALAR SUBQUERY 1
--     SEARCH queue_counts USING PRIMARY KEY (scope=?)
INSERT INTO webhooks (
  id, scope, name, url, secret, types, project_id, template, position, created_by, created_at
)
SELECT :id, :scope, :name, :url, :secret, :types, :project_id, :template,
  coalesce((SELECT seq FROM queue_counts WHERE queue_counts.scope = :scope), 0), :created_by, :now
WHERE (SELECT count(*) FROM webhooks WHERE scope = :scope) < 20
RETURNING id, scope, name, url, types, project_id, template, position, disabled_at IS NULL AS enabled,
  disabled_at, disabled_reason, attempts, failing_since, next_attempt_at, delivered_at, created_by, created_at;
