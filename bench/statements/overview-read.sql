-- GET /api/v1/overview
-- 1 round trip, 14 statements: 8,396 characters, 20 parameters, 434 rows read, 0 rows written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- counters
-- 56 characters, 1 parameter, 1 row read, 0 rows written
--   SEARCH queue_counts USING PRIMARY KEY (scope=?)
SELECT counts, lives
FROM queue_counts
WHERE scope = :scope;

-- oldest
-- 946 characters, 1 parameter, 8 rows read, 0 rows written
--   CO-ROUTINE other
--     SETUP
--       SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=?)
--     RECURSIVE STEP
--       SCAN other
--       CORRELATED SCALAR SUBQUERY 2
--         SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=? AND priority_rank>?)
--   SCAN other
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 4
--     SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=? AND priority_rank=?)
--   USE TEMP B-TREE FOR ORDER BY
WITH RECURSIVE other (rank) AS (
  SELECT min(priority_rank)
  FROM tasks INDEXED BY tasks_ready
  WHERE scope = :scope
    AND queue = 'incoming'
    AND claimed_by IS NULL
    AND blocked_by IS NULL
    AND available_at IS NULL
    AND queue <> 'done'
  UNION ALL
  SELECT (
    SELECT min(priority_rank)
    FROM tasks INDEXED BY tasks_ready
    WHERE scope = :scope
      AND queue = 'incoming'
      AND claimed_by IS NULL
      AND blocked_by IS NULL
      AND available_at IS NULL
      AND queue <> 'done'
      AND priority_rank > rank
  )
  FROM other
  WHERE rank IS NOT NULL
  LIMIT 20
)
SELECT id AS task_id, substr(title, 1, 301) AS title, substr(priority, 1, 301) AS priority, created_at
FROM other
CROSS JOIN tasks ON tasks.id = (
  SELECT id
  FROM tasks INDEXED BY tasks_ready
  WHERE scope = :scope
    AND queue = 'incoming'
    AND claimed_by IS NULL
    AND blocked_by IS NULL
    AND available_at IS NULL
    AND queue <> 'done'
    AND priority_rank = other.rank
  ORDER BY created_at, id
  LIMIT 1
)
WHERE rank IS NOT NULL
ORDER BY created_at, id
LIMIT 1;

-- projects
-- 698 characters, 1 parameter, 400 rows read, 0 rows written
--   SEARCH projects USING INDEX projects_newest (scope=?)
--   CORRELATED SCALAR SUBQUERY 1
--     SEARCH queue_counts USING PRIMARY KEY (scope=?)
--   CORRELATED SCALAR SUBQUERY 3
--     CO-ROUTINE (subquery-2)
--       SEARCH tasks USING INDEX tasks_project (project_id=?)
--       USE TEMP B-TREE FOR GROUP BY
--     SCAN (subquery-2)
SELECT id,
  completed_at IS NULL AND status NOT IN ('completed', 'complete', 'done', 'archived', 'cancelled') AS open,
  substr(title, 1, 301) AS title, substr(status, 1, 301) AS status, substr(branch, 1, 301) AS branch,
  iif(
    completed_at IS NULL AND status NOT IN ('completed', 'complete', 'done', 'archived', 'cancelled'),
    coalesce(
      (SELECT counts FROM queue_counts WHERE queue_counts.scope = char(31) || projects.id),
      (
        SELECT json_group_object(queue, n)
        FROM (
          SELECT queue, count(*) AS n
          FROM tasks INDEXED BY tasks_project
          WHERE project_id = projects.id AND tasks.scope = projects.scope
          GROUP BY queue
        )
      )
    ),
    NULL
  ) AS counts
FROM projects
WHERE scope = :scope
ORDER BY created_at DESC, id DESC
LIMIT 100;

-- machines
-- 110 characters, 1 parameter, 1 row read, 0 rows written
--   SEARCH orchestrators USING INDEX orchestrators_of_scope (scope=?)
SELECT id, status
FROM orchestrators INDEXED BY orchestrators_of_scope
WHERE scope = :scope
ORDER BY id
LIMIT 200;

-- held
-- 400 characters, 1 parameter, 0 rows read, 0 rows written
--   SEARCH tasks USING INDEX tasks_leased (scope=?)
SELECT id AS task_id, queue, project_id, orchestrator_id, claimed_at, lease_expires_at, deadline_at,
  substr(title, 1, 301) AS title, substr(claimed_by, 1, 301) AS claimed_by,
  substr(checkpoint ->> '$.notes', 1, 301) AS note, checkpoint ->> '$.at' AS note_at
