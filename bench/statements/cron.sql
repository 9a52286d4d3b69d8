-- cron
-- 1 round trip, 7 statements: 1,732 characters, 8 parameters, 16 rows read, 0 rows written
-- Written by `npm run statements -- --write`, which measures on D1 with 10 records of each kind.

-- expired
-- 441 characters, 1 parameter, 6 rows read, 0 rows written
--   CO-ROUTINE place
--     SETUP
--       SEARCH tasks USING INDEX tasks_leased
--     RECURSIVE STEP
--       SCAN place
--       CORRELATED SCALAR SUBQUERY 2
--         SEARCH tasks USING INDEX tasks_leased (scope>?)
--   SCAN place
--   SEARCH tasks USING INDEX tasks_leased (scope=? AND lease_expires_at<?)
WITH RECURSIVE place (scope) AS (
  SELECT min(scope)
  FROM tasks INDEXED BY tasks_leased
  WHERE claimed_by IS NOT NULL
  UNION ALL
  SELECT (
    SELECT min(scope)
    FROM tasks INDEXED BY tasks_leased
    WHERE claimed_by IS NOT NULL AND tasks.scope > place.scope
  )
  FROM place
  WHERE place.scope IS NOT NULL
)
SELECT 1
FROM place
CROSS JOIN tasks INDEXED BY tasks_leased ON tasks.scope = place.scope
  AND claimed_by IS NOT NULL
  AND lease_expires_at <= :now
LIMIT 1;

-- silent
-- 84 characters, 1 parameter, 1 row read, 0 rows written
--   SCAN orchestrators USING INDEX orchestrators_active
SELECT 1
FROM orchestrators
WHERE status = 'active' AND last_heartbeat < :heard_since
LIMIT 1;

-- backingOff
-- 458 characters, 1 parameter, 3 rows read, 0 rows written
--   CO-ROUTINE place
--     SETUP
--       SEARCH tasks USING COVERING INDEX tasks_backing_off
--     RECURSIVE STEP
--       SCAN place
--       CORRELATED SCALAR SUBQUERY 2
--         SEARCH tasks USING COVERING INDEX tasks_backing_off (scope>?)
--   SCAN place
--   SEARCH tasks USING COVERING INDEX tasks_backing_off (scope=? AND available_at>? AND available_at<?)
WITH RECURSIVE place (scope) AS (
  SELECT min(scope)
  FROM tasks INDEXED BY tasks_backing_off
  WHERE available_at IS NOT NULL
  UNION ALL
  SELECT (
    SELECT min(scope)
    FROM tasks INDEXED BY tasks_backing_off
    WHERE available_at IS NOT NULL AND tasks.scope > place.scope
  )
  FROM place
  WHERE place.scope IS NOT NULL
)
SELECT 1
FROM place
CROSS JOIN tasks INDEXED BY tasks_backing_off ON tasks.scope = place.scope
  AND available_at IS NOT NULL
  AND available_at <= :now
LIMIT 1;

-- forgotten
-- 71 characters, 3 parameters, 1 row read, 0 rows written
--   SEARCH idempotency_keys USING PRIMARY KEY (id>? AND id<?)
DELETE
FROM idempotency_keys
WHERE id >= :first AND id < :next AND at <= :oldest;

-- records
-- 166 characters, 0 parameters, 1 row read, 0 rows written
--   SEARCH queue_counts USING INDEX queue_counts_uncounted (scope>?)
SELECT 1
FROM queue_counts INDEXED BY queue_counts_uncounted
WHERE scope >= ' ' AND (messages_total IS NULL OR drafts_total IS NULL OR projects_total IS NULL)
LIMIT 1;

-- projects
-- 87 characters, 0 parameters, 1 row read, 0 rows written
--   SCAN CONSTANT ROW
--   SCALAR SUBQUERY 1
--     SEARCH sweeps USING PRIMARY KEY (name=?)
SELECT 1
WHERE NOT EXISTS (SELECT 1 FROM sweeps WHERE name = 'projects' AND due_at > 0);

-- webhooks
-- 425 characters, 2 parameters, 3 rows read, 0 rows written
--   CO-ROUTINE webhooks
--     COMPOUND QUERY
--       LEFT-MOST SUBQUERY
--         CO-ROUTINE (subquery-1)
--           SEARCH webhooks USING PRIMARY KEY (id>?)
--         SCAN (subquery-1)
--       UNION ALL
--         CO-ROUTINE (subquery-3)
--           SEARCH webhooks USING PRIMARY KEY (id<?)
--         SCAN (subquery-3)
--   SCAN webhooks
--   CORRELATED SCALAR SUBQUERY 5
--     SEARCH queue_counts USING PRIMARY KEY (scope=?)
--   USE TEMP B-TREE FOR ORDER BY
SELECT id
FROM (
  SELECT *
  FROM (SELECT * FROM webhooks WHERE id >= :place ORDER BY id LIMIT 250)
  UNION ALL
  SELECT *
  FROM (SELECT * FROM webhooks WHERE id < :place ORDER BY id LIMIT 250)
  LIMIT 250
) AS webhooks
WHERE disabled_at IS NULL
  AND coalesce(next_attempt_at, 0) <= :now
  AND coalesce(sending_until, 0) <= :now
  AND position < (SELECT seq FROM queue_counts WHERE queue_counts.scope = webhooks.scope)
ORDER BY tried_at, id
LIMIT 45;

-- ======== Sent in special cases only ========

-- expired  (graph of layers: leases run out, and all fail with the tasks)
-- 736 characters, 1 parameter, 76 rows read, 36 rows written
--   CO-ROUTINE (subquery-7)
--     SEARCH tasks USING INDEX tasks_leased (scope=? AND lease_expires_at<?)
--     LIST SUBQUERY 2
--       SEARCH queue_counts USING PRIMARY KEY (scope>?)
--   SCAN (subquery-7)
--   CORRELATED SCALAR SUBQUERY 1
--     SEARCH counter USING PRIMARY KEY (scope=?)
--     CORRELATED SCALAR SUBQUERY 6
--       SEARCH history USING COVERING INDEX history_feed (scope=? AND seq>?)
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
SELECT id, version + 1, scope,
  (SELECT last FROM feed WHERE feed.scope = tasks.scope) + row_number() OVER (PARTITION BY tasks.scope),
  event, queue, to_queue, claimed_by, reason,
  CASE
    WHEN queue <> 'claimed' OR to_queue <> 'failed' THEN details
    WHEN event = 'lease_expired' THEN json_set(details, '$.budget', 'max_lease_losses', '$.limit', loss_limit)
    ELSE json_set(details, '$.budget', 'max_attempts', '$.limit', attempt_limit)
  END,
  grants, :now, title, project_id
FROM expiring AS tasks
WHERE tasks.scope IN (SELECT scope FROM queue_counts WHERE queue_counts.scope >= ' ')
  AND lease_expires_at <= :now;

