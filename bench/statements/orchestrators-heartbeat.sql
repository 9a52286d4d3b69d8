-- POST /api/v1/orchestrators/:id/heartbeat
-- 1 round trip, 3 statements: 702 characters, 4 parameters, 8 rows read, 1 row written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- statusRaised
-- 332 characters, 1 parameter, 1 row read, 0 rows written
--   SEARCH orchestrators USING PRIMARY KEY (id=?)
--   LIST SUBQUERY 1
--     SEARCH orchestrators USING PRIMARY KEY (id=?)
--     USE TEMP B-TREE FOR ORDER BY
INSERT INTO queue_counts (scope, counts, machines_revision)
SELECT DISTINCT scope, '{}', 1
FROM orchestrators
WHERE status = 'offline'
  AND id = :machine
  AND +scope IN (
    SELECT scope
    FROM orchestrators
    WHERE id = :machine
    ORDER BY last_heartbeat DESC, scope
    LIMIT 50
  )
ON CONFLICT (scope)
DO UPDATE SET machines_revision = machines_revision + 1;

-- revived
-- 189 characters, 1 parameter, 2 rows read, 0 rows written
--   SEARCH orchestrators USING PRIMARY KEY (id=?)
--   LIST SUBQUERY 1
--     SEARCH orchestrators USING PRIMARY KEY (id=?)
--     USE TEMP B-TREE FOR ORDER BY
UPDATE orchestrators
SET status = 'active'
WHERE status = 'offline'
  AND id = :machine
  AND +scope IN (
    SELECT scope
    FROM orchestrators
    WHERE id = :machine
    ORDER BY last_heartbeat DESC, scope
    LIMIT 50
  );

-- beat
-- 181 characters, 2 parameters, 5 rows read, 1 row written
--   SEARCH orchestrators USING PRIMARY KEY (id=?)
--   LIST SUBQUERY 1
--     SEARCH orchestrators USING PRIMARY KEY (id=?)
--     USE TEMP B-TREE FOR ORDER BY
UPDATE orchestrators
SET last_heartbeat = :now
WHERE id = :machine
  AND +scope IN (
    SELECT scope
    FROM orchestrators
    WHERE id = :machine
    ORDER BY last_heartbeat DESC, scope
    LIMIT 50
  )
RETURNING *;

-- ======== Sent in special cases only ========

-- raised  (with five leases)
-- 387 characters, 3 parameters, 3 rows read, 1 row written
--   SEARCH queue_counts USING PRIMARY KEY (scope=?)
--   SCALAR SUBQUERY 2
--     SCAN asked VIRTUAL TABLE INDEX 1:
--     SEARCH tasks USING PRIMARY KEY (id=?)
--     SEARCH orchestrators EXISTS USING PRIMARY KEY (id=?)
UPDATE queue_counts
SET leases_revision = leases_revision + 1
WHERE scope = :scope
  AND EXISTS (
    SELECT 1
    FROM json_each(:keys) AS asked
    CROSS JOIN tasks ON tasks.id = asked.value ->> 'task'
    WHERE +claimed_by IS NOT NULL
      AND fencing_token = asked.value ->> 'token'
      AND (:scope IS NULL OR +tasks.scope = :scope)
      AND EXISTS (SELECT 1 FROM orchestrators WHERE id = :machine AND (:scope IS NULL OR scope = :scope))
  );

