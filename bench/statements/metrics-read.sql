-- GET /metrics
-- 1 round trip, 2 statements: 2,347 characters, 4 parameters, 110 rows read, 0 rows written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- gauges
-- 1,971 characters, 3 parameters, 108 rows read, 0 rows written
--   CO-ROUTINE shown
--     SEARCH queue_counts USING PRIMARY KEY (scope=?)
--   SCAN shown
--   SEARCH usage USING PRIMARY KEY (scope=? AND day=?) LEFT-JOIN
--   CORRELATED SCALAR SUBQUERY 2
--     CO-ROUTINE (subquery-1)
--       SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=?)
--     SCAN (subquery-1)
--   CORRELATED SCALAR SUBQUERY 7
--     CO-ROUTINE other
--       SETUP
--         SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=?)
--       RECURSIVE STEP
--         SCAN other
--         CORRELATED SCALAR SUBQUERY 4
--           SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=? AND priority_rank>?)
--     SEARCH other
--     CORRELATED SCALAR SUBQUERY 6
--       SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=? AND priority_rank=?)
--   CORRELATED SCALAR SUBQUERY 9
--     CO-ROUTINE (subquery-8)
--       SEARCH tasks USING INDEX tasks_leased (scope=?)
--     SCAN (subquery-8)
--   CORRELATED SCALAR SUBQUERY 11
--     CO-ROUTINE (subquery-10)
--       SEARCH tasks USING INDEX tasks_leased (scope=? AND lease_expires_at<?)
--     SCAN (subquery-10)
--   CORRELATED SCALAR SUBQUERY 13
--     CO-ROUTINE (subquery-12)
--       SEARCH breakers USING INDEX breakers_open (scope=?)
--     SCAN (subquery-12)
SELECT shown.scope, shown.counts, shown.events,
  (
    SELECT count(*)
    FROM (
      SELECT 1
      FROM tasks INDEXED BY tasks_ready
      WHERE scope = shown.scope
        AND queue = 'incoming'
        AND claimed_by IS NULL
        AND blocked_by IS NULL
        AND available_at IS NULL
        AND queue <> 'done'
      LIMIT 100
    )
  ) AS ready,
  (
    WITH RECURSIVE other (rank) AS (
      SELECT min(priority_rank)
      FROM tasks INDEXED BY tasks_ready
      WHERE scope = shown.scope
        AND queue = 'incoming'
        AND claimed_by IS NULL
        AND blocked_by IS NULL
        AND available_at IS NULL
        AND queue <> 'done'
      UNION ALL
      SELECT (
        SELECT min(priority_rank)
        FROM tasks INDEXED BY tasks_ready
        WHERE scope = shown.scope
          AND queue = 'incoming'
          AND claimed_by IS NULL
          AND blocked_by IS NULL
          AND available_at IS NULL
          AND queue <> 'done'
          AND priority_rank > rank
      )
      FROM other
      WHERE rank IS NOT NULL
      LIMIT 20
    )
    SELECT min(
      (
        SELECT min(created_at)
        FROM tasks INDEXED BY tasks_ready
        WHERE scope = shown.scope
          AND queue = 'incoming'
          AND claimed_by IS NULL
          AND blocked_by IS NULL
          AND available_at IS NULL
          AND queue <> 'done'
          AND priority_rank = other.rank
      )
    )
    FROM other
    WHERE rank IS NOT NULL
  ) AS oldest,
  (
    SELECT count(*)
    FROM (
      SELECT 1
      FROM tasks INDEXED BY tasks_leased
      WHERE scope = shown.scope AND claimed_by IS NOT NULL
      LIMIT 500
    )
  ) AS leases,
  (
    SELECT count(*)
    FROM (
      SELECT 1
      FROM tasks INDEXED BY tasks_leased
      WHERE scope = shown.scope AND claimed_by IS NOT NULL AND lease_expires_at <= :now
      LIMIT 100
    )
  ) AS overdue,
  (
    SELECT count(*)
    FROM (
      SELECT 1
      FROM breakers INDEXED BY breakers_open
      WHERE breakers.scope = shown.scope AND opened_at IS NOT NULL
      LIMIT 100
    )
  ) AS breakers,
  coalesce(usage.cost_usd, 0) AS cost_usd, coalesce(usage.input_tokens, 0) AS input_tokens,
  coalesce(usage.output_tokens, 0) AS output_tokens, coalesce(usage.cached_tokens, 0) AS cached_tokens,
  coalesce(usage.wall_seconds, 0) AS wall_seconds
FROM (SELECT * FROM queue_counts WHERE scope = :scope ORDER BY scope LIMIT 201) AS shown
LEFT JOIN usage ON usage.scope = shown.scope AND usage.day = :day
ORDER BY shown.scope;

-- webhooks
-- 376 characters, 1 parameter, 2 rows read, 0 rows written
--   CO-ROUTINE shown
--     SEARCH queue_counts USING PRIMARY KEY (scope=?)
--   SCAN shown
--   SEARCH webhooks USING INDEX webhooks_of_scope (scope=?)
--   USE TEMP B-TREE FOR ORDER BY
SELECT webhooks.scope, webhooks.id, max(shown.seq - webhooks.position, 0) AS waiting, webhooks.entries,
  webhooks.failures, webhooks.disabled_at IS NULL AS enabled
FROM (SELECT * FROM queue_counts WHERE scope = :scope ORDER BY scope LIMIT 200) AS shown
CROSS JOIN webhooks INDEXED BY webhooks_of_scope ON webhooks.scope = shown.scope
ORDER BY webhooks.scope, webhooks.id
LIMIT 500;

-- ======== Sent in special cases only ========

