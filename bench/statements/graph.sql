-- GET /api/v1/tasks/:id/graph
-- 1 round trip, 4 statements: 3,149 characters, 12 parameters, 18 rows read, 0 rows written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- above
-- 797 characters, 3 parameters, 4 rows read, 0 rows written
--   CO-ROUTINE reached
--     CO-ROUTINE reached
--       SETUP
--         SEARCH tasks USING PRIMARY KEY (id=?)
--       RECURSIVE STEP
--         SCAN reached
--         SEARCH edge USING INDEX dependencies_of (task_id=?)
--         SCAN next VIRTUAL TABLE INDEX 1:
--     SCAN reached
--     USE TEMP B-TREE FOR DISTINCT
--   SCAN reached
--   SEARCH tasks USING PRIMARY KEY (id=?)
WITH RECURSIVE reached (id, scope, depth) AS (
  SELECT id, scope, 0
  FROM tasks
  WHERE id = :id AND (:scope IS NULL OR scope = :scope)
  UNION
  SELECT next.value, reached.scope, reached.depth + 1
  FROM reached
  CROSS JOIN dependencies AS edge ON edge.task_id = reached.id AND edge.scope = reached.scope
  CROSS JOIN json_each(
    json_array(edge.blocker_id, iif(edge.blocker_id GLOB 'TASK-*', substr(edge.blocker_id, 6), NULL))
  ) AS next
  WHERE reached.depth <= :depth
  ORDER BY 3
  LIMIT 1000
)
SELECT tasks.id AS task_id, CAST(substr(CAST(title AS BLOB), 1, 1504) AS TEXT) AS title, queue, claimed_by,
  CAST(substr(CAST(blocked_by AS BLOB), 1, 2004) AS TEXT) AS blocked_by
FROM (SELECT DISTINCT id, scope FROM reached WHERE id IS NOT NULL) AS reached
CROSS JOIN tasks ON tasks.id = reached.id AND tasks.scope = reached.scope;

-- below
-- 755 characters, 3 parameters, 4 rows read, 0 rows written
--   CO-ROUTINE reached
--     CO-ROUTINE reached
--       SETUP
--         SEARCH tasks USING PRIMARY KEY (id=?)
--       RECURSIVE STEP
--         SCAN reached
--         SEARCH edge USING PRIMARY KEY (blocker_key=?)
--     SCAN reached
--     USE TEMP B-TREE FOR DISTINCT
--   SCAN reached
--   SEARCH tasks USING PRIMARY KEY (id=?)
WITH RECURSIVE reached (id, scope, depth) AS (
  SELECT id, scope, 0
  FROM tasks
  WHERE id = :id AND (:scope IS NULL OR scope = :scope)
  UNION
  SELECT edge.task_id, reached.scope, reached.depth + 1
  FROM reached
  CROSS JOIN dependencies AS edge ON edge.blocker_key = replace(reached.id, 'TASK-', '')
    AND edge.blocker_id IN (reached.id, 'TASK-' || reached.id)
    AND edge.scope = reached.scope
  WHERE reached.depth <= :depth
  ORDER BY 3
  LIMIT 1000
)
SELECT tasks.id AS task_id, CAST(substr(CAST(title AS BLOB), 1, 1504) AS TEXT) AS title, queue, claimed_by,
  CAST(substr(CAST(blocked_by AS BLOB), 1, 2004) AS TEXT) AS blocked_by
FROM (SELECT DISTINCT id, scope FROM reached WHERE id IS NOT NULL) AS reached
CROSS JOIN tasks ON tasks.id = reached.id AND tasks.scope = reached.scope;

-- edges
-- 777 characters, 3 parameters, 5 rows read, 0 rows written
--   CO-ROUTINE reached
--     CO-ROUTINE reached
--       SETUP
--         SEARCH tasks USING PRIMARY KEY (id=?)
--       RECURSIVE STEP
--         SCAN reached
--         SEARCH edge USING INDEX dependencies_of (task_id=?)
--         SCAN next VIRTUAL TABLE INDEX 1:
--     SCAN reached
--     USE TEMP B-TREE FOR GROUP BY
--   SCAN reached
--   SEARCH edge USING INDEX dependencies_of (task_id=?)
--   USE TEMP B-TREE FOR DISTINCT
--   USE TEMP B-TREE FOR ORDER BY
WITH RECURSIVE reached (id, scope, depth) AS (
  SELECT id, scope, 0
  FROM tasks
  WHERE id = :id AND (:scope IS NULL OR scope = :scope)
  UNION
  SELECT next.value, reached.scope, reached.depth + 1
  FROM reached
  CROSS JOIN dependencies AS edge ON edge.task_id = reached.id AND edge.scope = reached.scope
  CROSS JOIN json_each(
    json_array(edge.blocker_id, iif(edge.blocker_id GLOB 'TASK-*', substr(edge.blocker_id, 6), NULL))
  ) AS next
  WHERE reached.depth <= :depth
  ORDER BY 3
  LIMIT 1000
)
SELECT DISTINCT edge.task_id, edge.blocker_id, edge.on_failure, edge.satisfied_at
FROM (SELECT id, scope, min(depth) AS depth FROM reached WHERE id IS NOT NULL GROUP BY id) AS reached
CROSS JOIN dependencies AS edge ON edge.task_id = reached.id AND edge.scope = reached.scope
ORDER BY reached.depth
LIMIT 1000;

-- edges
-- 820 characters, 3 parameters, 5 rows read, 0 rows written
--   CO-ROUTINE reached
--     CO-ROUTINE reached
--       SETUP
--         SEARCH tasks USING PRIMARY KEY (id=?)
--       RECURSIVE STEP
--         SCAN reached
--         SEARCH edge USING PRIMARY KEY (blocker_key=?)
--     SCAN reached
--     USE TEMP B-TREE FOR GROUP BY
--   SCAN reached
--   SEARCH edge USING PRIMARY KEY (blocker_key=?)
--   USE TEMP B-TREE FOR DISTINCT
--   USE TEMP B-TREE FOR ORDER BY
WITH RECURSIVE reached (id, scope, depth) AS (
  SELECT id, scope, 0
  FROM tasks
  WHERE id = :id AND (:scope IS NULL OR scope = :scope)
  UNION
  SELECT edge.task_id, reached.scope, reached.depth + 1
  FROM reached
  CROSS JOIN dependencies AS edge ON edge.blocker_key = replace(reached.id, 'TASK-', '')
    AND edge.blocker_id IN (reached.id, 'TASK-' || reached.id)
    AND edge.scope = reached.scope
  WHERE reached.depth <= :depth
  ORDER BY 3
  LIMIT 1000
)
SELECT DISTINCT edge.task_id, edge.blocker_id, edge.on_failure, edge.satisfied_at
FROM (SELECT id, scope, min(depth) AS depth FROM reached WHERE id IS NOT NULL GROUP BY id) AS reached
CROSS JOIN dependencies AS edge ON edge.blocker_key = replace(reached.id, 'TASK-', '')
  AND edge.blocker_id IN (reached.id, 'TASK-' || reached.id)
  AND edge.scope = reached.scope
ORDER BY reached.depth
LIMIT 1000;
