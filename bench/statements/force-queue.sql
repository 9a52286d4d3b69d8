-- POST /api/v1/tasks/:id/force-queue
-- 2 round trips, 14 statements: 4,976 characters, 38 parameters, 40 rows read, 11 rows written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- found
-- 67 characters, 2 parameters, 1 row read, 0 rows written
--   SEARCH tasks USING PRIMARY KEY (id=?)
SELECT *
FROM tasks
WHERE id = :id AND (:scope IS NULL OR scope = :scope);

-- projects
-- 41 characters, 1 parameter, 0 rows read, 0 rows written
--   SEARCH projects USING PRIMARY KEY (id=?)
SELECT scope
FROM projects
WHERE id = :project;

-- machines
-- 62 characters, 2 parameters, 0 rows read, 0 rows written
--   SEARCH orchestrators USING PRIMARY KEY (id=? AND scope=?)
SELECT scope
FROM orchestrators
WHERE id = :machine AND scope = :reach;

-- dependencies
-- 85 characters, 1 parameter, 1 row read, 0 rows written
--   SEARCH dependencies USING INDEX dependencies_of (task_id=?)
--   USE TEMP B-TREE FOR ORDER BY
SELECT blocker_id, on_failure
FROM dependencies
WHERE task_id = :id
ORDER BY position;

-- flows
-- 107 characters, 2 parameters, 1 row read, 0 rows written
--   SEARCH flows USING PRIMARY KEY (scope=? AND name=?)
--   SCALAR SUBQUERY 1
--     SEARCH tasks USING PRIMARY KEY (id=?)
SELECT rules
FROM flows
WHERE (scope, name) = (SELECT scope, coalesce(:flow, flow) FROM tasks WHERE id = :id);

-- recorded
-- 866 characters, 13 parameters, 2 rows read, 2 rows written
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   SCALAR SUBQUERY 5
--     CO-ROUTINE below
--       SETUP
--         SCAN CONSTANT ROW
--       RECURSIVE STEP
--         SCAN below
--         SEARCH edge USING PRIMARY KEY (blocker_key=?)
--     SCAN below
--     SCAN given VIRTUAL TABLE INDEX 1:
--   CORRELATED SCALAR SUBQUERY 2
--     SEARCH projects USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 1
--     SEARCH queue_counts USING PRIMARY KEY (scope=?)
INSERT INTO history (
  task_id,
  version,
  scope,
  seq,
  event,
  from_queue,
  to_queue,
  actor,
  reason,
  details,
  grants,
  at,
  title,
  project_id
)
SELECT id, version + 1, scope, (SELECT seq + 1 FROM queue_counts WHERE queue_counts.scope = tasks.scope),
  :event, queue, :queue, :actor, :excerpt, :details, grants, :now, title, project_id
FROM tasks
WHERE id = :id
  AND version = :version
  AND (:any_lease OR lease_expires_at IS :lease)
  AND (:project IS NULL OR EXISTS (SELECT 1 FROM projects WHERE id = :project AND scope = tasks.scope))
  AND (
    :added = '[]'
    OR NOT EXISTS (
      WITH RECURSIVE below (id) AS (
        SELECT :id
        UNION
        SELECT edge.task_id
        FROM below
        CROSS JOIN dependencies AS edge ON edge.blocker_key = replace(below.id, 'TASK-', '')
          AND edge.blocker_id IN (below.id, 'TASK-' || below.id)
          AND edge.scope = :scope
      )
      SELECT 1
      FROM below
      CROSS JOIN json_each(:added) AS given
      WHERE given.value IN (below.id, 'TASK-' || below.id)
    )
  );

