-- POST /api/v1/scopes/:scope/import
-- 0 round trips, 0 statements: 0 characters, 0 parameters, 0 rows read, 0 rows written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- ======== Sent in special cases only ========

-- tasks written  (ten tasks)
-- 3,881 characters, 4 parameters, 30 rows read, 30 rows written, sent 2 times
--   SCAN given VIRTUAL TABLE INDEX 1:
--   CORRELATED SCALAR SUBQUERY 4
--     SEARCH projects USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 5
--     SEARCH tasks USING COVERING INDEX tasks_file_path (scope=? AND file_path=?)
--   CORRELATED SCALAR SUBQUERY 6
--     SEARCH tasks USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 1
--     SEARCH history USING PRIMARY KEY (task_id=?)
--   CORRELATED SCALAR SUBQUERY 2
--     SEARCH history USING PRIMARY KEY (task_id=?)
--   CORRELATED SCALAR SUBQUERY 3
--     SEARCH history USING PRIMARY KEY (task_id=?)
INSERT INTO tasks (
  scope,
  loss_limit,
  attempt_limit,
  version,
  grants,
  complexity,
  role,
  type,
  content,
  project_id,
  last_rejection_reason,
  turns_used,
  check_results,
  execution_notes,
  submitted_at,
  pr_number,
  pr_url,
  checks,
  staging_url,
  plan_id,
  last_rebase_attempt_at,
  hooks,
  flow_overrides,
  submitted_by,
  submitted_orchestrator_id,
  head_commit,
  session_url,
  resume_command,
  session_token,
  attempt_count,
  rejection_count,
  lease_losses,
  commits_count,
  review_round,
  needs_intervention,
  has_plan,
  auto_accept,
  needs_rebase,
  needs_breakdown,
  terminal,
  input_tokens,
  output_tokens,
  cached_tokens,
  id,
  file_path,
  title,
  priority,
  priority_rank,
  branch,
  flow,
  metadata,
  cost_usd,
  wall_seconds,
  max_cost_usd,
  max_tokens,
  evidence,
  completed_at,
  created_at,
  updated_at,
  question_id,
  available_at,
  queue,
  claimed_by,
  claimed_at,
  claimed_from,
  orchestrator_id,
  lease_expires_at
)
SELECT :scope, iif(given.value ->> 'claimed_by' IS NULL, NULL, :loss_limit),
  iif(given.value ->> 'claimed_by' IS NULL, NULL, :attempt_limit),
  max(
    given.value ->> 'version',
    coalesce(
      (SELECT version FROM history WHERE task_id = given.value ->> 'id' ORDER BY version DESC LIMIT 1), 0
    ) + 1
  ),
  iif(
    given.value ->> 'claimed_by' IS NULL,
    coalesce(
      (SELECT grants FROM history WHERE task_id = given.value ->> 'id' ORDER BY version DESC LIMIT 1), 0
    ),
    max(
      given.value ->> 'fencing_token',
      coalesce(
        (SELECT grants FROM history WHERE task_id = given.value ->> 'id' ORDER BY version DESC LIMIT 1), 0
      ) + 1
    )
  ),
  given.value ->> 'complexity', given.value ->> 'role', given.value ->> 'type', given.value ->> 'content',
  given.value ->> 'project_id', given.value ->> 'last_rejection_reason', given.value ->> 'turns_used',
  given.value ->> 'check_results', given.value ->> 'execution_notes', given.value ->> 'submitted_at',
  given.value ->> 'pr_number', given.value ->> 'pr_url', given.value ->> 'checks',
  given.value ->> 'staging_url', given.value ->> 'plan_id', given.value ->> 'last_rebase_attempt_at',
  given.value ->> 'hooks', given.value ->> 'flow_overrides', given.value ->> 'submitted_by',
  given.value ->> 'submitted_orchestrator_id', given.value ->> 'head_commit', given.value ->> 'session_url',
  given.value ->> 'resume_command', given.value ->> 'session_token', given.value ->> 'attempt_count',
  given.value ->> 'rejection_count', given.value ->> 'lease_losses', given.value ->> 'commits_count',
  given.value ->> 'review_round', given.value ->> 'needs_intervention', given.value ->> 'has_plan',
  given.value ->> 'auto_accept', given.value ->> 'needs_rebase', given.value ->> 'needs_breakdown',
  given.value ->> 'terminal', given.value ->> 'input_tokens', given.value ->> 'output_tokens',
  given.value ->> 'cached_tokens', given.value ->> 'id', given.value ->> 'file_path', given.value ->> 'title',
  given.value ->> 'priority', given.value ->> 'priority_rank', given.value ->> 'branch',
  given.value ->> 'flow', given.value ->> 'metadata', given.value ->> 'cost_usd',
  given.value ->> 'wall_seconds', given.value ->> 'max_cost_usd', given.value ->> 'max_tokens',
  given.value ->> 'evidence', given.value ->> 'completed_at', given.value ->> 'created_at',
  given.value ->> 'updated_at', given.value ->> 'question_id', given.value ->> 'available_at',
  given.value ->> 'queue', given.value ->> 'claimed_by', given.value ->> 'claimed_at',
  given.value ->> 'claimed_from', given.value ->> 'orchestrator_id', given.value ->> 'lease_expires_at'
FROM json_each(:others) AS given
WHERE (
  given.value ->> 'project_id' IS NULL
  OR EXISTS (SELECT 1 FROM projects WHERE id = given.value ->> 'project_id' AND scope = :scope)
)
  AND NOT (
    EXISTS (
      SELECT 1
      FROM tasks
      WHERE scope = :scope AND file_path = given.value ->> 'file_path' AND file_path <> 'TASK-' || id || '.md'
    )
    OR EXISTS (
      SELECT 1
      FROM tasks
      WHERE id = substr(given.value ->> 'file_path', 6, length(given.value ->> 'file_path') - 8)
        AND +scope = :scope
        AND +file_path = given.value ->> 'file_path'
    )
  )
ON CONFLICT
DO NOTHING
RETURNING id;

