-- POST /api/v1/tasks/claim
-- 1 round trip, 8 statements: 4,717 characters, 32 parameters, 29 rows read, 5 rows written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- expired
-- 471 characters, 2 parameters, 3 rows read, 0 rows written
--   CO-ROUTINE (subquery-6)
--     SEARCH tasks USING INDEX tasks_leased (scope=? AND lease_expires_at<?)
--   SCAN (subquery-6)
--   CORRELATED SCALAR SUBQUERY 1
--     SEARCH counter USING PRIMARY KEY (scope=?)
--     CORRELATED SCALAR SUBQUERY 5
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
SELECT id, version + 1, scope, (SELECT last FROM feed WHERE feed.scope = tasks.scope) + row_number() OVER (),
  event, queue, to_queue, claimed_by, reason, details, grants, :now, title, project_id
FROM expiring AS tasks
WHERE tasks.scope = :scope
  AND lease_expires_at <= :now
  AND blocked_by IS NULL
  AND to_queue NOT IN ('failed', 'cancelled');

-- reclaimed
-- 1,184 characters, 2 parameters, 3 rows read, 0 rows written
--   SEARCH tasks USING INDEX tasks_leased (scope=? AND lease_expires_at<?)
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--   CORRELATED SCALAR SUBQUERY 5
--     SEARCH later USING PRIMARY KEY (task_id=? AND version>?)
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   SEARCH lapse USING PRIMARY KEY (task_id=? AND version=?)
--   CORRELATED SCALAR SUBQUERY 6
--     SEARCH history USING PRIMARY KEY (task_id=? AND version=?)
--   CORRELATED SCALAR SUBQUERY 1
--     SEARCH history USING PRIMARY KEY (task_id=?)
UPDATE tasks
SET version = task.version, updated_at = :now, queue = task.to_queue, claimed_by = NULL, claimed_at = NULL,
  claimed_from = NULL, orchestrator_id = NULL, lease_expires_at = NULL, lease_seconds = NULL,
  deadline_at = NULL, cancel_requested_at = NULL, completed_at = iif(queue = 'done', completed_at, NULL),
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
  AND tasks.scope = :scope
  AND lease_expires_at <= :now
RETURNING id, scope, queue, version, claimed_by, fencing_token, blocked_by,
  (
    SELECT event
    FROM history
    WHERE task_id = tasks.id AND event IN ('lease_expired', 'deadline_exceeded', 'review_lease_expired')
    ORDER BY version DESC
    LIMIT 1
  ) AS event;

-- revived
-- 239 characters, 2 parameters, 1 row read, 0 rows written
--   SEARCH orchestrators USING PRIMARY KEY (id=? AND scope=?)
INSERT INTO queue_counts (scope, counts, machines_revision)
SELECT DISTINCT scope, '{}', 1
FROM orchestrators
WHERE id = :machine AND scope = :scope AND status = 'offline'
ON CONFLICT (scope)
DO UPDATE SET machines_revision = machines_revision + 1;

-- seen
-- 177 characters, 4 parameters, 1 row read, 0 rows written
--   SEARCH orchestrators USING PRIMARY KEY (id=? AND scope=?)
UPDATE orchestrators
SET last_heartbeat = :now, status = iif(status = 'offline', 'active', status)
WHERE id = :machine AND scope = :scope AND (status = 'offline' OR last_heartbeat < :fresh);

-- recorded
-- 1,182 characters, 9 parameters, 7 rows read, 2 rows written
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   SCALAR SUBQUERY 2
--     SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=?)
--   SCALAR SUBQUERY 7
--     CO-ROUTINE (subquery-3)
--       SEARCH orchestrators USING PRIMARY KEY (id=? AND scope=?)
--     SCAN (subquery-3)
--     SEARCH orchestrators USING PRIMARY KEY (id=? AND scope>? AND scope<?)
--     SCALAR SUBQUERY 4
--       SEARCH queue_counts USING PRIMARY KEY (scope=?)
--     SCALAR SUBQUERY 6
--       CO-ROUTINE (subquery-5)
--         SEARCH tasks USING INDEX tasks_leased (scope=?)
--       SCAN (subquery-5)
--   CORRELATED SCALAR SUBQUERY 11
--     SEARCH projects USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 12
--     SEARCH usage USING PRIMARY KEY (scope=?)
--   CORRELATED SCALAR SUBQUERY 13
--     SEARCH breakers USING INDEX breakers_open (scope=?)
--     CORRELATED SCALAR SUBQUERY 16
--       SEARCH tasks USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 1
--     SEARCH counter USING PRIMARY KEY (scope=?)
--     CORRELATED SCALAR SUBQUERY 18
--       SEARCH history USING COVERING INDEX history_feed (scope=? AND seq>?)
INSERT INTO history (
  task_id, version, scope, seq, event, from_queue, to_queue, actor, details, grants, at, title, project_id
)
SELECT id, version + 1, scope, (SELECT last FROM feed WHERE feed.scope = tasks.scope) + 1,
  iif(:review, 'review_claimed', 'claimed'), queue, iif(:review, queue, 'claimed'), :agent, :details, grants,
  :now, title, project_id
FROM caps AS tasks
WHERE id = (
  SELECT id
  FROM ready
  WHERE scope = :scope AND queue = :queue
  ORDER BY priority_rank, created_at, id
  LIMIT 1
)
  AND bytes <= 1600000
  AND capped_until <= :now
  AND breaker_until <= :now
  AND EXISTS (
    SELECT 1
    FROM (SELECT max(scope) AS own FROM orchestrators WHERE id = :machine AND scope = :scope)
    CROSS JOIN orchestrators
    WHERE id = :machine
      AND scope BETWEEN coalesce(:reach, own, '') AND coalesce(:reach, own, char(1114111))
      AND status <> 'maintenance'
      AND (
        :review
        OR coalesce(:max_claimed, max_claimed) IS NULL
        OR coalesce((SELECT counts ->> '$.claimed' FROM queue_counts WHERE queue_counts.scope = :scope), 0) < coalesce(
          :max_claimed, max_claimed
        )
        OR (
          SELECT count(*)
          FROM (
            SELECT 1
            FROM tasks INDEXED BY tasks_leased
            WHERE claimed_by IS NOT NULL
              AND scope = :scope
              AND queue = 'claimed'
              AND orchestrator_id = :machine
            LIMIT coalesce(:max_claimed, -1)
          )
        ) < coalesce(:max_claimed, max_claimed)
      )
  );

