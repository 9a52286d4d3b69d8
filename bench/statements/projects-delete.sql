-- DELETE /api/v1/projects/:id
-- 1 round trip, 5 statements: 826 characters, 9 parameters, 6 rows read, 3 rows written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- counted
-- 316 characters, 2 parameters, 1 row read, 1 row written
--   SEARCH projects USING PRIMARY KEY (id=?)
--   SCALAR SUBQUERY 1
--     SEARCH tasks USING COVERING INDEX tasks_project (project_id=?)
INSERT INTO queue_counts (scope, counts, projects_revision)
SELECT scope, '{}', 1
FROM projects
WHERE id = :id
  AND (:scope IS NULL OR scope = :scope)
  AND NOT EXISTS (SELECT 1 FROM tasks WHERE project_id = :id)
ON CONFLICT (scope)
DO UPDATE SET projects_revision = projects_revision + 1, projects_total = projects_total - 1;

-- deleted
-- 141 characters, 2 parameters, 2 rows read, 1 row written
--   SEARCH projects USING PRIMARY KEY (id=?)
--   SCALAR SUBQUERY 1
--     SEARCH tasks USING COVERING INDEX tasks_project (project_id=?)
--   SEARCH tasks USING INDEX tasks_project (project_id=?)
DELETE
FROM projects
WHERE id = :id
  AND (:scope IS NULL OR scope = :scope)
  AND NOT EXISTS (SELECT 1 FROM tasks WHERE project_id = :id)
RETURNING id;

-- ended
-- 109 characters, 1 parameter, 1 row read, 1 row written
--   SEARCH queue_counts USING PRIMARY KEY (scope=?)
--   SCALAR SUBQUERY 1
--     SEARCH projects USING PRIMARY KEY (id=?)
DELETE
FROM queue_counts
WHERE scope = char(31) || :id AND NOT EXISTS (SELECT 1 FROM projects WHERE id = :id);

-- breakerEnded
-- 131 characters, 2 parameters, 2 rows read, 0 rows written
--   SCAN breakers
--   SCALAR SUBQUERY 1
--     SEARCH projects USING PRIMARY KEY (id=?)
DELETE
FROM breakers
WHERE project_id = :id
  AND (:scope IS NULL OR scope = :scope)
  AND NOT EXISTS (SELECT 1 FROM projects WHERE id = :id);

-- left
-- 129 characters, 2 parameters, 0 rows read, 0 rows written
--   SEARCH projects USING PRIMARY KEY (id=?)
--   SCALAR SUBQUERY 1
--     SEARCH tasks USING COVERING INDEX tasks_project (project_id=?)
SELECT (SELECT count(*) FROM tasks WHERE project_id = :id) AS tasks
FROM projects
WHERE id = :id AND (:scope IS NULL OR scope = :scope);
