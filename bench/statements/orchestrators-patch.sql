-- PATCH /api/v1/orchestrators/:id
-- 1 round trip, 3 statements: 535 characters, 7 parameters, 7 rows read, 2 rows written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- raised
-- 319 characters, 3 parameters, 2 rows read, 1 row written
--   SEARCH orchestrators USING PRIMARY KEY (id=? AND scope=?)
--   SCALAR SUBQUERY 1
--     SEARCH orchestrators USING PRIMARY KEY (id=?)
INSERT INTO queue_counts (scope, counts, machines_revision)
SELECT DISTINCT scope, '{}', 1
FROM orchestrators
WHERE id = :id
  AND scope = coalesce(:scope, (SELECT max(scope) FROM orchestrators WHERE id = :id HAVING count(*) = 1))
  AND status <> :status
ON CONFLICT (scope)
DO UPDATE SET machines_revision = machines_revision + 1;

-- updated
-- 165 characters, 3 parameters, 4 rows read, 1 row written
--   SEARCH orchestrators USING PRIMARY KEY (id=? AND scope=?)
--   SCALAR SUBQUERY 1
--     SEARCH orchestrators USING PRIMARY KEY (id=?)
UPDATE orchestrators
SET status = :status
WHERE id = :id
  AND scope = coalesce(:scope, (SELECT max(scope) FROM orchestrators WHERE id = :id HAVING count(*) = 1))
RETURNING *;

-- named
-- 51 characters, 1 parameter, 1 row read, 0 rows written
--   SEARCH orchestrators USING PRIMARY KEY (id=?)
SELECT 1
FROM orchestrators
WHERE id = :id AND true;

-- ======== Sent in special cases only ========

-- named  (names the scope)
-- 58 characters, 2 parameters, 1 row read, 0 rows written
--   SEARCH orchestrators USING PRIMARY KEY (id=? AND scope=?)
SELECT 1
FROM orchestrators
WHERE id = :id AND scope = :scope;
