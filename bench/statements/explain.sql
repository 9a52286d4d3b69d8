-- GET /api/v1/tasks/:id/explain
-- 1 round trip, 5 statements: 3,578 characters, 13 parameters, 11 rows read, 0 rows written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- tasks
-- 620 characters, 3 parameters, 2 rows read, 0 rows written
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 1
--     SEARCH tasks USING PRIMARY KEY (id=?)
--     CORRELATED SCALAR SUBQUERY 6
--       SEARCH projects USING PRIMARY KEY (id=?)
--     CORRELATED SCALAR SUBQUERY 7
--       SEARCH usage USING PRIMARY KEY (scope=?)
--     CORRELATED SCALAR SUBQUERY 5
--       SEARCH projects USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 2
--     SEARCH breakers USING INDEX breakers_open (scope=?)
--     CORRELATED SCALAR SUBQUERY 14
--       SEARCH tasks USING PRIMARY KEY (id=?)
--     CORRELATED SCALAR SUBQUERY 14
--       SEARCH tasks USING PRIMARY KEY (id=?)
SELECT *, iif(bytes > 1600000, bytes, NULL) AS oversize,
  (SELECT iif(capped_until > :now, cap, NULL) FROM caps WHERE caps.id = tasks.id) AS cap,
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
    WHERE breaker.scope = tasks.scope
      AND +breaker.project_id IN ('', coalesce(tasks.project_id, ''))
      AND breaker.until > :now
    ORDER BY breaker.project_id
    LIMIT 1
  ) AS breaker
FROM tasks
WHERE id = :id AND (:scope IS NULL OR scope = :scope);

-- dependencies
-- 382 characters, 1 parameter, 1 row read, 0 rows written
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

