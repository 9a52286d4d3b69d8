-- POST /api/v1/messages
-- 1 round trip, 2 statements: 565 characters, 12 parameters, 5 rows read, 6 rows written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- inserted
-- 282 characters, 9 parameters, 5 rows read, 5 rows written
--   SCAN CONSTANT ROW
--   SCALAR SUBQUERY 1
--     SEARCH messages USING INDEX sqlite_autoindex_messages_1 (id=?)
INSERT INTO messages (
  id, scope, task_id, from_actor, to_actor, type, content, parent_message_id, status, created_at
)
SELECT :id, :scope, :task_id, :from_actor, :to_actor, :type, :content, :parent_message_id, 'pending', :now
WHERE (
  :parent_message_id IS NULL
  OR :task_id = (SELECT task_id FROM messages WHERE id = :parent_message_id AND scope = :scope)
)
RETURNING *;

-- counted
-- 283 characters, 3 parameters, 0 rows read, 1 row written
--   SCAN CONSTANT ROW
--   SCALAR SUBQUERY 1
--     SEARCH messages USING INDEX sqlite_autoindex_messages_1 (id=?)
INSERT INTO queue_counts (scope, counts, messages_revision)
SELECT :scope, '{}', 1
WHERE (
  :parent_message_id IS NULL
  OR :task_id = (SELECT task_id FROM messages WHERE id = :parent_message_id AND scope = :scope)
)
ON CONFLICT (scope)
DO UPDATE SET messages_revision = messages_revision + 1, messages_total = messages_total + 1;

-- ======== Sent in special cases only ========

-- recorded  (a question that holds its task)
-- 906 characters, 9 parameters, 2 rows read, 2 rows written
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 1
--     SEARCH queue_counts USING PRIMARY KEY (scope=?)
INSERT INTO history (
  task_id,
  version,
  scope,
  seq,
  event,
  from_queue,
  to_queue,
  actor,
  reason,
  details,
  grants,
  at,
  title,
  project_id
)
SELECT id, version + 1, scope, (SELECT seq + 1 FROM queue_counts WHERE queue_counts.scope = moving.scope),
  'asked', queue, CASE WHEN cancel_requested_at IS NOT NULL THEN 'cancelled' ELSE usual END,
  coalesce(:actor, claimed_by), :excerpt, :details, grants, :now, title, project_id
FROM (
  SELECT *, iif(claimed_by IS NOT NULL, destination, '') AS usual
  FROM (
    SELECT *,
      CASE
        WHEN queue = 'requires-intervention' THEN iif(came_from = 'done', 'done', 'claimed')
        ELSE queue
      END AS place,
      iif(queue = 'claimed', claimed_from, queue) AS destination
    FROM held
    WHERE id = :id
      AND (:scope IS NULL OR scope = :scope)
      AND (:version IS NULL OR version = :version)
      AND (
        coalesce(fencing_token, lapsed_token) = :token
        OR (:token IS NULL AND (:lenient OR (claimed_by IS NULL)))
      )
  ) AS task
) AS moving
WHERE usual NOT IN ('', '');

