-- What agents use: tokens, money and time, summed for each task, project, and day of a scope; and the caps on it.
--
-- Money is in millionths of a dollar, time in milliseconds. The sums stop at the largest number that JSON carries exactly.
--
-- Additions: release 2.0.0 goes on working. Its claims ask for no cap.

ALTER TABLE tasks ADD COLUMN cost_usd INTEGER NOT NULL DEFAULT 0 CHECK (cost_usd >= 0);
ALTER TABLE tasks ADD COLUMN input_tokens INTEGER NOT NULL DEFAULT 0 CHECK (input_tokens >= 0);
ALTER TABLE tasks ADD COLUMN output_tokens INTEGER NOT NULL DEFAULT 0 CHECK (output_tokens >= 0);
ALTER TABLE tasks ADD COLUMN cached_tokens INTEGER NOT NULL DEFAULT 0 CHECK (cached_tokens >= 0);
ALTER TABLE tasks ADD COLUMN wall_seconds INTEGER NOT NULL DEFAULT 0 CHECK (wall_seconds >= 0);
ALTER TABLE tasks ADD COLUMN max_cost_usd INTEGER CHECK (max_cost_usd > 0);
ALTER TABLE tasks ADD COLUMN max_tokens INTEGER CHECK (max_tokens > 0);
ALTER TABLE tasks ADD COLUMN capped INTEGER GENERATED ALWAYS AS (
  coalesce(cost_usd >= max_cost_usd, 0) OR coalesce(input_tokens + output_tokens >= max_tokens, 0)) VIRTUAL;

ALTER TABLE projects ADD COLUMN cost_usd INTEGER NOT NULL DEFAULT 0 CHECK (cost_usd >= 0);
ALTER TABLE projects ADD COLUMN input_tokens INTEGER NOT NULL DEFAULT 0 CHECK (input_tokens >= 0);
ALTER TABLE projects ADD COLUMN output_tokens INTEGER NOT NULL DEFAULT 0 CHECK (output_tokens >= 0);
ALTER TABLE projects ADD COLUMN cached_tokens INTEGER NOT NULL DEFAULT 0 CHECK (cached_tokens >= 0);
ALTER TABLE projects ADD COLUMN wall_seconds INTEGER NOT NULL DEFAULT 0 CHECK (wall_seconds >= 0);
ALTER TABLE projects ADD COLUMN max_cost_usd INTEGER CHECK (max_cost_usd > 0);
ALTER TABLE projects ADD COLUMN max_tokens INTEGER CHECK (max_tokens > 0);
ALTER TABLE projects ADD COLUMN capped INTEGER GENERATED ALWAYS AS (
  coalesce(cost_usd >= max_cost_usd, 0) OR coalesce(input_tokens + output_tokens >= max_tokens, 0)) VIRTUAL;
-- A claim that looks past tasks at a cap reads the projects at theirs.
CREATE INDEX projects_capped ON projects (scope, id) WHERE capped;

-- What a scope used on a day. `models` has the same sums for each model, as lists. The caps are those of the scope.
CREATE TABLE usage (
  scope TEXT NOT NULL,
  day INTEGER NOT NULL CHECK (day >= 0),
  cost_usd INTEGER NOT NULL CHECK (cost_usd >= 0),
  input_tokens INTEGER NOT NULL CHECK (input_tokens >= 0),
  output_tokens INTEGER NOT NULL CHECK (output_tokens >= 0),
  cached_tokens INTEGER NOT NULL CHECK (cached_tokens >= 0),
  wall_seconds INTEGER NOT NULL CHECK (wall_seconds >= 0),
  models TEXT NOT NULL,
  max_cost_usd INTEGER CHECK (max_cost_usd > 0),
  max_tokens INTEGER CHECK (max_tokens > 0),
  capped INTEGER GENERATED ALWAYS AS (
    coalesce(cost_usd >= max_cost_usd, 0) OR coalesce(input_tokens + output_tokens >= max_tokens, 0)) VIRTUAL,
  PRIMARY KEY (scope, day)
) STRICT, WITHOUT ROWID;

-- The caps on each day of a scope.
CREATE TABLE usage_caps (
  scope TEXT NOT NULL PRIMARY KEY,
  max_cost_usd INTEGER CHECK (max_cost_usd > 0),
  max_tokens INTEGER CHECK (max_tokens > 0)
) STRICT, WITHOUT ROWID;

-- Which cap a task is at, and until when: that of a day ends with the day, and the others when someone raises them.
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
      ORDER BY day DESC LIMIT 1), 0) END AS capped_until
FROM tasks;

-- The tasks that are not too large to be claimed.
CREATE VIEW claimable AS
SELECT id, scope, version, queue, grants, title, project_id, capped_until FROM caps WHERE bytes <= 1600000;

-- The views of 0011, with what a claim needs to look past tasks at a cap.
DROP VIEW ready;
DROP VIEW ready_for;
CREATE VIEW ready AS
SELECT id, scope, queue, lane, type, priority_rank, created_at, bytes, project_id, capped FROM tasks INDEXED BY tasks_ready
WHERE claimed_by IS NULL AND blocked_by IS NULL AND available_at IS NULL AND queue <> 'done';
CREATE VIEW ready_for AS
SELECT id, scope, queue, lane, type, priority_rank, created_at, bytes, project_id, capped FROM tasks INDEXED BY tasks_ready_for
WHERE claimed_by IS NULL AND blocked_by IS NULL AND available_at IS NULL AND queue <> 'done' AND role IS NOT NULL;

UPDATE schema_version SET migration = 15 WHERE id = 1;
