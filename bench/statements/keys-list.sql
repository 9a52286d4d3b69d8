-- GET /api/v1/scopes/:scope/keys
-- 1 round trip, 1 statement: 437 characters, 3 parameters, 2 rows read, 0 rows written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- rows
-- 437 characters, 3 parameters, 2 rows read, 0 rows written
--   CO-ROUTINE (subquery-1)
--     SEARCH api_keys USING INDEX api_keys_of_scope (scope=?)
--     USE TEMP B-TREE FOR ORDER BY
--   SCAN (subquery-1)
SELECT id, iif(heavy, NULL, name) AS name, scope, rank, starts_with,
  iif(heavy, NULL, created_by) AS created_by, created_at, last_used_at, expires_at, heavy
FROM (
  SELECT *, 180 + coalesce(octet_length(name), 0) + coalesce(octet_length(created_by), 0) > :share AS heavy
  FROM (
    SELECT id, name, scope, rank, starts_with, created_by, created_at, last_used_at, expires_at
    FROM api_keys
    WHERE scope = :scope
    ORDER BY created_at DESC, id
    LIMIT :take
  )
);
