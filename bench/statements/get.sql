-- GET /api/v1/tasks/:id
-- 1 round trip, 1 statement: 73 characters, 2 parameters, 1 row read, 0 rows written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- task
-- 73 characters, 2 parameters, 1 row read, 0 rows written
--   SEARCH tasks USING PRIMARY KEY (id=?)
SELECT tasks.*
FROM tasks
WHERE id = :id AND (:scope IS NULL OR scope = :scope);

-- ======== Sent in special cases only ========

-- used  (with a key that is seen for the first time)
-- 160 characters, 2 parameters, 1 row read, 1 row written
--   SEARCH api_keys USING PRIMARY KEY (hash=?)
UPDATE api_keys
SET last_used_at = :now
WHERE hash = :hash
  AND (last_used_at IS NULL OR last_used_at <= :now - 3600000)
  AND (expires_at IS NULL OR expires_at > :now);

-- found  (with a key that is seen for the first time)
-- 85 characters, 1 parameter, 1 row read, 0 rows written
--   SEARCH api_keys USING PRIMARY KEY (hash=?)
SELECT id, scope, name, rank, last_used_at, expires_at
FROM api_keys
WHERE hash = :hash;

-- guards  (with a key that is seen for the first time)
-- 136 characters, 3 parameters, 1 row read, 0 rows written
--   SCAN CONSTANT ROW
--   SCALAR SUBQUERY 1
--     SEARCH api_keys USING PRIMARY KEY (hash=?)
SELECT json_extract(
  '{}',
  iif(
    EXISTS (SELECT 1 FROM api_keys WHERE hash = :hash AND (expires_at IS NULL OR expires_at > :now)),
    '$',
    :refused
  )
);
