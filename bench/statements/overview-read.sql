-- GET /api/v1/overview
-- 1 round trip, 15 statements: 7,209 characters, 20 parameters, 2,903 rows read, 0 rows written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- counts
-- 49 characters, 1 parameter, 1 row read, 0 rows written
--   SEARCH queue_counts USING PRIMARY KEY (scope=?)
SELECT counts
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
-- 651 characters, 1 parameter, 150 rows read, 0 rows written
--   CO-ROUTINE projects
--     SEARCH projects USING INDEX projects_newest (scope=?)
--   SCAN projects
--   CORRELATED SCALAR SUBQUERY 1
--     SEARCH queue_counts USING PRIMARY KEY (scope=?)
--   CORRELATED SCALAR SUBQUERY 3
--     CO-ROUTINE (subquery-2)
--       SEARCH tasks USING INDEX tasks_project (project_id=?)
--       USE TEMP B-TREE FOR GROUP BY
--     SCAN (subquery-2)
SELECT id, substr(title, 1, 301) AS title, substr(status, 1, 301) AS status, substr(branch, 1, 301) AS branch,
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
  ) AS counts
FROM (
  SELECT *
  FROM (SELECT * FROM projects WHERE scope = :scope ORDER BY created_at DESC, id DESC LIMIT 200) AS projects
  WHERE completed_at IS NULL AND status NOT IN ('completed', 'complete', 'done', 'archived', 'cancelled')
  LIMIT 50
) AS projects;

-- projectTotal
-- 255 characters, 1 parameter, 400 rows read, 0 rows written
--   CO-ROUTINE projects
--     SEARCH projects USING INDEX projects_newest (scope=?)
--   SCAN projects
SELECT count(*) AS looked,
  coalesce(
    sum(completed_at IS NULL AND status NOT IN ('completed', 'complete', 'done', 'archived', 'cancelled')), 0
  ) AS total
FROM (SELECT * FROM projects WHERE scope = :scope ORDER BY created_at DESC, id DESC LIMIT 200) AS projects;

-- machines
-- 109 characters, 1 parameter, 1 row read, 0 rows written
--   SEARCH orchestrators USING INDEX orchestrators_of_scope (scope=?)
SELECT id, status
FROM orchestrators INDEXED BY orchestrators_of_scope
WHERE scope = :scope
ORDER BY id
LIMIT 50;

-- machineTotal
-- 122 characters, 1 parameter, 1 row read, 0 rows written
--   CO-ROUTINE (subquery-1)
--     SEARCH orchestrators USING COVERING INDEX orchestrators_of_scope (scope=?)
--   SCAN (subquery-1)
SELECT count(*) AS total
FROM (SELECT 1 FROM orchestrators INDEXED BY orchestrators_of_scope WHERE scope = :scope LIMIT 500);

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
-- 283 characters, 1 parameter, 1 row read, 0 rows written
--   CO-ROUTINE (subquery-1)
--     SEARCH tasks USING INDEX tasks_leased (scope=?)
--   SCAN (subquery-1)
--   USE TEMP B-TREE FOR GROUP BY
SELECT orchestrator_id, count(*) AS n, sum(queue = 'provisional') AS reviews
FROM (
  SELECT orchestrator_id, queue
  FROM tasks INDEXED BY tasks_leased
  WHERE scope = :scope AND claimed_by IS NOT NULL
  ORDER BY lease_expires_at, queue, orchestrator_id, id
  LIMIT 500
)
GROUP BY orchestrator_id;

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
-- 500 characters, 1 parameter, 0 rows read, 0 rows written
--   CO-ROUTINE message
--     SEARCH messages USING INDEX messages_questions (scope=?)
--   SCAN message
--   CORRELATED SCALAR SUBQUERY 2
--     SEARCH reply USING COVERING INDEX messages_replies (parent_message_id=?)
SELECT id, created_at, substr(task_id, 1, 301) AS task_id, substr(type, 1, 301) AS type,
  substr(from_actor, 1, 301) AS from_actor, substr(content, 1, 301) AS content
FROM (
  SELECT *
  FROM messages INDEXED BY messages_questions
  WHERE scope = :scope
    AND type IN ('question', 'intervention_request')
    AND status <> 'done'
    AND (to_actor IS NULL OR to_actor = 'human')
  ORDER BY seq DESC
  LIMIT 500
) AS message
WHERE NOT EXISTS (SELECT 1 FROM messages AS reply WHERE reply.parent_message_id = message.id)
LIMIT 50;

