-- POST /api/v1/breakers/close
-- 1 round trip, 4 statements: 2,641 characters, 10 parameters, 10 rows read, 0 rows written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- announced
-- 524 characters, 5 parameters, 3 rows read, 0 rows written
--   CO-ROUTINE (subquery-6)
--     SEARCH breakers USING PRIMARY KEY (scope=? AND project_id=?)
--   SCAN (subquery-6)
--   CORRELATED SCALAR SUBQUERY 1
--     SEARCH history USING PRIMARY KEY (task_id=?)
--   CORRELATED SCALAR SUBQUERY 2
--     SEARCH counter USING PRIMARY KEY (scope=?)
--     CORRELATED SCALAR SUBQUERY 5
--       SEARCH history USING COVERING INDEX history_feed (scope=? AND seq>?)
INSERT INTO history (task_id, version, scope, seq, event, actor, reason, details, grants, at, project_id)
SELECT char(31) || breakers.scope,
  coalesce((SELECT max(version) FROM history WHERE task_id = char(31) || breakers.scope), 0) + row_number() OVER (
    
  ),
  breakers.scope, (SELECT last FROM feed WHERE feed.scope = breakers.scope) + row_number() OVER (),
  'breaker_closed', :actor, :excerpt, NULL, 0, :now, nullif(breakers.project_id, '')
FROM breakers
WHERE breakers.scope = :scope AND breakers.project_id = :project_key AND opened_at IS NOT NULL;

-- closed
-- 240 characters, 2 parameters, 1 row read, 0 rows written
--   SEARCH breakers USING PRIMARY KEY (scope=? AND project_id=?)
UPDATE breakers
SET failures = '[]', opened_at = NULL, tripped_by = NULL, reason = NULL, retry_at = NULL, probes = 0,
  canary_task = NULL, canary_token = NULL
WHERE breakers.scope = :scope AND breakers.project_id = :project_key AND opened_at IS NOT NULL;

-- counted
-- 1,452 characters, 1 parameter, 5 rows read, 0 rows written
--   MATERIALIZE moved
--     SEARCH counter USING PRIMARY KEY (scope=?)
--     SEARCH history USING INDEX history_feed (scope=? AND seq>?)
--     SCAN owner VIRTUAL TABLE INDEX 1:
--     USE TEMP B-TREE FOR GROUP BY
--   SCAN moved
--   SEARCH queue_counts USING PRIMARY KEY (scope=?)
--   CORRELATED SCALAR SUBQUERY 2
--     CO-ROUTINE (subquery-1)
--       SCAN json_tree VIRTUAL TABLE INDEX 1:
--       USE TEMP B-TREE FOR GROUP BY
--     SCAN (subquery-1)
--   CORRELATED SCALAR SUBQUERY 4
--     CO-ROUTINE (subquery-3)
--       SCAN json_each VIRTUAL TABLE INDEX 1:
--       USE TEMP B-TREE FOR GROUP BY
--     SCAN (subquery-3)
UPDATE queue_counts
SET revision = revision + 1, seq = moved.seq,
  counts = json_patch(
    counts,
    iif(
      n = 1 AND source <> target,
      json_object(
        source,
        nullif((counts ->> ('$."' || source || '"')) - 1, 0),
        target,
        coalesce((counts ->> ('$."' || target || '"')), 0) + 1
      ),
      (
        SELECT json_group_object(queue, nullif(coalesce((counts ->> ('$."' || queue || '"')), 0) + step, 0))
        FROM (
          SELECT atom AS queue, sum(iif(key, 1, -1)) AS step
          FROM json_tree(moves)
          WHERE atom IS NOT NULL
          GROUP BY atom
        )
      )
    )
  ),
  events = iif(
    owner < ' ',
    events,
    json_patch(
      events,
      iif(
        earliest = latest,
        json_object(earliest, coalesce(events ->> earliest, 0) + n),
        (
          SELECT json_group_object(value, coalesce(events ->> value, 0) + times)
          FROM (SELECT value, count(*) AS times FROM json_each(happened) GROUP BY value)
        )
      )
    )
  ),
  lives = iif(
    owner >= ' ' AND finished > 0,
    json_set(
      lives,
      ('$."' || (hour % 24) || '"'),
      json_array(
        hour,
        finished + iif(
          lives ->> ('$."' || (hour % 24) || '"[0]') = hour, lives ->> ('$."' || (hour % 24) || '"[1]'), 0
        )
      )
    ),
    lives
  )
FROM (
  SELECT owner, max(seq) AS seq, count(*) AS n, min(from_queue) AS source, min(to_queue) AS target,
    json_group_array(json_array(from_queue, to_queue)) AS moves, min(event) AS earliest, max(event) AS latest,
    json_group_array(event) AS happened, max(at) / 3600000 AS hour,
    sum(to_queue = 'done' AND from_queue <> 'done') AS finished
  FROM planned_counts AS plans
  WHERE plans.scope = :scope
  GROUP BY owner
) AS moved
WHERE scope = moved.owner;

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
