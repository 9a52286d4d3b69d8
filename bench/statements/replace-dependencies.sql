-- PUT /api/v1/tasks/:id/dependencies
-- 2 round trips, 8 statements: 3,217 characters, 19 parameters, 37 rows read, 7 rows written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- rows
-- 67 characters, 2 parameters, 1 row read, 0 rows written
--   SEARCH tasks USING PRIMARY KEY (id=?)
SELECT *
FROM tasks
WHERE id = :id AND (:scope IS NULL OR scope = :scope);

-- listed
-- 382 characters, 1 parameter, 1 row read, 0 rows written, sent 2 times
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
-- 760 characters, 7 parameters, 5 rows read, 2 rows written
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
-- 159 characters, 2 parameters, 1 row read, 0 rows written
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

-- dependencies
-- 794 characters, 3 parameters, 7 rows read, 2 rows written
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--   CORRELATED SCALAR SUBQUERY 4
--     SEARCH later USING PRIMARY KEY (task_id=? AND version>?)
--   SCAN given VIRTUAL TABLE INDEX 1:
--   CORRELATED SCALAR SUBQUERY 1
--     SEARCH tasks USING PRIMARY KEY (id=?)
INSERT INTO dependencies (scope, blocker_key, blocker_id, task_id, position, on_failure, satisfied_at)
SELECT task.scope, given.value ->> 0, given.value ->> 1, task.id, given.key, given.value ->> 2,
  iif(
    EXISTS (
      SELECT 1
      FROM tasks
      WHERE +tasks.scope = task.scope
        AND tasks.id IN (
          given.value ->> 1, iif(given.value ->> 1 GLOB 'TASK-*', substr(given.value ->> 1, 6), NULL)
        )
        AND (
          +tasks.queue = 'done' OR (given.value ->> 2 = 'skip' AND +tasks.queue IN ('failed', 'cancelled'))
        )
    ),
    :now,
    NULL
  )
FROM planned AS task
CROSS JOIN json_each(:waits) AS given
WHERE task.id = :id
ON CONFLICT (blocker_key, task_id, blocker_id)
DO UPDATE SET position = excluded.position, on_failure = excluded.on_failure,
  satisfied_at = iif(excluded.satisfied_at IS NULL, NULL, coalesce(satisfied_at, excluded.satisfied_at));

-- changed
-- 367 characters, 2 parameters, 9 rows read, 2 rows written
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

-- ======== Sent in special cases only ========

