-- PATCH /api/v1/actions/:id
-- 1 round trip, 2 statements: 635 characters, 9 parameters, 5 rows read, 1 row written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- changed
-- 566 characters, 7 parameters, 4 rows read, 1 row written
--   SEARCH actions USING INDEX sqlite_autoindex_actions_1 (id=?)
UPDATE actions
SET status = coalesce(:status, status),
  executed_at = CASE
    WHEN :status = 'proposed' THEN NULL
    WHEN :status <> 'expired' THEN coalesce(executed_at, :now)
    ELSE executed_at
  END,
  result = iif(:sets_result, :result, result)
WHERE id = :id
  AND (:scope IS NULL OR scope = :scope)
  AND (
    :status IS NULL
    OR iif(status = 'proposed' AND expires_at <= :now, 'expired', status) = :status
    OR iif(status = 'proposed' AND expires_at <= :now, 'expired', status) NOT IN (
      'completed', 'failed', 'expired'
    )
  )
  AND (:expected IS NULL OR iif(status = 'proposed' AND expires_at <= :now, 'expired', status) = :expected)
RETURNING id;

-- found
-- 69 characters, 2 parameters, 1 row read, 0 rows written
--   SEARCH actions USING INDEX sqlite_autoindex_actions_1 (id=?)
SELECT *
FROM actions
WHERE id = :id AND (:scope IS NULL OR scope = :scope);
