-- GET /api/v1/projects
-- 1 round trip, 3 statements: 1,831 characters, 6 parameters, 104 rows read, 0 rows written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- rows
-- 1,395 characters, 4 parameters, 102 rows read, 0 rows written
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
SELECT id, scope, iif(heavy, NULL, title) AS title, iif(heavy, NULL, description) AS description,
  iif(heavy, NULL, status) AS status, iif(heavy, NULL, branch) AS branch,
  iif(heavy, NULL, base_branch) AS base_branch, auto_accept, iif(heavy, NULL, flow) AS flow, pr_number,
  iif(heavy, NULL, pr_url) AS pr_url, iif(heavy, NULL, created_by) AS created_by, draft_id, created_at,
  updated_at, completed_at, iif(heavy, NULL, evidence_required) AS evidence_required, cost_usd, input_tokens,
  output_tokens, cached_tokens, wall_seconds, max_cost_usd, max_tokens, max_review_rounds, counts, heavy
FROM (
  SELECT *,
    520 + coalesce(octet_length(title), 0) + coalesce(octet_length(description), 0) + coalesce(
      octet_length(status), 0
    ) + coalesce(octet_length(branch), 0) + coalesce(octet_length(base_branch), 0) + coalesce(
      octet_length(flow), 0
    ) + coalesce(octet_length(pr_url), 0) + coalesce(octet_length(created_by), 0) + coalesce(
      octet_length(evidence_required), 0
    ) > :share AS heavy
  FROM (
    SELECT *,
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
      FROM projects
      WHERE scope = :scope
      ORDER BY created_at DESC, id DESC
      LIMIT :take OFFSET :skip
    ) AS projects
  )
);

-- count
-- 137 characters, 1 parameter, 1 row read, 0 rows written
--   SCAN CONSTANT ROW
--   SCALAR SUBQUERY 1
--     SEARCH queue_counts USING PRIMARY KEY (scope=?)
--   SCALAR SUBQUERY 2
--     SEARCH projects USING COVERING INDEX projects_newest (scope=?)
SELECT coalesce(
  (SELECT projects_total FROM queue_counts WHERE scope = :scope),
  (SELECT count(*) FROM projects WHERE scope = :scope)
) AS total;

-- revision
-- 299 characters, 1 parameter, 1 row read, 0 rows written
--   SEARCH queue_counts USING PRIMARY KEY (scope=?)
--   SCALAR SUBQUERY 2
--     CO-ROUTINE (subquery-1)
--       SEARCH usage USING PRIMARY KEY (scope=?)
--     SCAN (subquery-1)
SELECT coalesce(sum(projects_revision + revision), 0) AS revision,
  (
    SELECT json_group_array(
      json_array(day, cost_usd, input_tokens, output_tokens, cached_tokens, wall_seconds)
    )
    FROM (SELECT * FROM usage WHERE usage.scope = :scope ORDER BY day DESC LIMIT 2)
  ) AS used
FROM queue_counts
WHERE scope = :scope;

-- ======== Sent in special cases only ========

-- rows  (GET /api/v1/projects?: the next page)
-- 1,429 characters, 6 parameters, 7 rows read, 0 rows written
--   CO-ROUTINE projects
--     SEARCH projects USING INDEX projects_newest (scope=? AND (created_at,id)<(?,?))
--   SCAN projects
--   CORRELATED SCALAR SUBQUERY 1
--     SEARCH queue_counts USING PRIMARY KEY (scope=?)
--   CORRELATED SCALAR SUBQUERY 3
--     CO-ROUTINE (subquery-2)
--       SEARCH tasks USING INDEX tasks_project (project_id=?)
--       USE TEMP B-TREE FOR GROUP BY
--     SCAN (subquery-2)
SELECT id, scope, iif(heavy, NULL, title) AS title, iif(heavy, NULL, description) AS description,
  iif(heavy, NULL, status) AS status, iif(heavy, NULL, branch) AS branch,
  iif(heavy, NULL, base_branch) AS base_branch, auto_accept, iif(heavy, NULL, flow) AS flow, pr_number,
  iif(heavy, NULL, pr_url) AS pr_url, iif(heavy, NULL, created_by) AS created_by, draft_id, created_at,
  updated_at, completed_at, iif(heavy, NULL, evidence_required) AS evidence_required, cost_usd, input_tokens,
  output_tokens, cached_tokens, wall_seconds, max_cost_usd, max_tokens, max_review_rounds, counts, heavy
FROM (
  SELECT *,
    520 + coalesce(octet_length(title), 0) + coalesce(octet_length(description), 0) + coalesce(
      octet_length(status), 0
    ) + coalesce(octet_length(branch), 0) + coalesce(octet_length(base_branch), 0) + coalesce(
      octet_length(flow), 0
    ) + coalesce(octet_length(pr_url), 0) + coalesce(octet_length(created_by), 0) + coalesce(
      octet_length(evidence_required), 0
    ) > :share AS heavy
  FROM (
    SELECT *,
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
      FROM projects
      WHERE scope = :scope AND (created_at, id) < (:after_created_at, :after_id)
      ORDER BY created_at DESC, id DESC
      LIMIT :take OFFSET :skip
    ) AS projects
  )
);