-- tasks verdicts  (ten tasks)
-- 836 characters, 2 parameters, 50 rows read, 0 rows written
--   SCAN given VIRTUAL TABLE INDEX 1:
--   CORRELATED SCALAR SUBQUERY 1
--     SEARCH tasks USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 2
--     SEARCH tasks USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 3
--     SEARCH tasks USING COVERING INDEX tasks_file_path (scope=? AND file_path=?)
--   CORRELATED SCALAR SUBQUERY 4
--     SEARCH tasks USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 5
--     SEARCH projects USING PRIMARY KEY (id=?)
--   USE TEMP B-TREE FOR ORDER BY
SELECT given.value ->> 'id' AS id, given.value ->> 'file_path' AS file_path,
  given.value ->> 'project_id' AS project_id,
  EXISTS (SELECT 1 FROM tasks WHERE id = given.value ->> 'id' AND +scope = :scope) AS here,
  EXISTS (SELECT 1 FROM tasks WHERE id = given.value ->> 'id' AND scope <> :scope) AS elsewhere,
  (
    EXISTS (
      SELECT 1
      FROM tasks
      WHERE scope = :scope AND file_path = given.value ->> 'file_path' AND file_path <> 'TASK-' || id || '.md'
    )
    OR EXISTS (
      SELECT 1
      FROM tasks
      WHERE id = substr(given.value ->> 'file_path', 6, length(given.value ->> 'file_path') - 8)
        AND +scope = :scope
        AND +file_path = given.value ->> 'file_path'
    )
  ) AS path_taken,
  given.value ->> 'project_id' IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM projects WHERE id = given.value ->> 'project_id' AND scope = :scope) AS unknown_project
FROM json_each(:tasks_keys) AS given
ORDER BY given.key;

-- tasks countersMade  (ten tasks)
-- 193 characters, 2 parameters, 12 rows read, 0 rows written
--   SCAN CONSTANT ROW
--   SCALAR SUBQUERY 2
--     SEARCH tasks USING PRIMARY KEY (id=?)
--     LIST SUBQUERY 1
--       SCAN json_each VIRTUAL TABLE INDEX 1:
--     CORRELATED SCALAR SUBQUERY 5
--       SEARCH history USING PRIMARY KEY (task_id=? AND version=?)
INSERT INTO queue_counts (scope, counts)
SELECT :scope, '{}'
WHERE EXISTS (
  SELECT 1
  FROM unrecorded
  WHERE id IN (SELECT value ->> 'id' FROM json_each(:tasks_keys)) AND +scope = :scope
)
ON CONFLICT
DO NOTHING;

-- tasks recorded  (ten tasks)
-- 387 characters, 3 parameters, 81 rows read, 20 rows written
--   CO-ROUTINE (subquery-8)
--     SEARCH tasks USING PRIMARY KEY (id=?)
--     LIST SUBQUERY 2
--       SCAN json_each VIRTUAL TABLE INDEX 1:
--     CORRELATED SCALAR SUBQUERY 5
--       SEARCH history USING PRIMARY KEY (task_id=? AND version=?)
--   SCAN (subquery-8)
--   CORRELATED SCALAR SUBQUERY 1
--     SEARCH counter USING PRIMARY KEY (scope=?)
--     CORRELATED SCALAR SUBQUERY 7
--       SEARCH history USING COVERING INDEX history_feed (scope=? AND seq>?)
INSERT INTO history (task_id, version, scope, seq, event, to_queue, reason, grants, at, title, project_id)
SELECT id, version, scope, (SELECT last FROM feed WHERE feed.scope = unrecorded.scope) + row_number() OVER (),
  'imported', queue, 'Copied from another server.', grants, :now, title, project_id
FROM unrecorded
WHERE id IN (SELECT value ->> 'id' FROM json_each(:tasks_keys)) AND +scope = :scope;

-- tasks counted  (ten tasks)
-- 306 characters, 1 parameter, 76 rows read, 1 row written
--   SEARCH counter USING PRIMARY KEY (scope=?)
--   SCAN json_each VIRTUAL TABLE INDEX 1:
--   CORRELATED SCALAR SUBQUERY 4
--     CO-ROUTINE (subquery-5)
--       SEARCH history USING INDEX history_feed (scope=? AND seq>?)
--       SCAN owner VIRTUAL TABLE INDEX 1:
--       USE TEMP B-TREE FOR GROUP BY
--     SCAN (subquery-5)
--   SEARCH queue_counts USING PRIMARY KEY (scope=?)
--   CORRELATED SCALAR SUBQUERY 6
--     CO-ROUTINE (subquery-7)
--       SCAN json_tree VIRTUAL TABLE INDEX 1:
--       USE TEMP B-TREE FOR GROUP BY
--     SCAN (subquery-7)
--   CORRELATED SCALAR SUBQUERY 8
--     CO-ROUTINE (subquery-9)
--       SCAN json_each VIRTUAL TABLE INDEX 1:
--       USE TEMP B-TREE FOR GROUP BY
--     SCAN (subquery-9)
INSERT INTO queue_counts (scope, seq, counts, events, lives)
SELECT owner, seq, counts, events, lives
FROM counts_after AS after
WHERE after.scope = :scope
ON CONFLICT (scope)
DO UPDATE SET revision = revision + 1, seq = excluded.seq, counts = excluded.counts, events = excluded.events,
  lives = excluded.lives;

-- keyForgotten  (some of each kind, under an idempotency key)
-- 57 characters, 2 parameters, 0 rows read, 0 rows written
--   SEARCH idempotency_keys USING PRIMARY KEY (id=?)
DELETE
FROM idempotency_keys
WHERE id = :key AND at <= :oldest;

-- keyFound  (some of each kind, under an idempotency key)
-- 80 characters, 2 parameters, 0 rows read, 0 rows written
--   SEARCH idempotency_keys USING PRIMARY KEY (id=?)
SELECT fingerprint, answer, at
FROM idempotency_keys
WHERE id = :key AND at > :oldest;