FROM tasks INDEXED BY tasks_leased
WHERE scope = :scope AND claimed_by IS NOT NULL
ORDER BY lease_expires_at, queue, orchestrator_id, id
LIMIT 50;

-- holds
-- 200 characters, 1 parameter, 0 rows read, 0 rows written
--   SEARCH tasks USING INDEX tasks_leased (scope=?)
SELECT orchestrator_id, queue = 'provisional' AS reviews
FROM tasks INDEXED BY tasks_leased
WHERE scope = :scope AND claimed_by IS NOT NULL
ORDER BY lease_expires_at, queue, orchestrator_id, id
LIMIT 200;

-- reviews
-- 1,694 characters, 1 parameter, 2 rows read, 0 rows written
--   MERGE (UNION ALL)
--     LEFT
--       CO-ROUTINE (subquery-2)
--         SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=?)
--         CORRELATED SCALAR SUBQUERY 1
--           SCAN json_each VIRTUAL TABLE INDEX 1:
--       SCAN (subquery-2)
--       USE TEMP B-TREE FOR ORDER BY
--     RIGHT
--       CO-ROUTINE (subquery-5)
--         SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=?)
--         CORRELATED SCALAR SUBQUERY 4
--           SCAN json_each VIRTUAL TABLE INDEX 1:
--       SCAN (subquery-5)
--       USE TEMP B-TREE FOR ORDER BY
SELECT *
FROM (
  SELECT id AS task_id, project_id, submitted_orchestrator_id, submitted_at, commits_count, pr_number,
    substr(title, 1, 301) AS title, substr(submitted_by, 1, 301) AS submitted_by,
    substr(branch, 1, 301) AS branch, substr(head_commit, 1, 301) AS head_commit,
    iif(length(pr_url) <= 1000, pr_url, NULL) AS pr_url,
    (
      SELECT json_group_array(
        json_object(
          'kind',
          value ->> '$.kind',
          'exit_code',
          value ->> '$.exit_code',
          'stale',
          json(iif(head_commit IS NULL OR value ->> '$.commit' IS head_commit, 'false', 'true'))
        )
      )
      FROM json_each(evidence)
    ) AS evidence,
    priority_rank, created_at, id
  FROM tasks INDEXED BY tasks_ready
  WHERE scope = :scope
    AND queue = 'provisional'
    AND claimed_by IS NULL
    AND blocked_by IS NULL
    AND available_at IS NULL
    AND queue <> 'done'
  ORDER BY priority_rank, created_at, id
  LIMIT 50
)
UNION ALL
SELECT *
FROM (
  SELECT id AS task_id, project_id, submitted_orchestrator_id, submitted_at, commits_count, pr_number,
    substr(title, 1, 301) AS title, substr(submitted_by, 1, 301) AS submitted_by,
    substr(branch, 1, 301) AS branch, substr(head_commit, 1, 301) AS head_commit,
    iif(length(pr_url) <= 1000, pr_url, NULL) AS pr_url,
    (
      SELECT json_group_array(
        json_object(
          'kind',
          value ->> '$.kind',
          'exit_code',
          value ->> '$.exit_code',
          'stale',
          json(iif(head_commit IS NULL OR value ->> '$.commit' IS head_commit, 'false', 'true'))
        )
      )
      FROM json_each(evidence)
    ) AS evidence,
    priority_rank, created_at, id
  FROM tasks INDEXED BY tasks_waiting
  WHERE scope = :scope
    AND queue = 'provisional'
    AND claimed_by IS NULL
    AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
  ORDER BY priority_rank, created_at, id
  LIMIT 50
)
ORDER BY priority_rank, created_at, id
LIMIT 50;

-- questions
-- 939 characters, 1 parameter, 3 rows read, 0 rows written
--   MERGE (UNION ALL)
--     LEFT
--       CO-ROUTINE (subquery-2)
--         SEARCH messages USING INDEX messages_questions (scope=?)
--         CORRELATED SCALAR SUBQUERY 1
--           SEARCH reply USING COVERING INDEX messages_replies (parent_message_id=?)
--       SCAN (subquery-2)
--       USE TEMP B-TREE FOR ORDER BY
--     RIGHT
--       SEARCH messages USING INDEX sqlite_autoindex_messages_1 (id=?)
--       LIST SUBQUERY 4
--         SEARCH tasks USING INDEX tasks_backing_off (scope=? AND available_at=?)
--       USE TEMP B-TREE FOR ORDER BY
SELECT *
FROM (
  SELECT id, seq, created_at, substr(task_id, 1, 301) AS task_id, substr(type, 1, 301) AS type,
    substr(from_actor, 1, 301) AS from_actor, substr(content, 1, 301) AS content
  FROM messages INDEXED BY messages_questions
  WHERE scope = :scope
    AND type IN ('question', 'intervention_request')
    AND status <> 'done'
    AND (to_actor IS NULL OR to_actor = 'human')
    AND replied = 0
    AND NOT EXISTS (SELECT 1 FROM messages AS reply WHERE reply.parent_message_id = messages.id)
  ORDER BY seq DESC
  LIMIT 200
)
UNION ALL
SELECT id, seq, created_at, substr(task_id, 1, 301) AS task_id, substr(type, 1, 301) AS type,
  substr(from_actor, 1, 301) AS from_actor, substr(content, 1, 301) AS content