-- gauges  (of every scope)
-- 1,972 characters, 2 parameters, 222 rows read, 0 rows written
--   CO-ROUTINE shown
--     SEARCH queue_counts USING PRIMARY KEY (scope>?)
--   SCAN shown
--   SEARCH usage USING PRIMARY KEY (scope=? AND day=?) LEFT-JOIN
--   CORRELATED SCALAR SUBQUERY 2
--     CO-ROUTINE (subquery-1)
--       SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=?)
--     SCAN (subquery-1)
--   CORRELATED SCALAR SUBQUERY 7
--     CO-ROUTINE other
--       SETUP
--         SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=?)
--       RECURSIVE STEP
--         SCAN other
--         CORRELATED SCALAR SUBQUERY 4
--           SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=? AND priority_rank>?)
--     SEARCH other
--     CORRELATED SCALAR SUBQUERY 6
--       SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=? AND priority_rank=?)
--   CORRELATED SCALAR SUBQUERY 9
--     CO-ROUTINE (subquery-8)
--       SEARCH tasks USING INDEX tasks_leased (scope=?)
--     SCAN (subquery-8)
--   CORRELATED SCALAR SUBQUERY 11
--     CO-ROUTINE (subquery-10)
--       SEARCH tasks USING INDEX tasks_leased (scope=? AND lease_expires_at<?)
--     SCAN (subquery-10)
--   CORRELATED SCALAR SUBQUERY 13
--     CO-ROUTINE (subquery-12)
--       SEARCH breakers USING INDEX breakers_open (scope=?)
--     SCAN (subquery-12)
SELECT shown.scope, shown.counts, shown.events,
  (
    SELECT count(*)
    FROM (
      SELECT 1
      FROM tasks INDEXED BY tasks_ready
      WHERE scope = shown.scope
        AND queue = 'incoming'
        AND claimed_by IS NULL
        AND blocked_by IS NULL
        AND available_at IS NULL
        AND queue <> 'done'
      LIMIT 100
    )
  ) AS ready,
  (
    WITH RECURSIVE other (rank) AS (
      SELECT min(priority_rank)
      FROM tasks INDEXED BY tasks_ready
      WHERE scope = shown.scope
        AND queue = 'incoming'
        AND claimed_by IS NULL
        AND blocked_by IS NULL
        AND available_at IS NULL
        AND queue <> 'done'
      UNION ALL
      SELECT (
        SELECT min(priority_rank)
        FROM tasks INDEXED BY tasks_ready
        WHERE scope = shown.scope
          AND queue = 'incoming'
          AND claimed_by IS NULL
          AND blocked_by IS NULL
          AND available_at IS NULL
          AND queue <> 'done'
          AND priority_rank > rank
      )
      FROM other
      WHERE rank IS NOT NULL
      LIMIT 20
    )
    SELECT min(
      (
        SELECT min(created_at)
        FROM tasks INDEXED BY tasks_ready
        WHERE scope = shown.scope
          AND queue = 'incoming'
          AND claimed_by IS NULL
          AND blocked_by IS NULL
          AND available_at IS NULL
          AND queue <> 'done'
          AND priority_rank = other.rank
      )
    )
    FROM other
    WHERE rank IS NOT NULL
  ) AS oldest,
  (
    SELECT count(*)
    FROM (
      SELECT 1
      FROM tasks INDEXED BY tasks_leased
      WHERE scope = shown.scope AND claimed_by IS NOT NULL
      LIMIT 500
    )
  ) AS leases,
  (
    SELECT count(*)
    FROM (
      SELECT 1
      FROM tasks INDEXED BY tasks_leased
      WHERE scope = shown.scope AND claimed_by IS NOT NULL AND lease_expires_at <= :now
      LIMIT 100
    )
  ) AS overdue,
  (
    SELECT count(*)
    FROM (
      SELECT 1
      FROM breakers INDEXED BY breakers_open
      WHERE breakers.scope = shown.scope AND opened_at IS NOT NULL
      LIMIT 100
    )
  ) AS breakers,
  coalesce(usage.cost_usd, 0) AS cost_usd, coalesce(usage.input_tokens, 0) AS input_tokens,
  coalesce(usage.output_tokens, 0) AS output_tokens, coalesce(usage.cached_tokens, 0) AS cached_tokens,
  coalesce(usage.wall_seconds, 0) AS wall_seconds
FROM (SELECT * FROM queue_counts WHERE scope >= ' ' ORDER BY scope LIMIT 201) AS shown
LEFT JOIN usage ON usage.scope = shown.scope AND usage.day = :day
ORDER BY shown.scope;

-- webhooks  (of every scope)
-- 377 characters, 0 parameters, 3 rows read, 0 rows written
--   CO-ROUTINE shown
--     SEARCH queue_counts USING PRIMARY KEY (scope>?)
--   SCAN shown
--   SEARCH webhooks USING INDEX webhooks_of_scope (scope=?)
--   USE TEMP B-TREE FOR ORDER BY
SELECT webhooks.scope, webhooks.id, max(shown.seq - webhooks.position, 0) AS waiting, webhooks.entries,
  webhooks.failures, webhooks.disabled_at IS NULL AS enabled
FROM (SELECT * FROM queue_counts WHERE scope >= ' ' ORDER BY scope LIMIT 200) AS shown
CROSS JOIN webhooks INDEXED BY webhooks_of_scope ON webhooks.scope = shown.scope
ORDER BY webhooks.scope, webhooks.id
LIMIT 500;

-- costs  (of every scope)
-- 63 characters, 0 parameters, 1 row read, 0 rows written
--   SCAN d1_costs
SELECT trips, statements, rows_read, rows_written
FROM d1_costs;