-- keyKept  (some of each kind, under an idempotency key)
-- 4,556 characters, 12 parameters, 22 rows read, 1 row written
--   CO-ROUTINE (subquery-36)
--     SCAN CONSTANT ROW
--   SCAN (subquery-36)
--   SCALAR SUBQUERY 4
--     CO-ROUTINE (subquery-3)
--       SCAN given VIRTUAL TABLE INDEX 1:
--       CORRELATED SCALAR SUBQUERY 1
--         SEARCH known USING PRIMARY KEY (scope=? AND name=?)
--       CORRELATED SCALAR SUBQUERY 2
--         SEARCH known USING PRIMARY KEY (scope=? AND name=?)
--       USE TEMP B-TREE FOR ORDER BY
--     SCAN (subquery-3)
--   SCALAR SUBQUERY 8
--     CO-ROUTINE (subquery-7)
--       SCAN given VIRTUAL TABLE INDEX 1:
--       CORRELATED SCALAR SUBQUERY 5
--         SEARCH known USING PRIMARY KEY (scope=? AND name=?)
--       CORRELATED SCALAR SUBQUERY 6
--         SEARCH known USING PRIMARY KEY (scope=? AND name=?)
--       USE TEMP B-TREE FOR ORDER BY
--     SCAN (subquery-7)
--   SCALAR SUBQUERY 12
--     CO-ROUTINE (subquery-11)
--       SCAN given VIRTUAL TABLE INDEX 1:
--       CORRELATED SCALAR SUBQUERY 9
--         SEARCH known USING PRIMARY KEY (id=? AND scope=?)
--       CORRELATED SCALAR SUBQUERY 10
--         SEARCH known USING PRIMARY KEY (id=? AND scope=?)
--       USE TEMP B-TREE FOR ORDER BY
--     SCAN (subquery-11)
--   SCALAR SUBQUERY 16
--     CO-ROUTINE (subquery-15)
--       SCAN given VIRTUAL TABLE INDEX 1:
--       CORRELATED SCALAR SUBQUERY 13
--         SEARCH known USING PRIMARY KEY (id=?)
--       CORRELATED SCALAR SUBQUERY 14
--         SEARCH known USING PRIMARY KEY (id=?)
--       USE TEMP B-TREE FOR ORDER BY
--     SCAN (subquery-15)
--   SCALAR SUBQUERY 20
--     CO-ROUTINE (subquery-19)
--       SCAN given VIRTUAL TABLE INDEX 1:
--       CORRELATED SCALAR SUBQUERY 17
--         SEARCH known USING INTEGER PRIMARY KEY (rowid=?)
--       CORRELATED SCALAR SUBQUERY 18
--         SEARCH known USING INTEGER PRIMARY KEY (rowid=?)
--       USE TEMP B-TREE FOR ORDER BY
--     SCAN (subquery-19)
--   SCALAR SUBQUERY 27
--     CO-ROUTINE (subquery-26)
--       SCAN given VIRTUAL TABLE INDEX 1:
--       CORRELATED SCALAR SUBQUERY 21
--         SEARCH tasks USING PRIMARY KEY (id=?)
--       CORRELATED SCALAR SUBQUERY 22
--         SEARCH tasks USING PRIMARY KEY (id=?)
--       CORRELATED SCALAR SUBQUERY 23
--         SEARCH tasks USING COVERING INDEX tasks_file_path (scope=? AND file_path=?)
--       CORRELATED SCALAR SUBQUERY 24
--         SEARCH tasks USING PRIMARY KEY (id=?)
--       CORRELATED SCALAR SUBQUERY 25
--         SEARCH projects USING PRIMARY KEY (id=?)
--       USE TEMP B-TREE FOR ORDER BY
--     SCAN (subquery-26)
--   SCALAR SUBQUERY 31
--     CO-ROUTINE (subquery-30)
--       SCAN given VIRTUAL TABLE INDEX 1:
--       CORRELATED SCALAR SUBQUERY 28
--         SEARCH known USING INDEX sqlite_autoindex_messages_1 (id=?)
--       CORRELATED SCALAR SUBQUERY 29
--         SEARCH known USING COVERING INDEX sqlite_autoindex_messages_1 (id=?)
--       USE TEMP B-TREE FOR ORDER BY
--     SCAN (subquery-30)
--   SCALAR SUBQUERY 35
--     CO-ROUTINE (subquery-34)
--       SCAN given VIRTUAL TABLE INDEX 1:
--       CORRELATED SCALAR SUBQUERY 32
--         SEARCH known USING INDEX sqlite_autoindex_actions_1 (id=?)
--       CORRELATED SCALAR SUBQUERY 33
--         SEARCH known USING COVERING INDEX sqlite_autoindex_actions_1 (id=?)
--       USE TEMP B-TREE FOR ORDER BY
--     SCAN (subquery-34)
INSERT INTO idempotency_keys (id, fingerprint, at, answer)
SELECT :key, :fingerprint, :sent,
  '[' || group_concat(
    json_object(
      'flows',
      (
        SELECT '[' || group_concat(
          json_object('name', name, 'identity', identity || '', 'here', here, 'taken', taken), ','
        ) || ']'
        FROM (
          SELECT given.value ->> 'name' AS name, given.value AS identity,
            EXISTS (
              SELECT 1
              FROM flows AS known
              WHERE known.scope = :scope AND known.name = given.value ->> 'name'
            ) AS here,
            EXISTS (
              SELECT 1
              FROM flows AS known
              WHERE known.name = given.value ->> 'name' AND known.scope = :scope
            ) AS taken
          FROM json_each(:flows_keys) AS given
          ORDER BY given.key
        )
      ),
      'roles',
      (
        SELECT '[' || group_concat(
          json_object('name', name, 'identity', identity || '', 'here', here, 'taken', taken), ','
        ) || ']'
        FROM (
          SELECT given.value ->> 'name' AS name, given.value AS identity,
            EXISTS (
              SELECT 1
              FROM roles AS known
              WHERE known.scope = :scope AND known.name = given.value ->> 'name'
            ) AS here,
            EXISTS (
              SELECT 1
              FROM roles AS known
              WHERE known.name = given.value ->> 'name' AND known.scope = :scope
            ) AS taken
          FROM json_each(:roles_keys) AS given
          ORDER BY given.key
        )
      ),
      'orchestrators',
      (
        SELECT '[' || group_concat(
          json_object('name', name, 'identity', identity || '', 'here', here, 'taken', taken), ','
        ) || ']'
        FROM (
          SELECT given.value ->> 'id' AS name, given.value AS identity,
            EXISTS (
              SELECT 1
              FROM orchestrators AS known
              WHERE known.scope = :scope AND known.id = given.value ->> 'id'
            ) AS here,
            EXISTS (
              SELECT 1
              FROM orchestrators AS known
              WHERE known.id = given.value ->> 'id' AND known.scope = :scope
            ) AS taken
          FROM json_each(:orchestrators_keys) AS given
          ORDER BY given.key
        )
      ),
      'projects',
      (
        SELECT '[' || group_concat(
          json_object('name', name, 'identity', identity || '', 'here', here, 'taken', taken), ','
        ) || ']'
        FROM (
          SELECT given.value ->> 'id' AS name, given.value AS identity,
            EXISTS (
              SELECT 1
              FROM projects AS known
              WHERE known.scope = :scope AND known.id = given.value ->> 'id'
            ) AS here,
            EXISTS (SELECT 1 FROM projects AS known WHERE known.id = given.value ->> 'id') AS taken
          FROM json_each(:projects_keys) AS given
          ORDER BY given.key
        )
      ),
      'drafts',
      (
        SELECT '[' || group_concat(
          json_object('name', name, 'identity', identity || '', 'here', here, 'taken', taken), ','
        ) || ']'
        FROM (
          SELECT given.value ->> 'id' AS name, given.value AS identity,
            EXISTS (
              SELECT 1
              FROM drafts AS known
              WHERE known.scope = :scope
                AND known.id = given.value ->> 'id'
                AND known.created_at = given.value ->> 'created_at'
            ) AS here,
            EXISTS (SELECT 1 FROM drafts AS known WHERE known.id = given.value ->> 'id') AS taken
          FROM json_each(:drafts_keys) AS given
          ORDER BY given.key
        )
      ),
      'tasks',
      (
        SELECT '[' || group_concat(
          json_object(
            'id',
            id,
            'file_path',
            file_path,
            'project_id',
            project_id,
            'here',
            here,
            'elsewhere',
            elsewhere,
            'path_taken',
            path_taken,
            'unknown_project',
            unknown_project
          ),
          ','
        ) || ']'
        FROM (
          SELECT given.value ->> 'id' AS id, given.value ->> 'file_path' AS file_path,
            given.value ->> 'project_id' AS project_id,
            EXISTS (SELECT 1 FROM tasks WHERE id = given.value ->> 'id' AND +scope = :scope) AS here,
            EXISTS (SELECT 1 FROM tasks WHERE id = given.value ->> 'id' AND scope <> :scope) AS elsewhere,
            (
              EXISTS (
                SELECT 1
                FROM tasks
                WHERE scope = :scope
                  AND file_path = given.value ->> 'file_path'
                  AND file_path <> 'TASK-' || id || '.md'
              )
              OR EXISTS (
                SELECT 1
                FROM tasks
                WHERE id = substr(given.value ->> 'file_path', 6, length(given.value ->> 'file_path') - 8)
                  AND +scope = :scope
                  AND +file_path = given.value ->> 'file_path'
              )
            ) AS path_taken,
            given.value ->> 'project_id' IS NOT NULL
              AND NOT EXISTS (
                SELECT 1
                FROM projects
                WHERE id = given.value ->> 'project_id' AND scope = :scope
              ) AS unknown_project
          FROM json_each(:tasks_keys) AS given
          ORDER BY given.key
        )
      ),
      'messages',
      (
        SELECT '[' || group_concat(
          json_object('name', name, 'identity', identity || '', 'here', here, 'taken', taken), ','
        ) || ']'
        FROM (
          SELECT given.value ->> 'id' AS name, given.value AS identity,
            EXISTS (
              SELECT 1
              FROM messages AS known
              WHERE known.scope = :scope AND known.id = given.value ->> 'id'
            ) AS here,
            EXISTS (SELECT 1 FROM messages AS known WHERE known.id = given.value ->> 'id') AS taken
          FROM json_each(:messages_keys) AS given
          ORDER BY given.key
        )
      ),
      'actions',
      (
        SELECT '[' || group_concat(
          json_object('name', name, 'identity', identity || '', 'here', here, 'taken', taken), ','
        ) || ']'
        FROM (
          SELECT given.value ->> 'id' AS name, given.value AS identity,
            EXISTS (
              SELECT 1
              FROM actions AS known
              WHERE known.scope = :scope AND known.id = given.value ->> 'id'
            ) AS here,
            EXISTS (SELECT 1 FROM actions AS known WHERE known.id = given.value ->> 'id') AS taken
          FROM json_each(:actions_keys) AS given
          ORDER BY given.key
        )
      )
    ),
    ','
  ) || ']'
