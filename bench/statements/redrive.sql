-- POST /api/v1/tasks/:id/redrive
-- 1 round trip, 8 statements: 8,114 characters, 21 parameters, 24 rows read, 4 rows written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- recorded
-- 1,051 characters, 9 parameters, 1 row read, 1 row written
--   SEARCH tasks USING PRIMARY KEY (id=?)
INSERT INTO history (task_id, version, scope, event, from_queue, to_queue, actor, reason, details, grants, at)
SELECT id, version + 1, scope, 'redriven', queue, usual, :actor, :excerpt, :details, grants, :now
FROM (
  SELECT *, iif((place IN ('failed', 'cancelled')), destination, '') AS usual
  FROM (
    SELECT id, scope, version, queue, grants, flow, project_id, claimed_by, claimed_from, lapsed_token,
      intervention_from, cancel_requested_at, attempt_count, lease_losses, rejection_count, max_attempts,
      max_rejections,
      CASE
        WHEN queue = 'requires-intervention' THEN iif(
          coalesce(intervention_from, 'claimed') = 'done', 'done', 'claimed'
        )
        ELSE queue
      END AS place,
      iif(
        coalesce(claimed_from, queue) = 'requires-intervention',
        coalesce(intervention_from, 'claimed'),
        coalesce(claimed_from, queue)
      ) AS origin,
      'incoming' AS destination
    FROM tasks
    WHERE id = :id
      AND (:scope IS NULL OR scope = :scope)
      AND (:version IS NULL OR version = :version)
      AND (
        coalesce(fencing_token, lapsed_token) = :token
        OR (:token IS NULL AND (:lenient OR (claimed_by IS NULL)))
      )
  ) AS task
)
WHERE usual NOT IN ('', queue);

-- failed
-- 1,215 characters, 2 parameters, 2 rows read, 0 rows written
--   MATERIALIZE reasons
--     COMPOUND QUERY
--       LEFT-MOST SUBQUERY
--         MATERIALIZE moved
--           SCAN CONSTANT ROW
--         SCAN moved
--         SEARCH blocker USING PRIMARY KEY (id=?)
--         SEARCH edge USING PRIMARY KEY (blocker_key=?)
--         CORRELATED SCALAR SUBQUERY 35
--           SEARCH other USING PRIMARY KEY (id=?)
--         SEARCH tasks USING PRIMARY KEY (id=?)
--         SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--         CORRELATED SCALAR SUBQUERY 37
--           SEARCH later USING PRIMARY KEY (task_id=? AND version>?)
--       UNION ALL
--         CO-ROUTINE reached
--           SETUP
--             SCAN moved
--             SEARCH blocker USING PRIMARY KEY (id=?)
--             SEARCH edge USING PRIMARY KEY (blocker_key=?)
--             CORRELATED SCALAR SUBQUERY 12
--               SEARCH other USING PRIMARY KEY (id=?)
--             SEARCH tasks USING PRIMARY KEY (id=?)
--             SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--             CORRELATED SCALAR SUBQUERY 14
--               SEARCH later USING PRIMARY KEY (task_id=? AND version>?)
--           RECURSIVE STEP
--             SCAN reached
--             SEARCH tasks USING PRIMARY KEY (id=?)
--             CORRELATED SCALAR SUBQUERY 19
--               SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--             CORRELATED SCALAR SUBQUERY 18
--               SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--             SEARCH blocker USING PRIMARY KEY (id=?)
--             SEARCH edge USING PRIMARY KEY (blocker_key=?)
--             CORRELATED SCALAR SUBQUERY 23
--               SEARCH other USING PRIMARY KEY (id=?)
--         SCAN reached
--         SEARCH tasks USING PRIMARY KEY (id=?)
--         CORRELATED SCALAR SUBQUERY 28
--           SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--         CORRELATED SCALAR SUBQUERY 27
--           SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--         SEARCH blocker USING PRIMARY KEY (id=?)
--         SEARCH edge USING PRIMARY KEY (blocker_key=?)
--         CORRELATED SCALAR SUBQUERY 32
--           SEARCH other USING PRIMARY KEY (id=?)
--   SCAN only VIRTUAL TABLE INDEX 1:
--   SCALAR SUBQUERY 7
--     SEARCH dependencies USING PRIMARY KEY (blocker_key=?)
--   SCALAR SUBQUERY 8
--     SEARCH tasks USING PRIMARY KEY (id=?)
--     SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--     CORRELATED SCALAR SUBQUERY 46
--       SEARCH later USING PRIMARY KEY (task_id=? AND version>?)
--   SCAN reasons
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 42
--     SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--   CORRELATED SCALAR SUBQUERY 41
--     SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--   USE TEMP B-TREE FOR GROUP BY
--   CORRELATED SCALAR SUBQUERY 40
--     SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--   CORRELATED SCALAR SUBQUERY 41
--     SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
WITH RECURSIVE moved (id) AS (SELECT :id),
  lost (id, because) AS (
    SELECT waits.task_id, 'Blocker ' || moved.id || iif(to_queue = 'failed', ' failed.', ' was cancelled.')
    FROM moved
    CROSS JOIN waits ON waits.blocker = moved.id
    CROSS JOIN planned ON planned.id = moved.id
    WHERE fails AND to_queue IN ('failed', 'cancelled') AND from_queue <> to_queue
  ),
  reached (id) AS (
    SELECT id
    FROM lost
    UNION
    SELECT waits.task_id
    FROM reached
    CROSS JOIN failable USING (id)
    CROSS JOIN waits ON waits.blocker = reached.id
    WHERE fails
  ),
  reasons (id, because) AS (
    SELECT id, because
    FROM lost
    UNION ALL
    SELECT waits.task_id, 'Blocker ' || reached.id || ' failed.'
    FROM reached
    CROSS JOIN failable USING (id)
    CROSS JOIN waits ON waits.blocker = reached.id
    WHERE fails
  )
