-- GET /api/v1/actions
-- 1 round trip, 2 statements: 1,427 characters, 11 parameters, 1,051 rows read, 0 rows written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- rows
-- 1,161 characters, 7 parameters, 51 rows read, 0 rows written
--   CO-ROUTINE (subquery-1)
--     SEARCH actions USING INDEX actions_newest (scope=?)
--   SCAN (subquery-1)
SELECT seq, id, iif(heavy, NULL, entity_type) AS entity_type, iif(heavy, NULL, entity_id) AS entity_id,
  iif(heavy, NULL, action_type) AS action_type, iif(heavy, NULL, label) AS label,
  iif(heavy, NULL, description) AS description, status, iif(heavy, NULL, proposed_by) AS proposed_by,
  proposed_at, executed_at, iif(heavy, NULL, result) AS result, expires_at,
  iif(heavy, NULL, metadata) AS metadata, scope, iif(heavy, NULL, action_data) AS action_data, heavy
FROM (
  SELECT *,
    320 + coalesce(octet_length(description), 0) + coalesce(octet_length(result), 0) + coalesce(
      octet_length(metadata), 0
    ) + coalesce(octet_length(action_data), 0) + coalesce(octet_length(entity_type), 0) + coalesce(
      octet_length(entity_id), 0
    ) + coalesce(octet_length(action_type), 0) + coalesce(octet_length(label), 0) + coalesce(
      octet_length(proposed_by), 0
    ) > :share AS heavy
  FROM (
    SELECT *
    FROM actions
    WHERE scope = :scope
      AND (:entity_id IS NULL OR entity_id = :entity_id)
      AND iif(
        :status IS NULL,
        iif(status = 'proposed' AND expires_at <= :now, 'expired', status) <> 'expired',
        iif(status = 'proposed' AND expires_at <= :now, 'expired', status) = :status
      )
    ORDER BY proposed_at DESC, seq DESC
    LIMIT :take OFFSET :skip
  )
);

-- count
-- 266 characters, 4 parameters, 1,000 rows read, 0 rows written
--   SEARCH actions USING INDEX actions_newest (scope=?)
SELECT count(*) AS total
FROM actions
WHERE scope = :scope
  AND (:entity_id IS NULL OR entity_id = :entity_id)
  AND iif(
    :status IS NULL,
    iif(status = 'proposed' AND expires_at <= :now, 'expired', status) <> 'expired',
    iif(status = 'proposed' AND expires_at <= :now, 'expired', status) = :status
  );

-- ======== Sent in special cases only ========

-- rows  (GET /api/v1/actions?entity_type=task: the next page)
-- 1,182 characters, 9 parameters, 4 rows read, 0 rows written
--   CO-ROUTINE (subquery-1)
--     SEARCH actions USING INDEX actions_newest (scope=? AND proposed_at<?)
--   SCAN (subquery-1)
SELECT seq, id, iif(heavy, NULL, entity_type) AS entity_type, iif(heavy, NULL, entity_id) AS entity_id,
  iif(heavy, NULL, action_type) AS action_type, iif(heavy, NULL, label) AS label,
  iif(heavy, NULL, description) AS description, status, iif(heavy, NULL, proposed_by) AS proposed_by,
  proposed_at, executed_at, iif(heavy, NULL, result) AS result, expires_at,
  iif(heavy, NULL, metadata) AS metadata, scope, iif(heavy, NULL, action_data) AS action_data, heavy
FROM (
  SELECT *,
    320 + coalesce(octet_length(description), 0) + coalesce(octet_length(result), 0) + coalesce(
      octet_length(metadata), 0
    ) + coalesce(octet_length(action_data), 0) + coalesce(octet_length(entity_type), 0) + coalesce(
      octet_length(entity_id), 0
    ) + coalesce(octet_length(action_type), 0) + coalesce(octet_length(label), 0) + coalesce(
      octet_length(proposed_by), 0
    ) > :share AS heavy
  FROM (
    SELECT *
    FROM actions
    WHERE scope = :scope
      AND entity_type = :entity_type
      AND iif(
        :status IS NULL,
        iif(status = 'proposed' AND expires_at <= :now, 'expired', status) <> 'expired',
        iif(status = 'proposed' AND expires_at <= :now, 'expired', status) = :status
      )
      AND (proposed_at, seq) < (:after_proposed_at, :after_seq)
    ORDER BY proposed_at DESC, seq DESC
    LIMIT :take OFFSET :skip
  )
);

-- rows  (GET /api/v1/actions?entity_type=task&entity_id=deep-0)
-- 1,191 characters, 8 parameters, 3 rows read, 0 rows written
--   CO-ROUTINE (subquery-1)
--     SEARCH actions USING INDEX actions_about (scope=? AND entity_type=? AND entity_id=?)
--     USE TEMP B-TREE FOR ORDER BY
--   SCAN (subquery-1)
SELECT seq, id, iif(heavy, NULL, entity_type) AS entity_type, iif(heavy, NULL, entity_id) AS entity_id,
  iif(heavy, NULL, action_type) AS action_type, iif(heavy, NULL, label) AS label,
  iif(heavy, NULL, description) AS description, status, iif(heavy, NULL, proposed_by) AS proposed_by,
  proposed_at, executed_at, iif(heavy, NULL, result) AS result, expires_at,
  iif(heavy, NULL, metadata) AS metadata, scope, iif(heavy, NULL, action_data) AS action_data, heavy
FROM (
  SELECT *,
    320 + coalesce(octet_length(description), 0) + coalesce(octet_length(result), 0) + coalesce(
      octet_length(metadata), 0
    ) + coalesce(octet_length(action_data), 0) + coalesce(octet_length(entity_type), 0) + coalesce(
      octet_length(entity_id), 0
    ) + coalesce(octet_length(action_type), 0) + coalesce(octet_length(label), 0) + coalesce(
      octet_length(proposed_by), 0
    ) > :share AS heavy
  FROM (
    SELECT *
    FROM actions INDEXED BY actions_about
    WHERE scope = :scope
      AND entity_type = :entity_type
      AND entity_id = :entity_id
      AND iif(
        :status IS NULL,
        iif(status = 'proposed' AND expires_at <= :now, 'expired', status) <> 'expired',
        iif(status = 'proposed' AND expires_at <= :now, 'expired', status) = :status
      )
    ORDER BY proposed_at DESC, seq DESC
    LIMIT :take OFFSET :skip
  )
);

-- count  (GET /api/v1/actions?entity_type=task&entity_id=deep-0)
-- 296 characters, 5 parameters, 2 rows read, 0 rows written
--   SEARCH actions USING INDEX actions_about (scope=? AND entity_type=? AND entity_id=?)
SELECT count(*) AS total
FROM actions INDEXED BY actions_about
WHERE scope = :scope
  AND entity_type = :entity_type
  AND entity_id = :entity_id
  AND iif(
    :status IS NULL,
    iif(status = 'proposed' AND expires_at <= :now, 'expired', status) <> 'expired',
    iif(status = 'proposed' AND expires_at <= :now, 'expired', status) = :status
  );
