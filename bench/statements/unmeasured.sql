-- Statements that no case of the budget sends
-- They belong to refusals, repetitions, imports and rare duties of the cron. What they cost is not measured.
-- Written by `npm run statements -- --write`.

-- src/services/access/Keys.ts: issued
-- 397 characters, 5 parameters
--   SEARCH api_keys USING PRIMARY KEY (hash=?)
INSERT INTO idempotency_keys (id, fingerprint, at, answer)
SELECT :key, :fingerprint, :sent,
  '[' || group_concat(
    json_object(
      'id',
      id,
      'name',
      name,
      'scope',
      scope,
      'rank',
      rank,
      'starts_with',
      starts_with,
      'created_by',
      created_by,
      'created_at',
      created_at,
      'last_used_at',
      last_used_at,
      'expires_at',
      expires_at,
      'salt',
      :salt
    ),
    ','
  ) || ']'
FROM api_keys
WHERE changes() > 0 AND hash = :hash
HAVING count(*) > 0;

-- src/services/access/Keys.ts: rotated
-- 517 characters, 10 parameters
--   SEARCH api_keys USING PRIMARY KEY (hash=?)
--   SCALAR SUBQUERY 2
--     SEARCH api_keys USING INDEX api_keys_of_scope (scope=? AND id=?)
--     SCALAR SUBQUERY 1
--       SEARCH api_keys USING INDEX api_keys_of_scope (scope=?)
INSERT INTO idempotency_keys (id, fingerprint, at, answer)
SELECT :key, :fingerprint, :sent,
  '[' || group_concat(
    json_object(
      'id',
      id,
      'name',
      name,
      'salt',
      :salt,
      'until',
      (
        SELECT min(coalesce(expires_at, :overlap_end), :overlap_end)
        FROM api_keys
        WHERE scope = :scope
          AND id = coalesce(
            :asked,
            (
              SELECT max(id)
              FROM api_keys
              WHERE scope = :scope AND id <> :id AND (expires_at IS NULL OR expires_at > :now)
              HAVING count(*) = 1
            )
          )
          AND (expires_at IS NULL OR expires_at > :now)
      )
    ),
    ','
  ) || ']'
FROM api_keys
WHERE changes() > 0 AND hash = :hash
HAVING count(*) > 0;

-- src/services/access/Keys.ts: validKeys
-- 212 characters, 2 parameters
--   SEARCH api_keys USING INDEX api_keys_of_scope (scope=?)
--   SCALAR SUBQUERY 1
--     SEARCH api_keys USING INDEX api_keys_of_scope (scope=?)
SELECT id,
  (SELECT count(*) FROM api_keys WHERE scope = :scope AND (expires_at IS NULL OR expires_at > :now)) AS total
FROM api_keys
WHERE scope = :scope AND (expires_at IS NULL OR expires_at > :now)
ORDER BY id
LIMIT 20;

-- src/services/feed/Webhooks.ts: movedWebhook
-- 643 characters, 4 parameters
--   SEARCH webhooks USING PRIMARY KEY (id=?)
INSERT INTO idempotency_keys (id, fingerprint, at, answer)
SELECT :key, :fingerprint, :sent,
  '[' || group_concat(
    rtrim(
      json_object(
        'id',
        id,
        'scope',
        scope,
        'name',
        name,
        'url',
        url,
        'types',
        types,
        'project_id',
        project_id,
        'template',
        template,
        'position',
        position,
        'enabled',
        disabled_at IS NULL,
        'disabled_at',
        disabled_at,
        'disabled_reason',
        disabled_reason,
        'attempts',
        attempts,
        'failing_since',
        failing_since,
        'next_attempt_at',
        next_attempt_at,
        'delivered_at',
        delivered_at,
        'created_by',
        created_by
      ),
      '}'
    ) || ',' || substr(json_object('created_at', created_at), 2),
    ','
  ) || ']'
FROM webhooks
WHERE changes() > 0 AND id = :id
HAVING count(*) > 0;

-- src/services/feed/Webhooks.ts: registered
-- 656 characters, 5 parameters
--   SEARCH webhooks USING PRIMARY KEY (id=?)
INSERT INTO idempotency_keys (id, fingerprint, at, answer)
SELECT :key, :fingerprint, :sent,
  '[' || group_concat(
    rtrim(
      json_object(
        'id',
        id,
        'scope',
        scope,
        'name',
        name,
        'url',
        url,
        'types',
        types,
        'project_id',
        project_id,
        'template',
        template,
        'position',
        position,
        'enabled',
        disabled_at IS NULL,
        'disabled_at',
        disabled_at,
        'disabled_reason',
        disabled_reason,
        'attempts',
        attempts,
        'failing_since',
        failing_since,
        'next_attempt_at',
        next_attempt_at,
        'delivered_at',
        delivered_at,
        'created_by',
        created_by
      ),
      '}'
    ) || ',' || substr(json_object('created_at', created_at, 'salt', :salt), 2),
    ','
  ) || ']'
FROM webhooks
WHERE changes() > 0 AND id = :id
HAVING count(*) > 0;

-- src/services/feed/Webhooks.ts: tested
-- 410 characters, 4 parameters
--   SEARCH webhook_deliveries USING PRIMARY KEY (webhook_id=?)
--   SCALAR SUBQUERY 1
--     SEARCH webhooks USING PRIMARY KEY (id=?)
INSERT INTO idempotency_keys (id, fingerprint, at, answer)
SELECT :key, :fingerprint, :sent,
  '[' || group_concat(
    json_object(
      'seq',
      seq,
      'event',
      event,
      'at',
      at,
      'attempt',
      attempt,
      'status',
      status,
      'error',
      error,
      'response',
      response,
      'millis',
      millis
    ),
    ','
  ) || ']'
FROM webhook_deliveries
WHERE changes() > 0 AND webhook_id = :id AND number = (SELECT entries FROM webhooks WHERE webhooks.id = :id)
HAVING count(*) > 0;

-- src/services/lease/takeBack.ts: forgetWalk
-- 39 characters, 0 parameters
--   SEARCH sweeps USING PRIMARY KEY (name=?)
DELETE
FROM sweeps
WHERE name = 'stuck';

-- src/services/lease/takeBack.ts: keepWalk
-- 130 characters, 1 parameter
INSERT INTO sweeps (name, position, due_at)
VALUES ('stuck', :walk, 0)
ON CONFLICT (name)
DO UPDATE SET position = excluded.position;

-- src/services/lease/takeBack.ts: readWalk
-- 48 characters, 0 parameters
--   SEARCH sweeps USING PRIMARY KEY (name=?)
SELECT position
FROM sweeps
WHERE name = 'stuck';

-- src/services/machine/Roles.ts: machinesById
-- 55 characters, 1 parameter
--   SEARCH orchestrators USING PRIMARY KEY (id=?)
SELECT scope
FROM orchestrators
WHERE id = :id AND true;

-- src/services/machine/Roles.ts: registered
-- 908 characters, 6 parameters
--   CO-ROUTINE (subquery-3)
--     SEARCH roles USING PRIMARY KEY (scope=?)
--     SCALAR SUBQUERY 2
--       SEARCH orchestrators USING PRIMARY KEY (id=? AND scope=?)
--       SCALAR SUBQUERY 1
--         SEARCH orchestrators USING PRIMARY KEY (id=?)
--     SCALAR SUBQUERY 7
--       SCAN role VIRTUAL TABLE INDEX 1:
--       CORRELATED SCALAR SUBQUERY 6
--         SEARCH roles USING PRIMARY KEY (scope=? AND name=?)
--         SCALAR SUBQUERY 5
--           SEARCH orchestrators USING PRIMARY KEY (id=? AND scope=?)
--           SCALAR SUBQUERY 4
--             SEARCH orchestrators USING PRIMARY KEY (id=?)
--   SCAN (subquery-3)
--   SCALAR SUBQUERY 7
--     SCAN role VIRTUAL TABLE INDEX 1:
--     CORRELATED SCALAR SUBQUERY 6
--       SEARCH roles USING PRIMARY KEY (scope=? AND name=?)
--       SCALAR SUBQUERY 5
--         SEARCH orchestrators USING PRIMARY KEY (id=? AND scope=?)
--         SCALAR SUBQUERY 4
--           SEARCH orchestrators USING PRIMARY KEY (id=?)
INSERT INTO idempotency_keys (id, fingerprint, at, answer)
SELECT :key, :fingerprint, :sent,
  '[' || group_concat(
    json_object(
      'name',
      name,
      'scope',
      scope,
      'description',
      iif(octet_length(description) > 256, NULL, description),
      'claims_from',
      claims_from,
      'orchestrator_id',
      orchestrator_id,
      'created_at',
      created_at,
      'cut',
      octet_length(description) > 256
    ),
    ','
  ) || ']'
FROM (
  SELECT *
  FROM roles
  WHERE orchestrator_id = :id
    AND scope = (
      SELECT scope
      FROM orchestrators
      WHERE id = :id
        AND scope = coalesce(
          :scope, (SELECT max(scope) FROM orchestrators WHERE id = :id HAVING count(*) = 1)
        )
    )
  ORDER BY name
)
WHERE NOT EXISTS (
  SELECT 1
  FROM json_each(:roles) AS role
  WHERE NOT EXISTS (
    SELECT 1
    FROM roles
    WHERE roles.scope = (
      SELECT scope
      FROM orchestrators
      WHERE id = :id
        AND scope = coalesce(
          :scope, (SELECT max(scope) FROM orchestrators WHERE id = :id HAVING count(*) = 1)
        )
    )
      AND name = role.value ->> 'name'
  )
)
HAVING count(*) > 0;

-- src/services/machine/Roles.ts: registered
-- 195 characters, 1 parameter
--   SEARCH roles USING PRIMARY KEY (scope=? AND name=?)
--   LIST SUBQUERY 4
--     SCAN json_each VIRTUAL TABLE INDEX 1:
--     SCALAR SUBQUERY 1
--       SEARCH idempotency_keys USING PRIMARY KEY (id=?)
SELECT name, description
FROM roles
WHERE (scope, name) IN (
  SELECT value ->> 'scope', value ->> 'name'
  FROM json_each((SELECT answer FROM idempotency_keys WHERE id = :key))
  WHERE value ->> 'cut'
);

-- src/services/machine/Scheduler.ts: polls
-- 1,095 characters, 2 parameters
--   CO-ROUTINE (subquery-9)
--     CO-ROUTINE (subquery-11)
--       CO-ROUTINE (subquery-6)
--         COMPOUND QUERY
--           LEFT-MOST SUBQUERY
--             SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=?)
--           UNION ALL
--             SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=?)
--           UNION ALL
--             SEARCH tasks USING INDEX tasks_leased (scope=?)
--       SCAN (subquery-6)
--       USE TEMP B-TREE FOR ORDER BY
--     SCAN (subquery-11)
--   SCAN (subquery-9)
--   USE TEMP B-TREE FOR ORDER BY
SELECT *
FROM (
  SELECT *, sum(row_bytes) OVER so_far AS page_bytes, row_number() OVER so_far AS place
  FROM (
    SELECT *, 80 + coalesce(octet_length(hooks), 0) + coalesce(octet_length(claimed_by), 0) AS row_bytes
    FROM (
      SELECT id, hooks, pr_number, claimed_by
      FROM (
        SELECT *
        FROM (
          SELECT id, hooks, pr_number, claimed_by, created_at
          FROM tasks INDEXED BY tasks_ready
          WHERE scope = :scope
            AND queue = 'provisional'
            AND claimed_by IS NULL
            AND blocked_by IS NULL
            AND available_at IS NULL
            AND queue <> 'done'
        )
        UNION ALL
        SELECT *
        FROM (
          SELECT id, hooks, pr_number, claimed_by, created_at
          FROM tasks INDEXED BY tasks_waiting
          WHERE scope = :scope
            AND queue = 'provisional'
            AND claimed_by IS NULL
            AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
        )
        UNION ALL
        SELECT *
        FROM (
          SELECT id, hooks, pr_number, claimed_by, created_at
          FROM tasks INDEXED BY tasks_leased
          WHERE scope = :scope AND queue = 'provisional' AND claimed_by IS NOT NULL
        )
      )
      ORDER BY created_at, id
      LIMIT :take
    )
  )
  WINDOW so_far AS (ROWS UNBOUNDED PRECEDING)
)
WHERE page_bytes - row_bytes <= 4000000 OR place = 2
ORDER BY place;

-- src/services/machine/Scheduler.ts: polls
-- 1,300 characters, 4 parameters
--   CO-ROUTINE (subquery-10)
--     CO-ROUTINE (subquery-9)
--       COMPOUND QUERY
--         LEFT-MOST SUBQUERY
--           SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=?)
--           SCALAR SUBQUERY 1
--             SEARCH orchestrators USING PRIMARY KEY (id=?)
--             USE TEMP B-TREE FOR ORDER BY
--         UNION ALL
--           SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=?)
--           SCALAR SUBQUERY 4
--             SEARCH orchestrators USING PRIMARY KEY (id=?)
--             USE TEMP B-TREE FOR ORDER BY
--         UNION ALL
--           SEARCH tasks USING INDEX tasks_leased (scope=?)
--           SCALAR SUBQUERY 7
--             SEARCH orchestrators USING PRIMARY KEY (id=?)
--             USE TEMP B-TREE FOR ORDER BY
--     SCAN (subquery-9)
--     USE TEMP B-TREE FOR ORDER BY
--   SCAN (subquery-10)
SELECT id, iif(heavy, NULL, hooks) AS hooks, pr_number, iif(heavy, NULL, claimed_by) AS claimed_by, heavy
FROM (
  SELECT *, 80 + coalesce(octet_length(hooks), 0) + coalesce(octet_length(claimed_by), 0) > :share AS heavy
  FROM (
    SELECT id, hooks, pr_number, claimed_by
    FROM (
      SELECT *
      FROM (
        SELECT id, hooks, pr_number, claimed_by, created_at
        FROM tasks INDEXED BY tasks_ready
        WHERE scope = coalesce(
          (SELECT scope FROM orchestrators WHERE id = :machine ORDER BY last_heartbeat DESC, scope LIMIT 1),
          :fallback
        )
          AND queue = 'provisional'
          AND claimed_by IS NULL
          AND blocked_by IS NULL
          AND available_at IS NULL
          AND queue <> 'done'
      )
      UNION ALL
      SELECT *
      FROM (
        SELECT id, hooks, pr_number, claimed_by, created_at
        FROM tasks INDEXED BY tasks_waiting
        WHERE scope = coalesce(
          (SELECT scope FROM orchestrators WHERE id = :machine ORDER BY last_heartbeat DESC, scope LIMIT 1),
          :fallback
        )
          AND queue = 'provisional'
          AND claimed_by IS NULL
          AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
      )
      UNION ALL
      SELECT *
      FROM (
        SELECT id, hooks, pr_number, claimed_by, created_at
        FROM tasks INDEXED BY tasks_leased
        WHERE scope = coalesce(
          (SELECT scope FROM orchestrators WHERE id = :machine ORDER BY last_heartbeat DESC, scope LIMIT 1),
          :fallback
        )
          AND queue = 'provisional'
          AND claimed_by IS NOT NULL
      )
    )
    ORDER BY created_at, id
    LIMIT :take
  )
);

