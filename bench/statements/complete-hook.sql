-- POST /api/v1/tasks/:id/hooks/:hookName/complete
-- 1 round trip, 3 statements: 1,573 characters, 18 parameters, 13 rows read, 3 rows written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- recorded
-- 828 characters, 11 parameters, 3 rows read, 1 row written
--   CO-ROUTINE (subquery-2)
--     SEARCH tasks USING PRIMARY KEY (id=?)
--     CORRELATED SCALAR SUBQUERY 1
--       SCAN json_each VIRTUAL TABLE INDEX 1:
--       USE TEMP B-TREE FOR ORDER BY
--   SCAN (subquery-2)
INSERT INTO history (task_id, version, scope, event, from_queue, to_queue, actor, details, grants, at)
SELECT id, version + 1, scope, 'hook_completed', queue, queue, coalesce(:actor, claimed_by), :details, grants,
  :now
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
)
WHERE hook_bytes IS NOT NULL
  AND (
    :field = '.status'
    OR hook_bytes <= octet_length(hooks)
    OR (hook_bytes <= 131072 AND bytes - octet_length(hooks) + hook_bytes <= 1600000)
  );

-- counted
-- 319 characters, 1 parameter, 5 rows read, 1 row written
--   MATERIALIZE changed
--     SEARCH tasks USING PRIMARY KEY (id=?)
--     SEARCH history USING PRIMARY KEY (task_id=? AND version=?)
--   SCAN changed
--   MULTI-INDEX OR
--     INDEX 1
--       SEARCH queue_counts USING PRIMARY KEY (scope=?)
--     INDEX 2
--       SEARCH queue_counts USING PRIMARY KEY (scope=?)
UPDATE queue_counts
SET revision = revision + 1
FROM (
  SELECT tasks.scope AS owner, char(31) || tasks.project_id AS project
  FROM tasks
  CROSS JOIN history ON history.task_id = tasks.id AND history.version = tasks.version + 1
  WHERE tasks.id = :id
  LIMIT 1
) AS changed
WHERE scope = changed.owner OR scope = changed.project;

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
