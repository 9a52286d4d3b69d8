-- POST /api/v1/drafts/:id/promote
-- 2 round trips, 7 statements: 3,321 characters, 54 parameters, 16 rows read, 7 rows written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- found
-- 68 characters, 2 parameters, 1 row read, 0 rows written
--   SEARCH drafts USING INTEGER PRIMARY KEY (rowid=?)
SELECT *
FROM drafts
WHERE id = :id AND (:scope IS NULL OR scope = :scope);

-- inserted
-- 2,006 characters, 39 parameters, 3 rows read, 2 rows written
--   SEARCH drafts EXISTS USING INTEGER PRIMARY KEY (rowid=?)
--   SCALAR SUBQUERY 5
--     SEARCH projects USING PRIMARY KEY (id=?)
--   SCALAR SUBQUERY 6
--     SEARCH projects USING PRIMARY KEY (id=?)
--   SCALAR SUBQUERY 7
--     SEARCH roles USING PRIMARY KEY (scope=?)
--   SCALAR SUBQUERY 10
--     SEARCH tasks USING COVERING INDEX tasks_file_path (scope=? AND file_path=?)
--   SCALAR SUBQUERY 11
--     SEARCH tasks USING PRIMARY KEY (id=?)
--   SCALAR SUBQUERY 9
--     SEARCH flows USING PRIMARY KEY (scope=? AND name=?)
--     CORRELATED LIST SUBQUERY 8
--       SCAN json_each VIRTUAL TABLE INDEX 3:
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
  by_project,
  draft_id
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
  ),
  :draft_id
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
  AND EXISTS (
    SELECT 1
    FROM drafts
    WHERE id = :draft_id AND scope = :scope AND linked_task_id IS NULL AND linked_project_id IS NULL
  )
RETURNING id;

-- linked
-- 132 characters, 2 parameters, 2 rows read, 1 row written
--   SEARCH queue_counts USING PRIMARY KEY (scope=?)
--   SCALAR SUBQUERY 1
--     SEARCH tasks USING PRIMARY KEY (id=?)
--     CORRELATED SCALAR SUBQUERY 3
--       SEARCH history USING PRIMARY KEY (task_id=? AND version=?)
UPDATE queue_counts
SET drafts_revision = drafts_revision + 1
WHERE scope = :scope AND EXISTS (SELECT 1 FROM unrecorded WHERE id = :id);

-- linked
-- 145 characters, 3 parameters, 2 rows read, 1 row written
--   SEARCH drafts USING INTEGER PRIMARY KEY (rowid=?)
--   SCALAR SUBQUERY 1
--     SEARCH tasks USING PRIMARY KEY (id=?)
--     CORRELATED SCALAR SUBQUERY 3
--       SEARCH history USING PRIMARY KEY (task_id=? AND version=?)
UPDATE drafts
SET linked_task_id = :id, status = 'promoted', updated_at = :now
WHERE id = :draft_id AND EXISTS (SELECT 1 FROM unrecorded WHERE id = :id);

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

-- known  (to a project, under an idempotency key)
-- 80 characters, 2 parameters, 0 rows read, 0 rows written, sent 2 times
--   SEARCH idempotency_keys USING PRIMARY KEY (id=?)
SELECT fingerprint, answer, at
FROM idempotency_keys
WHERE id = :key AND at > :oldest;

-- keyForgotten  (to a project, under an idempotency key)
-- 57 characters, 2 parameters, 0 rows read, 0 rows written
--   SEARCH idempotency_keys USING PRIMARY KEY (id=?)
DELETE
FROM idempotency_keys
WHERE id = :key AND at <= :oldest;

-- inserted  (to a project, under an idempotency key)
-- 497 characters, 19 parameters, 3 rows read, 2 rows written
--   SEARCH drafts EXISTS USING INTEGER PRIMARY KEY (rowid=?)
--   SEARCH tasks USING INDEX tasks_project (project_id=?)
INSERT INTO projects (
  id,
  scope,
  title,
  description,
  status,
  branch,
  base_branch,
  auto_accept,
  flow,
  pr_number,
  pr_url,
  created_by,
  created_at,
  updated_at,
  completed_at,
  evidence_required,
  max_cost_usd,
  max_tokens,
  max_review_rounds,
  draft_id
)
SELECT :id, :scope, :title, :description, :status, :branch, :base_branch, :auto_accept, :flow, :pr_number,
  :pr_url, :created_by, :now, :now, :completed_at, :evidence_required, :max_cost_usd, :max_tokens,
  :max_review_rounds, :draft_id
