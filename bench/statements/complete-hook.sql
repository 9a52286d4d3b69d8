-- POST /api/v1/tasks/:id/hooks/:hookName/complete
-- 1 round trip, 3 statements: 2,868 characters, 18 parameters, 24 rows read, 4 rows written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- recorded
-- 953 characters, 11 parameters, 4 rows read, 2 rows written
--   CO-ROUTINE task
--     SEARCH tasks USING PRIMARY KEY (id=?)
--     CORRELATED SCALAR SUBQUERY 2
--       SCAN json_each VIRTUAL TABLE INDEX 1:
--       USE TEMP B-TREE FOR ORDER BY
--   SCAN task
--   CORRELATED SCALAR SUBQUERY 1
--     SEARCH queue_counts USING PRIMARY KEY (scope=?)
INSERT INTO history (
  task_id, version, scope, seq, event, from_queue, to_queue, actor, details, grants, at, title, project_id
)
SELECT id, version + 1, scope, (SELECT seq + 1 FROM queue_counts WHERE queue_counts.scope = task.scope),
  'hook_completed', queue, queue, coalesce(:actor, claimed_by), :details, grants, :now, title, project_id
FROM (
  SELECT *,
    octet_length(
      (
        SELECT json_set(
          iif(json_valid(hooks), hooks, '[]'), fullkey || '.status', :status, fullkey || :field, json(:value)
        )
        FROM json_each(iif(json_valid(hooks), hooks, '[]'))
        WHERE type = 'object' AND value ->> '$.name' = :hook
        ORDER BY key
        LIMIT 1
      )
    ) AS hook_bytes
  FROM tasks
  WHERE id = :id
    AND (:scope IS NULL OR scope = :scope)
    AND (
      coalesce(fencing_token, lapsed_token) = :token OR (:token IS NULL AND (:lenient OR claimed_by IS NULL))
    )
  LIMIT 1
) AS task
WHERE hook_bytes IS NOT NULL
  AND (
    :field = '.status'
    OR hook_bytes <= octet_length(hooks)
    OR (hook_bytes <= 131072 AND bytes - octet_length(hooks) + hook_bytes <= 1600000)
  );

-- updated
-- 426 characters, 6 parameters, 5 rows read, 1 row written
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 2
--     SEARCH history USING PRIMARY KEY (task_id=? AND version=?)
--   CORRELATED SCALAR SUBQUERY 1
--     SCAN json_each VIRTUAL TABLE INDEX 1:
--     USE TEMP B-TREE FOR ORDER BY
UPDATE tasks
SET version = version + 1, updated_at = :now,
  hooks = (
    SELECT json_set(
      iif(json_valid(hooks), hooks, '[]'), fullkey || '.status', :status, fullkey || :field, json(:value)
    )
    FROM json_each(iif(json_valid(hooks), hooks, '[]'))
    WHERE type = 'object' AND value ->> '$.name' = :hook
    ORDER BY key
    LIMIT 1
  )
WHERE id = :id
  AND EXISTS (SELECT 1 FROM history WHERE task_id = tasks.id AND history.version = tasks.version + 1)
RETURNING *;

-- counted
-- 1,489 characters, 1 parameter, 15 rows read, 1 row written
--   MATERIALIZE moved
--     SEARCH counter USING PRIMARY KEY (scope=?)
--     SCALAR SUBQUERY 5
--       SEARCH tasks USING PRIMARY KEY (id=?)
--     SEARCH history USING INDEX history_feed (scope=? AND seq>?)
--     REUSE SUBQUERY 5
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
  WHERE plans.scope = (SELECT scope FROM tasks WHERE id = :id)
  GROUP BY owner
) AS moved
WHERE scope = moved.owner;
