-- GET /api/v1/tasks
-- 1 round trip, 3 statements: 6,905 characters, 7 parameters, 446 rows read, 0 rows written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- rows
-- 6,730 characters, 5 parameters, 444 rows read, 0 rows written
--   CO-ROUTINE (subquery-33)
--     SEARCH queue_counts USING PRIMARY KEY (scope=?)
--     SCAN json_each VIRTUAL TABLE INDEX 1:
--     SEARCH tasks USING PRIMARY KEY (id=?)
--     CORRELATED LIST SUBQUERY 32
--       CO-ROUTINE (subquery-31)
--         MERGE (UNION ALL)
--           LEFT
--             MERGE (UNION ALL)
--               LEFT
--                 SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=? AND priority_rank=?)
--                 CORRELATED SCALAR SUBQUERY 2
--                   SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=?)
--               RIGHT
--                 SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=? AND priority_rank=?)
--                 CORRELATED SCALAR SUBQUERY 6
--                   SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=? AND priority_rank>?)
--                   CORRELATED SCALAR SUBQUERY 5
--                     SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=?)
--           RIGHT
--             MERGE (UNION ALL)
--               LEFT
--                 SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=? AND priority_rank=?)
--                 CORRELATED SCALAR SUBQUERY 9
--                   SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=?)
--               RIGHT
--                 MERGE (UNION ALL)
--                   LEFT
--                     MERGE (UNION ALL)
--                       LEFT
--                         SEARCH tasks USING INDEX tasks_leased (scope=?)
--                         USE TEMP B-TREE FOR ORDER BY
--                       RIGHT
--                         MATERIALIZE other
--                           SETUP
--                             SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=? AND priority_rank>?)
--                             CORRELATED SCALAR SUBQUERY 15
--                               SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=? AND priority_rank>?)
--                               CORRELATED SCALAR SUBQUERY 14
--                                 SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=?)
--                           RECURSIVE STEP
--                             SCAN other
--                             CORRELATED SCALAR SUBQUERY 17
--                               SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=? AND priority_rank>?)
--                         SCAN other
--                         SEARCH tasks USING PRIMARY KEY (id=?)
--                         CORRELATED LIST SUBQUERY 20
--                           SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=? AND priority_rank=?)
--                         USE TEMP B-TREE FOR ORDER BY
--                   RIGHT
--                     MATERIALIZE other
--                       SETUP
--                         SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=? AND priority_rank>?)
--                         CORRELATED SCALAR SUBQUERY 23
--                           SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=?)
--                       RECURSIVE STEP
--                         SCAN other
--                         CORRELATED SCALAR SUBQUERY 25
--                           SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=? AND priority_rank>?)
--                     SCAN other
--                     SEARCH tasks USING PRIMARY KEY (id=?)
--                     CORRELATED LIST SUBQUERY 28
--                       SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=? AND priority_rank=?)
--                     USE TEMP B-TREE FOR ORDER BY
--       SCAN (subquery-31)
--     USE TEMP B-TREE FOR ORDER BY
--   SCAN (subquery-33)
SELECT id, scope, iif(heavy, NULL, file_path) AS file_path, iif(heavy, NULL, title) AS title, queue, version,
  iif(heavy, NULL, priority) AS priority, iif(heavy, NULL, complexity) AS complexity,
  iif(heavy, NULL, role) AS role, iif(heavy, NULL, type) AS type, iif(heavy, NULL, branch) AS branch,
  iif(heavy, NULL, content) AS content, project_id, draft_id, iif(heavy, NULL, blocked_by) AS blocked_by,
  claimed_by, claimed_at, orchestrator_id, lease_expires_at, fencing_token, deadline_at, max_attempt_seconds,
  cancel_requested_at, iif(heavy, NULL, cancel_reason) AS cancel_reason, available_at, waiting_for_reply,
  external_key, max_attempts, max_lease_losses, max_rejections,
  iif(heavy, NULL, failure_reason) AS failure_reason, terminal, attempt_count, rejection_count, lease_losses,
  iif(heavy, NULL, last_rejection_reason) AS last_rejection_reason, commits_count, turns_used,
  iif(heavy, NULL, check_results) AS check_results, iif(heavy, NULL, execution_notes) AS execution_notes,
  needs_intervention, submitted_at, iif(heavy, NULL, submitted_by) AS submitted_by, submitted_orchestrator_id,
  iif(heavy, NULL, head_commit) AS head_commit, iif(heavy, NULL, evidence) AS evidence,
  iif(heavy, NULL, session_url) AS session_url, iif(heavy, NULL, resume_command) AS resume_command,
  session_token, completed_at, pr_number, iif(heavy, NULL, pr_url) AS pr_url,
  iif(heavy, NULL, checks) AS checks, iif(heavy, NULL, staging_url) AS staging_url,
  iif(heavy, NULL, plan_id) AS plan_id, has_plan, auto_accept, needs_rebase, needs_breakdown,
  last_rebase_attempt_at, review_round, iif(heavy, NULL, hooks) AS hooks, iif(heavy, NULL, flow) AS flow,
  iif(heavy, NULL, flow_overrides) AS flow_overrides, iif(heavy, NULL, metadata) AS metadata, cost_usd,
  input_tokens, output_tokens, cached_tokens, wall_seconds, max_cost_usd, max_tokens, created_at, updated_at,
  claimed_from, named_holder, intervention_from, grants, lease_seconds,
  iif(heavy, NULL, checkpoint) AS checkpoint, iif(heavy, NULL, setbacks) AS setbacks, lapsed_token,
  question_id, iif(heavy, NULL, answers) AS answers, priority_rank, heavy
FROM (
  SELECT *,
    1700 + bytes + coalesce(octet_length(checkpoint), 0) + coalesce(octet_length(evidence), 0) + coalesce(
      octet_length(session_url), 0
    ) + coalesce(octet_length(resume_command), 0) > :share AS heavy
  FROM (
    SELECT tasks.*
    FROM (SELECT key AS place FROM queue_counts, json_each(counts) WHERE scope = :scope) AS q
    CROSS JOIN tasks ON tasks.id IN (
      SELECT id
      FROM (
        SELECT *
        FROM (
          SELECT id, priority_rank, created_at
          FROM tasks INDEXED BY tasks_ready
          WHERE scope = :scope
            AND queue = q.place
            AND claimed_by IS NULL
            AND blocked_by IS NULL
            AND available_at IS NULL
            AND queue <> 'done'
            AND priority_rank = (
              SELECT min(priority_rank)
              FROM tasks INDEXED BY tasks_ready
              WHERE scope = :scope
                AND queue = q.place
                AND claimed_by IS NULL
                AND blocked_by IS NULL
                AND available_at IS NULL
                AND queue <> 'done'
            )
        )
        UNION ALL
        SELECT *
        FROM (
          SELECT id, priority_rank, created_at
          FROM tasks INDEXED BY tasks_ready
          WHERE scope = :scope
            AND queue = q.place
            AND claimed_by IS NULL
            AND blocked_by IS NULL
            AND available_at IS NULL
            AND queue <> 'done'
            AND priority_rank = (
              SELECT min(priority_rank)
              FROM tasks INDEXED BY tasks_ready
              WHERE scope = :scope
                AND queue = q.place
                AND claimed_by IS NULL
                AND blocked_by IS NULL
                AND available_at IS NULL
                AND queue <> 'done'
                AND priority_rank > (
                  SELECT min(priority_rank)
                  FROM tasks INDEXED BY tasks_ready
                  WHERE scope = :scope
                    AND queue = q.place
                    AND claimed_by IS NULL
                    AND blocked_by IS NULL
                    AND available_at IS NULL
                    AND queue <> 'done'
                )
            )
        )
        UNION ALL
        SELECT *
        FROM (
          SELECT id, priority_rank, created_at
          FROM tasks INDEXED BY tasks_waiting
          WHERE scope = :scope
            AND queue = q.place
            AND claimed_by IS NULL
            AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
            AND priority_rank = (
              SELECT min(priority_rank)
              FROM tasks INDEXED BY tasks_waiting
              WHERE scope = :scope
                AND queue = q.place
                AND claimed_by IS NULL
                AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
            )
        )
        UNION ALL
        SELECT *
        FROM (
          SELECT *
          FROM (
            SELECT id, priority_rank, created_at
            FROM tasks INDEXED BY tasks_leased
            WHERE scope = :scope AND queue = q.place AND claimed_by IS NOT NULL
          )
          UNION ALL
          SELECT *
          FROM (
            SELECT id, priority_rank, created_at
            FROM (
              WITH RECURSIVE other (rank) AS (
                SELECT min(priority_rank)
                FROM tasks INDEXED BY tasks_ready
                WHERE scope = :scope
                  AND queue = q.place
                  AND claimed_by IS NULL
                  AND blocked_by IS NULL
                  AND available_at IS NULL
                  AND queue <> 'done'
                  AND priority_rank > (
                    SELECT min(priority_rank)
                    FROM tasks INDEXED BY tasks_ready
                    WHERE scope = :scope
                      AND queue = q.place
                      AND claimed_by IS NULL
                      AND blocked_by IS NULL
                      AND available_at IS NULL
                      AND queue <> 'done'
                      AND priority_rank > (
                        SELECT min(priority_rank)
                        FROM tasks INDEXED BY tasks_ready
                        WHERE scope = :scope
                          AND queue = q.place
                          AND claimed_by IS NULL
                          AND blocked_by IS NULL
                          AND available_at IS NULL
                          AND queue <> 'done'
                      )
                  )
                UNION ALL
                SELECT (
                  SELECT min(priority_rank)
                  FROM tasks INDEXED BY tasks_ready
                  WHERE scope = :scope
                    AND queue = q.place
                    AND claimed_by IS NULL
                    AND blocked_by IS NULL
                    AND available_at IS NULL
                    AND queue <> 'done'
                    AND priority_rank > rank
                )
                FROM other
                WHERE rank IS NOT NULL
              )
              SELECT rank
              FROM other
              WHERE rank IS NOT NULL
            ) AS other
            CROSS JOIN tasks ON tasks.id IN (
              SELECT id
              FROM tasks INDEXED BY tasks_ready
              WHERE scope = :scope
                AND queue = q.place
                AND claimed_by IS NULL
                AND blocked_by IS NULL
                AND available_at IS NULL
                AND queue <> 'done'
                AND priority_rank = other.rank
              ORDER BY created_at DESC, id DESC
              LIMIT :most
            )
          )
          UNION ALL
          SELECT *
          FROM (
            SELECT id, priority_rank, created_at
            FROM (
              WITH RECURSIVE other (rank) AS (
                SELECT min(priority_rank)
                FROM tasks INDEXED BY tasks_waiting
                WHERE scope = :scope
                  AND queue = q.place
                  AND claimed_by IS NULL
                  AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
                  AND priority_rank > (
                    SELECT min(priority_rank)
                    FROM tasks INDEXED BY tasks_waiting
                    WHERE scope = :scope
                      AND queue = q.place
                      AND claimed_by IS NULL
                      AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
                  )
                UNION ALL
                SELECT (
                  SELECT min(priority_rank)
                  FROM tasks INDEXED BY tasks_waiting
                  WHERE scope = :scope
                    AND queue = q.place
                    AND claimed_by IS NULL
                    AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
                    AND priority_rank > rank
                )
                FROM other
                WHERE rank IS NOT NULL
              )
              SELECT rank
              FROM other
              WHERE rank IS NOT NULL
            ) AS other
            CROSS JOIN tasks ON tasks.id IN (
              SELECT id
              FROM tasks INDEXED BY tasks_waiting
              WHERE scope = :scope
                AND queue = q.place
                AND claimed_by IS NULL
                AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
                AND priority_rank = other.rank
              ORDER BY created_at DESC, id DESC
              LIMIT :most
            )
          )
        )
        ORDER BY created_at DESC, id DESC
        LIMIT :most
      )
    )
    ORDER BY created_at DESC, id DESC
    LIMIT :take OFFSET :skip
  )
);

-- count
-- 49 characters, 1 parameter, 1 row read, 0 rows written
--   SEARCH queue_counts USING PRIMARY KEY (scope=?)
SELECT counts
FROM queue_counts
WHERE scope = :scope;

-- revision
-- 126 characters, 1 parameter, 1 row read, 0 rows written
--   SEARCH queue_counts USING PRIMARY KEY (scope=?)
SELECT coalesce(max(revision), 0) AS revision, coalesce(max(leases_revision), 0) AS leases
FROM queue_counts
WHERE scope = :scope;

-- ======== Sent in special cases only ========

-- rows  (GET /api/v1/tasks?queue=incoming: the next page)
-- 6,531 characters, 8 parameters, 25 rows read, 0 rows written
--   CO-ROUTINE (subquery-30)
--     MERGE (UNION ALL)
--       LEFT
--         MERGE (UNION ALL)
--           LEFT
--             SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=? AND priority_rank=? AND (created_at,id)<(?,?))
--             SCALAR SUBQUERY 1
--               SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=?)
--           RIGHT
--             SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=? AND priority_rank=? AND (created_at,id)<(?,?))
--             SCALAR SUBQUERY 5
--               SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=? AND priority_rank>?)
--               SCALAR SUBQUERY 4
--                 SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=?)
--       RIGHT
--         MERGE (UNION ALL)
--           LEFT
--             SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=? AND priority_rank=? AND (created_at,id)<(?,?))
--             SCALAR SUBQUERY 8
--               SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=?)
--           RIGHT
--             MERGE (UNION ALL)
--               LEFT
--                 MERGE (UNION ALL)
--                   LEFT
--                     SEARCH tasks USING INDEX tasks_leased (scope=?)
--                     USE TEMP B-TREE FOR ORDER BY
--                   RIGHT
--                     CO-ROUTINE other
--                       SETUP
--                         SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=? AND priority_rank>?)
--                         SCALAR SUBQUERY 14
--                           SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=? AND priority_rank>?)
--                           SCALAR SUBQUERY 13
--                             SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=?)
--                       RECURSIVE STEP
--                         SCAN other
--                         CORRELATED SCALAR SUBQUERY 16
--                           SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=? AND priority_rank>?)
--                     SCAN other
--                     SEARCH tasks USING PRIMARY KEY (id=?)
--                     CORRELATED LIST SUBQUERY 19
--                       SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=? AND priority_rank=? AND (created_at,id)<(?,?))
--                     USE TEMP B-TREE FOR ORDER BY
--               RIGHT
--                 CO-ROUTINE other
--                   SETUP
--                     SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=? AND priority_rank>?)
--                     SCALAR SUBQUERY 22
--                       SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=?)
--                   RECURSIVE STEP
--                     SCAN other
--                     CORRELATED SCALAR SUBQUERY 24
--                       SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=? AND priority_rank>?)
--                 SCAN other
--                 SEARCH tasks USING PRIMARY KEY (id=?)
--                 CORRELATED LIST SUBQUERY 27
--                   SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=? AND priority_rank=? AND (created_at,id)<(?,?))
--                 USE TEMP B-TREE FOR ORDER BY
--   SCAN (subquery-30)
SELECT id, scope, iif(heavy, NULL, file_path) AS file_path, iif(heavy, NULL, title) AS title, queue, version,
  iif(heavy, NULL, priority) AS priority, iif(heavy, NULL, complexity) AS complexity,
  iif(heavy, NULL, role) AS role, iif(heavy, NULL, type) AS type, iif(heavy, NULL, branch) AS branch,
  iif(heavy, NULL, content) AS content, project_id, draft_id, iif(heavy, NULL, blocked_by) AS blocked_by,
  claimed_by, claimed_at, orchestrator_id, lease_expires_at, fencing_token, deadline_at, max_attempt_seconds,
  cancel_requested_at, iif(heavy, NULL, cancel_reason) AS cancel_reason, available_at, waiting_for_reply,
  external_key, max_attempts, max_lease_losses, max_rejections,
  iif(heavy, NULL, failure_reason) AS failure_reason, terminal, attempt_count, rejection_count, lease_losses,
  iif(heavy, NULL, last_rejection_reason) AS last_rejection_reason, commits_count, turns_used,
  iif(heavy, NULL, check_results) AS check_results, iif(heavy, NULL, execution_notes) AS execution_notes,
  needs_intervention, submitted_at, iif(heavy, NULL, submitted_by) AS submitted_by, submitted_orchestrator_id,
  iif(heavy, NULL, head_commit) AS head_commit, iif(heavy, NULL, evidence) AS evidence,
  iif(heavy, NULL, session_url) AS session_url, iif(heavy, NULL, resume_command) AS resume_command,
  session_token, completed_at, pr_number, iif(heavy, NULL, pr_url) AS pr_url,
  iif(heavy, NULL, checks) AS checks, iif(heavy, NULL, staging_url) AS staging_url,
  iif(heavy, NULL, plan_id) AS plan_id, has_plan, auto_accept, needs_rebase, needs_breakdown,
  last_rebase_attempt_at, review_round, iif(heavy, NULL, hooks) AS hooks, iif(heavy, NULL, flow) AS flow,
  iif(heavy, NULL, flow_overrides) AS flow_overrides, iif(heavy, NULL, metadata) AS metadata, cost_usd,
  input_tokens, output_tokens, cached_tokens, wall_seconds, max_cost_usd, max_tokens, created_at, updated_at,
  claimed_from, named_holder, intervention_from, grants, lease_seconds,
  iif(heavy, NULL, checkpoint) AS checkpoint, iif(heavy, NULL, setbacks) AS setbacks, lapsed_token,
  question_id, iif(heavy, NULL, answers) AS answers, priority_rank, heavy
FROM (
  SELECT *,
    1700 + bytes + coalesce(octet_length(checkpoint), 0) + coalesce(octet_length(evidence), 0) + coalesce(
      octet_length(session_url), 0
    ) + coalesce(octet_length(resume_command), 0) > :share AS heavy
  FROM (
    SELECT *
    FROM (
      SELECT tasks.*
      FROM tasks INDEXED BY tasks_ready
      WHERE scope = :scope
        AND queue = :queue
        AND claimed_by IS NULL
        AND blocked_by IS NULL
        AND available_at IS NULL
        AND queue <> 'done'
        AND priority_rank = (
          SELECT min(priority_rank)
          FROM tasks INDEXED BY tasks_ready
          WHERE scope = :scope
            AND queue = :queue
            AND claimed_by IS NULL
            AND blocked_by IS NULL
            AND available_at IS NULL
            AND queue <> 'done'
        )
        AND (created_at, id) < (:after_created_at, :after_id)
    )
    UNION ALL
    SELECT *
    FROM (
      SELECT tasks.*
      FROM tasks INDEXED BY tasks_ready
      WHERE scope = :scope
        AND queue = :queue
        AND claimed_by IS NULL
        AND blocked_by IS NULL
        AND available_at IS NULL
        AND queue <> 'done'
        AND priority_rank = (
          SELECT min(priority_rank)
          FROM tasks INDEXED BY tasks_ready
          WHERE scope = :scope
            AND queue = :queue
            AND claimed_by IS NULL
            AND blocked_by IS NULL
            AND available_at IS NULL
            AND queue <> 'done'
            AND priority_rank > (
              SELECT min(priority_rank)
              FROM tasks INDEXED BY tasks_ready
              WHERE scope = :scope
                AND queue = :queue
                AND claimed_by IS NULL
                AND blocked_by IS NULL
                AND available_at IS NULL
                AND queue <> 'done'
            )
        )
        AND (created_at, id) < (:after_created_at, :after_id)
    )
    UNION ALL
    SELECT *
    FROM (
      SELECT tasks.*
      FROM tasks INDEXED BY tasks_waiting
      WHERE scope = :scope
        AND queue = :queue
        AND claimed_by IS NULL
        AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
        AND priority_rank = (
          SELECT min(priority_rank)
          FROM tasks INDEXED BY tasks_waiting
          WHERE scope = :scope
            AND queue = :queue
            AND claimed_by IS NULL
            AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
        )
        AND (created_at, id) < (:after_created_at, :after_id)
    )
    UNION ALL
    SELECT *
    FROM (
      SELECT *
      FROM (
        SELECT tasks.*
        FROM tasks INDEXED BY tasks_leased
        WHERE scope = :scope
          AND queue = :queue
          AND claimed_by IS NOT NULL
          AND (created_at, id) < (:after_created_at, :after_id)
      )
      UNION ALL
      SELECT *
      FROM (
        SELECT tasks.*
        FROM (
          WITH RECURSIVE other (rank) AS (
            SELECT min(priority_rank)
            FROM tasks INDEXED BY tasks_ready
            WHERE scope = :scope
              AND queue = :queue
              AND claimed_by IS NULL
              AND blocked_by IS NULL
              AND available_at IS NULL
              AND queue <> 'done'
              AND priority_rank > (
                SELECT min(priority_rank)
                FROM tasks INDEXED BY tasks_ready
                WHERE scope = :scope
                  AND queue = :queue
                  AND claimed_by IS NULL
                  AND blocked_by IS NULL
                  AND available_at IS NULL
                  AND queue <> 'done'
                  AND priority_rank > (
                    SELECT min(priority_rank)
                    FROM tasks INDEXED BY tasks_ready
                    WHERE scope = :scope
                      AND queue = :queue
                      AND claimed_by IS NULL
                      AND blocked_by IS NULL
                      AND available_at IS NULL
                      AND queue <> 'done'
                  )
              )
            UNION ALL
            SELECT (
              SELECT min(priority_rank)
              FROM tasks INDEXED BY tasks_ready
              WHERE scope = :scope
                AND queue = :queue
                AND claimed_by IS NULL
                AND blocked_by IS NULL
                AND available_at IS NULL
                AND queue <> 'done'
                AND priority_rank > rank
            )
            FROM other
            WHERE rank IS NOT NULL
          )
          SELECT rank
          FROM other
          WHERE rank IS NOT NULL
        ) AS other
        CROSS JOIN tasks ON tasks.id IN (
          SELECT id
          FROM tasks INDEXED BY tasks_ready
          WHERE scope = :scope
            AND queue = :queue
            AND claimed_by IS NULL
            AND blocked_by IS NULL
            AND available_at IS NULL
            AND queue <> 'done'
            AND priority_rank = other.rank
            AND (created_at, id) < (:after_created_at, :after_id)
          ORDER BY created_at DESC, id DESC
          LIMIT :most
        )
      )
      UNION ALL
      SELECT *
      FROM (
        SELECT tasks.*
        FROM (
          WITH RECURSIVE other (rank) AS (
            SELECT min(priority_rank)
            FROM tasks INDEXED BY tasks_waiting
            WHERE scope = :scope
              AND queue = :queue
              AND claimed_by IS NULL
              AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
              AND priority_rank > (
                SELECT min(priority_rank)
                FROM tasks INDEXED BY tasks_waiting
                WHERE scope = :scope
                  AND queue = :queue
                  AND claimed_by IS NULL
                  AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
              )
            UNION ALL
            SELECT (
              SELECT min(priority_rank)
              FROM tasks INDEXED BY tasks_waiting
              WHERE scope = :scope
                AND queue = :queue
                AND claimed_by IS NULL
                AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
                AND priority_rank > rank
            )
            FROM other
            WHERE rank IS NOT NULL
          )
          SELECT rank
          FROM other
          WHERE rank IS NOT NULL
        ) AS other
        CROSS JOIN tasks ON tasks.id IN (
          SELECT id
          FROM tasks INDEXED BY tasks_waiting
          WHERE scope = :scope
            AND queue = :queue
            AND claimed_by IS NULL
            AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
            AND priority_rank = other.rank
            AND (created_at, id) < (:after_created_at, :after_id)
          ORDER BY created_at DESC, id DESC
          LIMIT :most
        )
      )
    )
    ORDER BY created_at DESC, id DESC
    LIMIT :take OFFSET :skip
  )
);

