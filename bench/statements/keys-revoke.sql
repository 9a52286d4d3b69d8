-- DELETE /api/v1/scopes/:scope/keys/:id
-- 1 round trip, 1 statement: 64 characters, 2 parameters, 2 rows read, 1 row written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- deleted
-- 64 characters, 2 parameters, 2 rows read, 1 row written
--   SEARCH api_keys USING COVERING INDEX api_keys_of_scope (scope=? AND id=?)
DELETE
FROM api_keys
WHERE scope = :scope AND id = :id
RETURNING id;
