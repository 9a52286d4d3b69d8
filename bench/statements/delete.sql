-- DELETE /api/v1/tasks/:id
-- 1 round trip, 12 statements: 6,150 characters, 32 parameters, 35 rows read, 4 rows written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- recorded
-- 246 characters, 4 parameters, 1 row read, 2 rows written
--   SEARCH tasks USING PRIMARY KEY (id=?)
INSERT INTO history (task_id, version, scope, event, from_queue, to_queue, actor, grants, at)
SELECT id, version + 1, scope, 'deleted', queue, NULL, coalesce(:actor, claimed_by), grants, :now
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
-- 521 characters, 5 parameters, 2 rows read, 0 rows written
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   LIST SUBQUERY 3
--     SEARCH dependencies USING PRIMARY KEY (blocker_key=?)
--     SCALAR SUBQUERY 1
--       SEARCH tasks USING PRIMARY KEY (id=?)
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--       CORRELATED SCALAR SUBQUERY 11
--         SEARCH later USING PRIMARY KEY (task_id=? AND version>?)
--     CORRELATED SCALAR SUBQUERY 2
--       SEARCH tasks USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 9
--     USE TEMP B-TREE FOR group_concat(ORDER BY)
--     SEARCH dependencies USING INDEX dependencies_of (task_id=?)
--   CORRELATED SCALAR SUBQUERY 6
--     SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--   CORRELATED SCALAR SUBQUERY 9
--     USE TEMP B-TREE FOR group_concat(ORDER BY)
--     SEARCH dependencies USING INDEX dependencies_of (task_id=?)
--   CORRELATED SCALAR SUBQUERY 7
--     SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--   CORRELATED SCALAR SUBQUERY 7
--     SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
INSERT INTO history (task_id, version, scope, event, from_queue, to_queue, reason, grants, at)
SELECT id, version + 1, scope, iif(waits_for IS NULL, 'unblocked', 'blockers_changed'), queue, queue,
  :because, grants, :now
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

-- counted
-- 340 characters, 1 parameter, 6 rows read, 1 row written
--   MATERIALIZE gone
--     SEARCH tasks USING PRIMARY KEY (id=?)
--     SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--     CORRELATED SCALAR SUBQUERY 4
--       SEARCH later USING PRIMARY KEY (task_id=? AND version>?)
--   SCAN gone
--   MULTI-INDEX OR
--     INDEX 1
--       SEARCH queue_counts USING PRIMARY KEY (scope=?)
--     INDEX 2
--       SEARCH queue_counts USING PRIMARY KEY (scope=?)
UPDATE queue_counts
SET revision = revision + 1,
  counts = json_patch(
    counts, json_object(from_queue, nullif(coalesce(counts ->> ('$."' || from_queue || '"'), 0) - 1, 0))
  )
