-- Fewer written rows: a task is in one index of its queue at a time, and a move writes one entry.
--
-- Which those are depends on who may have it: `tasks_ready`, as before, who may be claimed; `tasks_leased`, who is held;
-- `tasks_waiting`, everybody else. docs/storage.md says which request reads which of them.
--
-- A Worker that knows nothing of this answers claims, lists by priority and registrations of flows with 500 for the moment
-- between migration and deployment; what it writes meanwhile is right.

-- "The leases of this scope": those that have run out, those of a machine, those in a queue. The columns after the time are
-- for who asks about many, and are read from the index alone.
DROP INDEX tasks_leased;
CREATE INDEX tasks_leased ON tasks (scope, lease_expires_at, queue, orchestrator_id, id) WHERE claimed_by IS NOT NULL;
DROP INDEX tasks_held_by;

-- "Who waits, and who is done?" In the order of claims, as in `tasks_ready`.
DROP INDEX tasks_held;
CREATE INDEX tasks_waiting ON tasks (scope, queue, priority_rank, created_at, id)
  WHERE claimed_by IS NULL AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done');

-- Within a queue and a priority both are in the order of age, so the newest of a queue are the newest of its priorities.
DROP INDEX tasks_newest;

-- "The next task for this role": only of those that have one.
DROP INDEX tasks_ready_for;
CREATE INDEX tasks_ready_for ON tasks (scope, queue, lane, priority_rank, created_at, id)
  WHERE claimed_by IS NULL AND blocked_by IS NULL AND available_at IS NULL AND queue <> 'done' AND role IS NOT NULL;

-- "Is the path taken in this scope?" Clients name a task's file after the task: such a path is found by the id in it, and is as
-- unique (`sql/FilePath.ts`).
DROP INDEX tasks_file_path;
CREATE UNIQUE INDEX tasks_file_path ON tasks (scope, file_path) WHERE file_path <> 'TASK-' || id || '.md';
