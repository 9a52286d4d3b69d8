-- GET /api/v1/messages
-- 1 round trip, 3 statements: 864 characters, 6 parameters, 53 rows read, 0 rows written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- rows
-- 633 characters, 4 parameters, 51 rows read, 0 rows written
--   CO-ROUTINE (subquery-1)
--     SEARCH messages USING INDEX messages_of_scope (scope=?)
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
  FROM (SELECT * FROM messages WHERE scope = :scope ORDER BY seq DESC LIMIT :take OFFSET :skip)
);

-- count
-- 137 characters, 1 parameter, 1 row read, 0 rows written
--   SCAN CONSTANT ROW
--   SCALAR SUBQUERY 1
--     SEARCH queue_counts USING PRIMARY KEY (scope=?)
--   SCALAR SUBQUERY 2
--     SEARCH messages USING COVERING INDEX messages_of_scope (scope=?)
SELECT coalesce(
  (SELECT messages_total FROM queue_counts WHERE scope = :scope),
  (SELECT count(*) FROM messages WHERE scope = :scope)
) AS total;

-- revision
-- 94 characters, 1 parameter, 1 row read, 0 rows written
--   SCAN CONSTANT ROW
--   SCALAR SUBQUERY 1
--     SEARCH queue_counts USING PRIMARY KEY (scope=?)
SELECT coalesce((SELECT messages_revision FROM queue_counts WHERE scope = :scope), 0) AS revision;

-- ======== Sent in special cases only ========

-- rows  (GET /api/v1/messages?to_actor=deep: the next page)
-- 670 characters, 6 parameters, 3 rows read, 0 rows written
--   CO-ROUTINE (subquery-1)
--     SEARCH messages USING INDEX messages_to (scope=? AND to_actor=? AND rowid<?)
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
    WHERE scope = :scope AND to_actor = :to_actor AND (seq) < (:after_seq)
    ORDER BY seq DESC
    LIMIT :take OFFSET :skip
  )
);

-- rows  (GET /api/v1/messages?offset=0: the next page)
-- 650 characters, 5 parameters, 3 rows read, 0 rows written
--   CO-ROUTINE (subquery-1)
--     SEARCH messages USING INDEX messages_of_scope (scope=? AND rowid>?)
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
    WHERE scope = :scope AND (seq) > (:after_seq)
    ORDER BY seq ASC
    LIMIT :take OFFSET :skip
  )
);

-- rows  (GET /api/v1/messages?to_actor=deep)
-- 652 characters, 5 parameters, 6 rows read, 0 rows written
--   CO-ROUTINE (subquery-1)
--     SEARCH messages USING INDEX messages_to (scope=? AND to_actor=?)
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
    WHERE scope = :scope AND to_actor = :to_actor
    ORDER BY seq DESC
    LIMIT :take OFFSET :skip
  )
);

-- count  (GET /api/v1/messages?to_actor=deep)
-- 75 characters, 2 parameters, 1,000 rows read, 0 rows written
--   SEARCH messages USING COVERING INDEX messages_to (scope=? AND to_actor=?)
SELECT count(*) AS total
FROM messages
WHERE scope = :scope AND to_actor = :to_actor;

-- rows  (GET /api/v1/messages?from_actor=a)
-- 808 characters, 9 parameters, 6 rows read, 0 rows written
--   CO-ROUTINE (subquery-1)
--     SEARCH messages USING INDEX messages_of_scope (scope=?)
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
      AND (:task_id IS NULL OR task_id = :task_id)
      AND (:to_actor IS NULL OR to_actor = :to_actor)
      AND (:from_actor IS NULL OR from_actor = :from_actor)
      AND (:type IS NULL OR type = :type)
      AND (:status IS NULL OR status = :status)
    ORDER BY seq DESC
    LIMIT :take OFFSET :skip
  )
);