-- src/services/machine/Scheduler.ts: polls
-- 1,407 characters, 3 parameters
--   CO-ROUTINE (subquery-12)
--     CO-ROUTINE (subquery-14)
--       CO-ROUTINE (subquery-9)
--         COMPOUND QUERY
--           LEFT-MOST SUBQUERY
--             SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=?)
--             SCALAR SUBQUERY 1
--               SEARCH orchestrators USING PRIMARY KEY (id=?)
--               USE TEMP B-TREE FOR ORDER BY
--           UNION ALL
--             SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=?)
--             SCALAR SUBQUERY 4
--               SEARCH orchestrators USING PRIMARY KEY (id=?)
--               USE TEMP B-TREE FOR ORDER BY
--           UNION ALL
--             SEARCH tasks USING INDEX tasks_leased (scope=?)
--             SCALAR SUBQUERY 7
--               SEARCH orchestrators USING PRIMARY KEY (id=?)
--               USE TEMP B-TREE FOR ORDER BY
--       SCAN (subquery-9)
--       USE TEMP B-TREE FOR ORDER BY
--     SCAN (subquery-14)
--   SCAN (subquery-12)
--   USE TEMP B-TREE FOR ORDER BY
SELECT *
FROM (
  SELECT *, sum(row_bytes) OVER so_far AS page_bytes, row_number() OVER so_far AS place
  FROM (
    SELECT *, 80 + coalesce(octet_length(hooks), 0) + coalesce(octet_length(claimed_by), 0) AS row_bytes
    FROM (
      SELECT id, hooks, pr_number, claimed_by
      FROM (
        SELECT *
        FROM (
          SELECT id, hooks, pr_number, claimed_by, created_at
          FROM tasks INDEXED BY tasks_ready
          WHERE scope = coalesce(
            (SELECT scope FROM orchestrators WHERE id = :machine ORDER BY last_heartbeat DESC, scope LIMIT 1),
            :fallback
          )
            AND queue = 'provisional'
            AND claimed_by IS NULL
            AND blocked_by IS NULL
            AND available_at IS NULL
            AND queue <> 'done'
        )
        UNION ALL
        SELECT *
        FROM (
          SELECT id, hooks, pr_number, claimed_by, created_at
          FROM tasks INDEXED BY tasks_waiting
          WHERE scope = coalesce(
            (SELECT scope FROM orchestrators WHERE id = :machine ORDER BY last_heartbeat DESC, scope LIMIT 1),
            :fallback
          )
            AND queue = 'provisional'
            AND claimed_by IS NULL
            AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
        )
        UNION ALL
        SELECT *
        FROM (
          SELECT id, hooks, pr_number, claimed_by, created_at
          FROM tasks INDEXED BY tasks_leased
          WHERE scope = coalesce(
            (SELECT scope FROM orchestrators WHERE id = :machine ORDER BY last_heartbeat DESC, scope LIMIT 1),
            :fallback
          )
            AND queue = 'provisional'
            AND claimed_by IS NOT NULL
        )
      )
      ORDER BY created_at, id
      LIMIT :take
    )
  )
  WINDOW so_far AS (ROWS UNBOUNDED PRECEDING)
)
WHERE page_bytes - row_bytes <= 4000000 OR place = 2
ORDER BY place;

-- src/services/machine/Scheduler.ts: polls
-- 90 characters, 1 parameter
--   SEARCH orchestrators USING PRIMARY KEY (id=?)
--   USE TEMP B-TREE FOR ORDER BY
SELECT scope
FROM orchestrators
WHERE id = :machine
ORDER BY last_heartbeat DESC, scope
LIMIT 1;

-- src/services/machine/Scheduler.ts: polls
-- 153 characters, 2 parameters
--   SEARCH queue_counts USING PRIMARY KEY (scope=?)
--   SCALAR SUBQUERY 1
--     SEARCH orchestrators USING PRIMARY KEY (id=?)
--     USE TEMP B-TREE FOR ORDER BY
SELECT counts
FROM queue_counts
WHERE scope = coalesce(
  (SELECT scope FROM orchestrators WHERE id = :machine ORDER BY last_heartbeat DESC, scope LIMIT 1), :fallback
);

-- src/services/machine/Scheduler.ts: polls
-- 176 characters, 2 parameters
--   SEARCH flows USING PRIMARY KEY (scope=?)
--   SCALAR SUBQUERY 1
--     SEARCH orchestrators USING PRIMARY KEY (id=?)
--     USE TEMP B-TREE FOR ORDER BY
SELECT name, states
FROM flows
WHERE scope = coalesce(
  (SELECT scope FROM orchestrators WHERE id = :machine ORDER BY last_heartbeat DESC, scope LIMIT 1), :fallback
)
ORDER BY name
LIMIT 100;

-- src/services/machine/Scheduler.ts: polls
-- 259 characters, 2 parameters
--   MATERIALIZE machine
--     SCAN CONSTANT ROW
--     SCALAR SUBQUERY 1
--       SEARCH orchestrators USING PRIMARY KEY (id=?)
--       USE TEMP B-TREE FOR ORDER BY
--   SCAN machine
--   CORRELATED SCALAR SUBQUERY 3
--     SEARCH queue_counts USING PRIMARY KEY (scope=?)
WITH machine AS MATERIALIZED (
  SELECT (SELECT scope FROM orchestrators WHERE id = :machine ORDER BY last_heartbeat DESC, scope LIMIT 1) AS home
)
SELECT home,
  coalesce((SELECT revision FROM queue_counts WHERE scope = coalesce(home, :fallback)), 0) AS revision
FROM machine;

-- src/services/machine/heartbeat.ts: statements
-- 517 characters, 5 parameters
--   SEARCH orchestrators USING PRIMARY KEY (id=? AND scope=?)
INSERT INTO idempotency_keys (id, fingerprint, at, answer)
SELECT :key, :fingerprint, :sent,
  '[' || group_concat(
    json_object(
      'id',
      id,
      'scope',
      scope,
      'cluster',
      cluster,
      'machine_id',
      machine_id,
      'hostname',
      hostname,
      'repo_url',
      repo_url,
      'version',
      version,
      'capabilities',
      capabilities,
      'max_agents',
      max_agents,
      'max_claimed',
      max_claimed,
      'status',
      status,
      'registered_at',
      registered_at,
      'last_heartbeat',
      last_heartbeat
    ),
    ','
  ) || ']'
FROM orchestrators
WHERE changes() > 0 AND id = :machine AND scope = :scope
HAVING count(*) > 0;

-- src/services/machine/heartbeat.ts: statements
-- 610 characters, 4 parameters
--   SEARCH orchestrators USING PRIMARY KEY (id=?)
--   LIST SUBQUERY 1
--     SEARCH orchestrators USING PRIMARY KEY (id=?)
--     USE TEMP B-TREE FOR ORDER BY
INSERT INTO idempotency_keys (id, fingerprint, at, answer)
SELECT :key, :fingerprint, :sent,
  '[' || group_concat(
    json_object(
      'id',
      id,
      'scope',
      scope,
      'cluster',
      cluster,
      'machine_id',
      machine_id,
      'hostname',
      hostname,
      'repo_url',
      repo_url,
      'version',
      version,
      'capabilities',
      capabilities,
      'max_agents',
      max_agents,
      'max_claimed',
      max_claimed,
      'status',
      status,
      'registered_at',
      registered_at,
      'last_heartbeat',
      last_heartbeat
    ),
    ','
  ) || ']'
FROM orchestrators
WHERE changes() > 0
  AND id = :machine
  AND +scope IN (
    SELECT scope
    FROM orchestrators
    WHERE id = :machine
    ORDER BY last_heartbeat DESC, scope
    LIMIT 50
  )
HAVING count(*) > 0;

-- src/services/machine/register.ts: registered
-- 542 characters, 10 parameters
--   CO-ROUTINE (subquery-2)
--     SCAN CONSTANT ROW
--   SCAN (subquery-2)
--   SEARCH known USING PRIMARY KEY (id=? AND scope=?) LEFT-JOIN
--   SCALAR SUBQUERY 1
--     SEARCH api_keys USING COVERING INDEX api_keys_of_scope (scope=?)
INSERT INTO idempotency_keys (id, fingerprint, at, answer)
SELECT :key, :fingerprint, :sent,
  '[' || group_concat(
    json_object(
      'created',
      known.id IS NULL,
      'registered_at',
      coalesce(known.registered_at, :now),
      'status',
      iif(known.status = 'maintenance', known.status, 'active'),
      'salt',
      iif(EXISTS (SELECT 1 FROM api_keys WHERE api_keys.scope = :scope), NULL, :salt)
    ),
    ','
  ) || ']'
FROM (SELECT 1)
LEFT JOIN orchestrators AS known ON known.id = :id AND known.scope = :scope
WHERE (known.id IS NULL OR (:chosen OR cluster = :cluster AND machine_id = :machine_id))
HAVING count(*) > 0;

-- src/services/record/Actions.ts: changedAction
-- 1,001 characters, 5 parameters
--   SEARCH actions USING INDEX sqlite_autoindex_actions_1 (id=?)
INSERT INTO idempotency_keys (id, fingerprint, at, answer)
SELECT :key, :fingerprint, :sent,
  '[' || group_concat(
    json_object(
      'id',
      id,
      'entity_type',
      entity_type,
      'entity_id',
      entity_id,
      'action_type',
      action_type,
      'label',
      label,
      'description',
      iif(octet_length(description) > 16384, NULL, description),
      'status',
      status,
      'proposed_by',
      proposed_by,
      'proposed_at',
      proposed_at,
      'executed_at',
      executed_at,
      'result',
      iif(octet_length(result) > 16384, NULL, result),
      'expires_at',
      expires_at,
      'metadata',
      iif(octet_length(metadata) > 16384, NULL, metadata),
      'scope',
      scope,
      'action_data',
      iif(octet_length(action_data) > 16384, NULL, action_data),
      'left_out',
      'actions' || iif(octet_length(description) > 16384, ',description', '') || iif(
        octet_length(metadata) > 16384, ',metadata', ''
      ) || iif(octet_length(action_data) > 16384, ',action_data', '') || iif(
        octet_length(result) > 16384, ',result', ''
      )
    ),
    ','
  ) || ']'
FROM actions
WHERE changes() > 0 AND id = :id AND (:scope IS NULL OR scope = :scope)
HAVING count(*) > 0;

-- src/services/record/Actions.ts: proposed
-- 968 characters, 4 parameters
--   SEARCH actions USING INDEX sqlite_autoindex_actions_1 (id=?)
INSERT INTO idempotency_keys (id, fingerprint, at, answer)
SELECT :key, :fingerprint, :sent,
  '[' || group_concat(
    json_object(
      'id',
      id,
      'entity_type',
      entity_type,
      'entity_id',
      entity_id,
      'action_type',
      action_type,
      'label',
      label,
      'description',
      iif(octet_length(description) > 16384, NULL, description),
      'status',
      status,
      'proposed_by',
      proposed_by,
      'proposed_at',
      proposed_at,
      'executed_at',
      executed_at,
      'result',
      iif(octet_length(result) > 16384, NULL, result),
      'expires_at',
      expires_at,
      'metadata',
      iif(octet_length(metadata) > 16384, NULL, metadata),
      'scope',
      scope,
      'action_data',
      iif(octet_length(action_data) > 16384, NULL, action_data),
      'left_out',
      'actions' || iif(octet_length(description) > 16384, ',description', '') || iif(
        octet_length(metadata) > 16384, ',metadata', ''
      ) || iif(octet_length(action_data) > 16384, ',action_data', '') || iif(
        octet_length(result) > 16384, ',result', ''
      )
    ),
    ','
  ) || ']'
FROM actions
WHERE changes() > 0 AND id = :id
HAVING count(*) > 0;

-- src/services/record/Breakers.ts: closedBreaker
-- 565 characters, 5 parameters
--   SEARCH breakers USING PRIMARY KEY (scope=? AND project_id=?)
--   SEARCH breakers USING INDEX breakers_open (scope=? AND project_id=?) LEFT-JOIN
--   CORRELATED SCALAR SUBQUERY 4
--     SEARCH tasks USING PRIMARY KEY (id=?)
INSERT INTO idempotency_keys (id, fingerprint, at, answer)
SELECT :key, :fingerprint, :sent,
  '[' || group_concat(
    json_object(
      'project_id',
      breakers.project_id,
      'threshold',
      threshold,
      'window_millis',
      window_millis,
      'wait_millis',
      wait_millis,
      'opened_at',
      breakers.opened_at,
      'reason',
      breakers.reason,
      'tripped_by',
      breakers.tripped_by,
      'probes',
      probes,
      'retry_at',
      breakers.retry_at,
      'canary',
      iif(half_open, breakers.canary_task, NULL)
    ),
    ','
  ) || ']'
