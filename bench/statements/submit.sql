-- POST /api/v1/tasks/:id/submit
-- 1 round trip, 9 statements: 5,908 characters, 29 parameters, 31 rows read, 5 rows written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- recorded
-- 1,220 characters, 9 parameters, 3 rows read, 2 rows written
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 3
--     SEARCH flows USING PRIMARY KEY (scope=? AND name=?)
--   CORRELATED SCALAR SUBQUERY 1
--     SEARCH queue_counts USING PRIMARY KEY (scope=?)
--   CORRELATED SCALAR SUBQUERY 3
--     SEARCH flows USING PRIMARY KEY (scope=? AND name=?)
--   CORRELATED SCALAR SUBQUERY 9
--     SEARCH history USING PRIMARY KEY (task_id=?)
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
SELECT id, version + 1, scope, (SELECT seq + 1 FROM queue_counts WHERE queue_counts.scope = moving.scope),
  'submitted', queue, CASE WHEN cancel_requested_at IS NOT NULL THEN 'cancelled' ELSE usual END,
  coalesce(holder, :actor), :excerpt, :details, grants, :now, title, project_id
FROM (
  SELECT *,
    iif(
      (place IN ('claimed')),
      coalesce(
        (
          SELECT coalesce(rule ->> ('$.onward."' || origin || '"'), rule ->> '$.submit')
          FROM (
            SELECT rules -> iif(project_id IS NULL, '$.task', '$.child') AS rule
            FROM flows
            WHERE flows.scope = task.scope AND flows.name = task.flow
          )
        ),
        destination
      ),
      ''
    ) AS usual
  FROM (
    SELECT *,
      CASE
        WHEN lapsed_token IS NOT NULL THEN 'claimed'
        WHEN queue = 'requires-intervention' THEN iif(came_from = 'done', 'done', 'claimed')
        ELSE queue
      END AS place,
      'provisional' AS destination
    FROM held
    WHERE id = :id
      AND (:scope IS NULL OR scope = :scope)
      AND (:version IS NULL OR version = :version)
      AND (
        coalesce(fencing_token, lapsed_token) = :token
        OR (:token IS NULL AND (:lenient OR (claimed_by IS NULL AND lapsed_token IS NULL)))
      )
  ) AS task
) AS moving
WHERE usual NOT IN ('', iif(lapsed_token IS NULL, queue, ''));

-- breakers
-- 410 characters, 2 parameters, 2 rows read, 0 rows written
--   CO-ROUTINE (subquery-7)
--     SEARCH own USING INDEX breakers_canary (canary_task=?)
--     SEARCH tasks USING PRIMARY KEY (id=?)
--     SEARCH plan USING PRIMARY KEY (task_id=? AND version=?)
--     SEARCH counter USING PRIMARY KEY (scope=?)
--     CORRELATED SCALAR SUBQUERY 6
--       SEARCH history USING PRIMARY KEY (task_id=?)
--     CORRELATED SCALAR SUBQUERY 5
--       SEARCH history USING COVERING INDEX history_feed (scope=? AND seq>?)
--   SCAN (subquery-7)
INSERT INTO history (task_id, version, scope, seq, event, actor, reason, details, grants, at, project_id)
SELECT own.task_id, own.version + row_number() OVER (), own.scope, own.last + row_number() OVER (),
  'breaker_closed', NULL, task.reason, json_object('task_id', :id), 0, :now, nullif(task.project_id, '')
FROM closing AS task
CROSS JOIN breaker_feed AS own ON own.scope = task.scope
WHERE task.task_id = :id;

-- breakers
-- 277 characters, 1 parameter, 1 row read, 0 rows written
--   SEARCH own USING INDEX breakers_canary (canary_task=?)
--   SEARCH breakers USING PRIMARY KEY (scope=? AND project_id=?)
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   SEARCH plan USING PRIMARY KEY (task_id=? AND version=?)
UPDATE breakers
SET failures = '[]', opened_at = NULL, tripped_by = NULL, reason = NULL, retry_at = NULL, probes = 0,
  canary_task = NULL, canary_token = NULL
FROM closing AS task
WHERE task.task_id = :id AND breakers.scope = task.scope AND breakers.project_id = task.project_id;

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

-- moved
-- 849 characters, 8 parameters, 4 rows read, 2 rows written
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   SEARCH planned USING PRIMARY KEY (task_id=? AND version=?)
--   SCALAR SUBQUERY 1
--     SEARCH tasks USING PRIMARY KEY (id=?)
--     CORRELATED SCALAR SUBQUERY 6
--       SEARCH history USING PRIMARY KEY (task_id=?)
UPDATE tasks
SET version = planned.version, updated_at = :now, queue = to_queue, lapsed_token = NULL, claimed_by = NULL,
  claimed_at = NULL, claimed_from = NULL, orchestrator_id = NULL, lease_expires_at = NULL,
  lease_seconds = NULL, deadline_at = NULL, cancel_requested_at = NULL, completed_at = NULL,
  needs_intervention = 0, failure_reason = NULL,
  cancel_reason = iif(to_queue = 'cancelled', cancel_reason, NULL), available_at = NULL , submitted_at = :now,
  commits_count = :commits_count, turns_used = :turns_used, check_results = :check_results,
  execution_notes = :execution_notes, pr_number = coalesce(:pr_number, pr_number),
  pr_url = coalesce(:pr_url, pr_url), submitted_by = actor,
  submitted_orchestrator_id = coalesce(orchestrator_id, (SELECT machine FROM held WHERE id = :id))
