-- DELETE /api/v1/tasks/:id
-- 1 round trip, 12 statements: 4,686 characters, 32 parameters, 47 rows read, 5 rows written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- recorded
-- 364 characters, 4 parameters, 2 rows read, 3 rows written
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 1
--     SEARCH queue_counts USING PRIMARY KEY (scope=?)
INSERT INTO history (
  task_id, version, scope, seq, event, from_queue, to_queue, actor, grants, at, title, project_id
)
SELECT id, version + 1, scope, (SELECT seq + 1 FROM queue_counts WHERE queue_counts.scope = tasks.scope),
  'deleted', queue, NULL, coalesce(:actor, claimed_by), grants, :now, title, project_id
FROM tasks
WHERE id = :id AND (:scope IS NULL OR scope = :scope);

-- satisfied
-- 282 characters, 4 parameters, 1 row read, 0 rows written
--   SEARCH dependencies USING PRIMARY KEY (blocker_key=?)
--   SCALAR SUBQUERY 1
--     SEARCH tasks USING PRIMARY KEY (id=?)
--     SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--     CORRELATED SCALAR SUBQUERY 4
--       SEARCH later USING PRIMARY KEY (task_id=? AND version>?)
--   CORRELATED SCALAR SUBQUERY 2
--     SEARCH tasks USING PRIMARY KEY (id=?)
UPDATE dependencies
SET satisfied_at = :now
WHERE satisfied_at IS NULL
  AND blocker_key = :key
  AND scope = (SELECT scope FROM planned WHERE id = :id)
  AND (
    blocker_id = :id
    OR (
      blocker_id = :twin
      AND NOT EXISTS (SELECT 1 FROM tasks WHERE id = :twin AND +tasks.scope = dependencies.scope)
    )
  );

-- unblockedRecorded
-- 646 characters, 5 parameters, 3 rows read, 0 rows written
--   CO-ROUTINE (subquery-15)
--     SEARCH tasks USING PRIMARY KEY (id=?)
--     LIST SUBQUERY 4
--       SEARCH dependencies USING PRIMARY KEY (blocker_key=?)
--       SCALAR SUBQUERY 2
--         SEARCH tasks USING PRIMARY KEY (id=?)
--         SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--         CORRELATED SCALAR SUBQUERY 14
--           SEARCH later USING PRIMARY KEY (task_id=? AND version>?)
--       CORRELATED SCALAR SUBQUERY 3
--         SEARCH tasks USING PRIMARY KEY (id=?)
--     CORRELATED SCALAR SUBQUERY 10
--       USE TEMP B-TREE FOR group_concat(ORDER BY)
--       SEARCH dependencies USING INDEX dependencies_of (task_id=?)
--     CORRELATED SCALAR SUBQUERY 7
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--     CORRELATED SCALAR SUBQUERY 10
--       USE TEMP B-TREE FOR group_concat(ORDER BY)
--       SEARCH dependencies USING INDEX dependencies_of (task_id=?)
--     CORRELATED SCALAR SUBQUERY 8
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--   SCAN (subquery-15)
--   CORRELATED SCALAR SUBQUERY 1
--     SEARCH counter USING PRIMARY KEY (scope=?)
--     CORRELATED SCALAR SUBQUERY 12
--       SEARCH history USING COVERING INDEX history_feed (scope=? AND seq>?)
INSERT INTO history (
  task_id, version, scope, seq, event, from_queue, to_queue, reason, grants, at, title, project_id
)
SELECT id, version + 1, scope,
  (SELECT last FROM feed WHERE feed.scope = foreseen.scope) + row_number() OVER (),
  iif(waits_for IS NULL, 'unblocked', 'blockers_changed'), queue, queue, :because, grants, :now, title,
  project_id
FROM foreseen
WHERE id IN (
  SELECT task_id
  FROM dependencies
  WHERE blocker_key = :key
    AND scope = (SELECT scope FROM planned WHERE id = :id)
    AND (
      blocker_id = :id
      OR (
        blocker_id = :twin
        AND NOT EXISTS (SELECT 1 FROM tasks WHERE id = :twin AND +tasks.scope = dependencies.scope)
      )
    )
)
  AND blocked_by IS NOT waits_for;