-- failed  (a question that holds its task)
-- 1,203 characters, 2 parameters, 6 rows read, 0 rows written
--   CO-ROUTINE (subquery-66)
--     MATERIALIZE failing
--       SETUP
--         MERGE (UNION)
--           LEFT
--             CO-ROUTINE (subquery-1)
--               SEARCH dependencies USING PRIMARY KEY (blocker_key=?)
--             SCAN (subquery-1)
--             SEARCH counter USING PRIMARY KEY (scope=?)
--             SCALAR SUBQUERY 2
--               SEARCH tasks USING PRIMARY KEY (id=?)
--             SEARCH history USING INDEX history_feed (scope=? AND seq>?)
--             SEARCH blocker USING PRIMARY KEY (id=?)
--             CORRELATED SCALAR SUBQUERY 21
--               SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--             SEARCH edge USING PRIMARY KEY (blocker_key=?)
--             REUSE SUBQUERY 2
--             CORRELATED SCALAR SUBQUERY 22
--               SEARCH other USING PRIMARY KEY (id=?)
--             USE TEMP B-TREE FOR ORDER BY
--           RIGHT
--             CO-ROUTINE (subquery-4)
--               SEARCH dependencies USING COVERING INDEX dependencies_of (task_id=?)
--             SCAN (subquery-4)
--             SEARCH counter USING PRIMARY KEY (scope=?)
--             SCALAR SUBQUERY 5
--               SEARCH tasks USING PRIMARY KEY (id=?)
--             SEARCH history USING COVERING INDEX history_feed (scope=? AND seq>?)
--             REUSE SUBQUERY 5
--             SEARCH edge USING INDEX dependencies_of (task_id=?)
--             SEARCH blocker USING PRIMARY KEY (id=?)
--             CORRELATED SCALAR SUBQUERY 16
--               SEARCH other USING PRIMARY KEY (id=?)
--             CORRELATED SCALAR SUBQUERY 15
--               SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--             USE TEMP B-TREE FOR ORDER BY
--       RECURSIVE STEP
--         SCAN failing
--         SEARCH tasks USING PRIMARY KEY (id=?)
--         CORRELATED SCALAR SUBQUERY 27
--           SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--         CORRELATED SCALAR SUBQUERY 26
--           SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--         SEARCH blocker USING PRIMARY KEY (id=?)
--         SEARCH edge USING PRIMARY KEY (blocker_key=?)
--         CORRELATED SCALAR SUBQUERY 32
--           SEARCH other USING PRIMARY KEY (id=?)
--     SCAN failing
--     SEARCH tasks USING PRIMARY KEY (id=?)
--     CORRELATED SCALAR SUBQUERY 37
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--     CORRELATED SCALAR SUBQUERY 36
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--     CORRELATED SCALAR SUBQUERY 35
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--     CORRELATED SCALAR SUBQUERY 36
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--   SCAN (subquery-66)
--   CORRELATED SCALAR SUBQUERY 8
--     SEARCH counter USING PRIMARY KEY (scope=?)
--     CORRELATED SCALAR SUBQUERY 40
--       SEARCH history USING COVERING INDEX history_feed (scope=? AND seq>?)
--   CORRELATED SCALAR SUBQUERY 10
--     SEARCH edge USING INDEX dependencies_of (task_id=?)
--     SEARCH blocker USING PRIMARY KEY (id=?)
--     CORRELATED SCALAR SUBQUERY 44
--       SEARCH other USING PRIMARY KEY (id=?)
--     CORRELATED SCALAR SUBQUERY 43
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--     LIST SUBQUERY 9
--       SCAN failing
--       CREATE BLOOM FILTER
--     CORRELATED SCALAR SUBQUERY 43
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
WITH RECURSIVE failing (id) AS (
  SELECT task_id
  FROM (SELECT 1 FROM dependencies WHERE blocker_key = replace(:id, 'TASK-', '') LIMIT 1)
  CROSS JOIN touched
  WHERE touched.scope = (SELECT scope FROM tasks WHERE id = :id)
    AND fails
    AND queue IN ('failed', 'cancelled')
  UNION
  SELECT waits.task_id
  FROM (SELECT 1 FROM dependencies WHERE task_id = :id LIMIT 1)
  CROSS JOIN plans
  CROSS JOIN waits ON waits.task_id = plans.task_id
  WHERE plans.scope = (SELECT scope FROM tasks WHERE id = :id)
    AND fails
    AND waits.queue IN ('failed', 'cancelled')
    AND 1
  UNION
  SELECT task_id
  FROM failing
  CROSS JOIN failable USING (id)
  CROSS JOIN waits ON blocker = id
  WHERE fails
)
INSERT INTO history (
  task_id, version, scope, seq, event, from_queue, to_queue, reason, grants, at, title, project_id
)
SELECT id, version + 1, scope,
  (SELECT last FROM feed WHERE feed.scope = failable.scope) + row_number() OVER (), 'dependency_failed',
  queue, 'failed',
  (
    SELECT min('Blocker ' || blocker || iif(queue = 'cancelled', ' was cancelled.', ' failed.'))
    FROM waits
    WHERE task_id = failable.id AND fails AND (queue IN ('failed', 'cancelled') OR blocker IN failing)
  ),
  grants, :now, title, project_id
FROM failing
CROSS JOIN failable USING (id);

