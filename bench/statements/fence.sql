-- GET /api/v1/tasks/:id/fence
-- 1 round trip, 1 statement: 212 characters, 2 parameters, 1 row read, 0 rows written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- found
-- 212 characters, 2 parameters, 1 row read, 0 rows written
--   SEARCH tasks USING PRIMARY KEY (id=?)
SELECT id, queue, claimed_by, fencing_token, lapsed_token, setbacks, lease_expires_at, deadline_at,
  cancel_requested_at, lease_losses, grants, loss_limit
FROM tasks
WHERE id = :id AND (:scope IS NULL OR scope = :scope);
