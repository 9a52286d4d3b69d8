-- GET /api/v1/projects/:id
-- 1 round trip, 1 statement: 366 characters, 2 parameters, 2 rows read, 0 rows written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- found
-- 366 characters, 2 parameters, 2 rows read, 0 rows written
--   SEARCH projects USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 1
--     SEARCH queue_counts USING PRIMARY KEY (scope=?)
--   CORRELATED SCALAR SUBQUERY 3
--     CO-ROUTINE (subquery-2)
--       SEARCH tasks USING INDEX tasks_project (project_id=?)
--       USE TEMP B-TREE FOR GROUP BY
--     SCAN (subquery-2)
SELECT *,
  coalesce(
    (SELECT counts FROM queue_counts WHERE queue_counts.scope = char(31) || projects.id),
    (
      SELECT json_group_object(queue, n)
      FROM (
        SELECT queue, count(*) AS n
        FROM tasks INDEXED BY tasks_project
        WHERE project_id = projects.id AND tasks.scope = projects.scope
        GROUP BY queue
      )
    )
  ) AS counts
FROM projects
WHERE id = :id AND (:scope IS NULL OR scope = :scope);
