-- DELETE /api/v1/roles/:name
-- 1 round trip, 2 statements: 182 characters, 3 parameters, 3 rows read, 1 row written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- found
-- 53 characters, 1 parameter, 1 row read, 0 rows written
--   SCAN roles
SELECT *
FROM roles
WHERE true AND name = :name
LIMIT 2;

-- deleted
-- 129 characters, 2 parameters, 2 rows read, 1 row written
--   SEARCH roles USING PRIMARY KEY (scope=? AND name=?)
--   SCALAR SUBQUERY 1
--     SCAN roles
DELETE
FROM roles
WHERE name = :name
  AND scope = coalesce(:scope, (SELECT max(scope) FROM roles WHERE name = :name HAVING count(*) = 1));

-- ======== Sent in special cases only ========

-- found  (names the scope)
-- 60 characters, 2 parameters, 1 row read, 0 rows written
--   SEARCH roles USING PRIMARY KEY (scope=? AND name=?)
SELECT *
FROM roles
WHERE scope = :scope AND name = :name
LIMIT 2;