-- unblocked
-- 571 characters, 3 parameters, 3 rows read, 0 rows written
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   LIST SUBQUERY 4
--     SEARCH dependencies USING PRIMARY KEY (blocker_key=?)
--     SCALAR SUBQUERY 2
--       SEARCH tasks USING PRIMARY KEY (id=?)
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--       CORRELATED SCALAR SUBQUERY 9
--         SEARCH later USING PRIMARY KEY (task_id=? AND version>?)
--     CORRELATED SCALAR SUBQUERY 3
--       SEARCH tasks USING PRIMARY KEY (id=?)
--   REUSE LIST SUBQUERY 4
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--   CORRELATED SCALAR SUBQUERY 7
--     SEARCH later USING PRIMARY KEY (task_id=? AND version>?)
--   CORRELATED SCALAR SUBQUERY 1
--     USE TEMP B-TREE FOR group_concat(ORDER BY)
--     SEARCH dependencies USING INDEX dependencies_of (task_id=?)
UPDATE tasks
SET version = planned.version,
  blocked_by = (
    SELECT group_concat(blocker_id, ',' ORDER BY position)
    FROM dependencies
    WHERE task_id = tasks.id AND satisfied_at IS NULL
  )
FROM planned
WHERE planned.id = tasks.id
  AND tasks.id <> :id
  AND tasks.id IN (
    SELECT task_id
    FROM dependencies
    WHERE blocker_key = :key
      AND scope = (SELECT scope FROM planned WHERE id = :id)
      AND (
        blocker_id = :id
        OR (
          blocker_id = :twin
          AND NOT EXISTS (SELECT 1 FROM tasks WHERE id = :twin AND +tasks.scope = dependencies.scope)
        )
      )
  )
RETURNING id, scope, queue, version, claimed_by, fencing_token;

-- dependenciesOnIt
-- 239 characters, 3 parameters, 1 row read, 0 rows written
--   SEARCH dependencies USING PRIMARY KEY (blocker_key=?)
--   SCALAR SUBQUERY 1
--     SEARCH tasks USING PRIMARY KEY (id=?)
--     SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--     CORRELATED SCALAR SUBQUERY 4
--       SEARCH later USING PRIMARY KEY (task_id=? AND version>?)
--   CORRELATED SCALAR SUBQUERY 2
--     SEARCH tasks USING PRIMARY KEY (id=?)
DELETE
FROM dependencies
WHERE blocker_key = :key
  AND scope = (SELECT scope FROM planned WHERE id = :id)
  AND (
    blocker_id = :id
    OR (
      blocker_id = :twin
      AND NOT EXISTS (SELECT 1 FROM tasks WHERE id = :twin AND +tasks.scope = dependencies.scope)
    )
  );

-- dependenciesOfIt
-- 102 characters, 1 parameter, 1 row read, 0 rows written
--   SEARCH dependencies USING INDEX dependencies_of (task_id=?)
--   SCALAR SUBQUERY 1
--     SEARCH tasks USING PRIMARY KEY (id=?)
--     SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--     CORRELATED SCALAR SUBQUERY 3
--       SEARCH later USING PRIMARY KEY (task_id=? AND version>?)
DELETE
FROM dependencies
WHERE task_id = :id AND EXISTS (SELECT 1 FROM planned WHERE planned.id = :id);

-- withdrawn
-- 220 characters, 1 parameter, 7 rows read, 0 rows written
--   SEARCH actions USING INDEX actions_about (scope=? AND entity_type=? AND entity_id=?)
--   LIST SUBQUERY 5
--     SEARCH tasks USING PRIMARY KEY (id=?)
--     LIST SUBQUERY 1
--       SEARCH tasks USING PRIMARY KEY (id=?)
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--       CORRELATED SCALAR SUBQUERY 4
--         SEARCH later USING PRIMARY KEY (task_id=? AND version>?)
UPDATE actions
SET status = 'expired'
WHERE status IN ('proposed', 'execute_requested')
  AND entity_type = 'task'
  AND (scope, entity_id) IN (SELECT scope, id FROM tasks WHERE id IN (SELECT id FROM planned WHERE id = :id));