-- granted
-- 945 characters, 11 parameters, 5 rows read, 2 rows written
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   SCALAR SUBQUERY 2
--     SEARCH counter USING PRIMARY KEY (scope=?)
--     SEARCH history USING COVERING INDEX history_feed (scope=? AND seq>?)
--   SCALAR SUBQUERY 1
--     SEARCH fencing_floor USING INTEGER PRIMARY KEY (rowid=?)
UPDATE tasks
SET version = version + 1, updated_at = :now, queue = iif(:review, queue, 'claimed'),
  grants = max(grants, coalesce((SELECT token FROM fencing_floor WHERE id = 1), 0)) + 1, claimed_by = :agent,
  claimed_at = :now, claimed_from = queue, orchestrator_id = :machine, lease_seconds = :seconds,
  deadline_at = iif(
    :review,
    NULL,
    :now + 1000 * min(coalesce(max_attempt_seconds, :attempt_seconds), coalesce(:asked_seconds, 9e15))
  ),
  lease_expires_at = min(
    :ends,
    coalesce(
      iif(
        :review,
        NULL,
        :now + 1000 * min(coalesce(max_attempt_seconds, :attempt_seconds), coalesce(:asked_seconds, 9e15))
      ),
      :ends
    )
  ),
  loss_limit = nullif(coalesce(max_lease_losses, CAST(:max_lease_losses AS INTEGER)), 0),
  attempt_limit = nullif(coalesce(max_attempts, CAST(:max_attempts AS INTEGER)), 0), lapsed_token = NULL,
  available_at = NULL, failure_reason = NULL, cancel_reason = NULL, needs_intervention = 0,
  completed_at = iif(:review, completed_at, NULL)
WHERE (id, version + 1) = (SELECT task_id, version FROM plans WHERE scope = :scope ORDER BY seq DESC LIMIT 1)
RETURNING *;

-- probed
-- 213 characters, 1 parameter, 1 row read, 0 rows written
--   SEARCH own USING INDEX breakers_open (scope=?)
--   SEARCH breakers USING PRIMARY KEY (scope=? AND project_id=?)
--   SEARCH counter USING PRIMARY KEY (scope=?)
--   SEARCH history USING INDEX history_feed (scope=? AND seq>?)
--   SEARCH tasks USING PRIMARY KEY (id=?)
UPDATE breakers
SET canary_task = task.id, canary_token = task.grants, retry_at = task.retry_at
FROM probing AS task
WHERE task.scope = :scope AND breakers.scope = task.scope AND breakers.project_id = task.project_id;

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

-- recorded  (of a role)
-- 1,466 characters, 11 parameters, 8 rows read, 2 rows written
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   SCALAR SUBQUERY 2
--     SEARCH tasks USING INDEX tasks_ready_for (scope=? AND queue=? AND lane=?)
--   CORRELATED SCALAR SUBQUERY 13
--     SEARCH projects USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 14
--     SEARCH usage USING PRIMARY KEY (scope=?)
--   CORRELATED SCALAR SUBQUERY 15
--     SEARCH breakers USING INDEX breakers_open (scope=?)
--     CORRELATED SCALAR SUBQUERY 18
--       SEARCH tasks USING PRIMARY KEY (id=?)
--   SCALAR SUBQUERY 9
--     CO-ROUTINE (subquery-3)
--       SEARCH orchestrators USING PRIMARY KEY (id=? AND scope=?)
--     SCAN (subquery-3)
--     SEARCH orchestrators USING PRIMARY KEY (id=? AND scope>? AND scope<?)
--     SCALAR SUBQUERY 4
--       SEARCH queue_counts USING PRIMARY KEY (scope=?)
--     SCALAR SUBQUERY 6
--       CO-ROUTINE (subquery-5)
--         SEARCH tasks USING INDEX tasks_leased (scope=?)
--       SCAN (subquery-5)
--     CORRELATED SCALAR SUBQUERY 8
--       SEARCH roles USING PRIMARY KEY (scope=?)
--       LIST SUBQUERY 7
--         SCAN json_each VIRTUAL TABLE INDEX 1:
--         CREATE BLOOM FILTER
--   CORRELATED SCALAR SUBQUERY 1
--     SEARCH counter USING PRIMARY KEY (scope=?)
--     CORRELATED SCALAR SUBQUERY 20
--       SEARCH history USING COVERING INDEX history_feed (scope=? AND seq>?)
INSERT INTO history (
  task_id, version, scope, seq, event, from_queue, to_queue, actor, details, grants, at, title, project_id
)
SELECT id, version + 1, scope, (SELECT last FROM feed WHERE feed.scope = tasks.scope) + 1,
  iif(:review, 'review_claimed', 'claimed'), queue, iif(:review, queue, 'claimed'), :agent, :details, grants,
  :now, title, project_id
FROM caps AS tasks
WHERE id = (
  SELECT id
  FROM ready_for
  WHERE scope = :scope AND queue = :queue AND lane = :roles ->> 0
  ORDER BY priority_rank, created_at, id
  LIMIT 1
)
  AND bytes <= 1600000
  AND capped_until <= :now
  AND breaker_until <= :now
  AND EXISTS (
    SELECT 1
    FROM (SELECT max(scope) AS own FROM orchestrators WHERE id = :machine AND scope = :scope)
    CROSS JOIN orchestrators
    WHERE id = :machine
      AND scope BETWEEN coalesce(:reach, own, '') AND coalesce(:reach, own, char(1114111))
      AND status <> 'maintenance'
      AND (
        :review
        OR coalesce(:max_claimed, max_claimed) IS NULL
        OR coalesce((SELECT counts ->> '$.claimed' FROM queue_counts WHERE queue_counts.scope = :scope), 0) < coalesce(
          :max_claimed, max_claimed
        )
        OR (
          SELECT count(*)
          FROM (
            SELECT 1
            FROM tasks INDEXED BY tasks_leased
            WHERE claimed_by IS NOT NULL
              AND scope = :scope
              AND queue = 'claimed'
              AND orchestrator_id = :machine
            LIMIT coalesce(:max_claimed, -1)
          )
        ) < coalesce(:max_claimed, max_claimed)
      )
      AND (
        SELECT count(*) = 0
          OR (
            count(*) FILTER (WHERE name IN (SELECT value FROM json_each(:roles))) = json_array_length(:roles)
            AND (:queue_named OR count(*) FILTER (WHERE name = :roles ->> 0 AND claims_from = :queue) = 1)
          )
        FROM roles
        WHERE roles.scope = orchestrators.scope
      )
  );

