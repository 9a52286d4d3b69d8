-- GET /api/v1/scheduler/poll
-- 1 round trip, 5 statements: 1,386 characters, 9 parameters, 4 rows read, 0 rows written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- rows
-- 988 characters, 3 parameters, 1 row read, 0 rows written
--   CO-ROUTINE (subquery-7)
--     CO-ROUTINE (subquery-6)
--       COMPOUND QUERY
--         LEFT-MOST SUBQUERY
--           SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=?)
--         UNION ALL
--           SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=?)
--         UNION ALL
--           SEARCH tasks USING INDEX tasks_leased (scope=?)
--     SCAN (subquery-6)
--     USE TEMP B-TREE FOR ORDER BY
--   SCAN (subquery-7)
SELECT id, iif(heavy, NULL, hooks) AS hooks, pr_number, iif(heavy, NULL, claimed_by) AS claimed_by, heavy
FROM (
  SELECT *, 80 + coalesce(octet_length(hooks), 0) + coalesce(octet_length(claimed_by), 0) > :share AS heavy
  FROM (
    SELECT id, hooks, pr_number, claimed_by
    FROM (
      SELECT *
      FROM (
        SELECT id, hooks, pr_number, claimed_by, created_at
        FROM tasks INDEXED BY tasks_ready
        WHERE scope = :scope
          AND queue = 'provisional'
          AND claimed_by IS NULL
          AND blocked_by IS NULL
          AND available_at IS NULL
          AND queue <> 'done'
      )
      UNION ALL
      SELECT *
      FROM (
        SELECT id, hooks, pr_number, claimed_by, created_at
        FROM tasks INDEXED BY tasks_waiting
        WHERE scope = :scope
          AND queue = 'provisional'
          AND claimed_by IS NULL
          AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
      )
      UNION ALL
      SELECT *
      FROM (
        SELECT id, hooks, pr_number, claimed_by, created_at
        FROM tasks INDEXED BY tasks_leased
        WHERE scope = :scope AND queue = 'provisional' AND claimed_by IS NOT NULL
      )
    )
    ORDER BY created_at, id
    LIMIT :take
  )
);

-- machine
-- 62 characters, 2 parameters, 0 rows read, 0 rows written
--   SEARCH orchestrators USING PRIMARY KEY (id=? AND scope=?)
SELECT scope
FROM orchestrators
WHERE id = :machine AND scope = :scope;

-- counts
-- 49 characters, 1 parameter, 1 row read, 0 rows written
--   SEARCH queue_counts USING PRIMARY KEY (scope=?)
SELECT counts
FROM queue_counts
WHERE scope = :scope;

-- flows
-- 72 characters, 1 parameter, 0 rows read, 0 rows written
--   SEARCH flows USING PRIMARY KEY (scope=?)
SELECT name, states
FROM flows
WHERE scope = :scope
ORDER BY name
LIMIT 100;

-- revision
-- 215 characters, 2 parameters, 2 rows read, 0 rows written
--   MATERIALIZE machine
--     SCAN CONSTANT ROW
--     SCALAR SUBQUERY 1
--       SEARCH orchestrators USING PRIMARY KEY (id=? AND scope=?)
--   SCAN machine
--   SCALAR SUBQUERY 3
--     SEARCH queue_counts USING PRIMARY KEY (scope=?)
WITH machine AS MATERIALIZED (
  SELECT (SELECT scope FROM orchestrators WHERE id = :machine AND scope = :scope) AS home
)
SELECT home, coalesce((SELECT revision FROM queue_counts WHERE scope = :scope), 0) AS revision
FROM machine;
