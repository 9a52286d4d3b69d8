-- POST /api/v1/breakers/close
-- 1 round trip, 4 statements: 1,404 characters, 10 parameters, 9 rows read, 0 rows written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- announced
-- 451 characters, 5 parameters, 3 rows read, 0 rows written
--   CO-ROUTINE (subquery-7)
--     SEARCH breakers USING PRIMARY KEY (scope=? AND project_id=?)
--     SEARCH counter USING PRIMARY KEY (scope=?)
--     CORRELATED SCALAR SUBQUERY 6
--       SEARCH history USING PRIMARY KEY (task_id=?)
--     CORRELATED SCALAR SUBQUERY 5
--       SEARCH history USING COVERING INDEX history_feed (scope=? AND seq>?)
--   SCAN (subquery-7)
INSERT INTO history (task_id, version, scope, seq, event, actor, reason, details, grants, at, project_id)
SELECT own.task_id, own.version + row_number() OVER (), own.scope, own.last + row_number() OVER (),
  'breaker_closed', :actor, :excerpt, NULL, 0, :now, nullif(task.project_id, '')
FROM (
  SELECT scope, project_id
  FROM breakers
  WHERE scope = :scope AND project_id = :project_key AND opened_at IS NOT NULL
) AS task
CROSS JOIN breaker_feed AS own ON own.scope = task.scope;

-- closed
-- 222 characters, 2 parameters, 1 row read, 0 rows written
--   SEARCH breakers USING PRIMARY KEY (scope=? AND project_id=?)
UPDATE breakers
SET failures = '[]', opened_at = NULL, tripped_by = NULL, reason = NULL, retry_at = NULL, probes = 0,
  canary_task = NULL, canary_token = NULL
WHERE scope = :scope AND project_id = :project_key AND opened_at IS NOT NULL;

-- counted
-- 306 characters, 1 parameter, 4 rows read, 0 rows written
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

-- found
-- 425 characters, 2 parameters, 1 row read, 0 rows written
--   SEARCH breakers USING PRIMARY KEY (scope=? AND project_id=?)
--   SEARCH breakers USING INDEX breakers_open (scope=? AND project_id=?) LEFT-JOIN
--   CORRELATED SCALAR SUBQUERY 4
--     SEARCH tasks USING PRIMARY KEY (id=?)
SELECT breakers.project_id AS project_id, threshold AS threshold, window_millis AS window_millis,
  wait_millis AS wait_millis, breakers.opened_at AS opened_at, breakers.reason AS reason,
  breakers.tripped_by AS tripped_by, probes AS probes, breakers.retry_at AS retry_at,
  iif(half_open, breakers.canary_task, NULL) AS canary
FROM breakers
LEFT JOIN open_breakers USING (scope, project_id)
WHERE scope = :scope AND project_id = :project_key;