-- recorded  (of two roles)
-- 1,624 characters, 12 parameters, 12 rows read, 2 rows written
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   SCALAR SUBQUERY 3
--     SCAN asked VIRTUAL TABLE INDEX 1:
--     SEARCH best USING PRIMARY KEY (id=?)
--     CORRELATED SCALAR SUBQUERY 2
--       SEARCH tasks USING INDEX tasks_ready_for (scope=? AND queue=? AND lane=?)
--     USE TEMP B-TREE FOR ORDER BY
--   CORRELATED SCALAR SUBQUERY 14
--     SEARCH projects USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 15
--     SEARCH usage USING PRIMARY KEY (scope=?)
--   CORRELATED SCALAR SUBQUERY 16
--     SEARCH breakers USING INDEX breakers_open (scope=?)
--     CORRELATED SCALAR SUBQUERY 19
--       SEARCH tasks USING PRIMARY KEY (id=?)
--   SCALAR SUBQUERY 10
--     CO-ROUTINE (subquery-4)
--       SEARCH orchestrators USING PRIMARY KEY (id=? AND scope=?)
--     SCAN (subquery-4)
--     SEARCH orchestrators USING PRIMARY KEY (id=? AND scope>? AND scope<?)
--     SCALAR SUBQUERY 5
--       SEARCH queue_counts USING PRIMARY KEY (scope=?)
--     SCALAR SUBQUERY 7
--       CO-ROUTINE (subquery-6)
--         SEARCH tasks USING INDEX tasks_leased (scope=?)
--       SCAN (subquery-6)
--     CORRELATED SCALAR SUBQUERY 9
--       SEARCH roles USING PRIMARY KEY (scope=?)
--       LIST SUBQUERY 8
--         SCAN json_each VIRTUAL TABLE INDEX 1:
--         CREATE BLOOM FILTER
--   CORRELATED SCALAR SUBQUERY 1
--     SEARCH counter USING PRIMARY KEY (scope=?)
--     CORRELATED SCALAR SUBQUERY 21
--       SEARCH history USING COVERING INDEX history_feed (scope=? AND seq>?)
INSERT INTO history (
  task_id, version, scope, seq, event, from_queue, to_queue, actor, details, grants, at, title, project_id
)
SELECT id, version + 1, scope, (SELECT last FROM feed WHERE feed.scope = tasks.scope) + 1,
  iif(:review, 'review_claimed', 'claimed'), queue, iif(:review, queue, 'claimed'), :agent, :details, grants,
  :now, title, project_id
FROM caps AS tasks
WHERE id = (
  SELECT best.id
  FROM json_each(:lanes) AS asked
  CROSS JOIN tasks AS best ON best.id = (
    SELECT id
    FROM ready_for
    WHERE scope = :scope AND queue = :queue AND lane = asked.value ->> 0
    ORDER BY priority_rank, created_at, id
    LIMIT 1
  )
  ORDER BY best.priority_rank, best.created_at, best.id
  LIMIT 1
)
  AND bytes <= 1600000
  AND capped_until <= :now
  AND breaker_until <= :now
  AND EXISTS (
    SELECT 1
    FROM (SELECT max(scope) AS own FROM orchestrators WHERE id = :machine AND scope = :scope)
    CROSS JOIN orchestrators
    WHERE id = :machine
      AND scope BETWEEN coalesce(:reach, own, '') AND coalesce(:reach, own, char(1114111))
      AND status <> 'maintenance'
      AND (
        :review
        OR coalesce(:max_claimed, max_claimed) IS NULL
        OR coalesce((SELECT counts ->> '$.claimed' FROM queue_counts WHERE queue_counts.scope = :scope), 0) < coalesce(
          :max_claimed, max_claimed
        )
        OR (
          SELECT count(*)
          FROM (
            SELECT 1
            FROM tasks INDEXED BY tasks_leased
            WHERE claimed_by IS NOT NULL
              AND scope = :scope
              AND queue = 'claimed'
              AND orchestrator_id = :machine
            LIMIT coalesce(:max_claimed, -1)
          )
        ) < coalesce(:max_claimed, max_claimed)
      )
      AND (
        SELECT count(*) = 0
          OR (
            count(*) FILTER (WHERE name IN (SELECT value FROM json_each(:roles))) = json_array_length(:roles)
            AND (:queue_named OR count(*) FILTER (WHERE name = :roles ->> 0 AND claims_from = :queue) = 1)
          )
        FROM roles
        WHERE roles.scope = orchestrators.scope
      )
  );

-- recorded  (of a type)
-- 1,233 characters, 10 parameters, 901 rows read, 0 rows written
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   SCALAR SUBQUERY 3
--     SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=?)
--     LIST SUBQUERY 2
--       SCAN json_each VIRTUAL TABLE INDEX 1:
--       CREATE BLOOM FILTER
--   SCALAR SUBQUERY 8
--     CO-ROUTINE (subquery-4)
--       SEARCH orchestrators USING PRIMARY KEY (id=? AND scope=?)
--     SCAN (subquery-4)
--     SEARCH orchestrators USING PRIMARY KEY (id=? AND scope>? AND scope<?)
--     SCALAR SUBQUERY 5
--       SEARCH queue_counts USING PRIMARY KEY (scope=?)
--     SCALAR SUBQUERY 7
--       CO-ROUTINE (subquery-6)
--         SEARCH tasks USING INDEX tasks_leased (scope=?)
--       SCAN (subquery-6)
--   CORRELATED SCALAR SUBQUERY 12
--     SEARCH projects USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 13
--     SEARCH usage USING PRIMARY KEY (scope=?)
--   CORRELATED SCALAR SUBQUERY 14
--     SEARCH breakers USING INDEX breakers_open (scope=?)
--     CORRELATED SCALAR SUBQUERY 17
--       SEARCH tasks USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 1
--     SEARCH counter USING PRIMARY KEY (scope=?)
--     CORRELATED SCALAR SUBQUERY 19
--       SEARCH history USING COVERING INDEX history_feed (scope=? AND seq>?)
INSERT INTO history (
  task_id, version, scope, seq, event, from_queue, to_queue, actor, details, grants, at, title, project_id
)
SELECT id, version + 1, scope, (SELECT last FROM feed WHERE feed.scope = tasks.scope) + 1,
  iif(:review, 'review_claimed', 'claimed'), queue, iif(:review, queue, 'claimed'), :agent, :details, grants,
  :now, title, project_id
FROM caps AS tasks
WHERE id = (
  SELECT id
  FROM ready
  WHERE scope = :scope AND queue = :queue AND type IN (SELECT value FROM json_each(:types))
  ORDER BY priority_rank, created_at, id
  LIMIT 1
)
  AND bytes <= 1600000
  AND capped_until <= :now
  AND breaker_until <= :now
  AND EXISTS (
    SELECT 1
    FROM (SELECT max(scope) AS own FROM orchestrators WHERE id = :machine AND scope = :scope)
    CROSS JOIN orchestrators
    WHERE id = :machine
      AND scope BETWEEN coalesce(:reach, own, '') AND coalesce(:reach, own, char(1114111))
      AND status <> 'maintenance'
      AND (
        :review
        OR coalesce(:max_claimed, max_claimed) IS NULL
        OR coalesce((SELECT counts ->> '$.claimed' FROM queue_counts WHERE queue_counts.scope = :scope), 0) < coalesce(
          :max_claimed, max_claimed
        )
        OR (
          SELECT count(*)
          FROM (
            SELECT 1
            FROM tasks INDEXED BY tasks_leased
            WHERE claimed_by IS NOT NULL
              AND scope = :scope
              AND queue = 'claimed'
              AND orchestrator_id = :machine
            LIMIT coalesce(:max_claimed, -1)
          )
        ) < coalesce(:max_claimed, max_claimed)
      )
  );

