-- GET /api/v1/roles
-- 1 round trip, 1 statement: 267 characters, 3 parameters, 0 rows read, 0 rows written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- rows
-- 267 characters, 3 parameters, 0 rows read, 0 rows written
--   CO-ROUTINE (subquery-1)
--     SEARCH roles USING PRIMARY KEY (scope=?)
--   SCAN (subquery-1)
SELECT name, scope, iif(heavy, NULL, description) AS description, claims_from, orchestrator_id, created_at,
  heavy
FROM (
  SELECT *, 120 + coalesce(octet_length(description), 0) > :share AS heavy
  FROM (SELECT * FROM roles WHERE scope = :scope ORDER BY name, scope LIMIT :take)
);