-- failed
-- 927 characters, 2 parameters, 4 rows read, 0 rows written
--   CO-ROUTINE (subquery-53)
--     MATERIALIZE failing
--       SETUP
--         CO-ROUTINE (subquery-1)
--           SEARCH dependencies USING PRIMARY KEY (blocker_key=?)
--         SCAN (subquery-1)
--         SEARCH counter USING PRIMARY KEY (scope=?)
--         SCALAR SUBQUERY 2
--           SEARCH tasks USING PRIMARY KEY (id=?)
--         SEARCH history USING INDEX history_feed (scope=? AND seq>?)
--         SEARCH blocker USING PRIMARY KEY (id=?)
--         CORRELATED SCALAR SUBQUERY 13
--           SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--         SEARCH edge USING PRIMARY KEY (blocker_key=?)
--         REUSE SUBQUERY 2
--         CORRELATED SCALAR SUBQUERY 14
--           SEARCH other USING PRIMARY KEY (id=?)
--       RECURSIVE STEP
--         SCAN failing
--         SEARCH tasks USING PRIMARY KEY (id=?)
--         CORRELATED SCALAR SUBQUERY 19
--           SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--         CORRELATED SCALAR SUBQUERY 18
--           SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--         SEARCH blocker USING PRIMARY KEY (id=?)
--         SEARCH edge USING PRIMARY KEY (blocker_key=?)
--         CORRELATED SCALAR SUBQUERY 24
--           SEARCH other USING PRIMARY KEY (id=?)
--     SCAN failing
--     SEARCH tasks USING PRIMARY KEY (id=?)
--     CORRELATED SCALAR SUBQUERY 29
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--     CORRELATED SCALAR SUBQUERY 28
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--     CORRELATED SCALAR SUBQUERY 27
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--     CORRELATED SCALAR SUBQUERY 28
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--   SCAN (subquery-53)
--   CORRELATED SCALAR SUBQUERY 5
--     SEARCH counter USING PRIMARY KEY (scope=?)
--     CORRELATED SCALAR SUBQUERY 32
--       SEARCH history USING COVERING INDEX history_feed (scope=? AND seq>?)
--   CORRELATED SCALAR SUBQUERY 7
--     SEARCH edge USING INDEX dependencies_of (task_id=?)
--     SEARCH blocker USING PRIMARY KEY (id=?)
--     CORRELATED SCALAR SUBQUERY 36
--       SEARCH other USING PRIMARY KEY (id=?)
--     CORRELATED SCALAR SUBQUERY 35
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--     LIST SUBQUERY 6
--       SCAN failing
--       CREATE BLOOM FILTER
--     CORRELATED SCALAR SUBQUERY 35
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
WITH RECURSIVE failing (id) AS (
  SELECT task_id
  FROM (SELECT 1 FROM dependencies WHERE blocker_key = replace(:id, 'TASK-', '') LIMIT 1)
  CROSS JOIN touched
  WHERE touched.scope = (SELECT scope FROM tasks WHERE id = :id)
    AND fails
    AND queue IN ('failed', 'cancelled')
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

-- satisfied
-- 488 characters, 2 parameters, 2 rows read, 0 rows written
--   SEARCH dependencies USING PRIMARY KEY (blocker_key=? AND task_id=? AND blocker_id=?)
--   LIST SUBQUERY 15
--     CO-ROUTINE (subquery-1)
--       SEARCH dependencies USING PRIMARY KEY (blocker_key=?)
--     SCAN (subquery-1)
--     SEARCH counter USING PRIMARY KEY (scope=?)
--     SCALAR SUBQUERY 2
--       SEARCH tasks USING PRIMARY KEY (id=?)
--     SEARCH history USING INDEX history_feed (scope=? AND seq>?)
--     SEARCH blocker USING PRIMARY KEY (id=?)
--     SEARCH edge USING PRIMARY KEY (blocker_key=?)
--     REUSE SUBQUERY 2
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
  FROM (SELECT 1 FROM dependencies WHERE blocker_key = replace(:id, 'TASK-', '') LIMIT 1)
  CROSS JOIN touched
  WHERE touched.scope = (SELECT scope FROM tasks WHERE id = :id)
)
  AND (satisfied_at IS NULL) = EXISTS (
    SELECT 1
    FROM waits
    WHERE waits.task_id = dependencies.task_id AND waits.blocker_id = dependencies.blocker_id AND met
  );