-- dependentsFailed  (graph of layers: leases run out, and all fail with the tasks)
-- 1,148 characters, 1 parameter, 14,984 rows read, 252 rows written
--   CO-ROUTINE (subquery-68)
--     MATERIALIZE failing
--       SETUP
--         MERGE (UNION)
--           LEFT
--             CO-ROUTINE (subquery-1)
--               SEARCH counter USING PRIMARY KEY (scope>?)
--               SEARCH history USING COVERING INDEX history_feed (scope=? AND seq>?)
--             SCAN (subquery-1)
--             SEARCH counter USING PRIMARY KEY (scope>?)
--             SEARCH history USING INDEX history_feed (scope=? AND seq>?)
--             SEARCH blocker USING PRIMARY KEY (id=?)
--             CORRELATED SCALAR SUBQUERY 21
--               SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--             SEARCH edge USING PRIMARY KEY (blocker_key=?)
--             CORRELATED SCALAR SUBQUERY 22
--               SEARCH other USING PRIMARY KEY (id=?)
--             USE TEMP B-TREE FOR ORDER BY
--           RIGHT
--             CO-ROUTINE (subquery-3)
--               SEARCH counter USING PRIMARY KEY (scope>?)
--               SEARCH history USING COVERING INDEX history_feed (scope=? AND seq>?)
--             SCAN (subquery-3)
--             SEARCH counter USING PRIMARY KEY (scope>?)
--             SEARCH history USING COVERING INDEX history_feed (scope=? AND seq>?)
--             SEARCH edge USING INDEX dependencies_of (task_id=?)
--             SEARCH blocker USING PRIMARY KEY (id=?)
--             CORRELATED SCALAR SUBQUERY 15
--               SEARCH other USING PRIMARY KEY (id=?)
--             CORRELATED SCALAR SUBQUERY 14
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
--     USE TEMP B-TREE FOR ORDER BY
--   SCAN (subquery-68)
--   CORRELATED SCALAR SUBQUERY 6
--     SEARCH counter USING PRIMARY KEY (scope=?)
--     CORRELATED SCALAR SUBQUERY 40
--       SEARCH history USING COVERING INDEX history_feed (scope=? AND seq>?)
--   CORRELATED SCALAR SUBQUERY 8
--     SEARCH edge USING INDEX dependencies_of (task_id=?)
--     SEARCH blocker USING PRIMARY KEY (id=?)
--     CORRELATED SCALAR SUBQUERY 44
--       SEARCH other USING PRIMARY KEY (id=?)
--     CORRELATED SCALAR SUBQUERY 43
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--     LIST SUBQUERY 7
--       SCAN failing
--       CREATE BLOOM FILTER
--     CORRELATED SCALAR SUBQUERY 43
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
WITH RECURSIVE failing (id) AS (
  SELECT task_id
  FROM (SELECT 1 FROM plans WHERE plans.scope IS NOT NULL LIMIT 1)
  CROSS JOIN touched
  WHERE touched.scope IS NOT NULL AND fails AND queue IN ('failed', 'cancelled')
  UNION
  SELECT waits.task_id
  FROM (SELECT 1 FROM plans WHERE plans.scope IS NOT NULL LIMIT 1)
  CROSS JOIN plans
  CROSS JOIN waits ON waits.task_id = plans.task_id
  WHERE plans.scope IS NOT NULL AND fails AND waits.queue IN ('failed', 'cancelled') AND 1
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
  (SELECT last FROM feed WHERE feed.scope = failable.scope) + row_number() OVER (PARTITION BY failable.scope),
  'dependency_failed', queue, 'failed',
  (
    SELECT min('Blocker ' || blocker || iif(queue = 'cancelled', ' was cancelled.', ' failed.'))
    FROM waits
    WHERE task_id = failable.id AND fails AND (queue IN ('failed', 'cancelled') OR blocker IN failing)
  ),
  grants, :now, title, project_id
FROM failing
CROSS JOIN failable USING (id);

-- satisfied  (graph of layers: leases run out, and all fail with the tasks)
-- 434 characters, 1 parameter, 9,350 rows read, 0 rows written
--   SEARCH dependencies USING PRIMARY KEY (blocker_key=? AND task_id=? AND blocker_id=?)
--   LIST SUBQUERY 15
--     CO-ROUTINE (subquery-1)
--       SEARCH counter USING PRIMARY KEY (scope>?)
--       SEARCH history USING COVERING INDEX history_feed (scope=? AND seq>?)
--     SCAN (subquery-1)
--     SEARCH counter USING PRIMARY KEY (scope>?)
--     SEARCH history USING INDEX history_feed (scope=? AND seq>?)
--     SEARCH blocker USING PRIMARY KEY (id=?)
--     SEARCH edge USING PRIMARY KEY (blocker_key=?)
--   CORRELATED SCALAR SUBQUERY 3
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
  FROM (SELECT 1 FROM plans WHERE plans.scope IS NOT NULL LIMIT 1)
  CROSS JOIN touched
  WHERE touched.scope IS NOT NULL
)
  AND (satisfied_at IS NULL) = EXISTS (
    SELECT 1
    FROM waits
    WHERE waits.task_id = dependencies.task_id AND waits.blocker_id = dependencies.blocker_id AND met
  );

-- unblocked  (graph of layers: leases run out, and all fail with the tasks)
-- 619 characters, 1 parameter, 5,488 rows read, 0 rows written
--   CO-ROUTINE (subquery-19)
--     CO-ROUTINE (subquery-3)
--       CO-ROUTINE (subquery-2)
--         SEARCH counter USING PRIMARY KEY (scope>?)
--         SEARCH history USING COVERING INDEX history_feed (scope=? AND seq>?)
--       SCAN (subquery-2)
--       SEARCH counter USING PRIMARY KEY (scope>?)
--       SEARCH history USING INDEX history_feed (scope=? AND seq>?)
--       SEARCH blocker USING PRIMARY KEY (id=?)
--       SEARCH edge USING PRIMARY KEY (blocker_key=?)
--       USE TEMP B-TREE FOR GROUP BY
--       CORRELATED SCALAR SUBQUERY 10
--         SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--       CORRELATED SCALAR SUBQUERY 10
--         SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--     SCAN (subquery-3)
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
--     USE TEMP B-TREE FOR ORDER BY
--   SCAN (subquery-19)
--   CORRELATED SCALAR SUBQUERY 1
--     SEARCH counter USING PRIMARY KEY (scope=?)
--     CORRELATED SCALAR SUBQUERY 18
--       SEARCH history USING COVERING INDEX history_feed (scope=? AND seq>?)
INSERT INTO history (
  task_id, version, scope, seq, event, from_queue, to_queue, reason, grants, at, title, project_id
)
SELECT id, version + 1, scope,
  (SELECT last FROM feed WHERE feed.scope = task.scope) + row_number() OVER (PARTITION BY task.scope),
  iif(waits_for IS NULL, 'unblocked', 'blockers_changed'), queue, queue, because, grants, :now, title,
  project_id
FROM (
  SELECT task_id, min(because) AS because
  FROM (SELECT 1 FROM plans WHERE plans.scope IS NOT NULL LIMIT 1)
  CROSS JOIN touched
  WHERE touched.scope IS NOT NULL
  GROUP BY task_id
)
CROSS JOIN foreseen AS task ON id = task_id
WHERE blocked_by IS NOT waits_for;