FROM messages
WHERE id IN (
  SELECT waiting_for_reply
  FROM tasks INDEXED BY tasks_backing_off
  WHERE scope = :scope AND available_at = 253402300799999
  LIMIT 200
)
  AND NOT (status <> 'done' AND (to_actor IS NULL OR to_actor = 'human'))
ORDER BY seq DESC
LIMIT 200;

-- parks
-- 139 characters, 2 parameters, 1 row read, 0 rows written
--   SEARCH parked_accounts USING PRIMARY KEY (scope=?)
--   USE TEMP B-TREE FOR ORDER BY
SELECT account, until, task_id, parked_by, parked_at, reason
FROM parked_accounts
WHERE scope = :scope AND until > :now
ORDER BY until, account;

-- failed
-- 441 characters, 2 parameters, 1 row read, 0 rows written
--   SEARCH history USING INDEX history_failures (scope=? AND at>?)
SELECT task_id, seq, event, project_id, to_queue, at, substr(title, 1, 301) AS title,
  substr(actor, 1, 301) AS actor, substr(reason, 1, 301) AS reason
FROM history INDEXED BY history_failures
WHERE scope = :scope
  AND at >= :since
  AND seq IS NOT NULL
  AND (
    event IN ('failed', 'dependency_failed', 'lease_expired', 'review_lease_expired', 'deadline_exceeded')
    OR (to_queue = 'failed' AND from_queue <> 'failed')
  )
ORDER BY at DESC, seq DESC
LIMIT 200;

-- breakers
-- 249 characters, 1 parameter, 0 rows read, 0 rows written
--   SEARCH breakers USING INDEX breakers_open (scope=?)
--   CORRELATED SCALAR SUBQUERY 4
--     SEARCH tasks USING PRIMARY KEY (id=?)
SELECT nullif(project_id, '') AS project_id, opened_at, substr(reason, 1, 301) AS reason,
  retry_at AS next_canary_at, iif(half_open, canary_task, NULL) AS canary_task_id
FROM open_breakers
WHERE scope = :scope
ORDER BY open_breakers.project_id
LIMIT 50;

-- unclaimable
-- 2,085 characters, 2 parameters, 15 rows read, 0 rows written
--   CO-ROUTINE head
--     CO-ROUTINE (subquery-16)
--       COMPOUND QUERY
--         LEFT-MOST SUBQUERY
--           MATERIALIZE places
--             MERGE (UNION)
--               LEFT
--                 MATERIALIZE looked
--                   SCAN CONSTANT ROW
--                 SCAN looked
--                 USE TEMP B-TREE FOR ORDER BY
--               RIGHT
--                 SCAN looked
--                 SEARCH roles USING PRIMARY KEY (scope=?)
--                 USE TEMP B-TREE FOR ORDER BY
--           SCAN places
--           CORRELATED SCALAR SUBQUERY 11
--             CO-ROUTINE (subquery-10)
--               SEARCH orchestrators USING INDEX orchestrators_of_scope (scope=?)
--             SCAN (subquery-10)
--           CORRELATED SCALAR SUBQUERY 12
--             SEARCH tasks USING INDEX tasks_leased (scope=? AND lease_expires_at>?)
--           CORRELATED SCALAR SUBQUERY 9
--             SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=?)
--           CORRELATED SCALAR SUBQUERY 9
--             SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=?)
--         UNION ALL
--           CO-ROUTINE lanes
--             SETUP
--               SCAN places
--               SEARCH roles EXISTS USING PRIMARY KEY (scope=?)
--               CORRELATED SCALAR SUBQUERY 4
--                 SEARCH tasks USING INDEX tasks_ready_for (scope=? AND queue=?)
--             RECURSIVE STEP
--               SCAN lanes
--               CORRELATED SCALAR SUBQUERY 7
--                 SEARCH tasks USING INDEX tasks_ready_for (scope=? AND queue=? AND lane>?)
--           SCAN lanes
--           CORRELATED SCALAR SUBQUERY 15
--             SEARCH roles USING PRIMARY KEY (scope=? AND name=?)
--           CORRELATED SCALAR SUBQUERY 14
--             SEARCH tasks USING INDEX tasks_ready_for (scope=? AND queue=? AND lane=?)
--           CORRELATED SCALAR SUBQUERY 14
--             SEARCH tasks USING INDEX tasks_ready_for (scope=? AND queue=? AND lane=?)
--     SCAN (subquery-16)
--     USE TEMP B-TREE FOR GROUP BY
--   SCAN head
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   SEARCH newest USING PRIMARY KEY (task_id=? AND version=?)
--   USE TEMP B-TREE FOR ORDER BY
SELECT tasks.id AS task_id, tasks.queue, tasks.project_id, substr(tasks.title, 1, 301) AS title,
  substr(tasks.role, 1, 301) AS role, why, newest.at AS at
