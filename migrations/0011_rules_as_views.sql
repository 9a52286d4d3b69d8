-- The rules that statements share stand here once, as views and generated columns: which tasks are ready, how large a task is,
-- what happens to a lease that expires, and what a batch has planned.
--
-- Additions: release 2.0.0 goes on working. It grants leases without limits of their own, which are then not limited.

-- How many leases the task may lose, and how many attempts it may have, until it fails: what was in force when the present lease
-- was granted. Null is no limit.
ALTER TABLE tasks ADD COLUMN loss_limit INTEGER CHECK (loss_limit > 0);
ALTER TABLE tasks ADD COLUMN attempt_limit INTEGER CHECK (attempt_limit > 0);
-- What is known of the leases that are held now. A default of the server's is not known here.
UPDATE tasks SET loss_limit = nullif(max_lease_losses, 0), attempt_limit = nullif(max_attempts, 0)
WHERE claimed_by IS NOT NULL AND (max_lease_losses > 0 OR max_attempts > 0);

-- How many bytes the texts of a task have that once had no limit (`domain/Size.ts` MaxRecord). SQLite knows the length of a text
-- without reading it. The checkpoint always had a limit and is not counted: a task with room for one has room for the next.
ALTER TABLE tasks ADD COLUMN bytes INTEGER GENERATED ALWAYS AS (
  octet_length(file_path) + octet_length(title) + octet_length(priority) + octet_length(branch) + octet_length(flow)
  + coalesce(octet_length(complexity), 0) + coalesce(octet_length(role), 0) + coalesce(octet_length(type), 0)
  + coalesce(octet_length(content), 0) + coalesce(octet_length(blocked_by), 0) + coalesce(octet_length(claimed_by), 0)
  + coalesce(octet_length(last_rejection_reason), 0) + coalesce(octet_length(check_results), 0)
  + coalesce(octet_length(execution_notes), 0) + coalesce(octet_length(pr_url), 0) + coalesce(octet_length(checks), 0)
  + coalesce(octet_length(staging_url), 0) + coalesce(octet_length(plan_id), 0) + coalesce(octet_length(hooks), 0)
  + coalesce(octet_length(flow_overrides), 0) + coalesce(octet_length(metadata), 0)
  + coalesce(octet_length(cancel_reason), 0) + coalesce(octet_length(failure_reason), 0)
  + coalesce(octet_length(setbacks), 0)
) VIRTUAL;

-- The tasks that a claim may hand out, in the order of claims; and those of them that have a role, in the same order for each role. The
-- conditions are those of the indexes. The indexes are named, because SQLite prepares a statement anew for each value of `queue` otherwise:
-- it would compare the value with the condition of `tasks_waiting`.
CREATE VIEW ready AS
SELECT id, scope, queue, lane, type, priority_rank, created_at, bytes FROM tasks INDEXED BY tasks_ready
WHERE claimed_by IS NULL AND blocked_by IS NULL AND available_at IS NULL AND queue <> 'done';
CREATE VIEW ready_for AS
SELECT id, scope, queue, lane, type, priority_rank, created_at, bytes FROM tasks INDEXED BY tasks_ready_for
WHERE claimed_by IS NULL AND blocked_by IS NULL AND available_at IS NULL AND queue <> 'done' AND role IS NOT NULL;

-- What happens to each held task when its lease expires: how history calls it, and the queue the task goes to. The moves
-- `expireReview`, `exceedDeadline` and `expire` in `domain/task/Moves.ts` say the same. `details` is what a renewal needs to give
-- the lease back to its holder.
CREATE VIEW lapsing AS
SELECT id, scope, queue, version, grants, blocked_by, claimed_by, lease_expires_at, loss_limit, attempt_limit, role, lane, priority_rank,
  created_at,
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

-- What a batch has planned for a task: the newest history row, while it is ahead of the task's version. Outside of a batch there is none.
CREATE VIEW planned AS
SELECT tasks.id, tasks.scope, tasks.project_id, tasks.version AS present, history.version, event, queue AS from_queue, to_queue,
  reason, at
FROM tasks CROSS JOIN history ON history.task_id = tasks.id AND history.version > tasks.version
  AND NOT EXISTS (SELECT 1 FROM history AS later WHERE later.task_id = history.task_id AND later.version > history.version);

-- The planned moves that bring a task to an end, or back from one. Only these matter to the tasks that wait for it.
CREATE VIEW ending AS
SELECT id FROM planned WHERE from_queue <> to_queue
  AND (from_queue IN ('done', 'failed', 'cancelled') OR to_queue IN ('done', 'failed', 'cancelled'));