-- machine  (of a type)
-- 472 characters, 4 parameters, 5 rows read, 0 rows written
--   CO-ROUTINE (subquery-2)
--     SEARCH orchestrators USING PRIMARY KEY (id=? AND scope=?)
--   SCAN (subquery-2)
--   SEARCH orchestrators USING PRIMARY KEY (id=? AND scope>? AND scope<?)
--   SCALAR SUBQUERY 1
--     SEARCH tasks USING INDEX tasks_leased (scope=?)
--   USE TEMP B-TREE FOR ORDER BY
SELECT id, status, last_heartbeat, coalesce(:max_claimed, max_claimed) AS maximum,
  (
    SELECT count(*)
    FROM tasks INDEXED BY tasks_leased
    WHERE claimed_by IS NOT NULL AND tasks.scope = :scope AND queue = 'claimed' AND orchestrator_id = :machine
  ) AS held
FROM (SELECT max(scope) AS own FROM orchestrators WHERE id = :machine AND scope = :scope)
CROSS JOIN orchestrators
WHERE id = :machine AND scope BETWEEN coalesce(:reach, own, '') AND coalesce(:reach, own, char(1114111))
ORDER BY last_heartbeat DESC
LIMIT 1;

-- roles  (of a type)
-- 331 characters, 3 parameters, 3 rows read, 0 rows written
--   SEARCH roles USING PRIMARY KEY (scope=?)
--   SCALAR SUBQUERY 2
--     CO-ROUTINE (subquery-1)
--       SEARCH orchestrators USING PRIMARY KEY (id=? AND scope=?)
--     SCAN (subquery-1)
--     SEARCH orchestrators USING PRIMARY KEY (id=? AND scope>? AND scope<?)
--     USE TEMP B-TREE FOR ORDER BY
SELECT name, claims_from
FROM roles
WHERE scope = coalesce(
  (
    SELECT scope
    FROM (SELECT max(scope) AS own FROM orchestrators WHERE id = :machine AND scope = :scope)
    CROSS JOIN orchestrators
    WHERE id = :machine AND scope BETWEEN coalesce(:reach, own, '') AND coalesce(:reach, own, char(1114111))
    ORDER BY last_heartbeat DESC
    LIMIT 1
  ),
  :scope
)
ORDER BY name;

-- state  (of a type)
-- 1,418 characters, 3 parameters, 26 rows read, 0 rows written
--   CO-ROUTINE (subquery-10)
--     COMPOUND QUERY
--       LEFT-MOST SUBQUERY
--         CO-ROUTINE (subquery-7)
--           SEARCH tasks USING INDEX tasks_leased (scope=?)
--         SCAN (subquery-7)
--       UNION ALL
--         CO-ROUTINE (subquery-9)
--           SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=?)
--         SCAN (subquery-9)
--   SCAN (subquery-10)
--   SCALAR SUBQUERY 1
--     SEARCH queue_counts USING PRIMARY KEY (scope=?)
--   SCALAR SUBQUERY 2
--     SEARCH queue_counts USING PRIMARY KEY (scope=?)
--   SCALAR SUBQUERY 3
--     SEARCH tasks USING INDEX tasks_leased (scope=? AND lease_expires_at<?)
--   SCALAR SUBQUERY 4
--     SEARCH tasks USING COVERING INDEX tasks_backing_off (scope=? AND available_at>? AND available_at<?)
--   SCALAR SUBQUERY 6
--     CO-ROUTINE (subquery-5)
--       SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=?)
--     SCAN (subquery-5)
SELECT (SELECT counts FROM queue_counts WHERE scope = :scope) AS counts,
  (SELECT by_project FROM queue_counts WHERE scope = :scope) AS by_project,
  EXISTS (SELECT 1 FROM tasks WHERE claimed_by IS NOT NULL AND lease_expires_at <= :now AND scope = :scope) AS overdue,
  EXISTS (
    SELECT 1
    FROM tasks INDEXED BY tasks_backing_off
    WHERE scope = :scope AND available_at IS NOT NULL AND available_at <= :now
  ) AS waited,
  (
    SELECT count(*)
    FROM (
      SELECT 1
      FROM tasks INDEXED BY tasks_ready
      WHERE scope = :scope
        AND queue = :queue
        AND claimed_by IS NULL
        AND blocked_by IS NULL
        AND available_at IS NULL
        AND queue <> 'done'
      LIMIT 10
    )
  ) AS ready,
  count(claimed_by) AS held, count(*) FILTER (WHERE claimed_by IS NULL AND blocked_by IS NOT NULL) AS blocked,
  count(*) FILTER (WHERE claimed_by IS NULL AND blocked_by IS NULL AND available_at < 253402300799999) AS backing_off,
  count(*) FILTER (WHERE claimed_by IS NULL AND available_at = 253402300799999) AS asked,
  min(iif(claimed_by IS NULL AND blocked_by IS NULL, available_at, NULL)) AS due
FROM (
  SELECT *
  FROM (
    SELECT claimed_by, blocked_by, available_at
    FROM tasks INDEXED BY tasks_leased
    WHERE scope = :scope AND queue = :queue AND claimed_by IS NOT NULL
    LIMIT 10
  )
  UNION ALL
  SELECT *
  FROM (
    SELECT claimed_by, blocked_by, available_at
    FROM tasks INDEXED BY tasks_waiting
    WHERE scope = :scope
      AND queue = :queue
      AND claimed_by IS NULL
      AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
    LIMIT 10
  )
);

-- first  (of a type)
-- 715 characters, 4 parameters, 900 rows read, 0 rows written
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   SCALAR SUBQUERY 3
--     SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=?)
--     LIST SUBQUERY 2
--       SCAN json_each VIRTUAL TABLE INDEX 1:
--       CREATE BLOOM FILTER
--   CORRELATED SCALAR SUBQUERY 7
--     SEARCH projects USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 8
--     SEARCH usage USING PRIMARY KEY (scope=?)
--   CORRELATED SCALAR SUBQUERY 6
--     SEARCH projects USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 9
--     SEARCH breakers USING INDEX breakers_open (scope=?)
--     CORRELATED SCALAR SUBQUERY 12
--       SEARCH tasks USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 1
--     SEARCH breakers USING INDEX breakers_open (scope=?)
--     CORRELATED SCALAR SUBQUERY 15
--       SEARCH tasks USING PRIMARY KEY (id=?)
--     CORRELATED SCALAR SUBQUERY 15
--       SEARCH tasks USING PRIMARY KEY (id=?)
SELECT id, project_id, bytes > 1600000 AS oversized, iif(capped_until > :now, cap, NULL) AS cap,
  iif(
    breaker_until > :now,
    (
      SELECT json_object(
        'project_id',
        nullif(breaker.project_id, ''),
        'opened_at',
        opened_at,
        'reason',
        breaker.reason,
        'retry_at',
        retry_at,
        'half_open',
        json(iif(half_open, 'true', 'false')),
        'canary_task',
        canary_task
      )
      FROM open_breakers AS breaker
      WHERE breaker.scope = caps.scope
        AND +breaker.project_id IN ('', coalesce(caps.project_id, ''))
        AND breaker.until > :now
      ORDER BY breaker.project_id
      LIMIT 1
    ),
    NULL
  ) AS breaker
