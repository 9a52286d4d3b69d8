-- GET /api/v1/orchestrators
-- 1 round trip, 1 statement: 808 characters, 5 parameters, 2 rows read, 0 rows written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- rows
-- 808 characters, 5 parameters, 2 rows read, 0 rows written
--   CO-ROUTINE (subquery-2)
--     SEARCH orchestrators USING INDEX orchestrators_of_scope (scope=?)
--     LIST SUBQUERY 1
--       SCAN json_each VIRTUAL TABLE INDEX 1:
--       CREATE BLOOM FILTER
--     USE TEMP B-TREE FOR ORDER BY
--   SCAN (subquery-2)
SELECT id, scope, iif(heavy, NULL, cluster) AS cluster, iif(heavy, NULL, machine_id) AS machine_id,
  iif(heavy, NULL, hostname) AS hostname, iif(heavy, NULL, repo_url) AS repo_url,
  iif(heavy, NULL, version) AS version, iif(heavy, NULL, capabilities) AS capabilities, max_agents,
  max_claimed, status, registered_at, last_heartbeat, heavy
FROM (
  SELECT *,
    260 + coalesce(octet_length(cluster), 0) + coalesce(octet_length(machine_id), 0) + coalesce(
      octet_length(hostname), 0
    ) + coalesce(octet_length(repo_url), 0) + coalesce(octet_length(version), 0) + coalesce(
      octet_length(capabilities), 0
    ) > :share AS heavy
  FROM (
    SELECT *
    FROM orchestrators
    WHERE scope = :scope
      AND (:cluster IS NULL OR cluster = :cluster)
      AND (:statuses IS NULL OR status IN (SELECT value FROM json_each(:statuses)))
    ORDER BY last_heartbeat DESC, id, scope
    LIMIT :take
  )
);

-- ======== Sent in special cases only ========

-- rows  (GET /api/v1/orchestrators?offset=0)
-- 787 characters, 5 parameters, 1 row read, 0 rows written
--   CO-ROUTINE (subquery-2)
--     SEARCH orchestrators USING INDEX orchestrators_of_scope (scope=?)
--     LIST SUBQUERY 1
--       SCAN json_each VIRTUAL TABLE INDEX 1:
--       CREATE BLOOM FILTER
--   SCAN (subquery-2)
SELECT id, scope, iif(heavy, NULL, cluster) AS cluster, iif(heavy, NULL, machine_id) AS machine_id,
  iif(heavy, NULL, hostname) AS hostname, iif(heavy, NULL, repo_url) AS repo_url,
  iif(heavy, NULL, version) AS version, iif(heavy, NULL, capabilities) AS capabilities, max_agents,
  max_claimed, status, registered_at, last_heartbeat, heavy
FROM (
  SELECT *,
    260 + coalesce(octet_length(cluster), 0) + coalesce(octet_length(machine_id), 0) + coalesce(
      octet_length(hostname), 0
    ) + coalesce(octet_length(repo_url), 0) + coalesce(octet_length(version), 0) + coalesce(
      octet_length(capabilities), 0
    ) > :share AS heavy
  FROM (
    SELECT *
    FROM orchestrators
    WHERE scope = :scope
      AND (:cluster IS NULL OR cluster = :cluster)
      AND (:statuses IS NULL OR status IN (SELECT value FROM json_each(:statuses)))
    ORDER BY id, scope
    LIMIT :take
  )
);

-- count  (GET /api/v1/orchestrators?offset=0)
-- 162 characters, 3 parameters, 1 row read, 0 rows written
--   SEARCH orchestrators USING INDEX orchestrators_of_scope (scope=?)
--   LIST SUBQUERY 1
--     SCAN json_each VIRTUAL TABLE INDEX 1:
--     CREATE BLOOM FILTER
SELECT count(*) AS total
FROM orchestrators
WHERE scope = :scope
  AND (:cluster IS NULL OR cluster = :cluster)
  AND (:statuses IS NULL OR status IN (SELECT value FROM json_each(:statuses)));