FROM (
  WITH RECURSIVE looked (scope) AS MATERIALIZED (SELECT :scope),
    places (scope, queue) AS MATERIALIZED (
      SELECT scope, 'incoming'
      FROM looked
      UNION
      SELECT roles.scope, claims_from
      FROM looked
      CROSS JOIN roles ON roles.scope = looked.scope
      WHERE claims_from NOT IN ('claimed', 'done', 'failed', 'cancelled')
    ),
    lanes (scope, queue, lane) AS (
      SELECT scope, queue,
        (
          SELECT lane
          FROM ready_for
          WHERE ready_for.scope = places.scope AND ready_for.queue = places.queue
          ORDER BY lane
          LIMIT 1
        )
      FROM places
      WHERE EXISTS (SELECT 1 FROM roles WHERE roles.scope = places.scope)
      UNION ALL
      SELECT scope, queue,
        (
          SELECT lane
          FROM ready_for
          WHERE ready_for.scope = lanes.scope AND ready_for.queue = lanes.queue AND lane > lanes.lane
          ORDER BY lane
          LIMIT 1
        )
      FROM lanes
      WHERE lane IS NOT NULL
      LIMIT 500
    )
  SELECT id, min(why) AS why
  FROM (
    SELECT (
      SELECT id
      FROM ready
      WHERE ready.scope = places.scope AND ready.queue = places.queue
      ORDER BY priority_rank, created_at, id
      LIMIT 1
    ) AS id,
      'no_active_orchestrator' AS why
    FROM places
    WHERE NOT EXISTS (
      SELECT 1
      FROM (
        SELECT status
        FROM orchestrators INDEXED BY orchestrators_of_scope
        WHERE orchestrators.scope = places.scope
        LIMIT 500
      )
      WHERE status = 'active'
    )
      AND NOT EXISTS (
        SELECT 1
        FROM tasks INDEXED BY tasks_leased
        WHERE claimed_by IS NOT NULL AND tasks.scope = places.scope AND lease_expires_at > :now
      )
    UNION ALL
    SELECT (
      SELECT id
      FROM ready_for
      WHERE ready_for.scope = lanes.scope AND ready_for.queue = lanes.queue AND ready_for.lane = lanes.lane
      ORDER BY priority_rank, created_at, id
      LIMIT 1
    ),
      'unknown_role'
    FROM lanes
    WHERE lane IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM roles WHERE roles.scope = lanes.scope AND roles.name = lanes.lane)
  )
  WHERE id IS NOT NULL
  GROUP BY id
) AS head
CROSS JOIN tasks ON tasks.id = head.id
CROSS JOIN history AS newest ON newest.task_id = tasks.id AND newest.version = tasks.version
WHERE newest.event = 'unclaimable'
ORDER BY newest.at, tasks.id
LIMIT 50;

-- usage
-- 148 characters, 3 parameters, 1 row read, 0 rows written
--   SEARCH usage USING PRIMARY KEY (scope=? AND day>? AND day<?)
SELECT day, cost_usd, input_tokens, output_tokens, cached_tokens, wall_seconds
FROM usage
WHERE scope = :scope AND day BETWEEN :from_day AND :to_day
ORDER BY day;

-- revision
-- 291 characters, 2 parameters, 1 row read, 0 rows written
--   SEARCH queue_counts USING PRIMARY KEY (scope=?)
--   SCALAR SUBQUERY 1
--     SEARCH parked_accounts USING PRIMARY KEY (scope=?)
SELECT coalesce(
  max(revision + leases_revision + messages_revision + projects_revision + machines_revision), 0
) AS revision,
  (
    SELECT json_group_array(account || ' ' || until)
    FROM parked_accounts
    WHERE parked_accounts.scope = :scope AND until > :now
  ) AS parks
FROM queue_counts
WHERE scope = :scope;
