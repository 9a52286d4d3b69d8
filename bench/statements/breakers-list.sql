-- GET /api/v1/breakers
-- 1 round trip, 1 statement: 434 characters, 1 parameter, 0 rows read, 0 rows written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- found
-- 434 characters, 1 parameter, 0 rows read, 0 rows written
--   SEARCH breakers USING PRIMARY KEY (scope=?)
--   SEARCH breakers USING INDEX breakers_open (scope=? AND project_id=?) LEFT-JOIN
--   CORRELATED SCALAR SUBQUERY 4
--     SEARCH tasks USING PRIMARY KEY (id=?)
SELECT breakers.project_id AS project_id, threshold AS threshold, window_millis AS window_millis,
  wait_millis AS wait_millis, breakers.opened_at AS opened_at, breakers.reason AS reason,
  breakers.tripped_by AS tripped_by, probes AS probes, breakers.retry_at AS retry_at,
  iif(half_open, breakers.canary_task, NULL) AS canary
FROM breakers
LEFT JOIN open_breakers USING (scope, project_id)
WHERE scope = :scope
ORDER BY project_id
LIMIT 500;
