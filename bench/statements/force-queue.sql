-- POST /api/v1/tasks/:id/force-queue
-- 2 round trips, 15 statements: 8,226 characters, 39 parameters, 36 rows read, 10 rows written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- found
-- 67 characters, 2 parameters, 1 row read, 0 rows written
--   SEARCH tasks USING PRIMARY KEY (id=?)
SELECT *
FROM tasks
WHERE id = :id AND (:scope IS NULL OR scope = :scope);

-- projects
-- 41 characters, 1 parameter, 0 rows read, 0 rows written
--   SEARCH projects USING PRIMARY KEY (id=?)
SELECT scope
FROM projects
WHERE id = :project;

-- machines
-- 62 characters, 2 parameters, 0 rows read, 0 rows written
--   SEARCH orchestrators USING PRIMARY KEY (id=? AND scope=?)
SELECT scope
FROM orchestrators
WHERE id = :machine AND scope = :reach;

-- dependencies
-- 85 characters, 1 parameter, 1 row read, 0 rows written
--   SEARCH dependencies USING INDEX dependencies_of (task_id=?)
--   USE TEMP B-TREE FOR ORDER BY
SELECT blocker_id, on_failure
FROM dependencies
WHERE task_id = :id
ORDER BY position;

-- flows
-- 107 characters, 2 parameters, 1 row read, 0 rows written
--   SEARCH flows USING PRIMARY KEY (scope=? AND name=?)
--   SCALAR SUBQUERY 1
--     SEARCH tasks USING PRIMARY KEY (id=?)
SELECT rules
FROM flows
WHERE (scope, name) = (SELECT scope, coalesce(:flow, flow) FROM tasks WHERE id = :id);

-- recorded
-- 747 characters, 13 parameters, 1 row read, 1 row written
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
--     SEARCH projects USING PRIMARY KEY (id=?)
INSERT INTO history (task_id, version, scope, event, from_queue, to_queue, actor, reason, details, grants, at)
SELECT id, version + 1, scope, :event, queue, :queue, :actor, :excerpt, :details, grants, :now
FROM tasks
WHERE id = :id
  AND version = :version
  AND (:any_lease OR lease_expires_at IS :lease)
  AND (:project IS NULL OR EXISTS (SELECT 1 FROM projects WHERE id = :project AND scope = tasks.scope))
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

-- notice
-- 225 characters, 4 parameters, 6 rows read, 5 rows written
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--   CORRELATED SCALAR SUBQUERY 3
--     SEARCH later USING PRIMARY KEY (task_id=? AND version>?)
INSERT INTO messages (
  id, scope, task_id, from_actor, to_actor, type, content, parent_message_id, status, created_at
)
SELECT :message, scope, id, 'system', NULL, 'force_queue', :content, NULL, 'pending', :now
FROM planned
WHERE id = :id;

-- noticeCounted
-- 222 characters, 1 parameter, 3 rows read, 1 row written
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--   CORRELATED SCALAR SUBQUERY 3
--     SEARCH later USING PRIMARY KEY (task_id=? AND version>?)
INSERT INTO queue_counts (scope, counts, messages_revision)
SELECT scope, '{}', 1
FROM planned
WHERE id = :id
ON CONFLICT (scope)
DO UPDATE SET messages_revision = messages_revision + 1, messages_total = messages_total + 1;

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

-- changed
-- 186 characters, 3 parameters, 6 rows read, 2 rows written
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--   CORRELATED SCALAR SUBQUERY 3
--     SEARCH later USING PRIMARY KEY (task_id=? AND version>?)
UPDATE tasks
SET queue = to_queue, completed_at = :set_completed_at, lapsed_token = NULL, updated_at = :now,
  version = planned.version
FROM planned
WHERE tasks.id = :id AND planned.id = :id
RETURNING *;

-- ======== Sent in special cases only ========

-- changed  (graph of layers: force-queue, and all fail with it)
-- 188 characters, 3 parameters, 7 rows read, 2 rows written
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--   CORRELATED SCALAR SUBQUERY 3
--     SEARCH later USING PRIMARY KEY (task_id=? AND version>?)
UPDATE tasks
SET queue = to_queue, failure_reason = :set_failure_reason, lapsed_token = NULL, updated_at = :now,
  version = planned.version
FROM planned
WHERE tasks.id = :id AND planned.id = :id
RETURNING *;

-- known  (under an idempotency key, three wait for it)
-- 80 characters, 2 parameters, 0 rows read, 0 rows written, sent 2 times
--   SEARCH idempotency_keys USING PRIMARY KEY (id=?)
SELECT fingerprint, answer, at
FROM idempotency_keys
WHERE id = :key AND at > :oldest;

-- keyForgotten  (under an idempotency key, three wait for it)
-- 57 characters, 2 parameters, 0 rows read, 0 rows written
--   SEARCH idempotency_keys USING PRIMARY KEY (id=?)
DELETE
FROM idempotency_keys
WHERE id = :key AND at <= :oldest;

-- changed  (under an idempotency key, three wait for it)
-- 310 characters, 9 parameters, 7 rows read, 2 rows written
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--   CORRELATED SCALAR SUBQUERY 3
--     SEARCH later USING PRIMARY KEY (task_id=? AND version>?)
UPDATE tasks
SET queue = to_queue, claimed_by = :set_claimed_by, claimed_at = :set_claimed_at,
  claimed_from = :set_claimed_from, orchestrator_id = :set_orchestrator_id,
  lease_expires_at = :set_lease_expires_at, lease_seconds = :set_lease_seconds,
  completed_at = :set_completed_at, lapsed_token = NULL, updated_at = :now, version = planned.version