FROM caps
WHERE id = (
  SELECT id
  FROM ready
  WHERE scope = :scope AND queue = :queue AND type IN (SELECT value FROM json_each(:types))
  ORDER BY priority_rank, created_at, id
  LIMIT 1
);

-- recorded  (low priorities first)
-- 1,505 characters, 10 parameters, 12 rows read, 2 rows written
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   SCALAR SUBQUERY 3
--     SCAN asked VIRTUAL TABLE INDEX 1:
--     SEARCH best USING PRIMARY KEY (id=?)
--     CORRELATED SCALAR SUBQUERY 2
--       SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=? AND priority_rank=?)
--     USE TEMP B-TREE FOR ORDER BY
--   SCALAR SUBQUERY 4
--     SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=?)
--   SCALAR SUBQUERY 9
--     CO-ROUTINE (subquery-5)
--       SEARCH orchestrators USING PRIMARY KEY (id=? AND scope=?)
--     SCAN (subquery-5)
--     SEARCH orchestrators USING PRIMARY KEY (id=? AND scope>? AND scope<?)
--     SCALAR SUBQUERY 6
--       SEARCH queue_counts USING PRIMARY KEY (scope=?)
--     SCALAR SUBQUERY 8
--       CO-ROUTINE (subquery-7)
--         SEARCH tasks USING INDEX tasks_leased (scope=?)
--       SCAN (subquery-7)
--   CORRELATED SCALAR SUBQUERY 13
--     SEARCH projects USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 14
--     SEARCH usage USING PRIMARY KEY (scope=?)
--   CORRELATED SCALAR SUBQUERY 15
--     SEARCH breakers USING INDEX breakers_open (scope=?)
--     CORRELATED SCALAR SUBQUERY 18
--       SEARCH tasks USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 1
--     SEARCH counter USING PRIMARY KEY (scope=?)
--     CORRELATED SCALAR SUBQUERY 20
--       SEARCH history USING COVERING INDEX history_feed (scope=? AND seq>?)
INSERT INTO history (
  task_id, version, scope, seq, event, from_queue, to_queue, actor, details, grants, at, title, project_id
)
SELECT id, version + 1, scope, (SELECT last FROM feed WHERE feed.scope = tasks.scope) + 1,
  iif(:review, 'review_claimed', 'claimed'), queue, iif(:review, queue, 'claimed'), :agent, :details, grants,
  :now, title, project_id
FROM caps AS tasks
WHERE id = coalesce(
  (
    SELECT best.id
    FROM json_each(:seeks) AS asked
    CROSS JOIN tasks AS best ON best.id = (
      SELECT id
      FROM ready
      WHERE scope = :scope AND queue = :queue AND priority_rank = asked.value ->> 1
      ORDER BY priority_rank, created_at, id
      LIMIT 1
    )
    ORDER BY asked.value ->> 2, best.priority_rank, best.created_at, best.id
    LIMIT 1
  ),
  (
    SELECT id
    FROM ready
    WHERE scope = :scope AND queue = :queue
    ORDER BY priority_rank, created_at, id
    LIMIT 1
  )
)
  AND bytes <= 1600000
  AND capped_until <= :now
  AND breaker_until <= :now
  AND EXISTS (
    SELECT 1
    FROM (SELECT max(scope) AS own FROM orchestrators WHERE id = :machine AND scope = :scope)
    CROSS JOIN orchestrators
    WHERE id = :machine
      AND scope BETWEEN coalesce(:reach, own, '') AND coalesce(:reach, own, char(1114111))
      AND status <> 'maintenance'
      AND (
        :review
        OR coalesce(:max_claimed, max_claimed) IS NULL
        OR coalesce((SELECT counts ->> '$.claimed' FROM queue_counts WHERE queue_counts.scope = :scope), 0) < coalesce(
          :max_claimed, max_claimed
        )
        OR (
          SELECT count(*)
          FROM (
            SELECT 1
            FROM tasks INDEXED BY tasks_leased
            WHERE claimed_by IS NOT NULL
              AND scope = :scope
              AND queue = 'claimed'
              AND orchestrator_id = :machine
            LIMIT coalesce(:max_claimed, -1)
          )
        ) < coalesce(:max_claimed, max_claimed)
      )
  );

-- keyForgotten  (under an idempotency key)
-- 57 characters, 2 parameters, 0 rows read, 0 rows written
--   SEARCH idempotency_keys USING PRIMARY KEY (id=?)
DELETE
FROM idempotency_keys
WHERE id = :key AND at <= :oldest;

-- keyFound  (under an idempotency key)
-- 80 characters, 2 parameters, 0 rows read, 0 rows written
--   SEARCH idempotency_keys USING PRIMARY KEY (id=?)
SELECT fingerprint, answer, at
FROM idempotency_keys
WHERE id = :key AND at > :oldest;

-- keyBesides  (under an idempotency key)
-- 113 characters, 2 parameters, 0 rows read, 0 rows written
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   SCALAR SUBQUERY 1
--     SEARCH idempotency_keys USING PRIMARY KEY (id=?)
SELECT *
FROM tasks
WHERE scope = :scope AND id = (SELECT answer FROM idempotency_keys WHERE id = :key) ->> '$[0].id';

-- keyKept  (under an idempotency key)
-- 299 characters, 4 parameters, 3 rows read, 1 row written
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   SCALAR SUBQUERY 1
--     SEARCH counter USING PRIMARY KEY (scope=?)
--     SEARCH history USING COVERING INDEX history_feed (scope=? AND seq>?)
INSERT INTO idempotency_keys (id, fingerprint, at, answer)
SELECT :key, :fingerprint, :sent,
  '[' || group_concat(json_object('id', id, 'fencing_token', fencing_token), ',') || ']'
FROM tasks
WHERE changes() > 0 AND id = (SELECT task_id FROM plans WHERE scope = :scope ORDER BY seq DESC LIMIT 1)
HAVING count(*) > 0;