FROM (SELECT 1)
WHERE 1
HAVING count(*) > 0;

-- flows counted  (some of each kind, under an idempotency key)
-- 293 characters, 2 parameters, 0 rows read, 1 row written
--   SCAN given EXISTS VIRTUAL TABLE INDEX 1:
--   CORRELATED SCALAR SUBQUERY 1
--     SEARCH known USING PRIMARY KEY (scope=? AND name=?)
INSERT INTO queue_counts (scope, counts, revision)
SELECT :scope, '{}', 1
WHERE EXISTS (
  SELECT 1
  FROM json_each(:flows_keys) AS given
  WHERE NOT EXISTS (
    SELECT 1
    FROM flows AS known
    WHERE known.name = given.value ->> 'name' AND known.scope = :scope
  )
)
ON CONFLICT (scope)
DO UPDATE SET revision = revision + 1;

-- flows written  (some of each kind, under an idempotency key)
-- 454 characters, 2 parameters, 4 rows read, 2 rows written
--   SCAN given VIRTUAL TABLE INDEX 1:
--   USE TEMP B-TREE FOR ORDER BY
INSERT INTO flows (
  scope, name, description, states, transitions, child_flow, rules, registered_at, updated_at
)
SELECT :scope, given.value ->> 'name', given.value ->> 'description', given.value ->> 'states',
  given.value ->> 'transitions', given.value ->> 'child_flow', given.value ->> 'rules',
  given.value ->> 'registered_at', given.value ->> 'updated_at'
FROM json_each(:flows) AS given
WHERE 1
ORDER BY given.key
ON CONFLICT
DO NOTHING
RETURNING name AS name;

-- flows verdicts  (some of each kind, under an idempotency key)
-- 333 characters, 2 parameters, 4 rows read, 0 rows written
--   SCAN given VIRTUAL TABLE INDEX 1:
--   CORRELATED SCALAR SUBQUERY 1
--     SEARCH known USING PRIMARY KEY (scope=? AND name=?)
--   CORRELATED SCALAR SUBQUERY 2
--     SEARCH known USING PRIMARY KEY (scope=? AND name=?)
--   USE TEMP B-TREE FOR ORDER BY
SELECT given.value ->> 'name' AS name, given.value AS identity,
  EXISTS (SELECT 1 FROM flows AS known WHERE known.scope = :scope AND known.name = given.value ->> 'name') AS here,
  EXISTS (SELECT 1 FROM flows AS known WHERE known.name = given.value ->> 'name' AND known.scope = :scope) AS taken
FROM json_each(:flows_keys) AS given
ORDER BY given.key;

-- roles written  (some of each kind, under an idempotency key)
-- 350 characters, 2 parameters, 4 rows read, 1 row written
--   SCAN given VIRTUAL TABLE INDEX 1:
--   USE TEMP B-TREE FOR ORDER BY
INSERT INTO roles (scope, name, description, claims_from, orchestrator_id, created_at)
SELECT :scope, given.value ->> 'name', given.value ->> 'description', given.value ->> 'claims_from',
  given.value ->> 'orchestrator_id', given.value ->> 'created_at'
