-- DELETE /api/v1/orchestrators/:id
-- 1 round trip, 3 statements: 506 characters, 5 parameters, 5 rows read, 2 rows written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- raised
-- 301 characters, 2 parameters, 2 rows read, 1 row written
--   SEARCH orchestrators USING PRIMARY KEY (id=? AND scope=?)
--   SCALAR SUBQUERY 1
--     SEARCH orchestrators USING PRIMARY KEY (id=?)
INSERT INTO queue_counts (scope, counts, machines_revision)
SELECT DISTINCT scope, '{}', 1
FROM orchestrators
WHERE id = :id
  AND scope = coalesce(:scope, (SELECT max(scope) FROM orchestrators WHERE id = :id HAVING count(*) = 1))
ON CONFLICT (scope)
DO UPDATE SET machines_revision = machines_revision + 1;

-- deleted
-- 154 characters, 2 parameters, 3 rows read, 1 row written
--   SEARCH orchestrators USING PRIMARY KEY (id=? AND scope=?)
--   SCALAR SUBQUERY 1
--     SEARCH orchestrators USING PRIMARY KEY (id=?)
DELETE
FROM orchestrators
WHERE id = :id
  AND scope = coalesce(:scope, (SELECT max(scope) FROM orchestrators WHERE id = :id HAVING count(*) = 1))
RETURNING id;

-- left
-- 51 characters, 1 parameter, 0 rows read, 0 rows written
--   SEARCH orchestrators USING PRIMARY KEY (id=?)
SELECT 1
FROM orchestrators
WHERE id = :id AND true;

-- ======== Sent in special cases only ========

-- left  (names the scope)
-- 58 characters, 2 parameters, 0 rows read, 0 rows written
--   SEARCH orchestrators USING PRIMARY KEY (id=? AND scope=?)
SELECT 1
FROM orchestrators
WHERE id = :id AND scope = :scope;