-- first  (nothing for the role)
-- 693 characters, 4 parameters, 0 rows read, 0 rows written
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   SCALAR SUBQUERY 2
--     SEARCH tasks USING INDEX tasks_ready_for (scope=? AND queue=? AND lane=?)
--   CORRELATED SCALAR SUBQUERY 6
--     SEARCH projects USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 7
--     SEARCH usage USING PRIMARY KEY (scope=?)
--   CORRELATED SCALAR SUBQUERY 5
--     SEARCH projects USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 8
--     SEARCH breakers USING INDEX breakers_open (scope=?)
--     CORRELATED SCALAR SUBQUERY 11
--       SEARCH tasks USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 1
--     SEARCH breakers USING INDEX breakers_open (scope=?)
--     CORRELATED SCALAR SUBQUERY 14
--       SEARCH tasks USING PRIMARY KEY (id=?)
--     CORRELATED SCALAR SUBQUERY 14
--       SEARCH tasks USING PRIMARY KEY (id=?)
SELECT id, project_id, bytes > 1600000 AS oversized, iif(capped_until > :now, cap, NULL) AS cap,
  iif(
    breaker_until > :now,
    (
      SELECT json_object(
        'project_id',
        nullif(breaker.project_id, ''),
        'opened_at',
        opened_at,
        'reason',
        breaker.reason,
        'retry_at',
        retry_at,
        'half_open',
        json(iif(half_open, 'true', 'false')),
        'canary_task',
        canary_task
      )
      FROM open_breakers AS breaker
      WHERE breaker.scope = caps.scope
        AND +breaker.project_id IN ('', coalesce(caps.project_id, ''))
        AND breaker.until > :now
      ORDER BY breaker.project_id
      LIMIT 1
    ),
    NULL
  ) AS breaker
FROM caps
WHERE id = (
  SELECT id
  FROM ready_for
  WHERE scope = :scope AND queue = :queue AND lane = :roles ->> 0
  ORDER BY priority_rank, created_at, id
  LIMIT 1
);

-- first  (at the cap of a project)
-- 668 characters, 3 parameters, 4 rows read, 0 rows written
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   SCALAR SUBQUERY 2
--     SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=?)
--   CORRELATED SCALAR SUBQUERY 6
--     SEARCH projects USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 7
--     SEARCH usage USING PRIMARY KEY (scope=?)
--   CORRELATED SCALAR SUBQUERY 5
--     SEARCH projects USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 8
--     SEARCH breakers USING INDEX breakers_open (scope=?)
--     CORRELATED SCALAR SUBQUERY 11
--       SEARCH tasks USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 1
--     SEARCH breakers USING INDEX breakers_open (scope=?)
--     CORRELATED SCALAR SUBQUERY 14
--       SEARCH tasks USING PRIMARY KEY (id=?)
--     CORRELATED SCALAR SUBQUERY 14
--       SEARCH tasks USING PRIMARY KEY (id=?)
SELECT id, project_id, bytes > 1600000 AS oversized, iif(capped_until > :now, cap, NULL) AS cap,
  iif(
    breaker_until > :now,
    (
      SELECT json_object(
        'project_id',
        nullif(breaker.project_id, ''),
        'opened_at',
        opened_at,
        'reason',
        breaker.reason,
        'retry_at',
        retry_at,
        'half_open',
        json(iif(half_open, 'true', 'false')),
        'canary_task',
        canary_task
      )
      FROM open_breakers AS breaker
      WHERE breaker.scope = caps.scope
        AND +breaker.project_id IN ('', coalesce(caps.project_id, ''))
        AND breaker.until > :now
      ORDER BY breaker.project_id
      LIMIT 1
    ),
    NULL
  ) AS breaker
FROM caps
WHERE id = (
  SELECT id
  FROM ready
  WHERE scope = :scope AND queue = :queue
  ORDER BY priority_rank, created_at, id
  LIMIT 1
);

-- recorded  (at the cap of a project)
-- 2,348 characters, 9 parameters, 42 rows read, 2 rows written
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   SCALAR SUBQUERY 12
--     CO-ROUTINE stretch
--       SETUP
--         CO-ROUTINE lanes
--           SETUP
--             SCAN CONSTANT ROW
--             SCALAR SUBQUERY 2
--               SEARCH tasks USING INDEX tasks_ready_by_project (scope=? AND queue=?)
--           RECURSIVE STEP
--             SCAN lanes
--             CORRELATED SCALAR SUBQUERY 4
--               SEARCH tasks USING INDEX tasks_ready_by_project (scope=? AND queue=? AND lane>?)
--         SCAN lanes
--         CORRELATED SCALAR SUBQUERY 6
--           SEARCH tasks USING INDEX tasks_ready_by_project (scope=? AND queue=? AND lane=?)
--       RECURSIVE STEP
--         SCAN stretch
--         CORRELATED SCALAR SUBQUERY 8
--           SEARCH tasks USING INDEX tasks_ready_by_project (scope=? AND queue=? AND lane=? AND project_key>?)
--     SCAN stretch
--     CORRELATED SCALAR SUBQUERY 11
--       CO-ROUTINE stopped_projects
--         COMPOUND QUERY
--           LEFT-MOST SUBQUERY
--             SEARCH projects USING INDEX projects_capped (scope=?)
--           UNION ALL
--             SEARCH breakers USING INDEX breakers_open (scope=?)
--             CORRELATED SCALAR SUBQUERY 36
--               SEARCH tasks USING PRIMARY KEY (id=?)
--             CORRELATED SCALAR SUBQUERY 36
--               SEARCH tasks USING PRIMARY KEY (id=?)
--       SEARCH stopped USING AUTOMATIC PARTIAL COVERING INDEX (id=? AND scope=?)
--     SEARCH best USING PRIMARY KEY (id=?)
--     CORRELATED SCALAR SUBQUERY 10
--       SEARCH tasks USING INDEX tasks_ready_by_project (scope=? AND queue=? AND lane=? AND project_key=?)
--     USE TEMP B-TREE FOR ORDER BY
--   SCALAR SUBQUERY 17
--     CO-ROUTINE (subquery-13)
--       SEARCH orchestrators USING PRIMARY KEY (id=? AND scope=?)
--     SCAN (subquery-13)
--     SEARCH orchestrators USING PRIMARY KEY (id=? AND scope>? AND scope<?)
--     SCALAR SUBQUERY 14
--       SEARCH queue_counts USING PRIMARY KEY (scope=?)
--     SCALAR SUBQUERY 16
--       CO-ROUTINE (subquery-15)
--         SEARCH tasks USING INDEX tasks_leased (scope=?)
--       SCAN (subquery-15)
--   CORRELATED SCALAR SUBQUERY 21
--     SEARCH projects USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 22
--     SEARCH usage USING PRIMARY KEY (scope=?)
--   CORRELATED SCALAR SUBQUERY 23
--     SEARCH breakers USING INDEX breakers_open (scope=?)
--     CORRELATED SCALAR SUBQUERY 26
--       SEARCH tasks USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 1
--     SEARCH counter USING PRIMARY KEY (scope=?)
--     CORRELATED SCALAR SUBQUERY 28
--       SEARCH history USING COVERING INDEX history_feed (scope=? AND seq>?)
INSERT INTO history (
  task_id, version, scope, seq, event, from_queue, to_queue, actor, details, grants, at, title, project_id
)
SELECT id, version + 1, scope, (SELECT last FROM feed WHERE feed.scope = tasks.scope) + 1,
  iif(:review, 'review_claimed', 'claimed'), queue, iif(:review, queue, 'claimed'), :agent, :details, grants,
  :now, title, project_id