-- failed  (graph of layers: change of what the first waits for)
-- 1,333 characters, 3 parameters, 21 rows read, 0 rows written
--   CO-ROUTINE (subquery-68)
--     MATERIALIZE failing
--       SETUP
--         MERGE (UNION)
--           LEFT
--             CO-ROUTINE (subquery-1)
--               SEARCH dependencies USING PRIMARY KEY (blocker_key=?)
--             SCAN (subquery-1)
--             SEARCH counter USING PRIMARY KEY (scope=?)
--             SCALAR SUBQUERY 2
--               SEARCH tasks USING PRIMARY KEY (id=?)
--             SEARCH history USING INDEX history_feed (scope=? AND seq>?)
--             SEARCH blocker USING PRIMARY KEY (id=?)
--             CORRELATED SCALAR SUBQUERY 23
--               SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--             SEARCH edge USING PRIMARY KEY (blocker_key=?)
--             REUSE SUBQUERY 2
--             CORRELATED SCALAR SUBQUERY 24
--               SEARCH other USING PRIMARY KEY (id=?)
--             USE TEMP B-TREE FOR ORDER BY
--           RIGHT
--             CO-ROUTINE (subquery-4)
--               SEARCH dependencies USING COVERING INDEX dependencies_of (task_id=?)
--             SCAN (subquery-4)
--             SEARCH counter USING PRIMARY KEY (scope=?)
--             SCALAR SUBQUERY 5
--               SEARCH tasks USING PRIMARY KEY (id=?)
--             SEARCH history USING COVERING INDEX history_feed (scope=? AND seq>?)
--             REUSE SUBQUERY 5
--             SEARCH tasks EXISTS USING PRIMARY KEY (id=?)
--             SEARCH edge USING INDEX dependencies_of (task_id=? AND blocker_id=?)
--             LIST SUBQUERY 6
--               SCAN json_each VIRTUAL TABLE INDEX 1:
--             SEARCH blocker USING PRIMARY KEY (id=?)
--             CORRELATED SCALAR SUBQUERY 18
--               SEARCH other USING PRIMARY KEY (id=?)
--             CORRELATED SCALAR SUBQUERY 17
--               SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--             USE TEMP B-TREE FOR ORDER BY
--       RECURSIVE STEP
--         SCAN failing
--         SEARCH tasks USING PRIMARY KEY (id=?)
--         CORRELATED SCALAR SUBQUERY 29
--           SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--         CORRELATED SCALAR SUBQUERY 28
--           SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--         SEARCH blocker USING PRIMARY KEY (id=?)
--         SEARCH edge USING PRIMARY KEY (blocker_key=?)
--         CORRELATED SCALAR SUBQUERY 34
--           SEARCH other USING PRIMARY KEY (id=?)
--     SCAN failing
--     SEARCH tasks USING PRIMARY KEY (id=?)
--     CORRELATED SCALAR SUBQUERY 39
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--     CORRELATED SCALAR SUBQUERY 38
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--     CORRELATED SCALAR SUBQUERY 37
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--     CORRELATED SCALAR SUBQUERY 38
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--   SCAN (subquery-68)
--   CORRELATED SCALAR SUBQUERY 10
--     SEARCH counter USING PRIMARY KEY (scope=?)
--     CORRELATED SCALAR SUBQUERY 42
--       SEARCH history USING COVERING INDEX history_feed (scope=? AND seq>?)
--   CORRELATED SCALAR SUBQUERY 12
--     SEARCH edge USING INDEX dependencies_of (task_id=?)
--     SEARCH blocker USING PRIMARY KEY (id=?)
--     CORRELATED SCALAR SUBQUERY 46
--       SEARCH other USING PRIMARY KEY (id=?)
--     CORRELATED SCALAR SUBQUERY 45
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--     LIST SUBQUERY 11
--       SCAN failing
--       CREATE BLOOM FILTER
--     CORRELATED SCALAR SUBQUERY 45
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
WITH RECURSIVE failing (id) AS (
  SELECT task_id
  FROM (SELECT 1 FROM dependencies WHERE blocker_key = replace(:id, 'TASK-', '') LIMIT 1)
  CROSS JOIN touched
  WHERE touched.scope = (SELECT scope FROM tasks WHERE id = :id)
    AND fails
    AND queue IN ('failed', 'cancelled')
  UNION
  SELECT waits.task_id
  FROM (SELECT 1 FROM dependencies WHERE task_id = :id LIMIT 1)
  CROSS JOIN plans
  CROSS JOIN waits ON waits.task_id = plans.task_id
  WHERE plans.scope = (SELECT scope FROM tasks WHERE id = :id)
    AND fails
    AND waits.queue IN ('failed', 'cancelled')
    AND waits.blocker_id IN (SELECT value FROM json_each(:risks))
    AND EXISTS (SELECT 1 FROM tasks WHERE tasks.id = :id AND claimed_by IS NULL)
  UNION
  SELECT task_id
  FROM failing
  CROSS JOIN failable USING (id)
  CROSS JOIN waits ON blocker = id
  WHERE fails
)
INSERT INTO history (
  task_id, version, scope, seq, event, from_queue, to_queue, reason, grants, at, title, project_id
)
SELECT id, version + 1, scope,
  (SELECT last FROM feed WHERE feed.scope = failable.scope) + row_number() OVER (), 'dependency_failed',
  queue, 'failed',
  (
    SELECT min('Blocker ' || blocker || iif(queue = 'cancelled', ' was cancelled.', ' failed.'))
    FROM waits
    WHERE task_id = failable.id AND fails AND (queue IN ('failed', 'cancelled') OR blocker IN failing)
  ),
  grants, :now, title, project_id
