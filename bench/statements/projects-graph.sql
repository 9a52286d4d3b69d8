-- GET /api/v1/projects/:id/graph
-- 1 round trip, 4 statements: 1,796 characters, 8 parameters, 1 row read, 0 rows written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- known
-- 71 characters, 2 parameters, 1 row read, 0 rows written
--   SEARCH projects USING PRIMARY KEY (id=?)
SELECT id
FROM projects
WHERE id = :id AND (:scope IS NULL OR scope = :scope);

-- tasks
-- 374 characters, 2 parameters, 0 rows read, 0 rows written
--   SEARCH tasks USING INDEX tasks_project (project_id=?)
--   SCALAR SUBQUERY 1
--     SEARCH projects USING PRIMARY KEY (id=?)
SELECT tasks.id AS task_id, CAST(substr(CAST(title AS BLOB), 1, 1504) AS TEXT) AS title, queue, claimed_by,
  CAST(substr(CAST(blocked_by AS BLOB), 1, 2004) AS TEXT) AS blocked_by
FROM tasks INDEXED BY tasks_project
WHERE project_id = :id
  AND scope = (SELECT scope FROM projects WHERE id = :id AND (:scope IS NULL OR scope = :scope))
ORDER BY priority_rank, created_at, id
LIMIT 501;

-- edges
-- 417 characters, 2 parameters, 0 rows read, 0 rows written
--   CO-ROUTINE member
--     SEARCH tasks USING INDEX tasks_project (project_id=?)
--     SCALAR SUBQUERY 1
--       SEARCH projects USING PRIMARY KEY (id=?)
--   SCAN member
--   SEARCH edge USING INDEX dependencies_of (task_id=?)
SELECT edge.task_id, edge.blocker_id, edge.on_failure, edge.satisfied_at, edge.scope
FROM (
  SELECT id, scope
  FROM tasks INDEXED BY tasks_project
  WHERE project_id = :id
    AND scope = (SELECT scope FROM projects WHERE id = :id AND (:scope IS NULL OR scope = :scope))
  ORDER BY priority_rank, created_at, id
  LIMIT 500
) AS member
CROSS JOIN dependencies AS edge ON edge.task_id = member.id AND edge.scope = member.scope
LIMIT 2001;

-- blockers
-- 934 characters, 2 parameters, 0 rows read, 0 rows written
--   CO-ROUTINE named
--     CO-ROUTINE wait
--       CO-ROUTINE member
--         SEARCH tasks USING INDEX tasks_project (project_id=?)
--         SCALAR SUBQUERY 1
--           SEARCH projects USING PRIMARY KEY (id=?)
--       SCAN member
--       SEARCH edge USING INDEX dependencies_of (task_id=?)
--     SCAN wait
--     SCAN name VIRTUAL TABLE INDEX 1:
--     USE TEMP B-TREE FOR DISTINCT
--   SCAN named
--   SEARCH tasks USING PRIMARY KEY (id=?)
SELECT tasks.id AS task_id, CAST(substr(CAST(title AS BLOB), 1, 1504) AS TEXT) AS title, queue, claimed_by,
  CAST(substr(CAST(blocked_by AS BLOB), 1, 2004) AS TEXT) AS blocked_by, project_id IS :id AS of_project
FROM (
  SELECT DISTINCT name.value AS id, wait.scope
  FROM (
    SELECT edge.task_id, edge.blocker_id, edge.on_failure, edge.satisfied_at, edge.scope
    FROM (
      SELECT id, scope
      FROM tasks INDEXED BY tasks_project
      WHERE project_id = :id
        AND scope = (SELECT scope FROM projects WHERE id = :id AND (:scope IS NULL OR scope = :scope))
      ORDER BY priority_rank, created_at, id
      LIMIT 500
    ) AS member
    CROSS JOIN dependencies AS edge ON edge.task_id = member.id AND edge.scope = member.scope
    LIMIT 2001
  ) AS wait
  CROSS JOIN json_each(
    json_array(wait.blocker_id, iif(wait.blocker_id GLOB 'TASK-*', substr(wait.blocker_id, 6), NULL))
  ) AS name
  WHERE name.value IS NOT NULL
) AS named
CROSS JOIN tasks ON tasks.id = named.id AND tasks.scope = named.scope;