FROM (
  SELECT scope AS owner, char(31) || project_id AS project, from_queue
  FROM planned
  WHERE id = :id
  LIMIT 1
) AS gone
WHERE scope = gone.owner OR scope = gone.project;

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
-- 999 characters, 3 parameters, 2 rows read, 0 rows written
--   SEARCH dependencies USING PRIMARY KEY (blocker_key=? AND task_id=? AND blocker_id=?)
--   LIST SUBQUERY 21
--     MATERIALIZE affected
--       SETUP
--         SCAN CONSTANT ROW
--       RECURSIVE STEP
--         SCAN affected
--         CORRELATED SCALAR SUBQUERY 2
--           SEARCH tasks USING PRIMARY KEY (id=?)
--           SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--           CORRELATED SCALAR SUBQUERY 12
--             SEARCH later USING PRIMARY KEY (task_id=? AND version>?)
--         SEARCH blocker USING PRIMARY KEY (id=?)
--         SEARCH edge USING PRIMARY KEY (blocker_key=?)
--     SCAN only VIRTUAL TABLE INDEX 1:
--     SCALAR SUBQUERY 4
--       SEARCH dependencies USING PRIMARY KEY (blocker_key=?)
--     SCAN affected
--     SEARCH blocker USING PRIMARY KEY (id=?)
--     SEARCH edge USING PRIMARY KEY (blocker_key=?)
--     CORRELATED SCALAR SUBQUERY 5
--       SEARCH tasks USING PRIMARY KEY (id=?)
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--       CORRELATED SCALAR SUBQUERY 17
--         SEARCH later USING PRIMARY KEY (task_id=? AND version>?)
--   CORRELATED SCALAR SUBQUERY 7
--     SEARCH edge USING INDEX dependencies_of (task_id=? AND blocker_id=?)
--     SEARCH blocker USING PRIMARY KEY (id=?)
--     CORRELATED SCALAR SUBQUERY 19
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--     CORRELATED SCALAR SUBQUERY 19
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
WITH RECURSIVE affected (id) AS (
  SELECT :twin
  UNION
  SELECT waits.task_id
  FROM affected
  CROSS JOIN waits ON waits.blocker = affected.id
  WHERE affected.id = :twin
    OR EXISTS (SELECT 1 FROM planned WHERE planned.id = affected.id AND from_queue <> to_queue)
)
UPDATE dependencies
SET satisfied_at = iif(satisfied_at IS NULL, :now, NULL)
WHERE (blocker_key, task_id, blocker_id) IN (
  SELECT waits.blocker_key, waits.task_id, waits.blocker_id
  FROM json_each(iif(EXISTS (SELECT 1 FROM dependencies WHERE blocker_key = :key), '[1]', '[]')) AS only
  CROSS JOIN affected
  CROSS JOIN waits ON waits.blocker = affected.id
    AND (
      affected.id = :twin
      OR (
        waits.on_failure = 'skip'
        AND EXISTS (SELECT 1 FROM planned WHERE planned.id = affected.id AND from_queue <> to_queue)
      )
    )
)
  AND (satisfied_at IS NULL) = EXISTS (
    SELECT 1
    FROM waits
    WHERE waits.task_id = dependencies.task_id
      AND waits.blocker_id = dependencies.blocker_id
      AND (waits.queue = 'done' OR (waits.on_failure = 'skip' AND waits.queue IN ('failed', 'cancelled')))
  );

-- namedUnblocked
-- 1,170 characters, 3 parameters, 1 row read, 0 rows written
--   MATERIALIZE waiting_for
--     CO-ROUTINE affected
--       SETUP
--         SCAN CONSTANT ROW
--       RECURSIVE STEP
--         SCAN affected
--         CORRELATED SCALAR SUBQUERY 2
--           SEARCH tasks USING PRIMARY KEY (id=?)
--           SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--           CORRELATED SCALAR SUBQUERY 12
--             SEARCH later USING PRIMARY KEY (task_id=? AND version>?)
--         SEARCH blocker USING PRIMARY KEY (id=?)
--         SEARCH edge USING PRIMARY KEY (blocker_key=?)
--     SCAN affected
--     SEARCH blocker USING PRIMARY KEY (id=?)
--     SEARCH edge USING PRIMARY KEY (blocker_key=?)
--     CORRELATED SCALAR SUBQUERY 4
--       SEARCH tasks USING PRIMARY KEY (id=?)
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--       CORRELATED SCALAR SUBQUERY 17
--         SEARCH later USING PRIMARY KEY (task_id=? AND version>?)
--     USE TEMP B-TREE FOR GROUP BY
--     CORRELATED SCALAR SUBQUERY 14
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--     CORRELATED SCALAR SUBQUERY 14
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--   SCAN only VIRTUAL TABLE INDEX 1:
--   SCALAR SUBQUERY 6
--     SEARCH dependencies USING PRIMARY KEY (blocker_key=?)
--   SCAN waiting_for
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 22
--     USE TEMP B-TREE FOR group_concat(ORDER BY)
--     SEARCH dependencies USING INDEX dependencies_of (task_id=?)
--   CORRELATED SCALAR SUBQUERY 19
--     SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--   CORRELATED SCALAR SUBQUERY 22
--     USE TEMP B-TREE FOR group_concat(ORDER BY)
--     SEARCH dependencies USING INDEX dependencies_of (task_id=?)
--   CORRELATED SCALAR SUBQUERY 20
--     SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--   CORRELATED SCALAR SUBQUERY 20
--     SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
WITH RECURSIVE affected (id) AS (
  SELECT :twin
  UNION
  SELECT waits.task_id
  FROM affected
  CROSS JOIN waits ON waits.blocker = affected.id
  WHERE affected.id = :twin
    OR EXISTS (SELECT 1 FROM planned WHERE planned.id = affected.id AND from_queue <> to_queue)
),
  waiting_for (id, because) AS (
    SELECT waits.task_id,
      min(
        'Task ' || affected.id || CASE waits.queue
          WHEN 'done' THEN ' is done.'
          WHEN 'failed' THEN ' failed.'
          WHEN 'cancelled' THEN ' was cancelled.'
          ELSE ' is in ' || waits.queue || ' again.'
        END
      )
    FROM affected
    CROSS JOIN waits ON waits.blocker = affected.id
      AND (
        affected.id = :twin
        OR (
          waits.on_failure = 'skip'
          AND EXISTS (SELECT 1 FROM planned WHERE planned.id = affected.id AND from_queue <> to_queue)
        )
      )
    GROUP BY waits.task_id
  )
