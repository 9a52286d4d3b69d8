-- POST /api/v1/tasks/:id/renew
-- 1 round trip, 6 statements: 5,229 characters, 19 parameters, 28 rows read, 3 rows written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- raised
-- 337 characters, 3 parameters, 5 rows read, 1 row written
--   SEARCH queue_counts USING PRIMARY KEY (scope=?)
--   LIST SUBQUERY 1
--     SCAN asked VIRTUAL TABLE INDEX 1:
--     SEARCH tasks USING PRIMARY KEY (id=?)
UPDATE queue_counts
SET leases_revision = leases_revision + 1
WHERE scope IN (
  SELECT tasks.scope
  FROM json_each(:keys) AS asked
  CROSS JOIN tasks ON tasks.id = asked.value ->> 'task'
  WHERE +claimed_by IS NOT NULL
    AND fencing_token = asked.value ->> 'token'
    AND (:scope IS NULL OR +tasks.scope = :scope)
    AND (:checkpointed = 0 OR NOT tasks.bytes > 1600000)
);

-- recorded
-- 1,132 characters, 4 parameters, 5 rows read, 0 rows written
--   CO-ROUTINE (subquery-6)
--     SCAN asked VIRTUAL TABLE INDEX 1:
--     SEARCH tasks USING PRIMARY KEY (id=?)
--     SEARCH expiry USING PRIMARY KEY (task_id=? AND version=?)
--     CORRELATED SCALAR SUBQUERY 2
--       SEARCH history USING PRIMARY KEY (task_id=?)
--     USE TEMP B-TREE FOR ORDER BY
--   SCAN (subquery-6)
--   CORRELATED SCALAR SUBQUERY 1
--     SEARCH counter USING PRIMARY KEY (scope=?)
--     CORRELATED SCALAR SUBQUERY 5
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
  AND (:checkpointed = 0 OR NOT tasks.bytes > 1600000);

-- reattached
-- 1,201 characters, 2 parameters, 4 rows read, 0 rows written
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

-- renewed
-- 805 characters, 5 parameters, 3 rows read, 2 rows written
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
  AND (:checkpointed = 0 OR NOT tasks.bytes > 1600000);

-- counted
-- 435 characters, 2 parameters, 7 rows read, 0 rows written
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

-- leases
-- 1,319 characters, 3 parameters, 4 rows read, 0 rows written
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

-- ======== Sent in special cases only ========

-- raised  (names the scope)
-- 341 characters, 3 parameters, 2 rows read, 1 row written
--   SEARCH queue_counts USING PRIMARY KEY (scope=?)
--   SCALAR SUBQUERY 1
--     SCAN asked VIRTUAL TABLE INDEX 1:
--     SEARCH tasks USING PRIMARY KEY (id=?)
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
      AND (:checkpointed = 0 OR NOT tasks.bytes > 1600000)
  );

-- usedByTask  (with usage and a session)
-- 723 characters, 4 parameters, 3 rows read, 1 row written
--   SCAN asked VIRTUAL TABLE INDEX 1:
--   SEARCH tasks USING PRIMARY KEY (id=?)
UPDATE tasks
SET cost_usd = min(tasks.cost_usd + asked.value ->> 'cost_usd', 9007199254740991),
  input_tokens = min(tasks.input_tokens + asked.value ->> 'input_tokens', 9007199254740991),
  output_tokens = min(tasks.output_tokens + asked.value ->> 'output_tokens', 9007199254740991),
  cached_tokens = min(tasks.cached_tokens + asked.value ->> 'cached_tokens', 9007199254740991),
  wall_seconds = min(tasks.wall_seconds + asked.value ->> 'wall_seconds', 9007199254740991)
FROM json_each(:used) AS asked
WHERE tasks.id = asked.value ->> 'task'
  AND +claimed_by IS NOT NULL
  AND fencing_token = asked.value ->> 'token'
  AND coalesce(deadline_at > :now, 1)
  AND (:scope IS NULL OR +tasks.scope = :scope)
  AND (:checkpointed = 0 OR NOT tasks.bytes > 1600000);