-- rows  (GET /api/v1/tasks?queue=incoming,done: the next page)
-- 6,897 characters, 8 parameters, 70 rows read, 0 rows written
--   CO-ROUTINE (subquery-33)
--     SCAN json_each VIRTUAL TABLE INDEX 1:
--     SEARCH tasks USING PRIMARY KEY (id=?)
--     CORRELATED LIST SUBQUERY 32
--       CO-ROUTINE (subquery-31)
--         MERGE (UNION ALL)
--           LEFT
--             MERGE (UNION ALL)
--               LEFT
--                 SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=? AND priority_rank=? AND (created_at,id)<(?,?))
--                 CORRELATED SCALAR SUBQUERY 2
--                   SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=?)
--               RIGHT
--                 SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=? AND priority_rank=? AND (created_at,id)<(?,?))
--                 CORRELATED SCALAR SUBQUERY 6
--                   SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=? AND priority_rank>?)
--                   CORRELATED SCALAR SUBQUERY 5
--                     SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=?)
--           RIGHT
--             MERGE (UNION ALL)
--               LEFT
--                 SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=? AND priority_rank=? AND (created_at,id)<(?,?))
--                 CORRELATED SCALAR SUBQUERY 9
--                   SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=?)
--               RIGHT
--                 MERGE (UNION ALL)
--                   LEFT
--                     MERGE (UNION ALL)
--                       LEFT
--                         SEARCH tasks USING INDEX tasks_leased (scope=?)
--                         USE TEMP B-TREE FOR ORDER BY
--                       RIGHT
--                         MATERIALIZE other
--                           SETUP
--                             SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=? AND priority_rank>?)
--                             CORRELATED SCALAR SUBQUERY 15
--                               SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=? AND priority_rank>?)
--                               CORRELATED SCALAR SUBQUERY 14
--                                 SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=?)
--                           RECURSIVE STEP
--                             SCAN other
--                             CORRELATED SCALAR SUBQUERY 17
--                               SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=? AND priority_rank>?)
--                         SCAN other
--                         SEARCH tasks USING PRIMARY KEY (id=?)
--                         CORRELATED LIST SUBQUERY 20
--                           SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=? AND priority_rank=? AND (created_at,id)<(?,?))
--                         USE TEMP B-TREE FOR ORDER BY
--                   RIGHT
--                     MATERIALIZE other
--                       SETUP
--                         SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=? AND priority_rank>?)
--                         CORRELATED SCALAR SUBQUERY 23
--                           SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=?)
--                       RECURSIVE STEP
--                         SCAN other
--                         CORRELATED SCALAR SUBQUERY 25
--                           SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=? AND priority_rank>?)
--                     SCAN other
--                     SEARCH tasks USING PRIMARY KEY (id=?)
--                     CORRELATED LIST SUBQUERY 28
--                       SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=? AND priority_rank=? AND (created_at,id)<(?,?))
--                     USE TEMP B-TREE FOR ORDER BY
--       SCAN (subquery-31)
--     USE TEMP B-TREE FOR ORDER BY
--   SCAN (subquery-33)
SELECT id, scope, iif(heavy, NULL, file_path) AS file_path, iif(heavy, NULL, title) AS title, queue, version,
  iif(heavy, NULL, priority) AS priority, iif(heavy, NULL, complexity) AS complexity,
  iif(heavy, NULL, role) AS role, iif(heavy, NULL, type) AS type, iif(heavy, NULL, branch) AS branch,
  iif(heavy, NULL, content) AS content, project_id, draft_id, iif(heavy, NULL, blocked_by) AS blocked_by,
  claimed_by, claimed_at, orchestrator_id, lease_expires_at, fencing_token, deadline_at, max_attempt_seconds,
  cancel_requested_at, iif(heavy, NULL, cancel_reason) AS cancel_reason, available_at, waiting_for_reply,
  external_key, max_attempts, max_lease_losses, max_rejections,
  iif(heavy, NULL, failure_reason) AS failure_reason, terminal, attempt_count, rejection_count, lease_losses,
  iif(heavy, NULL, last_rejection_reason) AS last_rejection_reason, commits_count, turns_used,
  iif(heavy, NULL, check_results) AS check_results, iif(heavy, NULL, execution_notes) AS execution_notes,
  needs_intervention, submitted_at, iif(heavy, NULL, submitted_by) AS submitted_by, submitted_orchestrator_id,
  iif(heavy, NULL, head_commit) AS head_commit, iif(heavy, NULL, evidence) AS evidence,
  iif(heavy, NULL, session_url) AS session_url, iif(heavy, NULL, resume_command) AS resume_command,
  session_token, completed_at, pr_number, iif(heavy, NULL, pr_url) AS pr_url,
  iif(heavy, NULL, checks) AS checks, iif(heavy, NULL, staging_url) AS staging_url,
  iif(heavy, NULL, plan_id) AS plan_id, has_plan, auto_accept, needs_rebase, needs_breakdown,
  last_rebase_attempt_at, review_round, iif(heavy, NULL, hooks) AS hooks, iif(heavy, NULL, flow) AS flow,
  iif(heavy, NULL, flow_overrides) AS flow_overrides, iif(heavy, NULL, metadata) AS metadata, cost_usd,
  input_tokens, output_tokens, cached_tokens, wall_seconds, max_cost_usd, max_tokens, created_at, updated_at,
  claimed_from, named_holder, intervention_from, grants, lease_seconds,
  iif(heavy, NULL, checkpoint) AS checkpoint, iif(heavy, NULL, setbacks) AS setbacks, lapsed_token,
  question_id, iif(heavy, NULL, answers) AS answers, priority_rank, heavy
FROM (
  SELECT *,
    1700 + bytes + coalesce(octet_length(checkpoint), 0) + coalesce(octet_length(evidence), 0) + coalesce(
      octet_length(session_url), 0
    ) + coalesce(octet_length(resume_command), 0) > :share AS heavy
  FROM (
    SELECT tasks.*
    FROM (SELECT value AS place FROM json_each(:queues)) AS q
    CROSS JOIN tasks ON tasks.id IN (
      SELECT id
      FROM (
        SELECT *
        FROM (
          SELECT id, priority_rank, created_at
          FROM tasks INDEXED BY tasks_ready
          WHERE scope = :scope
            AND queue = q.place
            AND claimed_by IS NULL
            AND blocked_by IS NULL
            AND available_at IS NULL
            AND queue <> 'done'
            AND priority_rank = (
              SELECT min(priority_rank)
              FROM tasks INDEXED BY tasks_ready
              WHERE scope = :scope
                AND queue = q.place
                AND claimed_by IS NULL
                AND blocked_by IS NULL
                AND available_at IS NULL
                AND queue <> 'done'
            )
            AND (created_at, id) < (:after_created_at, :after_id)
        )
        UNION ALL
        SELECT *
        FROM (
          SELECT id, priority_rank, created_at
          FROM tasks INDEXED BY tasks_ready
          WHERE scope = :scope
            AND queue = q.place
            AND claimed_by IS NULL
            AND blocked_by IS NULL
            AND available_at IS NULL
            AND queue <> 'done'
            AND priority_rank = (
              SELECT min(priority_rank)
              FROM tasks INDEXED BY tasks_ready
              WHERE scope = :scope
                AND queue = q.place
                AND claimed_by IS NULL
                AND blocked_by IS NULL
                AND available_at IS NULL
                AND queue <> 'done'
                AND priority_rank > (
                  SELECT min(priority_rank)
                  FROM tasks INDEXED BY tasks_ready
                  WHERE scope = :scope
                    AND queue = q.place
                    AND claimed_by IS NULL
                    AND blocked_by IS NULL
                    AND available_at IS NULL
                    AND queue <> 'done'
                )
            )
            AND (created_at, id) < (:after_created_at, :after_id)
        )
        UNION ALL
        SELECT *
        FROM (
          SELECT id, priority_rank, created_at
          FROM tasks INDEXED BY tasks_waiting
          WHERE scope = :scope
            AND queue = q.place
            AND claimed_by IS NULL
            AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
            AND priority_rank = (
              SELECT min(priority_rank)
              FROM tasks INDEXED BY tasks_waiting
              WHERE scope = :scope
                AND queue = q.place
                AND claimed_by IS NULL
                AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
            )
            AND (created_at, id) < (:after_created_at, :after_id)
        )
        UNION ALL
        SELECT *
        FROM (
          SELECT *
          FROM (
            SELECT id, priority_rank, created_at
            FROM tasks INDEXED BY tasks_leased
            WHERE scope = :scope
              AND queue = q.place
              AND claimed_by IS NOT NULL
              AND (created_at, id) < (:after_created_at, :after_id)
          )
          UNION ALL
          SELECT *
          FROM (
            SELECT id, priority_rank, created_at
            FROM (
              WITH RECURSIVE other (rank) AS (
                SELECT min(priority_rank)
                FROM tasks INDEXED BY tasks_ready
                WHERE scope = :scope
                  AND queue = q.place
                  AND claimed_by IS NULL
                  AND blocked_by IS NULL
                  AND available_at IS NULL
                  AND queue <> 'done'
                  AND priority_rank > (
                    SELECT min(priority_rank)
                    FROM tasks INDEXED BY tasks_ready
                    WHERE scope = :scope
                      AND queue = q.place
                      AND claimed_by IS NULL
                      AND blocked_by IS NULL
                      AND available_at IS NULL
                      AND queue <> 'done'
                      AND priority_rank > (
                        SELECT min(priority_rank)
                        FROM tasks INDEXED BY tasks_ready
                        WHERE scope = :scope
                          AND queue = q.place
                          AND claimed_by IS NULL
                          AND blocked_by IS NULL
                          AND available_at IS NULL
                          AND queue <> 'done'
                      )
                  )
                UNION ALL
                SELECT (
                  SELECT min(priority_rank)
                  FROM tasks INDEXED BY tasks_ready
                  WHERE scope = :scope
                    AND queue = q.place
                    AND claimed_by IS NULL
                    AND blocked_by IS NULL
                    AND available_at IS NULL
                    AND queue <> 'done'
                    AND priority_rank > rank
                )
                FROM other
                WHERE rank IS NOT NULL
              )
              SELECT rank
              FROM other
              WHERE rank IS NOT NULL
            ) AS other
            CROSS JOIN tasks ON tasks.id IN (
              SELECT id
              FROM tasks INDEXED BY tasks_ready
              WHERE scope = :scope
                AND queue = q.place
                AND claimed_by IS NULL
                AND blocked_by IS NULL
                AND available_at IS NULL
                AND queue <> 'done'
                AND priority_rank = other.rank
                AND (created_at, id) < (:after_created_at, :after_id)
              ORDER BY created_at DESC, id DESC
              LIMIT :most
            )
          )
          UNION ALL
          SELECT *
          FROM (
            SELECT id, priority_rank, created_at
            FROM (
              WITH RECURSIVE other (rank) AS (
                SELECT min(priority_rank)
                FROM tasks INDEXED BY tasks_waiting
                WHERE scope = :scope
                  AND queue = q.place
                  AND claimed_by IS NULL
                  AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
                  AND priority_rank > (
                    SELECT min(priority_rank)
                    FROM tasks INDEXED BY tasks_waiting
                    WHERE scope = :scope
                      AND queue = q.place
                      AND claimed_by IS NULL
                      AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
                  )
                UNION ALL
                SELECT (
                  SELECT min(priority_rank)
                  FROM tasks INDEXED BY tasks_waiting
                  WHERE scope = :scope
                    AND queue = q.place
                    AND claimed_by IS NULL
                    AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
                    AND priority_rank > rank
                )
                FROM other
                WHERE rank IS NOT NULL
              )
              SELECT rank
              FROM other
              WHERE rank IS NOT NULL
            ) AS other
            CROSS JOIN tasks ON tasks.id IN (
              SELECT id
              FROM tasks INDEXED BY tasks_waiting
              WHERE scope = :scope
                AND queue = q.place
                AND claimed_by IS NULL
                AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
                AND priority_rank = other.rank
                AND (created_at, id) < (:after_created_at, :after_id)
              ORDER BY created_at DESC, id DESC
              LIMIT :most
            )
          )
        )
        ORDER BY created_at DESC, id DESC
        LIMIT :most
      )
    )
    ORDER BY created_at DESC, id DESC
    LIMIT :take OFFSET :skip
  )
);

-- rows  (GET /api/v1/tasks?queue=done&content=false: the next page)
-- 16,554 characters, 8 parameters, 25 rows read, 0 rows written
--   CO-ROUTINE (subquery-39)
--     MERGE (UNION ALL)
--       LEFT
--         MERGE (UNION ALL)
--           LEFT
--             SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=? AND priority_rank=? AND (created_at,id)<(?,?))
--             SCALAR SUBQUERY 1
--               SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=?)
--           RIGHT
--             SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=? AND priority_rank=? AND (created_at,id)<(?,?))
--             SCALAR SUBQUERY 5
--               SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=? AND priority_rank>?)
--               SCALAR SUBQUERY 4
--                 SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=?)
--       RIGHT
--         MERGE (UNION ALL)
--           LEFT
--             MERGE (UNION ALL)
--               LEFT
--                 SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=? AND priority_rank=? AND (created_at,id)<(?,?))
--                 SCALAR SUBQUERY 10
--                   SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=? AND priority_rank>?)
--                   SCALAR SUBQUERY 9
--                     SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=? AND priority_rank>?)
--                     SCALAR SUBQUERY 8
--                       SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=?)
--               RIGHT
--                 SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=? AND priority_rank=? AND (created_at,id)<(?,?))
--                 SCALAR SUBQUERY 16
--                   SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=? AND priority_rank>?)
--                   SCALAR SUBQUERY 15
--                     SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=? AND priority_rank>?)
--                     SCALAR SUBQUERY 14
--                       SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=? AND priority_rank>?)
--                       SCALAR SUBQUERY 13
--                         SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=?)
--           RIGHT
--             MERGE (UNION ALL)
--               LEFT
--                 MERGE (UNION ALL)
--                   LEFT
--                     SEARCH tasks USING INDEX tasks_leased (scope=?)
--                     USE TEMP B-TREE FOR ORDER BY
--                   RIGHT
--                     CO-ROUTINE other
--                       SETUP
--                         SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=?)
--                       RECURSIVE STEP
--                         SCAN other
--                         CORRELATED SCALAR SUBQUERY 22
--                           SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=? AND priority_rank>?)
--                     SCAN other
--                     SEARCH tasks USING PRIMARY KEY (id=?)
--                     CORRELATED LIST SUBQUERY 25
--                       SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=? AND priority_rank=? AND (created_at,id)<(?,?))
--                     USE TEMP B-TREE FOR ORDER BY
--               RIGHT
--                 CO-ROUTINE other
--                   SETUP
--                     SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=? AND priority_rank>?)
--                     SCALAR SUBQUERY 31
--                       SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=? AND priority_rank>?)
--                       SCALAR SUBQUERY 30
--                         SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=? AND priority_rank>?)
--                         SCALAR SUBQUERY 29
--                           SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=? AND priority_rank>?)
--                           SCALAR SUBQUERY 28
--                             SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=?)
--                   RECURSIVE STEP
--                     SCAN other
--                     CORRELATED SCALAR SUBQUERY 33
--                       SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=? AND priority_rank>?)
--                 SCAN other
--                 SEARCH tasks USING PRIMARY KEY (id=?)
--                 CORRELATED LIST SUBQUERY 36
--                   SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=? AND priority_rank=? AND (created_at,id)<(?,?))
--                 USE TEMP B-TREE FOR ORDER BY
--   SCAN (subquery-39)
SELECT id, scope, iif(heavy, NULL, file_path) AS file_path, iif(heavy, NULL, title) AS title, queue, version,
  iif(heavy, NULL, priority) AS priority, iif(heavy, NULL, complexity) AS complexity,
  iif(heavy, NULL, role) AS role, iif(heavy, NULL, type) AS type, iif(heavy, NULL, branch) AS branch,
  iif(heavy, NULL, content) AS content, project_id, draft_id, iif(heavy, NULL, blocked_by) AS blocked_by,
  claimed_by, claimed_at, orchestrator_id, lease_expires_at, fencing_token, deadline_at, max_attempt_seconds,
  cancel_requested_at, iif(heavy, NULL, cancel_reason) AS cancel_reason, available_at, waiting_for_reply,
  external_key, max_attempts, max_lease_losses, max_rejections,
  iif(heavy, NULL, failure_reason) AS failure_reason, terminal, attempt_count, rejection_count, lease_losses,
  iif(heavy, NULL, last_rejection_reason) AS last_rejection_reason, commits_count, turns_used,
  iif(heavy, NULL, check_results) AS check_results, iif(heavy, NULL, execution_notes) AS execution_notes,
  needs_intervention, submitted_at, iif(heavy, NULL, submitted_by) AS submitted_by, submitted_orchestrator_id,
  iif(heavy, NULL, head_commit) AS head_commit, iif(heavy, NULL, evidence) AS evidence,
  iif(heavy, NULL, session_url) AS session_url, iif(heavy, NULL, resume_command) AS resume_command,
  session_token, completed_at, pr_number, iif(heavy, NULL, pr_url) AS pr_url,
  iif(heavy, NULL, checks) AS checks, iif(heavy, NULL, staging_url) AS staging_url,
  iif(heavy, NULL, plan_id) AS plan_id, has_plan, auto_accept, needs_rebase, needs_breakdown,
  last_rebase_attempt_at, review_round, iif(heavy, NULL, hooks) AS hooks, iif(heavy, NULL, flow) AS flow,
  iif(heavy, NULL, flow_overrides) AS flow_overrides, iif(heavy, NULL, metadata) AS metadata, cost_usd,
  input_tokens, output_tokens, cached_tokens, wall_seconds, max_cost_usd, max_tokens, created_at, updated_at,
  claimed_from, named_holder, intervention_from, grants, lease_seconds,
  iif(heavy, NULL, checkpoint) AS checkpoint, iif(heavy, NULL, setbacks) AS setbacks, lapsed_token,
  question_id, iif(heavy, NULL, answers) AS answers, priority_rank, heavy
FROM (
  SELECT *,
    1700 + bytes + coalesce(octet_length(checkpoint), 0) + coalesce(octet_length(evidence), 0) + coalesce(
      octet_length(session_url), 0
    ) + coalesce(octet_length(resume_command), 0) > :share AS heavy
  FROM (
    SELECT *
    FROM (
      SELECT id, scope, file_path, title, queue, version, priority, complexity, role, type, branch,
        NULL AS content, project_id, draft_id, blocked_by, claimed_by, claimed_at, orchestrator_id,
        lease_expires_at, fencing_token, deadline_at, max_attempt_seconds, cancel_requested_at, cancel_reason,
        available_at, waiting_for_reply, external_key, max_attempts, max_lease_losses, max_rejections,
        failure_reason, terminal, attempt_count, rejection_count, lease_losses, last_rejection_reason,
        commits_count, turns_used, check_results, execution_notes, needs_intervention, submitted_at,
        submitted_by, submitted_orchestrator_id, head_commit, evidence, session_url, resume_command,
        session_token, completed_at, pr_number, pr_url, checks, staging_url, plan_id, has_plan, auto_accept,
        needs_rebase, needs_breakdown, last_rebase_attempt_at, review_round, hooks, flow, flow_overrides,
        metadata, cost_usd, input_tokens, output_tokens, cached_tokens, wall_seconds, max_cost_usd,
        max_tokens, created_at, updated_at, claimed_from, named_holder, intervention_from, grants,
        lease_seconds, checkpoint, setbacks, lapsed_token, question_id, answers, priority_rank,
        bytes - coalesce(octet_length(content), 0) AS bytes
      FROM tasks INDEXED BY tasks_waiting
      WHERE scope = :scope
        AND queue = :queue
        AND claimed_by IS NULL
        AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
        AND priority_rank = (
          SELECT min(priority_rank)
          FROM tasks INDEXED BY tasks_waiting
          WHERE scope = :scope
            AND queue = :queue
            AND claimed_by IS NULL
            AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
        )
        AND (created_at, id) < (:after_created_at, :after_id)
    )
    UNION ALL
    SELECT *
    FROM (
      SELECT id, scope, file_path, title, queue, version, priority, complexity, role, type, branch,
        NULL AS content, project_id, draft_id, blocked_by, claimed_by, claimed_at, orchestrator_id,
        lease_expires_at, fencing_token, deadline_at, max_attempt_seconds, cancel_requested_at, cancel_reason,
        available_at, waiting_for_reply, external_key, max_attempts, max_lease_losses, max_rejections,
        failure_reason, terminal, attempt_count, rejection_count, lease_losses, last_rejection_reason,
        commits_count, turns_used, check_results, execution_notes, needs_intervention, submitted_at,
        submitted_by, submitted_orchestrator_id, head_commit, evidence, session_url, resume_command,
        session_token, completed_at, pr_number, pr_url, checks, staging_url, plan_id, has_plan, auto_accept,
        needs_rebase, needs_breakdown, last_rebase_attempt_at, review_round, hooks, flow, flow_overrides,
        metadata, cost_usd, input_tokens, output_tokens, cached_tokens, wall_seconds, max_cost_usd,
        max_tokens, created_at, updated_at, claimed_from, named_holder, intervention_from, grants,
        lease_seconds, checkpoint, setbacks, lapsed_token, question_id, answers, priority_rank,
        bytes - coalesce(octet_length(content), 0) AS bytes
      FROM tasks INDEXED BY tasks_waiting
      WHERE scope = :scope
        AND queue = :queue
        AND claimed_by IS NULL
        AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
        AND priority_rank = (
          SELECT min(priority_rank)
          FROM tasks INDEXED BY tasks_waiting
          WHERE scope = :scope
            AND queue = :queue
            AND claimed_by IS NULL
            AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
            AND priority_rank > (
              SELECT min(priority_rank)
              FROM tasks INDEXED BY tasks_waiting
              WHERE scope = :scope
                AND queue = :queue
                AND claimed_by IS NULL
                AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
            )
        )
        AND (created_at, id) < (:after_created_at, :after_id)
    )
    UNION ALL
    SELECT *
    FROM (
      SELECT id, scope, file_path, title, queue, version, priority, complexity, role, type, branch,
        NULL AS content, project_id, draft_id, blocked_by, claimed_by, claimed_at, orchestrator_id,
        lease_expires_at, fencing_token, deadline_at, max_attempt_seconds, cancel_requested_at, cancel_reason,
        available_at, waiting_for_reply, external_key, max_attempts, max_lease_losses, max_rejections,
        failure_reason, terminal, attempt_count, rejection_count, lease_losses, last_rejection_reason,
        commits_count, turns_used, check_results, execution_notes, needs_intervention, submitted_at,
        submitted_by, submitted_orchestrator_id, head_commit, evidence, session_url, resume_command,
        session_token, completed_at, pr_number, pr_url, checks, staging_url, plan_id, has_plan, auto_accept,
        needs_rebase, needs_breakdown, last_rebase_attempt_at, review_round, hooks, flow, flow_overrides,
        metadata, cost_usd, input_tokens, output_tokens, cached_tokens, wall_seconds, max_cost_usd,
        max_tokens, created_at, updated_at, claimed_from, named_holder, intervention_from, grants,
        lease_seconds, checkpoint, setbacks, lapsed_token, question_id, answers, priority_rank,
        bytes - coalesce(octet_length(content), 0) AS bytes
      FROM tasks INDEXED BY tasks_waiting
      WHERE scope = :scope
        AND queue = :queue
        AND claimed_by IS NULL
        AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
        AND priority_rank = (
          SELECT min(priority_rank)
          FROM tasks INDEXED BY tasks_waiting
          WHERE scope = :scope
            AND queue = :queue
            AND claimed_by IS NULL
            AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
            AND priority_rank > (
              SELECT min(priority_rank)
              FROM tasks INDEXED BY tasks_waiting
              WHERE scope = :scope
                AND queue = :queue
                AND claimed_by IS NULL
                AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
                AND priority_rank > (
                  SELECT min(priority_rank)
                  FROM tasks INDEXED BY tasks_waiting
                  WHERE scope = :scope
                    AND queue = :queue
                    AND claimed_by IS NULL
                    AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
                )
            )
        )
        AND (created_at, id) < (:after_created_at, :after_id)
    )
    UNION ALL
    SELECT *
    FROM (
      SELECT id, scope, file_path, title, queue, version, priority, complexity, role, type, branch,
        NULL AS content, project_id, draft_id, blocked_by, claimed_by, claimed_at, orchestrator_id,
        lease_expires_at, fencing_token, deadline_at, max_attempt_seconds, cancel_requested_at, cancel_reason,
        available_at, waiting_for_reply, external_key, max_attempts, max_lease_losses, max_rejections,
        failure_reason, terminal, attempt_count, rejection_count, lease_losses, last_rejection_reason,
        commits_count, turns_used, check_results, execution_notes, needs_intervention, submitted_at,
        submitted_by, submitted_orchestrator_id, head_commit, evidence, session_url, resume_command,
        session_token, completed_at, pr_number, pr_url, checks, staging_url, plan_id, has_plan, auto_accept,
        needs_rebase, needs_breakdown, last_rebase_attempt_at, review_round, hooks, flow, flow_overrides,
        metadata, cost_usd, input_tokens, output_tokens, cached_tokens, wall_seconds, max_cost_usd,
        max_tokens, created_at, updated_at, claimed_from, named_holder, intervention_from, grants,
        lease_seconds, checkpoint, setbacks, lapsed_token, question_id, answers, priority_rank,
        bytes - coalesce(octet_length(content), 0) AS bytes
      FROM tasks INDEXED BY tasks_waiting
      WHERE scope = :scope
        AND queue = :queue
        AND claimed_by IS NULL
        AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
        AND priority_rank = (
          SELECT min(priority_rank)
          FROM tasks INDEXED BY tasks_waiting
          WHERE scope = :scope
            AND queue = :queue
            AND claimed_by IS NULL
            AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
            AND priority_rank > (
              SELECT min(priority_rank)
              FROM tasks INDEXED BY tasks_waiting
              WHERE scope = :scope
                AND queue = :queue
                AND claimed_by IS NULL
                AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
                AND priority_rank > (
                  SELECT min(priority_rank)
                  FROM tasks INDEXED BY tasks_waiting
                  WHERE scope = :scope
                    AND queue = :queue
                    AND claimed_by IS NULL
                    AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
                    AND priority_rank > (
                      SELECT min(priority_rank)
                      FROM tasks INDEXED BY tasks_waiting
                      WHERE scope = :scope
                        AND queue = :queue
                        AND claimed_by IS NULL
                        AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
                    )
                )
            )
        )
        AND (created_at, id) < (:after_created_at, :after_id)
    )
    UNION ALL
    SELECT *
    FROM (
      SELECT *
      FROM (
        SELECT id, scope, file_path, title, queue, version, priority, complexity, role, type, branch,
          NULL AS content, project_id, draft_id, blocked_by, claimed_by, claimed_at, orchestrator_id,
          lease_expires_at, fencing_token, deadline_at, max_attempt_seconds, cancel_requested_at,
          cancel_reason, available_at, waiting_for_reply, external_key, max_attempts, max_lease_losses,
          max_rejections, failure_reason, terminal, attempt_count, rejection_count, lease_losses,
          last_rejection_reason, commits_count, turns_used, check_results, execution_notes,
          needs_intervention, submitted_at, submitted_by, submitted_orchestrator_id, head_commit, evidence,
          session_url, resume_command, session_token, completed_at, pr_number, pr_url, checks, staging_url,
          plan_id, has_plan, auto_accept, needs_rebase, needs_breakdown, last_rebase_attempt_at, review_round,
          hooks, flow, flow_overrides, metadata, cost_usd, input_tokens, output_tokens, cached_tokens,
          wall_seconds, max_cost_usd, max_tokens, created_at, updated_at, claimed_from, named_holder,
          intervention_from, grants, lease_seconds, checkpoint, setbacks, lapsed_token, question_id, answers,
          priority_rank, bytes - coalesce(octet_length(content), 0) AS bytes
        FROM tasks INDEXED BY tasks_leased
        WHERE scope = :scope
          AND queue = :queue
          AND claimed_by IS NOT NULL
          AND (created_at, id) < (:after_created_at, :after_id)
      )
      UNION ALL
      SELECT *
      FROM (
        SELECT id, scope, file_path, title, queue, version, priority, complexity, role, type, branch,
          NULL AS content, project_id, draft_id, blocked_by, claimed_by, claimed_at, orchestrator_id,
          lease_expires_at, fencing_token, deadline_at, max_attempt_seconds, cancel_requested_at,
          cancel_reason, available_at, waiting_for_reply, external_key, max_attempts, max_lease_losses,
          max_rejections, failure_reason, terminal, attempt_count, rejection_count, lease_losses,
          last_rejection_reason, commits_count, turns_used, check_results, execution_notes,
          needs_intervention, submitted_at, submitted_by, submitted_orchestrator_id, head_commit, evidence,
          session_url, resume_command, session_token, completed_at, pr_number, pr_url, checks, staging_url,
          plan_id, has_plan, auto_accept, needs_rebase, needs_breakdown, last_rebase_attempt_at, review_round,
          hooks, flow, flow_overrides, metadata, cost_usd, input_tokens, output_tokens, cached_tokens,
          wall_seconds, max_cost_usd, max_tokens, created_at, updated_at, claimed_from, named_holder,
          intervention_from, grants, lease_seconds, checkpoint, setbacks, lapsed_token, question_id, answers,
          priority_rank, bytes - coalesce(octet_length(content), 0) AS bytes
        FROM (
          WITH RECURSIVE other (rank) AS (
            SELECT min(priority_rank)
            FROM tasks INDEXED BY tasks_ready
            WHERE scope = :scope
              AND queue = :queue
              AND claimed_by IS NULL
              AND blocked_by IS NULL
              AND available_at IS NULL
              AND queue <> 'done'
            UNION ALL
            SELECT (
              SELECT min(priority_rank)
              FROM tasks INDEXED BY tasks_ready
              WHERE scope = :scope
                AND queue = :queue
                AND claimed_by IS NULL
                AND blocked_by IS NULL
                AND available_at IS NULL
                AND queue <> 'done'
                AND priority_rank > rank
            )
            FROM other
            WHERE rank IS NOT NULL
          )
          SELECT rank
          FROM other
          WHERE rank IS NOT NULL
        ) AS other
        CROSS JOIN tasks ON tasks.id IN (
          SELECT id
          FROM tasks INDEXED BY tasks_ready
          WHERE scope = :scope
            AND queue = :queue
            AND claimed_by IS NULL
            AND blocked_by IS NULL
            AND available_at IS NULL
            AND queue <> 'done'
            AND priority_rank = other.rank
            AND (created_at, id) < (:after_created_at, :after_id)
          ORDER BY created_at DESC, id DESC
          LIMIT :most
        )
      )
      UNION ALL
      SELECT *
      FROM (
        SELECT id, scope, file_path, title, queue, version, priority, complexity, role, type, branch,
          NULL AS content, project_id, draft_id, blocked_by, claimed_by, claimed_at, orchestrator_id,
          lease_expires_at, fencing_token, deadline_at, max_attempt_seconds, cancel_requested_at,
          cancel_reason, available_at, waiting_for_reply, external_key, max_attempts, max_lease_losses,
          max_rejections, failure_reason, terminal, attempt_count, rejection_count, lease_losses,
          last_rejection_reason, commits_count, turns_used, check_results, execution_notes,
          needs_intervention, submitted_at, submitted_by, submitted_orchestrator_id, head_commit, evidence,
          session_url, resume_command, session_token, completed_at, pr_number, pr_url, checks, staging_url,
          plan_id, has_plan, auto_accept, needs_rebase, needs_breakdown, last_rebase_attempt_at, review_round,
          hooks, flow, flow_overrides, metadata, cost_usd, input_tokens, output_tokens, cached_tokens,
          wall_seconds, max_cost_usd, max_tokens, created_at, updated_at, claimed_from, named_holder,
          intervention_from, grants, lease_seconds, checkpoint, setbacks, lapsed_token, question_id, answers,
          priority_rank, bytes - coalesce(octet_length(content), 0) AS bytes
        FROM (
          WITH RECURSIVE other (rank) AS (
            SELECT min(priority_rank)
            FROM tasks INDEXED BY tasks_waiting
            WHERE scope = :scope
              AND queue = :queue
              AND claimed_by IS NULL
              AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
              AND priority_rank > (
                SELECT min(priority_rank)
                FROM tasks INDEXED BY tasks_waiting
                WHERE scope = :scope
                  AND queue = :queue
                  AND claimed_by IS NULL
                  AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
                  AND priority_rank > (
                    SELECT min(priority_rank)
                    FROM tasks INDEXED BY tasks_waiting
                    WHERE scope = :scope
                      AND queue = :queue
                      AND claimed_by IS NULL
                      AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
                      AND priority_rank > (
                        SELECT min(priority_rank)
                        FROM tasks INDEXED BY tasks_waiting
                        WHERE scope = :scope
                          AND queue = :queue
                          AND claimed_by IS NULL
                          AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
                          AND priority_rank > (
                            SELECT min(priority_rank)
                            FROM tasks INDEXED BY tasks_waiting
                            WHERE scope = :scope
                              AND queue = :queue
                              AND claimed_by IS NULL
                              AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
                          )
                      )
                  )
              )
            UNION ALL
            SELECT (
              SELECT min(priority_rank)
              FROM tasks INDEXED BY tasks_waiting
              WHERE scope = :scope
                AND queue = :queue
                AND claimed_by IS NULL
                AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
                AND priority_rank > rank
            )
            FROM other
            WHERE rank IS NOT NULL
          )
          SELECT rank
          FROM other
          WHERE rank IS NOT NULL
        ) AS other
        CROSS JOIN tasks ON tasks.id IN (
          SELECT id
          FROM tasks INDEXED BY tasks_waiting
          WHERE scope = :scope
            AND queue = :queue
            AND claimed_by IS NULL
            AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
            AND priority_rank = other.rank
            AND (created_at, id) < (:after_created_at, :after_id)
          ORDER BY created_at DESC, id DESC
          LIMIT :most
        )
      )
    )
    ORDER BY created_at DESC, id DESC
    LIMIT :take OFFSET :skip
  )
);