-- count  (GET /api/v1/messages?from_actor=a)
-- 231 characters, 6 parameters, 1,000 rows read, 0 rows written
--   SEARCH messages USING INDEX messages_of_scope (scope=?)
SELECT count(*) AS total
FROM messages
WHERE scope = :scope
  AND (:task_id IS NULL OR task_id = :task_id)
  AND (:to_actor IS NULL OR to_actor = :to_actor)
  AND (:from_actor IS NULL OR from_actor = :from_actor)
  AND (:type IS NULL OR type = :type)
  AND (:status IS NULL OR status = :status);

-- rows  (GET /api/v1/messages?task_id=deep-0)
-- 651 characters, 5 parameters, 1 row read, 0 rows written
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

-- count  (GET /api/v1/messages?task_id=deep-0)
-- 74 characters, 2 parameters, 2 rows read, 0 rows written
--   SEARCH messages USING COVERING INDEX messages_about (scope=? AND task_id=?)
SELECT count(*) AS total
FROM messages
WHERE scope = :scope AND task_id = :task_id;

-- rows  (GET /api/v1/messages?to_actor=deep&status=pending)
-- 827 characters, 9 parameters, 6 rows read, 0 rows written
--   CO-ROUTINE (subquery-1)
--     SEARCH messages USING INDEX messages_to (scope=? AND to_actor=?)
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
      AND to_actor = :to_actor
      AND (:task_id IS NULL OR task_id = :task_id)
      AND (:to_actor IS NULL OR to_actor = :to_actor)
      AND (:from_actor IS NULL OR from_actor = :from_actor)
      AND (:type IS NULL OR type = :type)
      AND (:status IS NULL OR status = :status)
    ORDER BY seq DESC
    LIMIT :take OFFSET :skip
  )
);

-- count  (GET /api/v1/messages?to_actor=deep&status=pending)
-- 250 characters, 6 parameters, 1,000 rows read, 0 rows written
--   SEARCH messages USING INDEX messages_to (scope=? AND to_actor=?)
SELECT count(*) AS total
FROM messages
WHERE scope = :scope
  AND to_actor = :to_actor
  AND (:task_id IS NULL OR task_id = :task_id)
  AND (:to_actor IS NULL OR to_actor = :to_actor)
  AND (:from_actor IS NULL OR from_actor = :from_actor)
  AND (:type IS NULL OR type = :type)
  AND (:status IS NULL OR status = :status);

-- rows  (GET /api/v1/messages?unreplied=true)
-- 760 characters, 4 parameters, 6 rows read, 0 rows written
--   CO-ROUTINE (subquery-2)
--     SEARCH messages USING INDEX messages_of_scope (scope=?)
--     CORRELATED SCALAR SUBQUERY 1
--       SEARCH reply USING INDEX messages_replies (parent_message_id=?)
--   SCAN (subquery-2)
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
      AND NOT EXISTS (
        SELECT 1
        FROM messages AS reply
        WHERE reply.parent_message_id = messages.id AND reply.scope = messages.scope
      )
    ORDER BY seq DESC
    LIMIT :take OFFSET :skip
  )
);

-- count  (GET /api/v1/messages?unreplied=true)
-- 183 characters, 1 parameter, 1,000 rows read, 0 rows written
--   SEARCH messages USING INDEX messages_of_scope (scope=?)
--   CORRELATED SCALAR SUBQUERY 1
--     SEARCH reply USING INDEX messages_replies (parent_message_id=?)
SELECT count(*) AS total
FROM messages
WHERE scope = :scope
  AND NOT EXISTS (
    SELECT 1
    FROM messages AS reply
    WHERE reply.parent_message_id = messages.id AND reply.scope = messages.scope
  );

-- rows  (GET /api/v1/messages?offset=5)
-- 632 characters, 4 parameters, 11 rows read, 0 rows written
--   CO-ROUTINE (subquery-1)
--     SEARCH messages USING INDEX messages_of_scope (scope=?)
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
  FROM (SELECT * FROM messages WHERE scope = :scope ORDER BY seq ASC LIMIT :take OFFSET :skip)
);
