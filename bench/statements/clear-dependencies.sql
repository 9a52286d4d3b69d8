-- DELETE /api/v1/tasks/:id/dependencies
-- 2 round trips, 7 statements: 2,423 characters, 16 parameters, 31 rows read, 6 rows written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- rows
-- 67 characters, 2 parameters, 1 row read, 0 rows written
--   SEARCH tasks USING PRIMARY KEY (id=?)
SELECT *
FROM tasks
WHERE id = :id AND (:scope IS NULL OR scope = :scope);

-- listed
-- 382 characters, 1 parameter, 5 rows read, 0 rows written, sent 2 times
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

-- recorded
-- 760 characters, 7 parameters, 2 rows read, 2 rows written
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   SCALAR SUBQUERY 4
--     CO-ROUTINE below
--       SETUP
--         SCAN CONSTANT ROW
--       RECURSIVE STEP
--         SCAN below
--         SEARCH edge USING PRIMARY KEY (blocker_key=?)
--     SCAN below
--     SCAN given VIRTUAL TABLE INDEX 1:
--   CORRELATED SCALAR SUBQUERY 1
--     SEARCH queue_counts USING PRIMARY KEY (scope=?)
INSERT INTO history (
  task_id, version, scope, seq, event, from_queue, to_queue, actor, details, grants, at, title, project_id
)
SELECT id, version + 1, scope, (SELECT seq + 1 FROM queue_counts WHERE queue_counts.scope = tasks.scope),
  'dependencies_changed', queue, queue, coalesce(:actor, claimed_by), :details, grants, :now, title,
  project_id
FROM tasks
WHERE id = :id
  AND version = :version
  AND (
    :added = '[]'
    OR NOT EXISTS (
      WITH RECURSIVE below (id) AS (
        SELECT :id
        UNION
        SELECT edge.task_id
        FROM below
        CROSS JOIN dependencies AS edge ON edge.blocker_key = replace(below.id, 'TASK-', '')
          AND edge.blocker_id IN (below.id, 'TASK-' || below.id)
          AND edge.scope = :scope
      )
      SELECT 1
      FROM below
      CROSS JOIN json_each(:added) AS given
      WHERE given.value IN (below.id, 'TASK-' || below.id)
    )
  );

-- dependenciesRemoved
-- 159 characters, 2 parameters, 6 rows read, 1 row written
--   SEARCH dependencies USING INDEX dependencies_of (task_id=?)
--   LIST SUBQUERY 2
--     SCAN json_each VIRTUAL TABLE INDEX 1:
--     CREATE BLOOM FILTER
--   SCALAR SUBQUERY 1
--     SEARCH tasks USING PRIMARY KEY (id=?)
--     SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--     CORRELATED SCALAR SUBQUERY 4
--       SEARCH later USING PRIMARY KEY (task_id=? AND version>?)
DELETE
FROM dependencies
WHERE task_id = :id
  AND EXISTS (SELECT 1 FROM planned WHERE planned.id = :id)
  AND blocker_id NOT IN (SELECT value FROM json_each(:blockers));

-- changed
-- 367 characters, 2 parameters, 8 rows read, 2 rows written
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--   CORRELATED SCALAR SUBQUERY 4
--     SEARCH later USING PRIMARY KEY (task_id=? AND version>?)
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 5
--     USE TEMP B-TREE FOR group_concat(ORDER BY)
--     SEARCH dependencies USING INDEX dependencies_of (task_id=?)
--   CORRELATED SCALAR SUBQUERY 6
--     SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
UPDATE tasks
SET version = task.version, updated_at = :now, queue = task.queue, blocked_by = task.blocked_by,
  lapsed_token = task.lapsed_token, available_at = task.available_at, completed_at = task.completed_at,
  needs_intervention = task.needs_intervention, failure_reason = task.failure_reason
FROM following AS task
WHERE tasks.id = :id AND task.id = :id
RETURNING *;

-- counted
-- 306 characters, 1 parameter, 8 rows read, 1 row written
--   SEARCH counter USING PRIMARY KEY (scope=?)
--   SCAN json_each VIRTUAL TABLE INDEX 1:
--   CORRELATED SCALAR SUBQUERY 4
--     CO-ROUTINE (subquery-5)
--       SEARCH history USING INDEX history_feed (scope=? AND seq>?)
--       SCAN owner VIRTUAL TABLE INDEX 1:
--       USE TEMP B-TREE FOR GROUP BY
--     SCAN (subquery-5)
--   SEARCH queue_counts USING PRIMARY KEY (scope=?)
--   CORRELATED SCALAR SUBQUERY 6
--     CO-ROUTINE (subquery-7)
--       SCAN json_tree VIRTUAL TABLE INDEX 1:
--       USE TEMP B-TREE FOR GROUP BY
--     SCAN (subquery-7)
--   CORRELATED SCALAR SUBQUERY 8
--     CO-ROUTINE (subquery-9)
--       SCAN json_each VIRTUAL TABLE INDEX 1:
--       USE TEMP B-TREE FOR GROUP BY
--     SCAN (subquery-9)
INSERT INTO queue_counts (scope, seq, counts, events, lives)
SELECT owner, seq, counts, events, lives
FROM counts_after AS after
WHERE after.scope = :scope
ON CONFLICT (scope)
DO UPDATE SET revision = revision + 1, seq = excluded.seq, counts = excluded.counts, events = excluded.events,
  lives = excluded.lives;
