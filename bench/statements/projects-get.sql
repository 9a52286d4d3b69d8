-- GET /api/v1/projects/:id
-- 1 round trip, 1 statement: 70 characters, 2 parameters, 1 row read, 0 rows written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- found
-- 70 characters, 2 parameters, 1 row read, 0 rows written
--   SEARCH projects USING PRIMARY KEY (id=?)
SELECT *
FROM projects
WHERE id = :id AND (:scope IS NULL OR scope = :scope);
