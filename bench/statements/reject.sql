-- POST /api/v1/tasks/:id/reject
-- 1 round trip, 9 statements: 7,479 characters, 27 parameters, 34 rows read, 5 rows written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- recorded
-- 1,749 characters, 10 parameters, 2 rows read, 2 rows written
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 3
--     SEARCH flows USING PRIMARY KEY (scope=? AND name=?)
--   CORRELATED SCALAR SUBQUERY 1
--     SEARCH queue_counts USING PRIMARY KEY (scope=?)
--   CORRELATED SCALAR SUBQUERY 8
--     SEARCH projects USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 8
--     SEARCH projects USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 8
--     SEARCH projects USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 3
--     SEARCH flows USING PRIMARY KEY (scope=? AND name=?)
--   CORRELATED SCALAR SUBQUERY 8
--     SEARCH projects USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 8
--     SEARCH projects USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 8
--     SEARCH projects USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 8
--     SEARCH projects USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 8
--     SEARCH projects USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 8
--     SEARCH projects USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 8
--     SEARCH projects USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 8
--     SEARCH projects USING PRIMARY KEY (id=?)
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
  'rejected', queue,
  CASE
    WHEN cancel_requested_at IS NOT NULL THEN 'cancelled'
    WHEN rejection_count + 1 >= nullif(most, 0) THEN 'failed'
    ELSE usual
  END,
  :actor, :excerpt,
  iif(
    cancel_requested_at IS NULL AND rejection_count + 1 >= nullif(most, 0),
    json_set(
      coalesce(:details, '{}'),
      '$.budget',
      iif(
        coalesce(
          nullif(coalesce(max_rejections, CAST(:max_rejections AS INTEGER)), 0) > rounds, rounds IS NOT NULL
        ),
        'max_review_rounds',
        'max_rejections'
      ),
      '$.limit',
      most
    ),
    :details
  ),
  grants, :now, title, project_id
