-- DELETE /api/v1/webhooks/:id
-- 1 round trip, 2 statements: 207 characters, 4 parameters, 4 rows read, 1 row written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- logRemoved
-- 123 characters, 2 parameters, 2 rows read, 0 rows written
--   SEARCH webhook_deliveries USING PRIMARY KEY (webhook_id=?)
--   SCALAR SUBQUERY 1
--     SEARCH webhooks USING PRIMARY KEY (id=?)
DELETE
FROM webhook_deliveries
WHERE webhook_id = (SELECT id FROM webhooks WHERE id = :id AND (:scope IS NULL OR scope = :scope));

-- removed
-- 84 characters, 2 parameters, 2 rows read, 1 row written
--   SEARCH webhooks USING PRIMARY KEY (id=?)
DELETE
FROM webhooks
WHERE id = :id AND (:scope IS NULL OR scope = :scope)
RETURNING scope;
