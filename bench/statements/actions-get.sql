-- GET /api/v1/actions/:id
-- 1 round trip, 1 statement: 69 characters, 2 parameters, 1 row read, 0 rows written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- found
-- 69 characters, 2 parameters, 1 row read, 0 rows written
--   SEARCH actions USING INDEX sqlite_autoindex_actions_1 (id=?)
SELECT *
FROM actions
WHERE id = :id AND (:scope IS NULL OR scope = :scope);
