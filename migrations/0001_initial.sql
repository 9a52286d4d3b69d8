-- Octopoid Server: where the state of the work lives.
--
-- A task is in exactly one queue. Being leased is not a queue: a task is leased while `claimed_by` is set, and a lease
-- ends at `lease_expires_at` or with the next move. Most leased tasks wait in `claimed`; a reviewed one stays in
-- `provisional`. `claimed_from` remembers the queue to go back to when the lease runs out.
--
-- `version` rises by one with every change of a task, and every version has one row in `history`: so the pair
-- (task_id, version) is the key of history, no change can be unrecorded, and none can be recorded twice. History has no
-- foreign key because it outlives its task. A task created again under an old id goes on counting where the old one
-- stopped, so that no version and no fencing token is ever seen twice.
--
-- Writes are batches of "record, then change": both statements carry the same predicate, so they see the same rows.
--
-- Timestamps are integers, milliseconds since 1970 in UTC, and are always parameters: no statement asks for the time.
-- Structured values are JSON text. Booleans are 0 or 1. Tables keyed by text have no rowid, since D1 bills every
-- index entry as a written row and the key would otherwise be written twice. No triggers: `d1 migrations apply
-- --remote` splits statements on its own terms.

-- A group of tasks that share a branch.
CREATE TABLE projects (
  id           TEXT    NOT NULL PRIMARY KEY,
  scope        TEXT    NOT NULL,
  title        TEXT    NOT NULL,
  description  TEXT,
  status       TEXT    NOT NULL,
  branch       TEXT,
  base_branch  TEXT    NOT NULL,
  auto_accept  INTEGER NOT NULL DEFAULT 0 CHECK (auto_accept IN (0, 1)),
  flow         TEXT    NOT NULL DEFAULT 'project',
  pr_number    INTEGER,
  pr_url       TEXT,
  created_by   TEXT,
  created_at   INTEGER NOT NULL,
  updated_at   INTEGER NOT NULL,
  completed_at INTEGER
) STRICT, WITHOUT ROWID;

-- "The newest projects of this scope."
CREATE INDEX projects_newest ON projects (scope, created_at, id);