-- reclaimed  (graph of layers: leases run out, and all fail with the tasks)
-- 1,416 characters, 1 parameter, 122 rows read, 24 rows written
--   SEARCH tasks USING INDEX tasks_leased (scope=? AND lease_expires_at<?)
--   LIST SUBQUERY 2
--     SEARCH queue_counts USING PRIMARY KEY (scope>?)
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--   CORRELATED SCALAR SUBQUERY 7
--     SEARCH later USING PRIMARY KEY (task_id=? AND version>?)
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   SEARCH lapse USING PRIMARY KEY (task_id=? AND version=?)
--   CORRELATED SCALAR SUBQUERY 1
--     USE TEMP B-TREE FOR group_concat(ORDER BY)
--     SEARCH dependencies USING INDEX dependencies_of (task_id=?)
--   CORRELATED SCALAR SUBQUERY 8
--     SEARCH history USING PRIMARY KEY (task_id=? AND version=?)
--   CORRELATED SCALAR SUBQUERY 3
--     SEARCH history USING PRIMARY KEY (task_id=?)
UPDATE tasks
SET version = task.version, updated_at = :now, queue = task.to_queue, claimed_by = NULL, claimed_at = NULL,
  claimed_from = NULL, orchestrator_id = NULL, lease_expires_at = NULL, lease_seconds = NULL,
  deadline_at = NULL, cancel_requested_at = NULL,
  blocked_by = iif(
    blocked_by IS NULL,
    NULL,
    (
      SELECT group_concat(blocker_id, ',' ORDER BY position)
      FROM dependencies
      WHERE task_id = tasks.id AND satisfied_at IS NULL
    )
  ),
  completed_at = iif(queue = 'done', completed_at, NULL),
  lapsed_token = iif(event = 'lease_expired' AND led_to NOT IN ('failed', 'cancelled'), grants, NULL),
  attempt_count = attempt_count + (event <> 'review_lease_expired'),
  lease_losses = lease_losses + (event = 'lease_expired'),
  needs_intervention = iif(
    event = 'review_lease_expired', needs_intervention, led_to = 'requires-intervention'
  ),
  failure_reason = task.failure_reason, setbacks = task.setbacks,
  cancel_reason = iif(task.to_queue = 'cancelled', cancel_reason, NULL), available_at = NULL
FROM reclaiming AS task
WHERE tasks.id = task.id
  AND tasks.claimed_by IS NOT NULL
  AND tasks.scope IN (SELECT scope FROM queue_counts WHERE queue_counts.scope >= ' ')
  AND lease_expires_at <= :now
RETURNING id, scope, queue, version, claimed_by, fencing_token, blocked_by,
  (
    SELECT event
    FROM history
    WHERE task_id = tasks.id AND event IN ('lease_expired', 'deadline_exceeded', 'review_lease_expired')
    ORDER BY version DESC
    LIMIT 1
  ) AS event;

-- dependents  (graph of layers: leases run out, and all fail with the tasks)
-- 690 characters, 1 parameter, 3,085 rows read, 168 rows written
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   LIST SUBQUERY 2
--     CO-ROUTINE (subquery-1)
--       SEARCH counter USING PRIMARY KEY (scope>?)
--       SEARCH history USING COVERING INDEX history_feed (scope=? AND seq>?)
--     SCAN (subquery-1)
--     SEARCH counter USING PRIMARY KEY (scope>?)
--     SEARCH history USING COVERING INDEX history_feed (scope=? AND seq>?)
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   REUSE LIST SUBQUERY 2
--   SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--   CORRELATED SCALAR SUBQUERY 6
--     SEARCH later USING PRIMARY KEY (task_id=? AND version>?)
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 7
--     USE TEMP B-TREE FOR group_concat(ORDER BY)
--     SEARCH dependencies USING INDEX dependencies_of (task_id=?)
--   CORRELATED SCALAR SUBQUERY 8
--     SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
UPDATE tasks
SET version = task.version, queue = task.queue, blocked_by = task.blocked_by, updated_at = task.updated_at,
  lapsed_token = task.lapsed_token, available_at = task.available_at, completed_at = task.completed_at,
  needs_intervention = task.needs_intervention, failure_reason = task.failure_reason
FROM following AS task
WHERE task.id = tasks.id
  AND tasks.id IN (
    SELECT plans.task_id
    FROM (SELECT 1 FROM plans WHERE plans.scope IS NOT NULL LIMIT 1)
    CROSS JOIN plans
    WHERE plans.scope IS NOT NULL
  )
RETURNING id, scope, version, claimed_by, fencing_token, queue,
  iif(
    queue = 'failed' AND updated_at = :now,
    'dependency_failed',
    iif(blocked_by IS NULL, 'unblocked', 'blocked')
  ) AS event;

-- counted  (graph of layers: leases run out, and all fail with the tasks)
-- 312 characters, 0 parameters, 965 rows read, 1 row written
--   SEARCH counter USING PRIMARY KEY (scope>?)
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
WHERE after.scope IS NOT NULL
ON CONFLICT (scope)
DO UPDATE SET revision = revision + 1, seq = excluded.seq, counts = excluded.counts, events = excluded.events,
  lives = excluded.lives;

-- counted  (graph of layers: leases run out, and all fail with the tasks)
-- 532 characters, 0 parameters, 4 rows read, 1 row written
--   SEARCH queue_counts USING PRIMARY KEY (scope=?)
--   LIST SUBQUERY 4
--     SEARCH queue_counts USING INDEX queue_counts_uncounted (scope>?)
--   CORRELATED SCALAR SUBQUERY 1
--     SEARCH messages USING COVERING INDEX messages_of_scope (scope=?)
--   CORRELATED SCALAR SUBQUERY 2
--     SEARCH drafts USING COVERING INDEX drafts_newest (scope=?)
--   CORRELATED SCALAR SUBQUERY 3
--     SEARCH projects USING COVERING INDEX projects_newest (scope=?)
UPDATE queue_counts
SET messages_total = coalesce(
  messages_total, (SELECT count(*) FROM messages WHERE scope = queue_counts.scope)
),
  drafts_total = coalesce(drafts_total, (SELECT count(*) FROM drafts WHERE scope = queue_counts.scope)),
  projects_total = coalesce(projects_total, (SELECT count(*) FROM projects WHERE scope = queue_counts.scope))
WHERE scope IN (
  SELECT scope
  FROM queue_counts INDEXED BY queue_counts_uncounted
  WHERE scope >= ' ' AND (messages_total IS NULL OR drafts_total IS NULL OR projects_total IS NULL)
  LIMIT 10
);

-- counted  (graph of layers: leases run out, and all fail with the tasks)
-- 546 characters, 0 parameters, 3 rows read, 0 rows written
--   CO-ROUTINE old
--     CO-ROUTINE place
--       SEARCH sweeps USING PRIMARY KEY (name=?)
--     SCAN place
--     SEARCH projects USING PRIMARY KEY (id>?)
--     USE TEMP B-TREE FOR ORDER BY
--   SCAN old
--   CORRELATED SCALAR SUBQUERY 5
--     SEARCH queue_counts USING PRIMARY KEY (scope=?)
--   CORRELATED SCALAR SUBQUERY 2
--     CO-ROUTINE (subquery-1)
--       SEARCH tasks USING INDEX tasks_project (project_id=?)
--       USE TEMP B-TREE FOR GROUP BY
--     SCAN (subquery-1)
INSERT INTO queue_counts (scope, counts)
SELECT char(31) || old.id,
  (
    SELECT json_group_object(queue, n)
    FROM (SELECT queue, count(*) AS n FROM tasks WHERE project_id = old.id GROUP BY queue)
  )
FROM (
  SELECT projects.id
  FROM (
    SELECT coalesce(max(position), '') AS position
    FROM sweeps
    WHERE name = 'projects'
    HAVING coalesce(max(due_at), 0) = 0
  ) AS place
  CROSS JOIN projects ON projects.id > place.position
  ORDER BY projects.id
  LIMIT 20
) AS old
WHERE NOT EXISTS (SELECT 1 FROM queue_counts WHERE scope = char(31) || old.id)
ON CONFLICT
DO NOTHING;

