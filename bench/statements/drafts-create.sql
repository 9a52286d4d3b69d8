-- POST /api/v1/drafts
-- 1 round trip, 2 statements: 406 characters, 12 parameters, 2 rows read, 4 rows written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- inserted
-- 222 characters, 11 parameters, 2 rows read, 3 rows written
INSERT INTO drafts (
  scope,
  slug,
  title,
  status,
  author,
  domain,
  file_path,
  linked_task_id,
  linked_project_id,
  tags,
  created_at,
  updated_at
)
VALUES (
  :scope,
  :slug,
  :title,
  :status,
  :author,
  :domain,
  :file_path,
  :linked_task_id,
  :linked_project_id,
  :tags,
  :now,
  :now
)
RETURNING *;

-- counted
-- 184 characters, 1 parameter, 0 rows read, 1 row written
INSERT INTO queue_counts (scope, counts, drafts_revision)
VALUES (:scope, '{}', 1)
ON CONFLICT (scope)
DO UPDATE SET drafts_revision = drafts_revision + 1, drafts_total = drafts_total + 1;