INSERT INTO history (task_id, version, scope, event, from_queue, to_queue, reason, grants, at)
SELECT foreseen.id, version + 1, scope, iif(waits_for IS NULL, 'unblocked', 'blockers_changed'), queue, queue,
  because, grants, :now
FROM json_each(iif(EXISTS (SELECT 1 FROM dependencies WHERE blocker_key = :key), '[1]', '[]')) AS only
CROSS JOIN waiting_for
CROSS JOIN foreseen ON foreseen.id = waiting_for.id
WHERE blocked_by IS NOT waits_for;

-- namedDependents
-- 1,379 characters, 3 parameters, 3 rows read, 0 rows written
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   LIST SUBQUERY 7
--     MATERIALIZE affected
--       SETUP
--         SCAN CONSTANT ROW
--       RECURSIVE STEP
--         SCAN affected
--         CORRELATED SCALAR SUBQUERY 2
--           SEARCH tasks USING PRIMARY KEY (id=?)
--           SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--           CORRELATED SCALAR SUBQUERY 15
--             SEARCH later USING PRIMARY KEY (task_id=? AND version>?)
--         SEARCH blocker USING PRIMARY KEY (id=?)
--         SEARCH edge USING PRIMARY KEY (blocker_key=?)
--     SCAN only VIRTUAL TABLE INDEX 1:
--     SCALAR SUBQUERY 6
--       SEARCH dependencies USING PRIMARY KEY (blocker_key=?)
--     SCAN affected
--   REUSE LIST SUBQUERY 7
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--   CORRELATED SCALAR SUBQUERY 10
--     SEARCH later USING PRIMARY KEY (task_id=? AND version>?)
--   CORRELATED SCALAR SUBQUERY 4
--     USE TEMP B-TREE FOR group_concat(ORDER BY)
--     SEARCH dependencies USING INDEX dependencies_of (task_id=?)
--   CORRELATED SCALAR SUBQUERY 5
--     SEARCH history USING PRIMARY KEY (task_id=? AND version=?)
WITH RECURSIVE affected (id) AS (
  SELECT :twin
  UNION
  SELECT waits.task_id
  FROM affected
  CROSS JOIN waits ON waits.blocker = affected.id
  WHERE affected.id = :twin
    OR EXISTS (SELECT 1 FROM planned WHERE planned.id = affected.id AND from_queue <> to_queue)
)
UPDATE tasks
SET version = planned.version, queue = to_queue,
  blocked_by = (
    SELECT group_concat(blocker_id, ',' ORDER BY position)
    FROM dependencies
    WHERE task_id = tasks.id AND satisfied_at IS NULL
  ),
  updated_at = iif(queue = to_queue, updated_at, :now),
  lapsed_token = iif(queue = to_queue, lapsed_token, NULL),
  available_at = iif(queue = to_queue, available_at, NULL),
  completed_at = iif(queue = to_queue, completed_at, NULL),
  needs_intervention = iif(queue = to_queue, needs_intervention, 0),
  failure_reason = CASE
    WHEN queue = to_queue THEN failure_reason
    WHEN tasks.bytes > 1600000 THEN NULL
    ELSE (SELECT reason FROM history WHERE task_id = tasks.id AND history.version = tasks.version + 1)
  END
FROM planned
WHERE planned.id = tasks.id
  AND tasks.id IN (
    SELECT affected.id
    FROM json_each(iif(EXISTS (SELECT 1 FROM dependencies WHERE blocker_key = :key), '[1]', '[]')) AS only
    CROSS JOIN affected
  )
  AND NOT tasks.id = :twin
RETURNING id, scope, version, claimed_by, fencing_token, queue,
  CASE
    WHEN queue = 'failed' AND updated_at = :now THEN 'dependency_failed'
    WHEN blocked_by IS NULL THEN 'unblocked'
    ELSE 'blocked'
  END AS event;
