-- POST /api/v1/tasks/:id/fail
-- 1 round trip, 9 statements: 6,568 characters, 32 parameters, 34 rows read, 6 rows written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- recorded
-- 829 characters, 9 parameters, 4 rows read, 3 rows written
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 1
--     SEARCH queue_counts USING PRIMARY KEY (scope=?)
INSERT INTO history (
  task_id,
  version,
  scope,
  seq,
  event,
  from_queue,
  to_queue,
  actor,
  reason,
  details,
  grants,
  at,
  title,
  project_id
)
SELECT id, version + 1, scope, (SELECT seq + 1 FROM queue_counts WHERE queue_counts.scope = moving.scope),
  'failed', queue, usual, coalesce(:actor, claimed_by), :excerpt, :details, grants, :now, title, project_id
FROM (
  SELECT *, iif(queue NOT IN ('done', 'failed', 'cancelled'), destination, '') AS usual
  FROM (
    SELECT *,
      CASE
        WHEN queue = 'requires-intervention' THEN iif(came_from = 'done', 'done', 'claimed')
        ELSE queue
      END AS place,
      'failed' AS destination
    FROM held
    WHERE id = :id
      AND (:scope IS NULL OR scope = :scope)
      AND (:version IS NULL OR version = :version)
      AND (
        coalesce(fencing_token, lapsed_token) = :token
        OR (:token IS NULL AND (:lenient OR (claimed_by IS NULL)))
      )
  ) AS task
) AS moving
WHERE usual NOT IN ('', queue);

-- breakers
-- 796 characters, 4 parameters, 3 rows read, 0 rows written
--   CO-ROUTINE (subquery-12)
--     SEARCH tasks USING PRIMARY KEY (id=?)
--     CORRELATED SCALAR SUBQUERY 7
--       SEARCH other USING PRIMARY KEY (scope=?)
--     SEARCH breakers USING PRIMARY KEY (scope=? AND project_id=?)
--     CORRELATED SCALAR SUBQUERY 1
--       SCAN json_each VIRTUAL TABLE INDEX 1:
--     SEARCH plan USING PRIMARY KEY (task_id=? AND version=?)
--     SEARCH counter USING PRIMARY KEY (scope=?)
--     CORRELATED SCALAR SUBQUERY 11
--       SEARCH history USING PRIMARY KEY (task_id=?)
--     CORRELATED SCALAR SUBQUERY 10
--       SEARCH history USING COVERING INDEX history_feed (scope=? AND seq>?)
--     CORRELATED SCALAR SUBQUERY 1
--       SCAN json_each VIRTUAL TABLE INDEX 1:
--   SCAN (subquery-12)
INSERT INTO history (task_id, version, scope, seq, event, actor, reason, details, grants, at, project_id)
SELECT own.task_id, own.version + row_number() OVER (), own.scope, own.last + row_number() OVER (),
  'breaker_opened', NULL, iif(tried, task.reason, :excerpt),
  json_object(
    'task_id',
    :id,
    'canary_failed',
    json(iif(tried, 'true', 'false')),
    'tasks',
    iif(tried, NULL, alike),
    'next_canary_at',
    strftime('%Y-%m-%dT%H:%M:%fZ', again_at / 1000.0, 'unixepoch')
  ),
  0, :now, nullif(task.project_id, '')
FROM (
  SELECT *,
    (
      SELECT count(*) + 1
      FROM json_each(failures)
      WHERE value ->> 2 > :now - window_millis AND value ->> 0 = :fingerprint AND value ->> 1 <> :id
    ) AS alike
  FROM watching
  WHERE task_id = :id
) AS task
CROSS JOIN breaker_feed AS own ON own.scope = task.scope
WHERE tried OR (counts AND alike >= threshold);

