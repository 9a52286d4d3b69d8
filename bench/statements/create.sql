-- POST /api/v1/tasks
-- 1 round trip, 4 statements: 2,837 characters, 46 parameters, 10 rows read, 5 rows written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- inserted
-- 1,867 characters, 38 parameters, 2 rows read, 2 rows written
--   SCAN CONSTANT ROW
--   SCALAR SUBQUERY 5
--     SEARCH projects USING PRIMARY KEY (id=?)
--   SCALAR SUBQUERY 6
--     SEARCH projects USING PRIMARY KEY (id=?)
--   SCALAR SUBQUERY 7
--     SEARCH roles USING PRIMARY KEY (scope=?)
--   SCALAR SUBQUERY 9
--     SEARCH flows USING PRIMARY KEY (scope=? AND name=?)
--     CORRELATED LIST SUBQUERY 8
--       SCAN json_each VIRTUAL TABLE INDEX 3:
--   SCALAR SUBQUERY 10
--     SEARCH tasks USING COVERING INDEX tasks_file_path (scope=? AND file_path=?)
--   SCALAR SUBQUERY 11
--     SEARCH tasks USING PRIMARY KEY (id=?)
--   SCALAR SUBQUERY 1
--     SEARCH history USING PRIMARY KEY (task_id=?)
--   SCALAR SUBQUERY 2
--     SEARCH projects USING PRIMARY KEY (id=?)
--   SCALAR SUBQUERY 3
--     SEARCH history USING PRIMARY KEY (task_id=?)
--   SCALAR SUBQUERY 4
--     SEARCH queue_counts USING COVERING INDEX queue_counts_by_project (scope=?)
INSERT INTO tasks (
  id,
  scope,
  file_path,
  title,
  queue,
  version,
  priority,
  priority_rank,
  complexity,
  role,
  type,
  branch,
  content,
  project_id,
  pr_number,
  attempt_count,
  needs_intervention,
  auto_accept,
  hooks,
  flow,
  flow_overrides,
  metadata,
  created_at,
  updated_at,
  completed_at,
  grants,
  claimed_by,
  claimed_at,
  claimed_from,
  lease_expires_at,
  deadline_at,
  max_attempt_seconds,
  max_attempts,
  max_lease_losses,
  max_rejections,
  loss_limit,
  attempt_limit,
  external_key,
  max_cost_usd,
  max_tokens,
  by_project
)
SELECT :id, :scope, :file_path, :title, :queue,
  coalesce((SELECT version FROM history WHERE task_id = :id ORDER BY version DESC LIMIT 1), 0) + 1, :priority,
  :priority_rank, :complexity, :role, :type,
  coalesce((SELECT branch FROM projects WHERE id = :project_id AND scope = :scope), :branch), :content,
  :project_id, :pr_number, :attempt_count, :needs_intervention, :auto_accept, :hooks, :flow, :flow_overrides,
  :metadata, :now, :now, :completed_at,
  coalesce((SELECT grants FROM history WHERE task_id = :id ORDER BY version DESC LIMIT 1), 0), :claimed_by,
  :claimed_at, :claimed_from, :lease_expires_at, :deadline_at, :max_attempt_seconds, :max_attempts,
  :max_lease_losses, :max_rejections, :loss_limit, :attempt_limit, :external_key,
  CAST(:max_cost_usd AS INTEGER), CAST(:max_tokens AS INTEGER),
  EXISTS (
    SELECT 1
    FROM queue_counts INDEXED BY queue_counts_by_project
    WHERE queue_counts.scope = :scope AND by_project = 1
  )
WHERE coalesce((SELECT branch FROM projects WHERE id = :project_id AND scope = :scope), :branch) IS NOT NULL
  AND (:project_id IS NULL OR EXISTS (SELECT 1 FROM projects WHERE id = :project_id AND scope = :scope))
  AND (
    :role IS NULL
    OR (SELECT count(*) = 0 OR count(*) FILTER (WHERE name = :role) = 1 FROM roles WHERE scope = :scope)
  )
  AND (
    :usual_queue
    OR coalesce(
      (
        SELECT :queue IN (
          SELECT value
          FROM json_each(rules, iif(:project_id IS NULL, '$.task.states', '$.child.states'))
        )
        FROM flows
        WHERE scope = :scope AND name = :flow
      ),
      1
    )
  )
  AND NOT (
    EXISTS (
      SELECT 1
      FROM tasks
      WHERE scope = :scope AND file_path = :file_path AND file_path <> 'TASK-' || id || '.md'
    )
    OR EXISTS (
      SELECT 1
      FROM tasks
      WHERE id = substr(:file_path, 6, length(:file_path) - 8) AND +scope = :scope AND +file_path = :file_path
    )
  )
RETURNING id;