FROM history AS planned
WHERE planned.task_id = :id AND planned.version = tasks.version + 1 AND tasks.id = :id
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
-- 343 characters, 1 parameter, 9 rows read, 1 row written
--   SEARCH counter USING PRIMARY KEY (scope=?)
--   SCALAR SUBQUERY 1
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
WHERE after.scope = (SELECT scope FROM tasks WHERE id = :id)
ON CONFLICT (scope)
DO UPDATE SET revision = revision + 1, seq = excluded.seq, counts = excluded.counts, events = excluded.events,
  lives = excluded.lives;

-- ======== Sent in special cases only ========

-- keyForgotten  (under an idempotency key)
-- 57 characters, 2 parameters, 0 rows read, 0 rows written
--   SEARCH idempotency_keys USING PRIMARY KEY (id=?)
DELETE
FROM idempotency_keys
WHERE id = :key AND at <= :oldest;

-- keyFound  (under an idempotency key)
-- 80 characters, 2 parameters, 0 rows read, 0 rows written
--   SEARCH idempotency_keys USING PRIMARY KEY (id=?)
SELECT fingerprint, answer, at
FROM idempotency_keys
WHERE id = :key AND at > :oldest;

-- keyKept  (under an idempotency key)
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

-- found  (another token)
-- 67 characters, 2 parameters, 1 row read, 0 rows written
--   SEARCH tasks USING PRIMARY KEY (id=?)
SELECT *
FROM tasks
WHERE id = :id AND (:scope IS NULL OR scope = :scope);

-- flow  (another token)
-- 91 characters, 1 parameter, 1 row read, 0 rows written
--   SEARCH flows USING PRIMARY KEY (scope=? AND name=?)
--   SCALAR SUBQUERY 1
--     SEARCH tasks USING PRIMARY KEY (id=?)
SELECT name
FROM flows
WHERE (scope, name) = (SELECT scope, flow FROM tasks WHERE id = :id);

-- usedByTask  (with usage and evidence, of a project)
-- 634 characters, 1 parameter, 4 rows read, 1 row written
--   SCAN asked VIRTUAL TABLE INDEX 1:
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   SEARCH planned USING PRIMARY KEY (task_id=? AND version=?)
UPDATE tasks
SET cost_usd = min(tasks.cost_usd + asked.value ->> 'cost_usd', 9007199254740991),
  input_tokens = min(tasks.input_tokens + asked.value ->> 'input_tokens', 9007199254740991),
  output_tokens = min(tasks.output_tokens + asked.value ->> 'output_tokens', 9007199254740991),
  cached_tokens = min(tasks.cached_tokens + asked.value ->> 'cached_tokens', 9007199254740991),
  wall_seconds = min(tasks.wall_seconds + asked.value ->> 'wall_seconds', 9007199254740991)
FROM json_each(:used) AS asked
CROSS JOIN history AS planned
WHERE tasks.id = asked.value ->> 'task' AND planned.task_id = tasks.id AND planned.version = tasks.version + 1;

-- usedByProject  (with usage and evidence, of a project)
-- 1,058 characters, 1 parameter, 7 rows read, 1 row written
--   MATERIALIZE used
--     SCAN asked VIRTUAL TABLE INDEX 1:
--     SEARCH tasks USING PRIMARY KEY (id=?)
--     SEARCH planned USING PRIMARY KEY (task_id=? AND version=?)
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
  CROSS JOIN history AS planned
  WHERE tasks.id = asked.value ->> 'task'
    AND planned.task_id = tasks.id
    AND planned.version = tasks.version + 1
    AND tasks.project_id IS NOT NULL
  GROUP BY tasks.project_id, tasks.scope
) AS used
WHERE projects.id = used.project_id AND projects.scope = used.scope;

-- usedOnDay  (with usage and evidence, of a project)
-- 2,602 characters, 2 parameters, 14 rows read, 1 row written
--   CO-ROUTINE used
--     CO-ROUTINE (subquery-9)
--       CO-ROUTINE (subquery-16)
--         CO-ROUTINE reported
--           SCAN asked VIRTUAL TABLE INDEX 1:
--           SEARCH tasks USING PRIMARY KEY (id=?)
--           SEARCH planned USING PRIMARY KEY (task_id=? AND version=?)
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
          CROSS JOIN history AS planned
          WHERE tasks.id = asked.value ->> 'task'
            AND planned.task_id = tasks.id
            AND planned.version = tasks.version + 1
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

-- shown  (with usage and evidence, of a project)
-- 682 characters, 5 parameters, 4 rows read, 1 row written
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   SEARCH planned USING PRIMARY KEY (task_id=? AND version=?)
--   CORRELATED SCALAR SUBQUERY 1
--     SCAN json_each VIRTUAL TABLE INDEX 1:
UPDATE tasks
SET head_commit = coalesce(:head_commit, head_commit),
  evidence = iif(
    :evidence IS NULL,
    evidence,
    (
      SELECT json_group_array(
        json_set(value, '$.commit', coalesce(value ->> '$.commit', :head_commit, head_commit))
      )
      FROM json_each(:evidence)
    )
  ),
  session_url = iif(
    :session_url IS NULL AND :resume_command IS NULL,
    session_url,
    coalesce(:session_url, iif(session_token = tasks.grants, session_url, NULL))
  ),
  resume_command = iif(
    :session_url IS NULL AND :resume_command IS NULL,
    resume_command,
    coalesce(:resume_command, iif(session_token = tasks.grants, resume_command, NULL))
  ),
  session_token = iif(:session_url IS NULL AND :resume_command IS NULL, session_token, tasks.grants)
FROM history AS planned
WHERE tasks.id = :id AND planned.task_id = :id AND planned.version = tasks.version + 1;
