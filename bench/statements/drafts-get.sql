-- GET /api/v1/drafts/:id
-- 1 round trip, 1 statement: 68 characters, 2 parameters, 1 row read, 0 rows written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- found
-- 68 characters, 2 parameters, 1 row read, 0 rows written
--   SEARCH drafts USING INTEGER PRIMARY KEY (rowid=?)
SELECT *
FROM drafts
WHERE id = :id AND (:scope IS NULL OR scope = :scope);