-- counted  (graph of layers: leases run out, and all fail with the tasks)
-- 537 characters, 0 parameters, 3 rows read, 1 row written
--   CO-ROUTINE (subquery-2)
--     CO-ROUTINE place
--       SEARCH sweeps USING PRIMARY KEY (name=?)
--     SCAN place
--     SEARCH projects USING PRIMARY KEY (id>?)
--     USE TEMP B-TREE FOR ORDER BY
--   SCAN (subquery-2)
--   SCALAR SUBQUERY 3
--     SEARCH sweeps USING PRIMARY KEY (name=?)
INSERT INTO sweeps (name, position, due_at)
SELECT 'projects', coalesce(max(id), ''), iif(count(*) < 20, 9e15, 0)
FROM (
  SELECT projects.id
  FROM (
    SELECT coalesce(max(position), '') AS position
    FROM sweeps
    WHERE name = 'projects'
    HAVING coalesce(max(due_at), 0) = 0
  ) AS place
  CROSS JOIN projects ON projects.id > place.position
  ORDER BY projects.id
  LIMIT 20
)
WHERE true
HAVING NOT EXISTS (SELECT 1 FROM sweeps WHERE name = 'projects' AND due_at > 0)
ON CONFLICT (name)
DO UPDATE SET position = excluded.position, due_at = excluded.due_at;

-- raised  (five leases ran out and five machines fell silent)
-- 234 characters, 1 parameter, 5 rows read, 1 row written
--   SCAN orchestrators USING INDEX orchestrators_active
--   USE TEMP B-TREE FOR DISTINCT
INSERT INTO queue_counts (scope, counts, machines_revision)
SELECT DISTINCT scope, '{}', 1
FROM orchestrators
WHERE status = 'active' AND last_heartbeat < :silent_since
ON CONFLICT (scope)
DO UPDATE SET machines_revision = machines_revision + 1;

-- silent  (five leases ran out and five machines fell silent)
-- 112 characters, 1 parameter, 20 rows read, 5 rows written
--   SCAN orchestrators USING INDEX orchestrators_active
UPDATE orchestrators
SET status = 'offline'
WHERE status = 'active' AND last_heartbeat < :silent_since
RETURNING id, scope;

-- history  (looks for what is old, and finds none)
-- 1,113 characters, 3 parameters, 252 rows read, 0 rows written
--   CO-ROUTINE ids
--     SETUP
--       CO-ROUTINE place
--         SEARCH sweeps USING PRIMARY KEY (name=?)
--       SCAN place
--       CORRELATED SCALAR SUBQUERY 3
--         SEARCH history USING PRIMARY KEY (task_id>?)
--     RECURSIVE STEP
--       SCAN ids
--       CORRELATED SCALAR SUBQUERY 6
--         SEARCH history USING PRIMARY KEY (task_id>?)
--   USE TEMP B-TREE FOR json_group_array(ORDER BY)
--   SCAN ids
--   CORRELATED SCALAR SUBQUERY 9
--     CO-ROUTINE (subquery-8)
--       SEARCH history USING PRIMARY KEY (task_id=?)
--     SCAN (subquery-8)
--   CORRELATED SCALAR SUBQUERY 10
--     SEARCH newest USING PRIMARY KEY (task_id=?)
--   CORRELATED SCALAR SUBQUERY 11
--     SEARCH tasks USING PRIMARY KEY (id=?)
--   SCALAR SUBQUERY 2
--     CO-ROUTINE place
--       SEARCH sweeps USING PRIMARY KEY (name=?)
--     SCAN place
SELECT (
  SELECT due_at
  FROM (
    SELECT coalesce(max(position), '') AS position, coalesce(max(due_at), 0) AS due_at
    FROM sweeps
    WHERE name = 'history'
  ) AS place
) <= :now AS open,
  count(*) AS seen, coalesce(sum(old), 0) AS old, CAST(max(id) AS TEXT) AS last,
  json_group_array(id ORDER BY id) FILTER (WHERE due) AS due
FROM (
  WITH RECURSIVE ids (id, n) AS (
    SELECT (SELECT min(task_id) FROM history WHERE task_id > place.position), 1
    FROM (
      SELECT coalesce(max(position), '') AS position, coalesce(max(due_at), 0) AS due_at
      FROM sweeps
      WHERE name = 'history'
    ) AS place
    WHERE place.due_at <= :now
    UNION ALL
    SELECT (SELECT min(task_id) FROM history WHERE task_id > ids.id), n + 1
    FROM ids
    WHERE id IS NOT NULL AND n < :most
  )
  SELECT id,
    (SELECT count(*) FROM (SELECT 1 FROM history WHERE task_id = ids.id LIMIT 2)) = 2
      AND (
        SELECT at
        FROM history AS newest
        WHERE newest.task_id = ids.id
        ORDER BY newest.version DESC
        LIMIT 1
      ) <= :before
      AND NOT EXISTS (
        SELECT 1
        FROM tasks
        WHERE tasks.id = ids.id
          AND +tasks.queue <> 'done'
          AND +tasks.queue <> 'failed'
          AND +tasks.queue <> 'cancelled'
      ) AS due,
    0 AS old
  FROM ids
  WHERE id IS NOT NULL
);

-- messages  (looks for what is old, and finds none)
-- 1,016 characters, 3 parameters, 103 rows read, 0 rows written
--   CO-ROUTINE (subquery-6)
--     CO-ROUTINE place
--       SEARCH sweeps USING PRIMARY KEY (name=?)
--     SCAN place
--     SEARCH messages USING INTEGER PRIMARY KEY (rowid>?)
--     CORRELATED SCALAR SUBQUERY 3
--       SEARCH reply USING COVERING INDEX messages_replies (parent_message_id=?)
--     CORRELATED SCALAR SUBQUERY 4
--       SEARCH tasks USING PRIMARY KEY (id=?)
--     USE TEMP B-TREE FOR ORDER BY
--   USE TEMP B-TREE FOR json_group_array(ORDER BY)
--   SCAN (subquery-6)
--   SCALAR SUBQUERY 2
--     CO-ROUTINE place
--       SEARCH sweeps USING PRIMARY KEY (name=?)
--     SCAN place
SELECT (
  SELECT due_at
  FROM (
    SELECT coalesce(max(position), '') AS position, coalesce(max(due_at), 0) AS due_at
    FROM sweeps
    WHERE name = 'messages'
  ) AS place
) <= :now AS open,
  count(*) AS seen, coalesce(sum(old), 0) AS old, CAST(max(id) AS TEXT) AS last,
  json_group_array(id ORDER BY id) FILTER (WHERE due) AS due
FROM (
  SELECT messages.seq AS id,
    created_at <= :before
      AND status <> 'processing'
      AND (status = 'done' OR to_actor IS NULL)
      AND NOT EXISTS (SELECT 1 FROM messages AS reply WHERE reply.parent_message_id = messages.id)
      AND NOT EXISTS (
        SELECT 1
        FROM tasks
        WHERE tasks.id = messages.task_id
          AND +tasks.scope = messages.scope
          AND +tasks.queue <> 'done'
          AND +tasks.queue <> 'failed'
          AND +tasks.queue <> 'cancelled'
      ) AS due,
    created_at <= :before AS old
  FROM (
    SELECT coalesce(max(position), '') AS position, coalesce(max(due_at), 0) AS due_at
    FROM sweeps
    WHERE name = 'messages'
  ) AS place
  CROSS JOIN messages
  WHERE place.due_at <= :now AND messages.seq > CAST(place.position AS INTEGER)
  ORDER BY messages.seq
  LIMIT :most
);

