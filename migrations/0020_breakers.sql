-- Breakers, which stop claims when many tasks fail alike; and claims that look past the tasks of projects that are stopped, by a cap or
-- by a breaker, at a cost that does not grow with the number of these tasks.
--
-- Additions: release 2.0.0 goes on working. Its claims know no breaker. Its tasks are in the new index.

-- Whether `tasks_ready_by_project` has the task while it is ready: 0 if no project of the scope could be stopped when the task was created.
-- So a scope without caps and breakers on projects writes no entry. `queue_counts.by_project` is the value that new tasks of the scope get.
ALTER TABLE tasks ADD COLUMN by_project INTEGER NOT NULL DEFAULT 1 CHECK (by_project IN (0, 1));
ALTER TABLE queue_counts ADD COLUMN by_project INTEGER NOT NULL DEFAULT 0 CHECK (by_project IN (0, 1));
UPDATE queue_counts SET by_project = 1
WHERE scope IN (SELECT scope FROM projects WHERE max_cost_usd IS NOT NULL OR max_tokens IS NOT NULL);

CREATE INDEX queue_counts_by_project ON queue_counts (scope) WHERE by_project = 1;

-- The project of the task; '' if it has none.
ALTER TABLE tasks ADD COLUMN project_key TEXT GENERATED ALWAYS AS (coalesce(project_id, '')) VIRTUAL;

CREATE INDEX tasks_ready_by_project ON tasks (scope, queue, lane, project_key, priority_rank, created_at, id)
  WHERE claimed_by IS NULL AND blocked_by IS NULL AND available_at IS NULL AND queue <> 'done' AND by_project = 1;

CREATE VIEW ready_by_project AS
SELECT id, scope, queue, lane, project_key, type, priority_rank, created_at, bytes, capped
FROM tasks INDEXED BY tasks_ready_by_project
WHERE claimed_by IS NULL AND blocked_by IS NULL AND available_at IS NULL AND queue <> 'done' AND by_project = 1;

-- The breakers that are configured: of a project, or of the scope (`project_id` is ''). `failures` has the newest failures, oldest first:
-- a JSON list of fingerprint, task and time.
CREATE TABLE breakers (
  scope TEXT NOT NULL,
  project_id TEXT NOT NULL,
  threshold INTEGER NOT NULL CHECK (threshold > 1),
  window_millis INTEGER NOT NULL CHECK (window_millis > 0),
  wait_millis INTEGER NOT NULL CHECK (wait_millis > 0),
  failures TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(failures)),
  opened_at INTEGER,
  reason TEXT,
  tripped_by TEXT,
  retry_at INTEGER,
  probes INTEGER NOT NULL DEFAULT 0 CHECK (probes >= 0),
  canary_task TEXT,
  canary_token INTEGER,
  PRIMARY KEY (scope, project_id),
  CHECK ((opened_at IS NULL) = (retry_at IS NULL)),
  CHECK ((opened_at IS NULL) = (tripped_by IS NULL)),
  CHECK (opened_at IS NOT NULL OR canary_task IS NULL),
  CHECK ((canary_task IS NULL) = (canary_token IS NULL))
) STRICT, WITHOUT ROWID;
-- The breakers that a task is the canary of.
CREATE INDEX breakers_canary ON breakers (canary_task) WHERE canary_task IS NOT NULL;
CREATE INDEX breakers_open ON breakers (scope, project_id) WHERE opened_at IS NOT NULL;

-- The breakers that stop claims, and until when. `until` is the time at which the next canary may be claimed. While a canary is held it is the largest safe integer.
CREATE VIEW open_breakers AS
SELECT scope, project_id, opened_at, reason, tripped_by, retry_at, canary_task, half_open,
  iif(half_open, 9007199254740991, retry_at) AS until
FROM (
  SELECT *, canary_task IS NOT NULL AND EXISTS (
    SELECT 1 FROM tasks WHERE tasks.id = canary_task AND grants = canary_token AND claimed_by IS NOT NULL) AS half_open
  FROM breakers INDEXED BY breakers_open WHERE opened_at IS NOT NULL);

-- The projects whose tasks no claim takes, and until when.
CREATE VIEW stopped_projects AS
SELECT scope, id, 9007199254740991 AS until FROM projects WHERE capped
UNION ALL SELECT scope, project_id, until FROM open_breakers;

-- The views of migration 0015, with the time until which breakers stop claims of a task.
DROP VIEW claimable;
DROP VIEW caps;
CREATE VIEW caps AS
SELECT id, scope, version, queue, grants, title, project_id, bytes,
  CASE WHEN capped THEN 'task'
    WHEN EXISTS (SELECT 1 FROM projects WHERE projects.id = tasks.project_id
      AND projects.scope = tasks.scope AND projects.capped) THEN 'project'
    ELSE 'scope' END AS cap,
  CASE WHEN capped THEN 9007199254740991
    WHEN EXISTS (SELECT 1 FROM projects WHERE projects.id = tasks.project_id
      AND projects.scope = tasks.scope AND projects.capped) THEN 9007199254740991
    ELSE coalesce((
      SELECT iif(usage.capped, (day + 1) * 86400000, 0) FROM usage WHERE usage.scope = tasks.scope
      ORDER BY day DESC LIMIT 1), 0) END AS capped_until,
  coalesce((
    SELECT max(until) FROM open_breakers
    WHERE open_breakers.scope = tasks.scope AND +open_breakers.project_id IN ('', tasks.project_key)), 0) AS breaker_until
FROM tasks;
CREATE VIEW claimable AS
SELECT id, scope, version, queue, grants, title, project_id, capped_until, breaker_until FROM caps WHERE bytes <= 1600000;

UPDATE schema_version SET migration = 20 WHERE id = 1;