-- breakers
-- 885 characters, 4 parameters, 2 rows read, 0 rows written
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 8
--     SEARCH other USING PRIMARY KEY (scope=?)
--   SEARCH breakers USING PRIMARY KEY (scope=? AND project_id=?)
--   SEARCH breakers USING PRIMARY KEY (scope=? AND project_id=?)
--   SEARCH plan USING PRIMARY KEY (task_id=? AND version=?)
--   CORRELATED SCALAR SUBQUERY 6
--     SEARCH counter USING PRIMARY KEY (scope=?)
--     SEARCH history USING INDEX history_feed (scope=? AND seq>?)
--   CORRELATED SCALAR SUBQUERY 2
--     CO-ROUTINE (subquery-1)
--       SCAN json_each VIRTUAL TABLE INDEX 1:
--       USE TEMP B-TREE FOR ORDER BY
--     USE TEMP B-TREE FOR json_group_array(ORDER BY)
--     SCAN (subquery-1)
--   CORRELATED SCALAR SUBQUERY 6
--     SEARCH counter USING PRIMARY KEY (scope=?)
--     SEARCH history USING INDEX history_feed (scope=? AND seq>?)
--   CORRELATED SCALAR SUBQUERY 6
--     SEARCH counter USING PRIMARY KEY (scope=?)
--     SEARCH history USING INDEX history_feed (scope=? AND seq>?)
--   CORRELATED SCALAR SUBQUERY 6
--     SEARCH counter USING PRIMARY KEY (scope=?)
--     SEARCH history USING INDEX history_feed (scope=? AND seq>?)
--   CORRELATED SCALAR SUBQUERY 6
--     SEARCH counter USING PRIMARY KEY (scope=?)
--     SEARCH history USING INDEX history_feed (scope=? AND seq>?)
UPDATE breakers
SET failures = iif(
  opens,
  '[]',
  (
    SELECT json_group_array(json(value) ORDER BY value ->> 2)
    FROM (
      SELECT value
      FROM json_each(json_insert(failures, '$[#]', json_array(:fingerprint, :id, CAST(:now AS INTEGER))))
      WHERE value ->> 2 > :now - window_millis
        AND (key = json_array_length(failures) OR NOT (value ->> 0 = :fingerprint AND value ->> 1 = :id))
      ORDER BY key DESC
      LIMIT 200
    )
  )
),
  opened_at = iif(opens, coalesce(opened_at, :now), NULL),
  tripped_by = iif(opens, coalesce(tripped_by, :id), NULL),
  reason = iif(opens, iif(tried, breakers.reason, :excerpt), NULL), retry_at = iif(opens, again_at, NULL),
  probes = iif(tried, probes + 1, 0), canary_task = NULL, canary_token = NULL
FROM (
  SELECT scope, project_id, tried, opens, again_at
  FROM watching
  WHERE task_id = :id AND (tried OR (counts AND :fingerprint IS NOT NULL))
) AS task
WHERE breakers.scope = task.scope AND breakers.project_id = task.project_id;

