-- GET /api/v1/parks
-- 1 round trip, 1 statement: 139 characters, 2 parameters, 1 row read, 0 rows written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- found
-- 139 characters, 2 parameters, 1 row read, 0 rows written
--   SEARCH parked_accounts USING PRIMARY KEY (scope=?)
--   USE TEMP B-TREE FOR ORDER BY
SELECT account, until, task_id, parked_by, parked_at, reason
FROM parked_accounts
WHERE scope = :scope AND until > :now
ORDER BY until, account;
