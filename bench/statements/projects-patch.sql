-- PATCH /api/v1/projects/:id
-- 1 round trip, 3 statements: 2,442 characters, 37 parameters, 3 rows read, 2 rows written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- raised
-- 835 characters, 17 parameters, 1 row read, 1 row written
--   SEARCH projects USING PRIMARY KEY (id=?)
INSERT INTO queue_counts (scope, counts, projects_revision)
SELECT scope, '{}', 1
FROM projects
WHERE id = :id
  AND (:scope IS NULL OR scope = :scope)
  AND (
    title <> :title
    OR status <> :status
    OR base_branch <> :base_branch
    OR auto_accept <> :auto_accept
    OR flow <> :flow
    OR branch IS NOT coalesce(:branch, branch)
    OR :given ->> 'description'
    AND description IS NOT :description
    OR :given ->> 'pr_number'
    AND pr_number IS NOT :pr_number
    OR :given ->> 'pr_url'
    AND pr_url IS NOT :pr_url
    OR :given ->> 'completed_at'
    AND completed_at IS NOT :completed_at
    OR :given ->> 'evidence_required'
    AND evidence_required IS NOT :evidence_required
    OR :given ->> 'max_cost_usd'
    AND max_cost_usd IS NOT :max_cost_usd
    OR :given ->> 'max_tokens'
    AND max_tokens IS NOT :max_tokens
    OR :given ->> 'max_review_rounds'
    AND max_review_rounds IS NOT :max_review_rounds
    OR :status = 'completed'
    AND completed_at IS NULL
  )
ON CONFLICT (scope)
DO UPDATE SET projects_revision = projects_revision + 1;

-- updated
-- 1,537 characters, 18 parameters, 1 row read, 1 row written
--   SEARCH projects USING PRIMARY KEY (id=?)
UPDATE projects
SET title = coalesce(:title, title), status = coalesce(:status, status), branch = coalesce(:branch, branch),
  base_branch = coalesce(:base_branch, base_branch), auto_accept = coalesce(:auto_accept, auto_accept),
  flow = coalesce(:flow, flow), description = iif(:given ->> 'description', :description, description),
  pr_number = iif(:given ->> 'pr_number', :pr_number, pr_number),
  pr_url = iif(:given ->> 'pr_url', :pr_url, pr_url),
  evidence_required = iif(:given ->> 'evidence_required', :evidence_required, evidence_required),
  max_cost_usd = iif(:given ->> 'max_cost_usd', CAST(:max_cost_usd AS INTEGER), max_cost_usd),
  max_tokens = iif(:given ->> 'max_tokens', CAST(:max_tokens AS INTEGER), max_tokens),
  max_review_rounds = iif(
    :given ->> 'max_review_rounds', CAST(:max_review_rounds AS INTEGER), max_review_rounds
  ),
  completed_at = CASE
    WHEN :given ->> 'completed_at' THEN :completed_at
    WHEN :status = 'completed' THEN coalesce(completed_at, :now)
    ELSE completed_at
  END,
  updated_at = :now
WHERE id = :id
  AND (:scope IS NULL OR scope = :scope)
  AND (
    title <> :title
    OR status <> :status
    OR base_branch <> :base_branch
    OR auto_accept <> :auto_accept
    OR flow <> :flow
    OR branch IS NOT coalesce(:branch, branch)
    OR :given ->> 'description'
    AND description IS NOT :description
    OR :given ->> 'pr_number'
    AND pr_number IS NOT :pr_number
    OR :given ->> 'pr_url'
    AND pr_url IS NOT :pr_url
    OR :given ->> 'completed_at'
    AND completed_at IS NOT :completed_at
    OR :given ->> 'evidence_required'
    AND evidence_required IS NOT :evidence_required
    OR :given ->> 'max_cost_usd'
    AND max_cost_usd IS NOT :max_cost_usd
    OR :given ->> 'max_tokens'
    AND max_tokens IS NOT :max_tokens
    OR :given ->> 'max_review_rounds'
    AND max_review_rounds IS NOT :max_review_rounds
    OR :status = 'completed'
    AND completed_at IS NULL
  );

-- patched
-- 70 characters, 2 parameters, 1 row read, 0 rows written
--   SEARCH projects USING PRIMARY KEY (id=?)
SELECT *
FROM projects
WHERE id = :id AND (:scope IS NULL OR scope = :scope);
