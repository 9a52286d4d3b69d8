-- GET /api/v1/events
-- 1 round trip, 1 statement: 1,072 characters, 4 parameters, 102 rows read, 0 rows written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- rows
-- 1,072 characters, 4 parameters, 102 rows read, 0 rows written
--   CO-ROUTINE (subquery-1)
--     SEARCH counter USING PRIMARY KEY (scope=?)
--     SEARCH entry USING INDEX history_feed (scope=? AND seq>?) LEFT-JOIN
--   SCAN (subquery-1)
SELECT latest, matches, seq, task_id, scope, version, event, iif(heavy, NULL, title) AS title, project_id,
  from_queue, to_queue, iif(heavy, NULL, actor) AS actor, iif(heavy, NULL, reason) AS reason,
  iif(heavy, NULL, details) AS details, at, heavy
FROM (
  SELECT *,
    300 + coalesce(octet_length(title), 0) + coalesce(octet_length(actor), 0) + coalesce(
      octet_length(reason), 0
    ) + coalesce(octet_length(details), 0) > :share AS heavy
  FROM (
    SELECT counter.seq AS latest, 1 AS matches, entry.seq AS seq,
      iif(entry.task_id < ' ', NULL, entry.task_id) AS task_id, entry.scope AS scope,
      iif(entry.task_id < ' ', NULL, entry.version) AS version, entry.event AS event, entry.title AS title,
      entry.project_id AS project_id, entry.from_queue AS from_queue, entry.to_queue AS to_queue,
      entry.actor AS actor, entry.reason AS reason, entry.details AS details, entry.at AS at
    FROM queue_counts AS counter
    LEFT JOIN history AS entry INDEXED BY history_feed ON entry.scope = iif(
      counter.seq > :after, counter.scope, NULL
    )
      AND entry.seq > :after
    WHERE counter.scope = :scope
    ORDER BY entry.seq
    LIMIT :take
  )
);

-- ======== Sent in special cases only ========

-- revision  (GET /api/v1/events?after=latest: not modified)
-- 76 characters, 1 parameter, 1 row read, 0 rows written
--   SEARCH queue_counts USING PRIMARY KEY (scope=?)
SELECT coalesce(max(seq), 0) AS revision
FROM queue_counts
WHERE scope = :scope;

-- rows  (GET /api/v1/events?types=claimed,accepted&limit=5)
-- 1,843 characters, 7 parameters, 502 rows read, 0 rows written
--   CO-ROUTINE (subquery-1)
--     SEARCH counter USING PRIMARY KEY (scope=?)
--     SEARCH entry USING INDEX history_feed (scope=? AND seq>?) LEFT-JOIN
--   SCAN (subquery-1)
SELECT latest, matches, seq, task_id, scope, version, event, iif(heavy, NULL, title) AS title, project_id,
  from_queue, to_queue, iif(heavy, NULL, actor) AS actor, iif(heavy, NULL, reason) AS reason,
  iif(heavy, NULL, details) AS details, at, heavy
FROM (
  SELECT *,
    300 + coalesce(octet_length(title), 0) + coalesce(octet_length(actor), 0) + coalesce(
      octet_length(reason), 0
    ) + coalesce(octet_length(details), 0) > :share AS heavy
  FROM (
    SELECT counter.seq AS latest,
      (:types IS NULL OR instr(:types, '"' || entry.event || '"') > 0)
        AND (:task_id IS NULL OR entry.task_id = :task_id)
        AND (:project_id IS NULL OR entry.project_id IS :project_id) AS matches,
      entry.seq AS seq, iif(entry.task_id < ' ', NULL, entry.task_id) AS task_id, entry.scope AS scope,
      iif(entry.task_id < ' ', NULL, entry.version) AS version, entry.event AS event,
      iif(
        (:types IS NULL OR instr(:types, '"' || entry.event || '"') > 0)
          AND (:task_id IS NULL OR entry.task_id = :task_id)
          AND (:project_id IS NULL OR entry.project_id IS :project_id),
        entry.title,
        NULL
      ) AS title,
      entry.project_id AS project_id, entry.from_queue AS from_queue, entry.to_queue AS to_queue,
      iif(
        (:types IS NULL OR instr(:types, '"' || entry.event || '"') > 0)
          AND (:task_id IS NULL OR entry.task_id = :task_id)
          AND (:project_id IS NULL OR entry.project_id IS :project_id),
        entry.actor,
        NULL
      ) AS actor,
      iif(
        (:types IS NULL OR instr(:types, '"' || entry.event || '"') > 0)
          AND (:task_id IS NULL OR entry.task_id = :task_id)
          AND (:project_id IS NULL OR entry.project_id IS :project_id),
        entry.reason,
        NULL
      ) AS reason,
      iif(
        (:types IS NULL OR instr(:types, '"' || entry.event || '"') > 0)
          AND (:task_id IS NULL OR entry.task_id = :task_id)
          AND (:project_id IS NULL OR entry.project_id IS :project_id),
        entry.details,
        NULL
      ) AS details,
      entry.at AS at
    FROM queue_counts AS counter
    LEFT JOIN history AS entry INDEXED BY history_feed ON entry.scope = iif(
      counter.seq > :after, counter.scope, NULL
    )
      AND entry.seq > :after
    WHERE counter.scope = :scope
    ORDER BY entry.seq
    LIMIT :take
  )
);

-- found  (GET /api/v1/events?since=1970-01-01T00:00:05.000Z&limit=5)
-- 300 characters, 2 parameters, 86 rows read, 0 rows written
--   CO-ROUTINE search
--     SETUP
--       SCAN CONSTANT ROW
--     RECURSIVE STEP
--       SCAN search
--       CORRELATED SCALAR SUBQUERY 2
--         SEARCH history USING INDEX history_feed (scope=? AND seq>?)
--   SCAN search
WITH RECURSIVE search (place, step) AS (
  SELECT 0, 1 << 41
  UNION ALL
  SELECT place + step * coalesce(
    (
      SELECT at < :since
      FROM history INDEXED BY history_feed
      WHERE scope = :scope AND seq >= place + step
      ORDER BY seq
      LIMIT 1
    ),
    0
  ),
    step / 2
  FROM search
  WHERE step > 0
)
SELECT place
FROM search
WHERE step = 0;
