-- DELETE /api/v1/flows/:name
-- 1 round trip, 4 statements: 1,497 characters, 8 parameters, 25 rows read, 2 rows written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- found
-- 53 characters, 1 parameter, 1 row read, 0 rows written
--   SEARCH flows USING INDEX flows_named (name=?)
SELECT *
FROM flows
WHERE true AND name = :name
LIMIT 2;

-- harmed
-- 1,062 characters, 3 parameters, 20 rows read, 0 rows written
--   SEARCH queue_counts USING PRIMARY KEY (scope=?)
--   SCALAR SUBQUERY 1
--     SEARCH flows USING COVERING INDEX flows_named (name=?)
--   SCAN counter VIRTUAL TABLE INDEX 1:
--   LIST SUBQUERY 2
--     SCAN json_each VIRTUAL TABLE INDEX 1:
--     CREATE BLOOM FILTER
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   CORRELATED LIST SUBQUERY 9
--     COMPOUND QUERY
--       LEFT-MOST SUBQUERY
--         SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=?)
--       UNION ALL
--         SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=?)
--       UNION ALL
--         SEARCH tasks USING INDEX tasks_leased (scope=?)
--   USE TEMP B-TREE FOR GROUP BY
--   USE TEMP B-TREE FOR ORDER BY
SELECT tasks.queue, tasks.project_id IS NOT NULL AS child, count(*) AS tasks
FROM (
  SELECT queue_counts.scope, counter.key AS queue
  FROM queue_counts, json_each(queue_counts.counts) AS counter
  WHERE queue_counts.scope = coalesce(:scope, (SELECT scope FROM flows WHERE name = :name))
    AND counter.value > 0
    AND counter.key NOT IN (SELECT value FROM json_each(:unharmed))
) AS harmful
CROSS JOIN tasks ON tasks.id IN (
  SELECT *
  FROM (
    SELECT id
    FROM tasks INDEXED BY tasks_ready
    WHERE scope = harmful.scope
      AND queue = harmful.queue
      AND claimed_by IS NULL
      AND blocked_by IS NULL
      AND available_at IS NULL
      AND queue <> 'done'
  )
  UNION ALL
  SELECT *
  FROM (
    SELECT id
    FROM tasks INDEXED BY tasks_waiting
    WHERE scope = harmful.scope
      AND queue = harmful.queue
      AND claimed_by IS NULL
      AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
  )
  UNION ALL
  SELECT *
  FROM (
    SELECT id
    FROM tasks INDEXED BY tasks_leased
    WHERE scope = harmful.scope AND queue = harmful.queue AND claimed_by IS NOT NULL
  )
)
WHERE tasks.flow = :name
GROUP BY tasks.queue, child
ORDER BY tasks.queue;

-- raised
-- 253 characters, 2 parameters, 2 rows read, 1 row written
--   SEARCH flows USING PRIMARY KEY (scope=? AND name=?)
--   SCALAR SUBQUERY 1
--     SEARCH flows USING COVERING INDEX flows_named (name=?)
INSERT INTO queue_counts (scope, counts, revision)
SELECT scope, '{}', 1
FROM flows
WHERE name = :name
  AND scope = coalesce(:scope, (SELECT max(scope) FROM flows WHERE name = :name HAVING count(*) = 1))
ON CONFLICT (scope)
DO UPDATE SET revision = revision + 1;

-- deleted
-- 129 characters, 2 parameters, 2 rows read, 1 row written
--   SEARCH flows USING PRIMARY KEY (scope=? AND name=?)
--   SCALAR SUBQUERY 1
--     SEARCH flows USING COVERING INDEX flows_named (name=?)
DELETE
FROM flows
WHERE name = :name
  AND scope = coalesce(:scope, (SELECT max(scope) FROM flows WHERE name = :name HAVING count(*) = 1));

-- ======== Sent in special cases only ========

-- found  (names the scope)
-- 60 characters, 2 parameters, 1 row read, 0 rows written
--   SEARCH flows USING PRIMARY KEY (scope=? AND name=?)
SELECT *
FROM flows
WHERE scope = :scope AND name = :name
LIMIT 2;
