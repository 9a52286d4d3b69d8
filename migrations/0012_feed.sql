-- The feed: each change of a scope's tasks has a number, `seq`, in the order of commits. `queue_counts.seq` is the number of the newest
-- change that is counted. So the changes of a batch are those with higher numbers, until the batch counts them.
--
-- Additions: release 2.0.0 goes on working. What it records has no number: the histories of the tasks have it, the feed does not. The same
-- is true of everything that was recorded before this migration.

ALTER TABLE queue_counts ADD COLUMN seq INTEGER NOT NULL DEFAULT 0;

-- The title and the project are those that the task had before the change.
ALTER TABLE history ADD COLUMN seq INTEGER;
ALTER TABLE history ADD COLUMN title TEXT;
ALTER TABLE history ADD COLUMN project_id TEXT;
CREATE UNIQUE INDEX history_feed ON history (scope, seq) WHERE seq IS NOT NULL;

-- The highest number in each scope. A batch gives its changes the next ones.
CREATE VIEW feed AS
SELECT scope, max(seq, coalesce((SELECT max(seq) FROM history WHERE history.scope = counter.scope AND seq IS NOT NULL), 0)) AS last
FROM queue_counts AS counter;

-- What a batch has recorded so far, and not counted.
CREATE VIEW plans AS
SELECT counter.scope, history.seq, task_id, version, event, from_queue, to_queue, project_id
FROM queue_counts AS counter CROSS JOIN history ON history.scope = counter.scope AND history.seq > counter.seq
WHERE counter.scope >= ' ';

-- The plans of each owner of counters: of the scope, and of the project if the task has one. The counters of a project have its id after the
-- character 31 for their name, which no scope has.
DROP VIEW planned_counts;
CREATE VIEW planned_counts AS
SELECT scope, seq, from_queue, to_queue, owner.value AS owner
FROM plans CROSS JOIN json_each(
  iif(project_id IS NULL, json_array(scope), json_array(scope, char(31) || project_id))) AS owner;

-- The view of 0011, with whether the blocker counts as done (`met`), and how history says what became of it (`because`).
DROP VIEW waits;
CREATE VIEW waits AS
SELECT *, queue = 'done' OR (on_failure = 'skip' AND queue IN ('failed', 'cancelled')) AS met,
  'Task ' || blocker || CASE queue WHEN 'done' THEN ' is done.' WHEN 'failed' THEN ' failed.' WHEN 'cancelled' THEN ' was cancelled.'
    ELSE ' is in ' || queue || ' again.' END AS because
FROM (
  SELECT edge.scope, edge.task_id, edge.blocker_key, edge.blocker_id, edge.on_failure, blocker.id AS blocker,
    -- The queue of the blocker, as the batch leaves it.
    coalesce((SELECT to_queue FROM history WHERE history.task_id = blocker.id AND history.version > blocker.version
      ORDER BY history.version DESC LIMIT 1), blocker.queue) AS queue,
    -- Whether the task fails if this blocker does: not where the other task that the name means is done.
    edge.on_failure = 'fail' AND NOT EXISTS (
      SELECT 1 FROM tasks AS other WHERE other.id <> blocker.id AND +other.scope = edge.scope AND +other.queue = 'done'
        AND other.id IN (edge.blocker_id, iif(edge.blocker_id GLOB 'TASK-*', substr(edge.blocker_id, 6), NULL))) AS fails
  FROM dependencies AS edge JOIN tasks AS blocker ON +blocker.scope = edge.scope
    AND blocker.id IN (edge.blocker_id, iif(edge.blocker_id GLOB 'TASK-*', substr(edge.blocker_id, 6), NULL))
    AND edge.blocker_key = replace(blocker.id, 'TASK-', '') AND edge.blocker_id IN (blocker.id, 'TASK-' || blocker.id));

-- The dependencies on the tasks that the plans move.
CREATE VIEW touched AS
SELECT waits.* FROM plans CROSS JOIN waits ON waits.blocker = plans.task_id AND waits.scope = plans.scope
WHERE from_queue IS NOT to_queue;