-- unblocked
-- 650 characters, 2 parameters, 3 rows read, 0 rows written
--   CO-ROUTINE (subquery-19)
--     CO-ROUTINE (subquery-4)
--       CO-ROUTINE (subquery-2)
--         SEARCH dependencies USING PRIMARY KEY (blocker_key=?)
--       SCAN (subquery-2)
--       SEARCH counter USING PRIMARY KEY (scope=?)
--       SCALAR SUBQUERY 3
--         SEARCH tasks USING PRIMARY KEY (id=?)
--       SEARCH history USING INDEX history_feed (scope=? AND seq>?)
--       SEARCH blocker USING PRIMARY KEY (id=?)
--       SEARCH edge USING PRIMARY KEY (blocker_key=?)
--       REUSE SUBQUERY 3
--       USE TEMP B-TREE FOR GROUP BY
--       CORRELATED SCALAR SUBQUERY 10
--         SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--       CORRELATED SCALAR SUBQUERY 10
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
  FROM (SELECT 1 FROM dependencies WHERE blocker_key = replace(:id, 'TASK-', '') LIMIT 1)
  CROSS JOIN touched
  WHERE touched.scope = (SELECT scope FROM tasks WHERE id = :id)
  GROUP BY task_id
)
CROSS JOIN foreseen AS task ON id = task_id
WHERE blocked_by IS NOT waits_for;

-- notice
-- 225 characters, 4 parameters, 6 rows read, 5 rows written
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--   CORRELATED SCALAR SUBQUERY 3
--     SEARCH later USING PRIMARY KEY (task_id=? AND version>?)
INSERT INTO messages (
  id, scope, task_id, from_actor, to_actor, type, content, parent_message_id, status, created_at
)
SELECT :message, scope, id, 'system', NULL, 'force_queue', :content, NULL, 'pending', :now
FROM planned
WHERE id = :id;

-- noticeCounted
-- 222 characters, 1 parameter, 3 rows read, 1 row written
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--   CORRELATED SCALAR SUBQUERY 3
--     SEARCH later USING PRIMARY KEY (task_id=? AND version>?)
INSERT INTO queue_counts (scope, counts, messages_revision)
SELECT scope, '{}', 1
FROM planned
WHERE id = :id
ON CONFLICT (scope)
DO UPDATE SET messages_revision = messages_revision + 1, messages_total = messages_total + 1;

-- changed
-- 186 characters, 3 parameters, 6 rows read, 2 rows written
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--   CORRELATED SCALAR SUBQUERY 3
--     SEARCH later USING PRIMARY KEY (task_id=? AND version>?)
UPDATE tasks
SET queue = to_queue, completed_at = :set_completed_at, lapsed_token = NULL, updated_at = :now,
  version = planned.version
FROM planned
WHERE tasks.id = :id AND planned.id = :id
RETURNING *;

-- dependents
-- 744 characters, 2 parameters, 3 rows read, 0 rows written
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   LIST SUBQUERY 3
--     CO-ROUTINE (subquery-1)
--       SEARCH dependencies USING PRIMARY KEY (blocker_key=?)
--     SCAN (subquery-1)
--     SEARCH counter USING PRIMARY KEY (scope=?)
--     SCALAR SUBQUERY 2
--       SEARCH tasks USING PRIMARY KEY (id=?)
--     SEARCH history USING COVERING INDEX history_feed (scope=? AND seq>?)
--     REUSE SUBQUERY 2
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   REUSE LIST SUBQUERY 3
--   SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--   CORRELATED SCALAR SUBQUERY 7
--     SEARCH later USING PRIMARY KEY (task_id=? AND version>?)
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 8
--     USE TEMP B-TREE FOR group_concat(ORDER BY)
--     SEARCH dependencies USING INDEX dependencies_of (task_id=?)
--   CORRELATED SCALAR SUBQUERY 9
--     SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
UPDATE tasks
SET version = task.version, queue = task.queue, blocked_by = task.blocked_by, updated_at = task.updated_at,
  lapsed_token = task.lapsed_token, available_at = task.available_at, completed_at = task.completed_at,
  needs_intervention = task.needs_intervention, failure_reason = task.failure_reason
FROM following AS task
WHERE task.id = tasks.id
  AND tasks.id IN (
    SELECT plans.task_id
    FROM (SELECT 1 FROM dependencies WHERE blocker_key = replace(:id, 'TASK-', '') LIMIT 1)
    CROSS JOIN plans
    WHERE plans.scope = (SELECT scope FROM tasks WHERE id = :id)
  )
