-- POST /api/v1/orchestrators/scopes/:scope/rotate-key
-- 1 round trip, 2 statements: 821 characters, 13 parameters, 9 rows read, 3 rows written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- inserted
-- 516 characters, 8 parameters, 5 rows read, 2 rows written
--   SEARCH api_keys USING INDEX api_keys_of_scope (scope=? AND id=?)
--   SCALAR SUBQUERY 1
--     SEARCH api_keys USING INDEX api_keys_of_scope (scope=?)
INSERT INTO api_keys (
  hash, id, scope, name, rank, starts_with, created_by, created_at, expires_at, issued_until
)
SELECT :hash, :id, scope, name, rank, :starts_with, :created_by, :created_at, issued_until, issued_until
FROM api_keys
WHERE scope = :scope
  AND id = coalesce(
    :asked,
    (
      SELECT max(id)
      FROM api_keys
      WHERE scope = :scope AND id <> :id AND (expires_at IS NULL OR expires_at > :now)
      HAVING count(*) = 1
    )
  )
  AND (expires_at IS NULL OR expires_at > :now)
RETURNING id, name, scope, rank, starts_with, created_by, created_at, last_used_at, expires_at;

-- ended
-- 305 characters, 5 parameters, 4 rows read, 1 row written
--   SEARCH api_keys USING INDEX api_keys_of_scope (scope=? AND id=?)
--   SCALAR SUBQUERY 1
--     SEARCH api_keys USING INDEX api_keys_of_scope (scope=?)
UPDATE api_keys
SET expires_at = min(coalesce(expires_at, :overlap_end), :overlap_end)
WHERE scope = :scope
  AND id = coalesce(
    :asked,
    (
      SELECT max(id)
      FROM api_keys
      WHERE scope = :scope AND id <> :id AND (expires_at IS NULL OR expires_at > :now)
      HAVING count(*) = 1
    )
  )
  AND (expires_at IS NULL OR expires_at > :now)
RETURNING expires_at;