FROM planned
WHERE tasks.id = :id AND planned.id = :id
RETURNING *;

-- keyKept  (under an idempotency key, three wait for it)
-- 3,611 characters, 4 parameters, 1 row read, 1 row written
--   SEARCH tasks USING PRIMARY KEY (id=?)
INSERT INTO idempotency_keys (id, fingerprint, at, answer)
SELECT :key, :fingerprint, :sent,
  '[' || group_concat(
    rtrim(
      rtrim(
        rtrim(
          rtrim(
            json_object(
              'id',
              id,
              'scope',
              scope,
              'file_path',
              file_path,
              'title',
              title,
              'queue',
              queue,
              'version',
              version,
              'priority',
              priority,
              'complexity',
              complexity,
              'role',
              role,
              'type',
              type,
              'branch',
              branch,
              'content',
              iif(octet_length(content) > 16384, NULL, content),
              'project_id',
              project_id,
              'blocked_by',
              iif(octet_length(blocked_by) > 16384, NULL, blocked_by),
              'claimed_by',
              claimed_by,
              'claimed_at',
              claimed_at
            ),
            '}'
          ) || ',' || substr(
            json_object(
              'orchestrator_id',
              orchestrator_id,
              'lease_expires_at',
              lease_expires_at,
              'fencing_token',
              fencing_token,
              'deadline_at',
              deadline_at,
              'max_attempt_seconds',
              max_attempt_seconds,
              'cancel_requested_at',
              cancel_requested_at,
              'cancel_reason',
              iif(octet_length(cancel_reason) > 16384, NULL, cancel_reason),
              'available_at',
              available_at,
              'external_key',
              external_key,
              'max_attempts',
              max_attempts,
              'max_lease_losses',
              max_lease_losses,
              'max_rejections',
              max_rejections,
              'failure_reason',
              iif(octet_length(failure_reason) > 16384, NULL, failure_reason),
              'attempt_count',
              attempt_count,
              'rejection_count',
              rejection_count,
              'lease_losses',
              lease_losses
            ),
            2
          ),
          '}'
        ) || ',' || substr(
          json_object(
            'last_rejection_reason',
            iif(octet_length(last_rejection_reason) > 16384, NULL, last_rejection_reason),
            'commits_count',
            commits_count,
            'turns_used',
            turns_used,
            'check_results',
            iif(octet_length(check_results) > 16384, NULL, check_results),
            'execution_notes',
            iif(octet_length(execution_notes) > 16384, NULL, execution_notes),
            'needs_intervention',
            needs_intervention,
            'submitted_at',
            submitted_at,
            'completed_at',
            completed_at,
            'pr_number',
            pr_number,
            'pr_url',
            pr_url,
            'checks',
            iif(octet_length(checks) > 16384, NULL, checks),
            'staging_url',
            staging_url,
            'plan_id',
            plan_id,
            'has_plan',
            has_plan,
            'auto_accept',
            auto_accept,
            'needs_rebase',
            needs_rebase
          ),
          2
        ),
        '}'
      ) || ',' || substr(
        json_object(
          'needs_breakdown',
          needs_breakdown,
          'last_rebase_attempt_at',
          last_rebase_attempt_at,
          'review_round',
          review_round,
          'hooks',
          iif(octet_length(hooks) > 16384, NULL, hooks),
          'flow',
          flow,
          'flow_overrides',
          iif(octet_length(flow_overrides) > 16384, NULL, flow_overrides),
          'metadata',
          iif(octet_length(metadata) > 16384, NULL, metadata),
          'created_at',
          created_at,
          'updated_at',
          updated_at,
          'claimed_from',
          claimed_from,
          'named_holder',
          named_holder,
          'intervention_from',
          intervention_from,
          'grants',
          grants,
          'lease_seconds',
          lease_seconds,
          'checkpoint',
          iif(octet_length(checkpoint) > 16384, NULL, checkpoint),
          'setbacks',
          iif(octet_length(setbacks) > 16384, NULL, setbacks)
        ),
        2
      ),
      '}'
    ) || ',' || substr(
      json_object(
        'lapsed_token',
        lapsed_token,
        'left_out',
        'tasks' || iif(octet_length(content) > 16384, ',content', '') || iif(
          octet_length(execution_notes) > 16384, ',execution_notes', ''
        ) || iif(octet_length(check_results) > 16384, ',check_results', '') || iif(
          octet_length(metadata) > 16384, ',metadata', ''
        ) || iif(octet_length(hooks) > 16384, ',hooks', '') || iif(
          octet_length(checks) > 16384, ',checks', ''
        ) || iif(octet_length(flow_overrides) > 16384, ',flow_overrides', '') || iif(
          octet_length(blocked_by) > 16384, ',blocked_by', ''
        ) || iif(octet_length(last_rejection_reason) > 16384, ',last_rejection_reason', '') || iif(
          octet_length(failure_reason) > 16384, ',failure_reason', ''
        ) || iif(octet_length(cancel_reason) > 16384, ',cancel_reason', '') || iif(
          octet_length(checkpoint) > 16384, ',checkpoint', ''
        ) || iif(octet_length(setbacks) > 16384, ',setbacks', '')
      ),
      2
    ),
    ','
  ) || ']'
FROM tasks
WHERE changes() > 0 AND id = :id
HAVING count(*) > 0;