-- recorded  (with five leases)
-- 1,178 characters, 4 parameters, 13 rows read, 0 rows written
--   CO-ROUTINE (subquery-7)
--     SCAN asked VIRTUAL TABLE INDEX 1:
--     SEARCH tasks USING PRIMARY KEY (id=?)
--     SEARCH expiry USING PRIMARY KEY (task_id=? AND version=?)
--     CORRELATED SCALAR SUBQUERY 2
--       SEARCH history USING PRIMARY KEY (task_id=?)
--     SEARCH orchestrators EXISTS USING PRIMARY KEY (id=?)
--     USE TEMP B-TREE FOR ORDER BY
--   SCAN (subquery-7)
--   CORRELATED SCALAR SUBQUERY 1
--     SEARCH counter USING PRIMARY KEY (scope=?)
--     CORRELATED SCALAR SUBQUERY 6
--       SEARCH history USING COVERING INDEX history_feed (scope=? AND seq>?)
INSERT INTO history (
  task_id, version, scope, seq, event, from_queue, to_queue, actor, reason, grants, at, title, project_id
)
SELECT tasks.id, tasks.version + 1, tasks.scope,
  (SELECT last FROM feed WHERE feed.scope = tasks.scope) + row_number() OVER (PARTITION BY tasks.scope),
  'reattached', tasks.queue, 'claimed', expiry.actor,
  'The holder renewed the lease before anybody else was granted the task.', tasks.grants, :now, tasks.title,
  tasks.project_id
FROM json_each(:keys) AS asked
CROSS JOIN tasks ON tasks.id = asked.value ->> 'task' AND tasks.lapsed_token = asked.value ->> 'token'
CROSS JOIN history AS expiry ON expiry.task_id = tasks.id
  AND expiry.version = (
    SELECT version
    FROM history
    WHERE task_id = tasks.id AND event = 'lease_expired'
    ORDER BY version DESC
    LIMIT 1
  )
WHERE (:scope IS NULL OR +tasks.scope = :scope)
  AND queue <> 'done'
  AND queue <> 'failed'
  AND queue <> 'cancelled'
  AND NOT tasks.bytes > 1600000
  AND coalesce(
    (
      CAST(strftime('%s', (expiry.details ->> '$.deadline_at')) AS INTEGER) * 1000 + CAST(
        substr((expiry.details ->> '$.deadline_at'), 21, 3) AS INTEGER
      )
    ) > :now,
    1
  )
  AND EXISTS (SELECT 1 FROM orchestrators WHERE id = :machine AND (:scope IS NULL OR scope = :scope));

-- reattached  (with five leases)
-- 1,201 characters, 2 parameters, 12 rows read, 0 rows written
--   SCAN asked VIRTUAL TABLE INDEX 1:
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--   CORRELATED SCALAR SUBQUERY 5
--     SEARCH later USING PRIMARY KEY (task_id=? AND version>?)
--   SEARCH expiry USING PRIMARY KEY (task_id=? AND version=?)
--   CORRELATED SCALAR SUBQUERY 1
--     SEARCH history USING PRIMARY KEY (task_id=?)
UPDATE tasks
SET version = planned.version, updated_at = :now, queue = planned.to_queue, lapsed_token = NULL,
  available_at = NULL, failure_reason = NULL, cancel_reason = NULL, needs_intervention = 0,
  completed_at = NULL, claimed_from = tasks.queue, claimed_by = expiry.actor,
  claimed_at = coalesce(
    (
      CAST(strftime('%s', (expiry.details ->> '$.claimed_at')) AS INTEGER) * 1000 + CAST(
        substr((expiry.details ->> '$.claimed_at'), 21, 3) AS INTEGER
      )
    ),
    expiry.at
  ),
  orchestrator_id = expiry.details ->> '$.orchestrator_id',
  lease_seconds = expiry.details ->> '$.lease_seconds',
  deadline_at = (
    CAST(strftime('%s', (expiry.details ->> '$.deadline_at')) AS INTEGER) * 1000 + CAST(
      substr((expiry.details ->> '$.deadline_at'), 21, 3) AS INTEGER
    )
  ),
  lease_expires_at = :now
FROM json_each(:keys) AS asked
CROSS JOIN planned
CROSS JOIN history AS expiry
WHERE tasks.id = asked.value ->> 'task'
  AND tasks.lapsed_token = asked.value ->> 'token'
  AND planned.id = tasks.id
  AND expiry.task_id = tasks.id
  AND expiry.version = (
    SELECT version
    FROM history
    WHERE task_id = tasks.id AND event = 'lease_expired'
    ORDER BY version DESC
    LIMIT 1
  )