FROM json_each(:roles) AS given
WHERE 1
ORDER BY given.key
ON CONFLICT
DO NOTHING
RETURNING name AS name;

-- roles verdicts  (some of each kind, under an idempotency key)
-- 333 characters, 2 parameters, 4 rows read, 0 rows written
--   SCAN given VIRTUAL TABLE INDEX 1:
--   CORRELATED SCALAR SUBQUERY 1
--     SEARCH known USING PRIMARY KEY (scope=? AND name=?)
--   CORRELATED SCALAR SUBQUERY 2
--     SEARCH known USING PRIMARY KEY (scope=? AND name=?)
--   USE TEMP B-TREE FOR ORDER BY
SELECT given.value ->> 'name' AS name, given.value AS identity,
  EXISTS (SELECT 1 FROM roles AS known WHERE known.scope = :scope AND known.name = given.value ->> 'name') AS here,
  EXISTS (SELECT 1 FROM roles AS known WHERE known.name = given.value ->> 'name' AND known.scope = :scope) AS taken
FROM json_each(:roles_keys) AS given
ORDER BY given.key;

-- orchestrators counted  (some of each kind, under an idempotency key)
-- 324 characters, 2 parameters, 0 rows read, 1 row written
--   SCAN given EXISTS VIRTUAL TABLE INDEX 1:
--   CORRELATED SCALAR SUBQUERY 1
--     SEARCH known USING PRIMARY KEY (id=? AND scope=?)
INSERT INTO queue_counts (scope, counts, machines_revision)
SELECT :scope, '{}', 1
WHERE EXISTS (
  SELECT 1
  FROM json_each(:orchestrators_keys) AS given
  WHERE NOT EXISTS (
    SELECT 1
    FROM orchestrators AS known
    WHERE known.id = given.value ->> 'id' AND known.scope = :scope
  )
)
ON CONFLICT (scope)
DO UPDATE SET machines_revision = machines_revision + 1;

-- orchestrators written  (some of each kind, under an idempotency key)
-- 624 characters, 2 parameters, 5 rows read, 2 rows written
--   SCAN given VIRTUAL TABLE INDEX 1:
--   USE TEMP B-TREE FOR ORDER BY
INSERT INTO orchestrators (
  scope,
  id,
  cluster,
  machine_id,
  hostname,
  repo_url,
  version,
  capabilities,
  max_agents,
  max_claimed,
  status,
  registered_at,
  last_heartbeat
)
SELECT :scope, given.value ->> 'id', given.value ->> 'cluster', given.value ->> 'machine_id',
  given.value ->> 'hostname', given.value ->> 'repo_url', given.value ->> 'version',
  given.value ->> 'capabilities', given.value ->> 'max_agents', given.value ->> 'max_claimed',
  given.value ->> 'status', given.value ->> 'registered_at', given.value ->> 'last_heartbeat'
FROM json_each(:orchestrators) AS given
WHERE 1
ORDER BY given.key
ON CONFLICT
DO NOTHING
RETURNING id AS name;

-- orchestrators verdicts  (some of each kind, under an idempotency key)
-- 339 characters, 2 parameters, 4 rows read, 0 rows written
--   SCAN given VIRTUAL TABLE INDEX 1:
--   CORRELATED SCALAR SUBQUERY 1
--     SEARCH known USING PRIMARY KEY (id=? AND scope=?)
--   CORRELATED SCALAR SUBQUERY 2
--     SEARCH known USING PRIMARY KEY (id=? AND scope=?)
--   USE TEMP B-TREE FOR ORDER BY
SELECT given.value ->> 'id' AS name, given.value AS identity,
  EXISTS (SELECT 1 FROM orchestrators AS known WHERE known.scope = :scope AND known.id = given.value ->> 'id') AS here,
  EXISTS (SELECT 1 FROM orchestrators AS known WHERE known.id = given.value ->> 'id' AND known.scope = :scope) AS taken
FROM json_each(:orchestrators_keys) AS given
ORDER BY given.key;

-- projects counted  (some of each kind, under an idempotency key)
-- 499 characters, 2 parameters, 1 row read, 1 row written
--   SCAN given EXISTS VIRTUAL TABLE INDEX 1:
--   CORRELATED SCALAR SUBQUERY 1
--     SEARCH known USING PRIMARY KEY (id=?)
--   SCALAR SUBQUERY 5
--     USE TEMP B-TREE FOR count(DISTINCT)
--     SCAN given VIRTUAL TABLE INDEX 1:
--     CORRELATED SCALAR SUBQUERY 4
--       SEARCH known USING PRIMARY KEY (id=?)
INSERT INTO queue_counts (scope, counts, projects_revision)
SELECT :scope, '{}', 1
WHERE EXISTS (
  SELECT 1
  FROM json_each(:projects_keys) AS given
  WHERE NOT EXISTS (SELECT 1 FROM projects AS known WHERE known.id = given.value ->> 'id')
)
ON CONFLICT (scope)
DO UPDATE SET projects_revision = projects_revision + 1 ,
  projects_total = projects_total + (
    SELECT count(DISTINCT given.value ->> 'id')
    FROM json_each(:projects_keys) AS given
    WHERE NOT EXISTS (SELECT 1 FROM projects AS known WHERE known.id = given.value ->> 'id')
  );

-- projects written  (some of each kind, under an idempotency key)
-- 1,099 characters, 2 parameters, 4 rows read, 2 rows written
--   SCAN given VIRTUAL TABLE INDEX 1:
--   USE TEMP B-TREE FOR ORDER BY
--   SEARCH tasks USING INDEX tasks_project (project_id=?)
INSERT INTO projects (
  scope,
  id,
  title,
  description,
  status,
  branch,
  base_branch,
  auto_accept,
  flow,
  pr_number,
  pr_url,
  created_by,
  created_at,
  updated_at,
  completed_at,
  evidence_required,
  max_cost_usd,
  max_tokens,
  max_review_rounds,
  cost_usd,
  input_tokens,
  output_tokens,
  cached_tokens,
  wall_seconds
)
SELECT :scope, given.value ->> 'id', given.value ->> 'title', given.value ->> 'description',
  given.value ->> 'status', given.value ->> 'branch', given.value ->> 'base_branch',
  given.value ->> 'auto_accept', given.value ->> 'flow', given.value ->> 'pr_number',
  given.value ->> 'pr_url', given.value ->> 'created_by', given.value ->> 'created_at',
  given.value ->> 'updated_at', given.value ->> 'completed_at', given.value ->> 'evidence_required',
  given.value ->> 'max_cost_usd', given.value ->> 'max_tokens', given.value ->> 'max_review_rounds',
  given.value ->> 'cost_usd', given.value ->> 'input_tokens', given.value ->> 'output_tokens',
  given.value ->> 'cached_tokens', given.value ->> 'wall_seconds'