-- satisfied  (a question that holds its task)
-- 488 characters, 2 parameters, 2 rows read, 0 rows written
--   SEARCH dependencies USING PRIMARY KEY (blocker_key=? AND task_id=? AND blocker_id=?)
--   LIST SUBQUERY 15
--     CO-ROUTINE (subquery-1)
--       SEARCH dependencies USING PRIMARY KEY (blocker_key=?)
--     SCAN (subquery-1)
--     SEARCH counter USING PRIMARY KEY (scope=?)
--     SCALAR SUBQUERY 2
--       SEARCH tasks USING PRIMARY KEY (id=?)
--     SEARCH history USING INDEX history_feed (scope=? AND seq>?)
--     SEARCH blocker USING PRIMARY KEY (id=?)
--     SEARCH edge USING PRIMARY KEY (blocker_key=?)
--     REUSE SUBQUERY 2
--   CORRELATED SCALAR SUBQUERY 4
--     SEARCH edge USING INDEX dependencies_of (task_id=? AND blocker_id=?)
--     SEARCH blocker USING PRIMARY KEY (id=?)
--     CORRELATED SCALAR SUBQUERY 13
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--     CORRELATED SCALAR SUBQUERY 13
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
UPDATE dependencies
SET satisfied_at = iif(satisfied_at IS NULL, :now, NULL)
WHERE (blocker_key, task_id, blocker_id) IN (
  SELECT blocker_key, task_id, blocker_id
  FROM (SELECT 1 FROM dependencies WHERE blocker_key = replace(:id, 'TASK-', '') LIMIT 1)
  CROSS JOIN touched
  WHERE touched.scope = (SELECT scope FROM tasks WHERE id = :id)
)
  AND (satisfied_at IS NULL) = EXISTS (
    SELECT 1
    FROM waits
    WHERE waits.task_id = dependencies.task_id AND waits.blocker_id = dependencies.blocker_id AND met
  );

-- unblocked  (a question that holds its task)
-- 650 characters, 2 parameters, 3 rows read, 0 rows written
--   CO-ROUTINE (subquery-19)
--     CO-ROUTINE (subquery-4)
--       CO-ROUTINE (subquery-2)
--         SEARCH dependencies USING PRIMARY KEY (blocker_key=?)
--       SCAN (subquery-2)
--       SEARCH counter USING PRIMARY KEY (scope=?)
--       SCALAR SUBQUERY 3
--         SEARCH tasks USING PRIMARY KEY (id=?)
--       SEARCH history USING INDEX history_feed (scope=? AND seq>?)
--       SEARCH blocker USING PRIMARY KEY (id=?)
--       SEARCH edge USING PRIMARY KEY (blocker_key=?)
--       REUSE SUBQUERY 3
--       USE TEMP B-TREE FOR GROUP BY
--       CORRELATED SCALAR SUBQUERY 10
--         SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--       CORRELATED SCALAR SUBQUERY 10
--         SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--     SCAN (subquery-4)
--     SEARCH tasks USING PRIMARY KEY (id=?)
--     CORRELATED SCALAR SUBQUERY 16
--       USE TEMP B-TREE FOR group_concat(ORDER BY)
--       SEARCH dependencies USING INDEX dependencies_of (task_id=?)
--     CORRELATED SCALAR SUBQUERY 13
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--     CORRELATED SCALAR SUBQUERY 16
--       USE TEMP B-TREE FOR group_concat(ORDER BY)
--       SEARCH dependencies USING INDEX dependencies_of (task_id=?)
--     CORRELATED SCALAR SUBQUERY 14
--       SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--   SCAN (subquery-19)
--   CORRELATED SCALAR SUBQUERY 1
--     SEARCH counter USING PRIMARY KEY (scope=?)
--     CORRELATED SCALAR SUBQUERY 18
--       SEARCH history USING COVERING INDEX history_feed (scope=? AND seq>?)
INSERT INTO history (
  task_id, version, scope, seq, event, from_queue, to_queue, reason, grants, at, title, project_id
)
SELECT id, version + 1, scope, (SELECT last FROM feed WHERE feed.scope = task.scope) + row_number() OVER (),
  iif(waits_for IS NULL, 'unblocked', 'blockers_changed'), queue, queue, because, grants, :now, title,
  project_id
FROM (
  SELECT task_id, min(because) AS because
  FROM (SELECT 1 FROM dependencies WHERE blocker_key = replace(:id, 'TASK-', '') LIMIT 1)
  CROSS JOIN touched
  WHERE touched.scope = (SELECT scope FROM tasks WHERE id = :id)
  GROUP BY task_id
)
CROSS JOIN foreseen AS task ON id = task_id
WHERE blocked_by IS NOT waits_for;

-- sent  (a question that holds its task)
-- 221 characters, 7 parameters, 8 rows read, 6 rows written
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--   CORRELATED SCALAR SUBQUERY 3
--     SEARCH later USING PRIMARY KEY (task_id=? AND version>?)
INSERT INTO messages (
  id, scope, task_id, from_actor, to_actor, type, content, parent_message_id, status, created_at
)
SELECT :message, scope, id, :actor, :to_actor, :type, :content, NULL, 'pending', :now
FROM planned
WHERE id = :id
RETURNING *;