RETURNING id, scope, version, claimed_by, fencing_token, queue,
  iif(
    queue = 'failed' AND updated_at = :now,
    'dependency_failed',
    iif(blocked_by IS NULL, 'unblocked', 'blocked')
  ) AS event;

-- counted
-- 306 characters, 1 parameter, 8 rows read, 1 row written
--   SEARCH counter USING PRIMARY KEY (scope=?)
--   SCAN json_each VIRTUAL TABLE INDEX 1:
--   CORRELATED SCALAR SUBQUERY 4
--     CO-ROUTINE (subquery-5)
--       SEARCH history USING INDEX history_feed (scope=? AND seq>?)
--       SCAN owner VIRTUAL TABLE INDEX 1:
--       USE TEMP B-TREE FOR GROUP BY
--     SCAN (subquery-5)
--   SEARCH queue_counts USING PRIMARY KEY (scope=?)
--   CORRELATED SCALAR SUBQUERY 6
--     CO-ROUTINE (subquery-7)
--       SCAN json_tree VIRTUAL TABLE INDEX 1:
--       USE TEMP B-TREE FOR GROUP BY
--     SCAN (subquery-7)
--   CORRELATED SCALAR SUBQUERY 8
--     CO-ROUTINE (subquery-9)
--       SCAN json_each VIRTUAL TABLE INDEX 1:
--       USE TEMP B-TREE FOR GROUP BY
--     SCAN (subquery-9)
INSERT INTO queue_counts (scope, seq, counts, events, lives)
SELECT owner, seq, counts, events, lives
FROM counts_after AS after
WHERE after.scope = :scope
ON CONFLICT (scope)
DO UPDATE SET revision = revision + 1, seq = excluded.seq, counts = excluded.counts, events = excluded.events,
  lives = excluded.lives;

-- ======== Sent in special cases only ========

-- changed  (graph of layers: force-queue, and all fail with it)
-- 188 characters, 3 parameters, 7 rows read, 2 rows written
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--   CORRELATED SCALAR SUBQUERY 3
--     SEARCH later USING PRIMARY KEY (task_id=? AND version>?)
UPDATE tasks
SET queue = to_queue, failure_reason = :set_failure_reason, lapsed_token = NULL, updated_at = :now,
  version = planned.version
FROM planned
WHERE tasks.id = :id AND planned.id = :id
RETURNING *;

-- known  (under an idempotency key, three wait for it)
-- 80 characters, 2 parameters, 0 rows read, 0 rows written, sent 2 times
--   SEARCH idempotency_keys USING PRIMARY KEY (id=?)
SELECT fingerprint, answer, at
FROM idempotency_keys
WHERE id = :key AND at > :oldest;

-- keyForgotten  (under an idempotency key, three wait for it)
-- 57 characters, 2 parameters, 0 rows read, 0 rows written
--   SEARCH idempotency_keys USING PRIMARY KEY (id=?)
DELETE
FROM idempotency_keys
WHERE id = :key AND at <= :oldest;

-- changed  (under an idempotency key, three wait for it)
-- 310 characters, 9 parameters, 7 rows read, 2 rows written
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--   CORRELATED SCALAR SUBQUERY 3
--     SEARCH later USING PRIMARY KEY (task_id=? AND version>?)
UPDATE tasks
SET queue = to_queue, claimed_by = :set_claimed_by, claimed_at = :set_claimed_at,
  claimed_from = :set_claimed_from, orchestrator_id = :set_orchestrator_id,
  lease_expires_at = :set_lease_expires_at, lease_seconds = :set_lease_seconds,
  completed_at = :set_completed_at, lapsed_token = NULL, updated_at = :now, version = planned.version
FROM planned
WHERE tasks.id = :id AND planned.id = :id
RETURNING *;

-- keyKept  (under an idempotency key, three wait for it)
-- 4,319 characters, 4 parameters, 1 row read, 1 row written
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
WHERE changes() > 0 AND id = :id
HAVING count(*) > 0;