FROM json_each(:projects) AS given
WHERE 1
ORDER BY given.key
ON CONFLICT
DO NOTHING
RETURNING id AS name;

-- projects verdicts  (some of each kind, under an idempotency key)
-- 308 characters, 2 parameters, 4 rows read, 0 rows written
--   SCAN given VIRTUAL TABLE INDEX 1:
--   CORRELATED SCALAR SUBQUERY 1
--     SEARCH known USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 2
--     SEARCH known USING PRIMARY KEY (id=?)
--   USE TEMP B-TREE FOR ORDER BY
SELECT given.value ->> 'id' AS name, given.value AS identity,
  EXISTS (SELECT 1 FROM projects AS known WHERE known.scope = :scope AND known.id = given.value ->> 'id') AS here,
  EXISTS (SELECT 1 FROM projects AS known WHERE known.id = given.value ->> 'id') AS taken
FROM json_each(:projects_keys) AS given
ORDER BY given.key;

-- projects begun  (some of each kind, under an idempotency key)
-- 260 characters, 2 parameters, 1,003 rows read, 1 row written
--   SEARCH projects USING COVERING INDEX projects_newest (scope=?)
--   LIST SUBQUERY 1
--     SCAN json_each VIRTUAL TABLE INDEX 1:
--     CREATE BLOOM FILTER
--   CORRELATED SCALAR SUBQUERY 2
--     SEARCH tasks USING COVERING INDEX tasks_project (project_id=?)
INSERT INTO queue_counts (scope, counts)
SELECT char(31) || projects.id, '{}'
FROM projects
WHERE scope = :scope
  AND id IN (SELECT value ->> 'id' FROM json_each(:projects_keys))
  AND NOT EXISTS (SELECT 1 FROM tasks WHERE tasks.project_id = projects.id)
ON CONFLICT
DO NOTHING;

-- drafts counted  (some of each kind, under an idempotency key)
-- 485 characters, 2 parameters, 3 rows read, 1 row written
--   SCAN given EXISTS VIRTUAL TABLE INDEX 1:
--   CORRELATED SCALAR SUBQUERY 1
--     SEARCH known USING INTEGER PRIMARY KEY (rowid=?)
--   SCALAR SUBQUERY 5
--     USE TEMP B-TREE FOR count(DISTINCT)
--     SCAN given VIRTUAL TABLE INDEX 1:
--     CORRELATED SCALAR SUBQUERY 4
--       SEARCH known USING INTEGER PRIMARY KEY (rowid=?)
INSERT INTO queue_counts (scope, counts, drafts_revision)
SELECT :scope, '{}', 1
WHERE EXISTS (
  SELECT 1
  FROM json_each(:drafts_keys) AS given
  WHERE NOT EXISTS (SELECT 1 FROM drafts AS known WHERE known.id = given.value ->> 'id')
)
ON CONFLICT (scope)
DO UPDATE SET drafts_revision = drafts_revision + 1 ,
  drafts_total = drafts_total + (
    SELECT count(DISTINCT given.value ->> 'id')
    FROM json_each(:drafts_keys) AS given
    WHERE NOT EXISTS (SELECT 1 FROM drafts AS known WHERE known.id = given.value ->> 'id')
  );

-- drafts written  (some of each kind, under an idempotency key)
-- 587 characters, 2 parameters, 6 rows read, 3 rows written
--   SCAN given VIRTUAL TABLE INDEX 1:
--   USE TEMP B-TREE FOR ORDER BY
INSERT INTO drafts (
  scope,
  id,
  title,
  status,
  author,
  domain,
  file_path,
  linked_task_id,
  linked_project_id,
  tags,
  slug,
  created_at,
  updated_at
)
SELECT :scope, given.value ->> 'id', given.value ->> 'title', given.value ->> 'status',
  given.value ->> 'author', given.value ->> 'domain', given.value ->> 'file_path',
  given.value ->> 'linked_task_id', given.value ->> 'linked_project_id', given.value ->> 'tags',
  given.value ->> 'slug', given.value ->> 'created_at', given.value ->> 'updated_at'
FROM json_each(:drafts) AS given
WHERE 1
ORDER BY given.key
ON CONFLICT
DO NOTHING
RETURNING id AS name;

-- drafts verdicts  (some of each kind, under an idempotency key)
-- 356 characters, 2 parameters, 4 rows read, 0 rows written
--   SCAN given VIRTUAL TABLE INDEX 1:
--   CORRELATED SCALAR SUBQUERY 1
--     SEARCH known USING INTEGER PRIMARY KEY (rowid=?)
--   CORRELATED SCALAR SUBQUERY 2
--     SEARCH known USING INTEGER PRIMARY KEY (rowid=?)
--   USE TEMP B-TREE FOR ORDER BY
SELECT given.value ->> 'id' AS name, given.value AS identity,
  EXISTS (
    SELECT 1
    FROM drafts AS known
    WHERE known.scope = :scope
      AND known.id = given.value ->> 'id'
      AND known.created_at = given.value ->> 'created_at'
  ) AS here,
  EXISTS (SELECT 1 FROM drafts AS known WHERE known.id = given.value ->> 'id') AS taken
FROM json_each(:drafts_keys) AS given
ORDER BY given.key;

-- tasks dependencies  (some of each kind, under an idempotency key)
-- 322 characters, 3 parameters, 13 rows read, 4 rows written
--   SCAN json_each VIRTUAL TABLE INDEX 1:
--   LIST SUBQUERY 2
--     SEARCH tasks USING PRIMARY KEY (id=?)
--     LIST SUBQUERY 1
--       SCAN json_each VIRTUAL TABLE INDEX 1:
--     CORRELATED SCALAR SUBQUERY 5
--       SEARCH history USING PRIMARY KEY (task_id=? AND version=?)
--     CREATE BLOOM FILTER
INSERT OR IGNORE INTO dependencies (scope, blocker_key, blocker_id, task_id, position)
SELECT :scope, value ->> 'key', value ->> 'blocker', value ->> 'task', value ->> 'position'
FROM json_each(:edges)
WHERE value ->> 'task' IN (
  SELECT id
  FROM unrecorded
  WHERE id IN (SELECT value ->> 'id' FROM json_each(:tasks_keys)) AND +scope = :scope
);

