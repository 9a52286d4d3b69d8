-- POST /api/v1/actions
-- 1 round trip, 1 statement: 252 characters, 12 parameters, 5 rows read, 5 rows written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- inserted
-- 252 characters, 12 parameters, 5 rows read, 5 rows written
INSERT INTO actions (
  id,
  scope,
  entity_type,
  entity_id,
  action_type,
  label,
  description,
  status,
  proposed_by,
  proposed_at,
  expires_at,
  metadata,
  action_data
)
VALUES (
  :id,
  :scope,
  :entity_type,
  :entity_id,
  :action_type,
  :label,
  :description,
  'proposed',
  :proposed_by,
  :now,
  :expires_at,
  :metadata,
  :action_data
)
RETURNING *;