FROM breakers
LEFT JOIN open_breakers USING (scope, project_id)
WHERE scope = :scope AND project_id = :project_key
HAVING count(*) > 0;

-- src/services/record/Breakers.ts: project
-- 54 characters, 2 parameters
--   SEARCH projects USING PRIMARY KEY (id=?)
SELECT id
FROM projects
WHERE id = :project_key AND scope = :scope;

-- src/services/record/Breakers.ts: removed
-- 59 characters, 2 parameters
--   SEARCH breakers USING PRIMARY KEY (scope=? AND project_id=?)
DELETE
FROM breakers
WHERE scope = :scope AND project_id = :project_key;

-- src/services/record/Drafts.ts: created
-- 480 characters, 3 parameters
--   SEARCH drafts USING INTEGER PRIMARY KEY (rowid=?)
INSERT INTO idempotency_keys (id, fingerprint, at, answer)
SELECT :key, :fingerprint, :sent,
  '[' || group_concat(
    json_object(
      'id',
      id,
      'scope',
      scope,
      'slug',
      slug,
      'title',
      title,
      'status',
      status,
      'author',
      author,
      'domain',
      domain,
      'file_path',
      file_path,
      'linked_task_id',
      linked_task_id,
      'linked_project_id',
      linked_project_id,
      'tags',
      tags,
      'created_at',
      created_at,
      'updated_at',
      updated_at
    ),
    ','
  ) || ']'
FROM drafts
WHERE changes() > 0 AND id = last_insert_rowid()
HAVING count(*) > 0;

-- src/services/record/Projects.ts: tasksByQueue
-- 490 characters, 2 parameters
--   SCAN CONSTANT ROW
--   SCALAR SUBQUERY 3
--     SEARCH projects EXISTS USING PRIMARY KEY (id=?)
--     SCALAR SUBQUERY 1
--       SEARCH projects USING PRIMARY KEY (id=?)
--     SEARCH queue_counts USING PRIMARY KEY (scope=?)
--   SCALAR SUBQUERY 6
--     CO-ROUTINE (subquery-5)
--       SEARCH tasks USING INDEX tasks_project (project_id=?)
--       SCALAR SUBQUERY 4
--         SEARCH projects USING PRIMARY KEY (id=?)
--       USE TEMP B-TREE FOR GROUP BY
--     SCAN (subquery-5)
SELECT coalesce(
  (
    SELECT counts
    FROM queue_counts
    WHERE queue_counts.scope = char(31) || :id
      AND EXISTS (
        SELECT 1
        FROM projects
        WHERE id = :id
          AND projects.scope = (
            SELECT scope
            FROM projects
            WHERE id = :id AND (:scope IS NULL OR scope = :scope)
          )
      )
  ),
  (
    SELECT json_group_object(queue, n)
    FROM (
      SELECT queue, count(*) AS n
      FROM tasks INDEXED BY tasks_project
      WHERE project_id = :id
        AND scope = (SELECT scope FROM projects WHERE id = :id AND (:scope IS NULL OR scope = :scope))
      GROUP BY queue
    )
  )
) AS counts;

-- src/services/record/Usage.ts: models
-- 414 characters, 3 parameters
--   SEARCH usage USING PRIMARY KEY (scope=? AND day>? AND day<?)
--   SCAN json_each VIRTUAL TABLE INDEX 1:
--   USE TEMP B-TREE FOR GROUP BY
SELECT key AS model, min(sum(value ->> 0), 9007199254740991) AS cost_usd,
  min(sum(value ->> 1), 9007199254740991) AS input_tokens,
  min(sum(value ->> 2), 9007199254740991) AS output_tokens,
  min(sum(value ->> 3), 9007199254740991) AS cached_tokens,
  min(sum(value ->> 4), 9007199254740991) AS wall_seconds
FROM usage
CROSS JOIN json_each(models)
WHERE scope = :scope AND day BETWEEN :from_day AND :to_day
GROUP BY key
ORDER BY key;

-- src/services/record/Usage.ts: projects
-- 167 characters, 1 parameter
--   SEARCH projects USING INDEX projects_newest (scope=?)
SELECT id AS project_id, cost_usd, input_tokens, output_tokens, cached_tokens, wall_seconds
FROM projects
WHERE scope = :scope
ORDER BY created_at DESC, id DESC
LIMIT 500;

-- src/services/record/question.ts: kept
-- 524 characters, 4 parameters
--   SEARCH messages USING INDEX sqlite_autoindex_messages_1 (id=?)
INSERT INTO idempotency_keys (id, fingerprint, at, answer)
SELECT :key, :fingerprint, :sent,
  '[' || group_concat(
    json_object(
      'id',
      id,
      'task_id',
      task_id,
      'from_actor',
      from_actor,
      'to_actor',
      to_actor,
      'type',
      type,
      'content',
      iif(octet_length(content) > 16384, NULL, content),
      'status',
      status,
      'created_at',
      created_at,
      'scope',
      scope,
      'parent_message_id',
      parent_message_id,
      'left_out',
      'messages' || iif(octet_length(content) > 16384, ',content', '')
    ),
    ','
  ) || ']'
FROM messages
WHERE changes() > 0 AND id = :message
HAVING count(*) > 0;

-- src/services/task/change/cancel.ts: cancelledBefore
-- 4,532 characters, 8 parameters
--   SEARCH tasks USING PRIMARY KEY (id=?)
INSERT INTO idempotency_keys (id, fingerprint, at, answer)
SELECT :key, :fingerprint, :sent,
  '[' || group_concat(
    rtrim(
      rtrim(
        rtrim(
          rtrim(
            rtrim(
              json_object(
                'id',
                id,
                'scope',
                scope,
                'file_path',
                file_path,
                'title',
                title,
                'queue',
                queue,
                'version',
                version,
                'priority',
                priority,
                'complexity',
                complexity,
                'role',
                role,
                'type',
                type,
                'branch',
                branch,
                'content',
                iif(octet_length(content) > 16384, NULL, content),
                'project_id',
                project_id,
                'draft_id',
                draft_id,
                'blocked_by',
                iif(octet_length(blocked_by) > 16384, NULL, blocked_by),
                'claimed_by',
                claimed_by
              ),
              '}'
            ) || ',' || substr(
              json_object(
                'claimed_at',
                claimed_at,
                'orchestrator_id',
                orchestrator_id,
                'lease_expires_at',
                lease_expires_at,
                'fencing_token',
                fencing_token,
                'deadline_at',
                deadline_at,
                'max_attempt_seconds',
                max_attempt_seconds,
                'cancel_requested_at',
                cancel_requested_at,
                'cancel_reason',
                iif(octet_length(cancel_reason) > 16384, NULL, cancel_reason),
                'available_at',
                available_at,
                'waiting_for_reply',
                waiting_for_reply,
                'external_key',
                external_key,
                'max_attempts',
                max_attempts,
                'max_lease_losses',
                max_lease_losses,
                'max_rejections',
                max_rejections,
                'failure_reason',
                iif(octet_length(failure_reason) > 16384, NULL, failure_reason),
                'terminal',
                terminal
              ),
              2
            ),
            '}'
          ) || ',' || substr(
            json_object(
              'attempt_count',
              attempt_count,
              'rejection_count',
              rejection_count,
              'lease_losses',
              lease_losses,
              'last_rejection_reason',
              iif(octet_length(last_rejection_reason) > 16384, NULL, last_rejection_reason),
              'commits_count',
              commits_count,
              'turns_used',
              turns_used,
              'check_results',
              iif(octet_length(check_results) > 16384, NULL, check_results),
              'execution_notes',
              iif(octet_length(execution_notes) > 16384, NULL, execution_notes),
              'needs_intervention',
              needs_intervention,
              'submitted_at',
              submitted_at,
              'submitted_by',
              submitted_by,
              'submitted_orchestrator_id',
              submitted_orchestrator_id,
              'head_commit',
              head_commit,
              'evidence',
              iif(octet_length(evidence) > 16384, NULL, evidence),
              'session_url',
              session_url,
              'resume_command',
              resume_command
            ),
            2
          ),
          '}'
        ) || ',' || substr(
          json_object(
            'session_token',
            session_token,
            'completed_at',
            completed_at,
            'pr_number',
            pr_number,
            'pr_url',
            pr_url,
            'checks',
            iif(octet_length(checks) > 16384, NULL, checks),
            'staging_url',
            staging_url,
            'plan_id',
            plan_id,
            'has_plan',
            has_plan,
            'auto_accept',
            auto_accept,
            'needs_rebase',
            needs_rebase,
            'needs_breakdown',
            needs_breakdown,
            'last_rebase_attempt_at',
            last_rebase_attempt_at,
            'review_round',
            review_round,
            'hooks',
            iif(octet_length(hooks) > 16384, NULL, hooks),
            'flow',
            flow,
            'flow_overrides',
            iif(octet_length(flow_overrides) > 16384, NULL, flow_overrides)
          ),
          2
        ),
        '}'
      ) || ',' || substr(
        json_object(
          'metadata',
          iif(octet_length(metadata) > 16384, NULL, metadata),
          'cost_usd',
          cost_usd,
          'input_tokens',
          input_tokens,
          'output_tokens',
          output_tokens,
          'cached_tokens',
          cached_tokens,
          'wall_seconds',
          wall_seconds,
          'max_cost_usd',
          max_cost_usd,
          'max_tokens',
          max_tokens,
          'created_at',
          created_at,
          'updated_at',
          updated_at,
          'claimed_from',
          claimed_from,
          'named_holder',
          named_holder,
          'intervention_from',
          intervention_from,
          'grants',
          grants,
          'lease_seconds',
          lease_seconds,
          'checkpoint',
          iif(octet_length(checkpoint) > 16384, NULL, checkpoint)
        ),
        2
      ),
      '}'
    ) || ',' || substr(
      json_object(
        'setbacks',
        iif(octet_length(setbacks) > 16384, NULL, setbacks),
        'lapsed_token',
        lapsed_token,
        'question_id',
        question_id,
        'answers',
        answers,
        'left_out',
        'tasks' || iif(octet_length(content) > 16384, ',content', '') || iif(
          octet_length(execution_notes) > 16384, ',execution_notes', ''
        ) || iif(octet_length(check_results) > 16384, ',check_results', '') || iif(
          octet_length(metadata) > 16384, ',metadata', ''
        ) || iif(octet_length(hooks) > 16384, ',hooks', '') || iif(
          octet_length(checks) > 16384, ',checks', ''
        ) || iif(octet_length(flow_overrides) > 16384, ',flow_overrides', '') || iif(
          octet_length(blocked_by) > 16384, ',blocked_by', ''
        ) || iif(octet_length(last_rejection_reason) > 16384, ',last_rejection_reason', '') || iif(
          octet_length(failure_reason) > 16384, ',failure_reason', ''
        ) || iif(octet_length(cancel_reason) > 16384, ',cancel_reason', '') || iif(
          octet_length(checkpoint) > 16384, ',checkpoint', ''
        ) || iif(octet_length(evidence) > 16384, ',evidence', '') || iif(
          octet_length(setbacks) > 16384, ',setbacks', ''
        )
      ),
      2
    ),
    ','
  ) || ']'
FROM tasks
WHERE id = :id
  AND (:scope IS NULL OR scope = :scope)
  AND (:version IS NULL OR version = :version)
  AND (
    coalesce(fencing_token, lapsed_token) = :token OR (:token IS NULL AND (:lenient OR (claimed_by IS NULL)))
  )
  AND (cancel_requested_at IS NOT NULL OR queue = 'cancelled')
HAVING count(*) > 0;

-- src/services/task/change/cancel.ts: cancelledBefore
-- 692 characters, 7 parameters
--   SEARCH idempotency_keys USING PRIMARY KEY (id=?)
--   SCALAR SUBQUERY 2
--     SEARCH tasks USING PRIMARY KEY (id=?)
--   SCALAR SUBQUERY 1
--     SEARCH tasks USING PRIMARY KEY (id=?)
UPDATE idempotency_keys
SET answer = json_set(
  answer,
  :part,
  json(
    (
      SELECT json_object('id', id, 'queue', queue, 'version', version)
      FROM tasks
      WHERE id = :id
        AND (:scope IS NULL OR scope = :scope)
        AND (:version IS NULL OR version = :version)
        AND (
          coalesce(fencing_token, lapsed_token) = :token
          OR (:token IS NULL AND (:lenient OR (claimed_by IS NULL)))
        )
        AND (cancel_requested_at IS NOT NULL OR queue = 'cancelled')
      LIMIT 1
    )
  )
)
WHERE id = :key
  AND EXISTS (
    SELECT 1
    FROM tasks
    WHERE id = :id
      AND (:scope IS NULL OR scope = :scope)
      AND (:version IS NULL OR version = :version)
      AND (
        coalesce(fencing_token, lapsed_token) = :token
        OR (:token IS NULL AND (:lenient OR (claimed_by IS NULL)))
      )
      AND (cancel_requested_at IS NOT NULL OR queue = 'cancelled')
  );

-- src/services/task/change/hooks.ts: lookAgain
-- 411 characters, 6 parameters
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 1
--     SCAN json_each VIRTUAL TABLE INDEX 1:
--     USE TEMP B-TREE FOR ORDER BY
--   CORRELATED SCALAR SUBQUERY 1
--     SCAN json_each VIRTUAL TABLE INDEX 1:
--     USE TEMP B-TREE FOR ORDER BY
SELECT *, bytes - octet_length(hooks) + hook_bytes AS task_bytes
FROM (
  SELECT *,
    octet_length(
      (
        SELECT json_set(
          iif(json_valid(hooks), hooks, '[]'), fullkey || '.status', :status, fullkey || :field, json(:value)
        )
        FROM json_each(iif(json_valid(hooks), hooks, '[]'))
        WHERE type = 'object' AND value ->> '$.name' = :hook
        ORDER BY key
        LIMIT 1
      )
    ) AS hook_bytes
  FROM tasks
  WHERE id = :id AND (:scope IS NULL OR scope = :scope)
  LIMIT 1
);

