-- GET /api/v1/tasks/:id/dependencies
-- 1 round trip, 2 statements: 467 characters, 3 parameters, 2 rows read, 0 rows written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- task
-- 85 characters, 2 parameters, 1 row read, 0 rows written
--   SEARCH tasks USING PRIMARY KEY (id=?)
SELECT version, blocked_by
FROM tasks
WHERE id = :id AND (:scope IS NULL OR scope = :scope);

-- dependencies
-- 382 characters, 1 parameter, 1 row read, 0 rows written
--   SEARCH dependencies USING INDEX dependencies_of (task_id=?)
--   CORRELATED SCALAR SUBQUERY 1
--     SEARCH tasks USING PRIMARY KEY (id=?)
--     USE TEMP B-TREE FOR ORDER BY
--   USE TEMP B-TREE FOR ORDER BY
SELECT blocker_id, on_failure, satisfied_at,
  (
    SELECT queue
    FROM tasks
    WHERE tasks.id IN (
      dependencies.blocker_id,
      iif(dependencies.blocker_id GLOB 'TASK-*', substr(dependencies.blocker_id, 6), NULL)
    )
      AND +tasks.scope = dependencies.scope
    ORDER BY queue = 'done' DESC, tasks.id = dependencies.blocker_id DESC
    LIMIT 1
  ) AS queue
FROM dependencies
WHERE task_id = :id
ORDER BY position;
