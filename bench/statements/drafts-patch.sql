-- PATCH /api/v1/drafts/:id
-- 1 round trip, 3 statements: 1,352 characters, 25 parameters, 3 rows read, 2 rows written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- raised
-- 516 characters, 11 parameters, 1 row read, 1 row written
--   SEARCH drafts USING INTEGER PRIMARY KEY (rowid=?)
INSERT INTO queue_counts (scope, counts, drafts_revision)
SELECT scope, '{}', 1
FROM drafts
WHERE id = :id
  AND (:scope IS NULL OR scope = :scope)
  AND (
    title <> :title
    OR status <> :status
    OR author <> :author
    OR :given ->> 'domain'
    AND domain IS NOT :domain
    OR :given ->> 'file_path'
    AND file_path IS NOT :file_path
    OR :given ->> 'linked_task_id'
    AND linked_task_id IS NOT :linked_task_id
    OR :given ->> 'linked_project_id'
    AND linked_project_id IS NOT :linked_project_id
    OR :given ->> 'tags'
    AND tags IS NOT :tags
  )
ON CONFLICT (scope)
DO UPDATE SET drafts_revision = drafts_revision + 1;

-- updated
-- 768 characters, 12 parameters, 1 row read, 1 row written
--   SEARCH drafts USING INTEGER PRIMARY KEY (rowid=?)
UPDATE drafts
SET title = coalesce(:title, title), status = coalesce(:status, status), author = coalesce(:author, author),
  domain = iif(:given ->> 'domain', :domain, domain),
  file_path = iif(:given ->> 'file_path', :file_path, file_path),
  linked_task_id = iif(:given ->> 'linked_task_id', :linked_task_id, linked_task_id),
  linked_project_id = iif(:given ->> 'linked_project_id', :linked_project_id, linked_project_id),
  tags = iif(:given ->> 'tags', :tags, tags), updated_at = :now
WHERE id = :id
  AND (:scope IS NULL OR scope = :scope)
  AND (
    title <> :title
    OR status <> :status
    OR author <> :author
    OR :given ->> 'domain'
    AND domain IS NOT :domain
    OR :given ->> 'file_path'
    AND file_path IS NOT :file_path
    OR :given ->> 'linked_task_id'
    AND linked_task_id IS NOT :linked_task_id
    OR :given ->> 'linked_project_id'
    AND linked_project_id IS NOT :linked_project_id
    OR :given ->> 'tags'
    AND tags IS NOT :tags
  );

-- patched
-- 68 characters, 2 parameters, 1 row read, 0 rows written
--   SEARCH drafts USING INTEGER PRIMARY KEY (rowid=?)
SELECT *
FROM drafts
WHERE id = :id AND (:scope IS NULL OR scope = :scope);