-- sentCounted  (a question that holds its task)
-- 222 characters, 1 parameter, 3 rows read, 1 row written
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--   CORRELATED SCALAR SUBQUERY 3
--     SEARCH later USING PRIMARY KEY (task_id=? AND version>?)
INSERT INTO queue_counts (scope, counts, messages_revision)
SELECT scope, '{}', 1
FROM planned
WHERE id = :id
ON CONFLICT (scope)
DO UPDATE SET messages_revision = messages_revision + 1, messages_total = messages_total + 1;

-- moved  (a question that holds its task)
-- 781 characters, 3 parameters, 6 rows read, 3 rows written
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--   CORRELATED SCALAR SUBQUERY 3
--     SEARCH later USING PRIMARY KEY (task_id=? AND version>?)
UPDATE tasks
SET version = planned.version, updated_at = :now, queue = to_queue, lapsed_token = NULL, claimed_by = NULL,
  claimed_at = NULL, claimed_from = NULL, orchestrator_id = NULL, lease_expires_at = NULL,
  lease_seconds = NULL, deadline_at = NULL, cancel_requested_at = NULL, completed_at = NULL,
  needs_intervention = iif(planned.event = 'dependency_failed', 0, needs_intervention),
  failure_reason = CASE
    WHEN planned.event = 'dependency_failed' THEN iif(tasks.bytes > 1600000, NULL, planned.reason)
    WHEN queue = 'failed' THEN failure_reason
  END,
  cancel_reason = iif(to_queue = 'cancelled', cancel_reason, NULL),
  available_at = iif(to_queue IN ('failed', 'cancelled'), NULL, 253402300799999) , question_id = :message
FROM planned
WHERE planned.id = :id AND tasks.id = :id
RETURNING *;

-- dependents  (a question that holds its task)
-- 744 characters, 2 parameters, 3 rows read, 0 rows written
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   LIST SUBQUERY 3
--     CO-ROUTINE (subquery-1)
--       SEARCH dependencies USING PRIMARY KEY (blocker_key=?)
--     SCAN (subquery-1)
--     SEARCH counter USING PRIMARY KEY (scope=?)
--     SCALAR SUBQUERY 2
--       SEARCH tasks USING PRIMARY KEY (id=?)
--     SEARCH history USING COVERING INDEX history_feed (scope=? AND seq>?)
--     REUSE SUBQUERY 2
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   REUSE LIST SUBQUERY 3
--   SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--   CORRELATED SCALAR SUBQUERY 7
--     SEARCH later USING PRIMARY KEY (task_id=? AND version>?)
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   CORRELATED SCALAR SUBQUERY 8
--     USE TEMP B-TREE FOR group_concat(ORDER BY)
--     SEARCH dependencies USING INDEX dependencies_of (task_id=?)
--   CORRELATED SCALAR SUBQUERY 9
--     SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
UPDATE tasks
SET version = task.version, queue = task.queue, blocked_by = task.blocked_by, updated_at = task.updated_at,
  lapsed_token = task.lapsed_token, available_at = task.available_at, completed_at = task.completed_at,
  needs_intervention = task.needs_intervention, failure_reason = task.failure_reason
FROM following AS task
WHERE task.id = tasks.id
  AND tasks.id IN (
    SELECT plans.task_id
    FROM (SELECT 1 FROM dependencies WHERE blocker_key = replace(:id, 'TASK-', '') LIMIT 1)
    CROSS JOIN plans
    WHERE plans.scope = (SELECT scope FROM tasks WHERE id = :id)
  )
RETURNING id, scope, version, claimed_by, fencing_token, queue,
  iif(
    queue = 'failed' AND updated_at = :now,
    'dependency_failed',
    iif(blocked_by IS NULL, 'unblocked', 'blocked')
  ) AS event;

