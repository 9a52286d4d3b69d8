-- Leases that agents can trust: renewal, deadlines, cancellation, budgets, idempotency keys, and what a blocker's failure means.
--
-- Additions, but for three indexes, whose conditions change: a Worker that knows nothing of this claims no task for the moment
-- between migration and deployment.

-- How long the lease was asked for, in seconds: a renewal that does not say extends it by as much.
ALTER TABLE tasks ADD COLUMN lease_seconds INTEGER CHECK (lease_seconds > 0);

-- How long one attempt may take however often its lease is renewed, and when the present one has to end. A lease that ends
-- at the deadline is not renewed.
ALTER TABLE tasks ADD COLUMN max_attempt_seconds INTEGER CHECK (max_attempt_seconds > 0);
ALTER TABLE tasks ADD COLUMN deadline_at INTEGER CHECK (deadline_at IS NULL OR claimed_by IS NOT NULL);

-- That somebody wants the held task cancelled, and why: its holder is told with the next renewal.
ALTER TABLE tasks ADD COLUMN cancel_requested_at INTEGER CHECK (cancel_requested_at IS NULL OR claimed_by IS NOT NULL);
ALTER TABLE tasks ADD COLUMN cancel_reason TEXT;

-- How often each may happen before the task fails; null is the server's default, 0 is no limit.
ALTER TABLE tasks ADD COLUMN max_attempts INTEGER CHECK (max_attempts >= 0);
ALTER TABLE tasks ADD COLUMN max_lease_losses INTEGER CHECK (max_lease_losses >= 0);
ALTER TABLE tasks ADD COLUMN max_rejections INTEGER CHECK (max_rejections >= 0);
-- Why the task failed, as long as it is in `failed`.
ALTER TABLE tasks ADD COLUMN failure_reason TEXT;

-- Until when the task backs off. The first claim after that makes it ready again, and clears this.
ALTER TABLE tasks ADD COLUMN available_at INTEGER CHECK (available_at IS NULL OR claimed_by IS NULL);

-- What its creator knows the task by; one open task of a scope has it.
ALTER TABLE tasks ADD COLUMN external_key TEXT CHECK (external_key <> '');

-- What the next agent should know: the checkpoint that was written last (JSON), and the latest rejections, losses and
-- attempts that were given up, oldest first (a JSON list).
ALTER TABLE tasks ADD COLUMN checkpoint TEXT;
ALTER TABLE tasks ADD COLUMN setbacks TEXT;

CREATE UNIQUE INDEX tasks_external_key ON tasks (scope, external_key)
  WHERE external_key IS NOT NULL AND queue NOT IN ('done', 'failed', 'cancelled');
-- "Whose backoff is over?"
CREATE INDEX tasks_backing_off ON tasks (scope, available_at, id) WHERE available_at IS NOT NULL;

-- The order of claims: who backs off is not ready.
DROP INDEX tasks_ready;
CREATE INDEX tasks_ready ON tasks (scope, queue, priority_rank, created_at, id)
  WHERE claimed_by IS NULL AND blocked_by IS NULL AND available_at IS NULL AND queue <> 'done';
DROP INDEX tasks_held;
CREATE INDEX tasks_held ON tasks (scope, queue, priority_rank, created_at, id)
  WHERE claimed_by IS NOT NULL OR blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done';
DROP INDEX tasks_ready_for;
CREATE INDEX tasks_ready_for ON tasks (scope, queue, lane, priority_rank, created_at, id)
  WHERE claimed_by IS NULL AND blocked_by IS NULL AND available_at IS NULL AND queue <> 'done';

-- What becomes of the waiting task when the blocker fails or is cancelled: it goes on waiting, it waits for it no longer, or
-- it fails as well.
ALTER TABLE dependencies ADD COLUMN on_failure TEXT NOT NULL DEFAULT 'wait'
  CHECK (on_failure IN ('wait', 'skip', 'fail'));
-- The key an edge is found by is now the same function in SQL and in the code: the blocker's id without any `TASK-`.
UPDATE dependencies SET blocker_key = replace(blocker_id, 'TASK-', '');

-- The POSTs that carried an `Idempotency-Key`, each with what it was answered. Written in the batch that has the effect, so
-- that a key is here if and only if its effect is.
CREATE TABLE idempotency_keys (
  -- SHA-256 of the caller and the key, in hex. The cron walks through it in slices to find what is old, so that no index is
  -- written with every request.
  id          TEXT    NOT NULL PRIMARY KEY,
  -- SHA-256 of the method, the path, the query and the body.
  fingerprint TEXT    NOT NULL,
  -- The rows the answer was made from, as JSON.
  answer      TEXT,
  at          INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
