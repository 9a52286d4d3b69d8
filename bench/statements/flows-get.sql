-- GET /api/v1/flows/:name
-- 1 round trip, 1 statement: 53 characters, 1 parameter, 1 row read, 0 rows written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- found
-- 53 characters, 1 parameter, 1 row read, 0 rows written
--   SEARCH flows USING INDEX flows_named (name=?)
SELECT *
FROM flows
WHERE true AND name = :name
LIMIT 2;

-- ======== Sent in special cases only ========

-- found  (names the scope)
-- 60 characters, 2 parameters, 1 row read, 0 rows written
--   SEARCH flows USING PRIMARY KEY (scope=? AND name=?)
SELECT *
FROM flows
WHERE scope = :scope AND name = :name
LIMIT 2;
