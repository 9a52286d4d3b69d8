-- GET /api/v1/projects/:id/tasks
-- 1 round trip, 3 statements: 2,753 characters, 8 parameters, 5 rows read, 0 rows written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- rows
-- 2,462 characters, 4 parameters, 2 rows read, 0 rows written
--   CO-ROUTINE (subquery-2)
--     SEARCH tasks USING INDEX tasks_project (project_id=?)
--     SCALAR SUBQUERY 1
--       SEARCH projects USING PRIMARY KEY (id=?)
--     USE TEMP B-TREE FOR LAST 2 TERMS OF ORDER BY
--   SCAN (subquery-2)
SELECT id, scope, iif(heavy, NULL, file_path) AS file_path, iif(heavy, NULL, title) AS title, queue, version,
  iif(heavy, NULL, priority) AS priority, iif(heavy, NULL, complexity) AS complexity,
  iif(heavy, NULL, role) AS role, iif(heavy, NULL, type) AS type, iif(heavy, NULL, branch) AS branch,
  iif(heavy, NULL, content) AS content, project_id, draft_id, iif(heavy, NULL, blocked_by) AS blocked_by,
  claimed_by, claimed_at, orchestrator_id, lease_expires_at, fencing_token, deadline_at, max_attempt_seconds,
  cancel_requested_at, iif(heavy, NULL, cancel_reason) AS cancel_reason, available_at, waiting_for_reply,
  external_key, max_attempts, max_lease_losses, max_rejections,
  iif(heavy, NULL, failure_reason) AS failure_reason, terminal, attempt_count, rejection_count, lease_losses,
  iif(heavy, NULL, last_rejection_reason) AS last_rejection_reason, commits_count, turns_used,
  iif(heavy, NULL, check_results) AS check_results, iif(heavy, NULL, execution_notes) AS execution_notes,
  needs_intervention, submitted_at, iif(heavy, NULL, submitted_by) AS submitted_by, submitted_orchestrator_id,
  iif(heavy, NULL, head_commit) AS head_commit, iif(heavy, NULL, evidence) AS evidence,
  iif(heavy, NULL, session_url) AS session_url, iif(heavy, NULL, resume_command) AS resume_command,
  session_token, completed_at, pr_number, iif(heavy, NULL, pr_url) AS pr_url,
  iif(heavy, NULL, checks) AS checks, iif(heavy, NULL, staging_url) AS staging_url,
  iif(heavy, NULL, plan_id) AS plan_id, has_plan, auto_accept, needs_rebase, needs_breakdown,
  last_rebase_attempt_at, review_round, iif(heavy, NULL, hooks) AS hooks, iif(heavy, NULL, flow) AS flow,
  iif(heavy, NULL, flow_overrides) AS flow_overrides, iif(heavy, NULL, metadata) AS metadata, cost_usd,
  input_tokens, output_tokens, cached_tokens, wall_seconds, max_cost_usd, max_tokens, created_at, updated_at,
  claimed_from, named_holder, intervention_from, grants, lease_seconds,
  iif(heavy, NULL, checkpoint) AS checkpoint, iif(heavy, NULL, setbacks) AS setbacks, lapsed_token,
  question_id, iif(heavy, NULL, answers) AS answers, priority_rank, heavy
FROM (
  SELECT *,
    1700 + bytes + coalesce(octet_length(checkpoint), 0) + coalesce(octet_length(evidence), 0) + coalesce(
      octet_length(session_url), 0
    ) + coalesce(octet_length(resume_command), 0) > :share AS heavy
  FROM (
    SELECT tasks.*
    FROM tasks
    WHERE project_id = (SELECT id FROM projects WHERE id = :id AND (:scope IS NULL OR scope = :scope))
    ORDER BY priority_rank, created_at DESC, id
    LIMIT :take
  )
);

-- known
-- 71 characters, 2 parameters, 1 row read, 0 rows written
--   SEARCH projects USING PRIMARY KEY (id=?)
SELECT id
FROM projects
WHERE id = :id AND (:scope IS NULL OR scope = :scope);

-- revision
-- 220 characters, 2 parameters, 2 rows read, 0 rows written
--   SEARCH queue_counts USING PRIMARY KEY (scope=?)
--   SCALAR SUBQUERY 1
--     SEARCH projects USING PRIMARY KEY (id=?)
SELECT coalesce(max(revision), 0) AS revision, coalesce(max(leases_revision), 0) AS leases,
  max(scope) AS scope
FROM queue_counts
WHERE scope = (SELECT scope FROM projects WHERE id = :id AND (:scope IS NULL OR scope = :scope));

-- ======== Sent in special cases only ========

