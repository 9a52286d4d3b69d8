-- POST /api/v1/roles/register
-- 1 round trip, 3 statements: 1,347 characters, 8 parameters, 9 rows read, 1 row written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- known
-- 62 characters, 2 parameters, 1 row read, 0 rows written
--   SEARCH orchestrators USING PRIMARY KEY (id=? AND scope=?)
SELECT scope
FROM orchestrators
WHERE id = :id AND scope = :scope;

-- inserted
-- 1,061 characters, 4 parameters, 6 rows read, 1 row written
--   SEARCH orchestrators USING COVERING INDEX orchestrators_of_scope (scope=? AND id=?)
--   SCALAR SUBQUERY 4
--     SEARCH orchestrators USING PRIMARY KEY (id=? AND scope=?)
--     SCALAR SUBQUERY 3
--       SEARCH orchestrators USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 2
--     USE TEMP B-TREE FOR count(DISTINCT)
--     SCAN role VIRTUAL TABLE INDEX 1:
--     CORRELATED SCALAR SUBQUERY 1
--       SEARCH roles USING PRIMARY KEY (scope=? AND name=?)
--   CORRELATED SCALAR SUBQUERY 2
--     USE TEMP B-TREE FOR count(DISTINCT)
--     SCAN role VIRTUAL TABLE INDEX 1:
--     CORRELATED SCALAR SUBQUERY 1
--       SEARCH roles USING PRIMARY KEY (scope=? AND name=?)
--   CORRELATED SCALAR SUBQUERY 6
--     SEARCH roles USING PRIMARY KEY (scope=?)
--   SCAN role VIRTUAL TABLE INDEX 1:
INSERT INTO roles (scope, name, description, claims_from, orchestrator_id, created_at)
SELECT machine.scope, role.value ->> 'name', role.value ->> 'description', role.value ->> 'claims_from', :id,
  :now
FROM (
  SELECT scope,
    (
      SELECT count(DISTINCT role.value ->> 'name')
      FROM json_each(:roles) AS role
      WHERE NOT EXISTS (
        SELECT 1
        FROM roles
        WHERE roles.scope = orchestrators.scope AND name = role.value ->> 'name'
      )
    ) AS added
  FROM orchestrators
  WHERE id = :id
    AND scope = (
      SELECT scope
      FROM orchestrators
      WHERE id = :id
        AND scope = coalesce(
          :scope, (SELECT max(scope) FROM orchestrators WHERE id = :id HAVING count(*) = 1)
        )
    )
) AS machine,
  json_each(:roles) AS role
WHERE iif(added = 0, true, added + (SELECT count(*) FROM roles WHERE roles.scope = machine.scope) <= 200)
ON CONFLICT (scope, name)
DO UPDATE SET description = excluded.description, claims_from = excluded.claims_from,
  orchestrator_id = excluded.orchestrator_id
WHERE roles.description IS NOT excluded.description
  OR roles.claims_from <> excluded.claims_from
  OR roles.orchestrator_id <> excluded.orchestrator_id;

-- found
-- 224 characters, 2 parameters, 2 rows read, 0 rows written
--   SEARCH roles USING PRIMARY KEY (scope=?)
--   SCALAR SUBQUERY 2
--     SEARCH orchestrators USING PRIMARY KEY (id=? AND scope=?)
--     SCALAR SUBQUERY 1
--       SEARCH orchestrators USING PRIMARY KEY (id=?)
SELECT *
FROM roles
WHERE orchestrator_id = :id
  AND scope = (
    SELECT scope
    FROM orchestrators
    WHERE id = :id
      AND scope = coalesce(:scope, (SELECT max(scope) FROM orchestrators WHERE id = :id HAVING count(*) = 1))
  )
ORDER BY name;
