-- POST /api/v1/tasks/bulk
-- 1 round trip, 7 statements: 4,229 characters, 20 parameters, 30 rows read, 5 rows written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- recorded
-- 659 characters, 8 parameters, 3 rows read, 2 rows written
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 1
--     SEARCH queue_counts USING PRIMARY KEY (scope=?)
INSERT INTO history (
  task_id, version, scope, seq, event, from_queue, to_queue, actor, reason, grants, at, title, project_id
)
SELECT id, version + 1, scope, (SELECT seq + 1 FROM queue_counts WHERE queue_counts.scope = tasks.scope),
  iif(claimed_by IS NULL, 'cancelled', 'cancel_requested'), queue,
  iif(claimed_by IS NULL, 'cancelled', queue), :actor, :excerpt, grants, :now, title, project_id
FROM tasks
WHERE id = :id
  AND (:scope IS NULL OR scope = :scope)
  AND (:version IS NULL OR version = :version)
  AND (
    coalesce(fencing_token, lapsed_token) = :token OR (:token IS NULL AND (:lenient OR (claimed_by IS NULL)))
  )
  AND cancel_requested_at IS NULL
  AND queue NOT IN ('done', 'failed', 'cancelled');

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

-- cancelled
-- 418 characters, 3 parameters, 6 rows read, 2 rows written
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--   CORRELATED SCALAR SUBQUERY 3
--     SEARCH later USING PRIMARY KEY (task_id=? AND version>?)
UPDATE tasks
SET version = planned.version, updated_at = :now, cancel_reason = :reason, queue = to_queue,
  cancel_requested_at = iif(claimed_by IS NULL, NULL, :now),
  completed_at = iif(claimed_by IS NULL, NULL, completed_at),
  needs_intervention = iif(claimed_by IS NULL, 0, needs_intervention), available_at = NULL,
  lapsed_token = NULL, failure_reason = NULL
FROM planned
WHERE tasks.id = :id AND planned.id = :id
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

-- found  (cancel of three, under an idempotency key)
-- 76 characters, 2 parameters, 0 rows read, 0 rows written, sent 3 times
--   SEARCH idempotency_keys USING PRIMARY KEY (id=?)
SELECT fingerprint, answer
FROM idempotency_keys
WHERE id = :key AND at > :oldest;

-- forgotten  (cancel of three, under an idempotency key)
-- 57 characters, 2 parameters, 0 rows read, 0 rows written
--   SEARCH idempotency_keys USING PRIMARY KEY (id=?)
DELETE
FROM idempotency_keys
WHERE id = :key AND at <= :oldest;

-- begun  (cancel of three, under an idempotency key)
-- 157 characters, 4 parameters, 0 rows read, 1 row written
INSERT INTO idempotency_keys (id, fingerprint, at, answer)
VALUES (:key, :fingerprint, :now, json_object('plan', json(:plan), 'parts', json('{}')))
ON CONFLICT
DO NOTHING;

-- partIsNew  (cancel of three, under an idempotency key)
-- 215 characters, 2 parameters, 1 row read, 0 rows written, sent 3 times
--   SCAN CONSTANT ROW
--   SCALAR SUBQUERY 1
--     SEARCH idempotency_keys USING PRIMARY KEY (id=?)
SELECT json_extract(
  '{}',
  iif(
    EXISTS (
      SELECT 1
      FROM idempotency_keys
      WHERE id = :key AND (json_type(answer, :part) IS NOT NULL OR json_type(answer, '$.answer') IS NOT NULL)
    ),
    'this part of the request is known',
    '$'
  )
);

-- partKept  (cancel of three, under an idempotency key)
-- 266 characters, 3 parameters, 3 rows read, 1 row written, sent 3 times
--   SEARCH idempotency_keys USING PRIMARY KEY (id=?)
--   SCALAR SUBQUERY 2
--     SEARCH tasks USING PRIMARY KEY (id=?)
--   SCALAR SUBQUERY 1
--     SEARCH tasks USING PRIMARY KEY (id=?)
UPDATE idempotency_keys
SET answer = json_set(
  answer,
  :part,
  json(
    (
      SELECT json_object('id', id, 'queue', queue, 'version', version)
      FROM tasks
      WHERE changes() > 0 AND id = :id
      LIMIT 1
    )
  )
)
WHERE id = :key AND EXISTS (SELECT 1 FROM tasks WHERE changes() > 0 AND id = :id);

-- ended  (cancel of three, under an idempotency key)
-- 139 characters, 2 parameters, 2 rows read, 1 row written
--   SEARCH idempotency_keys USING PRIMARY KEY (id=?)
UPDATE idempotency_keys
SET answer = json_object('answer', json(:answer))
WHERE id = :key AND json_type(answer, '$.answer') IS NULL
RETURNING id;