-- removed
-- 81 characters, 1 parameter, 7 rows read, 1 row written
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   LIST SUBQUERY 1
--     SEARCH tasks USING PRIMARY KEY (id=?)
--     SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--     CORRELATED SCALAR SUBQUERY 3
--       SEARCH later USING PRIMARY KEY (task_id=? AND version>?)
DELETE
FROM tasks
WHERE id IN (SELECT id FROM planned WHERE id = :id)
RETURNING *;

-- namedSatisfied
-- 440 characters, 3 parameters, 2 rows read, 0 rows written
--   SEARCH dependencies USING PRIMARY KEY (blocker_key=? AND task_id=? AND blocker_id=?)
--   LIST SUBQUERY 12
--     CO-ROUTINE (subquery-1)
--       SEARCH dependencies USING PRIMARY KEY (blocker_key=?)
--     SCAN (subquery-1)
--     SEARCH blocker USING PRIMARY KEY (id=?)
--     SEARCH edge USING PRIMARY KEY (blocker_key=?)
--   CORRELATED SCALAR SUBQUERY 3
--     SEARCH edge USING INDEX dependencies_of (task_id=? AND blocker_id=?)
--     SEARCH blocker USING PRIMARY KEY (id=?)
--     CORRELATED SCALAR SUBQUERY 10
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--     CORRELATED SCALAR SUBQUERY 10
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
UPDATE dependencies
SET satisfied_at = iif(satisfied_at IS NULL, :now, NULL)
WHERE (blocker_key, task_id, blocker_id) IN (
  SELECT blocker_key, task_id, blocker_id
  FROM (SELECT 1 FROM dependencies WHERE blocker_key = :key LIMIT 1)
  CROSS JOIN waits AS touched
  WHERE touched.blocker = :twin
)
  AND (satisfied_at IS NULL) = EXISTS (
    SELECT 1
    FROM waits
    WHERE waits.task_id = dependencies.task_id AND waits.blocker_id = dependencies.blocker_id AND met
  );

-- namedUnblocked
-- 602 characters, 3 parameters, 3 rows read, 0 rows written
--   CO-ROUTINE (subquery-16)
--     CO-ROUTINE (subquery-3)
--       CO-ROUTINE (subquery-2)
--         SEARCH dependencies USING PRIMARY KEY (blocker_key=?)
--       SCAN (subquery-2)
--       SEARCH blocker USING PRIMARY KEY (id=?)
--       SEARCH edge USING PRIMARY KEY (blocker_key=?)
--       USE TEMP B-TREE FOR GROUP BY
--       CORRELATED SCALAR SUBQUERY 7
--         SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--       CORRELATED SCALAR SUBQUERY 7
--         SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--     SCAN (subquery-3)
--     SEARCH tasks USING PRIMARY KEY (id=?)
--     CORRELATED SCALAR SUBQUERY 13
--       USE TEMP B-TREE FOR group_concat(ORDER BY)
--       SEARCH dependencies USING INDEX dependencies_of (task_id=?)
--     CORRELATED SCALAR SUBQUERY 10
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--     CORRELATED SCALAR SUBQUERY 13
--       USE TEMP B-TREE FOR group_concat(ORDER BY)
--       SEARCH dependencies USING INDEX dependencies_of (task_id=?)
--     CORRELATED SCALAR SUBQUERY 11
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--   SCAN (subquery-16)
--   CORRELATED SCALAR SUBQUERY 1
--     SEARCH counter USING PRIMARY KEY (scope=?)
--     CORRELATED SCALAR SUBQUERY 15
--       SEARCH history USING COVERING INDEX history_feed (scope=? AND seq>?)
INSERT INTO history (
  task_id, version, scope, seq, event, from_queue, to_queue, reason, grants, at, title, project_id
)
SELECT id, version + 1, scope, (SELECT last FROM feed WHERE feed.scope = task.scope) + row_number() OVER (),
  iif(waits_for IS NULL, 'unblocked', 'blockers_changed'), queue, queue, because, grants, :now, title,
  project_id