-- failed
-- 927 characters, 2 parameters, 4 rows read, 0 rows written
--   CO-ROUTINE (subquery-53)
--     MATERIALIZE failing
--       SETUP
--         CO-ROUTINE (subquery-1)
--           SEARCH dependencies USING PRIMARY KEY (blocker_key=?)
--         SCAN (subquery-1)
--         SEARCH counter USING PRIMARY KEY (scope=?)
--         SCALAR SUBQUERY 2
--           SEARCH tasks USING PRIMARY KEY (id=?)
--         SEARCH history USING INDEX history_feed (scope=? AND seq>?)
--         SEARCH blocker USING PRIMARY KEY (id=?)
--         CORRELATED SCALAR SUBQUERY 13
--           SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--         SEARCH edge USING PRIMARY KEY (blocker_key=?)
--         REUSE SUBQUERY 2
--         CORRELATED SCALAR SUBQUERY 14
--           SEARCH other USING PRIMARY KEY (id=?)
--       RECURSIVE STEP
--         SCAN failing
--         SEARCH tasks USING PRIMARY KEY (id=?)
--         CORRELATED SCALAR SUBQUERY 19
--           SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--         CORRELATED SCALAR SUBQUERY 18
--           SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--         SEARCH blocker USING PRIMARY KEY (id=?)
--         SEARCH edge USING PRIMARY KEY (blocker_key=?)
--         CORRELATED SCALAR SUBQUERY 24
--           SEARCH other USING PRIMARY KEY (id=?)
--     SCAN failing
--     SEARCH tasks USING PRIMARY KEY (id=?)
--     CORRELATED SCALAR SUBQUERY 29
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--     CORRELATED SCALAR SUBQUERY 28
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--     CORRELATED SCALAR SUBQUERY 27
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--     CORRELATED SCALAR SUBQUERY 28
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--   SCAN (subquery-53)
--   CORRELATED SCALAR SUBQUERY 5
--     SEARCH counter USING PRIMARY KEY (scope=?)
--     CORRELATED SCALAR SUBQUERY 32
--       SEARCH history USING COVERING INDEX history_feed (scope=? AND seq>?)
--   CORRELATED SCALAR SUBQUERY 7
--     SEARCH edge USING INDEX dependencies_of (task_id=?)
--     SEARCH blocker USING PRIMARY KEY (id=?)
--     CORRELATED SCALAR SUBQUERY 36
--       SEARCH other USING PRIMARY KEY (id=?)
--     CORRELATED SCALAR SUBQUERY 35
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--     LIST SUBQUERY 6
--       SCAN failing
--       CREATE BLOOM FILTER
--     CORRELATED SCALAR SUBQUERY 35
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
WITH RECURSIVE failing (id) AS (
  SELECT task_id
  FROM (SELECT 1 FROM dependencies WHERE blocker_key = replace(:id, 'TASK-', '') LIMIT 1)
  CROSS JOIN touched
  WHERE touched.scope = (SELECT scope FROM tasks WHERE id = :id)
    AND fails
    AND queue IN ('failed', 'cancelled')
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

-- satisfied
-- 488 characters, 2 parameters, 2 rows read, 0 rows written
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

-- unblocked
-- 650 characters, 2 parameters, 3 rows read, 0 rows written
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

-- moved
-- 906 characters, 6 parameters, 4 rows read, 2 rows written
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   SEARCH planned USING PRIMARY KEY (task_id=? AND version=?)
UPDATE tasks
SET version = planned.version, updated_at = :now, queue = to_queue, lapsed_token = NULL, claimed_by = NULL,
  claimed_at = NULL, claimed_from = NULL, orchestrator_id = NULL, lease_expires_at = NULL,
  lease_seconds = NULL, deadline_at = NULL, cancel_requested_at = NULL, completed_at = NULL,
  needs_intervention = 0, failure_reason = :reason,
  cancel_reason = iif(to_queue = 'cancelled', cancel_reason, NULL), available_at = NULL ,
  setbacks = iif(
    tasks.bytes > 1600000,
    setbacks,
    json_insert(
      iif(json_array_length(setbacks) >= 10, json_remove(setbacks, '$[0]'), coalesce(setbacks, '[]')),
      '$[#]',
      json_object(
        'event',
        'failed',
        'actor',
        coalesce(:actor, claimed_by),
        'reason',
        :excerpt,
        'at',
        CAST(:now AS INTEGER),
        'fencing_token',
        fencing_token
      )
    )
  ) ,
  execution_notes = :reason, terminal = :terminal
FROM history AS planned
WHERE planned.task_id = :id AND planned.version = tasks.version + 1 AND tasks.id = :id
RETURNING *;

-- dependents
-- 744 characters, 2 parameters, 3 rows read, 0 rows written
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

-- counted
-- 343 characters, 1 parameter, 9 rows read, 1 row written
--   SEARCH counter USING PRIMARY KEY (scope=?)
--   SCALAR SUBQUERY 1
--     SEARCH tasks USING PRIMARY KEY (id=?)
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
WHERE after.scope = (SELECT scope FROM tasks WHERE id = :id)
ON CONFLICT (scope)
DO UPDATE SET revision = revision + 1, seq = excluded.seq, counts = excluded.counts, events = excluded.events,
  lives = excluded.lives;

-- ======== Sent in special cases only ========

-- found  (graph of layers: fail, refused after that)
-- 67 characters, 2 parameters, 1 row read, 0 rows written
--   SEARCH tasks USING PRIMARY KEY (id=?)
SELECT *
FROM tasks
WHERE id = :id AND (:scope IS NULL OR scope = :scope);

-- flow  (graph of layers: fail, refused after that)
-- 91 characters, 1 parameter, 1 row read, 0 rows written
--   SEARCH flows USING PRIMARY KEY (scope=? AND name=?)
--   SCALAR SUBQUERY 1
--     SEARCH tasks USING PRIMARY KEY (id=?)
SELECT name
FROM flows
WHERE (scope, name) = (SELECT scope, flow FROM tasks WHERE id = :id);
