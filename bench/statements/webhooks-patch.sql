-- PATCH /api/v1/webhooks/:id
-- 1 round trip, 1 statement: 1,303 characters, 16 parameters, 2 rows read, 1 row written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- changed
-- 1,303 characters, 16 parameters, 2 rows read, 1 row written
--   SEARCH webhooks USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 3
--     CO-ROUTINE (subquery-2)
--       COMPOUND QUERY
--         LEFT-MOST SUBQUERY
--           SCAN CONSTANT ROW
--         UNION ALL
--           SCAN json_each VIRTUAL TABLE INDEX 1:
--     SCAN (subquery-2)
UPDATE webhooks
SET url = iif(:sets_url, :url, url), name = iif(:sets_name, :name, name),
  types = iif(:sets_types, :types, types), project_id = iif(:sets_project_id, :project_id, project_id),
  template = iif(:sets_template, :template, template), sender = NULL,
  previous_secret = iif(:secret IS NULL, previous_secret, secret),
  previous_until = iif(:secret IS NULL, previous_until, :overlap_end),
  older_secrets = iif(
    :secret IS NULL,
    older_secrets,
    (
      SELECT json_group_array(json(pair))
      FROM (
        SELECT json_array(previous_secret, previous_until) AS pair
        WHERE previous_until > :now
        UNION ALL
        SELECT value
        FROM json_each(older_secrets)
        WHERE value ->> 1 > :now
        LIMIT 3
      )
    )
  ),
  secret = coalesce(:secret, secret), attempts = iif((:enabled IS 1 OR :sets_url), 0, attempts),
  failing_since = iif((:enabled IS 1 OR :sets_url), NULL, failing_since),
  next_attempt_at = iif((:enabled IS 1 OR :sets_url), NULL, next_attempt_at),
  disabled_at = CASE :enabled WHEN 1 THEN NULL WHEN 0 THEN coalesce(disabled_at, :now) ELSE disabled_at END,
  disabled_reason = CASE :enabled
    WHEN 1 THEN NULL
    WHEN 0 THEN coalesce(disabled_reason, 'It was disabled by a request.')
    ELSE disabled_reason
  END
WHERE id = :id AND (:scope IS NULL OR scope = :scope)
RETURNING id, scope, name, url, types, project_id, template, position, disabled_at IS NULL AS enabled,
  disabled_at, disabled_reason, attempts, failing_since, next_attempt_at, delivered_at, created_by, created_at;