FROM (
  SELECT task_id, min(because) AS because
  FROM (SELECT 1 FROM dependencies WHERE blocker_key = :key LIMIT 1)
  CROSS JOIN waits AS touched
  WHERE touched.blocker = :twin
  GROUP BY task_id
)
CROSS JOIN foreseen AS task ON id = task_id
WHERE blocked_by IS NOT waits_for;

-- namedDependents
-- 759 characters, 3 parameters, 3 rows read, 0 rows written
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   LIST SUBQUERY 3
--     CO-ROUTINE (subquery-1)
--       SEARCH dependencies USING PRIMARY KEY (blocker_key=?)
--     SCAN (subquery-1)
--     SEARCH counter USING PRIMARY KEY (scope=?)
--     SCALAR SUBQUERY 2
--       SEARCH history USING PRIMARY KEY (task_id=?)
--     SEARCH history USING COVERING INDEX history_feed (scope=? AND seq>?)
--     REUSE SUBQUERY 2
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   REUSE LIST SUBQUERY 3
--   SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--   CORRELATED SCALAR SUBQUERY 7
--     SEARCH later USING PRIMARY KEY (task_id=? AND version>?)
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 8
--     USE TEMP B-TREE FOR group_concat(ORDER BY)
--     SEARCH dependencies USING INDEX dependencies_of (task_id=?)
--   CORRELATED SCALAR SUBQUERY 9
--     SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
UPDATE tasks
SET version = task.version, queue = task.queue, blocked_by = task.blocked_by, updated_at = task.updated_at,
  lapsed_token = task.lapsed_token, available_at = task.available_at, completed_at = task.completed_at,
  needs_intervention = task.needs_intervention, failure_reason = task.failure_reason
FROM following AS task
WHERE task.id = tasks.id
  AND tasks.id IN (
    SELECT plans.task_id
    FROM (SELECT 1 FROM dependencies WHERE blocker_key = :key LIMIT 1)
    CROSS JOIN plans
    WHERE plans.scope = (SELECT scope FROM history WHERE task_id = :id ORDER BY version DESC LIMIT 1)
  )
RETURNING id, scope, version, claimed_by, fencing_token, queue,
  iif(
    queue = 'failed' AND updated_at = :now,
    'dependency_failed',
    iif(blocked_by IS NULL, 'unblocked', 'blocked')
  ) AS event;

-- counted
-- 380 characters, 1 parameter, 14 rows read, 1 row written
--   SEARCH counter USING PRIMARY KEY (scope=?)
--   SCALAR SUBQUERY 1
--     SEARCH history USING PRIMARY KEY (task_id=?)
--   SCAN json_each VIRTUAL TABLE INDEX 1:
--   CORRELATED SCALAR SUBQUERY 5
--     CO-ROUTINE (subquery-6)
--       SEARCH history USING INDEX history_feed (scope=? AND seq>?)
--       SCAN owner VIRTUAL TABLE INDEX 1:
--       USE TEMP B-TREE FOR GROUP BY
--     SCAN (subquery-6)
--   SEARCH queue_counts USING PRIMARY KEY (scope=?)
--   CORRELATED SCALAR SUBQUERY 7
--     CO-ROUTINE (subquery-8)
--       SCAN json_tree VIRTUAL TABLE INDEX 1:
--       USE TEMP B-TREE FOR GROUP BY
--     SCAN (subquery-8)
--   CORRELATED SCALAR SUBQUERY 9
--     CO-ROUTINE (subquery-10)
--       SCAN json_each VIRTUAL TABLE INDEX 1:
--       USE TEMP B-TREE FOR GROUP BY
--     SCAN (subquery-10)
INSERT INTO queue_counts (scope, seq, counts, events, lives)
SELECT owner, seq, counts, events, lives
FROM counts_after AS after
WHERE after.scope = (SELECT scope FROM history WHERE task_id = :id ORDER BY version DESC LIMIT 1)
ON CONFLICT (scope)
DO UPDATE SET revision = revision + 1, seq = excluded.seq, counts = excluded.counts, events = excluded.events,
  lives = excluded.lives;