-- recorded  (accept of three, under an idempotency key)
-- 1,414 characters, 9 parameters, 2 rows read, 2 rows written, sent 3 times
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 3
--     SEARCH flows USING PRIMARY KEY (scope=? AND name=?)
--   CORRELATED SCALAR SUBQUERY 6
--     SEARCH tasks USING PRIMARY KEY (id=?)
--     SEARCH projects USING PRIMARY KEY (id=?)
--     SCAN required VIRTUAL TABLE INDEX 1:
--     CORRELATED SCALAR SUBQUERY 13
--       SCAN item VIRTUAL TABLE INDEX 1:
--   CORRELATED SCALAR SUBQUERY 1
--     SEARCH queue_counts USING PRIMARY KEY (scope=?)
--   CORRELATED SCALAR SUBQUERY 3
--     SEARCH flows USING PRIMARY KEY (scope=? AND name=?)
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
  'accepted', queue, usual, :actor, :excerpt, :details, grants, :now, title, project_id
FROM (
  SELECT *,
    coalesce(
      (
        SELECT iif(
          (stuck AND came_from = 'done')
            OR rule ->> ('$.leads."' || place || '"."' || destination || '"')
            OR rule ->> ('$.leads."' || origin || '"."' || destination || '"')
            OR rule ->> ('$.leads."' || queue || '"."' || destination || '"') ,
          destination,
          ''
        )
        FROM (
          SELECT rules -> iif(project_id IS NULL, '$.task', '$.child') AS rule
          FROM flows
          WHERE flows.scope = task.scope AND flows.name = task.flow
        )
      ),
      iif((place IN ('provisional', 'claimed') OR (stuck AND came_from = 'done')), destination, '')
    ) AS usual
  FROM (
    SELECT *,
      CASE
        WHEN lapsed_token IS NOT NULL THEN 'claimed'
        WHEN queue = 'requires-intervention' THEN came_from
        ELSE queue
      END AS place,
      'done' AS destination
    FROM held
    WHERE id = :id
      AND (:scope IS NULL OR scope = :scope)
      AND (:version IS NULL OR version = :version)
      AND (
        coalesce(fencing_token, lapsed_token) = :token
        OR (:token IS NULL AND (:lenient OR (claimed_by IS NULL AND lapsed_token IS NULL)))
      )
  ) AS task
) AS moving
WHERE usual NOT IN ('', iif(lapsed_token IS NULL, queue, ''))
  AND (project_id IS NULL OR NOT EXISTS (SELECT 1 FROM lacking WHERE lacking.id = moving.id));

-- breakers  (accept of three, under an idempotency key)
-- 410 characters, 2 parameters, 2 rows read, 0 rows written, sent 3 times
--   CO-ROUTINE (subquery-7)
--     SEARCH own USING INDEX breakers_canary (canary_task=?)
--     SEARCH tasks USING PRIMARY KEY (id=?)
--     SEARCH plan USING PRIMARY KEY (task_id=? AND version=?)
--     SEARCH counter USING PRIMARY KEY (scope=?)
--     CORRELATED SCALAR SUBQUERY 6
--       SEARCH history USING PRIMARY KEY (task_id=?)
--     CORRELATED SCALAR SUBQUERY 5
--       SEARCH history USING COVERING INDEX history_feed (scope=? AND seq>?)
--   SCAN (subquery-7)
INSERT INTO history (task_id, version, scope, seq, event, actor, reason, details, grants, at, project_id)
SELECT own.task_id, own.version + row_number() OVER (), own.scope, own.last + row_number() OVER (),
  'breaker_closed', NULL, task.reason, json_object('task_id', :id), 0, :now, nullif(task.project_id, '')
FROM closing AS task
CROSS JOIN breaker_feed AS own ON own.scope = task.scope
WHERE task.task_id = :id;

-- breakers  (accept of three, under an idempotency key)
-- 277 characters, 1 parameter, 1 row read, 0 rows written, sent 3 times
--   SEARCH own USING INDEX breakers_canary (canary_task=?)
--   SEARCH breakers USING PRIMARY KEY (scope=? AND project_id=?)
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   SEARCH plan USING PRIMARY KEY (task_id=? AND version=?)
UPDATE breakers
SET failures = '[]', opened_at = NULL, tripped_by = NULL, reason = NULL, retry_at = NULL, probes = 0,
  canary_task = NULL, canary_token = NULL
FROM closing AS task
WHERE task.task_id = :id AND breakers.scope = task.scope AND breakers.project_id = task.project_id;

-- moved  (accept of three, under an idempotency key)
-- 570 characters, 3 parameters, 4 rows read, 2 rows written, sent 3 times
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   SEARCH planned USING PRIMARY KEY (task_id=? AND version=?)
UPDATE tasks
SET version = planned.version, updated_at = :now, queue = to_queue, lapsed_token = NULL, claimed_by = NULL,
  claimed_at = NULL, claimed_from = NULL, orchestrator_id = NULL, lease_expires_at = NULL,
  lease_seconds = NULL, deadline_at = NULL, cancel_requested_at = NULL, needs_intervention = 0,
  failure_reason = NULL, cancel_reason = iif(to_queue = 'cancelled', cancel_reason, NULL),
  available_at = NULL , terminal = 0 , completed_at = :completed