-- src/services/task/change/move.ts: requiredEvidence
-- 120 characters, 1 parameter
--   SEARCH projects USING PRIMARY KEY (id=?)
--   SCALAR SUBQUERY 1
--     SEARCH tasks USING PRIMARY KEY (id=?)
SELECT evidence_required AS kinds
FROM projects
WHERE (id, scope) = (SELECT project_id, scope FROM tasks WHERE id = :id);

-- src/services/task/change/patch.ts: projectsCounted
-- 388 characters, 2 parameters
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   SCAN queue_counts
--   SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--   CORRELATED SCALAR SUBQUERY 4
--     SEARCH later USING PRIMARY KEY (task_id=? AND version>?)
--   SCAN json_each VIRTUAL TABLE INDEX 1:
UPDATE queue_counts
SET counts = json_patch(
  counts, json_object(to_queue, nullif(coalesce(counts ->> ('$."' || to_queue || '"'), 0) + step, 0))
)
FROM (
  SELECT to_queue, value ->> 0 AS owner, value ->> 1 AS step
  FROM planned
  CROSS JOIN json_each(
    json_array(json_array(char(31) || project_id, -1), json_array(char(31) || :project, 1))
  )
  WHERE planned.id = :id
) AS moved
WHERE scope = moved.owner;

-- src/services/task/change/remove.ts: deletedTask
-- 312 characters, 4 parameters
--   SEARCH history USING PRIMARY KEY (task_id=? AND version=?)
--   SCALAR SUBQUERY 1
--     SEARCH history USING PRIMARY KEY (task_id=?)
INSERT INTO idempotency_keys (id, fingerprint, at, answer)
SELECT :key, :fingerprint, :sent,
  '[' || group_concat(json_object('id', task_id, 'queue', NULL, 'version', NULL), ',') || ']'
FROM history
WHERE changes() > 0 AND task_id = :id AND version = (SELECT max(version) FROM history WHERE task_id = :id)
HAVING count(*) > 0;

-- src/services/task/change/remove.ts: named
-- 879 characters, 3 parameters
--   CO-ROUTINE (subquery-48)
--     MATERIALIZE failing
--       SETUP
--         CO-ROUTINE (subquery-1)
--           SEARCH dependencies USING PRIMARY KEY (blocker_key=?)
--         SCAN (subquery-1)
--         SEARCH blocker USING PRIMARY KEY (id=?)
--         CORRELATED SCALAR SUBQUERY 10
--           SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--         SEARCH edge USING PRIMARY KEY (blocker_key=?)
--         CORRELATED SCALAR SUBQUERY 11
--           SEARCH other USING PRIMARY KEY (id=?)
--       RECURSIVE STEP
--         SCAN failing
--         SEARCH tasks USING PRIMARY KEY (id=?)
--         CORRELATED SCALAR SUBQUERY 16
--           SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--         CORRELATED SCALAR SUBQUERY 15
--           SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--         SEARCH blocker USING PRIMARY KEY (id=?)
--         SEARCH edge USING PRIMARY KEY (blocker_key=?)
--         CORRELATED SCALAR SUBQUERY 21
--           SEARCH other USING PRIMARY KEY (id=?)
--     SCAN failing
--     SEARCH tasks USING PRIMARY KEY (id=?)
--     CORRELATED SCALAR SUBQUERY 26
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--     CORRELATED SCALAR SUBQUERY 25
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--     CORRELATED SCALAR SUBQUERY 24
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--     CORRELATED SCALAR SUBQUERY 25
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--   SCAN (subquery-48)
--   CORRELATED SCALAR SUBQUERY 4
--     SEARCH counter USING PRIMARY KEY (scope=?)
--     CORRELATED SCALAR SUBQUERY 29
--       SEARCH history USING COVERING INDEX history_feed (scope=? AND seq>?)
--   CORRELATED SCALAR SUBQUERY 6
--     SEARCH edge USING INDEX dependencies_of (task_id=?)
--     SEARCH blocker USING PRIMARY KEY (id=?)
--     CORRELATED SCALAR SUBQUERY 33
--       SEARCH other USING PRIMARY KEY (id=?)
--     CORRELATED SCALAR SUBQUERY 32
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--     LIST SUBQUERY 5
--       SCAN failing
--       CREATE BLOOM FILTER
--     CORRELATED SCALAR SUBQUERY 32
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
WITH RECURSIVE failing (id) AS (
  SELECT task_id
  FROM (SELECT 1 FROM dependencies WHERE blocker_key = :key LIMIT 1)
  CROSS JOIN waits AS touched
  WHERE touched.blocker = :twin AND fails AND queue IN ('failed', 'cancelled')
  UNION
  SELECT task_id
  FROM failing
  CROSS JOIN failable USING (id)
  CROSS JOIN waits ON blocker = id
  WHERE fails
)
INSERT INTO history (
  task_id, version, scope, seq, event, from_queue, to_queue, reason, grants, at, title, project_id
)
SELECT id, version + 1, scope,
  (SELECT last FROM feed WHERE feed.scope = failable.scope) + row_number() OVER (), 'dependency_failed',
  queue, 'failed',
  (
    SELECT min('Blocker ' || blocker || iif(queue = 'cancelled', ' was cancelled.', ' failed.'))
    FROM waits
    WHERE task_id = failable.id AND fails AND (queue IN ('failed', 'cancelled') OR blocker IN failing)
  ),
  grants, :now, title, project_id
FROM failing
CROSS JOIN failable USING (id);

-- src/services/task/claimRefusal.ts: flow
-- 201 characters, 2 parameters
--   SEARCH flows USING PRIMARY KEY (scope=? AND name=?)
--   SCALAR SUBQUERY 1
--     SEARCH every USING PRIMARY KEY (scope=?)
--     SCAN json_each VIRTUAL TABLE INDEX 3:
SELECT rules
FROM flows
WHERE scope = :scope
  AND name = 'default'
  AND NOT EXISTS (
    SELECT 1
    FROM flows AS every
    CROSS JOIN json_each(every.rules, '$.child.states')
    WHERE every.scope = :scope AND value = :queue
  );

-- src/services/task/create.ts: branchOfProject
-- 58 characters, 2 parameters
--   SEARCH projects USING PRIMARY KEY (id=?)
SELECT branch
FROM projects
WHERE id = :project_id AND scope = :scope;

-- src/services/task/create.ts: byId
-- 35 characters, 1 parameter
--   SEARCH tasks USING PRIMARY KEY (id=?)
SELECT id
FROM tasks
WHERE id = :id;

-- src/services/task/create.ts: cascade
-- 1,187 characters, 2 parameters
--   CO-ROUTINE (subquery-68)
--     MATERIALIZE failing
--       SETUP
--         MERGE (UNION)
--           LEFT
--             CO-ROUTINE (subquery-1)
--               MULTI-INDEX OR
--                 INDEX 1
--                   SEARCH dependencies USING PRIMARY KEY (blocker_key=?)
--                 INDEX 2
--                   SEARCH dependencies USING INDEX dependencies_of (task_id=?)
--             SCAN (subquery-1)
--             SEARCH blocker USING PRIMARY KEY (id=?)
--             SCALAR SUBQUERY 2
--               SEARCH tasks USING PRIMARY KEY (id=?)
--               CORRELATED SCALAR SUBQUERY 23
--                 SEARCH history USING PRIMARY KEY (task_id=? AND version=?)
--             CORRELATED SCALAR SUBQUERY 20
--               SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--             SEARCH edge USING PRIMARY KEY (blocker_key=?)
--             CORRELATED SCALAR SUBQUERY 21
--               SEARCH other USING PRIMARY KEY (id=?)
--             USE TEMP B-TREE FOR ORDER BY
--           RIGHT
--             CO-ROUTINE (subquery-4)
--               SEARCH dependencies USING COVERING INDEX dependencies_of (task_id=?)
--             SCAN (subquery-4)
--             SEARCH edge USING INDEX dependencies_of (task_id=?)
--             SCALAR SUBQUERY 5
--               SEARCH tasks USING PRIMARY KEY (id=?)
--               CORRELATED SCALAR SUBQUERY 17
--                 SEARCH history USING PRIMARY KEY (task_id=? AND version=?)
--             SEARCH blocker USING PRIMARY KEY (id=?)
--             CORRELATED SCALAR SUBQUERY 15
--               SEARCH other USING PRIMARY KEY (id=?)
--             CORRELATED SCALAR SUBQUERY 14
--               SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--             USE TEMP B-TREE FOR ORDER BY
--       RECURSIVE STEP
--         SCAN failing
--         SEARCH tasks USING PRIMARY KEY (id=?)
--         CORRELATED SCALAR SUBQUERY 28
--           SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--         CORRELATED SCALAR SUBQUERY 27
--           SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--         SEARCH blocker USING PRIMARY KEY (id=?)
--         SEARCH edge USING PRIMARY KEY (blocker_key=?)
--         CORRELATED SCALAR SUBQUERY 33
--           SEARCH other USING PRIMARY KEY (id=?)
--     SCAN failing
--     SEARCH tasks USING PRIMARY KEY (id=?)
--     CORRELATED SCALAR SUBQUERY 38
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--     CORRELATED SCALAR SUBQUERY 37
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--     CORRELATED SCALAR SUBQUERY 36
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--     CORRELATED SCALAR SUBQUERY 37
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--   SCAN (subquery-68)
--   CORRELATED SCALAR SUBQUERY 8
--     SEARCH counter USING PRIMARY KEY (scope=?)
--     CORRELATED SCALAR SUBQUERY 41
--       SEARCH history USING COVERING INDEX history_feed (scope=? AND seq>?)
--   CORRELATED SCALAR SUBQUERY 10
--     SEARCH edge USING INDEX dependencies_of (task_id=?)
--     SEARCH blocker USING PRIMARY KEY (id=?)
--     CORRELATED SCALAR SUBQUERY 45
--       SEARCH other USING PRIMARY KEY (id=?)
--     CORRELATED SCALAR SUBQUERY 44
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--     LIST SUBQUERY 9
--       SCAN failing
--       CREATE BLOOM FILTER
--     CORRELATED SCALAR SUBQUERY 44
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
WITH RECURSIVE failing (id) AS (
  SELECT task_id
  FROM (SELECT 1 FROM dependencies WHERE blocker_key = replace(:id, 'TASK-', '') OR task_id = :id LIMIT 1)
  CROSS JOIN waits AS touched
  WHERE touched.blocker = (SELECT id FROM unrecorded WHERE id = :id)
    AND fails
    AND queue IN ('failed', 'cancelled')
  UNION
  SELECT waits.task_id
  FROM (SELECT 1 FROM dependencies WHERE task_id = :id LIMIT 1)
  CROSS JOIN waits
  WHERE waits.task_id = (SELECT id FROM unrecorded WHERE id = :id)
    AND fails
    AND waits.queue IN ('failed', 'cancelled')
    AND 1
  UNION
  SELECT task_id
  FROM failing
  CROSS JOIN failable USING (id)
  CROSS JOIN waits ON blocker = id
  WHERE fails
)
INSERT INTO history (
  task_id, version, scope, seq, event, from_queue, to_queue, reason, grants, at, title, project_id
)
SELECT id, version + 1, scope,
  (SELECT last FROM feed WHERE feed.scope = failable.scope) + row_number() OVER (), 'dependency_failed',
  queue, 'failed',
  (
    SELECT min('Blocker ' || blocker || iif(queue = 'cancelled', ' was cancelled.', ' failed.'))
    FROM waits
    WHERE task_id = failable.id AND fails AND (queue IN ('failed', 'cancelled') OR blocker IN failing)
  ),
  grants, :now, title, project_id
FROM failing
CROSS JOIN failable USING (id);

-- src/services/task/create.ts: cascade
-- 518 characters, 2 parameters
--   SEARCH dependencies USING PRIMARY KEY (blocker_key=? AND task_id=? AND blocker_id=?)
--   LIST SUBQUERY 15
--     CO-ROUTINE (subquery-1)
--       MULTI-INDEX OR
--         INDEX 1
--           SEARCH dependencies USING PRIMARY KEY (blocker_key=?)
--         INDEX 2
--           SEARCH dependencies USING INDEX dependencies_of (task_id=?)
--     SCAN (subquery-1)
--     SEARCH blocker USING PRIMARY KEY (id=?)
--     SCALAR SUBQUERY 2
--       SEARCH tasks USING PRIMARY KEY (id=?)
--       CORRELATED SCALAR SUBQUERY 10
--         SEARCH history USING PRIMARY KEY (task_id=? AND version=?)
--     SEARCH edge USING PRIMARY KEY (blocker_key=?)
--   CORRELATED SCALAR SUBQUERY 4
--     SEARCH edge USING INDEX dependencies_of (task_id=? AND blocker_id=?)
--     SEARCH blocker USING PRIMARY KEY (id=?)
--     CORRELATED SCALAR SUBQUERY 13
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--     CORRELATED SCALAR SUBQUERY 13
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
UPDATE dependencies
SET satisfied_at = iif(satisfied_at IS NULL, :now, NULL)
WHERE (blocker_key, task_id, blocker_id) IN (
  SELECT blocker_key, task_id, blocker_id
  FROM (SELECT 1 FROM dependencies WHERE blocker_key = replace(:id, 'TASK-', '') OR task_id = :id LIMIT 1)
  CROSS JOIN waits AS touched
  WHERE touched.blocker = (SELECT id FROM unrecorded WHERE id = :id)
)
  AND (satisfied_at IS NULL) = EXISTS (
    SELECT 1
    FROM waits
    WHERE waits.task_id = dependencies.task_id AND waits.blocker_id = dependencies.blocker_id AND met
  );