-- What a task has in its columns after a plan that comes from other tasks: its blockers are other ones, or it fails with one. `updated_at`
-- shows when someone worked on the task. A task that is too large to keep more text keeps the reason in its history only.
CREATE VIEW following AS
SELECT tasks.id, planned.version, to_queue AS queue,
  (SELECT group_concat(blocker_id, ',' ORDER BY position) FROM dependencies
    WHERE task_id = tasks.id AND satisfied_at IS NULL) AS blocked_by,
  iif(queue = to_queue, updated_at, at) AS updated_at,
  iif(queue = to_queue, lapsed_token, NULL) AS lapsed_token,
  iif(queue = to_queue, available_at, NULL) AS available_at,
  iif(queue = to_queue, completed_at, NULL) AS completed_at,
  iif(queue = to_queue, needs_intervention, 0) AS needs_intervention,
  CASE WHEN queue = to_queue THEN failure_reason WHEN bytes > 1600000 THEN NULL ELSE (
    SELECT reason FROM history WHERE task_id = tasks.id AND history.version = tasks.version + 1) END AS failure_reason
FROM planned CROSS JOIN tasks ON tasks.id = planned.id;

DROP VIEW ending;
DROP VIEW unrecorded;
CREATE VIEW unrecorded AS
SELECT id, scope, queue, version, grants, title, project_id FROM tasks WHERE NOT EXISTS (
  SELECT 1 FROM history WHERE task_id = tasks.id AND history.version = tasks.version);

-- The views of 0011 with the title and the project, which history rows have now.
DROP VIEW lapsing;
CREATE VIEW lapsing AS
SELECT id, scope, queue, version, grants, title, project_id, blocked_by, claimed_by, lease_expires_at, loss_limit, attempt_limit, role,
  lane, priority_rank, created_at,
  CASE
    WHEN queue <> 'claimed' THEN 'review_lease_expired'
    WHEN lease_expires_at >= deadline_at THEN 'deadline_exceeded'
    ELSE 'lease_expired'
  END AS event,
  CASE
    WHEN cancel_requested_at IS NOT NULL THEN 'cancelled'
    WHEN queue <> 'claimed' THEN queue
    WHEN lease_expires_at >= deadline_at THEN iif(attempt_count - lease_losses + 1 >= attempt_limit, 'failed', claimed_from)
    ELSE iif(lease_losses + 1 >= loss_limit, 'failed', claimed_from)
  END AS to_queue,
  iif(queue = 'claimed' AND lease_expires_at >= deadline_at, 'The attempt exceeded its deadline.', 'The lease ran out.') AS reason,
  json_object(
    'orchestrator_id', orchestrator_id,
    'claimed_at', strftime('%Y-%m-%dT%H:%M:%fZ', claimed_at / 1000.0, 'unixepoch'),
    'lease_seconds', lease_seconds,
    'deadline_at', strftime('%Y-%m-%dT%H:%M:%fZ', deadline_at / 1000.0, 'unixepoch')) AS details
FROM tasks WHERE claimed_by IS NOT NULL;

DROP VIEW foreseen;
CREATE VIEW foreseen AS
SELECT id, scope, grants, title, project_id, blocked_by,
  coalesce((SELECT max(version) FROM history WHERE task_id = tasks.id AND history.version > tasks.version), version) AS version,
  coalesce((SELECT to_queue FROM history WHERE task_id = tasks.id AND history.version > tasks.version
    ORDER BY history.version DESC LIMIT 1), queue) AS queue,
  claimed_by IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM history WHERE task_id = tasks.id AND history.version > tasks.version) AS held,
  -- What it still waits for, as `blocked_by` says it.
  (SELECT group_concat(blocker_id, ',' ORDER BY position) FROM dependencies
    WHERE task_id = tasks.id AND satisfied_at IS NULL) AS waits_for
FROM tasks;

DROP VIEW failable;
CREATE VIEW failable AS
SELECT id, scope, grants, title, project_id, version, queue FROM foreseen
WHERE NOT held AND queue NOT IN ('done', 'failed', 'cancelled');

UPDATE schema_version SET migration = 12 WHERE id = 1;
