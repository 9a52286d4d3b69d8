-- POST /api/v1/actions/:id/complete
-- 1 round trip, 2 statements: 347 characters, 7 parameters, 5 rows read, 1 row written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- changed
-- 278 characters, 5 parameters, 4 rows read, 1 row written
--   SEARCH actions USING INDEX sqlite_autoindex_actions_1 (id=?)
UPDATE actions
SET status = :status, executed_at = coalesce(executed_at, :now), result = coalesce(:result, result)
WHERE id = :id
  AND (:scope IS NULL OR scope = :scope)
  AND iif(status = 'proposed' AND expires_at <= :now, 'expired', status) NOT IN (
    'completed', 'failed', 'expired'
  )
RETURNING id;

-- found
-- 69 characters, 2 parameters, 1 row read, 0 rows written
--   SEARCH actions USING INDEX sqlite_autoindex_actions_1 (id=?)
SELECT *
FROM actions
WHERE id = :id AND (:scope IS NULL OR scope = :scope);
