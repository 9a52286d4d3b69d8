-- PUT /api/v1/breakers
-- 1 round trip, 2 statements: 771 characters, 7 parameters, 1 row read, 1 row written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- set
-- 346 characters, 5 parameters, 0 rows read, 1 row written
--   SCAN CONSTANT ROW
--   SCALAR SUBQUERY 1
--     SEARCH projects USING PRIMARY KEY (id=?)
INSERT INTO breakers (scope, project_id, threshold, window_millis, wait_millis)
SELECT :scope, :project_key, :threshold, :window_millis, :wait_millis
WHERE (:project_key = '' OR EXISTS (SELECT 1 FROM projects WHERE id = :project_key AND scope = :scope))
ON CONFLICT (scope, project_id)
DO UPDATE SET threshold = excluded.threshold, window_millis = excluded.window_millis,
  wait_millis = excluded.wait_millis;

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