-- usedByProject  (with usage and a session)
-- 1,147 characters, 4 parameters, 5 rows read, 0 rows written
--   MATERIALIZE used
--     SCAN asked VIRTUAL TABLE INDEX 1:
--     SEARCH tasks USING PRIMARY KEY (id=?)
--     USE TEMP B-TREE FOR GROUP BY
--   SCAN used
--   SEARCH projects USING PRIMARY KEY (id=?)
UPDATE projects
SET cost_usd = min(projects.cost_usd + used.cost_usd, 9007199254740991),
  input_tokens = min(projects.input_tokens + used.input_tokens, 9007199254740991),
  output_tokens = min(projects.output_tokens + used.output_tokens, 9007199254740991),
  cached_tokens = min(projects.cached_tokens + used.cached_tokens, 9007199254740991),
  wall_seconds = min(projects.wall_seconds + used.wall_seconds, 9007199254740991)
FROM (
  SELECT tasks.project_id, tasks.scope, sum(asked.value ->> 'cost_usd') AS cost_usd,
    sum(asked.value ->> 'input_tokens') AS input_tokens,
    sum(asked.value ->> 'output_tokens') AS output_tokens,
    sum(asked.value ->> 'cached_tokens') AS cached_tokens, sum(asked.value ->> 'wall_seconds') AS wall_seconds
  FROM json_each(:used) AS asked
  CROSS JOIN tasks
  WHERE tasks.id = asked.value ->> 'task'
    AND +claimed_by IS NOT NULL
    AND fencing_token = asked.value ->> 'token'
    AND coalesce(deadline_at > :now, 1)
    AND (:scope IS NULL OR +tasks.scope = :scope)
    AND (:checkpointed = 0 OR NOT tasks.bytes > 1600000)
    AND tasks.project_id IS NOT NULL
  GROUP BY tasks.project_id, tasks.scope
) AS used
WHERE projects.id = used.project_id AND projects.scope = used.scope;

-- usedOnDay  (with usage and a session)
-- 2,691 characters, 5 parameters, 13 rows read, 1 row written
--   CO-ROUTINE used
--     CO-ROUTINE (subquery-9)
--       CO-ROUTINE (subquery-16)
--         CO-ROUTINE reported
--           SCAN asked VIRTUAL TABLE INDEX 1:
--           SEARCH tasks USING PRIMARY KEY (id=?)
--           USE TEMP B-TREE FOR GROUP BY
--         SCAN reported
--         CORRELATED SCALAR SUBQUERY 5
--           SEARCH usage USING PRIMARY KEY (scope=? AND day=?)
--         CORRELATED LIST SUBQUERY 4
--           SCAN json_each VIRTUAL TABLE INDEX 1:
--           CORRELATED SCALAR SUBQUERY 5
--             SEARCH usage USING PRIMARY KEY (scope=? AND day=?)
--         CORRELATED LIST SUBQUERY 4
--           SCAN json_each VIRTUAL TABLE INDEX 1:
--           CORRELATED SCALAR SUBQUERY 5
--             SEARCH usage USING PRIMARY KEY (scope=? AND day=?)
--         USE TEMP B-TREE FOR ORDER BY
--       SCAN (subquery-16)
--     SCAN (subquery-9)
--     USE TEMP B-TREE FOR GROUP BY
--     CORRELATED SCALAR SUBQUERY 3
--       SCAN json_each VIRTUAL TABLE INDEX 1:
--   SCAN used
--   USE TEMP B-TREE FOR GROUP BY
--   CORRELATED SCALAR SUBQUERY 1
--     SEARCH usage_caps USING PRIMARY KEY (scope=?)
--   CORRELATED SCALAR SUBQUERY 2
--     SEARCH usage_caps USING PRIMARY KEY (scope=?)
--   CORRELATED SCALAR SUBQUERY 15
--     CO-ROUTINE (subquery-14)
--       CO-ROUTINE (subquery-13)
--         COMPOUND QUERY
--           LEFT-MOST SUBQUERY
--             SCAN json_each VIRTUAL TABLE INDEX 1:
--           UNION ALL
--             SCAN json_each VIRTUAL TABLE INDEX 1:
--       SCAN (subquery-13)
--       USE TEMP B-TREE FOR GROUP BY
--     SCAN (subquery-14)
INSERT INTO usage (
  scope,
  day,
  cost_usd,
  input_tokens,
  output_tokens,
  cached_tokens,
  wall_seconds,
  models,
  max_cost_usd,
  max_tokens
)
SELECT used.scope, :day, sum(cost_usd), sum(input_tokens), sum(output_tokens), sum(cached_tokens),
  sum(wall_seconds),
  json_group_object(model, json_array(cost_usd, input_tokens, output_tokens, cached_tokens, wall_seconds)),
  (SELECT max_cost_usd FROM usage_caps WHERE usage_caps.scope = used.scope),
  (SELECT max_tokens FROM usage_caps WHERE usage_caps.scope = used.scope)