-- src/services/task/create.ts: cascade
-- 680 characters, 2 parameters
--   CO-ROUTINE (subquery-19)
--     CO-ROUTINE (subquery-4)
--       CO-ROUTINE (subquery-2)
--         MULTI-INDEX OR
--           INDEX 1
--             SEARCH dependencies USING PRIMARY KEY (blocker_key=?)
--           INDEX 2
--             SEARCH dependencies USING INDEX dependencies_of (task_id=?)
--       SCAN (subquery-2)
--       SEARCH blocker USING PRIMARY KEY (id=?)
--       SCALAR SUBQUERY 3
--         SEARCH tasks USING PRIMARY KEY (id=?)
--         CORRELATED SCALAR SUBQUERY 11
--           SEARCH history USING PRIMARY KEY (task_id=? AND version=?)
--       SEARCH edge USING PRIMARY KEY (blocker_key=?)
--       USE TEMP B-TREE FOR GROUP BY
--       CORRELATED SCALAR SUBQUERY 8
--         SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--       CORRELATED SCALAR SUBQUERY 8
--         SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--     SCAN (subquery-4)
--     SEARCH tasks USING PRIMARY KEY (id=?)
--     CORRELATED SCALAR SUBQUERY 16
--       USE TEMP B-TREE FOR group_concat(ORDER BY)
--       SEARCH dependencies USING INDEX dependencies_of (task_id=?)
--     CORRELATED SCALAR SUBQUERY 13
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--     CORRELATED SCALAR SUBQUERY 16
--       USE TEMP B-TREE FOR group_concat(ORDER BY)
--       SEARCH dependencies USING INDEX dependencies_of (task_id=?)
--     CORRELATED SCALAR SUBQUERY 14
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--   SCAN (subquery-19)
--   CORRELATED SCALAR SUBQUERY 1
--     SEARCH counter USING PRIMARY KEY (scope=?)
--     CORRELATED SCALAR SUBQUERY 18
--       SEARCH history USING COVERING INDEX history_feed (scope=? AND seq>?)
INSERT INTO history (
  task_id, version, scope, seq, event, from_queue, to_queue, reason, grants, at, title, project_id
)
SELECT id, version + 1, scope, (SELECT last FROM feed WHERE feed.scope = task.scope) + row_number() OVER (),
  iif(waits_for IS NULL, 'unblocked', 'blockers_changed'), queue, queue, because, grants, :now, title,
  project_id
FROM (
  SELECT task_id, min(because) AS because
  FROM (SELECT 1 FROM dependencies WHERE blocker_key = replace(:id, 'TASK-', '') OR task_id = :id LIMIT 1)
  CROSS JOIN waits AS touched
  WHERE touched.blocker = (SELECT id FROM unrecorded WHERE id = :id)
  GROUP BY task_id
)
CROSS JOIN foreseen AS task ON id = task_id
WHERE blocked_by IS NOT waits_for;

-- src/services/task/create.ts: cascade
-- 724 characters, 3 parameters
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   LIST SUBQUERY 2
--     CO-ROUTINE (subquery-1)
--       MULTI-INDEX OR
--         INDEX 1
--           SEARCH dependencies USING PRIMARY KEY (blocker_key=?)
--         INDEX 2
--           SEARCH dependencies USING INDEX dependencies_of (task_id=?)
--     SCAN (subquery-1)
--     SEARCH counter USING PRIMARY KEY (scope=?)
--     SEARCH history USING COVERING INDEX history_feed (scope=? AND seq>?)
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   REUSE LIST SUBQUERY 2
--   SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--   CORRELATED SCALAR SUBQUERY 6
--     SEARCH later USING PRIMARY KEY (task_id=? AND version>?)
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 7
--     USE TEMP B-TREE FOR group_concat(ORDER BY)
--     SEARCH dependencies USING INDEX dependencies_of (task_id=?)
--   CORRELATED SCALAR SUBQUERY 8
--     SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
UPDATE tasks
SET version = task.version, queue = task.queue, blocked_by = task.blocked_by, updated_at = task.updated_at,
  lapsed_token = task.lapsed_token, available_at = task.available_at, completed_at = task.completed_at,
  needs_intervention = task.needs_intervention, failure_reason = task.failure_reason
FROM following AS task
WHERE task.id = tasks.id
  AND tasks.id IN (
    SELECT plans.task_id
    FROM (SELECT 1 FROM dependencies WHERE blocker_key = replace(:id, 'TASK-', '') OR task_id = :id LIMIT 1)
    CROSS JOIN plans
    WHERE plans.scope = :scope
  )
RETURNING id, scope, version, claimed_by, fencing_token, queue,
  iif(
    queue = 'failed' AND updated_at = :now,
    'dependency_failed',
    iif(blocked_by IS NULL, 'unblocked', 'blocked')
  ) AS event;

-- src/services/task/create.ts: created
-- 298 characters, 4 parameters
--   SEARCH idempotency_keys USING PRIMARY KEY (id=?)
--   SCALAR SUBQUERY 2
--     SEARCH tasks USING PRIMARY KEY (id=?)
--   SCALAR SUBQUERY 1
--     SEARCH tasks USING PRIMARY KEY (id=?)
UPDATE idempotency_keys
SET answer = json_set(
  answer,
  :part,
  json(
    (
      SELECT json_object('id', id, 'queue', queue, 'version', version)
      FROM tasks
      WHERE changes() > 0 AND id = :id AND scope = :scope
      LIMIT 1
    )
  )
)
WHERE id = :key AND EXISTS (SELECT 1 FROM tasks WHERE changes() > 0 AND id = :id AND scope = :scope);

-- src/services/task/create.ts: createdAndChanged
-- 4,354 characters, 5 parameters
--   SEARCH tasks USING PRIMARY KEY (id=?)
INSERT INTO idempotency_keys (id, fingerprint, at, answer)
SELECT :key, :fingerprint, :sent,
  iif(
    max(1),
    NULL,
    '[' || group_concat(
      rtrim(
        rtrim(
          rtrim(
            rtrim(
              rtrim(
                json_object(
                  'id',
                  id,
                  'scope',
                  scope,
                  'file_path',
                  file_path,
                  'title',
                  title,
                  'queue',
                  queue,
                  'version',
                  version,
                  'priority',
                  priority,
                  'complexity',
                  complexity,
                  'role',
                  role,
                  'type',
                  type,
                  'branch',
                  branch,
                  'content',
                  iif(octet_length(content) > 16384, NULL, content),
                  'project_id',
                  project_id,
                  'draft_id',
                  draft_id,
                  'blocked_by',
                  iif(octet_length(blocked_by) > 16384, NULL, blocked_by),
                  'claimed_by',
                  claimed_by
                ),
                '}'
              ) || ',' || substr(
                json_object(
                  'claimed_at',
                  claimed_at,
                  'orchestrator_id',
                  orchestrator_id,
                  'lease_expires_at',
                  lease_expires_at,
                  'fencing_token',
                  fencing_token,
                  'deadline_at',
                  deadline_at,
                  'max_attempt_seconds',
                  max_attempt_seconds,
                  'cancel_requested_at',
                  cancel_requested_at,
                  'cancel_reason',
                  iif(octet_length(cancel_reason) > 16384, NULL, cancel_reason),
                  'available_at',
                  available_at,
                  'waiting_for_reply',
                  waiting_for_reply,
                  'external_key',
                  external_key,
                  'max_attempts',
                  max_attempts,
                  'max_lease_losses',
                  max_lease_losses,
                  'max_rejections',
                  max_rejections,
                  'failure_reason',
                  iif(octet_length(failure_reason) > 16384, NULL, failure_reason),
                  'terminal',
                  terminal
                ),
                2
              ),
              '}'
            ) || ',' || substr(
              json_object(
                'attempt_count',
                attempt_count,
                'rejection_count',
                rejection_count,
                'lease_losses',
                lease_losses,
                'last_rejection_reason',
                iif(octet_length(last_rejection_reason) > 16384, NULL, last_rejection_reason),
                'commits_count',
                commits_count,
                'turns_used',
                turns_used,
                'check_results',
                iif(octet_length(check_results) > 16384, NULL, check_results),
                'execution_notes',
                iif(octet_length(execution_notes) > 16384, NULL, execution_notes),
                'needs_intervention',
                needs_intervention,
                'submitted_at',
                submitted_at,
                'submitted_by',
                submitted_by,
                'submitted_orchestrator_id',
                submitted_orchestrator_id,
                'head_commit',
                head_commit,
                'evidence',
                iif(octet_length(evidence) > 16384, NULL, evidence),
                'session_url',
                session_url,
                'resume_command',
                resume_command
              ),
              2
            ),
            '}'
          ) || ',' || substr(
            json_object(
              'session_token',
              session_token,
              'completed_at',
              completed_at,
              'pr_number',
              pr_number,
              'pr_url',
              pr_url,
              'checks',
              iif(octet_length(checks) > 16384, NULL, checks),
              'staging_url',
              staging_url,
              'plan_id',
              plan_id,
              'has_plan',
              has_plan,
              'auto_accept',
              auto_accept,
              'needs_rebase',
              needs_rebase,
              'needs_breakdown',
              needs_breakdown,
              'last_rebase_attempt_at',
              last_rebase_attempt_at,
              'review_round',
              review_round,
              'hooks',
              iif(octet_length(hooks) > 16384, NULL, hooks),
              'flow',
              flow,
              'flow_overrides',
              iif(octet_length(flow_overrides) > 16384, NULL, flow_overrides)
            ),
            2
          ),
          '}'
        ) || ',' || substr(
          json_object(
            'metadata',
            iif(octet_length(metadata) > 16384, NULL, metadata),
            'cost_usd',
            cost_usd,
            'input_tokens',
            input_tokens,
            'output_tokens',
            output_tokens,
            'cached_tokens',
            cached_tokens,
            'wall_seconds',
            wall_seconds,
            'max_cost_usd',
            max_cost_usd,
            'max_tokens',
            max_tokens,
            'created_at',
            created_at,
            'updated_at',
            updated_at,
            'claimed_from',
            claimed_from,
            'named_holder',
            named_holder,
            'intervention_from',
            intervention_from,
            'grants',
            grants,
            'lease_seconds',
            lease_seconds,
            'checkpoint',
            iif(octet_length(checkpoint) > 16384, NULL, checkpoint)
          ),
          2
        ),
        '}'
      ) || ',' || substr(
        json_object(
          'setbacks',
          iif(octet_length(setbacks) > 16384, NULL, setbacks),
          'lapsed_token',
          lapsed_token,
          'question_id',
          question_id,
          'answers',
          answers,
          'left_out',
          'tasks' || iif(octet_length(content) > 16384, ',content', '') || iif(
            octet_length(execution_notes) > 16384, ',execution_notes', ''
          ) || iif(octet_length(check_results) > 16384, ',check_results', '') || iif(
            octet_length(metadata) > 16384, ',metadata', ''
          ) || iif(octet_length(hooks) > 16384, ',hooks', '') || iif(
            octet_length(checks) > 16384, ',checks', ''
          ) || iif(octet_length(flow_overrides) > 16384, ',flow_overrides', '') || iif(
            octet_length(blocked_by) > 16384, ',blocked_by', ''
          ) || iif(octet_length(last_rejection_reason) > 16384, ',last_rejection_reason', '') || iif(
            octet_length(failure_reason) > 16384, ',failure_reason', ''
          ) || iif(octet_length(cancel_reason) > 16384, ',cancel_reason', '') || iif(
            octet_length(checkpoint) > 16384, ',checkpoint', ''
          ) || iif(octet_length(evidence) > 16384, ',evidence', '') || iif(
            octet_length(setbacks) > 16384, ',setbacks', ''
          )
        ),
        2
      ),
      ','
    ) || ']'
  )
FROM tasks
WHERE changes() > 0 AND id = :id AND scope = :scope
HAVING count(*) > 0;

