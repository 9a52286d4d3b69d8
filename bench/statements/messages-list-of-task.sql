-- GET /api/v1/tasks/:id/messages
-- 1 round trip, 3 statements: 819 characters, 8 parameters, 1 row read, 0 rows written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- rows
-- 651 characters, 5 parameters, 0 rows read, 0 rows written
--   CO-ROUTINE (subquery-1)
--     SEARCH messages USING INDEX messages_about (scope=? AND task_id=?)
--   SCAN (subquery-1)
SELECT seq, id, iif(heavy, NULL, task_id) AS task_id, iif(heavy, NULL, from_actor) AS from_actor,
  iif(heavy, NULL, to_actor) AS to_actor, iif(heavy, NULL, type) AS type,
  iif(heavy, NULL, content) AS content, iif(heavy, NULL, status) AS status, created_at, scope,
  parent_message_id, heavy
FROM (
  SELECT *,
    220 + coalesce(octet_length(task_id), 0) + coalesce(octet_length(from_actor), 0) + coalesce(
      octet_length(to_actor), 0
    ) + coalesce(octet_length(type), 0) + coalesce(octet_length(content), 0) + coalesce(
      octet_length(status), 0
    ) > :share AS heavy
  FROM (
    SELECT *
    FROM messages
    WHERE scope = :scope AND task_id = :task_id
    ORDER BY seq DESC
    LIMIT :take OFFSET :skip
  )
);

-- count
-- 74 characters, 2 parameters, 0 rows read, 0 rows written
--   SEARCH messages USING COVERING INDEX messages_about (scope=? AND task_id=?)
SELECT count(*) AS total
FROM messages
WHERE scope = :scope AND task_id = :task_id;

-- revision
-- 94 characters, 1 parameter, 1 row read, 0 rows written
--   SCAN CONSTANT ROW
--   SCALAR SUBQUERY 1
--     SEARCH queue_counts USING PRIMARY KEY (scope=?)
SELECT coalesce((SELECT messages_revision FROM queue_counts WHERE scope = :scope), 0) AS revision;

-- ======== Sent in special cases only ========

-- rows  (GET /api/v1/tasks/deep-0/messages?type=comment)
-- 826 characters, 9 parameters, 1 row read, 0 rows written
--   CO-ROUTINE (subquery-1)
--     SEARCH messages USING INDEX messages_about (scope=? AND task_id=?)
--   SCAN (subquery-1)
SELECT seq, id, iif(heavy, NULL, task_id) AS task_id, iif(heavy, NULL, from_actor) AS from_actor,
  iif(heavy, NULL, to_actor) AS to_actor, iif(heavy, NULL, type) AS type,
  iif(heavy, NULL, content) AS content, iif(heavy, NULL, status) AS status, created_at, scope,
  parent_message_id, heavy
FROM (
  SELECT *,
    220 + coalesce(octet_length(task_id), 0) + coalesce(octet_length(from_actor), 0) + coalesce(
      octet_length(to_actor), 0
    ) + coalesce(octet_length(type), 0) + coalesce(octet_length(content), 0) + coalesce(
      octet_length(status), 0
    ) > :share AS heavy
  FROM (
    SELECT *
    FROM messages
    WHERE scope = :scope
      AND task_id = :task_id
      AND (:task_id IS NULL OR task_id = :task_id)
      AND (:to_actor IS NULL OR to_actor = :to_actor)
      AND (:from_actor IS NULL OR from_actor = :from_actor)
      AND (:type IS NULL OR type = :type)
      AND (:status IS NULL OR status = :status)
    ORDER BY seq DESC
    LIMIT :take OFFSET :skip
  )
);

-- count  (GET /api/v1/tasks/deep-0/messages?type=comment)
-- 249 characters, 6 parameters, 2 rows read, 0 rows written
--   SEARCH messages USING INDEX messages_about (scope=? AND task_id=?)
SELECT count(*) AS total
FROM messages
WHERE scope = :scope
  AND task_id = :task_id
  AND (:task_id IS NULL OR task_id = :task_id)
  AND (:to_actor IS NULL OR to_actor = :to_actor)
  AND (:from_actor IS NULL OR from_actor = :from_actor)
  AND (:type IS NULL OR type = :type)
  AND (:status IS NULL OR status = :status);