FROM history AS planned
WHERE planned.task_id = :id AND planned.version = tasks.version + 1 AND tasks.id = :id
RETURNING *;

-- recorded  (reject of three, under an idempotency key)
-- 1,749 characters, 10 parameters, 2 rows read, 2 rows written, sent 3 times
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 3
--     SEARCH flows USING PRIMARY KEY (scope=? AND name=?)
--   CORRELATED SCALAR SUBQUERY 1
--     SEARCH queue_counts USING PRIMARY KEY (scope=?)
--   CORRELATED SCALAR SUBQUERY 8
--     SEARCH projects USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 8
--     SEARCH projects USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 8
--     SEARCH projects USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 3
--     SEARCH flows USING PRIMARY KEY (scope=? AND name=?)
--   CORRELATED SCALAR SUBQUERY 8
--     SEARCH projects USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 8
--     SEARCH projects USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 8
--     SEARCH projects USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 8
--     SEARCH projects USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 8
--     SEARCH projects USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 8
--     SEARCH projects USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 8
--     SEARCH projects USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 8
--     SEARCH projects USING PRIMARY KEY (id=?)
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
  'rejected', queue,
  CASE
    WHEN cancel_requested_at IS NOT NULL THEN 'cancelled'
    WHEN rejection_count + 1 >= nullif(most, 0) THEN 'failed'
    ELSE usual
  END,
  :actor, :excerpt,
  iif(
    cancel_requested_at IS NULL AND rejection_count + 1 >= nullif(most, 0),
    json_set(
      coalesce(:details, '{}'),
      '$.budget',
      iif(
        coalesce(
          nullif(coalesce(max_rejections, CAST(:max_rejections AS INTEGER)), 0) > rounds, rounds IS NOT NULL
        ),
        'max_review_rounds',
        'max_rejections'
      ),
      '$.limit',
      most
    ),
    :details
  ),
  grants, :now, title, project_id