RETURNING tasks.id, tasks.scope, tasks.queue, tasks.version, claimed_by, fencing_token;

-- renewed  (with five leases)
-- 851 characters, 5 parameters, 16 rows read, 10 rows written
--   SEARCH orchestrators EXISTS USING PRIMARY KEY (id=?)
--   SCAN asked VIRTUAL TABLE INDEX 1:
--   SEARCH tasks USING PRIMARY KEY (id=?)
UPDATE tasks
SET lease_expires_at = CAST(
  max(
    lease_expires_at,
    min(
      coalesce(deadline_at, 9e15),
      :now + coalesce(asked.value ->> 'millis', lease_seconds * 1000, :default_millis)
    )
  ) AS INTEGER
),
  checkpoint = iif(
    asked.value ->> 'checkpoint' IS NULL OR tasks.bytes > 1600000,
    checkpoint,
    json_set(
      asked.value ->> 'checkpoint',
      '$.version',
      coalesce(checkpoint ->> '$.version', 0) + 1,
      '$.fencing_token',
      asked.value ->> 'token',
      '$.at',
      :now
    )
  ),
  head_commit = coalesce(
    iif(tasks.bytes > 1600000, NULL, asked.value ->> 'checkpoint' ->> '$.head_commit'), head_commit
  )
FROM json_each(:leases) AS asked
WHERE tasks.id = asked.value ->> 'task'
  AND +claimed_by IS NOT NULL
  AND fencing_token = asked.value ->> 'token'
  AND coalesce(deadline_at > :now, 1)
  AND (:scope IS NULL OR +tasks.scope = :scope)
  AND EXISTS (SELECT 1 FROM orchestrators WHERE id = :machine AND (:scope IS NULL OR scope = :scope));

-- statusRaised  (with five leases)
-- 239 characters, 2 parameters, 1 row read, 0 rows written
--   SEARCH orchestrators USING PRIMARY KEY (id=? AND scope=?)
INSERT INTO queue_counts (scope, counts, machines_revision)
SELECT DISTINCT scope, '{}', 1
FROM orchestrators
WHERE status = 'offline' AND id = :machine AND scope = :scope
ON CONFLICT (scope)
DO UPDATE SET machines_revision = machines_revision + 1;

-- revived  (with five leases)
-- 96 characters, 2 parameters, 1 row read, 0 rows written
--   SEARCH orchestrators USING PRIMARY KEY (id=? AND scope=?)
UPDATE orchestrators
SET status = 'active'
WHERE status = 'offline' AND id = :machine AND scope = :scope;

-- beat  (with five leases)
-- 88 characters, 3 parameters, 2 rows read, 1 row written
--   SEARCH orchestrators USING PRIMARY KEY (id=? AND scope=?)
UPDATE orchestrators
SET last_heartbeat = :now
WHERE id = :machine AND scope = :scope
RETURNING *;