FROM failing
CROSS JOIN failable USING (id);

-- satisfied  (graph of layers: change of what the first waits for)
-- 488 characters, 2 parameters, 6 rows read, 0 rows written
--   SEARCH dependencies USING PRIMARY KEY (blocker_key=? AND task_id=? AND blocker_id=?)
--   LIST SUBQUERY 15
--     CO-ROUTINE (subquery-1)
--       SEARCH dependencies USING PRIMARY KEY (blocker_key=?)
--     SCAN (subquery-1)
--     SEARCH counter USING PRIMARY KEY (scope=?)
--     SCALAR SUBQUERY 2
--       SEARCH tasks USING PRIMARY KEY (id=?)
--     SEARCH history USING INDEX history_feed (scope=? AND seq>?)
--     SEARCH blocker USING PRIMARY KEY (id=?)
--     SEARCH edge USING PRIMARY KEY (blocker_key=?)
--     REUSE SUBQUERY 2
--   CORRELATED SCALAR SUBQUERY 4
--     SEARCH edge USING INDEX dependencies_of (task_id=? AND blocker_id=?)
--     SEARCH blocker USING PRIMARY KEY (id=?)
--     CORRELATED SCALAR SUBQUERY 13
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--     CORRELATED SCALAR SUBQUERY 13
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
UPDATE dependencies
SET satisfied_at = iif(satisfied_at IS NULL, :now, NULL)
WHERE (blocker_key, task_id, blocker_id) IN (
  SELECT blocker_key, task_id, blocker_id
  FROM (SELECT 1 FROM dependencies WHERE blocker_key = replace(:id, 'TASK-', '') LIMIT 1)
  CROSS JOIN touched
  WHERE touched.scope = (SELECT scope FROM tasks WHERE id = :id)
)
  AND (satisfied_at IS NULL) = EXISTS (
    SELECT 1
    FROM waits
    WHERE waits.task_id = dependencies.task_id AND waits.blocker_id = dependencies.blocker_id AND met
  );

-- unblocked  (graph of layers: change of what the first waits for)
-- 650 characters, 2 parameters, 7 rows read, 0 rows written
--   CO-ROUTINE (subquery-19)
--     CO-ROUTINE (subquery-4)
--       CO-ROUTINE (subquery-2)
--         SEARCH dependencies USING PRIMARY KEY (blocker_key=?)
--       SCAN (subquery-2)
--       SEARCH counter USING PRIMARY KEY (scope=?)
--       SCALAR SUBQUERY 3
--         SEARCH tasks USING PRIMARY KEY (id=?)
--       SEARCH history USING INDEX history_feed (scope=? AND seq>?)
--       SEARCH blocker USING PRIMARY KEY (id=?)
--       SEARCH edge USING PRIMARY KEY (blocker_key=?)
--       REUSE SUBQUERY 3
--       USE TEMP B-TREE FOR GROUP BY
--       CORRELATED SCALAR SUBQUERY 10
--         SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--       CORRELATED SCALAR SUBQUERY 10
--         SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--     SCAN (subquery-4)
--     SEARCH tasks USING PRIMARY KEY (id=?)
--     CORRELATED SCALAR SUBQUERY 16
--       USE TEMP B-TREE FOR group_concat(ORDER BY)
--       SEARCH dependencies USING INDEX dependencies_of (task_id=?)
--     CORRELATED SCALAR SUBQUERY 13
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--     CORRELATED SCALAR SUBQUERY 16
--       USE TEMP B-TREE FOR group_concat(ORDER BY)
--       SEARCH dependencies USING INDEX dependencies_of (task_id=?)
--     CORRELATED SCALAR SUBQUERY 14
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--   SCAN (subquery-19)
--   CORRELATED SCALAR SUBQUERY 1
--     SEARCH counter USING PRIMARY KEY (scope=?)
--     CORRELATED SCALAR SUBQUERY 18
--       SEARCH history USING COVERING INDEX history_feed (scope=? AND seq>?)
INSERT INTO history (
  task_id, version, scope, seq, event, from_queue, to_queue, reason, grants, at, title, project_id
)
SELECT id, version + 1, scope, (SELECT last FROM feed WHERE feed.scope = task.scope) + row_number() OVER (),
  iif(waits_for IS NULL, 'unblocked', 'blockers_changed'), queue, queue, because, grants, :now, title,
  project_id