INSERT INTO history (task_id, version, scope, event, from_queue, to_queue, reason, grants, at)
SELECT failable.id, version + 1, scope, 'dependency_failed', queue, 'failed', min(because), grants, :now
FROM json_each(
  iif(
    (
      EXISTS (SELECT 1 FROM dependencies WHERE blocker_key = replace(:id, 'TASK-', ''))
      AND EXISTS (SELECT 1 FROM ending WHERE id = :id)
    ),
    '[1]',
    '[]'
  )
) AS only
CROSS JOIN reasons
CROSS JOIN failable ON failable.id = reasons.id
GROUP BY failable.id;

-- satisfied
-- 1,072 characters, 2 parameters, 2 rows read, 0 rows written
--   SEARCH dependencies USING PRIMARY KEY (blocker_key=? AND task_id=? AND blocker_id=?)
--   LIST SUBQUERY 25
--     MATERIALIZE affected
--       SETUP
--         SCAN CONSTANT ROW
--       RECURSIVE STEP
--         SCAN affected
--         CORRELATED SCALAR SUBQUERY 2
--           SEARCH tasks USING PRIMARY KEY (id=?)
--           SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--           CORRELATED SCALAR SUBQUERY 13
--             SEARCH later USING PRIMARY KEY (task_id=? AND version>?)
--         SEARCH blocker USING PRIMARY KEY (id=?)
--         SEARCH edge USING PRIMARY KEY (blocker_key=?)
--     SCAN only VIRTUAL TABLE INDEX 1:
--     SCALAR SUBQUERY 4
--       SEARCH dependencies USING PRIMARY KEY (blocker_key=?)
--     SCALAR SUBQUERY 5
--       SEARCH tasks USING PRIMARY KEY (id=?)
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--       CORRELATED SCALAR SUBQUERY 21
--         SEARCH later USING PRIMARY KEY (task_id=? AND version>?)
--     SCAN affected
--     SEARCH blocker USING PRIMARY KEY (id=?)
--     SEARCH edge USING PRIMARY KEY (blocker_key=?)
--     CORRELATED SCALAR SUBQUERY 6
--       SEARCH tasks USING PRIMARY KEY (id=?)
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--       CORRELATED SCALAR SUBQUERY 18
--         SEARCH later USING PRIMARY KEY (task_id=? AND version>?)
--   CORRELATED SCALAR SUBQUERY 8
--     SEARCH edge USING INDEX dependencies_of (task_id=? AND blocker_id=?)
--     SEARCH blocker USING PRIMARY KEY (id=?)
--     CORRELATED SCALAR SUBQUERY 23
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--     CORRELATED SCALAR SUBQUERY 23
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
WITH RECURSIVE affected (id) AS (
  SELECT :id
  UNION
  SELECT waits.task_id
  FROM affected
  CROSS JOIN waits ON waits.blocker = affected.id
  WHERE affected.id = :id
    OR EXISTS (SELECT 1 FROM planned WHERE planned.id = affected.id AND from_queue <> to_queue)
)
UPDATE dependencies
SET satisfied_at = iif(satisfied_at IS NULL, :now, NULL)
WHERE (blocker_key, task_id, blocker_id) IN (
  SELECT waits.blocker_key, waits.task_id, waits.blocker_id
  FROM json_each(
    iif(
      (
        EXISTS (SELECT 1 FROM dependencies WHERE blocker_key = replace(:id, 'TASK-', ''))
        AND EXISTS (SELECT 1 FROM ending WHERE id = :id)
      ),
      '[1]',
      '[]'
    )
  ) AS only
  CROSS JOIN affected
  CROSS JOIN waits ON waits.blocker = affected.id
    AND (
      affected.id = :id
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

-- unblocked
-- 1,243 characters, 2 parameters, 1 row read, 0 rows written
--   MATERIALIZE waiting_for
--     CO-ROUTINE affected
--       SETUP
--         SCAN CONSTANT ROW
--       RECURSIVE STEP
--         SCAN affected
--         CORRELATED SCALAR SUBQUERY 2
--           SEARCH tasks USING PRIMARY KEY (id=?)
--           SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--           CORRELATED SCALAR SUBQUERY 13
--             SEARCH later USING PRIMARY KEY (task_id=? AND version>?)
--         SEARCH blocker USING PRIMARY KEY (id=?)
--         SEARCH edge USING PRIMARY KEY (blocker_key=?)
--     SCAN affected
--     SEARCH blocker USING PRIMARY KEY (id=?)
--     SEARCH edge USING PRIMARY KEY (blocker_key=?)
--     CORRELATED SCALAR SUBQUERY 4
--       SEARCH tasks USING PRIMARY KEY (id=?)
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--       CORRELATED SCALAR SUBQUERY 18
--         SEARCH later USING PRIMARY KEY (task_id=? AND version>?)
--     USE TEMP B-TREE FOR GROUP BY
--     CORRELATED SCALAR SUBQUERY 15
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--     CORRELATED SCALAR SUBQUERY 15
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--   SCAN only VIRTUAL TABLE INDEX 1:
--   SCALAR SUBQUERY 6
--     SEARCH dependencies USING PRIMARY KEY (blocker_key=?)
--   SCALAR SUBQUERY 7
--     SEARCH tasks USING PRIMARY KEY (id=?)
--     SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--     CORRELATED SCALAR SUBQUERY 26
--       SEARCH later USING PRIMARY KEY (task_id=? AND version>?)
--   SCAN waiting_for
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 23
--     USE TEMP B-TREE FOR group_concat(ORDER BY)
--     SEARCH dependencies USING INDEX dependencies_of (task_id=?)
--   CORRELATED SCALAR SUBQUERY 20
--     SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--   CORRELATED SCALAR SUBQUERY 23
--     USE TEMP B-TREE FOR group_concat(ORDER BY)
--     SEARCH dependencies USING INDEX dependencies_of (task_id=?)
--   CORRELATED SCALAR SUBQUERY 21
--     SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--   CORRELATED SCALAR SUBQUERY 21
--     SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
WITH RECURSIVE affected (id) AS (
  SELECT :id
  UNION
  SELECT waits.task_id
  FROM affected
  CROSS JOIN waits ON waits.blocker = affected.id
  WHERE affected.id = :id
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
        affected.id = :id
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
FROM json_each(
  iif(
    (
      EXISTS (SELECT 1 FROM dependencies WHERE blocker_key = replace(:id, 'TASK-', ''))
      AND EXISTS (SELECT 1 FROM ending WHERE id = :id)
    ),
    '[1]',
    '[]'
  )
) AS only
CROSS JOIN waiting_for
CROSS JOIN foreseen ON foreseen.id = waiting_for.id
WHERE blocked_by IS NOT waits_for;

-- counted
-- 456 characters, 1 parameter, 6 rows read, 1 row written
--   MATERIALIZE moved
--     SEARCH tasks USING PRIMARY KEY (id=?)
--     SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--     CORRELATED SCALAR SUBQUERY 4
--       SEARCH later USING PRIMARY KEY (task_id=? AND version>?)
--   SCAN moved
--   MULTI-INDEX OR
--     INDEX 1
--       SEARCH queue_counts USING PRIMARY KEY (scope=?)
--     INDEX 2
--       SEARCH queue_counts USING PRIMARY KEY (scope=?)
UPDATE queue_counts
SET revision = revision + 1,
  counts = iif(
    from_queue = to_queue,
    counts,
    json_patch(
      counts,
      json_object(
        from_queue,
        nullif(coalesce(counts ->> ('$."' || from_queue || '"'), 0) - 1, 0),
        to_queue,
        coalesce(counts ->> ('$."' || to_queue || '"'), 0) + 1
      )
    )
  )
FROM (
  SELECT scope AS owner, char(31) || project_id AS project, from_queue, to_queue
  FROM planned
  WHERE id = :id
  LIMIT 1
) AS moved
WHERE scope = moved.owner OR scope = moved.project;

-- followersCounted
-- 1,046 characters, 1 parameter, 3 rows read, 0 rows written
--   MATERIALIZE moved
--     SCAN only VIRTUAL TABLE INDEX 1:
--     SCALAR SUBQUERY 8
--       SEARCH dependencies USING PRIMARY KEY (blocker_key=?)
--     SCALAR SUBQUERY 9
--       SEARCH tasks USING PRIMARY KEY (id=?)
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--       CORRELATED SCALAR SUBQUERY 26
--         SEARCH later USING PRIMARY KEY (task_id=? AND version>?)
--     SEARCH tasks USING PRIMARY KEY (id=?)
--     LIST SUBQUERY 11
--       MATERIALIZE affected
--         SETUP
--           SCAN CONSTANT ROW
--         RECURSIVE STEP
--           SCAN affected
--           CORRELATED SCALAR SUBQUERY 2
--             SEARCH tasks USING PRIMARY KEY (id=?)
--             SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--             CORRELATED SCALAR SUBQUERY 21
--               SEARCH later USING PRIMARY KEY (task_id=? AND version>?)
--           SEARCH blocker USING PRIMARY KEY (id=?)
--           SEARCH edge USING PRIMARY KEY (blocker_key=?)
--       SCAN affected
--       CORRELATED SCALAR SUBQUERY 10
--         SEARCH tasks USING PRIMARY KEY (id=?)
--         SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--         CORRELATED SCALAR SUBQUERY 23
--           SEARCH later USING PRIMARY KEY (task_id=? AND version>?)
--     SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--     CORRELATED SCALAR SUBQUERY 16
--       SEARCH later USING PRIMARY KEY (task_id=? AND version>?)
--     SCAN step VIRTUAL TABLE INDEX 1:
--     USE TEMP B-TREE FOR GROUP BY
--   SCAN moved
--   SEARCH queue_counts USING PRIMARY KEY (scope=?)
--   CORRELATED SCALAR SUBQUERY 7
--     CO-ROUTINE (subquery-6)
--       CO-ROUTINE (subquery-5)
--         COMPOUND QUERY
--           LEFT-MOST SUBQUERY
--             SCAN json_each VIRTUAL TABLE INDEX 1:
--           UNION ALL
--             SCAN json_each VIRTUAL TABLE INDEX 1:
--       SCAN (subquery-5)
--       USE TEMP B-TREE FOR GROUP BY
--     SCAN (subquery-6)
WITH RECURSIVE affected (id) AS (
  SELECT :id
  UNION
  SELECT waits.task_id
  FROM affected
  CROSS JOIN waits ON waits.blocker = affected.id
  WHERE affected.id = :id
    OR EXISTS (SELECT 1 FROM planned WHERE planned.id = affected.id AND from_queue <> to_queue)
)
UPDATE queue_counts
SET revision = revision + 1,
  counts = (
    SELECT json_group_object(queue, n)
    FROM (
      SELECT queue, sum(step) AS n
      FROM (
        SELECT key AS queue, value AS step
        FROM json_each(counts)
        UNION ALL
        SELECT value ->> 0, value ->> 1
        FROM json_each(moved.steps)
      )
      GROUP BY queue
      HAVING sum(step) <> 0
    )
  )
FROM (
  SELECT owner, json_group_array(json_array(queue, step)) AS steps
  FROM json_each(
    iif(
      (
        EXISTS (SELECT 1 FROM dependencies WHERE blocker_key = replace(:id, 'TASK-', ''))
        AND EXISTS (SELECT 1 FROM ending WHERE id = :id)
      ),
      '[1]',
      '[]'
    )
  ) AS only
  CROSS JOIN planned_counts
  WHERE planned_counts.id IN (
    SELECT id
    FROM affected
    WHERE NOT id = :id
      AND EXISTS (SELECT 1 FROM planned WHERE planned.id = affected.id AND from_queue <> to_queue)
  )
  GROUP BY owner
) AS moved
WHERE scope = moved.owner;

-- dependents
-- 1,452 characters, 2 parameters, 3 rows read, 0 rows written
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   LIST SUBQUERY 8
--     MATERIALIZE affected
--       SETUP
--         SCAN CONSTANT ROW
--       RECURSIVE STEP
--         SCAN affected
--         CORRELATED SCALAR SUBQUERY 2
--           SEARCH tasks USING PRIMARY KEY (id=?)
--           SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--           CORRELATED SCALAR SUBQUERY 16
--             SEARCH later USING PRIMARY KEY (task_id=? AND version>?)
--         SEARCH blocker USING PRIMARY KEY (id=?)
--         SEARCH edge USING PRIMARY KEY (blocker_key=?)
--     SCAN only VIRTUAL TABLE INDEX 1:
--     SCALAR SUBQUERY 6
--       SEARCH dependencies USING PRIMARY KEY (blocker_key=?)
--     SCALAR SUBQUERY 7
--       SEARCH tasks USING PRIMARY KEY (id=?)
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--       CORRELATED SCALAR SUBQUERY 19
--         SEARCH later USING PRIMARY KEY (task_id=? AND version>?)
--     SCAN affected
--   REUSE LIST SUBQUERY 8
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--   CORRELATED SCALAR SUBQUERY 11
--     SEARCH later USING PRIMARY KEY (task_id=? AND version>?)
--   CORRELATED SCALAR SUBQUERY 4
--     USE TEMP B-TREE FOR group_concat(ORDER BY)
--     SEARCH dependencies USING INDEX dependencies_of (task_id=?)
--   CORRELATED SCALAR SUBQUERY 5
--     SEARCH history USING PRIMARY KEY (task_id=? AND version=?)
WITH RECURSIVE affected (id) AS (
  SELECT :id
  UNION
  SELECT waits.task_id
  FROM affected
  CROSS JOIN waits ON waits.blocker = affected.id
  WHERE affected.id = :id
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
    FROM json_each(
      iif(
        (
          EXISTS (SELECT 1 FROM dependencies WHERE blocker_key = replace(:id, 'TASK-', ''))
          AND EXISTS (SELECT 1 FROM ending WHERE id = :id)
        ),
        '[1]',
        '[]'
      )
    ) AS only
    CROSS JOIN affected
  )
  AND NOT tasks.id = :id
RETURNING id, scope, version, claimed_by, fencing_token, queue,
  CASE
    WHEN queue = 'failed' AND updated_at = :now THEN 'dependency_failed'
    WHEN blocked_by IS NULL THEN 'unblocked'
    ELSE 'blocked'
  END AS event;

-- moved
-- 579 characters, 2 parameters, 6 rows read, 2 rows written
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--   CORRELATED SCALAR SUBQUERY 3
--     SEARCH later USING PRIMARY KEY (task_id=? AND version>?)
UPDATE tasks
SET version = planned.version, updated_at = :now, queue = to_queue, lapsed_token = NULL, claimed_by = NULL,
  claimed_at = NULL, claimed_from = NULL, orchestrator_id = NULL, lease_expires_at = NULL,
  lease_seconds = NULL, deadline_at = NULL, cancel_requested_at = NULL, completed_at = NULL,
  needs_intervention = 0, failure_reason = NULL,
  cancel_reason = iif(to_queue = 'cancelled', cancel_reason, NULL), available_at = NULL , attempt_count = 0,
  lease_losses = 0, rejection_count = 0, named_holder = NULL
FROM planned
WHERE tasks.id = :id AND planned.id = :id
RETURNING *;