-- counted  (with five leases)
-- 435 characters, 2 parameters, 15 rows read, 0 rows written
--   SEARCH counter USING PRIMARY KEY (scope=?)
--   LIST SUBQUERY 1
--     SCAN asked VIRTUAL TABLE INDEX 1:
--     SEARCH tasks USING PRIMARY KEY (id=?)
--   SCAN json_each VIRTUAL TABLE INDEX 1:
--   CORRELATED SCALAR SUBQUERY 5
--     CO-ROUTINE (subquery-6)
--       SEARCH history USING INDEX history_feed (scope=? AND seq>?)
--       SCAN owner VIRTUAL TABLE INDEX 1:
--       USE TEMP B-TREE FOR GROUP BY
--     SCAN (subquery-6)
--   SEARCH queue_counts USING PRIMARY KEY (scope=?)
--   CORRELATED SCALAR SUBQUERY 7
--     CO-ROUTINE (subquery-8)
--       SCAN json_tree VIRTUAL TABLE INDEX 1:
--       USE TEMP B-TREE FOR GROUP BY
--     SCAN (subquery-8)
--   CORRELATED SCALAR SUBQUERY 9
--     CO-ROUTINE (subquery-10)
--       SCAN json_each VIRTUAL TABLE INDEX 1:
--       USE TEMP B-TREE FOR GROUP BY
--     SCAN (subquery-10)
INSERT INTO queue_counts (scope, seq, counts, events, lives)
SELECT owner, seq, counts, events, lives
FROM counts_after AS after
WHERE after.scope IN (
  SELECT tasks.scope
  FROM json_each(:keys) AS asked
  CROSS JOIN tasks ON tasks.id = asked.value ->> 'task' AND tasks.updated_at = :now
)
ON CONFLICT (scope)
DO UPDATE SET revision = revision + 1, seq = excluded.seq, counts = excluded.counts, events = excluded.events,
  lives = excluded.lives;

-- leases  (with five leases)
-- 1,319 characters, 3 parameters, 20 rows read, 0 rows written
--   SCAN asked VIRTUAL TABLE INDEX 1:
--   SEARCH tasks USING PRIMARY KEY (id=?) LEFT-JOIN
--   CORRELATED SCALAR SUBQUERY 1
--     SEARCH tasks USING PRIMARY KEY (id=?)
--     CORRELATED SCALAR SUBQUERY 8
--       SEARCH projects USING PRIMARY KEY (id=?)
--     CORRELATED SCALAR SUBQUERY 9
--       SEARCH usage USING PRIMARY KEY (scope=?)
--     CORRELATED SCALAR SUBQUERY 7
--       SEARCH projects USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 2
--     SEARCH orchestrators USING PRIMARY KEY (id=? AND scope=?)
--   CORRELATED SCALAR SUBQUERY 3
--     SCAN json_each VIRTUAL TABLE INDEX 1:
--     USE TEMP B-TREE FOR ORDER BY
SELECT task AS task, token AS token, held AS held, id AS id, queue AS queue,
  iif(held, NULL, claimed_by) AS claimed_by, iif(held, orchestrator_id, NULL) AS orchestrator_id,
  fencing_token AS fencing_token, lapsed_token AS lapsed_token, lease_expires_at AS lease_expires_at,
  deadline_at AS deadline_at, cancel_requested_at AS cancel_requested_at,
  iif(held, CAST(substr(CAST(cancel_reason AS BLOB), 1, 604) AS TEXT), NULL) AS cancel_reason,
  checkpoint ->> '$.version' AS checkpoint_version, bytes > 1600000 AS oversized,
  iif(held, project_id, NULL) AS project_id,
  iif(held, (SELECT iif(capped_until > :now, cap, NULL) FROM caps WHERE caps.id = lease.id), NULL) AS cap,
  iif(held, (SELECT status FROM orchestrators WHERE id = orchestrator_id AND scope = lease.scope), NULL) AS machine,
  iif(
    held,
    NULL,
    (
      SELECT json_array(json_set(value, '$.actor', NULL, '$.reason', NULL))
      FROM json_each(setbacks)
      WHERE value ->> '$.fencing_token' = token
      ORDER BY key DESC
      LIMIT 1
    )
  ) AS setbacks
FROM (
  SELECT asked.value ->> 'task' AS task, asked.value ->> 'token' AS token,
    coalesce(
      +claimed_by IS NOT NULL AND fencing_token = asked.value ->> 'token' AND coalesce(deadline_at > :now, 1),
      0
    ) AS held,
    tasks.*
  FROM json_each(:keys) AS asked
  LEFT JOIN tasks ON tasks.id = asked.value ->> 'task' AND (:scope IS NULL OR +tasks.scope = :scope)
) AS lease;