-- rows  (GET /api/v1/tasks?sort=priority: the next page)
-- 3,331 characters, 8 parameters, 42 rows read, 0 rows written
--   CO-ROUTINE (subquery-9)
--     SEARCH queue_counts USING PRIMARY KEY (scope=?)
--     SCAN json_each VIRTUAL TABLE INDEX 1:
--     SEARCH tasks USING PRIMARY KEY (id=?)
--     CORRELATED LIST SUBQUERY 8
--       CO-ROUTINE (subquery-7)
--         MERGE (UNION ALL)
--           LEFT
--             MERGE (UNION ALL)
--               LEFT
--                 SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=? AND (priority_rank,created_at,id)>(?,?,?))
--               RIGHT
--                 SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=? AND (priority_rank,created_at,id)>(?,?,?))
--           RIGHT
--             SEARCH tasks USING INDEX tasks_leased (scope=?)
--             USE TEMP B-TREE FOR ORDER BY
--       SCAN (subquery-7)
--     USE TEMP B-TREE FOR ORDER BY
--   SCAN (subquery-9)
SELECT id, scope, iif(heavy, NULL, file_path) AS file_path, iif(heavy, NULL, title) AS title, queue, version,
  iif(heavy, NULL, priority) AS priority, iif(heavy, NULL, complexity) AS complexity,
  iif(heavy, NULL, role) AS role, iif(heavy, NULL, type) AS type, iif(heavy, NULL, branch) AS branch,
  iif(heavy, NULL, content) AS content, project_id, draft_id, iif(heavy, NULL, blocked_by) AS blocked_by,
  claimed_by, claimed_at, orchestrator_id, lease_expires_at, fencing_token, deadline_at, max_attempt_seconds,
  cancel_requested_at, iif(heavy, NULL, cancel_reason) AS cancel_reason, available_at, waiting_for_reply,
  external_key, max_attempts, max_lease_losses, max_rejections,
  iif(heavy, NULL, failure_reason) AS failure_reason, terminal, attempt_count, rejection_count, lease_losses,
  iif(heavy, NULL, last_rejection_reason) AS last_rejection_reason, commits_count, turns_used,
  iif(heavy, NULL, check_results) AS check_results, iif(heavy, NULL, execution_notes) AS execution_notes,
  needs_intervention, submitted_at, iif(heavy, NULL, submitted_by) AS submitted_by, submitted_orchestrator_id,
  iif(heavy, NULL, head_commit) AS head_commit, iif(heavy, NULL, evidence) AS evidence,
  iif(heavy, NULL, session_url) AS session_url, iif(heavy, NULL, resume_command) AS resume_command,
  session_token, completed_at, pr_number, iif(heavy, NULL, pr_url) AS pr_url,
  iif(heavy, NULL, checks) AS checks, iif(heavy, NULL, staging_url) AS staging_url,
  iif(heavy, NULL, plan_id) AS plan_id, has_plan, auto_accept, needs_rebase, needs_breakdown,
  last_rebase_attempt_at, review_round, iif(heavy, NULL, hooks) AS hooks, iif(heavy, NULL, flow) AS flow,
  iif(heavy, NULL, flow_overrides) AS flow_overrides, iif(heavy, NULL, metadata) AS metadata, cost_usd,
  input_tokens, output_tokens, cached_tokens, wall_seconds, max_cost_usd, max_tokens, created_at, updated_at,
  claimed_from, named_holder, intervention_from, grants, lease_seconds,
  iif(heavy, NULL, checkpoint) AS checkpoint, iif(heavy, NULL, setbacks) AS setbacks, lapsed_token,
  question_id, iif(heavy, NULL, answers) AS answers, priority_rank, heavy
FROM (
  SELECT *,
    1700 + bytes + coalesce(octet_length(checkpoint), 0) + coalesce(octet_length(evidence), 0) + coalesce(
      octet_length(session_url), 0
    ) + coalesce(octet_length(resume_command), 0) > :share AS heavy
  FROM (
    SELECT tasks.*
    FROM (SELECT key AS place FROM queue_counts, json_each(counts) WHERE scope = :scope) AS q
    CROSS JOIN tasks ON tasks.id IN (
      SELECT id
      FROM (
        SELECT *
        FROM (
          SELECT id, priority_rank, created_at
          FROM tasks INDEXED BY tasks_ready
          WHERE scope = :scope
            AND queue = q.place
            AND claimed_by IS NULL
            AND blocked_by IS NULL
            AND available_at IS NULL
            AND queue <> 'done'
            AND (priority_rank, created_at, id) > (:after_priority_rank, :after_created_at, :after_id)
        )
        UNION ALL
        SELECT *
        FROM (
          SELECT id, priority_rank, created_at
          FROM tasks INDEXED BY tasks_waiting
          WHERE scope = :scope
            AND queue = q.place
            AND claimed_by IS NULL
            AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
            AND (priority_rank, created_at, id) > (:after_priority_rank, :after_created_at, :after_id)
        )
        UNION ALL
        SELECT *
        FROM (
          SELECT id, priority_rank, created_at
          FROM tasks INDEXED BY tasks_leased
          WHERE scope = :scope
            AND queue = q.place
            AND claimed_by IS NOT NULL
            AND (priority_rank, created_at, id) > (:after_priority_rank, :after_created_at, :after_id)
        )
        ORDER BY priority_rank, created_at, id
        LIMIT :most
      )
    )
    ORDER BY priority_rank, created_at, id
    LIMIT :take OFFSET :skip
  )
);

-- rows  (GET /api/v1/tasks?project_id=deep-0: the next page)
-- 3,789 characters, 22 parameters, 29 rows read, 0 rows written
--   CO-ROUTINE (subquery-13)
--     SEARCH tasks USING PRIMARY KEY (id=?)
--     LIST SUBQUERY 12
--       MATERIALIZE other
--         SETUP
--           SEARCH tasks USING COVERING INDEX tasks_project (project_id=?)
--         RECURSIVE STEP
--           SCAN other
--           CORRELATED SCALAR SUBQUERY 2
--             SEARCH tasks USING COVERING INDEX tasks_project (project_id=? AND priority_rank>?)
--       SCAN other
--       SEARCH tasks USING PRIMARY KEY (id=?)
--       CORRELATED LIST SUBQUERY 10
--         SEARCH tasks USING INDEX tasks_project (project_id=? AND priority_rank=? AND (created_at,id)<(?,?))
--         LIST SUBQUERY 5
--           SCAN json_each VIRTUAL TABLE INDEX 1:
--           CREATE BLOOM FILTER
--         LIST SUBQUERY 6
--           SCAN json_each VIRTUAL TABLE INDEX 1:
--           CREATE BLOOM FILTER
--         LIST SUBQUERY 7
--           SCAN json_each VIRTUAL TABLE INDEX 1:
--           CREATE BLOOM FILTER
--         LIST SUBQUERY 8
--           SCAN json_each VIRTUAL TABLE INDEX 1:
--           CREATE BLOOM FILTER
--         LIST SUBQUERY 9
--           SCAN json_each VIRTUAL TABLE INDEX 1:
--           CREATE BLOOM FILTER
--       USE TEMP B-TREE FOR ORDER BY
--     USE TEMP B-TREE FOR ORDER BY
--   SCAN (subquery-13)
SELECT id, scope, iif(heavy, NULL, file_path) AS file_path, iif(heavy, NULL, title) AS title, queue, version,
  iif(heavy, NULL, priority) AS priority, iif(heavy, NULL, complexity) AS complexity,
  iif(heavy, NULL, role) AS role, iif(heavy, NULL, type) AS type, iif(heavy, NULL, branch) AS branch,
  iif(heavy, NULL, content) AS content, project_id, draft_id, iif(heavy, NULL, blocked_by) AS blocked_by,
  claimed_by, claimed_at, orchestrator_id, lease_expires_at, fencing_token, deadline_at, max_attempt_seconds,
  cancel_requested_at, iif(heavy, NULL, cancel_reason) AS cancel_reason, available_at, waiting_for_reply,
  external_key, max_attempts, max_lease_losses, max_rejections,
  iif(heavy, NULL, failure_reason) AS failure_reason, terminal, attempt_count, rejection_count, lease_losses,
  iif(heavy, NULL, last_rejection_reason) AS last_rejection_reason, commits_count, turns_used,
  iif(heavy, NULL, check_results) AS check_results, iif(heavy, NULL, execution_notes) AS execution_notes,
  needs_intervention, submitted_at, iif(heavy, NULL, submitted_by) AS submitted_by, submitted_orchestrator_id,
  iif(heavy, NULL, head_commit) AS head_commit, iif(heavy, NULL, evidence) AS evidence,
  iif(heavy, NULL, session_url) AS session_url, iif(heavy, NULL, resume_command) AS resume_command,
  session_token, completed_at, pr_number, iif(heavy, NULL, pr_url) AS pr_url,
  iif(heavy, NULL, checks) AS checks, iif(heavy, NULL, staging_url) AS staging_url,
  iif(heavy, NULL, plan_id) AS plan_id, has_plan, auto_accept, needs_rebase, needs_breakdown,
  last_rebase_attempt_at, review_round, iif(heavy, NULL, hooks) AS hooks, iif(heavy, NULL, flow) AS flow,
  iif(heavy, NULL, flow_overrides) AS flow_overrides, iif(heavy, NULL, metadata) AS metadata, cost_usd,
  input_tokens, output_tokens, cached_tokens, wall_seconds, max_cost_usd, max_tokens, created_at, updated_at,
  claimed_from, named_holder, intervention_from, grants, lease_seconds,
  iif(heavy, NULL, checkpoint) AS checkpoint, iif(heavy, NULL, setbacks) AS setbacks, lapsed_token,
  question_id, iif(heavy, NULL, answers) AS answers, priority_rank, heavy
FROM (
  SELECT *,
    1700 + bytes + coalesce(octet_length(checkpoint), 0) + coalesce(octet_length(evidence), 0) + coalesce(
      octet_length(session_url), 0
    ) + coalesce(octet_length(resume_command), 0) > :share AS heavy
  FROM (
    SELECT tasks.*
    FROM tasks
    WHERE id IN (
      SELECT id
      FROM (
        SELECT id, created_at
        FROM (
          WITH RECURSIVE other (rank) AS (
            SELECT min(priority_rank)
            FROM tasks INDEXED BY tasks_project
            WHERE project_id = :project_id
            UNION ALL
            SELECT (
              SELECT min(priority_rank)
              FROM tasks INDEXED BY tasks_project
              WHERE project_id = :project_id AND priority_rank > rank
            )
            FROM other
            WHERE rank IS NOT NULL
          )
          SELECT rank
          FROM other
          WHERE rank IS NOT NULL
        ) AS other
        CROSS JOIN tasks ON tasks.id IN (
          SELECT id
          FROM tasks INDEXED BY tasks_project
          WHERE project_id = :project_id
            AND priority_rank = other.rank
            AND scope = :scope
            AND (:priority IS NULL OR priority IN (SELECT value FROM json_each(:priority)))
            AND (:role IS NULL OR role IN (SELECT value FROM json_each(:role)))
            AND (:type IS NULL OR type IN (SELECT value FROM json_each(:type)))
            AND (:flow IS NULL OR flow IN (SELECT value FROM json_each(:flow)))
            AND (:complexity IS NULL OR complexity IN (SELECT value FROM json_each(:complexity)))
            AND (:claimed_by IS NULL OR claimed_by = :claimed_by)
            AND (:orchestrator_id IS NULL OR orchestrator_id = :orchestrator_id)
            AND (:project_id IS NULL OR project_id = :project_id)
            AND (:external_key IS NULL OR external_key = :external_key)
            AND (:blocked_by IS NULL OR blocked_by = :blocked_by)
            AND (:pr_number IS NULL OR pr_number = :pr_number)
            AND (:needs_intervention IS NULL OR needs_intervention = :needs_intervention)
            AND (:has_plan IS NULL OR has_plan = :has_plan)
            AND (:auto_accept IS NULL OR auto_accept = :auto_accept)
            AND (:needs_rebase IS NULL OR needs_rebase = :needs_rebase)
            AND (created_at, id) < (:after_created_at, :after_id)
          ORDER BY created_at DESC, id DESC
          LIMIT :most
        )
        ORDER BY created_at DESC, id DESC
        LIMIT :most
      )
    )
    ORDER BY created_at DESC, id DESC
    LIMIT :take OFFSET :skip
  )
);

-- exact  (GET /api/v1/tasks?q=deep: the next page)
-- 1,354 characters, 18 parameters, 2 rows read, 0 rows written
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   LIST SUBQUERY 4
--     MERGE (UNION)
--       LEFT
--         MERGE (UNION)
--           LEFT
--             SCAN CONSTANT ROW
--           RIGHT
--             SCAN CONSTANT ROW
--       RIGHT
--         MERGE (UNION)
--           LEFT
--             SEARCH tasks USING COVERING INDEX tasks_external_key (scope=? AND external_key=? AND <expr>=?)
--           RIGHT
--             SEARCH tasks USING COVERING INDEX tasks_file_path (scope=? AND file_path=?)
--   LIST SUBQUERY 5
--     SCAN json_each VIRTUAL TABLE INDEX 1:
--     CREATE BLOOM FILTER
--   LIST SUBQUERY 6
--     SCAN json_each VIRTUAL TABLE INDEX 1:
--     CREATE BLOOM FILTER
--   LIST SUBQUERY 7
--     SCAN json_each VIRTUAL TABLE INDEX 1:
--     CREATE BLOOM FILTER
--   LIST SUBQUERY 8
--     SCAN json_each VIRTUAL TABLE INDEX 1:
--     CREATE BLOOM FILTER
--   LIST SUBQUERY 9
--     SCAN json_each VIRTUAL TABLE INDEX 1:
--     CREATE BLOOM FILTER
--   LIST SUBQUERY 10
--     SCAN json_each VIRTUAL TABLE INDEX 1:
--     CREATE BLOOM FILTER
SELECT id, claimed_by
FROM tasks
WHERE id IN (
  SELECT :q
  UNION
  SELECT substr(:q, 6, length(:q) - 8)
  UNION
  SELECT id
  FROM tasks
  WHERE scope = :scope
    AND external_key = :q
    AND external_key IS NOT NULL
    AND iif(queue IN ('done', 'failed', 'cancelled'), id, '') = ''
  UNION
  SELECT id
  FROM tasks
  WHERE scope = :scope AND file_path = :q AND file_path <> 'TASK-' || id || '.md'
)
  AND +scope = :scope
  AND (
    id = :q
    OR file_path = :q
    OR (
      external_key = :q
      AND external_key IS NOT NULL
      AND iif(queue IN ('done', 'failed', 'cancelled'), id, '') = ''
    )
  )
  AND (:queues = '[]' OR queue IN (SELECT value FROM json_each(:queues)))
  AND (:priority IS NULL OR priority IN (SELECT value FROM json_each(:priority)))
  AND (:role IS NULL OR role IN (SELECT value FROM json_each(:role)))
  AND (:type IS NULL OR type IN (SELECT value FROM json_each(:type)))
  AND (:flow IS NULL OR flow IN (SELECT value FROM json_each(:flow)))
  AND (:complexity IS NULL OR complexity IN (SELECT value FROM json_each(:complexity)))
  AND (:claimed_by IS NULL OR claimed_by = :claimed_by)
  AND (:orchestrator_id IS NULL OR orchestrator_id = :orchestrator_id)
  AND (:project_id IS NULL OR project_id = :project_id)
  AND (:external_key IS NULL OR external_key = :external_key)
  AND (:blocked_by IS NULL OR blocked_by = :blocked_by)
  AND (:pr_number IS NULL OR pr_number = :pr_number)
  AND (:needs_intervention IS NULL OR needs_intervention = :needs_intervention)
  AND (:has_plan IS NULL OR has_plan = :has_plan)
  AND (:auto_accept IS NULL OR auto_accept = :auto_accept)
  AND (:needs_rebase IS NULL OR needs_rebase = :needs_rebase)
ORDER BY id;

-- window  (GET /api/v1/tasks?q=deep: the next page)
-- 5,853 characters, 24 parameters, 4,047 rows read, 0 rows written
--   SEARCH queue_counts USING PRIMARY KEY (scope=?)
--   SCAN json_each VIRTUAL TABLE INDEX 1:
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   CORRELATED LIST SUBQUERY 38
--     CO-ROUTINE (subquery-37)
--       MERGE (UNION ALL)
--         LEFT
--           MERGE (UNION ALL)
--             LEFT
--               SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=? AND priority_rank=? AND (created_at,id)<(?,?))
--               CORRELATED SCALAR SUBQUERY 8
--                 SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=?)
--             RIGHT
--               SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=? AND priority_rank=? AND (created_at,id)<(?,?))
--               CORRELATED SCALAR SUBQUERY 12
--                 SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=? AND priority_rank>?)
--                 CORRELATED SCALAR SUBQUERY 11
--                   SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=?)
--         RIGHT
--           MERGE (UNION ALL)
--             LEFT
--               SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=? AND priority_rank=? AND (created_at,id)<(?,?))
--               CORRELATED SCALAR SUBQUERY 15
--                 SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=?)
--             RIGHT
--               MERGE (UNION ALL)
--                 LEFT
--                   MERGE (UNION ALL)
--                     LEFT
--                       SEARCH tasks USING INDEX tasks_leased (scope=?)
--                       USE TEMP B-TREE FOR ORDER BY
--                     RIGHT
--                       MATERIALIZE other
--                         SETUP
--                           SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=? AND priority_rank>?)
--                           CORRELATED SCALAR SUBQUERY 21
--                             SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=? AND priority_rank>?)
--                             CORRELATED SCALAR SUBQUERY 20
--                               SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=?)
--                         RECURSIVE STEP
--                           SCAN other
--                           CORRELATED SCALAR SUBQUERY 23
--                             SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=? AND priority_rank>?)
--                       SCAN other
--                       SEARCH tasks USING PRIMARY KEY (id=?)
--                       CORRELATED LIST SUBQUERY 26
--                         SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=? AND priority_rank=? AND (created_at,id)<(?,?))
--                       USE TEMP B-TREE FOR ORDER BY
--                 RIGHT
--                   MATERIALIZE other
--                     SETUP
--                       SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=? AND priority_rank>?)
--                       CORRELATED SCALAR SUBQUERY 29
--                         SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=?)
--                     RECURSIVE STEP
--                       SCAN other
--                       CORRELATED SCALAR SUBQUERY 31
--                         SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=? AND priority_rank>?)
--                   SCAN other
--                   SEARCH tasks USING PRIMARY KEY (id=?)
--                   CORRELATED LIST SUBQUERY 34
--                     SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=? AND priority_rank=? AND (created_at,id)<(?,?))
--                   USE TEMP B-TREE FOR ORDER BY
--     SCAN (subquery-37)
--   LIST SUBQUERY 1
--     SCAN json_each VIRTUAL TABLE INDEX 1:
--     CREATE BLOOM FILTER
--   LIST SUBQUERY 2
--     SCAN json_each VIRTUAL TABLE INDEX 1:
--     CREATE BLOOM FILTER
--   LIST SUBQUERY 3
--     SCAN json_each VIRTUAL TABLE INDEX 1:
--     CREATE BLOOM FILTER
--   LIST SUBQUERY 4
--     SCAN json_each VIRTUAL TABLE INDEX 1:
--     CREATE BLOOM FILTER
--   LIST SUBQUERY 5
--     SCAN json_each VIRTUAL TABLE INDEX 1:
--     CREATE BLOOM FILTER
--   LIST SUBQUERY 6
--     SCAN json_each VIRTUAL TABLE INDEX 1:
--     CREATE BLOOM FILTER
--   USE TEMP B-TREE FOR ORDER BY
SELECT id, priority_rank, created_at, claimed_by,
  (
    instr(lower(id), :needle)
    OR instr(lower(title), :needle)
    OR instr(lower(branch), :needle)
    OR instr(lower(file_path), :needle)
    OR instr(lower(coalesce(external_key, '')), :needle)
  )
    AND NOT coalesce(
      (
        id = :q
        OR file_path = :q
        OR (
          external_key = :q
          AND external_key IS NOT NULL
          AND iif(queue IN ('done', 'failed', 'cancelled'), id, '') = ''
        )
      ),
      0
    )
    AND (:queues = '[]' OR queue IN (SELECT value FROM json_each(:queues)))
    AND (:priority IS NULL OR priority IN (SELECT value FROM json_each(:priority)))
    AND (:role IS NULL OR role IN (SELECT value FROM json_each(:role)))
    AND (:type IS NULL OR type IN (SELECT value FROM json_each(:type)))
    AND (:flow IS NULL OR flow IN (SELECT value FROM json_each(:flow)))
    AND (:complexity IS NULL OR complexity IN (SELECT value FROM json_each(:complexity)))
    AND (:claimed_by IS NULL OR claimed_by = :claimed_by)
    AND (:orchestrator_id IS NULL OR orchestrator_id = :orchestrator_id)
    AND (:project_id IS NULL OR project_id = :project_id)
    AND (:external_key IS NULL OR external_key = :external_key)
    AND (:blocked_by IS NULL OR blocked_by = :blocked_by)
    AND (:pr_number IS NULL OR pr_number = :pr_number)
    AND (:needs_intervention IS NULL OR needs_intervention = :needs_intervention)
    AND (:has_plan IS NULL OR has_plan = :has_plan)
    AND (:auto_accept IS NULL OR auto_accept = :auto_accept)
    AND (:needs_rebase IS NULL OR needs_rebase = :needs_rebase) AS hit
