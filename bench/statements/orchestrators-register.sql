-- POST /api/v1/orchestrators/register
-- 1 round trip, 4 statements: 1,389 characters, 30 parameters, 6 rows read, 4 rows written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- before
-- 59 characters, 2 parameters, 0 rows read, 0 rows written
--   SEARCH orchestrators USING PRIMARY KEY (id=? AND scope=?)
SELECT id
FROM orchestrators
WHERE id = :id AND scope = :scope;

-- raised
-- 311 characters, 5 parameters, 0 rows read, 1 row written
--   SCAN CONSTANT ROW
--   SCALAR SUBQUERY 1
--     SEARCH orchestrators USING PRIMARY KEY (id=? AND scope=?)
INSERT INTO queue_counts (scope, counts, machines_revision)
SELECT :scope, '{}', 1
WHERE NOT EXISTS (
  SELECT 1
  FROM orchestrators
  WHERE id = :id
    AND scope = :scope
    AND (status <> 'offline' OR NOT (:chosen OR cluster = :cluster AND machine_id = :machine_id))
)
ON CONFLICT (scope)
DO UPDATE SET machines_revision = machines_revision + 1;

-- inserted
-- 702 characters, 12 parameters, 2 rows read, 3 rows written
INSERT INTO orchestrators (
  id,
  scope,
  cluster,
  machine_id,
  hostname,
  repo_url,
  version,
  capabilities,
  max_agents,
  max_claimed,
  status,
  registered_at,
  last_heartbeat
)
VALUES (
  :id,
  :scope,
  :cluster,
  :machine_id,
  :hostname,
  :repo_url,
  :version,
  :capabilities,
  :max_agents,
  :max_claimed,
  'active',
  :now,
  :now
)
ON CONFLICT (id, scope)
DO UPDATE SET cluster = excluded.cluster, machine_id = excluded.machine_id, hostname = excluded.hostname,
  repo_url = excluded.repo_url, version = excluded.version, capabilities = excluded.capabilities,
  max_agents = excluded.max_agents, max_claimed = excluded.max_claimed,
  last_heartbeat = excluded.last_heartbeat, status = iif(status = 'maintenance', status, 'active')
WHERE (:chosen OR cluster = :cluster AND machine_id = :machine_id)
RETURNING *;

-- issued
-- 317 characters, 11 parameters, 4 rows read, 0 rows written
--   SEARCH orchestrators EXISTS USING PRIMARY KEY (id=? AND scope=?)
--   SCALAR SUBQUERY 2
--     SEARCH api_keys USING COVERING INDEX api_keys_of_scope (scope=?)
INSERT INTO api_keys (hash, id, scope, name, starts_with, created_by, created_at)
SELECT :hash, :key_id, :scope, :name, :starts_with, :created_by, :created_at
WHERE EXISTS (
  SELECT 1
  FROM orchestrators
  WHERE id = :id AND scope = :scope AND (:chosen OR cluster = :cluster AND machine_id = :machine_id)
)
  AND NOT EXISTS (SELECT 1 FROM api_keys WHERE scope = :scope)
RETURNING id;