FROM caps AS tasks
WHERE id = (
  WITH RECURSIVE lanes (lane) AS (
    SELECT (SELECT lane FROM ready_by_project WHERE scope = :scope AND queue = :queue ORDER BY lane LIMIT 1)
    UNION ALL
    SELECT (
      SELECT lane
      FROM ready_by_project
      WHERE scope = :scope AND queue = :queue AND lane > lanes.lane
      ORDER BY lane
      LIMIT 1
    )
    FROM lanes
    WHERE lane IS NOT NULL
  ),
    stretch (lane, project_key) AS (
      SELECT lane,
        (
          SELECT project_key
          FROM ready_by_project
          WHERE scope = :scope AND queue = :queue AND lane = lanes.lane
          ORDER BY project_key
          LIMIT 1
        )
      FROM lanes
      WHERE lane IS NOT NULL
      UNION ALL
      SELECT lane,
        (
          SELECT project_key
          FROM ready_by_project
          WHERE scope = :scope
            AND queue = :queue
            AND lane = stretch.lane
            AND project_key > stretch.project_key
          ORDER BY project_key
          LIMIT 1
        )
      FROM stretch
      WHERE project_key IS NOT NULL
    )
  SELECT best.id
  FROM stretch
  CROSS JOIN tasks AS best ON best.id = (
    SELECT id
    FROM ready_by_project
    WHERE scope = :scope
      AND queue = :queue
      AND lane = stretch.lane
      AND project_key = stretch.project_key
      AND bytes <= 1600000
      AND NOT capped
    ORDER BY priority_rank, created_at, id
    LIMIT 1
  )
  WHERE stretch.project_key IS NOT NULL
    AND NOT EXISTS (
      SELECT 1
      FROM stopped_projects AS stopped
      WHERE stopped.id = stretch.project_key AND stopped.scope = :scope AND stopped.until > :now
    )
  ORDER BY best.priority_rank, best.created_at, best.id
  LIMIT 1
)
  AND bytes <= 1600000
  AND capped_until <= :now
  AND breaker_until <= :now
  AND EXISTS (
    SELECT 1
    FROM (SELECT max(scope) AS own FROM orchestrators WHERE id = :machine AND scope = :scope)
    CROSS JOIN orchestrators
    WHERE id = :machine
      AND scope BETWEEN coalesce(:reach, own, '') AND coalesce(:reach, own, char(1114111))
      AND status <> 'maintenance'
      AND (
        :review
        OR coalesce(:max_claimed, max_claimed) IS NULL
        OR coalesce((SELECT counts ->> '$.claimed' FROM queue_counts WHERE queue_counts.scope = :scope), 0) < coalesce(
          :max_claimed, max_claimed
        )
        OR (
          SELECT count(*)
          FROM (
            SELECT 1
            FROM tasks INDEXED BY tasks_leased
            WHERE claimed_by IS NOT NULL
              AND scope = :scope
              AND queue = 'claimed'
              AND orchestrator_id = :machine
            LIMIT coalesce(:max_claimed, -1)
          )
        ) < coalesce(:max_claimed, max_claimed)
      )
  );

-- recorded  (of a role, past the tasks of a project at its cap)
-- 2,376 characters, 11 parameters, 21 rows read, 2 rows written
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   SCALAR SUBQUERY 9
--     CO-ROUTINE stretch
--       SETUP
--         SCAN json_each VIRTUAL TABLE INDEX 1:
--         CORRELATED SCALAR SUBQUERY 3
--           SEARCH tasks USING INDEX tasks_ready_by_project (scope=? AND queue=? AND lane=?)
--       RECURSIVE STEP
--         SCAN stretch
--         CORRELATED SCALAR SUBQUERY 5
--           SEARCH tasks USING INDEX tasks_ready_by_project (scope=? AND queue=? AND lane=? AND project_key>?)
--     SCAN stretch
--     CORRELATED SCALAR SUBQUERY 8
--       CO-ROUTINE stopped_projects
--         COMPOUND QUERY
--           LEFT-MOST SUBQUERY
--             SEARCH projects USING INDEX projects_capped (scope=?)
--           UNION ALL
--             SEARCH breakers USING INDEX breakers_open (scope=?)
--             CORRELATED SCALAR SUBQUERY 33
--               SEARCH tasks USING PRIMARY KEY (id=?)
--             CORRELATED SCALAR SUBQUERY 33
--               SEARCH tasks USING PRIMARY KEY (id=?)
--       SEARCH stopped USING AUTOMATIC PARTIAL COVERING INDEX (id=? AND scope=?)
--     SEARCH best USING PRIMARY KEY (id=?)
--     CORRELATED SCALAR SUBQUERY 7
--       SEARCH tasks USING INDEX tasks_ready_by_project (scope=? AND queue=? AND lane=? AND project_key=?)
--     USE TEMP B-TREE FOR ORDER BY
--   CORRELATED SCALAR SUBQUERY 20
--     SEARCH projects USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 21
--     SEARCH usage USING PRIMARY KEY (scope=?)
--   CORRELATED SCALAR SUBQUERY 22
--     SEARCH breakers USING INDEX breakers_open (scope=?)
--     CORRELATED SCALAR SUBQUERY 25
--       SEARCH tasks USING PRIMARY KEY (id=?)
--   SCALAR SUBQUERY 16
--     CO-ROUTINE (subquery-10)
--       SEARCH orchestrators USING PRIMARY KEY (id=? AND scope=?)
--     SCAN (subquery-10)
--     SEARCH orchestrators USING PRIMARY KEY (id=? AND scope>? AND scope<?)
--     SCALAR SUBQUERY 11
--       SEARCH queue_counts USING PRIMARY KEY (scope=?)
--     SCALAR SUBQUERY 13
--       CO-ROUTINE (subquery-12)
--         SEARCH tasks USING INDEX tasks_leased (scope=?)
--       SCAN (subquery-12)
--     CORRELATED SCALAR SUBQUERY 15
--       SEARCH roles USING PRIMARY KEY (scope=?)
--       LIST SUBQUERY 14
--         SCAN json_each VIRTUAL TABLE INDEX 1:
--         CREATE BLOOM FILTER
--   CORRELATED SCALAR SUBQUERY 1
--     SEARCH counter USING PRIMARY KEY (scope=?)
--     CORRELATED SCALAR SUBQUERY 27
--       SEARCH history USING COVERING INDEX history_feed (scope=? AND seq>?)
INSERT INTO history (
  task_id, version, scope, seq, event, from_queue, to_queue, actor, details, grants, at, title, project_id
)
SELECT id, version + 1, scope, (SELECT last FROM feed WHERE feed.scope = tasks.scope) + 1,
  iif(:review, 'review_claimed', 'claimed'), queue, iif(:review, queue, 'claimed'), :agent, :details, grants,
  :now, title, project_id