FROM (
  SELECT task_id, min(because) AS because
  FROM (SELECT 1 FROM dependencies WHERE blocker_key = replace(:id, 'TASK-', '') LIMIT 1)
  CROSS JOIN touched
  WHERE touched.scope = (SELECT scope FROM tasks WHERE id = :id)
  GROUP BY task_id
)
CROSS JOIN foreseen AS task ON id = task_id
WHERE blocked_by IS NOT waits_for;

-- dependents  (graph of layers: change of what the first waits for)
-- 744 characters, 2 parameters, 10 rows read, 0 rows written
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   LIST SUBQUERY 3
--     CO-ROUTINE (subquery-1)
--       SEARCH dependencies USING PRIMARY KEY (blocker_key=?)
--     SCAN (subquery-1)
--     SEARCH counter USING PRIMARY KEY (scope=?)
--     SCALAR SUBQUERY 2
--       SEARCH tasks USING PRIMARY KEY (id=?)
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
    FROM (SELECT 1 FROM dependencies WHERE blocker_key = replace(:id, 'TASK-', '') LIMIT 1)
    CROSS JOIN plans
    WHERE plans.scope = (SELECT scope FROM tasks WHERE id = :id)
  )
RETURNING id, scope, version, claimed_by, fencing_token, queue,
  iif(
    queue = 'failed' AND updated_at = :now,
    'dependency_failed',
    iif(blocked_by IS NULL, 'unblocked', 'blocked')
  ) AS event;

-- below  (graph of layers: change of what the first waits for, refused)
-- 474 characters, 2 parameters, 1,982 rows read, 0 rows written
--   CO-ROUTINE below
--     SETUP
--       SCAN CONSTANT ROW
--     RECURSIVE STEP
--       SCAN below
--       SEARCH edge USING PRIMARY KEY (blocker_key=?)
--   SCAN below
--   SEARCH edge USING PRIMARY KEY (blocker_key=?)
WITH RECURSIVE below (id) AS (
  SELECT :id
  UNION
  SELECT edge.task_id
  FROM below
  CROSS JOIN dependencies AS edge ON edge.blocker_key = replace(below.id, 'TASK-', '')
    AND edge.blocker_id IN (below.id, 'TASK-' || below.id)
    AND edge.scope = :scope
)
SELECT edge.task_id AS waiter, below.id AS blocker
FROM below
CROSS JOIN dependencies AS edge ON edge.blocker_key = replace(below.id, 'TASK-', '')
  AND edge.blocker_id IN (below.id, 'TASK-' || below.id)
  AND edge.scope = :scope
LIMIT 2000;

-- closing  (graph of layers: change of what the first waits for, refused)
-- 377 characters, 3 parameters, 16 rows read, 0 rows written
--   CO-ROUTINE below
--     SETUP
--       SCAN CONSTANT ROW
--     RECURSIVE STEP
--       SCAN below
--       SEARCH edge USING PRIMARY KEY (blocker_key=?)
--   SCAN below
--   SCAN given VIRTUAL TABLE INDEX 1:
WITH RECURSIVE below (id) AS (
  SELECT :id
  UNION
  SELECT edge.task_id
  FROM below
  CROSS JOIN dependencies AS edge ON edge.blocker_key = replace(below.id, 'TASK-', '')
    AND edge.blocker_id IN (below.id, 'TASK-' || below.id)
    AND edge.scope = :scope
)
SELECT given.value AS blocker
FROM below
CROSS JOIN json_each(:added) AS given
WHERE given.value IN (below.id, 'TASK-' || below.id)
LIMIT 1;