-- What the planned moves change in the counters: `step` is added to the number of tasks that the owner, a scope or a project, has in
-- the queue. The counters of a project have its id after the character 31 for their name, which no scope has.
CREATE VIEW planned_counts AS
SELECT planned.id, step.value ->> 0 AS owner, step.value ->> 1 AS queue, step.value ->> 2 AS step
FROM planned CROSS JOIN json_each(json_array(
    json_array(scope, from_queue, -1), json_array(scope, to_queue, 1),
    json_array(char(31) || project_id, from_queue, -1), json_array(char(31) || project_id, to_queue, 1))) AS step
WHERE step.value ->> 0 IS NOT NULL;

-- A task that this batch has created and not recorded yet: every other task has a history row at its version.
CREATE VIEW unrecorded AS
SELECT id, scope, queue, version, grants, project_id FROM tasks WHERE NOT EXISTS (
  SELECT 1 FROM history WHERE task_id = tasks.id AND history.version = tasks.version);

-- What a task whose lease has expired has in its columns then, when a batch has planned that (`lapse`), and perhaps that the task fails
-- with a blocker after it. A task that is too large to keep more text keeps what happened in its history only.
CREATE VIEW reclaiming AS
SELECT planned.id, planned.version, planned.to_queue, lapse.event, lapse.to_queue AS led_to,
  CASE
    WHEN tasks.bytes > 1600000 THEN NULL
    WHEN lapse.to_queue <> planned.to_queue THEN (
      SELECT reason FROM history WHERE task_id = tasks.id AND history.version = planned.present + 2)
    WHEN lapse.event = 'review_lease_expired' THEN iif(queue = 'failed', failure_reason, NULL)
    WHEN lapse.to_queue <> 'failed' THEN NULL
    WHEN lapse.event = 'lease_expired' THEN 'The budget of ' || loss_limit || iif(loss_limit = 1, ' lost lease', ' lost leases')
      || ' is spent. Last: ' || lapse.reason
    ELSE 'The budget of ' || attempt_limit || iif(attempt_limit = 1, ' attempt', ' attempts') || ' is spent. Last: ' || lapse.reason
  END AS failure_reason,
  iif(lapse.event = 'review_lease_expired' OR tasks.bytes > 1600000, setbacks, json_insert(
    iif(json_array_length(setbacks) >= 10, json_remove(setbacks, '$[0]'), coalesce(setbacks, '[]')), '$[#]', json_object(
      'event', lapse.event, 'actor', claimed_by, 'reason', lapse.reason, 'at', lapse.at, 'fencing_token', fencing_token)))
    AS setbacks
FROM planned CROSS JOIN tasks ON tasks.id = planned.id
  CROSS JOIN history AS lapse ON lapse.task_id = planned.id AND lapse.version = planned.present + 1;

-- Every task as the plans of the batch leave it so far. `held` is a task in somebody's hands that the batch does not take back.
CREATE VIEW foreseen AS
SELECT id, scope, grants, blocked_by,
  coalesce((SELECT max(version) FROM history WHERE task_id = tasks.id AND history.version > tasks.version), version) AS version,
  coalesce((SELECT to_queue FROM history WHERE task_id = tasks.id AND history.version > tasks.version
    ORDER BY history.version DESC LIMIT 1), queue) AS queue,
  claimed_by IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM history WHERE task_id = tasks.id AND history.version > tasks.version) AS held,
  -- What it still waits for, as `blocked_by` says it.
  (SELECT group_concat(blocker_id, ',' ORDER BY position) FROM dependencies
    WHERE task_id = tasks.id AND satisfied_at IS NULL) AS waits_for
FROM tasks;

-- Tasks that may fail with a blocker: nobody holds them, and they have not come to an end.
CREATE VIEW failable AS
SELECT id, scope, grants, version, queue FROM foreseen WHERE NOT held AND queue NOT IN ('done', 'failed', 'cancelled');

-- Which task waits for which. A dependency names its blocker as the caller did, and `TASK-x` also means the task `x`: so there may be two.
-- Both directions are written down, so that a search may begin at either task.
CREATE VIEW waits AS
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
  AND edge.blocker_key = replace(blocker.id, 'TASK-', '') AND edge.blocker_id IN (blocker.id, 'TASK-' || blocker.id);

UPDATE schema_version SET migration = 11 WHERE id = 1;