-- tasks  (looks for what is old, and finds none)
-- 1,110 characters, 3 parameters, 103 rows read, 0 rows written
--   CO-ROUTINE (subquery-5)
--     CO-ROUTINE place
--       SEARCH sweeps USING PRIMARY KEY (name=?)
--     SCAN place
--     SEARCH tasks USING PRIMARY KEY (id>?)
--     CORRELATED SCALAR SUBQUERY 3
--       SEARCH edge USING PRIMARY KEY (blocker_key=?)
--       SEARCH waiting USING PRIMARY KEY (id=?) LEFT-JOIN
--     USE TEMP B-TREE FOR ORDER BY
--   USE TEMP B-TREE FOR json_group_array(ORDER BY)
--   SCAN (subquery-5)
--   SCALAR SUBQUERY 2
--     CO-ROUTINE place
--       SEARCH sweeps USING PRIMARY KEY (name=?)
--     SCAN place
SELECT (
  SELECT due_at
  FROM (
    SELECT coalesce(max(position), '') AS position, coalesce(max(due_at), 0) AS due_at
    FROM sweeps
    WHERE name = 'tasks'
  ) AS place
) <= :now AS open,
  count(*) AS seen, coalesce(sum(old), 0) AS old, CAST(max(id) AS TEXT) AS last,
  json_group_array(id ORDER BY id) FILTER (WHERE due) AS due
FROM (
  SELECT tasks.id AS id,
    NOT (+tasks.queue <> 'done' AND +tasks.queue <> 'failed' AND +tasks.queue <> 'cancelled')
      AND +tasks.claimed_by IS NULL
      AND tasks.updated_at <= :before
      AND NOT EXISTS (
        SELECT 1
        FROM dependencies AS edge
        LEFT JOIN tasks AS waiting ON waiting.id = edge.task_id
        WHERE edge.blocker_key = replace(tasks.id, 'TASK-', '')
          AND edge.blocker_id IN (tasks.id, 'TASK-' || tasks.id)
          AND edge.scope = tasks.scope
          AND (
            edge.satisfied_at IS NULL
            OR (waiting.queue <> 'done' AND waiting.queue <> 'failed' AND waiting.queue <> 'cancelled')
          )
      ) AS due,
    0 AS old
  FROM (
    SELECT coalesce(max(position), '') AS position, coalesce(max(due_at), 0) AS due_at
    FROM sweeps
    WHERE name = 'tasks'
  ) AS place
  CROSS JOIN tasks
  WHERE place.due_at <= :now AND tasks.id > place.position
  ORDER BY tasks.id
  LIMIT :most
);

-- remembered  (looks for what is old, and finds none)
-- 1,256 characters, 4 parameters, 1 row read, 1 row written
--   CO-ROUTINE place
--     SEARCH sweeps USING PRIMARY KEY (name=?)
--   SCAN place
--   SCALAR SUBQUERY 4
--     SCAN given VIRTUAL TABLE INDEX 1:
--     CORRELATED SCALAR SUBQUERY 2
--       SEARCH newest USING PRIMARY KEY (task_id=?)
--     CORRELATED SCALAR SUBQUERY 3
--       SEARCH tasks USING PRIMARY KEY (id=?)
--     SEARCH old USING PRIMARY KEY (task_id=? AND version<?)
--     CORRELATED SCALAR SUBQUERY 1
--       SEARCH history USING PRIMARY KEY (task_id=?)
--   SCALAR SUBQUERY 8
--     SCAN given VIRTUAL TABLE INDEX 1:
--     CORRELATED SCALAR SUBQUERY 6
--       SEARCH newest USING PRIMARY KEY (task_id=?)
--     CORRELATED SCALAR SUBQUERY 7
--       SEARCH tasks USING PRIMARY KEY (id=?)
--     SEARCH old USING PRIMARY KEY (task_id=? AND version<?)
--     CORRELATED SCALAR SUBQUERY 5
--       SEARCH history USING PRIMARY KEY (task_id=?)
INSERT INTO sweeps (name, position, due_at)
SELECT 'history',
  iif(
    NOT EXISTS (
      SELECT 1
      FROM json_each(:keys) AS given
      CROSS JOIN history AS old ON old.task_id = given.value
        AND old.version < (SELECT max(version) FROM history WHERE task_id = given.value)
      WHERE (
        SELECT at
        FROM history AS newest
        WHERE newest.task_id = given.value
        ORDER BY newest.version DESC
        LIMIT 1
      ) <= :before
        AND NOT EXISTS (
          SELECT 1
          FROM tasks
          WHERE tasks.id = given.value
            AND +tasks.queue <> 'done'
            AND +tasks.queue <> 'failed'
            AND +tasks.queue <> 'cancelled'
        )
    ),
    :position,
    place.position
  ),
  iif(
    NOT EXISTS (
      SELECT 1
      FROM json_each(:keys) AS given
      CROSS JOIN history AS old ON old.task_id = given.value
        AND old.version < (SELECT max(version) FROM history WHERE task_id = given.value)
      WHERE (
        SELECT at
        FROM history AS newest
        WHERE newest.task_id = given.value
        ORDER BY newest.version DESC
        LIMIT 1
      ) <= :before
        AND NOT EXISTS (
          SELECT 1
          FROM tasks
          WHERE tasks.id = given.value
            AND +tasks.queue <> 'done'
            AND +tasks.queue <> 'failed'
            AND +tasks.queue <> 'cancelled'
        )
    ),
    :due_at,
    0
  )
FROM (
  SELECT coalesce(max(position), '') AS position, coalesce(max(due_at), 0) AS due_at
  FROM sweeps
  WHERE name = 'history'
) AS place
WHERE true
ON CONFLICT (name)
DO UPDATE SET position = excluded.position, due_at = excluded.due_at;

-- remembered  (looks for what is old, and finds none)
-- 340 characters, 2 parameters, 1 row read, 1 row written
--   CO-ROUTINE place
--     SEARCH sweeps USING PRIMARY KEY (name=?)
--   SCAN place
INSERT INTO sweeps (name, position, due_at)
SELECT 'messages', iif(1, :position, place.position), iif(1, :due_at, 0)
FROM (
  SELECT coalesce(max(position), '') AS position, coalesce(max(due_at), 0) AS due_at
  FROM sweeps
  WHERE name = 'messages'
) AS place
WHERE true
ON CONFLICT (name)
DO UPDATE SET position = excluded.position, due_at = excluded.due_at;

-- remembered  (looks for what is old, and finds none)
-- 334 characters, 2 parameters, 1 row read, 1 row written
--   CO-ROUTINE place
--     SEARCH sweeps USING PRIMARY KEY (name=?)
--   SCAN place
INSERT INTO sweeps (name, position, due_at)
SELECT 'tasks', iif(1, :position, place.position), iif(1, :due_at, 0)
FROM (
  SELECT coalesce(max(position), '') AS position, coalesce(max(due_at), 0) AS due_at
  FROM sweeps
  WHERE name = 'tasks'
) AS place
WHERE true
ON CONFLICT (name)
DO UPDATE SET position = excluded.position, due_at = excluded.due_at;