FROM (SELECT key AS place FROM queue_counts, json_each(counts) WHERE scope = :scope) AS q
CROSS JOIN tasks ON tasks.id IN (
  SELECT id
  FROM (
    SELECT *
    FROM (
      SELECT id, priority_rank, created_at
      FROM tasks INDEXED BY tasks_ready
      WHERE scope = :scope
        AND queue = q.place
        AND claimed_by IS NULL
        AND blocked_by IS NULL
        AND available_at IS NULL
        AND queue <> 'done'
        AND priority_rank = (
          SELECT min(priority_rank)
          FROM tasks INDEXED BY tasks_ready
          WHERE scope = :scope
            AND queue = q.place
            AND claimed_by IS NULL
            AND blocked_by IS NULL
            AND available_at IS NULL
            AND queue <> 'done'
        )
        AND (created_at, id) < (:after_created_at, :after_id)
    )
    UNION ALL
    SELECT *
    FROM (
      SELECT id, priority_rank, created_at
      FROM tasks INDEXED BY tasks_ready
      WHERE scope = :scope
        AND queue = q.place
        AND claimed_by IS NULL
        AND blocked_by IS NULL
        AND available_at IS NULL
        AND queue <> 'done'
        AND priority_rank = (
          SELECT min(priority_rank)
          FROM tasks INDEXED BY tasks_ready
          WHERE scope = :scope
            AND queue = q.place
            AND claimed_by IS NULL
            AND blocked_by IS NULL
            AND available_at IS NULL
            AND queue <> 'done'
            AND priority_rank > (
              SELECT min(priority_rank)
              FROM tasks INDEXED BY tasks_ready
              WHERE scope = :scope
                AND queue = q.place
                AND claimed_by IS NULL
                AND blocked_by IS NULL
                AND available_at IS NULL
                AND queue <> 'done'
            )
        )
        AND (created_at, id) < (:after_created_at, :after_id)
    )
    UNION ALL
    SELECT *
    FROM (
      SELECT id, priority_rank, created_at
      FROM tasks INDEXED BY tasks_waiting
      WHERE scope = :scope
        AND queue = q.place
        AND claimed_by IS NULL
        AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
        AND priority_rank = (
          SELECT min(priority_rank)
          FROM tasks INDEXED BY tasks_waiting
          WHERE scope = :scope
            AND queue = q.place
            AND claimed_by IS NULL
            AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
        )
        AND (created_at, id) < (:after_created_at, :after_id)
    )
    UNION ALL
    SELECT *
    FROM (
      SELECT *
      FROM (
        SELECT id, priority_rank, created_at
        FROM tasks INDEXED BY tasks_leased
        WHERE scope = :scope
          AND queue = q.place
          AND claimed_by IS NOT NULL
          AND (created_at, id) < (:after_created_at, :after_id)
      )
      UNION ALL
      SELECT *
      FROM (
        SELECT id, priority_rank, created_at
        FROM (
          WITH RECURSIVE other (rank) AS (
            SELECT min(priority_rank)
            FROM tasks INDEXED BY tasks_ready
            WHERE scope = :scope
              AND queue = q.place
              AND claimed_by IS NULL
              AND blocked_by IS NULL
              AND available_at IS NULL
              AND queue <> 'done'
              AND priority_rank > (
                SELECT min(priority_rank)
                FROM tasks INDEXED BY tasks_ready
                WHERE scope = :scope
                  AND queue = q.place
                  AND claimed_by IS NULL
                  AND blocked_by IS NULL
                  AND available_at IS NULL
                  AND queue <> 'done'
                  AND priority_rank > (
                    SELECT min(priority_rank)
                    FROM tasks INDEXED BY tasks_ready
                    WHERE scope = :scope
                      AND queue = q.place
                      AND claimed_by IS NULL
                      AND blocked_by IS NULL
                      AND available_at IS NULL
                      AND queue <> 'done'
                  )
              )
            UNION ALL
            SELECT (
              SELECT min(priority_rank)
              FROM tasks INDEXED BY tasks_ready
              WHERE scope = :scope
                AND queue = q.place
                AND claimed_by IS NULL
                AND blocked_by IS NULL
                AND available_at IS NULL
                AND queue <> 'done'
                AND priority_rank > rank
            )
            FROM other
            WHERE rank IS NOT NULL
          )
          SELECT rank
          FROM other
          WHERE rank IS NOT NULL
        ) AS other
        CROSS JOIN tasks ON tasks.id IN (
          SELECT id
          FROM tasks INDEXED BY tasks_ready
          WHERE scope = :scope
            AND queue = q.place
            AND claimed_by IS NULL
            AND blocked_by IS NULL
            AND available_at IS NULL
            AND queue <> 'done'
            AND priority_rank = other.rank
            AND (created_at, id) < (:after_created_at, :after_id)
          ORDER BY created_at DESC, id DESC
          LIMIT :most
        )
      )
      UNION ALL
      SELECT *
      FROM (
        SELECT id, priority_rank, created_at
        FROM (
          WITH RECURSIVE other (rank) AS (
            SELECT min(priority_rank)
            FROM tasks INDEXED BY tasks_waiting
            WHERE scope = :scope
              AND queue = q.place
              AND claimed_by IS NULL
              AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
              AND priority_rank > (
                SELECT min(priority_rank)
                FROM tasks INDEXED BY tasks_waiting
                WHERE scope = :scope
                  AND queue = q.place
                  AND claimed_by IS NULL
                  AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
              )
            UNION ALL
            SELECT (
              SELECT min(priority_rank)
              FROM tasks INDEXED BY tasks_waiting
              WHERE scope = :scope
                AND queue = q.place
                AND claimed_by IS NULL
                AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
                AND priority_rank > rank
            )
            FROM other
            WHERE rank IS NOT NULL
          )
          SELECT rank
          FROM other
          WHERE rank IS NOT NULL
        ) AS other
        CROSS JOIN tasks ON tasks.id IN (
          SELECT id
          FROM tasks INDEXED BY tasks_waiting
          WHERE scope = :scope
            AND queue = q.place
            AND claimed_by IS NULL
            AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
            AND priority_rank = other.rank
            AND (created_at, id) < (:after_created_at, :after_id)
          ORDER BY created_at DESC, id DESC
          LIMIT :most
        )
      )
    )
    ORDER BY created_at DESC, id DESC
    LIMIT :most
  )
)
ORDER BY created_at DESC, id DESC
LIMIT :take OFFSET :skip;

-- rows  (GET /api/v1/tasks?q=deep: the next page)
-- 2,453 characters, 4 parameters, 6 rows read, 0 rows written
--   CO-ROUTINE (subquery-2)
--     SCAN json_each VIRTUAL TABLE INDEX 1:
--     SEARCH tasks USING PRIMARY KEY (id=?)
--     USE TEMP B-TREE FOR ORDER BY
--   SCAN (subquery-2)
SELECT id, scope, iif(heavy, NULL, file_path) AS file_path, iif(heavy, NULL, title) AS title, queue, version,
  iif(heavy, NULL, priority) AS priority, iif(heavy, NULL, complexity) AS complexity,
  iif(heavy, NULL, role) AS role, iif(heavy, NULL, type) AS type, iif(heavy, NULL, branch) AS branch,
  iif(heavy, NULL, content) AS content, project_id, draft_id, iif(heavy, NULL, blocked_by) AS blocked_by,
  claimed_by, claimed_at, orchestrator_id, lease_expires_at, fencing_token, deadline_at, max_attempt_seconds,
  cancel_requested_at, iif(heavy, NULL, cancel_reason) AS cancel_reason, available_at, waiting_for_reply,
  external_key, max_attempts, max_lease_losses, max_rejections,
  iif(heavy, NULL, failure_reason) AS failure_reason, terminal, attempt_count, rejection_count, lease_losses,
  iif(heavy, NULL, last_rejection_reason) AS last_rejection_reason, commits_count, turns_used,
  iif(heavy, NULL, check_results) AS check_results, iif(heavy, NULL, execution_notes) AS execution_notes,
  needs_intervention, submitted_at, iif(heavy, NULL, submitted_by) AS submitted_by, submitted_orchestrator_id,
  iif(heavy, NULL, head_commit) AS head_commit, iif(heavy, NULL, evidence) AS evidence,
  iif(heavy, NULL, session_url) AS session_url, iif(heavy, NULL, resume_command) AS resume_command,
  session_token, completed_at, pr_number, iif(heavy, NULL, pr_url) AS pr_url,
  iif(heavy, NULL, checks) AS checks, iif(heavy, NULL, staging_url) AS staging_url,
  iif(heavy, NULL, plan_id) AS plan_id, has_plan, auto_accept, needs_rebase, needs_breakdown,
  last_rebase_attempt_at, review_round, iif(heavy, NULL, hooks) AS hooks, iif(heavy, NULL, flow) AS flow,
  iif(heavy, NULL, flow_overrides) AS flow_overrides, iif(heavy, NULL, metadata) AS metadata, cost_usd,
  input_tokens, output_tokens, cached_tokens, wall_seconds, max_cost_usd, max_tokens, created_at, updated_at,
  claimed_from, named_holder, intervention_from, grants, lease_seconds,
  iif(heavy, NULL, checkpoint) AS checkpoint, iif(heavy, NULL, setbacks) AS setbacks, lapsed_token,
  question_id, iif(heavy, NULL, answers) AS answers, priority_rank, heavy
FROM (
  SELECT *,
    1700 + bytes + coalesce(octet_length(checkpoint), 0) + coalesce(octet_length(evidence), 0) + coalesce(
      octet_length(session_url), 0
    ) + coalesce(octet_length(resume_command), 0) > :share AS heavy
  FROM (
    SELECT tasks.*
    FROM (SELECT key AS nth, value AS hit FROM json_each(:ids)) AS one
    CROSS JOIN tasks ON tasks.id = one.hit AND tasks.scope = :scope
    ORDER BY nth
    LIMIT :take
  )
);

-- rows  (GET /api/v1/tasks?queue=incoming)
-- 6,331 characters, 6 parameters, 27 rows read, 0 rows written
--   CO-ROUTINE (subquery-30)
--     MERGE (UNION ALL)
--       LEFT
--         MERGE (UNION ALL)
--           LEFT
--             SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=? AND priority_rank=?)
--             SCALAR SUBQUERY 1
--               SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=?)
--           RIGHT
--             SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=? AND priority_rank=?)
--             SCALAR SUBQUERY 5
--               SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=? AND priority_rank>?)
--               SCALAR SUBQUERY 4
--                 SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=?)
--       RIGHT
--         MERGE (UNION ALL)
--           LEFT
--             SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=? AND priority_rank=?)
--             SCALAR SUBQUERY 8
--               SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=?)
--           RIGHT
--             MERGE (UNION ALL)
--               LEFT
--                 MERGE (UNION ALL)
--                   LEFT
--                     SEARCH tasks USING INDEX tasks_leased (scope=?)
--                     USE TEMP B-TREE FOR ORDER BY
--                   RIGHT
--                     CO-ROUTINE other
--                       SETUP
--                         SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=? AND priority_rank>?)
--                         SCALAR SUBQUERY 14
--                           SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=? AND priority_rank>?)
--                           SCALAR SUBQUERY 13
--                             SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=?)
--                       RECURSIVE STEP
--                         SCAN other
--                         CORRELATED SCALAR SUBQUERY 16
--                           SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=? AND priority_rank>?)
--                     SCAN other
--                     SEARCH tasks USING PRIMARY KEY (id=?)
--                     CORRELATED LIST SUBQUERY 19
--                       SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=? AND priority_rank=?)
--                     USE TEMP B-TREE FOR ORDER BY
--               RIGHT
--                 CO-ROUTINE other
--                   SETUP
--                     SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=? AND priority_rank>?)
--                     SCALAR SUBQUERY 22
--                       SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=?)
--                   RECURSIVE STEP
--                     SCAN other
--                     CORRELATED SCALAR SUBQUERY 24
--                       SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=? AND priority_rank>?)
--                 SCAN other
--                 SEARCH tasks USING PRIMARY KEY (id=?)
--                 CORRELATED LIST SUBQUERY 27
--                   SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=? AND priority_rank=?)
--                 USE TEMP B-TREE FOR ORDER BY
--   SCAN (subquery-30)
SELECT id, scope, iif(heavy, NULL, file_path) AS file_path, iif(heavy, NULL, title) AS title, queue, version,
  iif(heavy, NULL, priority) AS priority, iif(heavy, NULL, complexity) AS complexity,
  iif(heavy, NULL, role) AS role, iif(heavy, NULL, type) AS type, iif(heavy, NULL, branch) AS branch,
  iif(heavy, NULL, content) AS content, project_id, draft_id, iif(heavy, NULL, blocked_by) AS blocked_by,
  claimed_by, claimed_at, orchestrator_id, lease_expires_at, fencing_token, deadline_at, max_attempt_seconds,
  cancel_requested_at, iif(heavy, NULL, cancel_reason) AS cancel_reason, available_at, waiting_for_reply,
  external_key, max_attempts, max_lease_losses, max_rejections,
  iif(heavy, NULL, failure_reason) AS failure_reason, terminal, attempt_count, rejection_count, lease_losses,
  iif(heavy, NULL, last_rejection_reason) AS last_rejection_reason, commits_count, turns_used,
  iif(heavy, NULL, check_results) AS check_results, iif(heavy, NULL, execution_notes) AS execution_notes,
  needs_intervention, submitted_at, iif(heavy, NULL, submitted_by) AS submitted_by, submitted_orchestrator_id,
  iif(heavy, NULL, head_commit) AS head_commit, iif(heavy, NULL, evidence) AS evidence,
  iif(heavy, NULL, session_url) AS session_url, iif(heavy, NULL, resume_command) AS resume_command,
  session_token, completed_at, pr_number, iif(heavy, NULL, pr_url) AS pr_url,
  iif(heavy, NULL, checks) AS checks, iif(heavy, NULL, staging_url) AS staging_url,
  iif(heavy, NULL, plan_id) AS plan_id, has_plan, auto_accept, needs_rebase, needs_breakdown,
  last_rebase_attempt_at, review_round, iif(heavy, NULL, hooks) AS hooks, iif(heavy, NULL, flow) AS flow,
  iif(heavy, NULL, flow_overrides) AS flow_overrides, iif(heavy, NULL, metadata) AS metadata, cost_usd,
  input_tokens, output_tokens, cached_tokens, wall_seconds, max_cost_usd, max_tokens, created_at, updated_at,
  claimed_from, named_holder, intervention_from, grants, lease_seconds,
  iif(heavy, NULL, checkpoint) AS checkpoint, iif(heavy, NULL, setbacks) AS setbacks, lapsed_token,
  question_id, iif(heavy, NULL, answers) AS answers, priority_rank, heavy
FROM (
  SELECT *,
    1700 + bytes + coalesce(octet_length(checkpoint), 0) + coalesce(octet_length(evidence), 0) + coalesce(
      octet_length(session_url), 0
    ) + coalesce(octet_length(resume_command), 0) > :share AS heavy
  FROM (
    SELECT *
    FROM (
      SELECT tasks.*
      FROM tasks INDEXED BY tasks_ready
      WHERE scope = :scope
        AND queue = :queue
        AND claimed_by IS NULL
        AND blocked_by IS NULL
        AND available_at IS NULL
        AND queue <> 'done'
        AND priority_rank = (
          SELECT min(priority_rank)
          FROM tasks INDEXED BY tasks_ready
          WHERE scope = :scope
            AND queue = :queue
            AND claimed_by IS NULL
            AND blocked_by IS NULL
            AND available_at IS NULL
            AND queue <> 'done'
        )
    )
    UNION ALL
    SELECT *
    FROM (
      SELECT tasks.*
      FROM tasks INDEXED BY tasks_ready
      WHERE scope = :scope
        AND queue = :queue
        AND claimed_by IS NULL
        AND blocked_by IS NULL
        AND available_at IS NULL
        AND queue <> 'done'
        AND priority_rank = (
          SELECT min(priority_rank)
          FROM tasks INDEXED BY tasks_ready
          WHERE scope = :scope
            AND queue = :queue
            AND claimed_by IS NULL
            AND blocked_by IS NULL
            AND available_at IS NULL
            AND queue <> 'done'
            AND priority_rank > (
              SELECT min(priority_rank)
              FROM tasks INDEXED BY tasks_ready
              WHERE scope = :scope
                AND queue = :queue
                AND claimed_by IS NULL
                AND blocked_by IS NULL
                AND available_at IS NULL
                AND queue <> 'done'
            )
        )
    )
    UNION ALL
    SELECT *
    FROM (
      SELECT tasks.*
      FROM tasks INDEXED BY tasks_waiting
      WHERE scope = :scope
        AND queue = :queue
        AND claimed_by IS NULL
        AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
        AND priority_rank = (
          SELECT min(priority_rank)
          FROM tasks INDEXED BY tasks_waiting
          WHERE scope = :scope
            AND queue = :queue
            AND claimed_by IS NULL
            AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
        )
    )
    UNION ALL
    SELECT *
    FROM (
      SELECT *
      FROM (
        SELECT tasks.*
        FROM tasks INDEXED BY tasks_leased
        WHERE scope = :scope AND queue = :queue AND claimed_by IS NOT NULL
      )
      UNION ALL
      SELECT *
      FROM (
        SELECT tasks.*
        FROM (
          WITH RECURSIVE other (rank) AS (
            SELECT min(priority_rank)
            FROM tasks INDEXED BY tasks_ready
            WHERE scope = :scope
              AND queue = :queue
              AND claimed_by IS NULL
              AND blocked_by IS NULL
              AND available_at IS NULL
              AND queue <> 'done'
              AND priority_rank > (
                SELECT min(priority_rank)
                FROM tasks INDEXED BY tasks_ready
                WHERE scope = :scope
                  AND queue = :queue
                  AND claimed_by IS NULL
                  AND blocked_by IS NULL
                  AND available_at IS NULL
                  AND queue <> 'done'
                  AND priority_rank > (
                    SELECT min(priority_rank)
                    FROM tasks INDEXED BY tasks_ready
                    WHERE scope = :scope
                      AND queue = :queue
                      AND claimed_by IS NULL
                      AND blocked_by IS NULL
                      AND available_at IS NULL
                      AND queue <> 'done'
                  )
              )
            UNION ALL
            SELECT (
              SELECT min(priority_rank)
              FROM tasks INDEXED BY tasks_ready
              WHERE scope = :scope
                AND queue = :queue
                AND claimed_by IS NULL
                AND blocked_by IS NULL
                AND available_at IS NULL
                AND queue <> 'done'
                AND priority_rank > rank
            )
            FROM other
            WHERE rank IS NOT NULL
          )
          SELECT rank
          FROM other
          WHERE rank IS NOT NULL
        ) AS other
        CROSS JOIN tasks ON tasks.id IN (
          SELECT id
          FROM tasks INDEXED BY tasks_ready
          WHERE scope = :scope
            AND queue = :queue
            AND claimed_by IS NULL
            AND blocked_by IS NULL
            AND available_at IS NULL
            AND queue <> 'done'
            AND priority_rank = other.rank
          ORDER BY created_at DESC, id DESC
          LIMIT :most
        )
      )
      UNION ALL
      SELECT *
      FROM (
        SELECT tasks.*
        FROM (
          WITH RECURSIVE other (rank) AS (
            SELECT min(priority_rank)
            FROM tasks INDEXED BY tasks_waiting
            WHERE scope = :scope
              AND queue = :queue
              AND claimed_by IS NULL
              AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
              AND priority_rank > (
                SELECT min(priority_rank)
                FROM tasks INDEXED BY tasks_waiting
                WHERE scope = :scope
                  AND queue = :queue
                  AND claimed_by IS NULL
                  AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
              )
            UNION ALL
            SELECT (
              SELECT min(priority_rank)
              FROM tasks INDEXED BY tasks_waiting
              WHERE scope = :scope
                AND queue = :queue
                AND claimed_by IS NULL
                AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
                AND priority_rank > rank
            )
            FROM other
            WHERE rank IS NOT NULL
          )
          SELECT rank
          FROM other
          WHERE rank IS NOT NULL
        ) AS other
        CROSS JOIN tasks ON tasks.id IN (
          SELECT id
          FROM tasks INDEXED BY tasks_waiting
          WHERE scope = :scope
            AND queue = :queue
            AND claimed_by IS NULL
            AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
            AND priority_rank = other.rank
          ORDER BY created_at DESC, id DESC
          LIMIT :most
        )
      )
    )
    ORDER BY created_at DESC, id DESC
    LIMIT :take OFFSET :skip
  )
);

-- rows  (GET /api/v1/tasks?queue=incoming,claimed,provisional)
-- 6,697 characters, 6 parameters, 108 rows read, 0 rows written
--   CO-ROUTINE (subquery-33)
--     SCAN json_each VIRTUAL TABLE INDEX 1:
--     SEARCH tasks USING PRIMARY KEY (id=?)
--     CORRELATED LIST SUBQUERY 32
--       CO-ROUTINE (subquery-31)
--         MERGE (UNION ALL)
--           LEFT
--             MERGE (UNION ALL)
--               LEFT
--                 SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=? AND priority_rank=?)
--                 CORRELATED SCALAR SUBQUERY 2
--                   SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=?)
--               RIGHT
--                 SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=? AND priority_rank=?)
--                 CORRELATED SCALAR SUBQUERY 6
--                   SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=? AND priority_rank>?)
--                   CORRELATED SCALAR SUBQUERY 5
--                     SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=?)
--           RIGHT
--             MERGE (UNION ALL)
--               LEFT
--                 SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=? AND priority_rank=?)
--                 CORRELATED SCALAR SUBQUERY 9
--                   SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=?)
--               RIGHT
--                 MERGE (UNION ALL)
--                   LEFT
--                     MERGE (UNION ALL)
--                       LEFT
--                         SEARCH tasks USING INDEX tasks_leased (scope=?)
--                         USE TEMP B-TREE FOR ORDER BY
--                       RIGHT
--                         MATERIALIZE other
--                           SETUP
--                             SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=? AND priority_rank>?)
--                             CORRELATED SCALAR SUBQUERY 15
--                               SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=? AND priority_rank>?)
--                               CORRELATED SCALAR SUBQUERY 14
--                                 SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=?)
--                           RECURSIVE STEP
--                             SCAN other
--                             CORRELATED SCALAR SUBQUERY 17
--                               SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=? AND priority_rank>?)
--                         SCAN other
--                         SEARCH tasks USING PRIMARY KEY (id=?)
--                         CORRELATED LIST SUBQUERY 20
--                           SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=? AND priority_rank=?)
--                         USE TEMP B-TREE FOR ORDER BY
--                   RIGHT
--                     MATERIALIZE other
--                       SETUP
--                         SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=? AND priority_rank>?)
--                         CORRELATED SCALAR SUBQUERY 23
--                           SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=?)
--                       RECURSIVE STEP
--                         SCAN other
--                         CORRELATED SCALAR SUBQUERY 25
--                           SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=? AND priority_rank>?)
--                     SCAN other
--                     SEARCH tasks USING PRIMARY KEY (id=?)
--                     CORRELATED LIST SUBQUERY 28
--                       SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=? AND priority_rank=?)
--                     USE TEMP B-TREE FOR ORDER BY
--       SCAN (subquery-31)
--     USE TEMP B-TREE FOR ORDER BY
--   SCAN (subquery-33)
SELECT id, scope, iif(heavy, NULL, file_path) AS file_path, iif(heavy, NULL, title) AS title, queue, version,
  iif(heavy, NULL, priority) AS priority, iif(heavy, NULL, complexity) AS complexity,
  iif(heavy, NULL, role) AS role, iif(heavy, NULL, type) AS type, iif(heavy, NULL, branch) AS branch,
  iif(heavy, NULL, content) AS content, project_id, draft_id, iif(heavy, NULL, blocked_by) AS blocked_by,
  claimed_by, claimed_at, orchestrator_id, lease_expires_at, fencing_token, deadline_at, max_attempt_seconds,
  cancel_requested_at, iif(heavy, NULL, cancel_reason) AS cancel_reason, available_at, waiting_for_reply,
  external_key, max_attempts, max_lease_losses, max_rejections,
  iif(heavy, NULL, failure_reason) AS failure_reason, terminal, attempt_count, rejection_count, lease_losses,
  iif(heavy, NULL, last_rejection_reason) AS last_rejection_reason, commits_count, turns_used,
  iif(heavy, NULL, check_results) AS check_results, iif(heavy, NULL, execution_notes) AS execution_notes,
  needs_intervention, submitted_at, iif(heavy, NULL, submitted_by) AS submitted_by, submitted_orchestrator_id,
  iif(heavy, NULL, head_commit) AS head_commit, iif(heavy, NULL, evidence) AS evidence,
  iif(heavy, NULL, session_url) AS session_url, iif(heavy, NULL, resume_command) AS resume_command,
  session_token, completed_at, pr_number, iif(heavy, NULL, pr_url) AS pr_url,
  iif(heavy, NULL, checks) AS checks, iif(heavy, NULL, staging_url) AS staging_url,
  iif(heavy, NULL, plan_id) AS plan_id, has_plan, auto_accept, needs_rebase, needs_breakdown,
  last_rebase_attempt_at, review_round, iif(heavy, NULL, hooks) AS hooks, iif(heavy, NULL, flow) AS flow,
  iif(heavy, NULL, flow_overrides) AS flow_overrides, iif(heavy, NULL, metadata) AS metadata, cost_usd,
  input_tokens, output_tokens, cached_tokens, wall_seconds, max_cost_usd, max_tokens, created_at, updated_at,
  claimed_from, named_holder, intervention_from, grants, lease_seconds,
  iif(heavy, NULL, checkpoint) AS checkpoint, iif(heavy, NULL, setbacks) AS setbacks, lapsed_token,
  question_id, iif(heavy, NULL, answers) AS answers, priority_rank, heavy
