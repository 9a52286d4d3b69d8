-- DELETE /api/v1/drafts/:id
-- 1 round trip, 2 statements: 323 characters, 4 parameters, 3 rows read, 2 rows written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- counted
-- 244 characters, 2 parameters, 1 row read, 1 row written
--   SEARCH drafts USING INTEGER PRIMARY KEY (rowid=?)
INSERT INTO queue_counts (scope, counts, drafts_revision)
SELECT scope, '{}', 1
FROM drafts
WHERE id = :id AND (:scope IS NULL OR scope = :scope)
ON CONFLICT (scope)
DO UPDATE SET drafts_revision = drafts_revision + 1, drafts_total = drafts_total - 1;

-- deleted
-- 79 characters, 2 parameters, 2 rows read, 1 row written
--   SEARCH drafts USING INTEGER PRIMARY KEY (rowid=?)
DELETE
FROM drafts
WHERE id = :id AND (:scope IS NULL OR scope = :scope)
RETURNING id;