-- rows  (GET /api/v1/projects/deep-0/tasks?: the next page)
-- 2,515 characters, 7 parameters, 5 rows read, 0 rows written
--   CO-ROUTINE (subquery-2)
--     SEARCH tasks USING INDEX tasks_project (project_id=? AND (priority_rank,created_at,id)>(?,?,?))
--     SCALAR SUBQUERY 1
--       SEARCH projects USING PRIMARY KEY (id=?)
--   SCAN (subquery-2)
SELECT id, scope, iif(heavy, NULL, file_path) AS file_path, iif(heavy, NULL, title) AS title, queue, version,
  iif(heavy, NULL, priority) AS priority, iif(heavy, NULL, complexity) AS complexity,
  iif(heavy, NULL, role) AS role, iif(heavy, NULL, type) AS type, iif(heavy, NULL, branch) AS branch,
  iif(heavy, NULL, content) AS content, project_id, draft_id, iif(heavy, NULL, blocked_by) AS blocked_by,
  claimed_by, claimed_at, orchestrator_id, lease_expires_at, fencing_token, deadline_at, max_attempt_seconds,
  cancel_requested_at, iif(heavy, NULL, cancel_reason) AS cancel_reason, available_at, waiting_for_reply,
  external_key, max_attempts, max_lease_losses, max_rejections,
  iif(heavy, NULL, failure_reason) AS failure_reason, terminal, attempt_count, rejection_count, lease_losses,
  iif(heavy, NULL, last_rejection_reason) AS last_rejection_reason, commits_count, turns_used,
  iif(heavy, NULL, check_results) AS check_results, iif(heavy, NULL, execution_notes) AS execution_notes,
  needs_intervention, submitted_at, iif(heavy, NULL, submitted_by) AS submitted_by, submitted_orchestrator_id,
  iif(heavy, NULL, head_commit) AS head_commit, iif(heavy, NULL, evidence) AS evidence,
  iif(heavy, NULL, session_url) AS session_url, iif(heavy, NULL, resume_command) AS resume_command,
  session_token, completed_at, pr_number, iif(heavy, NULL, pr_url) AS pr_url,
  iif(heavy, NULL, checks) AS checks, iif(heavy, NULL, staging_url) AS staging_url,
  iif(heavy, NULL, plan_id) AS plan_id, has_plan, auto_accept, needs_rebase, needs_breakdown,
  last_rebase_attempt_at, review_round, iif(heavy, NULL, hooks) AS hooks, iif(heavy, NULL, flow) AS flow,
  iif(heavy, NULL, flow_overrides) AS flow_overrides, iif(heavy, NULL, metadata) AS metadata, cost_usd,
  input_tokens, output_tokens, cached_tokens, wall_seconds, max_cost_usd, max_tokens, created_at, updated_at,
  claimed_from, named_holder, intervention_from, grants, lease_seconds,
  iif(heavy, NULL, checkpoint) AS checkpoint, iif(heavy, NULL, setbacks) AS setbacks, lapsed_token,
  question_id, iif(heavy, NULL, answers) AS answers, priority_rank, heavy
FROM (
  SELECT *,
    1700 + bytes + coalesce(octet_length(checkpoint), 0) + coalesce(octet_length(evidence), 0) + coalesce(
      octet_length(session_url), 0
    ) + coalesce(octet_length(resume_command), 0) > :share AS heavy
  FROM (
    SELECT tasks.*
    FROM tasks
    WHERE project_id = (SELECT id FROM projects WHERE id = :id AND (:scope IS NULL OR scope = :scope))
      AND (priority_rank, created_at, id) > (:after_priority_rank, :after_created_at, :after_id)
    ORDER BY priority_rank, created_at ASC, id
    LIMIT :take
  )
);

-- rows  (GET /api/v1/projects/deep-0/tasks?offset=5)
-- 601 characters, 3 parameters, 5,003 rows read, 0 rows written
--   CO-ROUTINE (subquery-4)
--     CO-ROUTINE (subquery-6)
--       SEARCH tasks USING INDEX tasks_project (project_id=?)
--       SCALAR SUBQUERY 1
--         SEARCH projects USING PRIMARY KEY (id=?)
--       USE TEMP B-TREE FOR LAST 2 TERMS OF ORDER BY
--     SCAN (subquery-6)
--   SCAN (subquery-4)
--   USE TEMP B-TREE FOR ORDER BY
SELECT *
FROM (
  SELECT *, sum(row_bytes) OVER so_far AS page_bytes, row_number() OVER so_far AS place
  FROM (
    SELECT *,
      1700 + bytes + coalesce(octet_length(checkpoint), 0) + coalesce(octet_length(evidence), 0) + coalesce(
        octet_length(session_url), 0
      ) + coalesce(octet_length(resume_command), 0) AS row_bytes
    FROM (
      SELECT tasks.*
      FROM tasks
      WHERE project_id = (SELECT id FROM projects WHERE id = :id AND (:scope IS NULL OR scope = :scope))
      ORDER BY priority_rank, created_at DESC, id
      LIMIT :take
    )
  )
  WINDOW so_far AS (ROWS UNBOUNDED PRECEDING)
)
WHERE page_bytes - row_bytes <= 4000000 OR place = 2
ORDER BY place;

-- counted  (GET /api/v1/projects/deep-0/tasks?offset=5)
-- 529 characters, 2 parameters, 4 rows read, 0 rows written
--   SCAN json_each VIRTUAL TABLE INDEX 1:
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
SELECT coalesce(sum(value), 0) AS total
FROM json_each(
  coalesce(
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
  )
);