FROM (
  SELECT *,
    1700 + bytes + coalesce(octet_length(checkpoint), 0) + coalesce(octet_length(evidence), 0) + coalesce(
      octet_length(session_url), 0
    ) + coalesce(octet_length(resume_command), 0) > :share AS heavy
  FROM (
    SELECT tasks.*
    FROM (SELECT value AS place FROM json_each(:queues)) AS q
    CROSS JOIN tasks ON tasks.id IN (
      SELECT id
      FROM (
        SELECT *
        FROM (
          SELECT id, priority_rank, created_at
          FROM tasks INDEXED BY tasks_ready
          WHERE scope = :scope
            AND queue = q.place
            AND claimed_by IS NULL
            AND blocked_by IS NULL
            AND available_at IS NULL
            AND queue <> 'done'
            AND priority_rank = (
              SELECT min(priority_rank)
              FROM tasks INDEXED BY tasks_ready
              WHERE scope = :scope
                AND queue = q.place
                AND claimed_by IS NULL
                AND blocked_by IS NULL
                AND available_at IS NULL
                AND queue <> 'done'
            )
        )
        UNION ALL
        SELECT *
        FROM (
          SELECT id, priority_rank, created_at
          FROM tasks INDEXED BY tasks_ready
          WHERE scope = :scope
            AND queue = q.place
            AND claimed_by IS NULL
            AND blocked_by IS NULL
            AND available_at IS NULL
            AND queue <> 'done'
            AND priority_rank = (
              SELECT min(priority_rank)
              FROM tasks INDEXED BY tasks_ready
              WHERE scope = :scope
                AND queue = q.place
                AND claimed_by IS NULL
                AND blocked_by IS NULL
                AND available_at IS NULL
                AND queue <> 'done'
                AND priority_rank > (
                  SELECT min(priority_rank)
                  FROM tasks INDEXED BY tasks_ready
                  WHERE scope = :scope
                    AND queue = q.place
                    AND claimed_by IS NULL
                    AND blocked_by IS NULL
                    AND available_at IS NULL
                    AND queue <> 'done'
                )
            )
        )
        UNION ALL
        SELECT *
        FROM (
          SELECT id, priority_rank, created_at
          FROM tasks INDEXED BY tasks_waiting
          WHERE scope = :scope
            AND queue = q.place
            AND claimed_by IS NULL
            AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
            AND priority_rank = (
              SELECT min(priority_rank)
              FROM tasks INDEXED BY tasks_waiting
              WHERE scope = :scope
                AND queue = q.place
                AND claimed_by IS NULL
                AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
            )
        )
        UNION ALL
        SELECT *
        FROM (
          SELECT *
          FROM (
            SELECT id, priority_rank, created_at
            FROM tasks INDEXED BY tasks_leased
            WHERE scope = :scope AND queue = q.place AND claimed_by IS NOT NULL
          )
          UNION ALL
          SELECT *
          FROM (
            SELECT id, priority_rank, created_at
            FROM (
              WITH RECURSIVE other (rank) AS (
                SELECT min(priority_rank)
                FROM tasks INDEXED BY tasks_ready
                WHERE scope = :scope
                  AND queue = q.place
                  AND claimed_by IS NULL
                  AND blocked_by IS NULL
                  AND available_at IS NULL
                  AND queue <> 'done'
                  AND priority_rank > (
                    SELECT min(priority_rank)
                    FROM tasks INDEXED BY tasks_ready
                    WHERE scope = :scope
                      AND queue = q.place
                      AND claimed_by IS NULL
                      AND blocked_by IS NULL
                      AND available_at IS NULL
                      AND queue <> 'done'
                      AND priority_rank > (
                        SELECT min(priority_rank)
                        FROM tasks INDEXED BY tasks_ready
                        WHERE scope = :scope
                          AND queue = q.place
                          AND claimed_by IS NULL
                          AND blocked_by IS NULL
                          AND available_at IS NULL
                          AND queue <> 'done'
                      )
                  )
                UNION ALL
                SELECT (
                  SELECT min(priority_rank)
                  FROM tasks INDEXED BY tasks_ready
                  WHERE scope = :scope
                    AND queue = q.place
                    AND claimed_by IS NULL
                    AND blocked_by IS NULL
                    AND available_at IS NULL
                    AND queue <> 'done'
                    AND priority_rank > rank
                )
                FROM other
                WHERE rank IS NOT NULL
              )
              SELECT rank
              FROM other
              WHERE rank IS NOT NULL
            ) AS other
            CROSS JOIN tasks ON tasks.id IN (
              SELECT id
              FROM tasks INDEXED BY tasks_ready
              WHERE scope = :scope
                AND queue = q.place
                AND claimed_by IS NULL
                AND blocked_by IS NULL
                AND available_at IS NULL
                AND queue <> 'done'
                AND priority_rank = other.rank
              ORDER BY created_at DESC, id DESC
              LIMIT :most
            )
          )
          UNION ALL
          SELECT *
          FROM (
            SELECT id, priority_rank, created_at
            FROM (
              WITH RECURSIVE other (rank) AS (
                SELECT min(priority_rank)
                FROM tasks INDEXED BY tasks_waiting
                WHERE scope = :scope
                  AND queue = q.place
                  AND claimed_by IS NULL
                  AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
                  AND priority_rank > (
                    SELECT min(priority_rank)
                    FROM tasks INDEXED BY tasks_waiting
                    WHERE scope = :scope
                      AND queue = q.place
                      AND claimed_by IS NULL
                      AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
                  )
                UNION ALL
                SELECT (
                  SELECT min(priority_rank)
                  FROM tasks INDEXED BY tasks_waiting
                  WHERE scope = :scope
                    AND queue = q.place
                    AND claimed_by IS NULL
                    AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
                    AND priority_rank > rank
                )
                FROM other
                WHERE rank IS NOT NULL
              )
              SELECT rank
              FROM other
              WHERE rank IS NOT NULL
            ) AS other
            CROSS JOIN tasks ON tasks.id IN (
              SELECT id
              FROM tasks INDEXED BY tasks_waiting
              WHERE scope = :scope
                AND queue = q.place
                AND claimed_by IS NULL
                AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
                AND priority_rank = other.rank
              ORDER BY created_at DESC, id DESC
              LIMIT :most
            )
          )
        )
        ORDER BY created_at DESC, id DESC
        LIMIT :most
      )
    )
    ORDER BY created_at DESC, id DESC
    LIMIT :take OFFSET :skip
  )
);

-- rows  (GET /api/v1/tasks?queue=done)
-- 8,117 characters, 6 parameters, 27 rows read, 0 rows written
--   CO-ROUTINE (subquery-39)
--     MERGE (UNION ALL)
--       LEFT
--         MERGE (UNION ALL)
--           LEFT
--             SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=? AND priority_rank=?)
--             SCALAR SUBQUERY 1
--               SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=?)
--           RIGHT
--             SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=? AND priority_rank=?)
--             SCALAR SUBQUERY 5
--               SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=? AND priority_rank>?)
--               SCALAR SUBQUERY 4
--                 SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=?)
--       RIGHT
--         MERGE (UNION ALL)
--           LEFT
--             MERGE (UNION ALL)
--               LEFT
--                 SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=? AND priority_rank=?)
--                 SCALAR SUBQUERY 10
--                   SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=? AND priority_rank>?)
--                   SCALAR SUBQUERY 9
--                     SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=? AND priority_rank>?)
--                     SCALAR SUBQUERY 8
--                       SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=?)
--               RIGHT
--                 SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=? AND priority_rank=?)
--                 SCALAR SUBQUERY 16
--                   SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=? AND priority_rank>?)
--                   SCALAR SUBQUERY 15
--                     SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=? AND priority_rank>?)
--                     SCALAR SUBQUERY 14
--                       SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=? AND priority_rank>?)
--                       SCALAR SUBQUERY 13
--                         SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=?)
--           RIGHT
--             MERGE (UNION ALL)
--               LEFT
--                 MERGE (UNION ALL)
--                   LEFT
--                     SEARCH tasks USING INDEX tasks_leased (scope=?)
--                     USE TEMP B-TREE FOR ORDER BY
--                   RIGHT
--                     CO-ROUTINE other
--                       SETUP
--                         SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=?)
--                       RECURSIVE STEP
--                         SCAN other
--                         CORRELATED SCALAR SUBQUERY 22
--                           SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=? AND priority_rank>?)
--                     SCAN other
--                     SEARCH tasks USING PRIMARY KEY (id=?)
--                     CORRELATED LIST SUBQUERY 25
--                       SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=? AND priority_rank=?)
--                     USE TEMP B-TREE FOR ORDER BY
--               RIGHT
--                 CO-ROUTINE other
--                   SETUP
--                     SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=? AND priority_rank>?)
--                     SCALAR SUBQUERY 31
--                       SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=? AND priority_rank>?)
--                       SCALAR SUBQUERY 30
--                         SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=? AND priority_rank>?)
--                         SCALAR SUBQUERY 29
--                           SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=? AND priority_rank>?)
--                           SCALAR SUBQUERY 28
--                             SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=?)
--                   RECURSIVE STEP
--                     SCAN other
--                     CORRELATED SCALAR SUBQUERY 33
--                       SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=? AND priority_rank>?)
--                 SCAN other
--                 SEARCH tasks USING PRIMARY KEY (id=?)
--                 CORRELATED LIST SUBQUERY 36
--                   SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=? AND priority_rank=?)
--                 USE TEMP B-TREE FOR ORDER BY
--   SCAN (subquery-39)
SELECT id, scope, iif(heavy, NULL, file_path) AS file_path, iif(heavy, NULL, title) AS title, queue, version,
  iif(heavy, NULL, priority) AS priority, iif(heavy, NULL, complexity) AS complexity,
  iif(heavy, NULL, role) AS role, iif(heavy, NULL, type) AS type, iif(heavy, NULL, branch) AS branch,
  iif(heavy, NULL, content) AS content, project_id, draft_id, iif(heavy, NULL, blocked_by) AS blocked_by,
  claimed_by, claimed_at, orchestrator_id, lease_expires_at, fencing_token, deadline_at, max_attempt_seconds,
  cancel_requested_at, iif(heavy, NULL, cancel_reason) AS cancel_reason, available_at, waiting_for_reply,
  external_key, max_attempts, max_lease_losses, max_rejections,
  iif(heavy, NULL, failure_reason) AS failure_reason, terminal, attempt_count, rejection_count, lease_losses,
  iif(heavy, NULL, last_rejection_reason) AS last_rejection_reason, commits_count, turns_used,
  iif(heavy, NULL, check_results) AS check_results, iif(heavy, NULL, execution_notes) AS execution_notes,
  needs_intervention, submitted_at, iif(heavy, NULL, submitted_by) AS submitted_by, submitted_orchestrator_id,
  iif(heavy, NULL, head_commit) AS head_commit, iif(heavy, NULL, evidence) AS evidence,
  iif(heavy, NULL, session_url) AS session_url, iif(heavy, NULL, resume_command) AS resume_command,
  session_token, completed_at, pr_number, iif(heavy, NULL, pr_url) AS pr_url,
  iif(heavy, NULL, checks) AS checks, iif(heavy, NULL, staging_url) AS staging_url,
  iif(heavy, NULL, plan_id) AS plan_id, has_plan, auto_accept, needs_rebase, needs_breakdown,
  last_rebase_attempt_at, review_round, iif(heavy, NULL, hooks) AS hooks, iif(heavy, NULL, flow) AS flow,
  iif(heavy, NULL, flow_overrides) AS flow_overrides, iif(heavy, NULL, metadata) AS metadata, cost_usd,
  input_tokens, output_tokens, cached_tokens, wall_seconds, max_cost_usd, max_tokens, created_at, updated_at,
  claimed_from, named_holder, intervention_from, grants, lease_seconds,
  iif(heavy, NULL, checkpoint) AS checkpoint, iif(heavy, NULL, setbacks) AS setbacks, lapsed_token,
  question_id, iif(heavy, NULL, answers) AS answers, priority_rank, heavy
FROM (
  SELECT *,
    1700 + bytes + coalesce(octet_length(checkpoint), 0) + coalesce(octet_length(evidence), 0) + coalesce(
      octet_length(session_url), 0
    ) + coalesce(octet_length(resume_command), 0) > :share AS heavy
  FROM (
    SELECT *
    FROM (
      SELECT tasks.*
      FROM tasks INDEXED BY tasks_waiting
      WHERE scope = :scope
        AND queue = :queue
        AND claimed_by IS NULL
        AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
        AND priority_rank = (
          SELECT min(priority_rank)
          FROM tasks INDEXED BY tasks_waiting
          WHERE scope = :scope
            AND queue = :queue
            AND claimed_by IS NULL
            AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
        )
    )
    UNION ALL
    SELECT *
    FROM (
      SELECT tasks.*
      FROM tasks INDEXED BY tasks_waiting
      WHERE scope = :scope
        AND queue = :queue
        AND claimed_by IS NULL
        AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
        AND priority_rank = (
          SELECT min(priority_rank)
          FROM tasks INDEXED BY tasks_waiting
          WHERE scope = :scope
            AND queue = :queue
            AND claimed_by IS NULL
            AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
            AND priority_rank > (
              SELECT min(priority_rank)
              FROM tasks INDEXED BY tasks_waiting
              WHERE scope = :scope
                AND queue = :queue
                AND claimed_by IS NULL
                AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
            )
        )
    )
    UNION ALL
    SELECT *
    FROM (
      SELECT tasks.*
      FROM tasks INDEXED BY tasks_waiting
      WHERE scope = :scope
        AND queue = :queue
        AND claimed_by IS NULL
        AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
        AND priority_rank = (
          SELECT min(priority_rank)
          FROM tasks INDEXED BY tasks_waiting
          WHERE scope = :scope
            AND queue = :queue
            AND claimed_by IS NULL
            AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
            AND priority_rank > (
              SELECT min(priority_rank)
              FROM tasks INDEXED BY tasks_waiting
              WHERE scope = :scope
                AND queue = :queue
                AND claimed_by IS NULL
                AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
                AND priority_rank > (
                  SELECT min(priority_rank)
                  FROM tasks INDEXED BY tasks_waiting
                  WHERE scope = :scope
                    AND queue = :queue
                    AND claimed_by IS NULL
                    AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
                )
            )
        )
    )
    UNION ALL
    SELECT *
    FROM (
      SELECT tasks.*
      FROM tasks INDEXED BY tasks_waiting
      WHERE scope = :scope
        AND queue = :queue
        AND claimed_by IS NULL
        AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
        AND priority_rank = (
          SELECT min(priority_rank)
          FROM tasks INDEXED BY tasks_waiting
          WHERE scope = :scope
            AND queue = :queue
            AND claimed_by IS NULL
            AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
            AND priority_rank > (
              SELECT min(priority_rank)
              FROM tasks INDEXED BY tasks_waiting
              WHERE scope = :scope
                AND queue = :queue
                AND claimed_by IS NULL
                AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
                AND priority_rank > (
                  SELECT min(priority_rank)
                  FROM tasks INDEXED BY tasks_waiting
                  WHERE scope = :scope
                    AND queue = :queue
                    AND claimed_by IS NULL
                    AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
                    AND priority_rank > (
                      SELECT min(priority_rank)
                      FROM tasks INDEXED BY tasks_waiting
                      WHERE scope = :scope
                        AND queue = :queue
                        AND claimed_by IS NULL
                        AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
                    )
                )
            )
        )
    )
    UNION ALL
    SELECT *
    FROM (
      SELECT *
      FROM (
        SELECT tasks.*
        FROM tasks INDEXED BY tasks_leased
        WHERE scope = :scope AND queue = :queue AND claimed_by IS NOT NULL
      )
      UNION ALL
      SELECT *
      FROM (
        SELECT tasks.*
        FROM (
          WITH RECURSIVE other (rank) AS (
            SELECT min(priority_rank)
            FROM tasks INDEXED BY tasks_ready
            WHERE scope = :scope
              AND queue = :queue
              AND claimed_by IS NULL
              AND blocked_by IS NULL
              AND available_at IS NULL
              AND queue <> 'done'
            UNION ALL
            SELECT (
              SELECT min(priority_rank)
              FROM tasks INDEXED BY tasks_ready
              WHERE scope = :scope
                AND queue = :queue
                AND claimed_by IS NULL
                AND blocked_by IS NULL
                AND available_at IS NULL
                AND queue <> 'done'
                AND priority_rank > rank
            )
            FROM other
            WHERE rank IS NOT NULL
          )
          SELECT rank
          FROM other
          WHERE rank IS NOT NULL
        ) AS other
        CROSS JOIN tasks ON tasks.id IN (
          SELECT id
          FROM tasks INDEXED BY tasks_ready
          WHERE scope = :scope
            AND queue = :queue
            AND claimed_by IS NULL
            AND blocked_by IS NULL
            AND available_at IS NULL
            AND queue <> 'done'
            AND priority_rank = other.rank
          ORDER BY created_at DESC, id DESC
          LIMIT :most
        )
      )
      UNION ALL
      SELECT *
      FROM (
        SELECT tasks.*
        FROM (
          WITH RECURSIVE other (rank) AS (
            SELECT min(priority_rank)
            FROM tasks INDEXED BY tasks_waiting
            WHERE scope = :scope
              AND queue = :queue
              AND claimed_by IS NULL
              AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
              AND priority_rank > (
                SELECT min(priority_rank)
                FROM tasks INDEXED BY tasks_waiting
                WHERE scope = :scope
                  AND queue = :queue
                  AND claimed_by IS NULL
                  AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
                  AND priority_rank > (
                    SELECT min(priority_rank)
                    FROM tasks INDEXED BY tasks_waiting
                    WHERE scope = :scope
                      AND queue = :queue
                      AND claimed_by IS NULL
                      AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
                      AND priority_rank > (
                        SELECT min(priority_rank)
                        FROM tasks INDEXED BY tasks_waiting
                        WHERE scope = :scope
                          AND queue = :queue
                          AND claimed_by IS NULL
                          AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
                          AND priority_rank > (
                            SELECT min(priority_rank)
                            FROM tasks INDEXED BY tasks_waiting
                            WHERE scope = :scope
                              AND queue = :queue
                              AND claimed_by IS NULL
                              AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
                          )
                      )
                  )
              )
            UNION ALL
            SELECT (
              SELECT min(priority_rank)
              FROM tasks INDEXED BY tasks_waiting
              WHERE scope = :scope
                AND queue = :queue
                AND claimed_by IS NULL
                AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
                AND priority_rank > rank
            )
            FROM other
            WHERE rank IS NOT NULL
          )
          SELECT rank
          FROM other
          WHERE rank IS NOT NULL
        ) AS other
        CROSS JOIN tasks ON tasks.id IN (
          SELECT id
          FROM tasks INDEXED BY tasks_waiting
          WHERE scope = :scope
            AND queue = :queue
            AND claimed_by IS NULL
            AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
            AND priority_rank = other.rank
          ORDER BY created_at DESC, id DESC
          LIMIT :most
        )
      )
    )
    ORDER BY created_at DESC, id DESC
    LIMIT :take OFFSET :skip
  )
);

-- rows  (GET /api/v1/tasks?sort=priority)
-- 3,172 characters, 5 parameters, 64 rows read, 0 rows written
--   CO-ROUTINE (subquery-9)
--     SEARCH queue_counts USING PRIMARY KEY (scope=?)
--     SCAN json_each VIRTUAL TABLE INDEX 1:
--     SEARCH tasks USING PRIMARY KEY (id=?)
--     CORRELATED LIST SUBQUERY 8
--       CO-ROUTINE (subquery-7)
--         MERGE (UNION ALL)
--           LEFT
--             MERGE (UNION ALL)
--               LEFT
--                 SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=?)
--               RIGHT
--                 SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=?)
--           RIGHT
--             SEARCH tasks USING INDEX tasks_leased (scope=?)
--             USE TEMP B-TREE FOR ORDER BY
--       SCAN (subquery-7)
--     USE TEMP B-TREE FOR ORDER BY
--   SCAN (subquery-9)
SELECT id, scope, iif(heavy, NULL, file_path) AS file_path, iif(heavy, NULL, title) AS title, queue, version,
  iif(heavy, NULL, priority) AS priority, iif(heavy, NULL, complexity) AS complexity,
  iif(heavy, NULL, role) AS role, iif(heavy, NULL, type) AS type, iif(heavy, NULL, branch) AS branch,
  iif(heavy, NULL, content) AS content, project_id, draft_id, iif(heavy, NULL, blocked_by) AS blocked_by,
  claimed_by, claimed_at, orchestrator_id, lease_expires_at, fencing_token, deadline_at, max_attempt_seconds,
  cancel_requested_at, iif(heavy, NULL, cancel_reason) AS cancel_reason, available_at, waiting_for_reply,
  external_key, max_attempts, max_lease_losses, max_rejections,
  iif(heavy, NULL, failure_reason) AS failure_reason, terminal, attempt_count, rejection_count, lease_losses,
  iif(heavy, NULL, last_rejection_reason) AS last_rejection_reason, commits_count, turns_used,
  iif(heavy, NULL, check_results) AS check_results, iif(heavy, NULL, execution_notes) AS execution_notes,
  needs_intervention, submitted_at, iif(heavy, NULL, submitted_by) AS submitted_by, submitted_orchestrator_id,
  iif(heavy, NULL, head_commit) AS head_commit, iif(heavy, NULL, evidence) AS evidence,
  iif(heavy, NULL, session_url) AS session_url, iif(heavy, NULL, resume_command) AS resume_command,
  session_token, completed_at, pr_number, iif(heavy, NULL, pr_url) AS pr_url,
  iif(heavy, NULL, checks) AS checks, iif(heavy, NULL, staging_url) AS staging_url,
  iif(heavy, NULL, plan_id) AS plan_id, has_plan, auto_accept, needs_rebase, needs_breakdown,
  last_rebase_attempt_at, review_round, iif(heavy, NULL, hooks) AS hooks, iif(heavy, NULL, flow) AS flow,
  iif(heavy, NULL, flow_overrides) AS flow_overrides, iif(heavy, NULL, metadata) AS metadata, cost_usd,
  input_tokens, output_tokens, cached_tokens, wall_seconds, max_cost_usd, max_tokens, created_at, updated_at,
  claimed_from, named_holder, intervention_from, grants, lease_seconds,
  iif(heavy, NULL, checkpoint) AS checkpoint, iif(heavy, NULL, setbacks) AS setbacks, lapsed_token,
  question_id, iif(heavy, NULL, answers) AS answers, priority_rank, heavy
FROM (
  SELECT *,
    1700 + bytes + coalesce(octet_length(checkpoint), 0) + coalesce(octet_length(evidence), 0) + coalesce(
      octet_length(session_url), 0
    ) + coalesce(octet_length(resume_command), 0) > :share AS heavy
  FROM (
    SELECT tasks.*
    FROM (SELECT key AS place FROM queue_counts, json_each(counts) WHERE scope = :scope) AS q
    CROSS JOIN tasks ON tasks.id IN (
      SELECT id
      FROM (
        SELECT *
        FROM (
          SELECT id, priority_rank, created_at
          FROM tasks INDEXED BY tasks_ready
          WHERE scope = :scope
            AND queue = q.place
            AND claimed_by IS NULL
            AND blocked_by IS NULL
            AND available_at IS NULL
            AND queue <> 'done'
        )
        UNION ALL
        SELECT *
        FROM (
          SELECT id, priority_rank, created_at
          FROM tasks INDEXED BY tasks_waiting
          WHERE scope = :scope
            AND queue = q.place
            AND claimed_by IS NULL
            AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
        )
        UNION ALL
        SELECT *
        FROM (
          SELECT id, priority_rank, created_at
          FROM tasks INDEXED BY tasks_leased
          WHERE scope = :scope AND queue = q.place AND claimed_by IS NOT NULL
        )
        ORDER BY priority_rank, created_at, id
        LIMIT :most
      )
    )
    ORDER BY priority_rank, created_at, id
    LIMIT :take OFFSET :skip
  )
);