-- src/services/task/create.ts: createdAndChanged
-- 4,296 characters, 3 parameters
--   SEARCH idempotency_keys USING PRIMARY KEY (id=?)
--   SCALAR SUBQUERY 1
--     SEARCH tasks USING PRIMARY KEY (id=?)
UPDATE idempotency_keys
SET answer = (
  SELECT '[' || group_concat(
    rtrim(
      rtrim(
        rtrim(
          rtrim(
            rtrim(
              json_object(
                'id',
                id,
                'scope',
                scope,
                'file_path',
                file_path,
                'title',
                title,
                'queue',
                queue,
                'version',
                version,
                'priority',
                priority,
                'complexity',
                complexity,
                'role',
                role,
                'type',
                type,
                'branch',
                branch,
                'content',
                iif(octet_length(content) > 16384, NULL, content),
                'project_id',
                project_id,
                'draft_id',
                draft_id,
                'blocked_by',
                iif(octet_length(blocked_by) > 16384, NULL, blocked_by),
                'claimed_by',
                claimed_by
              ),
              '}'
            ) || ',' || substr(
              json_object(
                'claimed_at',
                claimed_at,
                'orchestrator_id',
                orchestrator_id,
                'lease_expires_at',
                lease_expires_at,
                'fencing_token',
                fencing_token,
                'deadline_at',
                deadline_at,
                'max_attempt_seconds',
                max_attempt_seconds,
                'cancel_requested_at',
                cancel_requested_at,
                'cancel_reason',
                iif(octet_length(cancel_reason) > 16384, NULL, cancel_reason),
                'available_at',
                available_at,
                'waiting_for_reply',
                waiting_for_reply,
                'external_key',
                external_key,
                'max_attempts',
                max_attempts,
                'max_lease_losses',
                max_lease_losses,
                'max_rejections',
                max_rejections,
                'failure_reason',
                iif(octet_length(failure_reason) > 16384, NULL, failure_reason),
                'terminal',
                terminal
              ),
              2
            ),
            '}'
          ) || ',' || substr(
            json_object(
              'attempt_count',
              attempt_count,
              'rejection_count',
              rejection_count,
              'lease_losses',
              lease_losses,
              'last_rejection_reason',
              iif(octet_length(last_rejection_reason) > 16384, NULL, last_rejection_reason),
              'commits_count',
              commits_count,
              'turns_used',
              turns_used,
              'check_results',
              iif(octet_length(check_results) > 16384, NULL, check_results),
              'execution_notes',
              iif(octet_length(execution_notes) > 16384, NULL, execution_notes),
              'needs_intervention',
              needs_intervention,
              'submitted_at',
              submitted_at,
              'submitted_by',
              submitted_by,
              'submitted_orchestrator_id',
              submitted_orchestrator_id,
              'head_commit',
              head_commit,
              'evidence',
              iif(octet_length(evidence) > 16384, NULL, evidence),
              'session_url',
              session_url,
              'resume_command',
              resume_command
            ),
            2
          ),
          '}'
        ) || ',' || substr(
          json_object(
            'session_token',
            session_token,
            'completed_at',
            completed_at,
            'pr_number',
            pr_number,
            'pr_url',
            pr_url,
            'checks',
            iif(octet_length(checks) > 16384, NULL, checks),
            'staging_url',
            staging_url,
            'plan_id',
            plan_id,
            'has_plan',
            has_plan,
            'auto_accept',
            auto_accept,
            'needs_rebase',
            needs_rebase,
            'needs_breakdown',
            needs_breakdown,
            'last_rebase_attempt_at',
            last_rebase_attempt_at,
            'review_round',
            review_round,
            'hooks',
            iif(octet_length(hooks) > 16384, NULL, hooks),
            'flow',
            flow,
            'flow_overrides',
            iif(octet_length(flow_overrides) > 16384, NULL, flow_overrides)
          ),
          2
        ),
        '}'
      ) || ',' || substr(
        json_object(
          'metadata',
          iif(octet_length(metadata) > 16384, NULL, metadata),
          'cost_usd',
          cost_usd,
          'input_tokens',
          input_tokens,
          'output_tokens',
          output_tokens,
          'cached_tokens',
          cached_tokens,
          'wall_seconds',
          wall_seconds,
          'max_cost_usd',
          max_cost_usd,
          'max_tokens',
          max_tokens,
          'created_at',
          created_at,
          'updated_at',
          updated_at,
          'claimed_from',
          claimed_from,
          'named_holder',
          named_holder,
          'intervention_from',
          intervention_from,
          'grants',
          grants,
          'lease_seconds',
          lease_seconds,
          'checkpoint',
          iif(octet_length(checkpoint) > 16384, NULL, checkpoint)
        ),
        2
      ),
      '}'
    ) || ',' || substr(
      json_object(
        'setbacks',
        iif(octet_length(setbacks) > 16384, NULL, setbacks),
        'lapsed_token',
        lapsed_token,
        'question_id',
        question_id,
        'answers',
        answers,
        'left_out',
        'tasks' || iif(octet_length(content) > 16384, ',content', '') || iif(
          octet_length(execution_notes) > 16384, ',execution_notes', ''
        ) || iif(octet_length(check_results) > 16384, ',check_results', '') || iif(
          octet_length(metadata) > 16384, ',metadata', ''
        ) || iif(octet_length(hooks) > 16384, ',hooks', '') || iif(
          octet_length(checks) > 16384, ',checks', ''
        ) || iif(octet_length(flow_overrides) > 16384, ',flow_overrides', '') || iif(
          octet_length(blocked_by) > 16384, ',blocked_by', ''
        ) || iif(octet_length(last_rejection_reason) > 16384, ',last_rejection_reason', '') || iif(
          octet_length(failure_reason) > 16384, ',failure_reason', ''
        ) || iif(octet_length(cancel_reason) > 16384, ',cancel_reason', '') || iif(
          octet_length(checkpoint) > 16384, ',checkpoint', ''
        ) || iif(octet_length(evidence) > 16384, ',evidence', '') || iif(
          octet_length(setbacks) > 16384, ',setbacks', ''
        )
      ),
      2
    ),
    ','
  ) || ']'
  FROM tasks
  WHERE id = :id AND scope = :scope
)
WHERE id = :key AND answer IS NULL;

-- src/services/task/create.ts: createdAndChanged
-- 301 characters, 4 parameters
--   SEARCH idempotency_keys USING PRIMARY KEY (id=?)
--   SCALAR SUBQUERY 2
--     SEARCH tasks USING PRIMARY KEY (id=?)
--   SCALAR SUBQUERY 1
--     SEARCH tasks USING PRIMARY KEY (id=?)
UPDATE idempotency_keys
SET answer = json_set(
  answer,
  :part,
  json(
    (
      SELECT json_object('id', id, 'queue', queue, 'version', version)
      FROM tasks
      WHERE id = :id AND scope = :scope
      LIMIT 1
    )
  )
)
WHERE id = :key
  AND json_type(answer, :part) IS NOT NULL
  AND EXISTS (SELECT 1 FROM tasks WHERE id = :id AND scope = :scope);

-- src/services/task/create.ts: rolesOfScope
-- 54 characters, 1 parameter
--   SEARCH roles USING PRIMARY KEY (scope=?)
SELECT name
FROM roles
WHERE scope = :scope
ORDER BY name;

-- src/services/task/create.ts: rulesOfFlow
-- 56 characters, 2 parameters
--   SEARCH flows USING PRIMARY KEY (scope=? AND name=?)
SELECT rules
FROM flows
WHERE scope = :scope AND name = :flow;

-- src/services/task/explain.ts: asks
-- 638 characters, 6 parameters
--   CO-ROUTINE (subquery-4)
--     SEARCH orchestrators USING PRIMARY KEY (id=? AND scope=?)
--     SCALAR SUBQUERY 3
--       SEARCH tasks USING PRIMARY KEY (id=?)
--   SCAN (subquery-4)
--   SEARCH orchestrators USING PRIMARY KEY (id=? AND scope>? AND scope<?)
--   SCALAR SUBQUERY 2
--     SEARCH tasks USING INDEX tasks_leased (scope=? AND lease_expires_at>?)
--     SCALAR SUBQUERY 1
--       SEARCH tasks USING PRIMARY KEY (id=?)
--   USE TEMP B-TREE FOR ORDER BY
SELECT id, status, last_heartbeat, coalesce(:max_claimed, max_claimed) AS maximum,
  (
    SELECT count(*)
    FROM tasks INDEXED BY tasks_leased
    WHERE claimed_by IS NOT NULL
      AND tasks.scope = (SELECT scope FROM tasks WHERE id = :id AND (:scope IS NULL OR scope = :scope))
      AND queue = 'claimed'
      AND orchestrator_id = :machine
      AND lease_expires_at > :now
  ) AS held
FROM (
  SELECT max(scope) AS own
  FROM orchestrators
  WHERE id = :machine
    AND scope = (SELECT scope FROM tasks WHERE id = :id AND (:scope IS NULL OR scope = :scope))
)
CROSS JOIN orchestrators
WHERE id = :machine AND scope BETWEEN coalesce(:reach, own, '') AND coalesce(:reach, own, char(1114111))
ORDER BY last_heartbeat DESC
LIMIT 1;

-- src/services/task/explain.ts: asks
-- 373 characters, 4 parameters
--   SEARCH roles USING PRIMARY KEY (scope=?)
--   SCALAR SUBQUERY 3
--     CO-ROUTINE (subquery-2)
--       SEARCH orchestrators USING PRIMARY KEY (id=? AND scope=?)
--       SCALAR SUBQUERY 1
--         SEARCH tasks USING PRIMARY KEY (id=?)
--     SCAN (subquery-2)
--     SEARCH orchestrators USING PRIMARY KEY (id=? AND scope>? AND scope<?)
--     USE TEMP B-TREE FOR ORDER BY
SELECT name
FROM roles
WHERE scope = (
  SELECT scope
  FROM (
    SELECT max(scope) AS own
    FROM orchestrators
    WHERE id = :machine
      AND scope = (SELECT scope FROM tasks WHERE id = :id AND (:scope IS NULL OR scope = :scope))
  )
  CROSS JOIN orchestrators
  WHERE id = :machine AND scope BETWEEN coalesce(:reach, own, '') AND coalesce(:reach, own, char(1114111))
  ORDER BY last_heartbeat DESC
  LIMIT 1
)
ORDER BY name;

-- src/services/task/externalKey.ts: asked
-- 85 characters, 2 parameters
--   SCAN CONSTANT ROW
--   SCALAR SUBQUERY 1
--     SEARCH tasks USING PRIMARY KEY (id=?)
SELECT coalesce(:key_of_task, (SELECT external_key FROM tasks WHERE id = :id)) AS external_key;

-- src/services/task/externalKey.ts: holder
-- 249 characters, 2 parameters
--   SEARCH tasks USING COVERING INDEX tasks_external_key (scope=? AND external_key=? AND <expr>=?)
--   SCALAR SUBQUERY 1
--     SEARCH tasks USING PRIMARY KEY (id=?)
--   SCALAR SUBQUERY 2
--     SEARCH tasks USING PRIMARY KEY (id=?)
SELECT id
FROM tasks
WHERE scope = (SELECT scope FROM tasks WHERE id = :id)
  AND external_key = coalesce(:key_of_task, (SELECT external_key FROM tasks WHERE id = :id))
  AND external_key IS NOT NULL
  AND iif(queue IN ('done', 'failed', 'cancelled'), id, '') = '';

-- src/services/task/externalKey.ts: kept
-- 4,434 characters, 5 parameters
--   SEARCH tasks USING INDEX tasks_external_key (scope=? AND external_key=? AND <expr>=?)
INSERT INTO idempotency_keys (id, fingerprint, at, answer)
SELECT :key, :fingerprint, :sent,
  '[' || group_concat(
    rtrim(
      rtrim(
        rtrim(
          rtrim(
            rtrim(
              json_object(
                'id',
                id,
                'scope',
                scope,
                'file_path',
                file_path,
                'title',
                title,
                'queue',
                queue,
                'version',
                version,
                'priority',
                priority,
                'complexity',
                complexity,
                'role',
                role,
                'type',
                type,
                'branch',
                branch,
                'content',
                iif(octet_length(content) > 16384, NULL, content),
                'project_id',
                project_id,
                'draft_id',
                draft_id,
                'blocked_by',
                iif(octet_length(blocked_by) > 16384, NULL, blocked_by),
                'claimed_by',
                claimed_by
              ),
              '}'
            ) || ',' || substr(
              json_object(
                'claimed_at',
                claimed_at,
                'orchestrator_id',
                orchestrator_id,
                'lease_expires_at',
                lease_expires_at,
                'fencing_token',
                fencing_token,
                'deadline_at',
                deadline_at,
                'max_attempt_seconds',
                max_attempt_seconds,
                'cancel_requested_at',
                cancel_requested_at,
                'cancel_reason',
                iif(octet_length(cancel_reason) > 16384, NULL, cancel_reason),
                'available_at',
                available_at,
                'waiting_for_reply',
                waiting_for_reply,
                'external_key',
                external_key,
                'max_attempts',
                max_attempts,
                'max_lease_losses',
                max_lease_losses,
                'max_rejections',
                max_rejections,
                'failure_reason',
                iif(octet_length(failure_reason) > 16384, NULL, failure_reason),
                'terminal',
                terminal
              ),
              2
            ),
            '}'
          ) || ',' || substr(
            json_object(
              'attempt_count',
              attempt_count,
              'rejection_count',
              rejection_count,
              'lease_losses',
              lease_losses,
              'last_rejection_reason',
              iif(octet_length(last_rejection_reason) > 16384, NULL, last_rejection_reason),
              'commits_count',
              commits_count,
              'turns_used',
              turns_used,
              'check_results',
              iif(octet_length(check_results) > 16384, NULL, check_results),
              'execution_notes',
              iif(octet_length(execution_notes) > 16384, NULL, execution_notes),
              'needs_intervention',
              needs_intervention,
              'submitted_at',
              submitted_at,
              'submitted_by',
              submitted_by,
              'submitted_orchestrator_id',
              submitted_orchestrator_id,
              'head_commit',
              head_commit,
              'evidence',
              iif(octet_length(evidence) > 16384, NULL, evidence),
              'session_url',
              session_url,
              'resume_command',
              resume_command
            ),
            2
          ),
          '}'
        ) || ',' || substr(
          json_object(
            'session_token',
            session_token,
            'completed_at',
            completed_at,
            'pr_number',
            pr_number,
            'pr_url',
            pr_url,
            'checks',
            iif(octet_length(checks) > 16384, NULL, checks),
            'staging_url',
            staging_url,
            'plan_id',
            plan_id,
            'has_plan',
            has_plan,
            'auto_accept',
            auto_accept,
            'needs_rebase',
            needs_rebase,
            'needs_breakdown',
            needs_breakdown,
            'last_rebase_attempt_at',
            last_rebase_attempt_at,
            'review_round',
            review_round,
            'hooks',
            iif(octet_length(hooks) > 16384, NULL, hooks),
            'flow',
            flow,
            'flow_overrides',
            iif(octet_length(flow_overrides) > 16384, NULL, flow_overrides)
          ),
          2
        ),
        '}'
      ) || ',' || substr(
        json_object(
          'metadata',
          iif(octet_length(metadata) > 16384, NULL, metadata),
          'cost_usd',
          cost_usd,
          'input_tokens',
          input_tokens,
          'output_tokens',
          output_tokens,
          'cached_tokens',
          cached_tokens,
          'wall_seconds',
          wall_seconds,
          'max_cost_usd',
          max_cost_usd,
          'max_tokens',
          max_tokens,
          'created_at',
          created_at,
          'updated_at',
          updated_at,
          'claimed_from',
          claimed_from,
          'named_holder',
          named_holder,
          'intervention_from',
          intervention_from,
          'grants',
          grants,
          'lease_seconds',
          lease_seconds,
          'checkpoint',
          iif(octet_length(checkpoint) > 16384, NULL, checkpoint)
        ),
        2
      ),
      '}'
    ) || ',' || substr(
      json_object(
        'setbacks',
        iif(octet_length(setbacks) > 16384, NULL, setbacks),
        'lapsed_token',
        lapsed_token,
        'question_id',
        question_id,
        'answers',
        answers,
        'left_out',
        'tasks' || iif(octet_length(content) > 16384, ',content', '') || iif(
          octet_length(execution_notes) > 16384, ',execution_notes', ''
        ) || iif(octet_length(check_results) > 16384, ',check_results', '') || iif(
          octet_length(metadata) > 16384, ',metadata', ''
        ) || iif(octet_length(hooks) > 16384, ',hooks', '') || iif(
          octet_length(checks) > 16384, ',checks', ''
        ) || iif(octet_length(flow_overrides) > 16384, ',flow_overrides', '') || iif(
          octet_length(blocked_by) > 16384, ',blocked_by', ''
        ) || iif(octet_length(last_rejection_reason) > 16384, ',last_rejection_reason', '') || iif(
          octet_length(failure_reason) > 16384, ',failure_reason', ''
        ) || iif(octet_length(cancel_reason) > 16384, ',cancel_reason', '') || iif(
          octet_length(checkpoint) > 16384, ',checkpoint', ''
        ) || iif(octet_length(evidence) > 16384, ',evidence', '') || iif(
          octet_length(setbacks) > 16384, ',setbacks', ''
        ),
        'existing',
        1
      ),
      2
    ),
    ','
  ) || ']'
