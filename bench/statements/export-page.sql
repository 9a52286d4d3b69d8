-- GET /api/v1/export
-- 1 round trip, 1 statement: 321 characters, 2 parameters, 1 row read, 0 rows written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- seen
-- 321 characters, 2 parameters, 1 row read, 0 rows written
--   SCAN flows
SELECT json_array(scope, name) AS key,
  500 + coalesce(octet_length(description), 0) + coalesce(octet_length(states), 0) + coalesce(
    octet_length(transitions), 0
  ) + coalesce(octet_length(child_flow), 0) + coalesce(octet_length(rules), 0) AS bytes
FROM flows
WHERE (:scope IS NULL OR scope = :scope)
ORDER BY scope, name
LIMIT :limit;

-- ======== Sent in special cases only ========

-- seen  (tasks)
-- 814 characters, 3 parameters, 36 rows read, 0 rows written
--   CO-ROUTINE found
--     COMPOUND QUERY
--       LEFT-MOST SUBQUERY
--         CO-ROUTINE (subquery-2)
--           SEARCH tasks USING PRIMARY KEY (id>?)
--         SCAN (subquery-2)
--       UNION ALL
--         CO-ROUTINE (subquery-4)
--           SEARCH history USING INDEX history_deleted (task_id>?)
--         SCAN (subquery-4)
--   SCAN found
--   USE TEMP B-TREE FOR GROUP BY
--   CORRELATED SCALAR SUBQUERY 1
--     SEARCH history USING PRIMARY KEY (task_id=?)
SELECT json_array(id) AS key,
  max(bytes) + coalesce(
    (
      SELECT sum(
        300 + coalesce(octet_length(actor), 0) + coalesce(octet_length(reason), 0) + coalesce(
          octet_length(details), 0
        ) + coalesce(octet_length(title), 0)
      )
      FROM history
      WHERE task_id = found.id
    ),
    0
  ) AS bytes
FROM (
  SELECT *
  FROM (
    SELECT id,
      2000 + bytes + coalesce(octet_length(checkpoint), 0) + coalesce(octet_length(evidence), 0) + coalesce(
        octet_length(session_url), 0
      ) + coalesce(octet_length(resume_command), 0) AS bytes
    FROM tasks
    WHERE id > :after AND (:scope IS NULL OR +scope = :scope)
    ORDER BY id
    LIMIT :limit
  )
  UNION ALL
  SELECT *
  FROM (
    SELECT task_id, 0
    FROM history INDEXED BY history_deleted
    WHERE to_queue IS NULL AND task_id > :after AND (:scope IS NULL OR +scope = :scope)
    GROUP BY task_id
    ORDER BY task_id
    LIMIT :limit
  )
) AS found
GROUP BY id
ORDER BY id
LIMIT :limit;

-- rows  (tasks)
-- 118 characters, 2 parameters, 15 rows read, 0 rows written
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   LIST SUBQUERY 1
--     SCAN json_each VIRTUAL TABLE INDEX 1:
SELECT *
FROM tasks
WHERE id IN (SELECT value ->> 0 FROM json_each(:keys)) AND (:scope IS NULL OR +scope = :scope)
ORDER BY id;

-- edges  (tasks)
-- 160 characters, 2 parameters, 11 rows read, 0 rows written
--   SEARCH dependencies USING INDEX dependencies_of (task_id=?)
--   LIST SUBQUERY 1
--     SCAN json_each VIRTUAL TABLE INDEX 1:
--   USE TEMP B-TREE FOR LAST 2 TERMS OF ORDER BY
SELECT *
FROM dependencies
WHERE task_id IN (SELECT value ->> 0 FROM json_each(:keys)) AND (:scope IS NULL OR +scope = :scope)
ORDER BY task_id, blocker_key, blocker_id;

-- history  (tasks)
-- 105 characters, 1 parameter, 35 rows read, 0 rows written
--   SEARCH history USING PRIMARY KEY (task_id=?)
--   LIST SUBQUERY 1
--     SCAN json_each VIRTUAL TABLE INDEX 1:
SELECT *
FROM history
WHERE task_id IN (SELECT value ->> 0 FROM json_each(:keys))
ORDER BY task_id, version;

-- seen  (projects)
-- 477 characters, 3 parameters, 5 rows read, 0 rows written
--   SEARCH projects USING PRIMARY KEY (id>?)
SELECT json_array(id) AS key,
  500 + coalesce(octet_length(title), 0) + coalesce(octet_length(description), 0) + coalesce(
    octet_length(status), 0
  ) + coalesce(octet_length(branch), 0) + coalesce(octet_length(base_branch), 0) + coalesce(
    octet_length(flow), 0
  ) + coalesce(octet_length(pr_url), 0) + coalesce(octet_length(created_by), 0) + coalesce(
    octet_length(evidence_required), 0
  ) AS bytes
FROM projects
WHERE (:scope IS NULL OR +scope = :scope) AND (id) > (:after_0)
ORDER BY id
LIMIT :limit;

-- rows  (projects)
-- 124 characters, 2 parameters, 15 rows read, 0 rows written
--   SEARCH projects USING PRIMARY KEY (id=?)
--   LIST SUBQUERY 1
--     SCAN json_each VIRTUAL TABLE INDEX 1:
SELECT *
FROM projects
WHERE (id) IN (SELECT value ->> 0 FROM json_each(:keys)) AND (:scope IS NULL OR +scope = :scope)
ORDER BY id;

-- seen  (messages)
-- 320 characters, 3 parameters, 5 rows read, 0 rows written
--   SEARCH messages USING INTEGER PRIMARY KEY (rowid>?)
SELECT json_array(seq) AS key,
  500 + coalesce(octet_length(task_id), 0) + coalesce(octet_length(from_actor), 0) + coalesce(
    octet_length(to_actor), 0
  ) + coalesce(octet_length(type), 0) + coalesce(octet_length(content), 0) AS bytes
FROM messages
WHERE (:scope IS NULL OR +scope = :scope) AND (seq) > (:after_0)
ORDER BY seq
LIMIT :limit;

-- rows  (messages)
-- 126 characters, 2 parameters, 15 rows read, 0 rows written
--   SEARCH messages USING INTEGER PRIMARY KEY (rowid=?)
--   LIST SUBQUERY 1
--     SCAN json_each VIRTUAL TABLE INDEX 1:
SELECT *
FROM messages
WHERE (seq) IN (SELECT value ->> 0 FROM json_each(:keys)) AND (:scope IS NULL OR +scope = :scope)
ORDER BY seq;