-- rows  (GET /api/v1/tasks?queue=incoming&sort=priority)
-- 2,890 characters, 5 parameters, 13 rows read, 0 rows written
--   CO-ROUTINE (subquery-6)
--     MERGE (UNION ALL)
--       LEFT
--         MERGE (UNION ALL)
--           LEFT
--             SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=?)
--           RIGHT
--             SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=?)
--       RIGHT
--         SEARCH tasks USING INDEX tasks_leased (scope=?)
--         USE TEMP B-TREE FOR ORDER BY
--   SCAN (subquery-6)
SELECT id, scope, iif(heavy, NULL, file_path) AS file_path, iif(heavy, NULL, title) AS title, queue, version,
  iif(heavy, NULL, priority) AS priority, iif(heavy, NULL, complexity) AS complexity,
  iif(heavy, NULL, role) AS role, iif(heavy, NULL, type) AS type, iif(heavy, NULL, branch) AS branch,
  iif(heavy, NULL, content) AS content, project_id, draft_id, iif(heavy, NULL, blocked_by) AS blocked_by,
  claimed_by, claimed_at, orchestrator_id, lease_expires_at, fencing_token, deadline_at, max_attempt_seconds,
  cancel_requested_at, iif(heavy, NULL, cancel_reason) AS cancel_reason, available_at, waiting_for_reply,
  external_key, max_attempts, max_lease_losses, max_rejections,
  iif(heavy, NULL, failure_reason) AS failure_reason, terminal, attempt_count, rejection_count, lease_losses,
  iif(heavy, NULL, last_rejection_reason) AS last_rejection_reason, commits_count, turns_used,
  iif(heavy, NULL, check_results) AS check_results, iif(heavy, NULL, execution_notes) AS execution_notes,
  needs_intervention, submitted_at, iif(heavy, NULL, submitted_by) AS submitted_by, submitted_orchestrator_id,
  iif(heavy, NULL, head_commit) AS head_commit, iif(heavy, NULL, evidence) AS evidence,
  iif(heavy, NULL, session_url) AS session_url, iif(heavy, NULL, resume_command) AS resume_command,
  session_token, completed_at, pr_number, iif(heavy, NULL, pr_url) AS pr_url,
  iif(heavy, NULL, checks) AS checks, iif(heavy, NULL, staging_url) AS staging_url,
  iif(heavy, NULL, plan_id) AS plan_id, has_plan, auto_accept, needs_rebase, needs_breakdown,
  last_rebase_attempt_at, review_round, iif(heavy, NULL, hooks) AS hooks, iif(heavy, NULL, flow) AS flow,
  iif(heavy, NULL, flow_overrides) AS flow_overrides, iif(heavy, NULL, metadata) AS metadata, cost_usd,
  input_tokens, output_tokens, cached_tokens, wall_seconds, max_cost_usd, max_tokens, created_at, updated_at,
  claimed_from, named_holder, intervention_from, grants, lease_seconds,
  iif(heavy, NULL, checkpoint) AS checkpoint, iif(heavy, NULL, setbacks) AS setbacks, lapsed_token,
  question_id, iif(heavy, NULL, answers) AS answers, priority_rank, heavy
FROM (
  SELECT *,
    1700 + bytes + coalesce(octet_length(checkpoint), 0) + coalesce(octet_length(evidence), 0) + coalesce(
      octet_length(session_url), 0
    ) + coalesce(octet_length(resume_command), 0) > :share AS heavy
  FROM (
    SELECT *
    FROM (
      SELECT tasks.*
      FROM tasks INDEXED BY tasks_ready
      WHERE scope = :scope
        AND queue = :queue
        AND claimed_by IS NULL
        AND blocked_by IS NULL
        AND available_at IS NULL
        AND queue <> 'done'
    )
    UNION ALL
    SELECT *
    FROM (
      SELECT tasks.*
      FROM tasks INDEXED BY tasks_waiting
      WHERE scope = :scope
        AND queue = :queue
        AND claimed_by IS NULL
        AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
    )
    UNION ALL
    SELECT *
    FROM (
      SELECT tasks.*
      FROM tasks INDEXED BY tasks_leased
      WHERE scope = :scope AND queue = :queue AND claimed_by IS NOT NULL
    )
    ORDER BY priority_rank, created_at, id
    LIMIT :take OFFSET :skip
  )
);

-- rows  (GET /api/v1/tasks?project_id=deep-0)
-- 3,753 characters, 20 parameters, 49 rows read, 0 rows written
--   CO-ROUTINE (subquery-13)
--     SEARCH tasks USING PRIMARY KEY (id=?)
--     LIST SUBQUERY 12
--       MATERIALIZE other
--         SETUP
--           SEARCH tasks USING COVERING INDEX tasks_project (project_id=?)
--         RECURSIVE STEP
--           SCAN other
--           CORRELATED SCALAR SUBQUERY 2
--             SEARCH tasks USING COVERING INDEX tasks_project (project_id=? AND priority_rank>?)
--       SCAN other
--       SEARCH tasks USING PRIMARY KEY (id=?)
--       CORRELATED LIST SUBQUERY 10
--         SEARCH tasks USING INDEX tasks_project (project_id=? AND priority_rank=?)
--         LIST SUBQUERY 5
--           SCAN json_each VIRTUAL TABLE INDEX 1:
--           CREATE BLOOM FILTER
--         LIST SUBQUERY 6
--           SCAN json_each VIRTUAL TABLE INDEX 1:
--           CREATE BLOOM FILTER
--         LIST SUBQUERY 7
--           SCAN json_each VIRTUAL TABLE INDEX 1:
--           CREATE BLOOM FILTER
--         LIST SUBQUERY 8
--           SCAN json_each VIRTUAL TABLE INDEX 1:
--           CREATE BLOOM FILTER
--         LIST SUBQUERY 9
--           SCAN json_each VIRTUAL TABLE INDEX 1:
--           CREATE BLOOM FILTER
--       USE TEMP B-TREE FOR ORDER BY
--     USE TEMP B-TREE FOR ORDER BY
--   SCAN (subquery-13)
SELECT id, scope, iif(heavy, NULL, file_path) AS file_path, iif(heavy, NULL, title) AS title, queue, version,
  iif(heavy, NULL, priority) AS priority, iif(heavy, NULL, complexity) AS complexity,
  iif(heavy, NULL, role) AS role, iif(heavy, NULL, type) AS type, iif(heavy, NULL, branch) AS branch,
  iif(heavy, NULL, content) AS content, project_id, draft_id, iif(heavy, NULL, blocked_by) AS blocked_by,
  claimed_by, claimed_at, orchestrator_id, lease_expires_at, fencing_token, deadline_at, max_attempt_seconds,
  cancel_requested_at, iif(heavy, NULL, cancel_reason) AS cancel_reason, available_at, waiting_for_reply,
  external_key, max_attempts, max_lease_losses, max_rejections,
  iif(heavy, NULL, failure_reason) AS failure_reason, terminal, attempt_count, rejection_count, lease_losses,
  iif(heavy, NULL, last_rejection_reason) AS last_rejection_reason, commits_count, turns_used,
  iif(heavy, NULL, check_results) AS check_results, iif(heavy, NULL, execution_notes) AS execution_notes,
  needs_intervention, submitted_at, iif(heavy, NULL, submitted_by) AS submitted_by, submitted_orchestrator_id,
  iif(heavy, NULL, head_commit) AS head_commit, iif(heavy, NULL, evidence) AS evidence,
  iif(heavy, NULL, session_url) AS session_url, iif(heavy, NULL, resume_command) AS resume_command,
  session_token, completed_at, pr_number, iif(heavy, NULL, pr_url) AS pr_url,
  iif(heavy, NULL, checks) AS checks, iif(heavy, NULL, staging_url) AS staging_url,
  iif(heavy, NULL, plan_id) AS plan_id, has_plan, auto_accept, needs_rebase, needs_breakdown,
  last_rebase_attempt_at, review_round, iif(heavy, NULL, hooks) AS hooks, iif(heavy, NULL, flow) AS flow,
  iif(heavy, NULL, flow_overrides) AS flow_overrides, iif(heavy, NULL, metadata) AS metadata, cost_usd,
  input_tokens, output_tokens, cached_tokens, wall_seconds, max_cost_usd, max_tokens, created_at, updated_at,
  claimed_from, named_holder, intervention_from, grants, lease_seconds,
  iif(heavy, NULL, checkpoint) AS checkpoint, iif(heavy, NULL, setbacks) AS setbacks, lapsed_token,
  question_id, iif(heavy, NULL, answers) AS answers, priority_rank, heavy
FROM (
  SELECT *,
    1700 + bytes + coalesce(octet_length(checkpoint), 0) + coalesce(octet_length(evidence), 0) + coalesce(
      octet_length(session_url), 0
    ) + coalesce(octet_length(resume_command), 0) > :share AS heavy
  FROM (
    SELECT tasks.*
    FROM tasks
    WHERE id IN (
      SELECT id
      FROM (
        SELECT id, created_at
        FROM (
          WITH RECURSIVE other (rank) AS (
            SELECT min(priority_rank)
            FROM tasks INDEXED BY tasks_project
            WHERE project_id = :project_id
            UNION ALL
            SELECT (
              SELECT min(priority_rank)
              FROM tasks INDEXED BY tasks_project
              WHERE project_id = :project_id AND priority_rank > rank
            )
            FROM other
            WHERE rank IS NOT NULL
          )
          SELECT rank
          FROM other
          WHERE rank IS NOT NULL
        ) AS other
        CROSS JOIN tasks ON tasks.id IN (
          SELECT id
          FROM tasks INDEXED BY tasks_project
          WHERE project_id = :project_id
            AND priority_rank = other.rank
            AND scope = :scope
            AND (:priority IS NULL OR priority IN (SELECT value FROM json_each(:priority)))
            AND (:role IS NULL OR role IN (SELECT value FROM json_each(:role)))
            AND (:type IS NULL OR type IN (SELECT value FROM json_each(:type)))
            AND (:flow IS NULL OR flow IN (SELECT value FROM json_each(:flow)))
            AND (:complexity IS NULL OR complexity IN (SELECT value FROM json_each(:complexity)))
            AND (:claimed_by IS NULL OR claimed_by = :claimed_by)
            AND (:orchestrator_id IS NULL OR orchestrator_id = :orchestrator_id)
            AND (:project_id IS NULL OR project_id = :project_id)
            AND (:external_key IS NULL OR external_key = :external_key)
            AND (:blocked_by IS NULL OR blocked_by = :blocked_by)
            AND (:pr_number IS NULL OR pr_number = :pr_number)
            AND (:needs_intervention IS NULL OR needs_intervention = :needs_intervention)
            AND (:has_plan IS NULL OR has_plan = :has_plan)
            AND (:auto_accept IS NULL OR auto_accept = :auto_accept)
            AND (:needs_rebase IS NULL OR needs_rebase = :needs_rebase)
          ORDER BY created_at DESC, id DESC
          LIMIT :most
        )
        ORDER BY created_at DESC, id DESC
        LIMIT :most
      )
    )
    ORDER BY created_at DESC, id DESC
    LIMIT :take OFFSET :skip
  )
);

-- count  (GET /api/v1/tasks?project_id=deep-0)
-- 344 characters, 2 parameters, 2 rows read, 0 rows written
--   SCAN CONSTANT ROW
--   SCALAR SUBQUERY 2
--     SEARCH projects EXISTS USING PRIMARY KEY (id=?)
--     SEARCH queue_counts USING PRIMARY KEY (scope=?)
--   SCALAR SUBQUERY 4
--     CO-ROUTINE (subquery-3)
--       SEARCH tasks USING INDEX tasks_project (project_id=?)
--       USE TEMP B-TREE FOR GROUP BY
--     SCAN (subquery-3)
SELECT coalesce(
  (
    SELECT counts
    FROM queue_counts
    WHERE queue_counts.scope = char(31) || :id
      AND EXISTS (SELECT 1 FROM projects WHERE id = :id AND projects.scope = :scope)
  ),
  (
    SELECT json_group_object(queue, n)
    FROM (
      SELECT queue, count(*) AS n
      FROM tasks INDEXED BY tasks_project
      WHERE project_id = :id AND scope = :scope
      GROUP BY queue
    )
  )
) AS counts;

-- rows  (GET /api/v1/tasks?role=builder)
-- 6,764 characters, 20 parameters, 1,127 rows read, 0 rows written
--   CO-ROUTINE (subquery-35)
--     SEARCH queue_counts USING PRIMARY KEY (scope=?)
--     SCAN json_each VIRTUAL TABLE INDEX 1:
--     SEARCH tasks USING PRIMARY KEY (id=?)
--     CORRELATED LIST SUBQUERY 34
--       CO-ROUTINE (subquery-32)
--         COMPOUND QUERY
--           LEFT-MOST SUBQUERY
--             SEARCH tasks USING INDEX tasks_leased (scope=?)
--             LIST SUBQUERY 2
--               SCAN json_each VIRTUAL TABLE INDEX 1:
--               CREATE BLOOM FILTER
--             LIST SUBQUERY 3
--               SCAN json_each VIRTUAL TABLE INDEX 1:
--               CREATE BLOOM FILTER
--             LIST SUBQUERY 4
--               SCAN json_each VIRTUAL TABLE INDEX 1:
--               CREATE BLOOM FILTER
--             LIST SUBQUERY 5
--               SCAN json_each VIRTUAL TABLE INDEX 1:
--               CREATE BLOOM FILTER
--             LIST SUBQUERY 6
--               SCAN json_each VIRTUAL TABLE INDEX 1:
--               CREATE BLOOM FILTER
--           UNION ALL
--             MATERIALIZE other
--               SETUP
--                 SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=?)
--               RECURSIVE STEP
--                 SCAN other
--                 CORRELATED SCALAR SUBQUERY 10
--                   SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=? AND priority_rank>?)
--             SCAN other
--             SEARCH tasks USING PRIMARY KEY (id=?)
--             CORRELATED LIST SUBQUERY 18
--               SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=? AND priority_rank=?)
--               LIST SUBQUERY 13
--                 SCAN json_each VIRTUAL TABLE INDEX 1:
--                 CREATE BLOOM FILTER
--               LIST SUBQUERY 14
--                 SCAN json_each VIRTUAL TABLE INDEX 1:
--                 CREATE BLOOM FILTER
--               LIST SUBQUERY 15
--                 SCAN json_each VIRTUAL TABLE INDEX 1:
--                 CREATE BLOOM FILTER
--               LIST SUBQUERY 16
--                 SCAN json_each VIRTUAL TABLE INDEX 1:
--                 CREATE BLOOM FILTER
--               LIST SUBQUERY 17
--                 SCAN json_each VIRTUAL TABLE INDEX 1:
--                 CREATE BLOOM FILTER
--           UNION ALL
--             MATERIALIZE other
--               SETUP
--                 SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=?)
--               RECURSIVE STEP
--                 SCAN other
--                 CORRELATED SCALAR SUBQUERY 22
--                   SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=? AND priority_rank>?)
--             SCAN other
--             SEARCH tasks USING PRIMARY KEY (id=?)
--             CORRELATED LIST SUBQUERY 30
--               SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=? AND priority_rank=?)
--               LIST SUBQUERY 25
--                 SCAN json_each VIRTUAL TABLE INDEX 1:
--                 CREATE BLOOM FILTER
--               LIST SUBQUERY 26
--                 SCAN json_each VIRTUAL TABLE INDEX 1:
--                 CREATE BLOOM FILTER
--               LIST SUBQUERY 27
--                 SCAN json_each VIRTUAL TABLE INDEX 1:
--                 CREATE BLOOM FILTER
--               LIST SUBQUERY 28
--                 SCAN json_each VIRTUAL TABLE INDEX 1:
--                 CREATE BLOOM FILTER
--               LIST SUBQUERY 29
--                 SCAN json_each VIRTUAL TABLE INDEX 1:
--                 CREATE BLOOM FILTER
--       SCAN (subquery-32)
--       USE TEMP B-TREE FOR ORDER BY
--     USE TEMP B-TREE FOR ORDER BY
--   SCAN (subquery-35)
SELECT id, scope, iif(heavy, NULL, file_path) AS file_path, iif(heavy, NULL, title) AS title, queue, version,
  iif(heavy, NULL, priority) AS priority, iif(heavy, NULL, complexity) AS complexity,
  iif(heavy, NULL, role) AS role, iif(heavy, NULL, type) AS type, iif(heavy, NULL, branch) AS branch,
  iif(heavy, NULL, content) AS content, project_id, draft_id, iif(heavy, NULL, blocked_by) AS blocked_by,
  claimed_by, claimed_at, orchestrator_id, lease_expires_at, fencing_token, deadline_at, max_attempt_seconds,
  cancel_requested_at, iif(heavy, NULL, cancel_reason) AS cancel_reason, available_at, waiting_for_reply,
  external_key, max_attempts, max_lease_losses, max_rejections,
  iif(heavy, NULL, failure_reason) AS failure_reason, terminal, attempt_count, rejection_count, lease_losses,
  iif(heavy, NULL, last_rejection_reason) AS last_rejection_reason, commits_count, turns_used,
  iif(heavy, NULL, check_results) AS check_results, iif(heavy, NULL, execution_notes) AS execution_notes,
  needs_intervention, submitted_at, iif(heavy, NULL, submitted_by) AS submitted_by, submitted_orchestrator_id,
  iif(heavy, NULL, head_commit) AS head_commit, iif(heavy, NULL, evidence) AS evidence,
  iif(heavy, NULL, session_url) AS session_url, iif(heavy, NULL, resume_command) AS resume_command,
  session_token, completed_at, pr_number, iif(heavy, NULL, pr_url) AS pr_url,
  iif(heavy, NULL, checks) AS checks, iif(heavy, NULL, staging_url) AS staging_url,
  iif(heavy, NULL, plan_id) AS plan_id, has_plan, auto_accept, needs_rebase, needs_breakdown,
  last_rebase_attempt_at, review_round, iif(heavy, NULL, hooks) AS hooks, iif(heavy, NULL, flow) AS flow,
  iif(heavy, NULL, flow_overrides) AS flow_overrides, iif(heavy, NULL, metadata) AS metadata, cost_usd,
  input_tokens, output_tokens, cached_tokens, wall_seconds, max_cost_usd, max_tokens, created_at, updated_at,
  claimed_from, named_holder, intervention_from, grants, lease_seconds,
  iif(heavy, NULL, checkpoint) AS checkpoint, iif(heavy, NULL, setbacks) AS setbacks, lapsed_token,
  question_id, iif(heavy, NULL, answers) AS answers, priority_rank, heavy
FROM (
  SELECT *,
    1700 + bytes + coalesce(octet_length(checkpoint), 0) + coalesce(octet_length(evidence), 0) + coalesce(
      octet_length(session_url), 0
    ) + coalesce(octet_length(resume_command), 0) > :share AS heavy
  FROM (
    SELECT tasks.*
    FROM (SELECT key AS place FROM queue_counts, json_each(counts) WHERE scope = :scope) AS q
    CROSS JOIN tasks ON tasks.id IN (
      SELECT id
      FROM (
        SELECT *
        FROM (
          SELECT *
          FROM (
            SELECT id, priority_rank, created_at
            FROM tasks INDEXED BY tasks_leased
            WHERE scope = :scope
              AND queue = q.place
              AND claimed_by IS NOT NULL
              AND (:priority IS NULL OR priority IN (SELECT value FROM json_each(:priority)))
              AND (:role IS NULL OR role IN (SELECT value FROM json_each(:role)))
              AND (:type IS NULL OR type IN (SELECT value FROM json_each(:type)))
              AND (:flow IS NULL OR flow IN (SELECT value FROM json_each(:flow)))
              AND (:complexity IS NULL OR complexity IN (SELECT value FROM json_each(:complexity)))
              AND (:claimed_by IS NULL OR claimed_by = :claimed_by)
              AND (:orchestrator_id IS NULL OR orchestrator_id = :orchestrator_id)
              AND (:project_id IS NULL OR project_id = :project_id)
              AND (:external_key IS NULL OR external_key = :external_key)
              AND (:blocked_by IS NULL OR blocked_by = :blocked_by)
              AND (:pr_number IS NULL OR pr_number = :pr_number)
              AND (:needs_intervention IS NULL OR needs_intervention = :needs_intervention)
              AND (:has_plan IS NULL OR has_plan = :has_plan)
              AND (:auto_accept IS NULL OR auto_accept = :auto_accept)
              AND (:needs_rebase IS NULL OR needs_rebase = :needs_rebase)
          )
          UNION ALL
          SELECT *
          FROM (
            SELECT id, priority_rank, created_at
            FROM (
              WITH RECURSIVE other (rank) AS (
                SELECT min(priority_rank)
                FROM tasks INDEXED BY tasks_ready
                WHERE scope = :scope
                  AND queue = q.place
                  AND claimed_by IS NULL
                  AND blocked_by IS NULL
                  AND available_at IS NULL
                  AND queue <> 'done'
                UNION ALL
                SELECT (
                  SELECT min(priority_rank)
                  FROM tasks INDEXED BY tasks_ready
                  WHERE scope = :scope
                    AND queue = q.place
                    AND claimed_by IS NULL
                    AND blocked_by IS NULL
                    AND available_at IS NULL
                    AND queue <> 'done'
                    AND priority_rank > rank
                )
                FROM other
                WHERE rank IS NOT NULL
              )
              SELECT rank
              FROM other
              WHERE rank IS NOT NULL
            ) AS other
            CROSS JOIN tasks ON tasks.id IN (
              SELECT id
              FROM tasks INDEXED BY tasks_ready
              WHERE scope = :scope
                AND queue = q.place
                AND claimed_by IS NULL
                AND blocked_by IS NULL
                AND available_at IS NULL
                AND queue <> 'done'
                AND priority_rank = other.rank
                AND (:priority IS NULL OR priority IN (SELECT value FROM json_each(:priority)))
                AND (:role IS NULL OR role IN (SELECT value FROM json_each(:role)))
                AND (:type IS NULL OR type IN (SELECT value FROM json_each(:type)))
                AND (:flow IS NULL OR flow IN (SELECT value FROM json_each(:flow)))
                AND (:complexity IS NULL OR complexity IN (SELECT value FROM json_each(:complexity)))
                AND (:claimed_by IS NULL OR claimed_by = :claimed_by)
                AND (:orchestrator_id IS NULL OR orchestrator_id = :orchestrator_id)
                AND (:project_id IS NULL OR project_id = :project_id)
                AND (:external_key IS NULL OR external_key = :external_key)
                AND (:blocked_by IS NULL OR blocked_by = :blocked_by)
                AND (:pr_number IS NULL OR pr_number = :pr_number)
                AND (:needs_intervention IS NULL OR needs_intervention = :needs_intervention)
                AND (:has_plan IS NULL OR has_plan = :has_plan)
                AND (:auto_accept IS NULL OR auto_accept = :auto_accept)
                AND (:needs_rebase IS NULL OR needs_rebase = :needs_rebase)
              ORDER BY created_at DESC, id DESC
              LIMIT :most
            )
          )
          UNION ALL
          SELECT *
          FROM (
            SELECT id, priority_rank, created_at
            FROM (
              WITH RECURSIVE other (rank) AS (
                SELECT min(priority_rank)
                FROM tasks INDEXED BY tasks_waiting
                WHERE scope = :scope
                  AND queue = q.place
                  AND claimed_by IS NULL
                  AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
                UNION ALL
                SELECT (
                  SELECT min(priority_rank)
                  FROM tasks INDEXED BY tasks_waiting
                  WHERE scope = :scope
                    AND queue = q.place
                    AND claimed_by IS NULL
                    AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
                    AND priority_rank > rank
                )
                FROM other
                WHERE rank IS NOT NULL
              )
              SELECT rank
              FROM other
              WHERE rank IS NOT NULL
            ) AS other
            CROSS JOIN tasks ON tasks.id IN (
              SELECT id
              FROM tasks INDEXED BY tasks_waiting
              WHERE scope = :scope
                AND queue = q.place
                AND claimed_by IS NULL
                AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
                AND priority_rank = other.rank
                AND (:priority IS NULL OR priority IN (SELECT value FROM json_each(:priority)))
                AND (:role IS NULL OR role IN (SELECT value FROM json_each(:role)))
                AND (:type IS NULL OR type IN (SELECT value FROM json_each(:type)))
                AND (:flow IS NULL OR flow IN (SELECT value FROM json_each(:flow)))
                AND (:complexity IS NULL OR complexity IN (SELECT value FROM json_each(:complexity)))
                AND (:claimed_by IS NULL OR claimed_by = :claimed_by)
                AND (:orchestrator_id IS NULL OR orchestrator_id = :orchestrator_id)
                AND (:project_id IS NULL OR project_id = :project_id)
                AND (:external_key IS NULL OR external_key = :external_key)
                AND (:blocked_by IS NULL OR blocked_by = :blocked_by)
                AND (:pr_number IS NULL OR pr_number = :pr_number)
                AND (:needs_intervention IS NULL OR needs_intervention = :needs_intervention)
                AND (:has_plan IS NULL OR has_plan = :has_plan)
                AND (:auto_accept IS NULL OR auto_accept = :auto_accept)
                AND (:needs_rebase IS NULL OR needs_rebase = :needs_rebase)
              ORDER BY created_at DESC, id DESC
              LIMIT :most
            )
          )
        )
        ORDER BY created_at DESC, id DESC
        LIMIT :most
      )
    )
    ORDER BY created_at DESC, id DESC
    LIMIT :take OFFSET :skip
  )
);

