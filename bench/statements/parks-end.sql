-- DELETE /api/v1/parks/:account
-- 1 round trip, 1 statement: 143 characters, 3 parameters, 2 rows read, 1 row written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- ended
-- 143 characters, 3 parameters, 2 rows read, 1 row written
--   SEARCH parked_accounts USING PRIMARY KEY (scope=? AND account=?)
DELETE
FROM parked_accounts
WHERE scope = :scope AND account = :account AND until > :now
RETURNING account, until, task_id, parked_by, parked_at, reason;