FROM caps AS tasks
WHERE id = (
  WITH RECURSIVE lanes (lane) AS (SELECT value FROM json_each(:roles)),
    stretch (lane, project_key) AS (
      SELECT lane,
        (
          SELECT project_key
          FROM ready_by_project
          WHERE scope = :scope AND queue = :queue AND lane = lanes.lane
          ORDER BY project_key
          LIMIT 1
        )
      FROM lanes
      WHERE lane IS NOT NULL
      UNION ALL
      SELECT lane,
        (
          SELECT project_key
          FROM ready_by_project
          WHERE scope = :scope
            AND queue = :queue
            AND lane = stretch.lane
            AND project_key > stretch.project_key
          ORDER BY project_key
          LIMIT 1
        )
      FROM stretch
      WHERE project_key IS NOT NULL
    )
  SELECT best.id
  FROM stretch
  CROSS JOIN tasks AS best ON best.id = (
    SELECT id
    FROM ready_by_project
    WHERE scope = :scope
      AND queue = :queue
      AND lane = stretch.lane
      AND project_key = stretch.project_key
      AND bytes <= 1600000
      AND NOT capped
    ORDER BY priority_rank, created_at, id
    LIMIT 1
  )
  WHERE stretch.project_key IS NOT NULL
    AND NOT EXISTS (
      SELECT 1
      FROM stopped_projects AS stopped
      WHERE stopped.id = stretch.project_key AND stopped.scope = :scope AND stopped.until > :now
    )
  ORDER BY best.priority_rank, best.created_at, best.id
  LIMIT 1
)
  AND bytes <= 1600000
  AND capped_until <= :now
  AND breaker_until <= :now
  AND EXISTS (
    SELECT 1
    FROM (SELECT max(scope) AS own FROM orchestrators WHERE id = :machine AND scope = :scope)
    CROSS JOIN orchestrators
    WHERE id = :machine
      AND scope BETWEEN coalesce(:reach, own, '') AND coalesce(:reach, own, char(1114111))
      AND status <> 'maintenance'
      AND (
        :review
        OR coalesce(:max_claimed, max_claimed) IS NULL
        OR coalesce((SELECT counts ->> '$.claimed' FROM queue_counts WHERE queue_counts.scope = :scope), 0) < coalesce(
          :max_claimed, max_claimed
        )
        OR (
          SELECT count(*)
          FROM (
            SELECT 1
            FROM tasks INDEXED BY tasks_leased
            WHERE claimed_by IS NOT NULL
              AND scope = :scope
              AND queue = 'claimed'
              AND orchestrator_id = :machine
            LIMIT coalesce(:max_claimed, -1)
          )
        ) < coalesce(:max_claimed, max_claimed)
      )
      AND (
        SELECT count(*) = 0
          OR (
            count(*) FILTER (WHERE name IN (SELECT value FROM json_each(:roles))) = json_array_length(:roles)
            AND (:queue_named OR count(*) FILTER (WHERE name = :roles ->> 0 AND claims_from = :queue) = 1)
          )
        FROM roles
        WHERE roles.scope = orchestrators.scope
      )
  );

-- parked  (of an account)
-- 101 characters, 3 parameters, 0 rows read, 0 rows written
--   SEARCH parked_accounts USING PRIMARY KEY (scope=? AND account=?)
SELECT until
FROM parked_accounts
WHERE parked_accounts.scope = :scope AND account = :account AND until > :now;

-- recorded  (of an account)
-- 1,298 characters, 10 parameters, 7 rows read, 2 rows written
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   SCALAR SUBQUERY 2
--     SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=?)
--   SCALAR SUBQUERY 7
--     CO-ROUTINE (subquery-3)
--       SEARCH orchestrators USING PRIMARY KEY (id=? AND scope=?)
--     SCAN (subquery-3)
--     SEARCH orchestrators USING PRIMARY KEY (id=? AND scope>? AND scope<?)
--     SCALAR SUBQUERY 4
--       SEARCH queue_counts USING PRIMARY KEY (scope=?)
--     SCALAR SUBQUERY 6
--       CO-ROUTINE (subquery-5)
--         SEARCH tasks USING INDEX tasks_leased (scope=?)
--       SCAN (subquery-5)
--   SCALAR SUBQUERY 8
--     SEARCH parked_accounts USING PRIMARY KEY (scope=? AND account=?)
--   CORRELATED SCALAR SUBQUERY 12
--     SEARCH projects USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 13
--     SEARCH usage USING PRIMARY KEY (scope=?)
--   CORRELATED SCALAR SUBQUERY 14
--     SEARCH breakers USING INDEX breakers_open (scope=?)
--     CORRELATED SCALAR SUBQUERY 17
--       SEARCH tasks USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 1
--     SEARCH counter USING PRIMARY KEY (scope=?)
--     CORRELATED SCALAR SUBQUERY 19
--       SEARCH history USING COVERING INDEX history_feed (scope=? AND seq>?)
INSERT INTO history (
  task_id, version, scope, seq, event, from_queue, to_queue, actor, details, grants, at, title, project_id
)
SELECT id, version + 1, scope, (SELECT last FROM feed WHERE feed.scope = tasks.scope) + 1,
  iif(:review, 'review_claimed', 'claimed'), queue, iif(:review, queue, 'claimed'), :agent, :details, grants,
  :now, title, project_id
FROM caps AS tasks
WHERE id = (
  SELECT id
  FROM ready
  WHERE scope = :scope AND queue = :queue
  ORDER BY priority_rank, created_at, id
  LIMIT 1
)
  AND bytes <= 1600000
  AND capped_until <= :now
  AND breaker_until <= :now
  AND EXISTS (
    SELECT 1
    FROM (SELECT max(scope) AS own FROM orchestrators WHERE id = :machine AND scope = :scope)
    CROSS JOIN orchestrators
    WHERE id = :machine
      AND scope BETWEEN coalesce(:reach, own, '') AND coalesce(:reach, own, char(1114111))
      AND status <> 'maintenance'
      AND (
        :review
        OR coalesce(:max_claimed, max_claimed) IS NULL
        OR coalesce((SELECT counts ->> '$.claimed' FROM queue_counts WHERE queue_counts.scope = :scope), 0) < coalesce(
          :max_claimed, max_claimed
        )
        OR (
          SELECT count(*)
          FROM (
            SELECT 1
            FROM tasks INDEXED BY tasks_leased
            WHERE claimed_by IS NOT NULL
              AND scope = :scope
              AND queue = 'claimed'
              AND orchestrator_id = :machine
            LIMIT coalesce(:max_claimed, -1)
          )
        ) < coalesce(:max_claimed, max_claimed)
      )
  )
  AND NOT EXISTS (
    SELECT 1
    FROM parked_accounts
    WHERE parked_accounts.scope = :scope AND account = :account AND until > :now
  );