-- claimed  (a webhook gets an event)
-- 473 characters, 5 parameters, 10 rows read, 1 row written
--   SEARCH webhooks USING PRIMARY KEY (id=?)
--   LIST SUBQUERY 3
--     SEARCH webhooks USING PRIMARY KEY (id=?)
--     LIST SUBQUERY 1
--       SCAN json_each VIRTUAL TABLE INDEX 1:
--     CORRELATED SCALAR SUBQUERY 2
--       SEARCH queue_counts USING PRIMARY KEY (scope=?)
--     USE TEMP B-TREE FOR ORDER BY
--   CORRELATED SCALAR SUBQUERY 4
--     SEARCH queue_counts USING PRIMARY KEY (scope=?)
UPDATE webhooks
SET sender = :sender, sending_until = :until, tried_at = :now
WHERE id IN (
  SELECT id
  FROM webhooks
  WHERE id IN (SELECT value FROM json_each(:ids))
    AND disabled_at IS NULL
    AND coalesce(next_attempt_at, 0) <= :now
    AND coalesce(sending_until, 0) <= :now
    AND position < (SELECT seq FROM queue_counts WHERE queue_counts.scope = webhooks.scope)
  ORDER BY tried_at, id
  LIMIT :most
)
RETURNING *, (SELECT seq FROM queue_counts WHERE queue_counts.scope = webhooks.scope) AS latest;

-- events  (a webhook gets an event)
-- 1,539 characters, 2 parameters, 7 rows read, 0 rows written
--   SEARCH hook USING PRIMARY KEY (id=?)
--   LIST SUBQUERY 2
--     SCAN json_each VIRTUAL TABLE INDEX 1:
--   SEARCH entry USING INDEX history_feed (scope=? AND seq=?)
--   CORRELATED LIST SUBQUERY 1
--     SEARCH history USING COVERING INDEX history_feed (scope=? AND seq>?)
SELECT hook.id AS webhook_id,
  (
    (hook.types IS NULL OR instr(hook.types, '"' || entry.event || '"') > 0)
    AND (hook.project_id IS NULL OR entry.project_id IS hook.project_id)
  ) AS matches,
  entry.seq AS seq, iif(entry.task_id < ' ', NULL, entry.task_id) AS task_id, entry.scope AS scope,
  iif(entry.task_id < ' ', NULL, entry.version) AS version, entry.event AS event,
  iif(
    (
      (hook.types IS NULL OR instr(hook.types, '"' || entry.event || '"') > 0)
      AND (hook.project_id IS NULL OR entry.project_id IS hook.project_id)
    ),
    entry.title,
    NULL
  ) AS title,
  entry.project_id AS project_id, entry.from_queue AS from_queue, entry.to_queue AS to_queue,
  iif(
    (
      (hook.types IS NULL OR instr(hook.types, '"' || entry.event || '"') > 0)
      AND (hook.project_id IS NULL OR entry.project_id IS hook.project_id)
    ),
    entry.actor,
    NULL
  ) AS actor,
  iif(
    (
      (hook.types IS NULL OR instr(hook.types, '"' || entry.event || '"') > 0)
      AND (hook.project_id IS NULL OR entry.project_id IS hook.project_id)
    ),
    entry.reason,
    NULL
  ) AS reason,
  iif(
    (
      (hook.types IS NULL OR instr(hook.types, '"' || entry.event || '"') > 0)
      AND (hook.project_id IS NULL OR entry.project_id IS hook.project_id)
    ),
    entry.details,
    NULL
  ) AS details,
  entry.at AS at
FROM webhooks AS hook
CROSS JOIN history AS entry INDEXED BY history_feed ON entry.scope = hook.scope
  AND entry.seq IN (
    SELECT seq
    FROM history INDEXED BY history_feed
    WHERE history.scope = hook.scope AND seq > hook.position
    ORDER BY seq
    LIMIT 50
  )
WHERE hook.id IN (SELECT value FROM json_each(:ids)) AND hook.sender = :sender
ORDER BY hook.id, entry.seq;

-- logged  (a webhook gets an event)
-- 468 characters, 3 parameters, 2 rows read, 1 row written
--   SEARCH hook USING PRIMARY KEY (id=?)
--   SCAN each VIRTUAL TABLE INDEX 1:
INSERT
  OR REPLACE INTO webhook_deliveries (
    webhook_id, slot, number, seq, event, at, attempt, status, error, response, millis
  )
SELECT hook.id, (hook.entries + each.key) % 100, hook.entries + each.key, value ->> 'seq', value ->> 'event',
  value ->> 'at', value ->> 'attempt', value ->> 'status', value ->> 'error', value ->> 'response',
  value ->> 'millis'
FROM webhooks AS hook
CROSS JOIN json_each(:log) AS each
WHERE hook.id = :id AND (:sender IS NULL OR hook.sender = :sender);

-- ended  (a webhook gets an event)
-- 353 characters, 11 parameters, 1 row read, 1 row written
--   SEARCH webhooks USING PRIMARY KEY (id=?)
UPDATE webhooks
SET position = :position, entries = entries + :logged, failures = failures + :failed, attempts = :attempts,
  failing_since = :failing_since, next_attempt_at = :next_attempt_at,
  delivered_at = coalesce(:delivered_at, delivered_at), disabled_at = coalesce(disabled_at, :disabled_at),
  disabled_reason = coalesce(disabled_reason, :disabled_reason), sender = NULL, sending_until = NULL
WHERE id = :id AND sender = :sender;

-- removed  (a few records of each kind leave)
-- 565 characters, 3 parameters, 534 rows read, 50 rows written
--   SEARCH history USING PRIMARY KEY (task_id=? AND version=?)
--   LIST SUBQUERY 5
--     SCAN given VIRTUAL TABLE INDEX 1:
--     CORRELATED SCALAR SUBQUERY 2
--       SEARCH newest USING PRIMARY KEY (task_id=?)
--     CORRELATED SCALAR SUBQUERY 3
--       SEARCH tasks USING PRIMARY KEY (id=?)
--     SEARCH old USING PRIMARY KEY (task_id=? AND version<?)
--     CORRELATED SCALAR SUBQUERY 1
--       SEARCH history USING PRIMARY KEY (task_id=?)
--     USE TEMP B-TREE FOR ORDER BY
DELETE
FROM history
WHERE (task_id, version) IN (
  SELECT old.task_id, old.version
  FROM json_each(:keys) AS given
  CROSS JOIN history AS old ON old.task_id = given.value
    AND old.version < (SELECT max(version) FROM history WHERE task_id = given.value)
  WHERE (
    SELECT at
    FROM history AS newest
    WHERE newest.task_id = given.value
    ORDER BY newest.version DESC
    LIMIT 1
  ) <= :before
    AND NOT EXISTS (
      SELECT 1
      FROM tasks
      WHERE tasks.id = given.value
        AND +tasks.queue <> 'done'
        AND +tasks.queue <> 'failed'
        AND +tasks.queue <> 'cancelled'
    )
  ORDER BY old.task_id, old.version
  LIMIT :most
);