-- count  (GET /api/v1/tasks?role=builder)
-- 3,063 characters, 16 parameters, 2,018 rows read, 0 rows written
--   SCAN CONSTANT ROW
--   SCALAR SUBQUERY 8
--     SEARCH queue_counts USING PRIMARY KEY (scope=?)
--     SCAN json_each VIRTUAL TABLE INDEX 1:
--     SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=?)
--     LIST SUBQUERY 2
--       SCAN json_each VIRTUAL TABLE INDEX 1:
--       CREATE BLOOM FILTER
--     LIST SUBQUERY 3
--       SCAN json_each VIRTUAL TABLE INDEX 1:
--       CREATE BLOOM FILTER
--     LIST SUBQUERY 4
--       SCAN json_each VIRTUAL TABLE INDEX 1:
--       CREATE BLOOM FILTER
--     LIST SUBQUERY 5
--       SCAN json_each VIRTUAL TABLE INDEX 1:
--       CREATE BLOOM FILTER
--     LIST SUBQUERY 6
--       SCAN json_each VIRTUAL TABLE INDEX 1:
--       CREATE BLOOM FILTER
--   SCALAR SUBQUERY 16
--     SEARCH queue_counts USING PRIMARY KEY (scope=?)
--     SCAN json_each VIRTUAL TABLE INDEX 1:
--     SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=?)
--     LIST SUBQUERY 10
--       SCAN json_each VIRTUAL TABLE INDEX 1:
--       CREATE BLOOM FILTER
--     LIST SUBQUERY 11
--       SCAN json_each VIRTUAL TABLE INDEX 1:
--       CREATE BLOOM FILTER
--     LIST SUBQUERY 12
--       SCAN json_each VIRTUAL TABLE INDEX 1:
--       CREATE BLOOM FILTER
--     LIST SUBQUERY 13
--       SCAN json_each VIRTUAL TABLE INDEX 1:
--       CREATE BLOOM FILTER
--     LIST SUBQUERY 14
--       SCAN json_each VIRTUAL TABLE INDEX 1:
--       CREATE BLOOM FILTER
--   SCALAR SUBQUERY 24
--     SEARCH queue_counts USING PRIMARY KEY (scope=?)
--     SCAN json_each VIRTUAL TABLE INDEX 1:
--     SEARCH tasks USING INDEX tasks_leased (scope=?)
--     LIST SUBQUERY 18
--       SCAN json_each VIRTUAL TABLE INDEX 1:
--       CREATE BLOOM FILTER
--     LIST SUBQUERY 19
--       SCAN json_each VIRTUAL TABLE INDEX 1:
--       CREATE BLOOM FILTER
--     LIST SUBQUERY 20
--       SCAN json_each VIRTUAL TABLE INDEX 1:
--       CREATE BLOOM FILTER
--     LIST SUBQUERY 21
--       SCAN json_each VIRTUAL TABLE INDEX 1:
--       CREATE BLOOM FILTER
--     LIST SUBQUERY 22
--       SCAN json_each VIRTUAL TABLE INDEX 1:
--       CREATE BLOOM FILTER
SELECT count(*) AS total
FROM (
  SELECT *
  FROM (
    SELECT id
    FROM (SELECT key AS place FROM queue_counts, json_each(counts) WHERE scope = :scope) AS q
    CROSS JOIN tasks INDEXED BY tasks_ready
    WHERE scope = :scope
      AND queue = q.place
      AND claimed_by IS NULL
      AND blocked_by IS NULL
      AND available_at IS NULL
      AND queue <> 'done'
      AND (:priority IS NULL OR priority IN (SELECT value FROM json_each(:priority)))
      AND (:role IS NULL OR role IN (SELECT value FROM json_each(:role)))
      AND (:type IS NULL OR type IN (SELECT value FROM json_each(:type)))
      AND (:flow IS NULL OR flow IN (SELECT value FROM json_each(:flow)))
      AND (:complexity IS NULL OR complexity IN (SELECT value FROM json_each(:complexity)))
      AND (:claimed_by IS NULL OR claimed_by = :claimed_by)
      AND (:orchestrator_id IS NULL OR orchestrator_id = :orchestrator_id)
      AND (:project_id IS NULL OR project_id = :project_id)
      AND (:external_key IS NULL OR external_key = :external_key)
      AND (:blocked_by IS NULL OR blocked_by = :blocked_by)
      AND (:pr_number IS NULL OR pr_number = :pr_number)
      AND (:needs_intervention IS NULL OR needs_intervention = :needs_intervention)
      AND (:has_plan IS NULL OR has_plan = :has_plan)
      AND (:auto_accept IS NULL OR auto_accept = :auto_accept)
      AND (:needs_rebase IS NULL OR needs_rebase = :needs_rebase)
  )
  UNION ALL
  SELECT *
  FROM (
    SELECT id
    FROM (SELECT key AS place FROM queue_counts, json_each(counts) WHERE scope = :scope) AS q
    CROSS JOIN tasks INDEXED BY tasks_waiting
    WHERE scope = :scope
      AND queue = q.place
      AND claimed_by IS NULL
      AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
      AND (:priority IS NULL OR priority IN (SELECT value FROM json_each(:priority)))
      AND (:role IS NULL OR role IN (SELECT value FROM json_each(:role)))
      AND (:type IS NULL OR type IN (SELECT value FROM json_each(:type)))
      AND (:flow IS NULL OR flow IN (SELECT value FROM json_each(:flow)))
      AND (:complexity IS NULL OR complexity IN (SELECT value FROM json_each(:complexity)))
      AND (:claimed_by IS NULL OR claimed_by = :claimed_by)
      AND (:orchestrator_id IS NULL OR orchestrator_id = :orchestrator_id)
      AND (:project_id IS NULL OR project_id = :project_id)
      AND (:external_key IS NULL OR external_key = :external_key)
      AND (:blocked_by IS NULL OR blocked_by = :blocked_by)
      AND (:pr_number IS NULL OR pr_number = :pr_number)
      AND (:needs_intervention IS NULL OR needs_intervention = :needs_intervention)
      AND (:has_plan IS NULL OR has_plan = :has_plan)
      AND (:auto_accept IS NULL OR auto_accept = :auto_accept)
      AND (:needs_rebase IS NULL OR needs_rebase = :needs_rebase)
  )
  UNION ALL
  SELECT *
  FROM (
    SELECT id
    FROM (SELECT key AS place FROM queue_counts, json_each(counts) WHERE scope = :scope) AS q
    CROSS JOIN tasks INDEXED BY tasks_leased
    WHERE scope = :scope
      AND queue = q.place
      AND claimed_by IS NOT NULL
      AND (:priority IS NULL OR priority IN (SELECT value FROM json_each(:priority)))
      AND (:role IS NULL OR role IN (SELECT value FROM json_each(:role)))
      AND (:type IS NULL OR type IN (SELECT value FROM json_each(:type)))
      AND (:flow IS NULL OR flow IN (SELECT value FROM json_each(:flow)))
      AND (:complexity IS NULL OR complexity IN (SELECT value FROM json_each(:complexity)))
      AND (:claimed_by IS NULL OR claimed_by = :claimed_by)
      AND (:orchestrator_id IS NULL OR orchestrator_id = :orchestrator_id)
      AND (:project_id IS NULL OR project_id = :project_id)
      AND (:external_key IS NULL OR external_key = :external_key)
      AND (:blocked_by IS NULL OR blocked_by = :blocked_by)
      AND (:pr_number IS NULL OR pr_number = :pr_number)
      AND (:needs_intervention IS NULL OR needs_intervention = :needs_intervention)
      AND (:has_plan IS NULL OR has_plan = :has_plan)
      AND (:auto_accept IS NULL OR auto_accept = :auto_accept)
      AND (:needs_rebase IS NULL OR needs_rebase = :needs_rebase)
  )
);

-- rows  (GET /api/v1/tasks?claimed_by=ann)
-- 3,181 characters, 19 parameters, 10 rows read, 0 rows written
--   CO-ROUTINE (subquery-6)
--     SEARCH tasks USING INDEX tasks_leased (scope=?)
--     LIST SUBQUERY 1
--       SCAN json_each VIRTUAL TABLE INDEX 1:
--       CREATE BLOOM FILTER
--     LIST SUBQUERY 2
--       SCAN json_each VIRTUAL TABLE INDEX 1:
--       CREATE BLOOM FILTER
--     LIST SUBQUERY 3
--       SCAN json_each VIRTUAL TABLE INDEX 1:
--       CREATE BLOOM FILTER
--     LIST SUBQUERY 4
--       SCAN json_each VIRTUAL TABLE INDEX 1:
--       CREATE BLOOM FILTER
--     LIST SUBQUERY 5
--       SCAN json_each VIRTUAL TABLE INDEX 1:
--       CREATE BLOOM FILTER
--     USE TEMP B-TREE FOR ORDER BY
--   SCAN (subquery-6)
SELECT id, scope, iif(heavy, NULL, file_path) AS file_path, iif(heavy, NULL, title) AS title, queue, version,
  iif(heavy, NULL, priority) AS priority, iif(heavy, NULL, complexity) AS complexity,
  iif(heavy, NULL, role) AS role, iif(heavy, NULL, type) AS type, iif(heavy, NULL, branch) AS branch,
  iif(heavy, NULL, content) AS content, project_id, draft_id, iif(heavy, NULL, blocked_by) AS blocked_by,
  claimed_by, claimed_at, orchestrator_id, lease_expires_at, fencing_token, deadline_at, max_attempt_seconds,
  cancel_requested_at, iif(heavy, NULL, cancel_reason) AS cancel_reason, available_at, waiting_for_reply,
  external_key, max_attempts, max_lease_losses, max_rejections,
  iif(heavy, NULL, failure_reason) AS failure_reason, terminal, attempt_count, rejection_count, lease_losses,
  iif(heavy, NULL, last_rejection_reason) AS last_rejection_reason, commits_count, turns_used,
  iif(heavy, NULL, check_results) AS check_results, iif(heavy, NULL, execution_notes) AS execution_notes,
  needs_intervention, submitted_at, iif(heavy, NULL, submitted_by) AS submitted_by, submitted_orchestrator_id,
  iif(heavy, NULL, head_commit) AS head_commit, iif(heavy, NULL, evidence) AS evidence,
  iif(heavy, NULL, session_url) AS session_url, iif(heavy, NULL, resume_command) AS resume_command,
  session_token, completed_at, pr_number, iif(heavy, NULL, pr_url) AS pr_url,
  iif(heavy, NULL, checks) AS checks, iif(heavy, NULL, staging_url) AS staging_url,
  iif(heavy, NULL, plan_id) AS plan_id, has_plan, auto_accept, needs_rebase, needs_breakdown,
  last_rebase_attempt_at, review_round, iif(heavy, NULL, hooks) AS hooks, iif(heavy, NULL, flow) AS flow,
  iif(heavy, NULL, flow_overrides) AS flow_overrides, iif(heavy, NULL, metadata) AS metadata, cost_usd,
  input_tokens, output_tokens, cached_tokens, wall_seconds, max_cost_usd, max_tokens, created_at, updated_at,
  claimed_from, named_holder, intervention_from, grants, lease_seconds,
  iif(heavy, NULL, checkpoint) AS checkpoint, iif(heavy, NULL, setbacks) AS setbacks, lapsed_token,
  question_id, iif(heavy, NULL, answers) AS answers, priority_rank, heavy
FROM (
  SELECT *,
    1700 + bytes + coalesce(octet_length(checkpoint), 0) + coalesce(octet_length(evidence), 0) + coalesce(
      octet_length(session_url), 0
    ) + coalesce(octet_length(resume_command), 0) > :share AS heavy
  FROM (
    SELECT tasks.*
    FROM tasks INDEXED BY tasks_leased
    WHERE claimed_by IS NOT NULL
      AND scope = :scope
      AND (:priority IS NULL OR priority IN (SELECT value FROM json_each(:priority)))
      AND (:role IS NULL OR role IN (SELECT value FROM json_each(:role)))
      AND (:type IS NULL OR type IN (SELECT value FROM json_each(:type)))
      AND (:flow IS NULL OR flow IN (SELECT value FROM json_each(:flow)))
      AND (:complexity IS NULL OR complexity IN (SELECT value FROM json_each(:complexity)))
      AND (:claimed_by IS NULL OR claimed_by = :claimed_by)
      AND (:orchestrator_id IS NULL OR orchestrator_id = :orchestrator_id)
      AND (:project_id IS NULL OR project_id = :project_id)
      AND (:external_key IS NULL OR external_key = :external_key)
      AND (:blocked_by IS NULL OR blocked_by = :blocked_by)
      AND (:pr_number IS NULL OR pr_number = :pr_number)
      AND (:needs_intervention IS NULL OR needs_intervention = :needs_intervention)
      AND (:has_plan IS NULL OR has_plan = :has_plan)
      AND (:auto_accept IS NULL OR auto_accept = :auto_accept)
      AND (:needs_rebase IS NULL OR needs_rebase = :needs_rebase)
    ORDER BY created_at DESC, id DESC
    LIMIT :take OFFSET :skip
  )
);

-- count  (GET /api/v1/tasks?claimed_by=ann)
-- 843 characters, 16 parameters, 5 rows read, 0 rows written
--   SEARCH tasks USING INDEX tasks_leased (scope=?)
--   LIST SUBQUERY 1
--     SCAN json_each VIRTUAL TABLE INDEX 1:
--     CREATE BLOOM FILTER
--   LIST SUBQUERY 2
--     SCAN json_each VIRTUAL TABLE INDEX 1:
--     CREATE BLOOM FILTER
--   LIST SUBQUERY 3
--     SCAN json_each VIRTUAL TABLE INDEX 1:
--     CREATE BLOOM FILTER
--   LIST SUBQUERY 4
--     SCAN json_each VIRTUAL TABLE INDEX 1:
--     CREATE BLOOM FILTER
--   LIST SUBQUERY 5
--     SCAN json_each VIRTUAL TABLE INDEX 1:
--     CREATE BLOOM FILTER
SELECT count(*) AS total
FROM tasks INDEXED BY tasks_leased
WHERE claimed_by IS NOT NULL
  AND scope = :scope
  AND (:priority IS NULL OR priority IN (SELECT value FROM json_each(:priority)))
  AND (:role IS NULL OR role IN (SELECT value FROM json_each(:role)))
  AND (:type IS NULL OR type IN (SELECT value FROM json_each(:type)))
  AND (:flow IS NULL OR flow IN (SELECT value FROM json_each(:flow)))
  AND (:complexity IS NULL OR complexity IN (SELECT value FROM json_each(:complexity)))
  AND (:claimed_by IS NULL OR claimed_by = :claimed_by)
  AND (:orchestrator_id IS NULL OR orchestrator_id = :orchestrator_id)
  AND (:project_id IS NULL OR project_id = :project_id)
  AND (:external_key IS NULL OR external_key = :external_key)
  AND (:blocked_by IS NULL OR blocked_by = :blocked_by)
  AND (:pr_number IS NULL OR pr_number = :pr_number)
  AND (:needs_intervention IS NULL OR needs_intervention = :needs_intervention)
  AND (:has_plan IS NULL OR has_plan = :has_plan)
  AND (:auto_accept IS NULL OR auto_accept = :auto_accept)
  AND (:needs_rebase IS NULL OR needs_rebase = :needs_rebase);

-- rows  (GET /api/v1/tasks?external_key=one)
-- 3,183 characters, 19 parameters, 1 row read, 0 rows written
--   CO-ROUTINE (subquery-6)
--     SEARCH tasks USING INDEX tasks_external_key (scope=? AND external_key=?)
--     LIST SUBQUERY 1
--       SCAN json_each VIRTUAL TABLE INDEX 1:
--       CREATE BLOOM FILTER
--     LIST SUBQUERY 2
--       SCAN json_each VIRTUAL TABLE INDEX 1:
--       CREATE BLOOM FILTER
--     LIST SUBQUERY 3
--       SCAN json_each VIRTUAL TABLE INDEX 1:
--       CREATE BLOOM FILTER
--     LIST SUBQUERY 4
--       SCAN json_each VIRTUAL TABLE INDEX 1:
--       CREATE BLOOM FILTER
--     LIST SUBQUERY 5
--       SCAN json_each VIRTUAL TABLE INDEX 1:
--       CREATE BLOOM FILTER
--     USE TEMP B-TREE FOR ORDER BY
--   SCAN (subquery-6)
SELECT id, scope, iif(heavy, NULL, file_path) AS file_path, iif(heavy, NULL, title) AS title, queue, version,
  iif(heavy, NULL, priority) AS priority, iif(heavy, NULL, complexity) AS complexity,
  iif(heavy, NULL, role) AS role, iif(heavy, NULL, type) AS type, iif(heavy, NULL, branch) AS branch,
  iif(heavy, NULL, content) AS content, project_id, draft_id, iif(heavy, NULL, blocked_by) AS blocked_by,
  claimed_by, claimed_at, orchestrator_id, lease_expires_at, fencing_token, deadline_at, max_attempt_seconds,
  cancel_requested_at, iif(heavy, NULL, cancel_reason) AS cancel_reason, available_at, waiting_for_reply,
  external_key, max_attempts, max_lease_losses, max_rejections,
  iif(heavy, NULL, failure_reason) AS failure_reason, terminal, attempt_count, rejection_count, lease_losses,
  iif(heavy, NULL, last_rejection_reason) AS last_rejection_reason, commits_count, turns_used,
  iif(heavy, NULL, check_results) AS check_results, iif(heavy, NULL, execution_notes) AS execution_notes,
  needs_intervention, submitted_at, iif(heavy, NULL, submitted_by) AS submitted_by, submitted_orchestrator_id,
  iif(heavy, NULL, head_commit) AS head_commit, iif(heavy, NULL, evidence) AS evidence,
  iif(heavy, NULL, session_url) AS session_url, iif(heavy, NULL, resume_command) AS resume_command,
  session_token, completed_at, pr_number, iif(heavy, NULL, pr_url) AS pr_url,
  iif(heavy, NULL, checks) AS checks, iif(heavy, NULL, staging_url) AS staging_url,
  iif(heavy, NULL, plan_id) AS plan_id, has_plan, auto_accept, needs_rebase, needs_breakdown,
  last_rebase_attempt_at, review_round, iif(heavy, NULL, hooks) AS hooks, iif(heavy, NULL, flow) AS flow,
  iif(heavy, NULL, flow_overrides) AS flow_overrides, iif(heavy, NULL, metadata) AS metadata, cost_usd,
  input_tokens, output_tokens, cached_tokens, wall_seconds, max_cost_usd, max_tokens, created_at, updated_at,
  claimed_from, named_holder, intervention_from, grants, lease_seconds,
  iif(heavy, NULL, checkpoint) AS checkpoint, iif(heavy, NULL, setbacks) AS setbacks, lapsed_token,
  question_id, iif(heavy, NULL, answers) AS answers, priority_rank, heavy
FROM (
  SELECT *,
    1700 + bytes + coalesce(octet_length(checkpoint), 0) + coalesce(octet_length(evidence), 0) + coalesce(
      octet_length(session_url), 0
    ) + coalesce(octet_length(resume_command), 0) > :share AS heavy
  FROM (
    SELECT tasks.*
    FROM tasks INDEXED BY tasks_external_key
    WHERE external_key = :external_key
      AND scope = :scope
      AND (:priority IS NULL OR priority IN (SELECT value FROM json_each(:priority)))
      AND (:role IS NULL OR role IN (SELECT value FROM json_each(:role)))
      AND (:type IS NULL OR type IN (SELECT value FROM json_each(:type)))
      AND (:flow IS NULL OR flow IN (SELECT value FROM json_each(:flow)))
      AND (:complexity IS NULL OR complexity IN (SELECT value FROM json_each(:complexity)))
      AND (:claimed_by IS NULL OR claimed_by = :claimed_by)
      AND (:orchestrator_id IS NULL OR orchestrator_id = :orchestrator_id)
      AND (:project_id IS NULL OR project_id = :project_id)
      AND (:external_key IS NULL OR external_key = :external_key)
      AND (:blocked_by IS NULL OR blocked_by = :blocked_by)
      AND (:pr_number IS NULL OR pr_number = :pr_number)
      AND (:needs_intervention IS NULL OR needs_intervention = :needs_intervention)
      AND (:has_plan IS NULL OR has_plan = :has_plan)
      AND (:auto_accept IS NULL OR auto_accept = :auto_accept)
      AND (:needs_rebase IS NULL OR needs_rebase = :needs_rebase)
    ORDER BY created_at DESC, id DESC
    LIMIT :take OFFSET :skip
  )
);

-- count  (GET /api/v1/tasks?external_key=one)
-- 845 characters, 16 parameters, 0 rows read, 0 rows written
--   SEARCH tasks USING INDEX tasks_external_key (scope=? AND external_key=?)
--   LIST SUBQUERY 1
--     SCAN json_each VIRTUAL TABLE INDEX 1:
--     CREATE BLOOM FILTER
--   LIST SUBQUERY 2
--     SCAN json_each VIRTUAL TABLE INDEX 1:
--     CREATE BLOOM FILTER
--   LIST SUBQUERY 3
--     SCAN json_each VIRTUAL TABLE INDEX 1:
--     CREATE BLOOM FILTER
--   LIST SUBQUERY 4
--     SCAN json_each VIRTUAL TABLE INDEX 1:
--     CREATE BLOOM FILTER
--   LIST SUBQUERY 5
--     SCAN json_each VIRTUAL TABLE INDEX 1:
--     CREATE BLOOM FILTER
SELECT count(*) AS total
FROM tasks INDEXED BY tasks_external_key
WHERE external_key = :external_key
  AND scope = :scope
  AND (:priority IS NULL OR priority IN (SELECT value FROM json_each(:priority)))
  AND (:role IS NULL OR role IN (SELECT value FROM json_each(:role)))
  AND (:type IS NULL OR type IN (SELECT value FROM json_each(:type)))
  AND (:flow IS NULL OR flow IN (SELECT value FROM json_each(:flow)))
  AND (:complexity IS NULL OR complexity IN (SELECT value FROM json_each(:complexity)))
  AND (:claimed_by IS NULL OR claimed_by = :claimed_by)
  AND (:orchestrator_id IS NULL OR orchestrator_id = :orchestrator_id)
  AND (:project_id IS NULL OR project_id = :project_id)
  AND (:external_key IS NULL OR external_key = :external_key)
  AND (:blocked_by IS NULL OR blocked_by = :blocked_by)
  AND (:pr_number IS NULL OR pr_number = :pr_number)
  AND (:needs_intervention IS NULL OR needs_intervention = :needs_intervention)
  AND (:has_plan IS NULL OR has_plan = :has_plan)
  AND (:auto_accept IS NULL OR auto_accept = :auto_accept)
  AND (:needs_rebase IS NULL OR needs_rebase = :needs_rebase);

-- rows  (GET /api/v1/tasks?needs_intervention=true)
-- 3,182 characters, 19 parameters, 0 rows read, 0 rows written
--   CO-ROUTINE (subquery-6)
--     SEARCH tasks USING INDEX tasks_flagged (scope=?)
--     LIST SUBQUERY 1
--       SCAN json_each VIRTUAL TABLE INDEX 1:
--       CREATE BLOOM FILTER
--     LIST SUBQUERY 2
--       SCAN json_each VIRTUAL TABLE INDEX 1:
--       CREATE BLOOM FILTER
--     LIST SUBQUERY 3
--       SCAN json_each VIRTUAL TABLE INDEX 1:
--       CREATE BLOOM FILTER
--     LIST SUBQUERY 4
--       SCAN json_each VIRTUAL TABLE INDEX 1:
--       CREATE BLOOM FILTER
--     LIST SUBQUERY 5
--       SCAN json_each VIRTUAL TABLE INDEX 1:
--       CREATE BLOOM FILTER
--   SCAN (subquery-6)
SELECT id, scope, iif(heavy, NULL, file_path) AS file_path, iif(heavy, NULL, title) AS title, queue, version,
  iif(heavy, NULL, priority) AS priority, iif(heavy, NULL, complexity) AS complexity,
  iif(heavy, NULL, role) AS role, iif(heavy, NULL, type) AS type, iif(heavy, NULL, branch) AS branch,
  iif(heavy, NULL, content) AS content, project_id, draft_id, iif(heavy, NULL, blocked_by) AS blocked_by,
  claimed_by, claimed_at, orchestrator_id, lease_expires_at, fencing_token, deadline_at, max_attempt_seconds,
  cancel_requested_at, iif(heavy, NULL, cancel_reason) AS cancel_reason, available_at, waiting_for_reply,
  external_key, max_attempts, max_lease_losses, max_rejections,
  iif(heavy, NULL, failure_reason) AS failure_reason, terminal, attempt_count, rejection_count, lease_losses,
  iif(heavy, NULL, last_rejection_reason) AS last_rejection_reason, commits_count, turns_used,
  iif(heavy, NULL, check_results) AS check_results, iif(heavy, NULL, execution_notes) AS execution_notes,
  needs_intervention, submitted_at, iif(heavy, NULL, submitted_by) AS submitted_by, submitted_orchestrator_id,
  iif(heavy, NULL, head_commit) AS head_commit, iif(heavy, NULL, evidence) AS evidence,
  iif(heavy, NULL, session_url) AS session_url, iif(heavy, NULL, resume_command) AS resume_command,
  session_token, completed_at, pr_number, iif(heavy, NULL, pr_url) AS pr_url,
  iif(heavy, NULL, checks) AS checks, iif(heavy, NULL, staging_url) AS staging_url,
  iif(heavy, NULL, plan_id) AS plan_id, has_plan, auto_accept, needs_rebase, needs_breakdown,
  last_rebase_attempt_at, review_round, iif(heavy, NULL, hooks) AS hooks, iif(heavy, NULL, flow) AS flow,
  iif(heavy, NULL, flow_overrides) AS flow_overrides, iif(heavy, NULL, metadata) AS metadata, cost_usd,
  input_tokens, output_tokens, cached_tokens, wall_seconds, max_cost_usd, max_tokens, created_at, updated_at,
  claimed_from, named_holder, intervention_from, grants, lease_seconds,
  iif(heavy, NULL, checkpoint) AS checkpoint, iif(heavy, NULL, setbacks) AS setbacks, lapsed_token,
  question_id, iif(heavy, NULL, answers) AS answers, priority_rank, heavy