-- counted
-- 643 characters, 4 parameters, 4 rows read, 1 row written
--   CO-ROUTINE (subquery-3)
--     COMPOUND QUERY
--       LEFT-MOST SUBQUERY
--         SCAN CONSTANT ROW
--         SCALAR SUBQUERY 4
--           SEARCH tasks USING PRIMARY KEY (id=?)
--           CORRELATED SCALAR SUBQUERY 7
--             SEARCH history USING PRIMARY KEY (task_id=? AND version=?)
--       UNION ALL
--         SEARCH queue_counts USING PRIMARY KEY (scope=?)
--         SCALAR SUBQUERY 4
--           SEARCH tasks USING PRIMARY KEY (id=?)
--           CORRELATED SCALAR SUBQUERY 7
--             SEARCH history USING PRIMARY KEY (task_id=? AND version=?)
--   SCAN (subquery-3)
--   SCALAR SUBQUERY 4
--     SEARCH tasks USING PRIMARY KEY (id=?)
--     CORRELATED SCALAR SUBQUERY 7
--       SEARCH history USING PRIMARY KEY (task_id=? AND version=?)
--   SCALAR SUBQUERY 1
--     SEARCH queue_counts USING PRIMARY KEY (scope=?)
INSERT INTO queue_counts (scope, counts, revision, seq, events)
SELECT owner, json_object(:queue, 1), 1, coalesce((SELECT seq FROM queue_counts WHERE scope = :scope), 0) + 1,
  iif(owner < ' ', '{}', '{"created":1}')
FROM (SELECT :scope AS owner UNION ALL SELECT scope FROM queue_counts WHERE scope = char(31) || :project_id)
WHERE EXISTS (SELECT 1 FROM unrecorded WHERE id = :id)
ON CONFLICT (scope)
DO UPDATE SET revision = revision + 1, seq = excluded.seq,
  counts = json_patch(counts, json_object(:queue, coalesce(counts ->> ('$."' || :queue || '"'), 0) + 1)),
  events = iif(scope < ' ', events, json_set(events, '$.created', coalesce(events ->> 'created', 0) + 1));

-- recorded
-- 293 characters, 3 parameters, 3 rows read, 2 rows written
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 4
--     SEARCH history USING PRIMARY KEY (task_id=? AND version=?)
--   CORRELATED SCALAR SUBQUERY 1
--     SEARCH queue_counts USING PRIMARY KEY (scope=?)
INSERT INTO history (task_id, version, scope, seq, event, to_queue, actor, grants, at, title, project_id)
SELECT id, version, scope, (SELECT seq FROM queue_counts WHERE queue_counts.scope = unrecorded.scope),
  'created', queue, :actor, grants, :now, title, project_id
FROM unrecorded
WHERE id = :id;

-- task
-- 34 characters, 1 parameter, 1 row read, 0 rows written
--   SEARCH tasks USING PRIMARY KEY (id=?)
SELECT *
FROM tasks
WHERE id = :id;

-- ======== Sent in special cases only ========

-- inserted  (waits for two others)
-- 2,252 characters, 39 parameters, 6 rows read, 2 rows written
--   SCAN CONSTANT ROW
--   SCALAR SUBQUERY 5
--     SEARCH projects USING PRIMARY KEY (id=?)
--   SCALAR SUBQUERY 6
--     SEARCH projects USING PRIMARY KEY (id=?)
--   SCALAR SUBQUERY 7
--     SEARCH roles USING PRIMARY KEY (scope=?)
--   SCALAR SUBQUERY 9
--     SEARCH flows USING PRIMARY KEY (scope=? AND name=?)
--     CORRELATED LIST SUBQUERY 8
--       SCAN json_each VIRTUAL TABLE INDEX 3:
--   SCALAR SUBQUERY 10
--     SEARCH tasks USING COVERING INDEX tasks_file_path (scope=? AND file_path=?)
--   SCALAR SUBQUERY 11
--     SEARCH tasks USING PRIMARY KEY (id=?)
--   SCALAR SUBQUERY 14
--     CO-ROUTINE below
--       SETUP
--         SCAN CONSTANT ROW
--       RECURSIVE STEP
--         SCAN below
--         SEARCH edge USING PRIMARY KEY (blocker_key=?)
--     SCAN below
--     SCAN given VIRTUAL TABLE INDEX 1:
--   SCALAR SUBQUERY 1
--     SEARCH history USING PRIMARY KEY (task_id=?)
--   SCALAR SUBQUERY 2
--     SEARCH projects USING PRIMARY KEY (id=?)
--   SCALAR SUBQUERY 3
--     SEARCH history USING PRIMARY KEY (task_id=?)
--   SCALAR SUBQUERY 4
--     SEARCH queue_counts USING COVERING INDEX queue_counts_by_project (scope=?)
INSERT INTO tasks (
  id,
  scope,
  file_path,
  title,
  queue,
  version,
  priority,
  priority_rank,
  complexity,
  role,
  type,
  branch,
  content,
  project_id,
  pr_number,
  attempt_count,
  needs_intervention,
  auto_accept,
  hooks,
  flow,
  flow_overrides,
  metadata,
  created_at,
  updated_at,
  completed_at,
  grants,
  claimed_by,
  claimed_at,
  claimed_from,
  lease_expires_at,
  deadline_at,
  max_attempt_seconds,
  max_attempts,
  max_lease_losses,
  max_rejections,
  loss_limit,
  attempt_limit,
  external_key,
  max_cost_usd,
  max_tokens,
  by_project
)
SELECT :id, :scope, :file_path, :title, :queue,
  coalesce((SELECT version FROM history WHERE task_id = :id ORDER BY version DESC LIMIT 1), 0) + 1, :priority,
  :priority_rank, :complexity, :role, :type,
  coalesce((SELECT branch FROM projects WHERE id = :project_id AND scope = :scope), :branch), :content,
  :project_id, :pr_number, :attempt_count, :needs_intervention, :auto_accept, :hooks, :flow, :flow_overrides,
  :metadata, :now, :now, :completed_at,
  coalesce((SELECT grants FROM history WHERE task_id = :id ORDER BY version DESC LIMIT 1), 0), :claimed_by,
  :claimed_at, :claimed_from, :lease_expires_at, :deadline_at, :max_attempt_seconds, :max_attempts,
  :max_lease_losses, :max_rejections, :loss_limit, :attempt_limit, :external_key,
  CAST(:max_cost_usd AS INTEGER), CAST(:max_tokens AS INTEGER),
  EXISTS (
    SELECT 1
    FROM queue_counts INDEXED BY queue_counts_by_project
    WHERE queue_counts.scope = :scope AND by_project = 1
  )