FROM tasks
WHERE scope = :scope
  AND external_key = :key_of_task
  AND external_key IS NOT NULL
  AND iif(queue IN ('done', 'failed', 'cancelled'), id, '') = ''
HAVING count(*) > 0;

-- src/services/task/externalKey.ts: kept
-- 466 characters, 4 parameters
--   SEARCH idempotency_keys USING PRIMARY KEY (id=?)
--   SCALAR SUBQUERY 2
--     SEARCH tasks USING COVERING INDEX tasks_external_key (scope=? AND external_key=? AND <expr>=?)
--   SCALAR SUBQUERY 1
--     SEARCH tasks USING INDEX tasks_external_key (scope=? AND external_key=? AND <expr>=?)
UPDATE idempotency_keys
SET answer = json_set(
  answer,
  :part,
  json(
    (
      SELECT json_object('id', id, 'queue', queue, 'version', version)
      FROM tasks
      WHERE scope = :scope
        AND external_key = :key_of_task
        AND external_key IS NOT NULL
        AND iif(queue IN ('done', 'failed', 'cancelled'), id, '') = ''
      LIMIT 1
    )
  )
)
WHERE id = :key
  AND EXISTS (
    SELECT 1
    FROM tasks
    WHERE scope = :scope
      AND external_key = :key_of_task
      AND external_key IS NOT NULL
      AND iif(queue IN ('done', 'failed', 'cancelled'), id, '') = ''
  );

-- src/services/task/externalKey.ts: openTask
-- 152 characters, 2 parameters
--   SEARCH tasks USING INDEX tasks_external_key (scope=? AND external_key=? AND <expr>=?)
SELECT *
FROM tasks
WHERE scope = :scope
  AND external_key = :key_of_task
  AND external_key IS NOT NULL
  AND iif(queue IN ('done', 'failed', 'cancelled'), id, '') = '';

-- src/services/task/read.ts: historyTotal
-- 90 characters, 2 parameters
--   SEARCH history USING PRIMARY KEY (task_id=?)
SELECT count(*) AS total
FROM history
WHERE task_id = :id AND (:scope IS NULL OR scope = :scope);

-- src/services/transfer/Export.ts: entries
-- 90 characters, 3 parameters
--   SEARCH history USING PRIMARY KEY (task_id=? AND version>? AND version<?)
SELECT *
FROM history
WHERE task_id = :id AND version BETWEEN :first AND :last
ORDER BY version;

-- src/services/transfer/Export.ts: lookInto
-- 571 characters, 4 parameters
--   MATERIALIZE own
--     SEARCH history USING PRIMARY KEY (task_id=? AND version<?)
--   SCAN own
--   SEARCH history USING PRIMARY KEY (task_id=? AND version>? AND version<?)
--   CORRELATED SCALAR SUBQUERY 2
--     SEARCH history USING PRIMARY KEY (task_id=? AND version<?)
--   USE TEMP B-TREE FOR ORDER BY
WITH own AS MATERIALIZED (
  SELECT max(version) AS last
  FROM history
  WHERE task_id = :id AND version <= coalesce(:until, 9007199254740991) AND (:scope IS NULL OR scope = :scope)
)
SELECT version,
  300 + coalesce(octet_length(actor), 0) + coalesce(octet_length(reason), 0) + coalesce(
    octet_length(details), 0
  ) + coalesce(octet_length(title), 0) AS bytes,
  last
FROM own
CROSS JOIN history
WHERE task_id = :id
  AND version <= last
  AND version > max(
    :after,
    coalesce((SELECT max(version) FROM history WHERE task_id = :id AND version < last AND scope <> :scope), 0)
  )
ORDER BY version
LIMIT 1000;

-- src/sql/lease/Backoff.ts: everywhere
-- 401 characters, 1 parameter
--   CO-ROUTINE (subquery-5)
--     SCAN tasks USING INDEX tasks_backing_off
--   SCAN (subquery-5)
--   CORRELATED SCALAR SUBQUERY 1
--     SEARCH counter USING PRIMARY KEY (scope=?)
--     CORRELATED SCALAR SUBQUERY 4
--       SEARCH history USING COVERING INDEX history_feed (scope=? AND seq>?)
INSERT INTO history (task_id, version, scope, seq, event, from_queue, to_queue, grants, at, title, project_id)
SELECT id, version + 1, scope,
  (SELECT last FROM feed WHERE feed.scope = tasks.scope) + row_number() OVER (PARTITION BY tasks.scope),
  'backoff_ended', queue, queue, grants, :now, title, project_id
FROM tasks INDEXED BY tasks_backing_off
WHERE available_at IS NOT NULL AND available_at <= :now;

-- src/sql/lease/Backoff.ts: everywhere
-- 143 characters, 1 parameter
--   SCAN tasks USING INDEX tasks_backing_off
UPDATE tasks INDEXED BY tasks_backing_off
SET version = version + 1, available_at = NULL
WHERE available_at IS NOT NULL AND available_at <= :now;

-- src/sql/lease/Backoff.ts: inScope
-- 393 characters, 2 parameters
--   CO-ROUTINE (subquery-5)
--     SEARCH tasks USING INDEX tasks_backing_off (scope=? AND available_at>? AND available_at<?)
--   SCAN (subquery-5)
--   CORRELATED SCALAR SUBQUERY 1
--     SEARCH counter USING PRIMARY KEY (scope=?)
--     CORRELATED SCALAR SUBQUERY 4
--       SEARCH history USING COVERING INDEX history_feed (scope=? AND seq>?)
INSERT INTO history (task_id, version, scope, seq, event, from_queue, to_queue, grants, at, title, project_id)
SELECT id, version + 1, scope, (SELECT last FROM feed WHERE feed.scope = tasks.scope) + row_number() OVER (),
  'backoff_ended', queue, queue, grants, :now, title, project_id
FROM tasks INDEXED BY tasks_backing_off
WHERE scope = :scope AND available_at IS NOT NULL AND available_at <= :now;

-- src/sql/lease/Backoff.ts: inScope
-- 159 characters, 2 parameters
--   SEARCH tasks USING INDEX tasks_backing_off (scope=? AND available_at>? AND available_at<?)
UPDATE tasks INDEXED BY tasks_backing_off
SET version = version + 1, available_at = NULL
WHERE scope = :scope AND available_at IS NOT NULL AND available_at <= :now;

-- src/sql/lease/Parked.ts: untilForTask
-- 122 characters, 3 parameters
--   SEARCH parked_accounts USING PRIMARY KEY (scope=? AND account=?)
--   SCALAR SUBQUERY 1
--     SEARCH tasks USING PRIMARY KEY (id=?)
SELECT until
FROM parked_accounts
WHERE scope = (SELECT scope FROM tasks WHERE id = :id) AND account = :account AND until > :now;

-- src/sql/lease/Renewal.ts: answers
-- 1,672 characters, 7 parameters
--   SCAN asked VIRTUAL TABLE INDEX 1:
--   SEARCH tasks USING PRIMARY KEY (id=?) LEFT-JOIN
--   CORRELATED SCALAR SUBQUERY 1
--     SEARCH tasks USING PRIMARY KEY (id=?)
--     CORRELATED SCALAR SUBQUERY 9
--       SEARCH projects USING PRIMARY KEY (id=?)
--     CORRELATED SCALAR SUBQUERY 10
--       SEARCH usage USING PRIMARY KEY (scope=?)
--     CORRELATED SCALAR SUBQUERY 8
--       SEARCH projects USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 2
--     SEARCH orchestrators USING PRIMARY KEY (id=? AND scope=?)
--   CORRELATED SCALAR SUBQUERY 3
--     SCAN json_each VIRTUAL TABLE INDEX 1:
--     USE TEMP B-TREE FOR ORDER BY
--   CORRELATED SCALAR SUBQUERY 4
--     SEARCH counter USING PRIMARY KEY (scope=?)
--     SEARCH history USING COVERING INDEX history_feed (scope=? AND seq>?)
INSERT INTO idempotency_keys (id, fingerprint, at, answer)
SELECT :key, :fingerprint, :sent,
  '[' || group_concat(
    rtrim(
      json_object(
        'task',
        task,
        'token',
        token,
        'held',
        held,
        'id',
        id,
        'queue',
        queue,
        'claimed_by',
        iif(held, NULL, claimed_by),
        'orchestrator_id',
        iif(held, orchestrator_id, NULL),
        'fencing_token',
        fencing_token,
        'lapsed_token',
        lapsed_token,
        'lease_expires_at',
        lease_expires_at,
        'deadline_at',
        deadline_at,
        'cancel_requested_at',
        cancel_requested_at,
        'cancel_reason',
        iif(held, CAST(substr(CAST(cancel_reason AS BLOB), 1, 604) AS TEXT), NULL),
        'checkpoint_version',
        checkpoint ->> '$.version',
        'oversized',
        bytes > 1600000,
        'project_id',
        iif(held, project_id, NULL)
      ),
      '}'
    ) || ',' || substr(
      json_object(
        'cap',
        iif(held, (SELECT iif(capped_until > :now, cap, NULL) FROM caps WHERE caps.id = lease.id), NULL),
        'machine',
        iif(
          held, (SELECT status FROM orchestrators WHERE id = orchestrator_id AND scope = lease.scope), NULL
        ),
        'setbacks',
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
        ),
        'reattached',
        EXISTS (SELECT 1 FROM plans WHERE plans.scope = lease.scope AND plans.task_id = lease.id)
      ),
      2
    ),
    ','
  ) || ']'
FROM (
  SELECT asked.value ->> 'task' AS task, asked.value ->> 'token' AS token,
    coalesce(
      +claimed_by IS NOT NULL AND fencing_token = asked.value ->> 'token' AND coalesce(deadline_at > :now, 1),
      0
    ) AS held,
    tasks.*
  FROM json_each(:keys) AS asked
  LEFT JOIN tasks ON tasks.id = asked.value ->> 'task' AND (:scope IS NULL OR +tasks.scope = :scope)
) AS lease
WHERE changes() > 0 AND held AND (:checkpointed = 0 OR bytes <= 1600000)
HAVING count(*) > 0;

-- src/sql/lease/Renewal.ts: answers
-- 1,635 characters, 6 parameters
--   SCAN asked VIRTUAL TABLE INDEX 1:
--   SEARCH tasks USING PRIMARY KEY (id=?) LEFT-JOIN
--   CORRELATED SCALAR SUBQUERY 1
--     SEARCH tasks USING PRIMARY KEY (id=?)
--     CORRELATED SCALAR SUBQUERY 9
--       SEARCH projects USING PRIMARY KEY (id=?)
--     CORRELATED SCALAR SUBQUERY 10
--       SEARCH usage USING PRIMARY KEY (scope=?)
--     CORRELATED SCALAR SUBQUERY 8
--       SEARCH projects USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 2
--     SEARCH orchestrators USING PRIMARY KEY (id=? AND scope=?)
--   CORRELATED SCALAR SUBQUERY 3
--     SCAN json_each VIRTUAL TABLE INDEX 1:
--     USE TEMP B-TREE FOR ORDER BY
--   CORRELATED SCALAR SUBQUERY 4
--     SEARCH counter USING PRIMARY KEY (scope=?)
--     SEARCH history USING COVERING INDEX history_feed (scope=? AND seq>?)
INSERT INTO idempotency_keys (id, fingerprint, at, answer)
SELECT :key, :fingerprint, :sent,
  '[' || group_concat(
    rtrim(
      json_object(
        'task',
        task,
        'token',
        token,
        'held',
        held,
        'id',
        id,
        'queue',
        queue,
        'claimed_by',
        iif(held, NULL, claimed_by),
        'orchestrator_id',
        iif(held, orchestrator_id, NULL),
        'fencing_token',
        fencing_token,
        'lapsed_token',
        lapsed_token,
        'lease_expires_at',
        lease_expires_at,
        'deadline_at',
        deadline_at,
        'cancel_requested_at',
        cancel_requested_at,
        'cancel_reason',
        iif(held, CAST(substr(CAST(cancel_reason AS BLOB), 1, 604) AS TEXT), NULL),
        'checkpoint_version',
        checkpoint ->> '$.version',
        'oversized',
        bytes > 1600000,
        'project_id',
        iif(held, project_id, NULL)
      ),
      '}'
    ) || ',' || substr(
      json_object(
        'cap',
        iif(held, (SELECT iif(capped_until > :now, cap, NULL) FROM caps WHERE caps.id = lease.id), NULL),
        'machine',
        iif(
          held, (SELECT status FROM orchestrators WHERE id = orchestrator_id AND scope = lease.scope), NULL
        ),
        'setbacks',
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
        ),
        'reattached',
        EXISTS (SELECT 1 FROM plans WHERE plans.scope = lease.scope AND plans.task_id = lease.id)
      ),
      2
    ),
    ','
  ) || ']'