FROM (
  SELECT scope,
    iif(known OR number <= 50 - (SELECT count(*) FROM json_each(stored) WHERE key <> 'other'), model, 'other') AS model,
    sum(cost_usd) AS cost_usd, sum(input_tokens) AS input_tokens, sum(output_tokens) AS output_tokens,
    sum(cached_tokens) AS cached_tokens, sum(wall_seconds) AS wall_seconds
  FROM (
    SELECT *, row_number() OVER (PARTITION BY scope, known ORDER BY model) AS number
    FROM (
      SELECT *, model = 'other' OR model IN (SELECT key FROM json_each(stored)) AS known
      FROM (
        SELECT *,
          coalesce((SELECT models FROM usage WHERE usage.scope = reported.scope AND usage.day = :day), '{}') AS stored
        FROM (
          SELECT tasks.scope, asked.value ->> 'model' AS model, sum(asked.value ->> 'cost_usd') AS cost_usd,
            sum(asked.value ->> 'input_tokens') AS input_tokens,
            sum(asked.value ->> 'output_tokens') AS output_tokens,
            sum(asked.value ->> 'cached_tokens') AS cached_tokens,
            sum(asked.value ->> 'wall_seconds') AS wall_seconds
          FROM json_each(:used) AS asked
          CROSS JOIN tasks
          WHERE tasks.id = asked.value ->> 'task'
            AND +claimed_by IS NOT NULL
            AND fencing_token = asked.value ->> 'token'
            AND coalesce(deadline_at > :now, 1)
            AND (:scope IS NULL OR +tasks.scope = :scope)
            AND (:checkpointed = 0 OR NOT tasks.bytes > 1600000)
          GROUP BY tasks.scope, model
        ) AS reported
      )
    )
  )
  GROUP BY 1, 2
) AS used
WHERE true
GROUP BY used.scope
ON CONFLICT (scope, day)
DO UPDATE SET cost_usd = min(usage.cost_usd + excluded.cost_usd, 9007199254740991),
  input_tokens = min(usage.input_tokens + excluded.input_tokens, 9007199254740991),
  output_tokens = min(usage.output_tokens + excluded.output_tokens, 9007199254740991),
  cached_tokens = min(usage.cached_tokens + excluded.cached_tokens, 9007199254740991),
  wall_seconds = min(usage.wall_seconds + excluded.wall_seconds, 9007199254740991),
  models = (
    SELECT json_group_object(model, json(sums))
    FROM (
      SELECT model,
        json_array(
          min(sum(value ->> 0), 9007199254740991),
          min(sum(value ->> 1), 9007199254740991),
          min(sum(value ->> 2), 9007199254740991),
          min(sum(value ->> 3), 9007199254740991),
          min(sum(value ->> 4), 9007199254740991)
        ) AS sums
      FROM (
        SELECT key AS model, value
        FROM json_each(usage.models)
        UNION ALL
        SELECT key, value
        FROM json_each(excluded.models)
      )
      GROUP BY model
    )
  );

-- sessions  (with usage and a session)
-- 908 characters, 4 parameters, 3 rows read, 1 row written
--   SCAN asked VIRTUAL TABLE INDEX 1:
--   SEARCH tasks USING PRIMARY KEY (id=?)
UPDATE tasks
SET session_url = coalesce(
  asked.value ->> 'session_url', iif(session_token = asked.value ->> 'token', session_url, NULL)
),
  resume_command = coalesce(
    asked.value ->> 'resume_command', iif(session_token = asked.value ->> 'token', resume_command, NULL)
  ),
  session_token = asked.value ->> 'token'
FROM json_each(:sessions) AS asked
WHERE tasks.id = asked.value ->> 'task'
  AND +claimed_by IS NOT NULL
  AND fencing_token = asked.value ->> 'token'
  AND coalesce(deadline_at > :now, 1)
  AND (:scope IS NULL OR +tasks.scope = :scope)
  AND (:checkpointed = 0 OR NOT tasks.bytes > 1600000)
  AND NOT tasks.bytes > 1600000
  AND (
    session_token IS NOT asked.value ->> 'token'
    OR session_url IS NOT coalesce(
      asked.value ->> 'session_url', iif(session_token = asked.value ->> 'token', session_url, NULL)
    )
    OR resume_command IS NOT coalesce(
      asked.value ->> 'resume_command', iif(session_token = asked.value ->> 'token', resume_command, NULL)
    )
  );