WHERE EXISTS (
  SELECT 1
  FROM drafts
  WHERE id = :draft_id AND scope = :scope AND linked_task_id IS NULL AND linked_project_id IS NULL
)
RETURNING *;

-- keyKept  (to a project, under an idempotency key)
-- 999 characters, 4 parameters, 1 row read, 1 row written
--   SEARCH projects USING PRIMARY KEY (id=?)
INSERT INTO idempotency_keys (id, fingerprint, at, answer)
SELECT :key, :fingerprint, :sent,
  '[' || group_concat(
    rtrim(
      json_object(
        'id',
        id,
        'scope',
        scope,
        'title',
        title,
        'description',
        iif(octet_length(description) > 16384, NULL, description),
        'status',
        status,
        'branch',
        branch,
        'base_branch',
        base_branch,
        'auto_accept',
        auto_accept,
        'flow',
        flow,
        'pr_number',
        pr_number,
        'pr_url',
        pr_url,
        'created_by',
        created_by,
        'draft_id',
        draft_id,
        'created_at',
        created_at,
        'updated_at',
        updated_at,
        'completed_at',
        completed_at
      ),
      '}'
    ) || ',' || substr(
      json_object(
        'evidence_required',
        evidence_required,
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
        'max_review_rounds',
        max_review_rounds,
        'left_out',
        'projects' || iif(octet_length(description) > 16384, ',description', '')
      ),
      2
    ),
    ','
  ) || ']'
FROM projects
WHERE changes() > 0 AND id = :id
HAVING count(*) > 0;

-- counted  (to a project, under an idempotency key)
-- 312 characters, 3 parameters, 3 rows read, 1 row written
--   SEARCH queue_counts USING PRIMARY KEY (scope=?)
--   SCALAR SUBQUERY 1
--     SEARCH drafts USING INTEGER PRIMARY KEY (rowid=?)
--   SCALAR SUBQUERY 2
--     SEARCH projects USING PRIMARY KEY (id=?)
UPDATE queue_counts
SET projects_revision = projects_revision + 1, projects_total = projects_total + 1
WHERE scope = :scope
  AND EXISTS (
    SELECT 1
    FROM drafts
    WHERE id = :draft_id AND scope = :scope AND linked_task_id IS NULL AND linked_project_id IS NULL
  )
  AND EXISTS (SELECT 1 FROM projects WHERE id = :id AND draft_id = :draft_id);

-- linked  (to a project, under an idempotency key)
-- 271 characters, 3 parameters, 3 rows read, 1 row written
--   SEARCH queue_counts USING PRIMARY KEY (scope=?)
--   SCALAR SUBQUERY 1
--     SEARCH drafts USING INTEGER PRIMARY KEY (rowid=?)
--   SCALAR SUBQUERY 2
--     SEARCH projects USING PRIMARY KEY (id=?)
UPDATE queue_counts
SET drafts_revision = drafts_revision + 1
WHERE scope = :scope
  AND EXISTS (
    SELECT 1
    FROM drafts
    WHERE id = :draft_id AND scope = :scope AND linked_task_id IS NULL AND linked_project_id IS NULL
  )
  AND EXISTS (SELECT 1 FROM projects WHERE id = :id AND draft_id = :draft_id);

-- linked  (to a project, under an idempotency key)
-- 287 characters, 4 parameters, 3 rows read, 1 row written
--   SEARCH drafts USING INTEGER PRIMARY KEY (rowid=?)
--   SCALAR SUBQUERY 1
--     SEARCH drafts USING INTEGER PRIMARY KEY (rowid=?)
--   SCALAR SUBQUERY 2
--     SEARCH projects USING PRIMARY KEY (id=?)
UPDATE drafts
SET linked_project_id = :id, status = 'promoted', updated_at = :now
WHERE id = :draft_id
  AND EXISTS (
    SELECT 1
    FROM drafts
    WHERE id = :draft_id AND scope = :scope AND linked_task_id IS NULL AND linked_project_id IS NULL
  )
  AND EXISTS (SELECT 1 FROM projects WHERE id = :id AND draft_id = :draft_id);

-- begun  (to a project, under an idempotency key)
-- 205 characters, 1 parameter, 1 row read, 1 row written
--   SEARCH projects EXISTS USING PRIMARY KEY (id=?)
--   SCALAR SUBQUERY 1
--     SEARCH tasks USING COVERING INDEX tasks_project (project_id=?)
INSERT INTO queue_counts (scope, counts)
SELECT char(31) || :id, '{}'
WHERE NOT EXISTS (SELECT 1 FROM tasks WHERE project_id = :id)
  AND EXISTS (SELECT 1 FROM projects WHERE id = :id)
ON CONFLICT
DO NOTHING;
