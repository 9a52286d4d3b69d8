-- POST /api/v1/webhooks/:id/redeliver
-- 1 round trip, 2 statements: 743 characters, 5 parameters, 5 rows read, 1 row written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- changed
-- 576 characters, 3 parameters, 3 rows read, 1 row written
--   SEARCH webhooks USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 2
--     SEARCH queue_counts USING PRIMARY KEY (scope=?)
--   CORRELATED SCALAR SUBQUERY 1
--     SEARCH queue_counts USING PRIMARY KEY (scope=?)
UPDATE webhooks
SET position = coalesce(
  :after, coalesce((SELECT seq FROM queue_counts WHERE queue_counts.scope = webhooks.scope), 0)
),
  sender = NULL, attempts = 0, failing_since = NULL, next_attempt_at = NULL
WHERE id = :id
  AND (:scope IS NULL OR scope = :scope)
  AND coalesce(:after, 0) <= coalesce(
    (SELECT seq FROM queue_counts WHERE queue_counts.scope = webhooks.scope), 0
  )
RETURNING id, scope, name, url, types, project_id, template, position, disabled_at IS NULL AS enabled,
  disabled_at, disabled_reason, attempts, failing_since, next_attempt_at, delivered_at, created_by, created_at;

-- hooks
-- 167 characters, 2 parameters, 2 rows read, 0 rows written
--   SEARCH webhooks USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 1
--     SEARCH queue_counts USING PRIMARY KEY (scope=?)
SELECT *, coalesce((SELECT seq FROM queue_counts WHERE queue_counts.scope = webhooks.scope), 0) AS latest
FROM webhooks
WHERE id = :id AND (:scope IS NULL OR scope = :scope);