-- tasks satisfied  (some of each kind, under an idempotency key)
-- 279 characters, 3 parameters, 16 rows read, 1 row written
--   SEARCH dependencies USING INDEX dependencies_of (task_id=?)
--   LIST SUBQUERY 1
--     SCAN json_each VIRTUAL TABLE INDEX 1:
--   CORRELATED SCALAR SUBQUERY 2
--     SEARCH edge USING INDEX dependencies_of (task_id=? AND blocker_id=?)
--     SEARCH blocker USING PRIMARY KEY (id=?)
--     CORRELATED SCALAR SUBQUERY 5
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--     CORRELATED SCALAR SUBQUERY 5
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
UPDATE dependencies
SET satisfied_at = :now
WHERE satisfied_at IS NULL
  AND +scope = :scope
  AND task_id IN (SELECT value ->> 'task' FROM json_each(:edges))
  AND EXISTS (
    SELECT 1
    FROM waits
    WHERE waits.task_id = dependencies.task_id AND waits.blocker_id = dependencies.blocker_id AND met
  );

-- tasks blocked  (some of each kind, under an idempotency key)
-- 267 characters, 2 parameters, 23 rows read, 5 rows written
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   LIST SUBQUERY 3
--     SEARCH tasks USING PRIMARY KEY (id=?)
--     LIST SUBQUERY 2
--       SCAN json_each VIRTUAL TABLE INDEX 1:
--     CORRELATED SCALAR SUBQUERY 5
--       SEARCH history USING PRIMARY KEY (task_id=? AND version=?)
--   CORRELATED SCALAR SUBQUERY 1
--     USE TEMP B-TREE FOR group_concat(ORDER BY)
--     SEARCH dependencies USING INDEX dependencies_of (task_id=?)
UPDATE tasks
SET blocked_by = (
  SELECT group_concat(blocker_id, ',' ORDER BY position)
  FROM dependencies
  WHERE task_id = tasks.id AND satisfied_at IS NULL
)
WHERE id IN (
  SELECT id
  FROM unrecorded
  WHERE id IN (SELECT value ->> 'id' FROM json_each(:tasks_keys)) AND +scope = :scope
);

-- tasks endedSatisfied  (some of each kind, under an idempotency key)
-- 272 characters, 3 parameters, 5 rows read, 0 rows written
--   SEARCH dependencies USING PRIMARY KEY (blocker_key=?)
--   LIST SUBQUERY 1
--     SCAN json_each VIRTUAL TABLE INDEX 1:
--   CORRELATED SCALAR SUBQUERY 2
--     SEARCH edge USING INDEX dependencies_of (task_id=? AND blocker_id=?)
--     SEARCH blocker USING PRIMARY KEY (id=?)
--     CORRELATED SCALAR SUBQUERY 5
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--     CORRELATED SCALAR SUBQUERY 5
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
UPDATE dependencies
SET satisfied_at = :now
WHERE satisfied_at IS NULL
  AND +scope = :scope
  AND blocker_key IN (SELECT value FROM json_each(:ended))
  AND EXISTS (
    SELECT 1
    FROM waits
    WHERE waits.task_id = dependencies.task_id AND waits.blocker_id = dependencies.blocker_id AND met
  );

-- tasks unblockedRecorded  (some of each kind, under an idempotency key)
-- 550 characters, 3 parameters, 11 rows read, 0 rows written
--   CO-ROUTINE (subquery-12)
--     SEARCH tasks USING PRIMARY KEY (id=?)
--     LIST SUBQUERY 3
--       SEARCH dependencies USING PRIMARY KEY (blocker_key=?)
--       LIST SUBQUERY 2
--         SCAN json_each VIRTUAL TABLE INDEX 1:
--     CORRELATED SCALAR SUBQUERY 9
--       USE TEMP B-TREE FOR group_concat(ORDER BY)
--       SEARCH dependencies USING INDEX dependencies_of (task_id=?)
--     CORRELATED SCALAR SUBQUERY 6
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--     CORRELATED SCALAR SUBQUERY 9
--       USE TEMP B-TREE FOR group_concat(ORDER BY)
--       SEARCH dependencies USING INDEX dependencies_of (task_id=?)
--     CORRELATED SCALAR SUBQUERY 7
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--   SCAN (subquery-12)
--   CORRELATED SCALAR SUBQUERY 1
--     SEARCH counter USING PRIMARY KEY (scope=?)
--     CORRELATED SCALAR SUBQUERY 11
--       SEARCH history USING COVERING INDEX history_feed (scope=? AND seq>?)
INSERT INTO history (
  task_id, version, scope, seq, event, from_queue, to_queue, reason, grants, at, title, project_id
)
SELECT id, version + 1, scope,
  (SELECT last FROM feed WHERE feed.scope = foreseen.scope) + row_number() OVER (),
  iif(waits_for IS NULL, 'unblocked', 'blockers_changed'), queue, queue,
  'A task it waited for was imported, and is over.', grants, :now, title, project_id
FROM foreseen
WHERE id IN (
  SELECT task_id
  FROM dependencies
  WHERE +scope = :scope AND blocker_key IN (SELECT value FROM json_each(:ended))
)
  AND blocked_by IS NOT waits_for;

-- tasks unblocked  (some of each kind, under an idempotency key)
-- 346 characters, 2 parameters, 9 rows read, 0 rows written
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   LIST SUBQUERY 3
--     SEARCH dependencies USING PRIMARY KEY (blocker_key=?)
--     LIST SUBQUERY 2
--       SCAN json_each VIRTUAL TABLE INDEX 1:
--   REUSE LIST SUBQUERY 3
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--   CORRELATED SCALAR SUBQUERY 6
--     SEARCH later USING PRIMARY KEY (task_id=? AND version>?)
--   CORRELATED SCALAR SUBQUERY 1
--     USE TEMP B-TREE FOR group_concat(ORDER BY)
--     SEARCH dependencies USING INDEX dependencies_of (task_id=?)
UPDATE tasks
SET version = planned.version,
  blocked_by = (
    SELECT group_concat(blocker_id, ',' ORDER BY position)
    FROM dependencies
    WHERE task_id = tasks.id AND satisfied_at IS NULL
  )