-- questionTotal
-- 373 characters, 1 parameter, 0 rows read, 0 rows written
--   CO-ROUTINE message
--     SEARCH messages USING INDEX messages_questions (scope=?)
--   SCAN message
--   CORRELATED SCALAR SUBQUERY 1
--     SEARCH reply USING COVERING INDEX messages_replies (parent_message_id=?)
SELECT count(*) AS looked,
  coalesce(sum(NOT EXISTS (SELECT 1 FROM messages AS reply WHERE reply.parent_message_id = message.id)), 0) AS total
FROM (
  SELECT *
  FROM messages INDEXED BY messages_questions
  WHERE scope = :scope
    AND type IN ('question', 'intervention_request')
    AND status <> 'done'
    AND (to_actor IS NULL OR to_actor = 'human')
  ORDER BY seq DESC
  LIMIT 500
) AS message;

-- parks
-- 139 characters, 2 parameters, 1 row read, 0 rows written
--   SEARCH parked_accounts USING PRIMARY KEY (scope=?)
--   USE TEMP B-TREE FOR ORDER BY
SELECT account, until, task_id, parked_by, parked_at, reason
FROM parked_accounts
WHERE scope = :scope AND until > :now
ORDER BY until, account;

-- changes
-- 1,089 characters, 2 parameters, 2,335 rows read, 0 rows written
--   CO-ROUTINE search
--     SETUP
--       SEARCH queue_counts USING PRIMARY KEY (scope=?)
--     RECURSIVE STEP
--       SCAN search
--       CORRELATED SCALAR SUBQUERY 2
--         SEARCH history USING INDEX history_feed (scope=? AND seq>?)
--   SCAN search
--   SEARCH history USING INDEX history_feed (scope=? AND seq>?) LEFT-JOIN
WITH RECURSIVE search (first, place, step) AS (
  SELECT max(seq - 2048, 0), max(seq - 2048, 0), 1024
  FROM queue_counts
  WHERE scope = :scope
  UNION ALL
  SELECT first,
    place + step * coalesce(
      (
        SELECT at < :from - 60000
        FROM history INDEXED BY history_feed
        WHERE scope = :scope AND seq >= place + step
        ORDER BY seq
        LIMIT 1
      ),
      0
    ),
    step / 2
  FROM search
  WHERE step > 0
)
SELECT first = 0 OR place > first AS complete, task_id, seq, event, project_id, to_queue, at,
  (
    event IN ('failed', 'dependency_failed', 'lease_expired', 'review_lease_expired', 'deadline_exceeded')
    OR (to_queue = 'failed' AND from_queue <> 'failed')
  ) AS failure,
  to_queue = 'done' AND from_queue <> 'done' AS done, substr(title, 1, 301) AS title,
  substr(actor, 1, 301) AS actor, substr(reason, 1, 301) AS reason
FROM search
LEFT JOIN history INDEXED BY history_feed ON scope = :scope
  AND seq > place
  AND at >= :from
  AND (
    (
      event IN ('failed', 'dependency_failed', 'lease_expired', 'review_lease_expired', 'deadline_exceeded')
      OR (to_queue = 'failed' AND from_queue <> 'failed')
    )
    OR (to_queue = 'done' AND from_queue <> 'done')
  )
WHERE step = 0;

-- usage
-- 148 characters, 3 parameters, 1 row read, 0 rows written
--   SEARCH usage USING PRIMARY KEY (scope=? AND day>? AND day<?)
SELECT day, cost_usd, input_tokens, output_tokens, cached_tokens, wall_seconds
FROM usage
WHERE scope = :scope AND day BETWEEN :from_day AND :to_day
ORDER BY day;

-- revision
-- 451 characters, 2 parameters, 2 rows read, 0 rows written
--   SEARCH queue_counts USING PRIMARY KEY (scope=?)
--   SCALAR SUBQUERY 2
--     CO-ROUTINE (subquery-1)
--       SEARCH orchestrators USING INDEX orchestrators_of_scope (scope=?)
--     SCAN (subquery-1)
--   SCALAR SUBQUERY 3
--     SEARCH parked_accounts USING PRIMARY KEY (scope=?)
SELECT coalesce(max(revision + leases_revision + messages_revision + projects_revision), 0) AS revision,
  (
    SELECT json_group_array(id || ' ' || status)
    FROM (
      SELECT id, status
      FROM orchestrators INDEXED BY orchestrators_of_scope
      WHERE scope = :scope
      ORDER BY id
      LIMIT 500
    )
  ) AS machines,
  (
    SELECT json_group_array(account || ' ' || until)
    FROM parked_accounts
    WHERE parked_accounts.scope = :scope AND until > :now
  ) AS parks
FROM queue_counts
WHERE scope = :scope;
