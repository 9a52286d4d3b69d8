-- GET /api/v1/flows
-- 1 round trip, 1 statement: 488 characters, 3 parameters, 0 rows read, 0 rows written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- rows
-- 488 characters, 3 parameters, 0 rows read, 0 rows written
--   CO-ROUTINE (subquery-1)
--     SEARCH flows USING PRIMARY KEY (scope=?)
--   SCAN (subquery-1)
SELECT name, scope, iif(heavy, NULL, description) AS description, iif(heavy, NULL, states) AS states,
  iif(heavy, NULL, transitions) AS transitions, iif(heavy, NULL, child_flow) AS child_flow, registered_at,
  updated_at, heavy
FROM (
  SELECT *,
    160 + coalesce(octet_length(description), 0) + coalesce(octet_length(states), 0) + coalesce(
      octet_length(transitions), 0
    ) + coalesce(octet_length(child_flow), 0) > :share AS heavy
  FROM (SELECT * FROM flows WHERE scope = :scope ORDER BY name LIMIT :take)
);
