-- POST /api/v1/scopes/:scope/keys
-- 1 round trip, 1 statement: 266 characters, 9 parameters, 2 rows read, 2 rows written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- inserted
-- 266 characters, 9 parameters, 2 rows read, 2 rows written
INSERT INTO api_keys (
  hash, id, scope, name, rank, starts_with, created_by, created_at, expires_at, issued_until
)
VALUES (:hash, :id, :scope, :name, :rank, :starts_with, :created_by, :created_at, :until, :until)
RETURNING id, name, scope, rank, starts_with, created_by, created_at, last_used_at, expires_at;