WHERE coalesce((SELECT branch FROM projects WHERE id = :project_id AND scope = :scope), :branch) IS NOT NULL
  AND (:project_id IS NULL OR EXISTS (SELECT 1 FROM projects WHERE id = :project_id AND scope = :scope))
  AND (
    :role IS NULL
    OR (SELECT count(*) = 0 OR count(*) FILTER (WHERE name = :role) = 1 FROM roles WHERE scope = :scope)
  )
  AND (
    :usual_queue
    OR coalesce(
      (
        SELECT :queue IN (
          SELECT value
          FROM json_each(rules, iif(:project_id IS NULL, '$.task.states', '$.child.states'))
        )
        FROM flows
        WHERE scope = :scope AND name = :flow
      ),
      1
    )
  )
  AND NOT (
    EXISTS (
      SELECT 1
      FROM tasks
      WHERE scope = :scope AND file_path = :file_path AND file_path <> 'TASK-' || id || '.md'
    )
    OR EXISTS (
      SELECT 1
      FROM tasks
      WHERE id = substr(:file_path, 6, length(:file_path) - 8) AND +scope = :scope AND +file_path = :file_path
    )
  )
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
  )
RETURNING id;

-- dependencies  (waits for two others)
-- 797 characters, 3 parameters, 11 rows read, 4 rows written
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 4
--     SEARCH history USING PRIMARY KEY (task_id=? AND version=?)
--   SCAN given VIRTUAL TABLE INDEX 1:
--   CORRELATED SCALAR SUBQUERY 1
--     SEARCH tasks USING PRIMARY KEY (id=?)
INSERT INTO dependencies (scope, blocker_key, blocker_id, task_id, position, on_failure, satisfied_at)
SELECT task.scope, given.value ->> 0, given.value ->> 1, task.id, given.key, given.value ->> 2,
  iif(
    EXISTS (
      SELECT 1
      FROM tasks
      WHERE +tasks.scope = task.scope
        AND tasks.id IN (
          given.value ->> 1, iif(given.value ->> 1 GLOB 'TASK-*', substr(given.value ->> 1, 6), NULL)
        )
        AND (
          +tasks.queue = 'done' OR (given.value ->> 2 = 'skip' AND +tasks.queue IN ('failed', 'cancelled'))
        )
    ),
    :now,
    NULL
  )
FROM unrecorded AS task
CROSS JOIN json_each(:waits) AS given
WHERE task.id = :id
ON CONFLICT (blocker_key, task_id, blocker_id)
DO UPDATE SET position = excluded.position, on_failure = excluded.on_failure,
  satisfied_at = iif(excluded.satisfied_at IS NULL, NULL, coalesce(satisfied_at, excluded.satisfied_at));

-- blocked  (waits for two others)
-- 209 characters, 1 parameter, 8 rows read, 2 rows written
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   LIST SUBQUERY 2
--     SEARCH tasks USING PRIMARY KEY (id=?)
--     CORRELATED SCALAR SUBQUERY 4
--       SEARCH history USING PRIMARY KEY (task_id=? AND version=?)
--   CORRELATED SCALAR SUBQUERY 1
--     USE TEMP B-TREE FOR group_concat(ORDER BY)
--     SEARCH dependencies USING INDEX dependencies_of (task_id=?)
UPDATE tasks
SET blocked_by = (
  SELECT group_concat(blocker_id, ',' ORDER BY position)
  FROM dependencies
  WHERE task_id = tasks.id AND satisfied_at IS NULL
)
WHERE id IN (SELECT id FROM unrecorded WHERE id = :id);

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
-- 4,335 characters, 5 parameters, 1 row read, 1 row written
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
WHERE changes() > 0 AND id = :id AND scope = :scope
HAVING count(*) > 0;
