-- GET /api/v1/roles/:name
-- 1 round trip, 1 statement: 85 characters, 1 parameter, 2 rows read, 0 rows written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- found
-- 85 characters, 1 parameter, 2 rows read, 0 rows written
--   SCAN roles
--   USE TEMP B-TREE FOR ORDER BY
SELECT *
FROM roles
WHERE true AND name = :name
ORDER BY created_at DESC, scope
LIMIT 1;

-- ======== Sent in special cases only ========

-- found  (names the scope)
-- 92 characters, 2 parameters, 1 row read, 0 rows written
--   SEARCH roles USING PRIMARY KEY (scope=? AND name=?)
SELECT *
FROM roles
WHERE scope = :scope AND name = :name
ORDER BY created_at DESC, scope
LIMIT 1;
