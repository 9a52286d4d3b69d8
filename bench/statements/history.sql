-- GET /api/v1/tasks/:id/history
-- 1 round trip, 2 statements: 682 characters, 6 parameters, 3 rows read, 0 rows written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- rows
-- 432 characters, 4 parameters, 1 row read, 0 rows written
--   CO-ROUTINE (subquery-1)
--     SEARCH history USING PRIMARY KEY (task_id=?)
--   SCAN (subquery-1)
SELECT task_id, scope, version, event, from_queue, to_queue, iif(heavy, NULL, actor) AS actor,
  iif(heavy, NULL, reason) AS reason, iif(heavy, NULL, details) AS details, at, heavy
FROM (
  SELECT *,
    200 + coalesce(octet_length(actor), 0) + coalesce(octet_length(reason), 0) + coalesce(
      octet_length(details), 0
    ) > :share AS heavy
  FROM (
    SELECT *
    FROM history
    WHERE task_id = :id AND (:scope IS NULL OR scope = :scope)
    ORDER BY version
    LIMIT :take
  )
);

-- revision
-- 250 characters, 2 parameters, 2 rows read, 0 rows written
--   SCAN CONSTANT ROW
--   SCALAR SUBQUERY 1
--     SEARCH history USING PRIMARY KEY (task_id=?)
--   SCALAR SUBQUERY 2
--     SEARCH history USING PRIMARY KEY (task_id=?)
SELECT (
  SELECT version
  FROM history
  WHERE task_id = :id AND (:scope IS NULL OR scope = :scope)
  ORDER BY version DESC
  LIMIT 1
) AS revision,
(
  SELECT version
  FROM history
  WHERE task_id = :id AND (:scope IS NULL OR scope = :scope)
  ORDER BY version
  LIMIT 1
) AS oldest;

-- ======== Sent in special cases only ========

-- rows  (GET /api/v1/tasks/deep-0/history?: the next page)
-- 454 characters, 5 parameters, 3 rows read, 0 rows written
--   CO-ROUTINE (subquery-1)
--     SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--   SCAN (subquery-1)
SELECT task_id, scope, version, event, from_queue, to_queue, iif(heavy, NULL, actor) AS actor,
  iif(heavy, NULL, reason) AS reason, iif(heavy, NULL, details) AS details, at, heavy
FROM (
  SELECT *,
    200 + coalesce(octet_length(actor), 0) + coalesce(octet_length(reason), 0) + coalesce(
      octet_length(details), 0
    ) > :share AS heavy
  FROM (
    SELECT *
    FROM history
    WHERE task_id = :id AND (:scope IS NULL OR scope = :scope) AND (version) > (:after_version)
    ORDER BY version
    LIMIT :take
  )
);
