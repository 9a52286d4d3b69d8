-- POST /api/v1/tasks/:id/accept
-- 1 round trip, 8 statements: 4,896 characters, 22 parameters, 26 rows read, 5 rows written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- recorded
-- 1,414 characters, 9 parameters, 2 rows read, 2 rows written
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

-- breakers
-- 410 characters, 2 parameters, 2 rows read, 0 rows written
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

-- breakers
-- 277 characters, 1 parameter, 1 row read, 0 rows written
--   SEARCH own USING INDEX breakers_canary (canary_task=?)
--   SEARCH breakers USING PRIMARY KEY (scope=? AND project_id=?)
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   SEARCH plan USING PRIMARY KEY (task_id=? AND version=?)
UPDATE breakers
SET failures = '[]', opened_at = NULL, tripped_by = NULL, reason = NULL, retry_at = NULL, probes = 0,
  canary_task = NULL, canary_token = NULL
FROM closing AS task
WHERE task.task_id = :id AND breakers.scope = task.scope AND breakers.project_id = task.project_id;

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
-- 570 characters, 3 parameters, 4 rows read, 2 rows written
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