-- counted  (a question that holds its task)
-- 343 characters, 1 parameter, 9 rows read, 1 row written
--   SEARCH counter USING PRIMARY KEY (scope=?)
--   SCALAR SUBQUERY 1
--     SEARCH tasks USING PRIMARY KEY (id=?)
--   SCAN json_each VIRTUAL TABLE INDEX 1:
--   CORRELATED SCALAR SUBQUERY 5
--     CO-ROUTINE (subquery-6)
--       SEARCH history USING INDEX history_feed (scope=? AND seq>?)
--       SCAN owner VIRTUAL TABLE INDEX 1:
--       USE TEMP B-TREE FOR GROUP BY
--     SCAN (subquery-6)
--   SEARCH queue_counts USING PRIMARY KEY (scope=?)
--   CORRELATED SCALAR SUBQUERY 7
--     CO-ROUTINE (subquery-8)
--       SCAN json_tree VIRTUAL TABLE INDEX 1:
--       USE TEMP B-TREE FOR GROUP BY
--     SCAN (subquery-8)
--   CORRELATED SCALAR SUBQUERY 9
--     CO-ROUTINE (subquery-10)
--       SCAN json_each VIRTUAL TABLE INDEX 1:
--       USE TEMP B-TREE FOR GROUP BY
--     SCAN (subquery-10)
INSERT INTO queue_counts (scope, seq, counts, events, lives)
SELECT owner, seq, counts, events, lives
FROM counts_after AS after
WHERE after.scope = (SELECT scope FROM tasks WHERE id = :id)
ON CONFLICT (scope)
DO UPDATE SET revision = revision + 1, seq = excluded.seq, counts = excluded.counts, events = excluded.events,
  lives = excluded.lives;

-- parents  (the reply to a question that holds its task)
-- 59 characters, 2 parameters, 1 row read, 0 rows written
--   SEARCH messages USING INDEX sqlite_autoindex_messages_1 (id=?)
SELECT task_id
FROM messages
WHERE id = :parent_message_id AND scope = :scope;

-- replied  (the reply to a question that holds its task)
-- 193 characters, 3 parameters, 2 rows read, 1 row written
--   SEARCH messages USING INDEX sqlite_autoindex_messages_1 (id=?)
--   SCALAR SUBQUERY 1
--     SEARCH reply USING COVERING INDEX sqlite_autoindex_messages_1 (id=?)
UPDATE messages
SET replied = 1
WHERE id = :parent_message_id
  AND scope = :scope
  AND type IN ('question', 'intervention_request')
  AND replied = 0
  AND EXISTS (SELECT 1 FROM messages AS reply WHERE reply.id = :id);

-- answered  (the reply to a question that holds its task)
-- 504 characters, 7 parameters, 3 rows read, 2 rows written
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   SEARCH messages EXISTS USING COVERING INDEX sqlite_autoindex_messages_1 (id=?)
--   CORRELATED SCALAR SUBQUERY 1
--     SEARCH queue_counts USING PRIMARY KEY (scope=?)
INSERT INTO history (
  task_id,
  version,
  scope,
  seq,
  event,
  from_queue,
  to_queue,
  actor,
  reason,
  details,
  grants,
  at,
  title,
  project_id
)
SELECT id, version + 1, scope, (SELECT seq + 1 FROM queue_counts WHERE queue_counts.scope = tasks.scope),
  'answered', queue, queue, :from_actor, :excerpt,
  json_object('question_id', waiting_for_reply, 'message_id', :id), grants, :now, title, project_id
FROM tasks
WHERE id = :task_id
  AND scope = :scope
  AND waiting_for_reply = :parent_message_id
  AND EXISTS (SELECT 1 FROM messages WHERE messages.id = :id);

-- freed  (the reply to a question that holds its task)
-- 491 characters, 6 parameters, 6 rows read, 2 rows written
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   SEARCH tasks USING PRIMARY KEY (id=?)
--   SEARCH history USING PRIMARY KEY (task_id=? AND version>?)
--   CORRELATED SCALAR SUBQUERY 4
--     SEARCH later USING PRIMARY KEY (task_id=? AND version>?)
--   SCALAR SUBQUERY 1
--     SEARCH messages USING INDEX sqlite_autoindex_messages_1 (id=?)
UPDATE tasks
SET version = planned.version, updated_at = :now, available_at = NULL,
  answers = json_insert(
    iif(json_array_length(answers) >= 3, json_remove(answers, '$[0]'), coalesce(answers, '[]')),
    '$[#]',
    (
      SELECT json_object(
        'question_id',
        id,
        'question',
        substr(content, 1, 1000),
        'asked_by',
        from_actor,
        'reply_id',
        :id,
        'answer',
        substr(:content, 1, 4000),
        'answered_by',
        :from_actor,
        'at',
        CAST(:now AS INTEGER)
      )
      FROM messages
      WHERE id = :parent_message_id
    )
  )
FROM planned
WHERE tasks.id = :task_id AND planned.id = :task_id;

-- freedCounted  (the reply to a question that holds its task)
-- 306 characters, 1 parameter, 8 rows read, 1 row written
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
