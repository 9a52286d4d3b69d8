-- GET /api/v1/orchestrators/:id
-- 1 round trip, 1 statement: 95 characters, 1 parameter, 2 rows read, 0 rows written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- found
-- 95 characters, 1 parameter, 2 rows read, 0 rows written
--   SEARCH orchestrators USING PRIMARY KEY (id=?)
--   USE TEMP B-TREE FOR ORDER BY
SELECT *
FROM orchestrators
WHERE id = :id AND true
ORDER BY last_heartbeat DESC, scope
LIMIT 1;

-- ======== Sent in special cases only ========

-- found  (names the scope)
-- 102 characters, 2 parameters, 1 row read, 0 rows written
--   SEARCH orchestrators USING PRIMARY KEY (id=? AND scope=?)
SELECT *
FROM orchestrators
WHERE id = :id AND scope = :scope
ORDER BY last_heartbeat DESC, scope
LIMIT 1;
