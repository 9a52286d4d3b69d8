-- POST /api/v1/tasks/:id/hooks/:hookName/complete
-- 1 round trip, 3 statements: 1,722 characters, 18 parameters, 18 rows read, 4 rows written
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