-- ahead
-- 2,203 characters, 4 parameters, 5 rows read, 0 rows written
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 4
--     CO-ROUTINE (subquery-3)
--       COMPOUND QUERY
--         LEFT-MOST SUBQUERY
--           SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=? AND priority_rank<?)
--           CORRELATED SCALAR SUBQUERY 9
--             SEARCH tasks USING PRIMARY KEY (id=?)
--         UNION ALL
--           SEARCH tasks USING INDEX tasks_backing_off (scope=? AND available_at>? AND available_at<?)
--           CORRELATED SCALAR SUBQUERY 9
--             SEARCH tasks USING PRIMARY KEY (id=?)
--         UNION ALL
--           SEARCH tasks USING INDEX tasks_leased (scope=? AND lease_expires_at<?)
--           CORRELATED SCALAR SUBQUERY 9
--             SEARCH tasks USING PRIMARY KEY (id=?)
--     SCAN (subquery-3)
--   CORRELATED SCALAR SUBQUERY 8
--     CO-ROUTINE (subquery-7)
--       COMPOUND QUERY
--         LEFT-MOST SUBQUERY
--           SEARCH tasks USING INDEX tasks_ready_for (scope=? AND queue=? AND lane=? AND priority_rank<?)
--           CORRELATED SCALAR SUBQUERY 9
--             SEARCH tasks USING PRIMARY KEY (id=?)
--         UNION ALL
--           SEARCH tasks USING INDEX tasks_backing_off (scope=? AND available_at>? AND available_at<?)
--           CORRELATED SCALAR SUBQUERY 9
--             SEARCH tasks USING PRIMARY KEY (id=?)
--         UNION ALL
--           SEARCH tasks USING INDEX tasks_leased (scope=? AND lease_expires_at<?)
--           CORRELATED SCALAR SUBQUERY 9
--             SEARCH tasks USING PRIMARY KEY (id=?)
--     SCAN (subquery-7)
SELECT iif(
  own.lane = '',
  (
    SELECT count(*)
    FROM (
      SELECT 1
      FROM tasks INDEXED BY tasks_ready
      WHERE scope = own.scope
        AND queue = own.place
        AND claimed_by IS NULL
        AND blocked_by IS NULL
        AND available_at IS NULL
        AND queue <> 'done'
        AND (priority_rank, created_at, id) < (own.priority_rank, own.created_at, own.id)
      UNION ALL
      SELECT 1
      FROM tasks INDEXED BY tasks_backing_off
      WHERE scope = own.scope
        AND available_at IS NOT NULL
        AND available_at <= :now
        AND claimed_by IS NULL
        AND queue = own.place
        AND blocked_by IS NULL
        AND (priority_rank, created_at, id) < (own.priority_rank, own.created_at, own.id)
      UNION ALL
      SELECT 1
      FROM expiring
      WHERE scope = own.scope
        AND lease_expires_at <= :now
        AND (queue <> 'claimed' OR NOT :backs_off)
        AND to_queue = own.place
        AND blocked_by IS NULL
        AND (priority_rank, created_at, id) < (own.priority_rank, own.created_at, own.id)
      LIMIT 100
    )
  ),
  (
    SELECT count(*)
    FROM (
      SELECT 1
      FROM tasks INDEXED BY tasks_ready_for
      WHERE scope = own.scope
        AND queue = own.place
        AND claimed_by IS NULL
        AND blocked_by IS NULL
        AND available_at IS NULL
        AND queue <> 'done'
        AND role IS NOT NULL
        AND lane = own.lane
        AND (priority_rank, created_at, id) < (own.priority_rank, own.created_at, own.id)
      UNION ALL
      SELECT 1
      FROM tasks INDEXED BY tasks_backing_off
      WHERE scope = own.scope
        AND available_at IS NOT NULL
        AND available_at <= :now
        AND claimed_by IS NULL
        AND queue = own.place
        AND blocked_by IS NULL
        AND role IS NOT NULL
        AND lane = own.lane
        AND (priority_rank, created_at, id) < (own.priority_rank, own.created_at, own.id)
      UNION ALL
      SELECT 1
      FROM expiring
      WHERE scope = own.scope
        AND lease_expires_at <= :now
        AND (queue <> 'claimed' OR NOT :backs_off)
        AND to_queue = own.place
        AND blocked_by IS NULL
        AND role IS NOT NULL
        AND lane = own.lane
        AND (priority_rank, created_at, id) < (own.priority_rank, own.created_at, own.id)
      LIMIT 100
    )
  )
) AS ahead
FROM (
  SELECT id, scope, lane, priority_rank, created_at,
    CASE
      WHEN queue IN ('done', 'failed', 'cancelled') OR lease_expires_at > :now THEN NULL
      WHEN claimed_by IS NULL THEN queue
      ELSE (
        SELECT to_queue
        FROM expiring
        WHERE expiring.id = tasks.id AND to_queue NOT IN ('failed', 'cancelled')
      )
    END AS place
  FROM tasks
  WHERE id = :id AND (:scope IS NULL OR scope = :scope)
) AS own;

-- known
-- 124 characters, 2 parameters, 1 row read, 0 rows written
--   SEARCH roles USING PRIMARY KEY (scope=?)
--   SCALAR SUBQUERY 1
--     SEARCH tasks USING PRIMARY KEY (id=?)
SELECT name
FROM roles
WHERE scope = (SELECT scope FROM tasks WHERE id = :id AND (:scope IS NULL OR scope = :scope))
ORDER BY name;

-- machine
-- 249 characters, 3 parameters, 2 rows read, 0 rows written
--   CO-ROUTINE (subquery-2)
--     SEARCH orchestrators USING INDEX orchestrators_of_scope (scope=?)
--     SCALAR SUBQUERY 1
--       SEARCH tasks USING PRIMARY KEY (id=?)
--   SCAN (subquery-2)
SELECT count(*) AS seen, coalesce(max(status = 'active' AND last_heartbeat >= :heard_since), 0) AS active
FROM (
  SELECT status, last_heartbeat
  FROM orchestrators
  WHERE scope = (SELECT scope FROM tasks WHERE id = :id AND (:scope IS NULL OR scope = :scope))
  LIMIT 20
);
