-- GET /api/v1/drafts
-- 1 round trip, 3 statements: 1,109 characters, 6 parameters, 53 rows read, 0 rows written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- rows
-- 884 characters, 4 parameters, 51 rows read, 0 rows written
--   CO-ROUTINE (subquery-1)
--     SEARCH drafts USING INDEX drafts_newest (scope=?)
--   SCAN (subquery-1)
SELECT id, scope, iif(heavy, NULL, slug) AS slug, iif(heavy, NULL, title) AS title,
  iif(heavy, NULL, status) AS status, iif(heavy, NULL, author) AS author, iif(heavy, NULL, domain) AS domain,
  iif(heavy, NULL, file_path) AS file_path, iif(heavy, NULL, linked_task_id) AS linked_task_id,
  iif(heavy, NULL, linked_project_id) AS linked_project_id, iif(heavy, NULL, tags) AS tags, created_at,
  updated_at, heavy
FROM (
  SELECT *,
    260 + coalesce(octet_length(slug), 0) + coalesce(octet_length(title), 0) + coalesce(
      octet_length(status), 0
    ) + coalesce(octet_length(author), 0) + coalesce(octet_length(domain), 0) + coalesce(
      octet_length(file_path), 0
    ) + coalesce(octet_length(linked_task_id), 0) + coalesce(octet_length(linked_project_id), 0) + coalesce(
      octet_length(tags), 0
    ) > :share AS heavy
  FROM (SELECT * FROM drafts WHERE scope = :scope ORDER BY created_at DESC, id DESC LIMIT :take OFFSET :skip)
);

-- count
-- 133 characters, 1 parameter, 1 row read, 0 rows written
--   SCAN CONSTANT ROW
--   SCALAR SUBQUERY 1
--     SEARCH queue_counts USING PRIMARY KEY (scope=?)
--   SCALAR SUBQUERY 2
--     SEARCH drafts USING COVERING INDEX drafts_newest (scope=?)
SELECT coalesce(
  (SELECT drafts_total FROM queue_counts WHERE scope = :scope),
  (SELECT count(*) FROM drafts WHERE scope = :scope)
) AS total;

-- revision
-- 92 characters, 1 parameter, 1 row read, 0 rows written
--   SCAN CONSTANT ROW
--   SCALAR SUBQUERY 1
--     SEARCH queue_counts USING PRIMARY KEY (scope=?)
SELECT coalesce((SELECT drafts_revision FROM queue_counts WHERE scope = :scope), 0) AS revision;

-- ======== Sent in special cases only ========

-- rows  (GET /api/v1/drafts?: the next page)
-- 918 characters, 6 parameters, 4 rows read, 0 rows written
--   CO-ROUTINE (subquery-1)
--     SEARCH drafts USING INDEX drafts_newest (scope=? AND created_at<?)
--   SCAN (subquery-1)
SELECT id, scope, iif(heavy, NULL, slug) AS slug, iif(heavy, NULL, title) AS title,
  iif(heavy, NULL, status) AS status, iif(heavy, NULL, author) AS author, iif(heavy, NULL, domain) AS domain,
  iif(heavy, NULL, file_path) AS file_path, iif(heavy, NULL, linked_task_id) AS linked_task_id,
  iif(heavy, NULL, linked_project_id) AS linked_project_id, iif(heavy, NULL, tags) AS tags, created_at,
  updated_at, heavy
FROM (
  SELECT *,
    260 + coalesce(octet_length(slug), 0) + coalesce(octet_length(title), 0) + coalesce(
      octet_length(status), 0
    ) + coalesce(octet_length(author), 0) + coalesce(octet_length(domain), 0) + coalesce(
      octet_length(file_path), 0
    ) + coalesce(octet_length(linked_task_id), 0) + coalesce(octet_length(linked_project_id), 0) + coalesce(
      octet_length(tags), 0
    ) > :share AS heavy
  FROM (
    SELECT *
    FROM drafts
    WHERE scope = :scope AND (created_at, id) < (:after_created_at, :after_id)
    ORDER BY created_at DESC, id DESC
    LIMIT :take OFFSET :skip
  )
);