FROM (
  SELECT *,
    coalesce(
      (
        SELECT iif(
          stuck
            OR rule ->> ('$.leads."' || place || '"."' || destination || '"')
            OR rule ->> ('$.leads."' || origin || '"."' || destination || '"')
            OR rule ->> ('$.leads."' || queue || '"."' || destination || '"') ,
          destination,
          ''
        )
        FROM (
          SELECT rules -> iif(project_id IS NULL, '$.task', '$.child') AS rule
          FROM flows
          WHERE flows.scope = task.scope AND flows.name = task.flow
        )
      ),
      iif((place IN ('provisional', 'claimed') OR stuck), destination, '')
    ) AS usual ,
    iif(
      coalesce(
        nullif(coalesce(max_rejections, CAST(:max_rejections AS INTEGER)), 0) > rounds, rounds IS NOT NULL
      ),
      rounds,
      coalesce(max_rejections, CAST(:max_rejections AS INTEGER))
    ) AS most
  FROM (
    SELECT *, CASE WHEN queue = 'requires-intervention' THEN came_from ELSE queue END AS place,
      'incoming' AS destination
    FROM held
    WHERE id = :id
      AND (:scope IS NULL OR scope = :scope)
      AND (:version IS NULL OR version = :version)
      AND (
        coalesce(fencing_token, lapsed_token) = :token
        OR (:token IS NULL AND (:lenient OR (claimed_by IS NULL)))
      )
  ) AS task
) AS moving
WHERE usual NOT IN ('', queue);

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
-- 1,203 characters, 2 parameters, 6 rows read, 0 rows written
--   CO-ROUTINE (subquery-66)
--     MATERIALIZE failing
--       SETUP
--         MERGE (UNION)
--           LEFT
--             CO-ROUTINE (subquery-1)
--               SEARCH dependencies USING PRIMARY KEY (blocker_key=?)
--             SCAN (subquery-1)
--             SEARCH counter USING PRIMARY KEY (scope=?)
--             SCALAR SUBQUERY 2
--               SEARCH tasks USING PRIMARY KEY (id=?)
--             SEARCH history USING INDEX history_feed (scope=? AND seq>?)
--             SEARCH blocker USING PRIMARY KEY (id=?)
--             CORRELATED SCALAR SUBQUERY 21
--               SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--             SEARCH edge USING PRIMARY KEY (blocker_key=?)
--             REUSE SUBQUERY 2
--             CORRELATED SCALAR SUBQUERY 22
--               SEARCH other USING PRIMARY KEY (id=?)
--             USE TEMP B-TREE FOR ORDER BY
--           RIGHT
--             CO-ROUTINE (subquery-4)
--               SEARCH dependencies USING COVERING INDEX dependencies_of (task_id=?)
--             SCAN (subquery-4)
--             SEARCH counter USING PRIMARY KEY (scope=?)
--             SCALAR SUBQUERY 5
--               SEARCH tasks USING PRIMARY KEY (id=?)
--             SEARCH history USING COVERING INDEX history_feed (scope=? AND seq>?)
--             REUSE SUBQUERY 5
--             SEARCH edge USING INDEX dependencies_of (task_id=?)
--             SEARCH blocker USING PRIMARY KEY (id=?)
--             CORRELATED SCALAR SUBQUERY 16
--               SEARCH other USING PRIMARY KEY (id=?)
--             CORRELATED SCALAR SUBQUERY 15
--               SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--             USE TEMP B-TREE FOR ORDER BY
--       RECURSIVE STEP
--         SCAN failing
--         SEARCH tasks USING PRIMARY KEY (id=?)
--         CORRELATED SCALAR SUBQUERY 27
--           SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--         CORRELATED SCALAR SUBQUERY 26
--           SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--         SEARCH blocker USING PRIMARY KEY (id=?)
--         SEARCH edge USING PRIMARY KEY (blocker_key=?)
--         CORRELATED SCALAR SUBQUERY 32
--           SEARCH other USING PRIMARY KEY (id=?)
--     SCAN failing
--     SEARCH tasks USING PRIMARY KEY (id=?)
--     CORRELATED SCALAR SUBQUERY 37
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--     CORRELATED SCALAR SUBQUERY 36
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--     CORRELATED SCALAR SUBQUERY 35
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--     CORRELATED SCALAR SUBQUERY 36
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--   SCAN (subquery-66)
--   CORRELATED SCALAR SUBQUERY 8
--     SEARCH counter USING PRIMARY KEY (scope=?)
--     CORRELATED SCALAR SUBQUERY 40
--       SEARCH history USING COVERING INDEX history_feed (scope=? AND seq>?)
--   CORRELATED SCALAR SUBQUERY 10
--     SEARCH edge USING INDEX dependencies_of (task_id=?)
--     SEARCH blocker USING PRIMARY KEY (id=?)
--     CORRELATED SCALAR SUBQUERY 44
--       SEARCH other USING PRIMARY KEY (id=?)
--     CORRELATED SCALAR SUBQUERY 43
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--     LIST SUBQUERY 9
--       SCAN failing
--       CREATE BLOOM FILTER
--     CORRELATED SCALAR SUBQUERY 43
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
WITH RECURSIVE failing (id) AS (
  SELECT task_id
  FROM (SELECT 1 FROM dependencies WHERE blocker_key = replace(:id, 'TASK-', '') LIMIT 1)
  CROSS JOIN touched
  WHERE touched.scope = (SELECT scope FROM tasks WHERE id = :id)
    AND fails
    AND queue IN ('failed', 'cancelled')
  UNION
  SELECT waits.task_id
  FROM (SELECT 1 FROM dependencies WHERE task_id = :id LIMIT 1)
  CROSS JOIN plans
  CROSS JOIN waits ON waits.task_id = plans.task_id
  WHERE plans.scope = (SELECT scope FROM tasks WHERE id = :id)
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
-- 1,615 characters, 5 parameters, 6 rows read, 2 rows written
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--   CORRELATED SCALAR SUBQUERY 4
--     SEARCH later USING PRIMARY KEY (task_id=? AND version>?)
--   CORRELATED SCALAR SUBQUERY 1
--     SEARCH history USING PRIMARY KEY (task_id=? AND version=?)
UPDATE tasks
SET version = planned.version, updated_at = :now, queue = to_queue, lapsed_token = NULL, claimed_by = NULL,
  claimed_at = NULL, claimed_from = NULL, orchestrator_id = NULL, lease_expires_at = NULL,
  lease_seconds = NULL, deadline_at = NULL, cancel_requested_at = NULL, completed_at = NULL,
  rejection_count = rejection_count + 1, needs_intervention = 0,
  failure_reason = CASE
    WHEN planned.event = 'dependency_failed' THEN iif(tasks.bytes > 1600000, NULL, planned.reason)
    WHEN to_queue = 'failed' AND NOT tasks.bytes > 1600000 THEN (
      SELECT iif(
        details ->> '$.budget' = 'max_review_rounds',
        'The cap of ' || (details ->> '$.limit') || iif(
          details ->> '$.limit' = 1, ' review round', ' review rounds'
        ) || ' of the project is reached.' || coalesce(' Last: ' || :reason, ''),
        'The budget of ' || (details ->> '$.limit') || iif(
          (details ->> '$.limit') = 1, ' rejection is spent.', ' rejections is spent.'
        ) || coalesce(' Last: ' || :reason, '')
      )
      FROM history
      WHERE task_id = tasks.id AND history.version = tasks.version + 1
    )
  END,
  cancel_reason = iif(to_queue = 'cancelled', cancel_reason, NULL), available_at = NULL , terminal = 0 ,
  setbacks = iif(
    tasks.bytes > 1600000,
    setbacks,
    json_insert(
      iif(json_array_length(setbacks) >= 10, json_remove(setbacks, '$[0]'), coalesce(setbacks, '[]')),
      '$[#]',
      json_object(
        'event',
        'rejected',
        'actor',
        :actor,
        'reason',
        :excerpt,
        'at',
        CAST(:now AS INTEGER),
        'fencing_token',
        fencing_token,
        'execution_notes',
        substr(execution_notes, 1, 1000),
        'check_results',
        substr(check_results, 1, 1000)
      )
    )
  ) ,
  last_rejection_reason = :reason
FROM planned
WHERE planned.id = :id AND tasks.id = :id
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

-- keyForgotten  (under an idempotency key, three wait for it)
-- 57 characters, 2 parameters, 0 rows read, 0 rows written
--   SEARCH idempotency_keys USING PRIMARY KEY (id=?)
DELETE
FROM idempotency_keys
WHERE id = :key AND at <= :oldest;

-- keyFound  (under an idempotency key, three wait for it)
-- 80 characters, 2 parameters, 0 rows read, 0 rows written
--   SEARCH idempotency_keys USING PRIMARY KEY (id=?)
SELECT fingerprint, answer, at
FROM idempotency_keys
WHERE id = :key AND at > :oldest;

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