FROM (
  SELECT *,
    coalesce(
      (
        SELECT iif(
          stuck
            OR rule ->> ('$.leads."' || place || '"."' || destination || '"')
            OR rule ->> ('$.leads."' || origin || '"."' || destination || '"')
            OR rule ->> ('$.leads."' || queue || '"."' || destination || '"') ,
          destination,
          ''
        )
        FROM (
          SELECT rules -> iif(project_id IS NULL, '$.task', '$.child') AS rule
          FROM flows
          WHERE flows.scope = task.scope AND flows.name = task.flow
        )
      ),
      iif((place IN ('provisional', 'claimed') OR stuck), destination, '')
    ) AS usual ,
    iif(
      coalesce(
        nullif(coalesce(max_rejections, CAST(:max_rejections AS INTEGER)), 0) > rounds, rounds IS NOT NULL
      ),
      rounds,
      coalesce(max_rejections, CAST(:max_rejections AS INTEGER))
    ) AS most
  FROM (
    SELECT *, CASE WHEN queue = 'requires-intervention' THEN came_from ELSE queue END AS place,
      'incoming' AS destination
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

-- failed  (reject of three, under an idempotency key)
-- 1,203 characters, 2 parameters, 6 rows read, 0 rows written, sent 3 times
--   CO-ROUTINE (subquery-66)
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
--             CORRELATED SCALAR SUBQUERY 21
--               SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--             SEARCH edge USING PRIMARY KEY (blocker_key=?)
--             REUSE SUBQUERY 2
--             CORRELATED SCALAR SUBQUERY 22
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
--             SEARCH edge USING INDEX dependencies_of (task_id=?)
--             SEARCH blocker USING PRIMARY KEY (id=?)
--             CORRELATED SCALAR SUBQUERY 16
--               SEARCH other USING PRIMARY KEY (id=?)
--             CORRELATED SCALAR SUBQUERY 15
--               SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--             USE TEMP B-TREE FOR ORDER BY
--       RECURSIVE STEP
--         SCAN failing
--         SEARCH tasks USING PRIMARY KEY (id=?)
--         CORRELATED SCALAR SUBQUERY 27
--           SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--         CORRELATED SCALAR SUBQUERY 26
--           SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--         SEARCH blocker USING PRIMARY KEY (id=?)
--         SEARCH edge USING PRIMARY KEY (blocker_key=?)
--         CORRELATED SCALAR SUBQUERY 32
--           SEARCH other USING PRIMARY KEY (id=?)
--     SCAN failing
--     SEARCH tasks USING PRIMARY KEY (id=?)
--     CORRELATED SCALAR SUBQUERY 37
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--     CORRELATED SCALAR SUBQUERY 36
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--     CORRELATED SCALAR SUBQUERY 35
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--     CORRELATED SCALAR SUBQUERY 36
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--   SCAN (subquery-66)
--   CORRELATED SCALAR SUBQUERY 8
--     SEARCH counter USING PRIMARY KEY (scope=?)
--     CORRELATED SCALAR SUBQUERY 40
--       SEARCH history USING COVERING INDEX history_feed (scope=? AND seq>?)
--   CORRELATED SCALAR SUBQUERY 10
--     SEARCH edge USING INDEX dependencies_of (task_id=?)
--     SEARCH blocker USING PRIMARY KEY (id=?)
--     CORRELATED SCALAR SUBQUERY 44
--       SEARCH other USING PRIMARY KEY (id=?)
--     CORRELATED SCALAR SUBQUERY 43
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--     LIST SUBQUERY 9
--       SCAN failing
--       CREATE BLOOM FILTER
--     CORRELATED SCALAR SUBQUERY 43
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
    AND 1
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

-- moved  (reject of three, under an idempotency key)
-- 1,615 characters, 5 parameters, 7 rows read, 2 rows written, sent 3 times
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--   CORRELATED SCALAR SUBQUERY 4
--     SEARCH later USING PRIMARY KEY (task_id=? AND version>?)
--   CORRELATED SCALAR SUBQUERY 1
--     SEARCH history USING PRIMARY KEY (task_id=? AND version=?)
UPDATE tasks
SET version = planned.version, updated_at = :now, queue = to_queue, lapsed_token = NULL, claimed_by = NULL,
  claimed_at = NULL, claimed_from = NULL, orchestrator_id = NULL, lease_expires_at = NULL,
  lease_seconds = NULL, deadline_at = NULL, cancel_requested_at = NULL, completed_at = NULL,
  rejection_count = rejection_count + 1, needs_intervention = 0,
  failure_reason = CASE
    WHEN planned.event = 'dependency_failed' THEN iif(tasks.bytes > 1600000, NULL, planned.reason)
    WHEN to_queue = 'failed' AND NOT tasks.bytes > 1600000 THEN (
      SELECT iif(
        details ->> '$.budget' = 'max_review_rounds',
        'The cap of ' || (details ->> '$.limit') || iif(
          details ->> '$.limit' = 1, ' review round', ' review rounds'
        ) || ' of the project is reached.' || coalesce(' Last: ' || :reason, ''),
        'The budget of ' || (details ->> '$.limit') || iif(
          (details ->> '$.limit') = 1, ' rejection is spent.', ' rejections is spent.'
        ) || coalesce(' Last: ' || :reason, '')
      )
      FROM history
      WHERE task_id = tasks.id AND history.version = tasks.version + 1
    )
  END,
  cancel_reason = iif(to_queue = 'cancelled', cancel_reason, NULL), available_at = NULL , terminal = 0 ,
  setbacks = iif(
    tasks.bytes > 1600000,
    setbacks,
    json_insert(
      iif(json_array_length(setbacks) >= 10, json_remove(setbacks, '$[0]'), coalesce(setbacks, '[]')),
      '$[#]',
      json_object(
        'event',
        'rejected',
        'actor',
        :actor,
        'reason',
        :excerpt,
        'at',
        CAST(:now AS INTEGER),
        'fencing_token',
        fencing_token,
        'execution_notes',
        substr(execution_notes, 1, 1000),
        'check_results',
        substr(check_results, 1, 1000)
      )
    )
  ) ,
  last_rejection_reason = :reason
FROM planned
WHERE planned.id = :id AND tasks.id = :id
RETURNING *;

-- recorded  (requeue of three, under an idempotency key)
-- 1,660 characters, 10 parameters, 2 rows read, 2 rows written, sent 3 times
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 3
--     SEARCH flows USING PRIMARY KEY (scope=? AND name=?)
--   CORRELATED SCALAR SUBQUERY 1
--     SEARCH queue_counts USING PRIMARY KEY (scope=?)
--   CORRELATED SCALAR SUBQUERY 3
--     SEARCH flows USING PRIMARY KEY (scope=? AND name=?)
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
  'requeued', queue,
  CASE
    WHEN cancel_requested_at IS NOT NULL THEN 'cancelled'
    WHEN attempt_count - lease_losses + 1 >= nullif(most, 0) THEN 'failed'
    ELSE usual
  END,
  coalesce(:actor, claimed_by), :excerpt,
  iif(
    cancel_requested_at IS NULL AND attempt_count - lease_losses + 1 >= nullif(most, 0),
    json_set(coalesce(:details, '{}'), '$.budget', 'max_attempts', '$.limit', most),
    :details
  ),
  grants, :now, title, project_id
FROM (
  SELECT *,
    coalesce(
      (
        SELECT iif(
          stuck
            OR rule ->> ('$.leads."' || place || '"."' || destination || '"')
            OR rule ->> ('$.leads."' || origin || '"."' || destination || '"')
            OR rule ->> ('$.leads."' || queue || '"."' || destination || '"')
            OR rule ->> ('$.leads."' || place || '"."' || 'incoming' || '"'),
          destination,
          ''
        )
        FROM (
          SELECT rules -> iif(project_id IS NULL, '$.task', '$.child') AS rule
          FROM flows
          WHERE flows.scope = task.scope AND flows.name = task.flow
        )
      ),
      iif((place IN ('provisional', 'claimed') OR stuck), destination, '')
    ) AS usual ,
    coalesce(max_attempts, CAST(:max_attempts AS INTEGER)) AS most
  FROM (
    SELECT *, CASE WHEN queue = 'requires-intervention' THEN came_from ELSE queue END AS place,
      iif(queue = 'claimed', claimed_from, 'incoming') AS destination
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

-- breakers  (requeue of three, under an idempotency key)
-- 796 characters, 4 parameters, 3 rows read, 0 rows written, sent 3 times
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

-- breakers  (requeue of three, under an idempotency key)
-- 885 characters, 4 parameters, 2 rows read, 0 rows written, sent 3 times
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

-- moved  (requeue of three, under an idempotency key)
-- 1,223 characters, 6 parameters, 7 rows read, 2 rows written, sent 3 times
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--   CORRELATED SCALAR SUBQUERY 3
--     SEARCH later USING PRIMARY KEY (task_id=? AND version>?)
UPDATE tasks
SET version = planned.version, updated_at = :now, queue = to_queue, lapsed_token = NULL, claimed_by = NULL,
  claimed_at = NULL, claimed_from = NULL, orchestrator_id = NULL, lease_expires_at = NULL,
  lease_seconds = NULL, deadline_at = NULL, cancel_requested_at = NULL, completed_at = NULL,
  attempt_count = attempt_count + 1, needs_intervention = 0,
  failure_reason = CASE
    WHEN planned.event = 'dependency_failed' THEN iif(tasks.bytes > 1600000, NULL, planned.reason)
    WHEN to_queue = 'failed' AND NOT tasks.bytes > 1600000 THEN 'The budget of ' || coalesce(
      max_attempts, CAST(:max_attempts AS INTEGER)
    ) || iif(
      coalesce(max_attempts, CAST(:max_attempts AS INTEGER)) = 1, ' attempt is spent.', ' attempts is spent.'
    ) || coalesce(' Last: ' || :reason, '')
  END,
  cancel_reason = iif(to_queue = 'cancelled', cancel_reason, NULL), available_at = NULL , terminal = 0 ,
  setbacks = iif(
    tasks.bytes > 1600000,
    setbacks,
    json_insert(
      iif(json_array_length(setbacks) >= 10, json_remove(setbacks, '$[0]'), coalesce(setbacks, '[]')),
      '$[#]',
      json_object(
        'event',
        'requeued',
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
  )
FROM planned
WHERE planned.id = :id AND tasks.id = :id
RETURNING *;

-- found  (reprioritise of three, under an idempotency key)
-- 67 characters, 2 parameters, 1 row read, 0 rows written, sent 3 times
--   SEARCH tasks USING PRIMARY KEY (id=?)
SELECT *
FROM tasks
WHERE id = :id AND (:scope IS NULL OR scope = :scope);

-- projects  (reprioritise of three, under an idempotency key)
-- 41 characters, 1 parameter, 0 rows read, 0 rows written, sent 3 times
--   SEARCH projects USING PRIMARY KEY (id=?)
SELECT scope
FROM projects
WHERE id = :project;

-- machines  (reprioritise of three, under an idempotency key)
-- 62 characters, 2 parameters, 0 rows read, 0 rows written, sent 3 times
--   SEARCH orchestrators USING PRIMARY KEY (id=? AND scope=?)
SELECT scope
FROM orchestrators
WHERE id = :machine AND scope = :reach;

-- dependencies  (reprioritise of three, under an idempotency key)
-- 85 characters, 1 parameter, 1 row read, 0 rows written, sent 3 times
--   SEARCH dependencies USING INDEX dependencies_of (task_id=?)
--   USE TEMP B-TREE FOR ORDER BY
SELECT blocker_id, on_failure
FROM dependencies
WHERE task_id = :id
ORDER BY position;

-- flows  (reprioritise of three, under an idempotency key)
-- 107 characters, 2 parameters, 1 row read, 0 rows written, sent 3 times
--   SEARCH flows USING PRIMARY KEY (scope=? AND name=?)
--   SCALAR SUBQUERY 1
--     SEARCH tasks USING PRIMARY KEY (id=?)
SELECT rules
FROM flows
WHERE (scope, name) = (SELECT scope, coalesce(:flow, flow) FROM tasks WHERE id = :id);

-- recorded  (reprioritise of three, under an idempotency key)
-- 866 characters, 13 parameters, 2 rows read, 2 rows written, sent 3 times
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   SCALAR SUBQUERY 5
--     CO-ROUTINE below
--       SETUP
--         SCAN CONSTANT ROW
--       RECURSIVE STEP
--         SCAN below
--         SEARCH edge USING PRIMARY KEY (blocker_key=?)
--     SCAN below
--     SCAN given VIRTUAL TABLE INDEX 1:
--   CORRELATED SCALAR SUBQUERY 2
--     SEARCH projects USING PRIMARY KEY (id=?)
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
SELECT id, version + 1, scope, (SELECT seq + 1 FROM queue_counts WHERE queue_counts.scope = tasks.scope),
  :event, queue, :queue, :actor, :excerpt, :details, grants, :now, title, project_id
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

-- changed  (reprioritise of three, under an idempotency key)
-- 164 characters, 4 parameters, 7 rows read, 1 row written, sent 3 times
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--   CORRELATED SCALAR SUBQUERY 3
--     SEARCH later USING PRIMARY KEY (task_id=? AND version>?)
UPDATE tasks
SET priority = :set_priority, priority_rank = :set_priority_rank, updated_at = :now, version = planned.version
FROM planned
WHERE tasks.id = :id AND planned.id = :id
RETURNING *;

-- counted  (reprioritise of three, under an idempotency key)
-- 306 characters, 1 parameter, 8 rows read, 1 row written, sent 3 times
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

-- recorded  (delete of three, under an idempotency key)
-- 364 characters, 4 parameters, 2 rows read, 3 rows written, sent 2 times
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

-- satisfied  (delete of three, under an idempotency key)
-- 282 characters, 4 parameters, 1 row read, 0 rows written, sent 2 times
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

-- unblockedRecorded  (delete of three, under an idempotency key)
-- 646 characters, 5 parameters, 3 rows read, 0 rows written, sent 2 times
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

-- unblocked  (delete of three, under an idempotency key)
-- 571 characters, 3 parameters, 3 rows read, 0 rows written, sent 2 times
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

-- dependenciesOnIt  (delete of three, under an idempotency key)
-- 239 characters, 3 parameters, 1 row read, 0 rows written, sent 2 times
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

-- dependenciesOfIt  (delete of three, under an idempotency key)
-- 102 characters, 1 parameter, 1 row read, 0 rows written, sent 2 times
--   SEARCH dependencies USING INDEX dependencies_of (task_id=?)
--   SCALAR SUBQUERY 1
--     SEARCH tasks USING PRIMARY KEY (id=?)
--     SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--     CORRELATED SCALAR SUBQUERY 3
--       SEARCH later USING PRIMARY KEY (task_id=? AND version>?)
DELETE
FROM dependencies
WHERE task_id = :id AND EXISTS (SELECT 1 FROM planned WHERE planned.id = :id);

-- withdrawn  (delete of three, under an idempotency key)
-- 220 characters, 1 parameter, 8 rows read, 0 rows written, sent 2 times
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

-- removed  (delete of three, under an idempotency key)
-- 81 characters, 1 parameter, 8 rows read, 1 row written, sent 2 times
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

-- partKept  (delete of three, under an idempotency key)
-- 419 characters, 3 parameters, 5 rows read, 1 row written, sent 2 times
--   SEARCH idempotency_keys USING PRIMARY KEY (id=?)
--   SCALAR SUBQUERY 4
--     SEARCH history USING PRIMARY KEY (task_id=? AND version=?)
--     SCALAR SUBQUERY 3
--       SEARCH history USING PRIMARY KEY (task_id=?)
--   SCALAR SUBQUERY 2
--     SEARCH history USING PRIMARY KEY (task_id=? AND version=?)
--     SCALAR SUBQUERY 1
--       SEARCH history USING PRIMARY KEY (task_id=?)
UPDATE idempotency_keys
SET answer = json_set(
  answer,
  :part,
  json(
    (
      SELECT json_object('id', task_id, 'queue', NULL, 'version', NULL)
      FROM history
      WHERE changes() > 0
        AND task_id = :id
        AND version = (SELECT max(version) FROM history WHERE task_id = :id)
      LIMIT 1
    )
  )
)
WHERE id = :key
  AND EXISTS (
    SELECT 1
    FROM history
    WHERE changes() > 0 AND task_id = :id AND version = (SELECT max(version) FROM history WHERE task_id = :id)
  );

-- namedSatisfied  (delete of three, under an idempotency key)
-- 440 characters, 3 parameters, 2 rows read, 0 rows written, sent 2 times
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

-- namedUnblocked  (delete of three, under an idempotency key)
-- 602 characters, 3 parameters, 3 rows read, 0 rows written, sent 2 times
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

-- namedDependents  (delete of three, under an idempotency key)
-- 759 characters, 3 parameters, 3 rows read, 0 rows written, sent 2 times
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

-- counted  (delete of three, under an idempotency key)
-- 380 characters, 1 parameter, 14 rows read, 1 row written, sent 2 times
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

-- rows  (a dry run of a filter)
-- 1,078 characters, 8 parameters, 507 rows read, 0 rows written
--   MERGE (UNION ALL)
--     LEFT
--       MERGE (UNION ALL)
--         LEFT
--           SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=?)
--         RIGHT
--           SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=?)
--     RIGHT
--       SEARCH tasks USING INDEX tasks_leased (scope=?)
--       USE TEMP B-TREE FOR ORDER BY
SELECT *
FROM (
  SELECT id, priority_rank, created_at,
    (:among IS NULL OR queue = :among)
      AND (:type IS NULL OR type = :type)
      AND (:role IS NULL OR role = :role)
      AND (:priority IS NULL OR priority = :priority) AS hit
  FROM tasks INDEXED BY tasks_ready
  WHERE scope = :scope
    AND queue = :queue
    AND claimed_by IS NULL
    AND blocked_by IS NULL
    AND available_at IS NULL
    AND queue <> 'done'
)
UNION ALL
SELECT *
FROM (
  SELECT id, priority_rank, created_at,
    (:among IS NULL OR queue = :among)
      AND (:type IS NULL OR type = :type)
      AND (:role IS NULL OR role = :role)
      AND (:priority IS NULL OR priority = :priority) AS hit
  FROM tasks INDEXED BY tasks_waiting
  WHERE scope = :scope
    AND queue = :queue
    AND claimed_by IS NULL
    AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
)
UNION ALL
SELECT *
FROM (
  SELECT id, priority_rank, created_at,
    (:among IS NULL OR queue = :among)
      AND (:type IS NULL OR type = :type)
      AND (:role IS NULL OR role = :role)
      AND (:priority IS NULL OR priority = :priority) AS hit
  FROM tasks INDEXED BY tasks_leased
  WHERE scope = :scope AND queue = :queue AND claimed_by IS NOT NULL
)
ORDER BY priority_rank, created_at, id
LIMIT :take OFFSET :skip;

-- inserted  (create three)
-- 1,867 characters, 38 parameters, 2 rows read, 2 rows written, sent 3 times
--   SCAN CONSTANT ROW
--   SCALAR SUBQUERY 5
--     SEARCH projects USING PRIMARY KEY (id=?)
--   SCALAR SUBQUERY 6
--     SEARCH projects USING PRIMARY KEY (id=?)
--   SCALAR SUBQUERY 7
--     SEARCH roles USING PRIMARY KEY (scope=?)
--   SCALAR SUBQUERY 9
--     SEARCH flows USING PRIMARY KEY (scope=? AND name=?)
--     CORRELATED LIST SUBQUERY 8
--       SCAN json_each VIRTUAL TABLE INDEX 3:
--   SCALAR SUBQUERY 10
--     SEARCH tasks USING COVERING INDEX tasks_file_path (scope=? AND file_path=?)
--   SCALAR SUBQUERY 11
--     SEARCH tasks USING PRIMARY KEY (id=?)
--   SCALAR SUBQUERY 1
--     SEARCH history USING PRIMARY KEY (task_id=?)
--   SCALAR SUBQUERY 2
--     SEARCH projects USING PRIMARY KEY (id=?)
--   SCALAR SUBQUERY 3
--     SEARCH history USING PRIMARY KEY (task_id=?)
--   SCALAR SUBQUERY 4
--     SEARCH queue_counts USING COVERING INDEX queue_counts_by_project (scope=?)
INSERT INTO tasks (
  id,
  scope,
  file_path,
  title,
  queue,
  version,
  priority,
  priority_rank,
  complexity,
  role,
  type,
  branch,
  content,
  project_id,
  pr_number,
  attempt_count,
  needs_intervention,
  auto_accept,
  hooks,
  flow,
  flow_overrides,
  metadata,
  created_at,
  updated_at,
  completed_at,
  grants,
  claimed_by,
  claimed_at,
  claimed_from,
  lease_expires_at,
  deadline_at,
  max_attempt_seconds,
  max_attempts,
  max_lease_losses,
  max_rejections,
  loss_limit,
  attempt_limit,
  external_key,
  max_cost_usd,
  max_tokens,
  by_project
)
SELECT :id, :scope, :file_path, :title, :queue,
  coalesce((SELECT version FROM history WHERE task_id = :id ORDER BY version DESC LIMIT 1), 0) + 1, :priority,
  :priority_rank, :complexity, :role, :type,
  coalesce((SELECT branch FROM projects WHERE id = :project_id AND scope = :scope), :branch), :content,
  :project_id, :pr_number, :attempt_count, :needs_intervention, :auto_accept, :hooks, :flow, :flow_overrides,
  :metadata, :now, :now, :completed_at,
  coalesce((SELECT grants FROM history WHERE task_id = :id ORDER BY version DESC LIMIT 1), 0), :claimed_by,
  :claimed_at, :claimed_from, :lease_expires_at, :deadline_at, :max_attempt_seconds, :max_attempts,
  :max_lease_losses, :max_rejections, :loss_limit, :attempt_limit, :external_key,
  CAST(:max_cost_usd AS INTEGER), CAST(:max_tokens AS INTEGER),
  EXISTS (
    SELECT 1
    FROM queue_counts INDEXED BY queue_counts_by_project
    WHERE queue_counts.scope = :scope AND by_project = 1
  )
WHERE coalesce((SELECT branch FROM projects WHERE id = :project_id AND scope = :scope), :branch) IS NOT NULL
  AND (:project_id IS NULL OR EXISTS (SELECT 1 FROM projects WHERE id = :project_id AND scope = :scope))
  AND (
    :role IS NULL
    OR (SELECT count(*) = 0 OR count(*) FILTER (WHERE name = :role) = 1 FROM roles WHERE scope = :scope)
  )
  AND (
    :usual_queue
    OR coalesce(
      (
        SELECT :queue IN (
          SELECT value
          FROM json_each(rules, iif(:project_id IS NULL, '$.task.states', '$.child.states'))
        )
        FROM flows
        WHERE scope = :scope AND name = :flow
      ),
      1
    )
  )
  AND NOT (
    EXISTS (
      SELECT 1
      FROM tasks
      WHERE scope = :scope AND file_path = :file_path AND file_path <> 'TASK-' || id || '.md'
    )
    OR EXISTS (
      SELECT 1
      FROM tasks
      WHERE id = substr(:file_path, 6, length(:file_path) - 8) AND +scope = :scope AND +file_path = :file_path
    )
  )
RETURNING id;

-- counted  (create three)
-- 643 characters, 4 parameters, 4 rows read, 1 row written, sent 3 times
--   CO-ROUTINE (subquery-3)
--     COMPOUND QUERY
--       LEFT-MOST SUBQUERY
--         SCAN CONSTANT ROW
--         SCALAR SUBQUERY 4
--           SEARCH tasks USING PRIMARY KEY (id=?)
--           CORRELATED SCALAR SUBQUERY 7
--             SEARCH history USING PRIMARY KEY (task_id=? AND version=?)
--       UNION ALL
--         SEARCH queue_counts USING PRIMARY KEY (scope=?)
--         SCALAR SUBQUERY 4
--           SEARCH tasks USING PRIMARY KEY (id=?)
--           CORRELATED SCALAR SUBQUERY 7
--             SEARCH history USING PRIMARY KEY (task_id=? AND version=?)
--   SCAN (subquery-3)
--   SCALAR SUBQUERY 4
--     SEARCH tasks USING PRIMARY KEY (id=?)
--     CORRELATED SCALAR SUBQUERY 7
--       SEARCH history USING PRIMARY KEY (task_id=? AND version=?)
--   SCALAR SUBQUERY 1
--     SEARCH queue_counts USING PRIMARY KEY (scope=?)
INSERT INTO queue_counts (scope, counts, revision, seq, events)
SELECT owner, json_object(:queue, 1), 1, coalesce((SELECT seq FROM queue_counts WHERE scope = :scope), 0) + 1,
  iif(owner < ' ', '{}', '{"created":1}')
FROM (SELECT :scope AS owner UNION ALL SELECT scope FROM queue_counts WHERE scope = char(31) || :project_id)
WHERE EXISTS (SELECT 1 FROM unrecorded WHERE id = :id)
ON CONFLICT (scope)
DO UPDATE SET revision = revision + 1, seq = excluded.seq,
  counts = json_patch(counts, json_object(:queue, coalesce(counts ->> ('$."' || :queue || '"'), 0) + 1)),
  events = iif(scope < ' ', events, json_set(events, '$.created', coalesce(events ->> 'created', 0) + 1));

-- recorded  (create three)
-- 293 characters, 3 parameters, 3 rows read, 2 rows written, sent 3 times
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 4
--     SEARCH history USING PRIMARY KEY (task_id=? AND version=?)
--   CORRELATED SCALAR SUBQUERY 1
--     SEARCH queue_counts USING PRIMARY KEY (scope=?)
INSERT INTO history (task_id, version, scope, seq, event, to_queue, actor, grants, at, title, project_id)
SELECT id, version, scope, (SELECT seq FROM queue_counts WHERE queue_counts.scope = unrecorded.scope),
  'created', queue, :actor, grants, :now, title, project_id
FROM unrecorded
WHERE id = :id;

-- task  (create three)
-- 34 characters, 1 parameter, 1 row read, 0 rows written, sent 3 times
--   SEARCH tasks USING PRIMARY KEY (id=?)
SELECT *
FROM tasks
WHERE id = :id;