-- recorded  (a few records of each kind leave)
-- 970 characters, 3 parameters, 47 rows read, 15 rows written
--   CO-ROUTINE (subquery-7)
--     SEARCH tasks USING PRIMARY KEY (id=?)
--     LIST SUBQUERY 2
--       SCAN json_each VIRTUAL TABLE INDEX 1:
--     CORRELATED SCALAR SUBQUERY 3
--       SEARCH edge USING PRIMARY KEY (blocker_key=?)
--       SEARCH waiting USING PRIMARY KEY (id=?) LEFT-JOIN
--     USE TEMP B-TREE FOR ORDER BY
--   SCAN (subquery-7)
--   CORRELATED SCALAR SUBQUERY 1
--     SEARCH counter USING PRIMARY KEY (scope=?)
--     CORRELATED SCALAR SUBQUERY 6
--       SEARCH history USING COVERING INDEX history_feed (scope=? AND seq>?)
INSERT INTO history (
  task_id, version, scope, seq, event, from_queue, to_queue, actor, reason, grants, at, title, project_id
)
SELECT id, version + 1, scope,
  (SELECT last FROM feed WHERE feed.scope = tasks.scope) + row_number() OVER (PARTITION BY tasks.scope),
  'deleted', queue, NULL, 'retention', 'It was finished longer ago than finished tasks are kept.', grants,
  :now, title, project_id
FROM tasks
WHERE id IN (SELECT value FROM json_each(:keys))
  AND NOT (+tasks.queue <> 'done' AND +tasks.queue <> 'failed' AND +tasks.queue <> 'cancelled')
  AND +tasks.claimed_by IS NULL
  AND tasks.updated_at <= :before
  AND NOT EXISTS (
    SELECT 1
    FROM dependencies AS edge
    LEFT JOIN tasks AS waiting ON waiting.id = edge.task_id
    WHERE edge.blocker_key = replace(tasks.id, 'TASK-', '')
      AND edge.blocker_id IN (tasks.id, 'TASK-' || tasks.id)
      AND edge.scope = tasks.scope
      AND (
        edge.satisfied_at IS NULL
        OR (waiting.queue <> 'done' AND waiting.queue <> 'failed' AND waiting.queue <> 'cancelled')
      )
  );

-- counted  (a few records of each kind leave)
-- 376 characters, 1 parameter, 57 rows read, 1 row written
--   SEARCH counter USING PRIMARY KEY (scope=?)
--   LIST SUBQUERY 2
--     SEARCH tasks USING PRIMARY KEY (id=?)
--     LIST SUBQUERY 1
--       SCAN json_each VIRTUAL TABLE INDEX 1:
--   SCAN json_each VIRTUAL TABLE INDEX 1:
--   CORRELATED SCALAR SUBQUERY 6
--     CO-ROUTINE (subquery-7)
--       SEARCH history USING INDEX history_feed (scope=? AND seq>?)
--       SCAN owner VIRTUAL TABLE INDEX 1:
--       USE TEMP B-TREE FOR GROUP BY
--     SCAN (subquery-7)
--   SEARCH queue_counts USING PRIMARY KEY (scope=?)
--   CORRELATED SCALAR SUBQUERY 8
--     CO-ROUTINE (subquery-9)
--       SCAN json_tree VIRTUAL TABLE INDEX 1:
--       USE TEMP B-TREE FOR GROUP BY
--     SCAN (subquery-9)
--   CORRELATED SCALAR SUBQUERY 10
--     CO-ROUTINE (subquery-11)
--       SCAN json_each VIRTUAL TABLE INDEX 1:
--       USE TEMP B-TREE FOR GROUP BY
--     SCAN (subquery-11)
INSERT INTO queue_counts (scope, seq, counts, events, lives)
SELECT owner, seq, counts, events, lives
FROM counts_after AS after
WHERE after.scope IN (SELECT scope FROM tasks WHERE id IN (SELECT value FROM json_each(:keys)))
ON CONFLICT (scope)
DO UPDATE SET revision = revision + 1, seq = excluded.seq, counts = excluded.counts, events = excluded.events,
  lives = excluded.lives;

-- dependencies  (a few records of each kind leave)
-- 489 characters, 1 parameter, 36 rows read, 0 rows written
--   SEARCH edge USING PRIMARY KEY (blocker_key=?)
--   LIST SUBQUERY 2
--     SEARCH tasks USING PRIMARY KEY (id=?)
--     LIST SUBQUERY 1
--       SCAN json_each VIRTUAL TABLE INDEX 1:
--     SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--     CORRELATED SCALAR SUBQUERY 7
--       SEARCH later USING PRIMARY KEY (task_id=? AND version>?)
--   CORRELATED SCALAR SUBQUERY 3
--     SEARCH tasks USING PRIMARY KEY (id=?)
--     SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--     CORRELATED SCALAR SUBQUERY 9
--       SEARCH later USING PRIMARY KEY (task_id=? AND version>?)
--   CORRELATED SCALAR SUBQUERY 5
--     SEARCH tasks USING PRIMARY KEY (id=?)
--     CORRELATED SCALAR SUBQUERY 4
--       SEARCH tasks USING PRIMARY KEY (id=?)
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--       CORRELATED SCALAR SUBQUERY 11
--         SEARCH later USING PRIMARY KEY (task_id=? AND version>?)
DELETE
FROM dependencies AS edge
WHERE blocker_key IN (
  SELECT replace(id, 'TASK-', '')
  FROM planned
  WHERE id IN (SELECT value FROM json_each(:keys))
)
  AND EXISTS (
    SELECT 1
    FROM planned
    WHERE +planned.scope = edge.scope
      AND planned.id IN (
        edge.blocker_id, iif(edge.blocker_id GLOB 'TASK-*', substr(edge.blocker_id, 6), NULL)
      )
  )
  AND NOT EXISTS (
    SELECT 1
    FROM tasks
    WHERE tasks.id = edge.blocker_id
      AND +tasks.scope = edge.scope
      AND NOT EXISTS (SELECT 1 FROM planned WHERE planned.id = tasks.id)
  );

-- dependencies  (a few records of each kind leave)
-- 113 characters, 1 parameter, 36 rows read, 0 rows written
--   SEARCH dependencies USING INDEX dependencies_of (task_id=?)
--   LIST SUBQUERY 2
--     SEARCH tasks USING PRIMARY KEY (id=?)
--     LIST SUBQUERY 1
--       SCAN json_each VIRTUAL TABLE INDEX 1:
--     SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--     CORRELATED SCALAR SUBQUERY 4
--       SEARCH later USING PRIMARY KEY (task_id=? AND version>?)
DELETE
FROM dependencies
WHERE task_id IN (SELECT id FROM planned WHERE id IN (SELECT value FROM json_each(:keys)));

-- withdrawn  (a few records of each kind leave)
-- 252 characters, 1 parameter, 70 rows read, 5 rows written
--   SEARCH actions USING INDEX actions_about (scope=? AND entity_type=? AND entity_id=?)
--   LIST SUBQUERY 6
--     SEARCH tasks USING PRIMARY KEY (id=?)
--     LIST SUBQUERY 2
--       SEARCH tasks USING PRIMARY KEY (id=?)
--       LIST SUBQUERY 1
--         SCAN json_each VIRTUAL TABLE INDEX 1:
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--       CORRELATED SCALAR SUBQUERY 5
--         SEARCH later USING PRIMARY KEY (task_id=? AND version>?)
UPDATE actions
SET status = 'expired'
WHERE status IN ('proposed', 'execute_requested')
  AND entity_type = 'task'
  AND (scope, entity_id) IN (
    SELECT scope, id
    FROM tasks
    WHERE id IN (SELECT id FROM planned WHERE id IN (SELECT value FROM json_each(:keys)))
  );