FROM (
  SELECT *,
    1700 + bytes + coalesce(octet_length(checkpoint), 0) + coalesce(octet_length(evidence), 0) + coalesce(
      octet_length(session_url), 0
    ) + coalesce(octet_length(resume_command), 0) > :share AS heavy
  FROM (
    SELECT tasks.*
    FROM tasks INDEXED BY tasks_flagged
    WHERE needs_intervention = 1
      AND scope = :scope
      AND (:priority IS NULL OR priority IN (SELECT value FROM json_each(:priority)))
      AND (:role IS NULL OR role IN (SELECT value FROM json_each(:role)))
      AND (:type IS NULL OR type IN (SELECT value FROM json_each(:type)))
      AND (:flow IS NULL OR flow IN (SELECT value FROM json_each(:flow)))
      AND (:complexity IS NULL OR complexity IN (SELECT value FROM json_each(:complexity)))
      AND (:claimed_by IS NULL OR claimed_by = :claimed_by)
      AND (:orchestrator_id IS NULL OR orchestrator_id = :orchestrator_id)
      AND (:project_id IS NULL OR project_id = :project_id)
      AND (:external_key IS NULL OR external_key = :external_key)
      AND (:blocked_by IS NULL OR blocked_by = :blocked_by)
      AND (:pr_number IS NULL OR pr_number = :pr_number)
      AND (:needs_intervention IS NULL OR needs_intervention = :needs_intervention)
      AND (:has_plan IS NULL OR has_plan = :has_plan)
      AND (:auto_accept IS NULL OR auto_accept = :auto_accept)
      AND (:needs_rebase IS NULL OR needs_rebase = :needs_rebase)
    ORDER BY created_at DESC, id DESC
    LIMIT :take OFFSET :skip
  )
);

-- count  (GET /api/v1/tasks?needs_intervention=true)
-- 844 characters, 16 parameters, 0 rows read, 0 rows written
--   SEARCH tasks USING INDEX tasks_flagged (scope=?)
--   LIST SUBQUERY 1
--     SCAN json_each VIRTUAL TABLE INDEX 1:
--     CREATE BLOOM FILTER
--   LIST SUBQUERY 2
--     SCAN json_each VIRTUAL TABLE INDEX 1:
--     CREATE BLOOM FILTER
--   LIST SUBQUERY 3
--     SCAN json_each VIRTUAL TABLE INDEX 1:
--     CREATE BLOOM FILTER
--   LIST SUBQUERY 4
--     SCAN json_each VIRTUAL TABLE INDEX 1:
--     CREATE BLOOM FILTER
--   LIST SUBQUERY 5
--     SCAN json_each VIRTUAL TABLE INDEX 1:
--     CREATE BLOOM FILTER
SELECT count(*) AS total
FROM tasks INDEXED BY tasks_flagged
WHERE needs_intervention = 1
  AND scope = :scope
  AND (:priority IS NULL OR priority IN (SELECT value FROM json_each(:priority)))
  AND (:role IS NULL OR role IN (SELECT value FROM json_each(:role)))
  AND (:type IS NULL OR type IN (SELECT value FROM json_each(:type)))
  AND (:flow IS NULL OR flow IN (SELECT value FROM json_each(:flow)))
  AND (:complexity IS NULL OR complexity IN (SELECT value FROM json_each(:complexity)))
  AND (:claimed_by IS NULL OR claimed_by = :claimed_by)
  AND (:orchestrator_id IS NULL OR orchestrator_id = :orchestrator_id)
  AND (:project_id IS NULL OR project_id = :project_id)
  AND (:external_key IS NULL OR external_key = :external_key)
  AND (:blocked_by IS NULL OR blocked_by = :blocked_by)
  AND (:pr_number IS NULL OR pr_number = :pr_number)
  AND (:needs_intervention IS NULL OR needs_intervention = :needs_intervention)
  AND (:has_plan IS NULL OR has_plan = :has_plan)
  AND (:auto_accept IS NULL OR auto_accept = :auto_accept)
  AND (:needs_rebase IS NULL OR needs_rebase = :needs_rebase);

-- window  (GET /api/v1/tasks?q=deep)
-- 5,641 characters, 22 parameters, 4,046 rows read, 0 rows written
--   SEARCH queue_counts USING PRIMARY KEY (scope=?)
--   SCAN json_each VIRTUAL TABLE INDEX 1:
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   CORRELATED LIST SUBQUERY 38
--     CO-ROUTINE (subquery-37)
--       MERGE (UNION ALL)
--         LEFT
--           MERGE (UNION ALL)
--             LEFT
--               SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=? AND priority_rank=?)
--               CORRELATED SCALAR SUBQUERY 8
--                 SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=?)
--             RIGHT
--               SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=? AND priority_rank=?)
--               CORRELATED SCALAR SUBQUERY 12
--                 SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=? AND priority_rank>?)
--                 CORRELATED SCALAR SUBQUERY 11
--                   SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=?)
--         RIGHT
--           MERGE (UNION ALL)
--             LEFT
--               SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=? AND priority_rank=?)
--               CORRELATED SCALAR SUBQUERY 15
--                 SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=?)
--             RIGHT
--               MERGE (UNION ALL)
--                 LEFT
--                   MERGE (UNION ALL)
--                     LEFT
--                       SEARCH tasks USING INDEX tasks_leased (scope=?)
--                       USE TEMP B-TREE FOR ORDER BY
--                     RIGHT
--                       MATERIALIZE other
--                         SETUP
--                           SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=? AND priority_rank>?)
--                           CORRELATED SCALAR SUBQUERY 21
--                             SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=? AND priority_rank>?)
--                             CORRELATED SCALAR SUBQUERY 20
--                               SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=?)
--                         RECURSIVE STEP
--                           SCAN other
--                           CORRELATED SCALAR SUBQUERY 23
--                             SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=? AND priority_rank>?)
--                       SCAN other
--                       SEARCH tasks USING PRIMARY KEY (id=?)
--                       CORRELATED LIST SUBQUERY 26
--                         SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=? AND priority_rank=?)
--                       USE TEMP B-TREE FOR ORDER BY
--                 RIGHT
--                   MATERIALIZE other
--                     SETUP
--                       SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=? AND priority_rank>?)
--                       CORRELATED SCALAR SUBQUERY 29
--                         SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=?)
--                     RECURSIVE STEP
--                       SCAN other
--                       CORRELATED SCALAR SUBQUERY 31
--                         SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=? AND priority_rank>?)
--                   SCAN other
--                   SEARCH tasks USING PRIMARY KEY (id=?)
--                   CORRELATED LIST SUBQUERY 34
--                     SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=? AND priority_rank=?)
--                   USE TEMP B-TREE FOR ORDER BY
--     SCAN (subquery-37)
--   LIST SUBQUERY 1
--     SCAN json_each VIRTUAL TABLE INDEX 1:
--     CREATE BLOOM FILTER
--   LIST SUBQUERY 2
--     SCAN json_each VIRTUAL TABLE INDEX 1:
--     CREATE BLOOM FILTER
--   LIST SUBQUERY 3
--     SCAN json_each VIRTUAL TABLE INDEX 1:
--     CREATE BLOOM FILTER
--   LIST SUBQUERY 4
--     SCAN json_each VIRTUAL TABLE INDEX 1:
--     CREATE BLOOM FILTER
--   LIST SUBQUERY 5
--     SCAN json_each VIRTUAL TABLE INDEX 1:
--     CREATE BLOOM FILTER
--   LIST SUBQUERY 6
--     SCAN json_each VIRTUAL TABLE INDEX 1:
--     CREATE BLOOM FILTER
--   USE TEMP B-TREE FOR ORDER BY
SELECT id, priority_rank, created_at, claimed_by,
  (
    instr(lower(id), :needle)
    OR instr(lower(title), :needle)
    OR instr(lower(branch), :needle)
    OR instr(lower(file_path), :needle)
    OR instr(lower(coalesce(external_key, '')), :needle)
  )
    AND NOT coalesce(
      (
        id = :q
        OR file_path = :q
        OR (
          external_key = :q
          AND external_key IS NOT NULL
          AND iif(queue IN ('done', 'failed', 'cancelled'), id, '') = ''
        )
      ),
      0
    )
    AND (:queues = '[]' OR queue IN (SELECT value FROM json_each(:queues)))
    AND (:priority IS NULL OR priority IN (SELECT value FROM json_each(:priority)))
    AND (:role IS NULL OR role IN (SELECT value FROM json_each(:role)))
    AND (:type IS NULL OR type IN (SELECT value FROM json_each(:type)))
    AND (:flow IS NULL OR flow IN (SELECT value FROM json_each(:flow)))
    AND (:complexity IS NULL OR complexity IN (SELECT value FROM json_each(:complexity)))
    AND (:claimed_by IS NULL OR claimed_by = :claimed_by)
    AND (:orchestrator_id IS NULL OR orchestrator_id = :orchestrator_id)
    AND (:project_id IS NULL OR project_id = :project_id)
    AND (:external_key IS NULL OR external_key = :external_key)
    AND (:blocked_by IS NULL OR blocked_by = :blocked_by)
    AND (:pr_number IS NULL OR pr_number = :pr_number)
    AND (:needs_intervention IS NULL OR needs_intervention = :needs_intervention)
    AND (:has_plan IS NULL OR has_plan = :has_plan)
    AND (:auto_accept IS NULL OR auto_accept = :auto_accept)
    AND (:needs_rebase IS NULL OR needs_rebase = :needs_rebase) AS hit
FROM (SELECT key AS place FROM queue_counts, json_each(counts) WHERE scope = :scope) AS q
CROSS JOIN tasks ON tasks.id IN (
  SELECT id
  FROM (
    SELECT *
    FROM (
      SELECT id, priority_rank, created_at
      FROM tasks INDEXED BY tasks_ready
      WHERE scope = :scope
        AND queue = q.place
        AND claimed_by IS NULL
        AND blocked_by IS NULL
        AND available_at IS NULL
        AND queue <> 'done'
        AND priority_rank = (
          SELECT min(priority_rank)
          FROM tasks INDEXED BY tasks_ready
          WHERE scope = :scope
            AND queue = q.place
            AND claimed_by IS NULL
            AND blocked_by IS NULL
            AND available_at IS NULL
            AND queue <> 'done'
        )
    )
    UNION ALL
    SELECT *
    FROM (
      SELECT id, priority_rank, created_at
      FROM tasks INDEXED BY tasks_ready
      WHERE scope = :scope
        AND queue = q.place
        AND claimed_by IS NULL
        AND blocked_by IS NULL
        AND available_at IS NULL
        AND queue <> 'done'
        AND priority_rank = (
          SELECT min(priority_rank)
          FROM tasks INDEXED BY tasks_ready
          WHERE scope = :scope
            AND queue = q.place
            AND claimed_by IS NULL
            AND blocked_by IS NULL
            AND available_at IS NULL
            AND queue <> 'done'
            AND priority_rank > (
              SELECT min(priority_rank)
              FROM tasks INDEXED BY tasks_ready
              WHERE scope = :scope
                AND queue = q.place
                AND claimed_by IS NULL
                AND blocked_by IS NULL
                AND available_at IS NULL
                AND queue <> 'done'
            )
        )
    )
    UNION ALL
    SELECT *
    FROM (
      SELECT id, priority_rank, created_at
      FROM tasks INDEXED BY tasks_waiting
      WHERE scope = :scope
        AND queue = q.place
        AND claimed_by IS NULL
        AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
        AND priority_rank = (
          SELECT min(priority_rank)
          FROM tasks INDEXED BY tasks_waiting
          WHERE scope = :scope
            AND queue = q.place
            AND claimed_by IS NULL
            AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
        )
    )
    UNION ALL
    SELECT *
    FROM (
      SELECT *
      FROM (
        SELECT id, priority_rank, created_at
        FROM tasks INDEXED BY tasks_leased
        WHERE scope = :scope AND queue = q.place AND claimed_by IS NOT NULL
      )
      UNION ALL
      SELECT *
      FROM (
        SELECT id, priority_rank, created_at
        FROM (
          WITH RECURSIVE other (rank) AS (
            SELECT min(priority_rank)
            FROM tasks INDEXED BY tasks_ready
            WHERE scope = :scope
              AND queue = q.place
              AND claimed_by IS NULL
              AND blocked_by IS NULL
              AND available_at IS NULL
              AND queue <> 'done'
              AND priority_rank > (
                SELECT min(priority_rank)
                FROM tasks INDEXED BY tasks_ready
                WHERE scope = :scope
                  AND queue = q.place
                  AND claimed_by IS NULL
                  AND blocked_by IS NULL
                  AND available_at IS NULL
                  AND queue <> 'done'
                  AND priority_rank > (
                    SELECT min(priority_rank)
                    FROM tasks INDEXED BY tasks_ready
                    WHERE scope = :scope
                      AND queue = q.place
                      AND claimed_by IS NULL
                      AND blocked_by IS NULL
                      AND available_at IS NULL
                      AND queue <> 'done'
                  )
              )
            UNION ALL
            SELECT (
              SELECT min(priority_rank)
              FROM tasks INDEXED BY tasks_ready
              WHERE scope = :scope
                AND queue = q.place
                AND claimed_by IS NULL
                AND blocked_by IS NULL
                AND available_at IS NULL
                AND queue <> 'done'
                AND priority_rank > rank
            )
            FROM other
            WHERE rank IS NOT NULL
          )
          SELECT rank
          FROM other
          WHERE rank IS NOT NULL
        ) AS other
        CROSS JOIN tasks ON tasks.id IN (
          SELECT id
          FROM tasks INDEXED BY tasks_ready
          WHERE scope = :scope
            AND queue = q.place
            AND claimed_by IS NULL
            AND blocked_by IS NULL
            AND available_at IS NULL
            AND queue <> 'done'
            AND priority_rank = other.rank
          ORDER BY created_at DESC, id DESC
          LIMIT :most
        )
      )
      UNION ALL
      SELECT *
      FROM (
        SELECT id, priority_rank, created_at
        FROM (
          WITH RECURSIVE other (rank) AS (
            SELECT min(priority_rank)
            FROM tasks INDEXED BY tasks_waiting
            WHERE scope = :scope
              AND queue = q.place
              AND claimed_by IS NULL
              AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
              AND priority_rank > (
                SELECT min(priority_rank)
                FROM tasks INDEXED BY tasks_waiting
                WHERE scope = :scope
                  AND queue = q.place
                  AND claimed_by IS NULL
                  AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
              )
            UNION ALL
            SELECT (
              SELECT min(priority_rank)
              FROM tasks INDEXED BY tasks_waiting
              WHERE scope = :scope
                AND queue = q.place
                AND claimed_by IS NULL
                AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
                AND priority_rank > rank
            )
            FROM other
            WHERE rank IS NOT NULL
          )
          SELECT rank
          FROM other
          WHERE rank IS NOT NULL
        ) AS other
        CROSS JOIN tasks ON tasks.id IN (
          SELECT id
          FROM tasks INDEXED BY tasks_waiting
          WHERE scope = :scope
            AND queue = q.place
            AND claimed_by IS NULL
            AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
            AND priority_rank = other.rank
          ORDER BY created_at DESC, id DESC
          LIMIT :most
        )
      )
    )
    ORDER BY created_at DESC, id DESC
    LIMIT :most
  )
)
ORDER BY created_at DESC, id DESC
LIMIT :take OFFSET :skip;

-- window  (GET /api/v1/tasks?q=deep&queue=incoming&sort=priority)
-- 2,033 characters, 22 parameters, 2,509 rows read, 0 rows written
--   SCAN json_each VIRTUAL TABLE INDEX 1:
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   CORRELATED LIST SUBQUERY 14
--     CO-ROUTINE (subquery-13)
--       MERGE (UNION ALL)
--         LEFT
--           MERGE (UNION ALL)
--             LEFT
--               SEARCH tasks USING INDEX tasks_ready (scope=? AND queue=?)
--             RIGHT
--               SEARCH tasks USING INDEX tasks_waiting (scope=? AND queue=?)
--         RIGHT
--           SEARCH tasks USING INDEX tasks_leased (scope=?)
--           USE TEMP B-TREE FOR ORDER BY
--     SCAN (subquery-13)
--   LIST SUBQUERY 1
--     SCAN json_each VIRTUAL TABLE INDEX 1:
--     CREATE BLOOM FILTER
--   LIST SUBQUERY 2
--     SCAN json_each VIRTUAL TABLE INDEX 1:
--     CREATE BLOOM FILTER
--   LIST SUBQUERY 3
--     SCAN json_each VIRTUAL TABLE INDEX 1:
--     CREATE BLOOM FILTER
--   LIST SUBQUERY 4
--     SCAN json_each VIRTUAL TABLE INDEX 1:
--     CREATE BLOOM FILTER
--   LIST SUBQUERY 5
--     SCAN json_each VIRTUAL TABLE INDEX 1:
--     CREATE BLOOM FILTER
--   LIST SUBQUERY 6
--     SCAN json_each VIRTUAL TABLE INDEX 1:
--     CREATE BLOOM FILTER
--   USE TEMP B-TREE FOR ORDER BY
SELECT id, priority_rank, created_at, claimed_by,
  (
    instr(lower(id), :needle)
    OR instr(lower(title), :needle)
    OR instr(lower(branch), :needle)
    OR instr(lower(file_path), :needle)
    OR instr(lower(coalesce(external_key, '')), :needle)
  )
    AND NOT coalesce(
      (
        id = :q
        OR file_path = :q
        OR (
          external_key = :q
          AND external_key IS NOT NULL
          AND iif(queue IN ('done', 'failed', 'cancelled'), id, '') = ''
        )
      ),
      0
    )
    AND (:queues = '[]' OR queue IN (SELECT value FROM json_each(:queues)))
    AND (:priority IS NULL OR priority IN (SELECT value FROM json_each(:priority)))
    AND (:role IS NULL OR role IN (SELECT value FROM json_each(:role)))
    AND (:type IS NULL OR type IN (SELECT value FROM json_each(:type)))
    AND (:flow IS NULL OR flow IN (SELECT value FROM json_each(:flow)))
    AND (:complexity IS NULL OR complexity IN (SELECT value FROM json_each(:complexity)))
    AND (:claimed_by IS NULL OR claimed_by = :claimed_by)
    AND (:orchestrator_id IS NULL OR orchestrator_id = :orchestrator_id)
    AND (:project_id IS NULL OR project_id = :project_id)
    AND (:external_key IS NULL OR external_key = :external_key)
    AND (:blocked_by IS NULL OR blocked_by = :blocked_by)
    AND (:pr_number IS NULL OR pr_number = :pr_number)
    AND (:needs_intervention IS NULL OR needs_intervention = :needs_intervention)
    AND (:has_plan IS NULL OR has_plan = :has_plan)
    AND (:auto_accept IS NULL OR auto_accept = :auto_accept)
    AND (:needs_rebase IS NULL OR needs_rebase = :needs_rebase) AS hit
FROM (SELECT value AS place FROM json_each(:queues)) AS q
CROSS JOIN tasks ON tasks.id IN (
  SELECT id
  FROM (
    SELECT *
    FROM (
      SELECT id, priority_rank, created_at
      FROM tasks INDEXED BY tasks_ready
      WHERE scope = :scope
        AND queue = q.place
        AND claimed_by IS NULL
        AND blocked_by IS NULL
        AND available_at IS NULL
        AND queue <> 'done'
    )
    UNION ALL
    SELECT *
    FROM (
      SELECT id, priority_rank, created_at
      FROM tasks INDEXED BY tasks_waiting
      WHERE scope = :scope
        AND queue = q.place
        AND claimed_by IS NULL
        AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')
    )
    UNION ALL
    SELECT *
    FROM (
      SELECT id, priority_rank, created_at
      FROM tasks INDEXED BY tasks_leased
      WHERE scope = :scope AND queue = q.place AND claimed_by IS NOT NULL
    )
    ORDER BY priority_rank, created_at, id
    LIMIT :most
  )
)
ORDER BY priority_rank, created_at, id
LIMIT :take OFFSET :skip;

-- window  (GET /api/v1/tasks?q=deep&project_id=deep-0)
-- 1,904 characters, 22 parameters, 3,507 rows read, 0 rows written
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   LIST SUBQUERY 13
--     MATERIALIZE other
--       SETUP
--         SEARCH tasks USING COVERING INDEX tasks_project (project_id=?)
--       RECURSIVE STEP
--         SCAN other
--         CORRELATED SCALAR SUBQUERY 8
--           SEARCH tasks USING COVERING INDEX tasks_project (project_id=? AND priority_rank>?)
--     SCAN other
--     SEARCH tasks USING PRIMARY KEY (id=?)
--     CORRELATED LIST SUBQUERY 11
--       SEARCH tasks USING INDEX tasks_project (project_id=? AND priority_rank=?)
--     USE TEMP B-TREE FOR ORDER BY
--   LIST SUBQUERY 1
--     SCAN json_each VIRTUAL TABLE INDEX 1:
--     CREATE BLOOM FILTER
--   LIST SUBQUERY 2
--     SCAN json_each VIRTUAL TABLE INDEX 1:
--     CREATE BLOOM FILTER
--   LIST SUBQUERY 3
--     SCAN json_each VIRTUAL TABLE INDEX 1:
--     CREATE BLOOM FILTER
--   LIST SUBQUERY 4
--     SCAN json_each VIRTUAL TABLE INDEX 1:
--     CREATE BLOOM FILTER
--   LIST SUBQUERY 5
--     SCAN json_each VIRTUAL TABLE INDEX 1:
--     CREATE BLOOM FILTER
--   LIST SUBQUERY 6
--     SCAN json_each VIRTUAL TABLE INDEX 1:
--     CREATE BLOOM FILTER
--   USE TEMP B-TREE FOR ORDER BY
SELECT id, priority_rank, created_at, claimed_by,
  (
    instr(lower(id), :needle)
    OR instr(lower(title), :needle)
    OR instr(lower(branch), :needle)
    OR instr(lower(file_path), :needle)
    OR instr(lower(coalesce(external_key, '')), :needle)
  )
    AND NOT coalesce(
      (
        id = :q
        OR file_path = :q
        OR (
          external_key = :q
          AND external_key IS NOT NULL
          AND iif(queue IN ('done', 'failed', 'cancelled'), id, '') = ''
        )
      ),
      0
    )
    AND (:queues = '[]' OR queue IN (SELECT value FROM json_each(:queues)))
    AND (:priority IS NULL OR priority IN (SELECT value FROM json_each(:priority)))
    AND (:role IS NULL OR role IN (SELECT value FROM json_each(:role)))
    AND (:type IS NULL OR type IN (SELECT value FROM json_each(:type)))
    AND (:flow IS NULL OR flow IN (SELECT value FROM json_each(:flow)))
    AND (:complexity IS NULL OR complexity IN (SELECT value FROM json_each(:complexity)))
    AND (:claimed_by IS NULL OR claimed_by = :claimed_by)
    AND (:orchestrator_id IS NULL OR orchestrator_id = :orchestrator_id)
    AND (:project_id IS NULL OR project_id = :project_id)
    AND (:external_key IS NULL OR external_key = :external_key)
    AND (:blocked_by IS NULL OR blocked_by = :blocked_by)
    AND (:pr_number IS NULL OR pr_number = :pr_number)
    AND (:needs_intervention IS NULL OR needs_intervention = :needs_intervention)
    AND (:has_plan IS NULL OR has_plan = :has_plan)
    AND (:auto_accept IS NULL OR auto_accept = :auto_accept)
    AND (:needs_rebase IS NULL OR needs_rebase = :needs_rebase) AS hit
FROM tasks
WHERE id IN (
  SELECT id
  FROM (
    SELECT id, created_at
    FROM (
      WITH RECURSIVE other (rank) AS (
        SELECT min(priority_rank)
        FROM tasks INDEXED BY tasks_project
        WHERE project_id = :project_id
        UNION ALL
        SELECT (
          SELECT min(priority_rank)
          FROM tasks INDEXED BY tasks_project
          WHERE project_id = :project_id AND priority_rank > rank
        )
        FROM other
        WHERE rank IS NOT NULL
      )
      SELECT rank
      FROM other
      WHERE rank IS NOT NULL
    ) AS other
    CROSS JOIN tasks ON tasks.id IN (
      SELECT id
      FROM tasks INDEXED BY tasks_project
      WHERE project_id = :project_id AND priority_rank = other.rank AND scope = :scope
      ORDER BY created_at DESC, id DESC
      LIMIT :most
    )
    ORDER BY created_at DESC, id DESC
    LIMIT :most
  )
)
ORDER BY created_at DESC, id DESC
LIMIT :take OFFSET :skip;
