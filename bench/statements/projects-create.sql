-- POST /api/v1/projects
-- 1 round trip, 3 statements: 757 characters, 20 parameters, 2 rows read, 4 rows written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- inserted
-- 358 characters, 18 parameters, 1 row read, 2 rows written
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
  max_review_rounds
)
VALUES (
  :id,
  :scope,
  :title,
  :description,
  :status,
  :branch,
  :base_branch,
  :auto_accept,
  :flow,
  :pr_number,
  :pr_url,
  :created_by,
  :now,
  :now,
  :completed_at,
  :evidence_required,
  :max_cost_usd,
  :max_tokens,
  :max_review_rounds
)
RETURNING *;

-- counted
-- 194 characters, 1 parameter, 0 rows read, 1 row written
INSERT INTO queue_counts (scope, counts, projects_revision)
VALUES (:scope, '{}', 1)
ON CONFLICT (scope)
DO UPDATE SET projects_revision = projects_revision + 1, projects_total = projects_total + 1;

-- begun
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
