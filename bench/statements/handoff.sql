-- GET /api/v1/tasks/:id/handoff
-- 1 round trip, 1 statement: 73 characters, 2 parameters, 1 row read, 0 rows written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- task
-- 73 characters, 2 parameters, 1 row read, 0 rows written
--   SEARCH tasks USING PRIMARY KEY (id=?)
SELECT tasks.*
FROM tasks
WHERE id = :id AND (:scope IS NULL OR scope = :scope);