-- removed  (a few records of each kind leave)
-- 101 characters, 1 parameter, 45 rows read, 5 rows written
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   LIST SUBQUERY 2
--     SEARCH tasks USING PRIMARY KEY (id=?)
--     LIST SUBQUERY 1
--       SCAN json_each VIRTUAL TABLE INDEX 1:
--     SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--     CORRELATED SCALAR SUBQUERY 4
--       SEARCH later USING PRIMARY KEY (task_id=? AND version>?)
DELETE
FROM tasks
WHERE id IN (SELECT id FROM planned WHERE id IN (SELECT value FROM json_each(:keys)));

-- unclaimable  (five leases ran out and five machines fell silent)
-- 2,133 characters, 2 parameters, 22 rows read, 0 rows written
--   CO-ROUTINE head
--     CO-ROUTINE (subquery-17)
--       COMPOUND QUERY
--         LEFT-MOST SUBQUERY
--           MATERIALIZE places
--             MERGE (UNION)
--               LEFT
--                 MATERIALIZE looked
--                   SEARCH queue_counts USING PRIMARY KEY (scope>?)
--                   SCALAR SUBQUERY 1
--                     SEARCH sweeps USING PRIMARY KEY (name=?)
--                 SCAN looked
--                 USE TEMP B-TREE FOR ORDER BY
--               RIGHT
--                 SCAN looked
--                 SEARCH roles USING PRIMARY KEY (scope=?)
--                 USE TEMP B-TREE FOR ORDER BY
--           SCAN places
--           CORRELATED SCALAR SUBQUERY 12
--             CO-ROUTINE (subquery-11)
--               SEARCH orchestrators USING INDEX orchestrators_of_scope (scope=?)
--             SCAN (subquery-11)
--           CORRELATED SCALAR SUBQUERY 13
--             SEARCH tasks USING INDEX tasks_leased (scope=? AND lease_expires_at>?)
--           CORRELATED SCALAR SUBQUERY 10
--             SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=?)
--           CORRELATED SCALAR SUBQUERY 10
--             SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=?)
--         UNION ALL
--           CO-ROUTINE lanes
--             SETUP
--               SCAN places
--               SEARCH roles EXISTS USING PRIMARY KEY (scope=?)
--               CORRELATED SCALAR SUBQUERY 5
--                 SEARCH tasks USING INDEX tasks_ready_for (scope=? AND queue=?)
--             RECURSIVE STEP
--               SCAN lanes
--               CORRELATED SCALAR SUBQUERY 8
--                 SEARCH tasks USING INDEX tasks_ready_for (scope=? AND queue=? AND lane>?)
--           SCAN lanes
--           CORRELATED SCALAR SUBQUERY 16
--             SEARCH roles USING PRIMARY KEY (scope=? AND name=?)
--           CORRELATED SCALAR SUBQUERY 15
--             SEARCH tasks USING INDEX tasks_ready_for (scope=? AND queue=? AND lane=?)
--           CORRELATED SCALAR SUBQUERY 15
--             SEARCH tasks USING INDEX tasks_ready_for (scope=? AND queue=? AND lane=?)
--     SCAN (subquery-17)
--     USE TEMP B-TREE FOR GROUP BY
--   SCAN head
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   SEARCH newest USING PRIMARY KEY (task_id=? AND version=?)
SELECT tasks.id, tasks.scope, tasks.version, why
FROM (
  WITH RECURSIVE looked (scope) AS MATERIALIZED (
    SELECT scope
    FROM queue_counts
    WHERE queue_counts.scope >= ' '
      AND scope > coalesce((SELECT position FROM sweeps WHERE name = 'unclaimable'), '')
    ORDER BY scope
    LIMIT 100
  ),
    places (scope, queue) AS MATERIALIZED (
      SELECT scope, 'incoming'
      FROM looked
      UNION
      SELECT roles.scope, claims_from
      FROM looked
      CROSS JOIN roles ON roles.scope = looked.scope
      WHERE claims_from NOT IN ('claimed', 'done', 'failed', 'cancelled')
    ),
    lanes (scope, queue, lane) AS (
      SELECT scope, queue,
        (
          SELECT lane
          FROM ready_for
          WHERE ready_for.scope = places.scope AND ready_for.queue = places.queue
          ORDER BY lane
          LIMIT 1
        )
      FROM places
      WHERE EXISTS (SELECT 1 FROM roles WHERE roles.scope = places.scope)
      UNION ALL
      SELECT scope, queue,
        (
          SELECT lane
          FROM ready_for
          WHERE ready_for.scope = lanes.scope AND ready_for.queue = lanes.queue AND lane > lanes.lane
          ORDER BY lane
          LIMIT 1
        )
      FROM lanes
      WHERE lane IS NOT NULL
      LIMIT 500
    )
  SELECT id, min(why) AS why
  FROM (
    SELECT (
      SELECT id
      FROM ready
      WHERE ready.scope = places.scope AND ready.queue = places.queue
      ORDER BY priority_rank, created_at, id
      LIMIT 1
    ) AS id,
      'no_active_orchestrator' AS why
    FROM places
    WHERE NOT EXISTS (
      SELECT 1
      FROM (
        SELECT status
        FROM orchestrators INDEXED BY orchestrators_of_scope
        WHERE orchestrators.scope = places.scope
        LIMIT 500
      )
      WHERE status = 'active'
    )
      AND NOT EXISTS (
        SELECT 1
        FROM tasks INDEXED BY tasks_leased
        WHERE claimed_by IS NOT NULL AND tasks.scope = places.scope AND lease_expires_at > :now
      )
    UNION ALL
    SELECT (
      SELECT id
      FROM ready_for
      WHERE ready_for.scope = lanes.scope AND ready_for.queue = lanes.queue AND ready_for.lane = lanes.lane
      ORDER BY priority_rank, created_at, id
      LIMIT 1
    ),
      'unknown_role'
    FROM lanes
    WHERE lane IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM roles WHERE roles.scope = lanes.scope AND roles.name = lanes.lane)
  )
  WHERE id IS NOT NULL
  GROUP BY id
) AS head
CROSS JOIN tasks ON tasks.id = head.id
CROSS JOIN history AS newest ON newest.task_id = tasks.id AND newest.version = tasks.version
WHERE newest.at <= :before AND newest.event <> 'unclaimable'
LIMIT 50;

-- unclaimableNext  (five leases ran out and five machines fell silent)
-- 446 characters, 0 parameters, 3 rows read, 0 rows written
--   CO-ROUTINE (subquery-2)
--     SEARCH queue_counts USING PRIMARY KEY (scope>?)
--     SCALAR SUBQUERY 1
--       SEARCH sweeps USING PRIMARY KEY (name=?)
--   SCAN (subquery-2)
--   SCALAR SUBQUERY 3
--     SEARCH sweeps USING PRIMARY KEY (name=?)
INSERT INTO sweeps (name, position, due_at)
SELECT 'unclaimable', iif(count(*) = 100, max(scope), ''), 0
FROM (
  SELECT scope
  FROM queue_counts
  WHERE queue_counts.scope >= ' '
    AND scope > coalesce((SELECT position FROM sweeps WHERE name = 'unclaimable'), '')
  ORDER BY scope
  LIMIT 100
)
HAVING count(*) = 100 OR coalesce((SELECT position FROM sweeps WHERE name = 'unclaimable'), '') <> ''
ON CONFLICT (name)
DO UPDATE SET position = excluded.position;
