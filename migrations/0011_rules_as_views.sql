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

-- The tasks that a claim may hand out. The condition is that of the indexes `tasks_ready` and `tasks_ready_for`.
CREATE VIEW ready AS
SELECT * FROM tasks WHERE claimed_by IS NULL AND blocked_by IS NULL AND available_at IS NULL AND queue <> 'done';

-- What happens to each held task when its lease expires: how history calls it, and the queue the task goes to. The moves
-- `expireReview`, `exceedDeadline` and `expire` in `domain/task/Moves.ts` say the same.
CREATE VIEW lapsing AS
SELECT *,
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
  END AS to_queue
FROM tasks WHERE claimed_by IS NOT NULL;

-- What a batch has planned for a task: the newest history row, while it is ahead of the task's version. Outside of a batch there is none.
CREATE VIEW planned AS
SELECT tasks.id, tasks.scope, tasks.project_id, tasks.version AS present, history.version, event, queue AS from_queue, to_queue,
  reason
FROM tasks CROSS JOIN history ON history.task_id = tasks.id
  AND history.version = (SELECT max(version) FROM history AS newest WHERE newest.task_id = tasks.id)
  AND history.version > tasks.version;

-- A task that this batch has created and not recorded yet: every other task has a history row at its version.
CREATE VIEW unrecorded AS
SELECT * FROM tasks WHERE NOT EXISTS (
  SELECT 1 FROM history WHERE task_id = tasks.id AND history.version = tasks.version);

-- Every task as the plans of the batch leave it so far. `held` is a task in somebody's hands that the batch does not take back.
CREATE VIEW foreseen AS
SELECT id, scope, grants, blocked_by,
  coalesce((SELECT version FROM planned WHERE planned.id = tasks.id), version) AS version,
  coalesce((SELECT to_queue FROM planned WHERE planned.id = tasks.id), queue) AS queue,
  claimed_by IS NOT NULL AND NOT EXISTS (SELECT 1 FROM planned WHERE planned.id = tasks.id) AS held,
  -- What it still waits for, as `blocked_by` says it.
  (SELECT group_concat(blocker_id, ',' ORDER BY position) FROM dependencies
    WHERE task_id = tasks.id AND satisfied_at IS NULL) AS waits_for
FROM tasks;

-- Which task waits for which. A dependency names its blocker as the caller did, and `TASK-x` also means the task `x`: so there may be two.
CREATE VIEW waits AS
SELECT edge.scope, edge.task_id, edge.blocker_key, edge.blocker_id, edge.on_failure, blocker.id AS blocker,
  -- The queue of the blocker, as the batch leaves it.
  coalesce((SELECT to_queue FROM planned WHERE planned.id = blocker.id), blocker.queue) AS queue,
  -- Whether the task fails if this blocker does: not where the other task that the name means is done.
  edge.on_failure = 'fail' AND NOT EXISTS (
    SELECT 1 FROM tasks AS other WHERE +other.scope = edge.scope AND +other.queue = 'done'
      AND other.id IN (edge.blocker_id, iif(edge.blocker_id GLOB 'TASK-*', substr(edge.blocker_id, 6), NULL))) AS fails
FROM dependencies AS edge CROSS JOIN tasks AS blocker ON +blocker.scope = edge.scope
  AND blocker.id IN (edge.blocker_id, iif(edge.blocker_id GLOB 'TASK-*', substr(edge.blocker_id, 6), NULL));

UPDATE schema_version SET migration = 11 WHERE id = 1;