FROM (
  SELECT asked.value ->> 'task' AS task, asked.value ->> 'token' AS token,
    coalesce(
      +claimed_by IS NOT NULL AND fencing_token = asked.value ->> 'token' AND coalesce(deadline_at > :now, 1),
      0
    ) AS held,
    tasks.*
  FROM json_each(:keys) AS asked
  LEFT JOIN tasks ON tasks.id = asked.value ->> 'task' AND (:scope IS NULL OR +tasks.scope = :scope)
) AS lease
WHERE changes() > 0 AND 1
HAVING count(*) > 0;

-- src/sql/many/Rehearsal.ts: failing
-- 260 characters, 1 parameter
--   SCAN CONSTANT ROW
--   SCALAR SUBQUERY 1
--     SEARCH idempotency_keys USING PRIMARY KEY (id=?)
SELECT json_extract(
  '{}',
  'rehearsed:' || coalesce(
    (
      SELECT hex(coalesce(answer ->> '$[0].id', '')) || ':' || hex(coalesce(answer ->> '$[0].queue', '')) || ':' || coalesce(
        answer ->> '$[0].version', ''
      )
      FROM idempotency_keys
      WHERE id = :key
    ),
    'nothing'
  ) || ';'
);

-- src/sql/record/ByProject.ts: ofProject
-- 1,316 characters, 2 parameters
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   LIST SUBQUERY 12
--     COMPOUND QUERY
--       LEFT-MOST SUBQUERY
--         SEARCH queue_counts USING PRIMARY KEY (scope=?)
--         SCALAR SUBQUERY 1
--           SEARCH projects USING PRIMARY KEY (id=?)
--         SCAN json_each VIRTUAL TABLE INDEX 1:
--         SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=?)
--       UNION ALL
--         SEARCH queue_counts USING PRIMARY KEY (scope=?)
--         SCALAR SUBQUERY 5
--           SEARCH projects USING PRIMARY KEY (id=?)
--         SCAN json_each VIRTUAL TABLE INDEX 1:
--         SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=?)
--       UNION ALL
--         SEARCH queue_counts USING PRIMARY KEY (scope=?)
--         SCALAR SUBQUERY 9
--           SEARCH projects USING PRIMARY KEY (id=?)
--         SCAN json_each VIRTUAL TABLE INDEX 1:
--         SEARCH tasks USING INDEX tasks_leased (scope=?)
--         REUSE SUBQUERY 9
UPDATE tasks
SET by_project = 1
WHERE id IN (
  SELECT *
  FROM (
    SELECT id
    FROM (
      SELECT scope AS owner, key AS name
      FROM queue_counts
      CROSS JOIN json_each(counts)
      WHERE queue_counts.scope = (
        SELECT scope
        FROM projects
        WHERE id = :id AND (:scope IS NULL OR scope = :scope)
      )
        AND NOT by_project
    ) AS counter
    CROSS JOIN tasks INDEXED BY tasks_ready
    WHERE scope = counter.owner
      AND queue = counter.name
      AND claimed_by IS NULL
      AND blocked_by IS NULL
      AND available_at IS NULL
      AND queue <> 'done'
  )
  UNION ALL
  SELECT *
  FROM (
    SELECT id
    FROM (
      SELECT scope AS owner, key AS name
      FROM queue_counts
      CROSS JOIN json_each(counts)
      WHERE queue_counts.scope = (
        SELECT scope
        FROM projects
        WHERE id = :id AND (:scope IS NULL OR scope = :scope)
      )
        AND NOT by_project
    ) AS counter
    CROSS JOIN tasks INDEXED BY tasks_waiting
    WHERE scope = counter.owner
      AND queue = counter.name
      AND claimed_by IS NULL
      AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
  )
  UNION ALL
  SELECT *
  FROM (
    SELECT id
    FROM (
      SELECT scope AS owner, key AS name
      FROM queue_counts
      CROSS JOIN json_each(counts)
      WHERE queue_counts.scope = (
        SELECT scope
        FROM projects
        WHERE id = :id AND (:scope IS NULL OR scope = :scope)
      )
        AND NOT by_project
    ) AS counter
    CROSS JOIN tasks INDEXED BY tasks_leased
    WHERE scope = counter.owner AND queue = counter.name AND claimed_by IS NOT NULL
  )
);

-- src/sql/record/ByProject.ts: ofProject
-- 161 characters, 2 parameters
--   SEARCH queue_counts USING PRIMARY KEY (scope=?)
--   SCALAR SUBQUERY 1
--     SEARCH projects USING PRIMARY KEY (id=?)
UPDATE queue_counts
SET by_project = 1
WHERE queue_counts.scope = (SELECT scope FROM projects WHERE id = :id AND (:scope IS NULL OR scope = :scope))
  AND NOT by_project;

-- src/sql/record/ByProject.ts: ofScope
-- 1,097 characters, 1 parameter
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   LIST SUBQUERY 9
--     COMPOUND QUERY
--       LEFT-MOST SUBQUERY
--         SEARCH queue_counts USING PRIMARY KEY (scope=?)
--         SCAN json_each VIRTUAL TABLE INDEX 1:
--         SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=?)
--       UNION ALL
--         SEARCH queue_counts USING PRIMARY KEY (scope=?)
--         SCAN json_each VIRTUAL TABLE INDEX 1:
--         SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=?)
--       UNION ALL
--         SEARCH queue_counts USING PRIMARY KEY (scope=?)
--         SCAN json_each VIRTUAL TABLE INDEX 1:
--         SEARCH tasks USING INDEX tasks_leased (scope=?)
UPDATE tasks
SET by_project = 1
WHERE id IN (
  SELECT *
  FROM (
    SELECT id
    FROM (
      SELECT scope AS owner, key AS name
      FROM queue_counts
      CROSS JOIN json_each(counts)
      WHERE queue_counts.scope = :scope AND NOT by_project
    ) AS counter
    CROSS JOIN tasks INDEXED BY tasks_ready
    WHERE scope = counter.owner
      AND queue = counter.name
      AND claimed_by IS NULL
      AND blocked_by IS NULL
      AND available_at IS NULL
      AND queue <> 'done'
  )
  UNION ALL
  SELECT *
  FROM (
    SELECT id
    FROM (
      SELECT scope AS owner, key AS name
      FROM queue_counts
      CROSS JOIN json_each(counts)
      WHERE queue_counts.scope = :scope AND NOT by_project
    ) AS counter
    CROSS JOIN tasks INDEXED BY tasks_waiting
    WHERE scope = counter.owner
      AND queue = counter.name
      AND claimed_by IS NULL
      AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
  )
  UNION ALL
  SELECT *
  FROM (
    SELECT id
    FROM (
      SELECT scope AS owner, key AS name
      FROM queue_counts
      CROSS JOIN json_each(counts)
      WHERE queue_counts.scope = :scope AND NOT by_project
    ) AS counter
    CROSS JOIN tasks INDEXED BY tasks_leased
    WHERE scope = counter.owner AND queue = counter.name AND claimed_by IS NOT NULL
  )
);

-- src/sql/record/ByProject.ts: ofScope
-- 88 characters, 1 parameter
--   SEARCH queue_counts USING PRIMARY KEY (scope=?)
UPDATE queue_counts
SET by_project = 1
WHERE queue_counts.scope = :scope AND NOT by_project;

-- src/sql/upkeep/Retention.ts: messages
-- 1,137 characters, 2 parameters
--   SEARCH messages USING INTEGER PRIMARY KEY (rowid=?)
--   LIST SUBQUERY 1
--     SCAN json_each VIRTUAL TABLE INDEX 1:
--   CORRELATED SCALAR SUBQUERY 2
--     SEARCH reply USING COVERING INDEX messages_replies (parent_message_id=?)
--   CORRELATED SCALAR SUBQUERY 3
--     SEARCH tasks USING PRIMARY KEY (id=?)
--   USE TEMP B-TREE FOR DISTINCT
--   CORRELATED SCALAR SUBQUERY 8
--     SEARCH messages USING INDEX messages_of_scope (scope=? AND rowid=?)
--     LIST SUBQUERY 5
--       SCAN json_each VIRTUAL TABLE INDEX 1:
--     CORRELATED SCALAR SUBQUERY 6
--       SEARCH reply USING COVERING INDEX messages_replies (parent_message_id=?)
--     CORRELATED SCALAR SUBQUERY 7
--       SEARCH tasks USING PRIMARY KEY (id=?)
INSERT INTO queue_counts (scope, counts, messages_revision)
SELECT DISTINCT scope, '{}', 1
FROM messages
WHERE seq IN (SELECT value FROM json_each(:keys))
  AND created_at <= :before
  AND status <> 'processing'
  AND (status = 'done' OR to_actor IS NULL)
  AND NOT EXISTS (SELECT 1 FROM messages AS reply WHERE reply.parent_message_id = messages.id)
  AND NOT EXISTS (
    SELECT 1
    FROM tasks
    WHERE tasks.id = messages.task_id
      AND +tasks.scope = messages.scope
      AND +tasks.queue <> 'done'
      AND +tasks.queue <> 'failed'
      AND +tasks.queue <> 'cancelled'
  )
ON CONFLICT (scope)
DO UPDATE SET messages_revision = messages_revision + 1,
  messages_total = messages_total - (
    SELECT count(*)
    FROM messages
    WHERE seq IN (SELECT value FROM json_each(:keys))
      AND created_at <= :before
      AND status <> 'processing'
      AND (status = 'done' OR to_actor IS NULL)
      AND NOT EXISTS (SELECT 1 FROM messages AS reply WHERE reply.parent_message_id = messages.id)
      AND NOT EXISTS (
        SELECT 1
        FROM tasks
        WHERE tasks.id = messages.task_id
          AND +tasks.scope = messages.scope
          AND +tasks.queue <> 'done'
          AND +tasks.queue <> 'failed'
          AND +tasks.queue <> 'cancelled'
      )
      AND messages.scope = queue_counts.scope
  );

-- src/sql/upkeep/Retention.ts: messages
-- 445 characters, 2 parameters
--   SEARCH messages USING INTEGER PRIMARY KEY (rowid=?)
--   LIST SUBQUERY 1
--     SCAN json_each VIRTUAL TABLE INDEX 1:
--   CORRELATED SCALAR SUBQUERY 2
--     SEARCH reply USING COVERING INDEX messages_replies (parent_message_id=?)
--   CORRELATED SCALAR SUBQUERY 3
--     SEARCH tasks USING PRIMARY KEY (id=?)
DELETE
FROM messages
WHERE seq IN (SELECT value FROM json_each(:keys))
  AND created_at <= :before
  AND status <> 'processing'
  AND (status = 'done' OR to_actor IS NULL)
  AND NOT EXISTS (SELECT 1 FROM messages AS reply WHERE reply.parent_message_id = messages.id)
  AND NOT EXISTS (
    SELECT 1
    FROM tasks
    WHERE tasks.id = messages.task_id
      AND +tasks.scope = messages.scope
      AND +tasks.queue <> 'done'
      AND +tasks.queue <> 'failed'
      AND +tasks.queue <> 'cancelled'
  );

-- src/sql/upkeep/Unclaimable.ts: report
-- 700 characters, 2 parameters
--   CO-ROUTINE (subquery-5)
--     SCAN json_each VIRTUAL TABLE INDEX 1:
--     SEARCH tasks USING PRIMARY KEY (id=?)
--     USE TEMP B-TREE FOR ORDER BY
--   SCAN (subquery-5)
--   CORRELATED SCALAR SUBQUERY 1
--     SEARCH counter USING PRIMARY KEY (scope=?)
--     CORRELATED SCALAR SUBQUERY 4
--       SEARCH history USING COVERING INDEX history_feed (scope=? AND seq>?)
INSERT INTO history (
  task_id, version, scope, seq, event, from_queue, to_queue, reason, details, grants, at, title, project_id
)
SELECT tasks.id, version + 1, scope,
  (SELECT last FROM feed WHERE feed.scope = tasks.scope) + row_number() OVER (PARTITION BY tasks.scope),
  'unclaimable', queue, queue,
  CASE value ->> 'why'
    WHEN 'no_active_orchestrator' THEN 'No orchestrator of the scope is active to claim it.'
    WHEN 'unknown_role' THEN 'The scope does not know its role, so no claim for that role is possible.'
  END,
  json_object('why', value ->> 'why', 'role', role), grants, :now, title, project_id
FROM json_each(:found)
CROSS JOIN tasks ON tasks.id = value ->> 'id' AND tasks.version = value ->> 'version';

-- src/sql/upkeep/Unclaimable.ts: report
-- 235 characters, 1 parameter
--   SCAN entry VIRTUAL TABLE INDEX 1:
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   SEARCH history USING PRIMARY KEY (task_id=? AND version=?)
UPDATE tasks
SET version = tasks.version + 1
FROM json_each(:found) AS entry
CROSS JOIN history
WHERE tasks.id = value ->> 'id'
  AND tasks.version = value ->> 'version'
  AND history.task_id = tasks.id
  AND history.version = tasks.version + 1;

-- src/sql/upkeep/Unclaimable.ts: report
-- 338 characters, 1 parameter
--   SEARCH counter USING PRIMARY KEY (scope=?)
--   LIST SUBQUERY 1
--     SCAN json_each VIRTUAL TABLE INDEX 1:
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
WHERE after.scope IN (SELECT value FROM json_each(:scopes))
ON CONFLICT (scope)
DO UPDATE SET revision = revision + 1, seq = excluded.seq, counts = excluded.counts, events = excluded.events,
  lives = excluded.lives;