CREATE TABLE tasks (
  id                     TEXT    NOT NULL PRIMARY KEY,
  scope                  TEXT    NOT NULL CHECK (scope <> ''),
  file_path              TEXT    NOT NULL,
  title                  TEXT    NOT NULL,
  queue                  TEXT    NOT NULL CHECK (queue <> '' AND instr(queue, '"') = 0),
  version                INTEGER NOT NULL CHECK (version > 0),
  -- What the caller called the priority, and the number it stands for (`domain/Priority.ts`): claims sort by that.
  priority               TEXT    NOT NULL,
  priority_rank          INTEGER NOT NULL,
  complexity             TEXT,
  role                   TEXT,
  type                   TEXT,
  branch                 TEXT    NOT NULL,
  content                TEXT,
  project_id             TEXT REFERENCES projects (id),
  -- The ids of the blockers that are not done, joined by commas; null when the task may be claimed.
  blocked_by             TEXT CHECK (blocked_by <> ''),

  -- The lease.
  claimed_by             TEXT CHECK (claimed_by <> ''),
  claimed_at             INTEGER,
  claimed_from           TEXT,
  orchestrator_id        TEXT,
  lease_expires_at       INTEGER,
  -- How many leases were ever granted; the fencing token of the present one is the number it got.
  grants                 INTEGER NOT NULL DEFAULT 0 CHECK (grants >= 0),
  fencing_token          INTEGER GENERATED ALWAYS AS (CASE WHEN claimed_by IS NOT NULL THEN grants END) VIRTUAL,
  -- The token of a lease that ran out, until the task moves or is granted again: its holder may still submit.
  lapsed_token           INTEGER,

  -- What happened to it.
  attempt_count          INTEGER NOT NULL DEFAULT 0,
  rejection_count        INTEGER NOT NULL DEFAULT 0,
  lease_losses           INTEGER NOT NULL DEFAULT 0,
  last_rejection_reason  TEXT,
  commits_count          INTEGER NOT NULL DEFAULT 0,
  turns_used             INTEGER,
  check_results          TEXT,
  execution_notes        TEXT,
  needs_intervention     INTEGER NOT NULL DEFAULT 0 CHECK (needs_intervention IN (0, 1)),
  submitted_at           INTEGER,
  completed_at           INTEGER,

  -- What clients keep on it and the server only stores.
  pr_number              INTEGER,
  pr_url                 TEXT,
  checks                 TEXT,
  staging_url            TEXT,
  plan_id                TEXT,
  has_plan               INTEGER NOT NULL DEFAULT 0 CHECK (has_plan IN (0, 1)),
  auto_accept            INTEGER NOT NULL DEFAULT 0 CHECK (auto_accept IN (0, 1)),
  needs_rebase           INTEGER NOT NULL DEFAULT 0 CHECK (needs_rebase IN (0, 1)),
  needs_breakdown        INTEGER NOT NULL DEFAULT 0 CHECK (needs_breakdown IN (0, 1)),
  last_rebase_attempt_at INTEGER,
  review_round           INTEGER NOT NULL DEFAULT 0,
  hooks                  TEXT,
  flow                   TEXT    NOT NULL,
  flow_overrides         TEXT,
  metadata          TEXT,
  created_at             INTEGER NOT NULL,
  updated_at             INTEGER NOT NULL,

  -- The role as a claim sees it: tasks without one share a lane.
  lane                   TEXT GENERATED ALWAYS AS (coalesce(role, '')) VIRTUAL,

  -- A lease is whole or absent, and a claimed task always has one: nothing can be stuck in `claimed`.
  CHECK ((claimed_by IS NULL) = (lease_expires_at IS NULL)),
  CHECK ((claimed_by IS NULL) = (claimed_at IS NULL)),
  CHECK ((claimed_by IS NULL) = (claimed_from IS NULL)),
  CHECK (claimed_by IS NOT NULL OR orchestrator_id IS NULL),
  CHECK (claimed_by IS NOT NULL OR queue <> 'claimed'),
  CHECK (claimed_by IS NULL OR (grants > 0 AND lapsed_token IS NULL)),
  -- Where a claimed task goes when its lease runs out: never back to an end.
  CHECK (queue <> 'claimed' OR claimed_from NOT IN ('claimed', 'done', 'failed')),
  CHECK (queue <> 'done' OR completed_at IS NOT NULL)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX tasks_file_path ON tasks (scope, file_path);
-- "The newest tasks of this scope in this queue."
CREATE INDEX tasks_newest ON tasks (scope, queue, created_at, id);
-- The order of claims, in two halves: who may be claimed, and who may not. A task is in one of them, so that a move
-- writes one entry; a claim reads the first, a list by priority merges both.
CREATE INDEX tasks_ready ON tasks (scope, queue, priority_rank, created_at, id)
  WHERE claimed_by IS NULL AND blocked_by IS NULL AND queue <> 'done';
CREATE INDEX tasks_held ON tasks (scope, queue, priority_rank, created_at, id)
  WHERE claimed_by IS NOT NULL OR blocked_by IS NOT NULL OR queue = 'done';
-- "The next task for this role": one seek for each role asked for, however many tasks of others wait.
CREATE INDEX tasks_ready_for ON tasks (scope, queue, lane, priority_rank, created_at, id)
  WHERE claimed_by IS NULL AND blocked_by IS NULL AND queue <> 'done';
-- "The leases that have run out."
CREATE INDEX tasks_leased ON tasks (lease_expires_at, id) WHERE claimed_by IS NOT NULL;
-- "The tasks of this project."
CREATE INDEX tasks_project ON tasks (project_id, priority_rank, created_at) WHERE project_id IS NOT NULL;

-- What a task waits for. A blocker is named as the caller named it and need not exist yet; `TASK-x` also means `x`.
CREATE TABLE dependencies (
  scope        TEXT NOT NULL,
  -- What it is found by: the blocker's id without `TASK-` in front.
  blocker_key  TEXT NOT NULL,
  blocker_id   TEXT NOT NULL,
  task_id      TEXT NOT NULL,
  -- Its place in the caller's list.
  position     INTEGER NOT NULL,
  -- When the blocker was done; null while it is not.
  satisfied_at INTEGER,
  PRIMARY KEY (blocker_key, task_id, blocker_id)
) STRICT, WITHOUT ROWID;

-- "What does this task wait for?"
CREATE INDEX dependencies_of ON dependencies (task_id, blocker_id);

CREATE TABLE history (
  task_id      TEXT    NOT NULL,
  version      INTEGER NOT NULL,
  scope        TEXT    NOT NULL,
  event        TEXT    NOT NULL,
  from_queue   TEXT,
  to_queue     TEXT,
  actor        TEXT,
  reason       TEXT,
  details TEXT,
  -- The fencing token granted last when this was recorded, so that a task created again never repeats one.
  grants       INTEGER NOT NULL,
  at           INTEGER NOT NULL,
  PRIMARY KEY (task_id, version)
) STRICT, WITHOUT ROWID;

-- How many tasks each queue of a scope holds, as {"incoming": 3, "done": 0}. Kept by every batch that moves a task, so that
-- totals and polls count nothing; one row, so that a move writes one row.
CREATE TABLE queue_counts (
  scope       TEXT NOT NULL PRIMARY KEY,
  counts      TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE orchestrators (
  id                TEXT    NOT NULL PRIMARY KEY,
  scope             TEXT    NOT NULL,
  cluster           TEXT    NOT NULL,
  machine_id        TEXT    NOT NULL,
  hostname          TEXT,
  repo_url          TEXT,
  version           TEXT,
  capabilities TEXT,
  max_agents        INTEGER,
  -- active: heard of lately · offline: silent for too long · maintenance: set by hand, gets no work until lifted.
  status            TEXT    NOT NULL CHECK (status IN ('active', 'offline', 'maintenance')),
  registered_at     INTEGER NOT NULL,
  last_heartbeat    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX orchestrators_of_scope ON orchestrators (scope);
-- "Who may have fallen silent?" `last_heartbeat` is left out on purpose: it moves with every heartbeat.
CREATE INDEX orchestrators_active ON orchestrators (id) WHERE status = 'active';

-- An idea that may become a task.
CREATE TABLE drafts (
  id                INTEGER PRIMARY KEY AUTOINCREMENT,
  scope             TEXT    NOT NULL,
  title             TEXT    NOT NULL,
  status            TEXT    NOT NULL,
  author            TEXT    NOT NULL,
  domain            TEXT,
  file_path         TEXT,
  linked_task_id    TEXT,
  linked_project_id TEXT,
  tags              TEXT,
  created_at        INTEGER NOT NULL,
  updated_at        INTEGER NOT NULL
) STRICT;

-- "The newest drafts of this scope."
CREATE INDEX drafts_newest ON drafts (scope, created_at, id);