FROM planned
WHERE planned.id = tasks.id
  AND tasks.id IN (
    SELECT task_id
    FROM dependencies
    WHERE +scope = :scope AND blocker_key IN (SELECT value FROM json_each(:ended))
  );

-- messages counted  (some of each kind, under an idempotency key)
-- 499 characters, 2 parameters, 1 row read, 1 row written
--   SCAN given EXISTS VIRTUAL TABLE INDEX 1:
--   CORRELATED SCALAR SUBQUERY 1
--     SEARCH known USING COVERING INDEX sqlite_autoindex_messages_1 (id=?)
--   SCALAR SUBQUERY 5
--     USE TEMP B-TREE FOR count(DISTINCT)
--     SCAN given VIRTUAL TABLE INDEX 1:
--     CORRELATED SCALAR SUBQUERY 4
--       SEARCH known USING COVERING INDEX sqlite_autoindex_messages_1 (id=?)
INSERT INTO queue_counts (scope, counts, messages_revision)
SELECT :scope, '{}', 1
WHERE EXISTS (
  SELECT 1
  FROM json_each(:messages_keys) AS given
  WHERE NOT EXISTS (SELECT 1 FROM messages AS known WHERE known.id = given.value ->> 'id')
)
ON CONFLICT (scope)
DO UPDATE SET messages_revision = messages_revision + 1 ,
  messages_total = messages_total + (
    SELECT count(DISTINCT given.value ->> 'id')
    FROM json_each(:messages_keys) AS given
    WHERE NOT EXISTS (SELECT 1 FROM messages AS known WHERE known.id = given.value ->> 'id')
  );

-- messages written  (some of each kind, under an idempotency key)
-- 479 characters, 2 parameters, 7 rows read, 5 rows written
--   SCAN given VIRTUAL TABLE INDEX 1:
--   USE TEMP B-TREE FOR ORDER BY
INSERT INTO messages (
  scope, id, task_id, from_actor, to_actor, type, content, parent_message_id, status, created_at
)
SELECT :scope, given.value ->> 'id', given.value ->> 'task_id', given.value ->> 'from_actor',
  given.value ->> 'to_actor', given.value ->> 'type', given.value ->> 'content',
  given.value ->> 'parent_message_id', given.value ->> 'status', given.value ->> 'created_at'
FROM json_each(:messages) AS given
WHERE 1
ORDER BY given.key
ON CONFLICT
DO NOTHING
RETURNING id AS name;

-- messages followed  (some of each kind, under an idempotency key)
-- 321 characters, 2 parameters, 8 rows read, 0 rows written
--   SEARCH messages USING INDEX sqlite_autoindex_messages_1 (id=?)
--   LIST SUBQUERY 2
--     MERGE (UNION)
--       LEFT
--         SCAN json_each VIRTUAL TABLE INDEX 1:
--         USE TEMP B-TREE FOR ORDER BY
--       RIGHT
--         SCAN json_each VIRTUAL TABLE INDEX 1:
--         USE TEMP B-TREE FOR ORDER BY
--   CORRELATED SCALAR SUBQUERY 3
--     SEARCH reply USING COVERING INDEX messages_replies (parent_message_id=?)
UPDATE messages
SET replied = 1
WHERE id IN (
  SELECT value ->> 'id'
  FROM json_each(:messages)
  UNION
  SELECT value ->> 'parent_message_id'
  FROM json_each(:messages)
)
  AND +scope = :scope
  AND type IN ('question', 'intervention_request')
  AND replied = 0
  AND EXISTS (SELECT 1 FROM messages AS reply WHERE reply.parent_message_id = messages.id);

-- messages verdicts  (some of each kind, under an idempotency key)
-- 308 characters, 2 parameters, 4 rows read, 0 rows written
--   SCAN given VIRTUAL TABLE INDEX 1:
--   CORRELATED SCALAR SUBQUERY 1
--     SEARCH known USING INDEX sqlite_autoindex_messages_1 (id=?)
--   CORRELATED SCALAR SUBQUERY 2
--     SEARCH known USING COVERING INDEX sqlite_autoindex_messages_1 (id=?)
--   USE TEMP B-TREE FOR ORDER BY
SELECT given.value ->> 'id' AS name, given.value AS identity,
  EXISTS (SELECT 1 FROM messages AS known WHERE known.scope = :scope AND known.id = given.value ->> 'id') AS here,
  EXISTS (SELECT 1 FROM messages AS known WHERE known.id = given.value ->> 'id') AS taken
FROM json_each(:messages_keys) AS given
ORDER BY given.key;

-- actions written  (some of each kind, under an idempotency key)
-- 692 characters, 2 parameters, 8 rows read, 5 rows written
--   SCAN given VIRTUAL TABLE INDEX 1:
--   USE TEMP B-TREE FOR ORDER BY
INSERT INTO actions (
  scope,
  id,
  entity_type,
  entity_id,
  action_type,
  label,
  description,
  status,
  proposed_by,
  proposed_at,
  executed_at,
  result,
  expires_at,
  metadata,
  action_data
)
SELECT :scope, given.value ->> 'id', given.value ->> 'entity_type', given.value ->> 'entity_id',
  given.value ->> 'action_type', given.value ->> 'label', given.value ->> 'description',
  given.value ->> 'status', given.value ->> 'proposed_by', given.value ->> 'proposed_at',
  given.value ->> 'executed_at', given.value ->> 'result', given.value ->> 'expires_at',
  given.value ->> 'metadata', given.value ->> 'action_data'
FROM json_each(:actions) AS given
WHERE 1
ORDER BY given.key
ON CONFLICT
DO NOTHING
RETURNING id AS name;

-- actions verdicts  (some of each kind, under an idempotency key)
-- 306 characters, 2 parameters, 4 rows read, 0 rows written
--   SCAN given VIRTUAL TABLE INDEX 1:
--   CORRELATED SCALAR SUBQUERY 1
--     SEARCH known USING INDEX sqlite_autoindex_actions_1 (id=?)
--   CORRELATED SCALAR SUBQUERY 2
--     SEARCH known USING COVERING INDEX sqlite_autoindex_actions_1 (id=?)
--   USE TEMP B-TREE FOR ORDER BY
SELECT given.value ->> 'id' AS name, given.value AS identity,
  EXISTS (SELECT 1 FROM actions AS known WHERE known.scope = :scope AND known.id = given.value ->> 'id') AS here,
  EXISTS (SELECT 1 FROM actions AS known WHERE known.id = given.value ->> 'id') AS taken
FROM json_each(:actions_keys) AS given
ORDER BY given.key;
