-- The schema of the database as it is after all migrations.
--
-- Written by `npm run schema -- --write` from a migrated database. Wrangler does not apply this file: it applies `migrations/`.
--
-- Tables. `tasks` has the present state of each task: its queue, its lease and its counters. `history` has one row for each version
-- of each task, and outlives it. `dependencies` says which task waits for which. `queue_counts` has the counters that lists and polls
-- read. `usage` and `usage_caps` have what a scope used on each day, and may use. `breakers` stop claims. `projects`, `orchestrators`, `roles`, `flows`, `messages`, `actions` and `drafts` are records of clients. `api_keys` and
-- `idempotency_keys` belong to access and to repeated requests. `webhooks` and `webhook_deliveries` send the feed to others. `d1_costs`, `sweeps`, `fencing_floor` and `schema_version` belong to the server.
--
-- A change of a task is one batch of three steps: plan, apply, count. D1 carries a batch out whole or not at all.
--
--   plan    `recorded` inserts the history row of the next version (tasks.version + 1), with `from_queue` and `to_queue`. Only this
--           statement asks whether the change may be made. If it may not, it inserts nothing, and the next two change nothing.
--   apply   the step with the name of the change (`moved`, `granted` and so on) reads the plan, sets the columns of the task, and raises its version to that of
--           the plan.
--   count   `counted` moves the counters of the scope and of the project, and the number of the scope's newest change.
--
-- Each history row has the next number of its scope's feed, `seq`. Until it is counted, it is above `queue_counts.seq`, and the view
-- `plans` has it. Until it is applied, its version is ahead of its task, and the view `planned` has it. After a batch both are empty. A batch
-- may plan changes of several tasks, such as those that fail with a blocker, and two changes of one task: first its lease expires, then it
-- fails. A create is the exception: it inserts the task first, and the view `unrecorded` finds the task whose first row is missing.
--
-- Rules that several statements need are views; they follow the tables. Invariants are CHECKs. There are no triggers.
--
-- Times are integers: milliseconds since 1970 in UTC. They are always parameters; no statement asks for the time. Structured values are
-- JSON text. Booleans are 0 or 1. A table with a text key has no rowid, because D1 bills each index entry as a written row.
-- `scope` is the tenant that a row belongs to.

-- A unit of work. It is in one queue at any time. A lease is not a queue: a task is leased while `claimed_by` is set. A worker's lease
-- has the queue `claimed`; under a review claim the task stays in its queue. Each task is in one of the indexes `tasks_ready`,
-- `tasks_waiting` and `tasks_leased`, so a move writes one entry.
CREATE TABLE tasks (
  id                        TEXT NOT NULL PRIMARY KEY,
  scope                     TEXT NOT NULL CHECK (scope <> ''),
  -- The client's file for the task, usually `TASK-<id>.md`.
  file_path                 TEXT NOT NULL,
  title                     TEXT NOT NULL,
  -- The state of the task.
  queue                     TEXT NOT NULL CHECK (queue <> '' AND instr(queue, '"') = 0),
  -- Rises by one with each change. History has a row for each version.
  version                   INTEGER NOT NULL CHECK (version > 0),
  -- As the caller wrote it.
  priority                  TEXT NOT NULL,
  -- The number of the priority (`domain/task/Priority.ts`). Claims sort by it.
  priority_rank             INTEGER NOT NULL,
  complexity                TEXT,
  -- The role that may claim the task; null: any.
  role                      TEXT,
  type                      TEXT,
  branch                    TEXT NOT NULL,
  content                   TEXT,
  project_id                TEXT REFERENCES projects (id),
  -- The ids of its blockers that are not done, joined by commas; null if there are none.
  blocked_by                TEXT CHECK (blocked_by <> ''),
  -- The agent that holds the lease; null if the task is not leased.
  claimed_by                TEXT CHECK (claimed_by <> ''),
  claimed_at                INTEGER,
  -- The queue the task returns to when the lease expires.
  claimed_from              TEXT,
  -- The machine that holds the lease.
  orchestrator_id           TEXT,
  -- When the lease ends unless it is renewed.
  lease_expires_at          INTEGER,
  -- How many leases were granted. The fencing token of the present lease is this number.
  grants                    INTEGER NOT NULL DEFAULT 0 CHECK (grants >= 0),
  fencing_token             INTEGER GENERATED ALWAYS AS (CASE WHEN claimed_by IS NOT NULL THEN grants END) VIRTUAL,
  -- The token of a lease that expired, until the task is moved or granted again. Its holder may still submit.
  lapsed_token              INTEGER,
  -- Attempts that ended without a result, lost leases included.
  attempt_count             INTEGER NOT NULL DEFAULT 0,
  -- How often a result was rejected.
  rejection_count           INTEGER NOT NULL DEFAULT 0,
  -- How many leases expired.
  lease_losses              INTEGER NOT NULL DEFAULT 0,
  last_rejection_reason     TEXT,
  commits_count             INTEGER NOT NULL DEFAULT 0,
  turns_used                INTEGER,
  check_results             TEXT,
  execution_notes           TEXT,
  -- A person has to look at the task.
  needs_intervention        INTEGER NOT NULL DEFAULT 0 CHECK (needs_intervention IN (0, 1)),
  submitted_at              INTEGER,
  -- When the task became done.
  completed_at              INTEGER,
  -- From here to `needs_breakdown`: values that clients keep and the server only stores.
  pr_number                 INTEGER,
  pr_url                    TEXT,
  checks                    TEXT,
  staging_url               TEXT,
  plan_id                   TEXT,
  has_plan                  INTEGER NOT NULL DEFAULT 0 CHECK (has_plan IN (0, 1)),
  auto_accept               INTEGER NOT NULL DEFAULT 0 CHECK (auto_accept IN (0, 1)),
  needs_rebase              INTEGER NOT NULL DEFAULT 0 CHECK (needs_rebase IN (0, 1)),
  needs_breakdown           INTEGER NOT NULL DEFAULT 0 CHECK (needs_breakdown IN (0, 1)),
  last_rebase_attempt_at    INTEGER,
  review_round              INTEGER NOT NULL DEFAULT 0,
  -- The checks that clients run, with their outcomes: a JSON list.
  hooks                     TEXT,
  -- The state machine that the task follows.
  flow                      TEXT NOT NULL,
  flow_overrides            TEXT,
  metadata                  TEXT,
  created_at                INTEGER NOT NULL,
  updated_at                INTEGER NOT NULL,
  -- The role as a claim looks it up: '' without one.
  lane                      TEXT GENERATED ALWAYS AS (coalesce(role, '')) VIRTUAL,
  -- The queue the task was in before `requires-intervention`.
  intervention_from         TEXT,
  -- The length of the lease. A renewal that names none extends by as much.
  lease_seconds             INTEGER CHECK (lease_seconds > 0),
  -- How long one attempt may take, renewals included.
  max_attempt_seconds       INTEGER CHECK (max_attempt_seconds > 0),
  -- When the present attempt has to end.
  deadline_at               INTEGER CHECK (deadline_at IS NULL OR claimed_by IS NOT NULL),
  -- When a cancellation of the held task was requested.
  cancel_requested_at       INTEGER CHECK (cancel_requested_at IS NULL OR claimed_by IS NOT NULL),
  -- Why the task is or will be cancelled.
  cancel_reason             TEXT,
  -- Limits of this task; null: the server's default; 0: no limit.
  max_attempts              INTEGER CHECK (max_attempts >= 0),
  max_lease_losses          INTEGER CHECK (max_lease_losses >= 0),
  max_rejections            INTEGER CHECK (max_rejections >= 0),
  -- Why the task is in `failed`.
  failure_reason            TEXT,
  -- The end of the backoff, or the year 9999 while the task waits for a reply. The first claim after it clears this.
  available_at              INTEGER CHECK (available_at IS NULL OR claimed_by IS NULL),
  -- The id of the task in the client's own system.
  external_key              TEXT CHECK (external_key <> ''),
  -- What the last holder wrote down for the next attempt: JSON.
  checkpoint                TEXT,
  -- The latest setbacks (rejections, requeues, failures, expired leases, missed deadlines), oldest first: a JSON list.
  setbacks                  TEXT,
  -- The `claimed_by` that a client gave a task in `failed` or `cancelled`, which has no lease.
  named_holder              TEXT CHECK (named_holder <> ''),
  -- The limits in force when the present lease was granted; null: none.
  loss_limit                INTEGER CHECK (loss_limit > 0),
  attempt_limit             INTEGER CHECK (attempt_limit > 0),
  -- The size of those texts of the task that had no limit in earlier releases.
  bytes                     INTEGER GENERATED ALWAYS AS (octet_length(file_path) + octet_length(title) + octet_length(priority)
    + octet_length(branch) + octet_length(flow) + coalesce(octet_length(complexity), 0)
    + coalesce(octet_length(role), 0) + coalesce(octet_length(type), 0) + coalesce(octet_length(content), 0)
    + coalesce(octet_length(blocked_by), 0) + coalesce(octet_length(claimed_by), 0)
    + coalesce(octet_length(last_rejection_reason), 0) + coalesce(octet_length(check_results), 0)
    + coalesce(octet_length(execution_notes), 0) + coalesce(octet_length(pr_url), 0)
    + coalesce(octet_length(checks), 0) + coalesce(octet_length(staging_url), 0) + coalesce(octet_length(plan_id), 0)
    + coalesce(octet_length(hooks), 0) + coalesce(octet_length(flow_overrides), 0)
    + coalesce(octet_length(metadata), 0) + coalesce(octet_length(cancel_reason), 0)
    + coalesce(octet_length(failure_reason), 0) + coalesce(octet_length(setbacks), 0)) VIRTUAL,
  -- The agent and the machine that held the lease when the last result was submitted.
  submitted_by              TEXT,
  submitted_orchestrator_id TEXT,
  -- How a person gets into the session of an agent: of the one whose lease had the token `session_token`.
  session_url               TEXT,
  resume_command            TEXT,
  session_token             INTEGER,
  -- The newest commit that a checkpoint or a result named. Evidence of other commits does not count.
  head_commit               TEXT,
  -- The evidence of the last result that had any: a JSON list.
  evidence                  TEXT,
  -- What was used for it in all attempts: millionths of a dollar, tokens, milliseconds.
  cost_usd                  INTEGER NOT NULL DEFAULT 0 CHECK (cost_usd >= 0),
  input_tokens              INTEGER NOT NULL DEFAULT 0 CHECK (input_tokens >= 0),
  output_tokens             INTEGER NOT NULL DEFAULT 0 CHECK (output_tokens >= 0),
  cached_tokens             INTEGER NOT NULL DEFAULT 0 CHECK (cached_tokens >= 0),
  wall_seconds              INTEGER NOT NULL DEFAULT 0 CHECK (wall_seconds >= 0),
  -- Its caps, in the same units; null: none.
  max_cost_usd              INTEGER CHECK (max_cost_usd > 0),
  max_tokens                INTEGER CHECK (max_tokens > 0),
  -- It has used as much as it may, and is not claimed.
  capped                    INTEGER GENERATED ALWAYS AS (coalesce(cost_usd >= max_cost_usd, 0) OR coalesce(input_tokens
    + output_tokens >= max_tokens, 0)) VIRTUAL,
  -- The draft that it was promoted from.
  draft_id                  INTEGER CHECK (draft_id > 0),
  -- The failure is terminal: no retry mends it. It is set while the task is in `failed`.
  terminal                  INTEGER NOT NULL DEFAULT 0 CHECK (terminal IN (0, 1)),
  -- The question that held the task last.
  question_id               TEXT,
  -- The question that the task waits for a reply to.
  waiting_for_reply         TEXT GENERATED ALWAYS AS (iif(available_at = 253402300799999, question_id, NULL)) VIRTUAL,
  -- The latest questions and their answers, oldest first: a JSON list.
  answers                   TEXT,
  -- Whether `tasks_ready_by_project` has the task while it is ready: not in a scope where no project can be stopped.
  by_project                INTEGER NOT NULL DEFAULT 1 CHECK (by_project IN (0, 1)),
  project_key               TEXT GENERATED ALWAYS AS (coalesce(project_id, '')) VIRTUAL,
  CHECK ((claimed_by IS NULL) = (lease_expires_at IS NULL)),
  CHECK ((claimed_by IS NULL) = (claimed_at IS NULL)),
  CHECK ((claimed_by IS NULL) = (claimed_from IS NULL)),
  CHECK (claimed_by IS NOT NULL OR orchestrator_id IS NULL),
  CHECK (claimed_by IS NOT NULL OR queue <> 'claimed'),
  CHECK (claimed_by IS NULL OR (grants > 0 AND lapsed_token IS NULL)),
  CHECK (queue <> 'claimed' OR claimed_from NOT IN ('claimed', 'done', 'failed')),
  CHECK (queue <> 'done' OR completed_at IS NOT NULL)
) STRICT, WITHOUT ROWID;

-- The tasks that a claim may take, in the order of claims.
CREATE INDEX tasks_ready ON tasks (scope, queue, priority_rank, created_at, id)
  WHERE claimed_by IS NULL AND blocked_by IS NULL AND available_at IS NULL AND queue <> 'done';

-- The same for each role: one seek for each role that is asked for.
CREATE INDEX tasks_ready_for ON tasks (scope, queue, lane, priority_rank, created_at, id)
  WHERE claimed_by IS NULL AND blocked_by IS NULL AND available_at IS NULL AND queue <> 'done' AND role IS NOT NULL;

-- The same for each role and project: a claim looks past projects that are stopped.
CREATE INDEX tasks_ready_by_project ON tasks (scope, queue, lane, project_key, priority_rank, created_at, id)
  WHERE claimed_by IS NULL AND blocked_by IS NULL AND available_at IS NULL AND queue <> 'done' AND by_project = 1;

-- Tasks that wait for a blocker or a time, and tasks that are done.
CREATE INDEX tasks_waiting ON tasks (scope, queue, priority_rank, created_at, id)
  WHERE claimed_by IS NULL AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done');

-- The leases of a scope by their end, and those of a machine or a queue.
CREATE INDEX tasks_leased ON tasks (scope, lease_expires_at, queue, orchestrator_id, id) WHERE claimed_by IS NOT NULL;

-- The tasks whose backoff may be over.
CREATE INDEX tasks_backing_off ON tasks (scope, available_at, id) WHERE available_at IS NOT NULL;

-- The tasks of a project.
CREATE INDEX tasks_project ON tasks (project_id, priority_rank, created_at) WHERE project_id IS NOT NULL;

-- The tasks that need a person.
CREATE INDEX tasks_flagged ON tasks (scope, created_at, id) WHERE needs_intervention = 1;

-- The tasks of an external key. At most one of them is open.
CREATE UNIQUE INDEX tasks_external_key ON tasks (scope, external_key, iif(queue IN ('done', 'failed', 'cancelled'), id, ''))
  WHERE external_key IS NOT NULL;

-- Whether a path is taken. A path that is named after its task is found by the id.
CREATE UNIQUE INDEX tasks_file_path ON tasks (scope, file_path) WHERE file_path <> 'TASK-' || id || '.md';

-- The record of changes: a row for each version of each task. It has no foreign key, because it outlives its task.
CREATE TABLE history (
  task_id    TEXT NOT NULL,
  version    INTEGER NOT NULL,
  scope      TEXT NOT NULL,
  event      TEXT NOT NULL,
  -- Null for a create.
  from_queue TEXT,
  -- Null for a deletion.
  to_queue   TEXT,
  actor      TEXT,
  reason     TEXT,
  -- What is particular to the event: JSON.
  details    TEXT,
  -- The value of `tasks.grants` then. A task that is created again under its old id continues from it.
  grants     INTEGER NOT NULL,
  at         INTEGER NOT NULL,
  -- The number of the change in the feed of its scope, in the order of commits; null if it was recorded before there was a feed.
  seq        INTEGER,
  -- The title of the task before the change.
  title      TEXT,
  -- Its project before the change.
  project_id TEXT,
  PRIMARY KEY (task_id, version)
) STRICT, WITHOUT ROWID;

-- The deleted tasks, for exports.
CREATE INDEX history_deleted ON history (task_id, scope) WHERE to_queue IS NULL;

-- The feed of a scope.
CREATE UNIQUE INDEX history_feed ON history (scope, seq) WHERE seq IS NOT NULL;

-- What failed, and the leases that were lost, in the order of time.
CREATE INDEX history_failures ON history (scope, at, seq)
  WHERE seq IS NOT NULL AND (event IN ('failed', 'dependency_failed', 'lease_expired', 'review_lease_expired', 'deadline_exceeded') OR (to_queue = 'failed' AND from_queue <> 'failed'));

-- A task waits for a blocker. The blocker is named as the caller named it and need not exist; `TASK-x` also means the task `x`.
CREATE TABLE dependencies (
  scope        TEXT NOT NULL,
  -- The id of the blocker without `TASK-`.
  blocker_key  TEXT NOT NULL,
  blocker_id   TEXT NOT NULL,
  task_id      TEXT NOT NULL,
  -- The place in the caller's list.
  position     INTEGER NOT NULL,
  -- When the blocker became done; null before.
  satisfied_at INTEGER,
  -- What happens to the task if the blocker fails or is cancelled.
  on_failure   TEXT NOT NULL DEFAULT 'wait' CHECK (on_failure IN ('wait', 'skip', 'fail')),
  PRIMARY KEY (blocker_key, task_id, blocker_id)
) STRICT, WITHOUT ROWID;

-- What a task waits for.
CREATE INDEX dependencies_of ON dependencies (task_id, blocker_id);

-- The counters of a scope in one row, so that lists and polls count nothing. A project has a row too, under char(31) and its id.
CREATE TABLE queue_counts (
  scope             TEXT NOT NULL PRIMARY KEY,
  -- How many tasks are in each queue, as {"incoming": 3}. A queue without tasks is left out.
  counts            TEXT NOT NULL,
  -- The revisions rise with each change of a list. A conditional read compares them (`sql/Revisions.ts`).
  revision          INTEGER NOT NULL DEFAULT 0,
  messages_revision INTEGER NOT NULL DEFAULT 0,
  drafts_revision   INTEGER NOT NULL DEFAULT 0,
  projects_revision INTEGER NOT NULL DEFAULT 0,
  -- The totals are null until the cron has counted them.
  messages_total    INTEGER,
  drafts_total      INTEGER,
  projects_total    INTEGER,
  -- Rises with each renewal.
  leases_revision   INTEGER NOT NULL DEFAULT 0,
  -- The number of the newest change in the feed of the scope. Without meaning in the row of a project.
  seq               INTEGER NOT NULL DEFAULT 0,
  -- Whether a project of the scope may be stopped, or could be before: `tasks_ready_by_project` has its tasks.
  by_project        INTEGER NOT NULL DEFAULT 0 CHECK (by_project IN (0, 1)),
  -- How often each event happened, as {"claimed": 3}. Empty in the row of a project, as the next column is.
  events            TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(events)),
  -- How many tasks became done in each of the last 24 hours: the slot `hour % 24` has the hour since 1970 and the number.
  lives             TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(lives)),
  -- Rises when a machine of the scope comes, goes, or has another status.
  machines_revision INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

-- The scopes whose totals are not counted yet.
CREATE INDEX queue_counts_uncounted ON queue_counts (scope)
  WHERE scope >= ' ' AND (messages_total IS NULL OR drafts_total IS NULL OR projects_total IS NULL);

-- Whether a new task is in `tasks_ready_by_project`.
CREATE INDEX queue_counts_by_project ON queue_counts (scope) WHERE by_project = 1;

-- What all requests and turns of the cron cost in D1. An isolate adds what it has counted once a minute at most (`services/feed/D1Costs.ts`).
CREATE TABLE d1_costs (
  id           INTEGER PRIMARY KEY CHECK (id = 1),
  trips        INTEGER NOT NULL CHECK (trips >= 0),
  statements   INTEGER NOT NULL CHECK (statements >= 0),
  rows_read    INTEGER NOT NULL CHECK (rows_read >= 0),
  rows_written INTEGER NOT NULL CHECK (rows_written >= 0)
) STRICT;

-- A group of tasks that share a branch.
CREATE TABLE projects (
  id                TEXT NOT NULL PRIMARY KEY,
  scope             TEXT NOT NULL,
  title             TEXT NOT NULL,
  description       TEXT,
  status            TEXT NOT NULL,
  branch            TEXT,
  base_branch       TEXT NOT NULL,
  auto_accept       INTEGER NOT NULL DEFAULT 0 CHECK (auto_accept IN (0, 1)),
  flow              TEXT NOT NULL DEFAULT 'project',
  pr_number         INTEGER,
  pr_url            TEXT,
  created_by        TEXT,
  created_at        INTEGER NOT NULL,
  updated_at        INTEGER NOT NULL,
  completed_at      INTEGER,
  -- The kinds of evidence that an accept of its tasks requires: a JSON list.
  evidence_required TEXT,
  -- What its tasks used: millionths of a dollar, tokens, milliseconds.
  cost_usd          INTEGER NOT NULL DEFAULT 0 CHECK (cost_usd >= 0),
  input_tokens      INTEGER NOT NULL DEFAULT 0 CHECK (input_tokens >= 0),
  output_tokens     INTEGER NOT NULL DEFAULT 0 CHECK (output_tokens >= 0),
  cached_tokens     INTEGER NOT NULL DEFAULT 0 CHECK (cached_tokens >= 0),
  wall_seconds      INTEGER NOT NULL DEFAULT 0 CHECK (wall_seconds >= 0),
  -- Its caps, in the same units; null: none.
  max_cost_usd      INTEGER CHECK (max_cost_usd > 0),
  max_tokens        INTEGER CHECK (max_tokens > 0),
  -- It has used as much as it may. No task of it is claimed.
  capped            INTEGER GENERATED ALWAYS AS (coalesce(cost_usd >= max_cost_usd, 0) OR coalesce(input_tokens
    + output_tokens >= max_tokens, 0)) VIRTUAL,
  draft_id          INTEGER CHECK (draft_id > 0),
  -- How often a result of one of its tasks may be rejected before the task fails; null: no limit.
  max_review_rounds INTEGER CHECK (max_review_rounds > 0)
) STRICT, WITHOUT ROWID;

-- The newest projects of a scope.
CREATE INDEX projects_newest ON projects (scope, created_at, id);

-- The projects at a cap, for a claim that looks past their tasks.
CREATE INDEX projects_capped ON projects (scope, id) WHERE capped;

-- The accounts with providers that get no task before a time, because they have reached a limit.
CREATE TABLE parked_accounts (
  scope     TEXT NOT NULL,
  account   TEXT NOT NULL,
  -- When the limit is over. Parking another account forgets what is over.
  until     INTEGER NOT NULL,
  -- The task whose holder parked the account. It may be gone.
  task_id   TEXT,
  parked_by TEXT,
  parked_at INTEGER,
  -- What the provider said: the beginning.
  reason    TEXT,
  PRIMARY KEY (scope, account)
) STRICT, WITHOUT ROWID;

-- What a scope used on a day, for the caps on the day and for lists.
CREATE TABLE usage (
  scope         TEXT NOT NULL,
  -- The number of the day in UTC, from 1970 on.
  day           INTEGER NOT NULL CHECK (day >= 0),
  -- Millionths of a dollar, tokens, milliseconds.
  cost_usd      INTEGER NOT NULL CHECK (cost_usd >= 0),
  input_tokens  INTEGER NOT NULL CHECK (input_tokens >= 0),
  output_tokens INTEGER NOT NULL CHECK (output_tokens >= 0),
  cached_tokens INTEGER NOT NULL CHECK (cached_tokens >= 0),
  wall_seconds  INTEGER NOT NULL CHECK (wall_seconds >= 0),
  -- The same sums for each model: JSON lists by the names of the models.
  models        TEXT NOT NULL,
  -- The caps of the scope, as `usage_caps` has them.
  max_cost_usd  INTEGER CHECK (max_cost_usd > 0),
  max_tokens    INTEGER CHECK (max_tokens > 0),
  -- The scope has used as much on this day as it may.
  capped        INTEGER GENERATED ALWAYS AS (coalesce(cost_usd >= max_cost_usd, 0) OR coalesce(input_tokens
    + output_tokens >= max_tokens, 0)) VIRTUAL,
  PRIMARY KEY (scope, day)
) STRICT, WITHOUT ROWID;

-- The caps on each day of a scope. New rows of `usage` get them.
CREATE TABLE usage_caps (
  scope        TEXT NOT NULL PRIMARY KEY,
  max_cost_usd INTEGER CHECK (max_cost_usd > 0),
  max_tokens   INTEGER CHECK (max_tokens > 0)
) STRICT, WITHOUT ROWID;

-- What stops the claims of a scope or a project when different tasks fail alike. A breaker that is off has no row.
CREATE TABLE breakers (
  scope         TEXT NOT NULL,
  -- The project; '' for the scope.
  project_id    TEXT NOT NULL,
  threshold     INTEGER NOT NULL CHECK (threshold > 1),
  window_millis INTEGER NOT NULL CHECK (window_millis > 0),
  wait_millis   INTEGER NOT NULL CHECK (wait_millis > 0),
  -- The newest failures, oldest first: a JSON list of fingerprint, task and time.
  failures      TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(failures)),
  -- When it opened; null while it is closed.
  opened_at     INTEGER,
  reason        TEXT,
  -- The task whose failure opened it.
  tripped_by    TEXT,
  -- When the next canary may be claimed, unless one is held.
  retry_at      INTEGER,
  -- How many canaries have failed since it opened.
  probes        INTEGER NOT NULL DEFAULT 0 CHECK (probes >= 0),
  -- The last canary, and the token of its lease.
  canary_task   TEXT,
  canary_token  INTEGER,
  PRIMARY KEY (scope, project_id),
  CHECK ((opened_at IS NULL) = (retry_at IS NULL)),
  CHECK ((opened_at IS NULL) = (tripped_by IS NULL)),
  CHECK (opened_at IS NOT NULL OR canary_task IS NULL),
  CHECK ((canary_task IS NULL) = (canary_token IS NULL))
) STRICT, WITHOUT ROWID;

-- The breakers that a task is the canary of.
CREATE INDEX breakers_canary ON breakers (canary_task) WHERE canary_task IS NOT NULL;

-- The breakers of a scope that are open.
CREATE INDEX breakers_open ON breakers (scope, project_id) WHERE opened_at IS NOT NULL;

-- A machine in a scope. The same machine may be registered in several scopes.
CREATE TABLE orchestrators (
  id             TEXT NOT NULL,
  scope          TEXT NOT NULL,
  cluster        TEXT NOT NULL,
  machine_id     TEXT NOT NULL,
  hostname       TEXT,
  repo_url       TEXT,
  version        TEXT,
  capabilities   TEXT,
  max_agents     INTEGER,
  -- How many tasks it may hold at once if its claims set no limit.
  max_claimed    INTEGER,
  -- active; offline: silent for too long; maintenance: gets no work.
  status         TEXT NOT NULL CHECK (status IN ('active', 'offline', 'maintenance')),
  registered_at  INTEGER NOT NULL,
  last_heartbeat INTEGER NOT NULL,
  PRIMARY KEY (id, scope)
) STRICT, WITHOUT ROWID;

-- The machines of a scope.
CREATE INDEX orchestrators_of_scope ON orchestrators (scope);

-- The machines that may have fallen silent. It leaves `last_heartbeat` out, so a heartbeat writes no entry.
CREATE INDEX orchestrators_active ON orchestrators (id, scope) WHERE status = 'active';

-- A role of agents. A scope with roles knows no others; a scope without roles accepts every name.
CREATE TABLE roles (
  scope           TEXT NOT NULL,
  name            TEXT NOT NULL,
  description     TEXT,
  -- The queue that its agents claim from if they name none.
  claims_from     TEXT NOT NULL,
  -- The machine that registered it last.
  orchestrator_id TEXT NOT NULL,
  created_at      INTEGER NOT NULL,
  PRIMARY KEY (scope, name)
) STRICT, WITHOUT ROWID;

-- A state machine that replaces the default one for the tasks that name it.
CREATE TABLE flows (
  scope         TEXT NOT NULL,
  name          TEXT NOT NULL,
  description   TEXT,
  states        TEXT NOT NULL,
  transitions   TEXT NOT NULL,
  child_flow    TEXT,
  -- What the flow means for each move, computed at registration (`domain/flow/`).
  rules         TEXT NOT NULL,
  registered_at INTEGER NOT NULL,
  updated_at    INTEGER NOT NULL,
  PRIMARY KEY (scope, name)
) STRICT, WITHOUT ROWID;

-- The scopes that have a flow of a name.
CREATE INDEX flows_named ON flows (name);

-- A message between actors.
CREATE TABLE messages (
  -- The order of arrival.
  seq               INTEGER PRIMARY KEY AUTOINCREMENT,
  id                TEXT NOT NULL UNIQUE,
  scope             TEXT NOT NULL,
  -- What it is about. It need not be a task.
  task_id           TEXT NOT NULL,
  from_actor        TEXT NOT NULL,
  to_actor          TEXT,
  type              TEXT NOT NULL,
  content           TEXT NOT NULL,
  parent_message_id TEXT,
  status            TEXT NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'processing', 'done')),
  created_at        INTEGER NOT NULL,
  -- Whether it has a reply. It is set for questions only.
  replied           INTEGER NOT NULL DEFAULT 0 CHECK (replied IN (0, 1))
) STRICT;

-- The messages of a scope.
CREATE INDEX messages_of_scope ON messages (scope);

-- The questions to people that are not done and have no reply.
CREATE INDEX messages_questions ON messages (scope, seq)
  WHERE type IN ('question', 'intervention_request') AND status <> 'done' AND (to_actor IS NULL OR to_actor = 'human') AND replied = 0;

-- The messages about a task.
CREATE INDEX messages_about ON messages (scope, task_id);

-- The messages to an actor.
CREATE INDEX messages_to ON messages (scope, to_actor) WHERE to_actor IS NOT NULL;

-- The replies to a message.
CREATE INDEX messages_replies ON messages (parent_message_id) WHERE parent_message_id IS NOT NULL;

-- A proposal that one actor makes, another approves, and another carries out.
CREATE TABLE actions (
  seq         INTEGER PRIMARY KEY AUTOINCREMENT,
  id          TEXT NOT NULL UNIQUE,
  scope       TEXT NOT NULL,
  entity_type TEXT NOT NULL,
  entity_id   TEXT NOT NULL,
  action_type TEXT NOT NULL,
  label       TEXT NOT NULL,
  description TEXT,
  status      TEXT NOT NULL
    CHECK (status IN ('proposed', 'execute_requested', 'executing', 'completed', 'failed', 'expired')),
  proposed_by TEXT NOT NULL,
  proposed_at INTEGER NOT NULL,
  executed_at INTEGER,
  result      TEXT,
  expires_at  INTEGER,
  metadata    TEXT,
  action_data TEXT
) STRICT;

-- The actions about a record.
CREATE INDEX actions_about ON actions (scope, entity_type, entity_id);

-- The newest actions of a scope.
CREATE INDEX actions_newest ON actions (scope, proposed_at, seq);

-- An idea that may become a task.
CREATE TABLE drafts (
  id                INTEGER PRIMARY KEY AUTOINCREMENT,
  scope             TEXT NOT NULL,
  title             TEXT NOT NULL,
  status            TEXT NOT NULL,
  author            TEXT NOT NULL,
  domain            TEXT,
  file_path         TEXT,
  linked_task_id    TEXT,
  linked_project_id TEXT,
  tags              TEXT,
  created_at        INTEGER NOT NULL,
  updated_at        INTEGER NOT NULL,
  -- The name that the client gave it.
  slug              TEXT
) STRICT;

-- The newest drafts of a scope.
CREATE INDEX drafts_newest ON drafts (scope, created_at, id);

-- The key of a caller in a scope. Only its SHA-256 is kept. A revoked key has no row.
CREATE TABLE api_keys (
  hash         TEXT NOT NULL PRIMARY KEY,
  id           TEXT NOT NULL,
  scope        TEXT NOT NULL,
  name         TEXT NOT NULL,
  -- The beginning of the key, by which people recognise it.
  starts_with  TEXT NOT NULL,
  created_by   TEXT NOT NULL,
  created_at   INTEGER NOT NULL,
  -- To the hour.
  last_used_at INTEGER,
  expires_at   INTEGER,
  -- The expiry it was issued with, before a rotation shortened it.
  issued_until INTEGER,
  -- What the key may do in its scope (`domain/access/Rank.ts`).
  rank         TEXT NOT NULL DEFAULT 'manage' CHECK (rank IN ('fence', 'read', 'work', 'manage'))
) STRICT, WITHOUT ROWID;

-- The keys of a scope.
CREATE UNIQUE INDEX api_keys_of_scope ON api_keys (scope, id);

-- An address to which the server sends the events of a scope: a reader of its feed (`services/feed/Deliveries.ts`).
CREATE TABLE webhooks (
  id              TEXT NOT NULL PRIMARY KEY,
  scope           TEXT NOT NULL,
  name            TEXT,
  -- May be a secret of the receiver.
  url             TEXT NOT NULL,
  -- Signs each message, so it is kept as it is.
  secret          TEXT NOT NULL,
  -- The secret before the last rotation. It signs too until `previous_until`.
  previous_secret TEXT,
  previous_until  INTEGER,
  -- The events that are sent; null means all.
  types           TEXT CHECK (types IS NULL OR json_valid(types)),
  -- The project whose events are sent; null means all.
  project_id      TEXT,
  template        TEXT CHECK (template IS NULL OR json_valid(template)),
  -- The number of the last event that was accepted, or left out by a filter.
  position        INTEGER NOT NULL CHECK (position >= 0),
  -- How often the next event was sent and not accepted.
  attempts        INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
  failing_since   INTEGER,
  next_attempt_at INTEGER,
  -- When the last event was accepted.
  delivered_at    INTEGER,
  -- When an isolate last claimed it.
  tried_at        INTEGER NOT NULL DEFAULT 0,
  -- The isolate that sends just now, or whose claim was left: only it may store a new position.
  sender          TEXT,
  -- Until then nobody else sends.
  sending_until   INTEGER,
  -- How many attempts were written into the log in all.
  entries         INTEGER NOT NULL DEFAULT 0,
  disabled_at     INTEGER,
  disabled_reason TEXT,
  created_by      TEXT NOT NULL,
  created_at      INTEGER NOT NULL,
  -- How many messages were not accepted, ever.
  failures        INTEGER NOT NULL DEFAULT 0 CHECK (failures >= 0),
  -- Those before it that sign too, as [[secret, until]].
  older_secrets   TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(older_secrets)),
  CHECK ((previous_secret IS NULL) = (previous_until IS NULL)),
  CHECK ((failing_since IS NULL) = (attempts = 0)),
  CHECK ((failing_since IS NULL) = (next_attempt_at IS NULL)),
  CHECK ((disabled_at IS NULL) = (disabled_reason IS NULL))
) STRICT, WITHOUT ROWID;

-- The webhooks of a scope.
CREATE INDEX webhooks_of_scope ON webhooks (scope);

-- The log of a webhook: its last 100 attempts.
CREATE TABLE webhook_deliveries (
  webhook_id TEXT NOT NULL,
  -- `number % 100`, so that an attempt replaces the one 100 before it.
  slot       INTEGER NOT NULL CHECK (slot BETWEEN 0 AND 99),
  number     INTEGER NOT NULL CHECK (number % 100 = slot),
  -- The number of the event; null for a test.
  seq        INTEGER,
  event      TEXT NOT NULL,
  at         INTEGER NOT NULL,
  -- How often the event had been sent and not accepted before, plus one.
  attempt    INTEGER NOT NULL,
  -- The HTTP status of the answer; null if there was none.
  status     INTEGER,
  -- Why it counts as not accepted; null if it was accepted.
  error      TEXT,
  -- The beginning of the answer.
  response   TEXT,
  millis     INTEGER NOT NULL,
  PRIMARY KEY (webhook_id, slot)
) STRICT, WITHOUT ROWID;

-- The keys of POST requests with their answers. A key is written in the batch that has the effect.
CREATE TABLE idempotency_keys (
  -- SHA-256 of the caller and the key.
  id          TEXT NOT NULL PRIMARY KEY,
  -- SHA-256 of the request.
  fingerprint TEXT NOT NULL,
  -- The rows that the answer is made from: a JSON list.
  answer      TEXT,
  at          INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- How far the cron is in each of its walks through a table.
CREATE TABLE sweeps (
  name     TEXT NOT NULL PRIMARY KEY,
  -- The key it has reached.
  position TEXT NOT NULL,
  -- When it continues.
  due_at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The token above which a restored database grants. There is no row if nothing was restored.
CREATE TABLE fencing_floor (
  id    INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
  token INTEGER NOT NULL CHECK (token >= 0)
) STRICT;

-- The number of the newest migration. One row.
CREATE TABLE schema_version (
  id        INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
  migration INTEGER NOT NULL CHECK (migration > 0)
) STRICT;

-- ======== Views ========

-- The tasks that a claim may take. The condition is that of `tasks_ready`.
CREATE VIEW ready AS
SELECT id, scope, queue, lane, type, priority_rank, created_at, bytes, project_id, capped FROM tasks INDEXED BY tasks_ready
WHERE claimed_by IS NULL AND blocked_by IS NULL AND available_at IS NULL AND queue <> 'done';

-- Those that have a role. The condition is that of `tasks_ready_for`.
CREATE VIEW ready_for AS
SELECT id, scope, queue, lane, type, priority_rank, created_at, bytes, project_id, capped FROM tasks INDEXED BY tasks_ready_for
WHERE claimed_by IS NULL AND blocked_by IS NULL AND available_at IS NULL AND queue <> 'done' AND role IS NOT NULL;

-- What happens to each held task when its lease expires: the event, and the queue it goes to. `domain/task/Moves.ts` says the same.
CREATE VIEW expiring AS
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

-- The changes that the batch has planned and not applied: of each task the newest history row that is ahead of it.
CREATE VIEW planned AS
SELECT tasks.id, tasks.scope, tasks.project_id, tasks.version AS present, history.version, event, queue AS from_queue, to_queue,
  reason, at
FROM tasks CROSS JOIN history ON history.task_id = tasks.id AND history.version > tasks.version
  AND NOT EXISTS (SELECT 1 FROM history AS later WHERE later.task_id = history.task_id AND later.version > history.version);

-- The highest number in the feed of each scope, plans included.
CREATE VIEW feed AS
SELECT scope, max(seq, coalesce((SELECT max(seq) FROM history WHERE history.scope = counter.scope AND seq IS NOT NULL), 0)) AS last
FROM queue_counts AS counter;

-- The changes that the batch has recorded and not counted.
CREATE VIEW plans AS
SELECT counter.scope, history.seq, task_id, version, event, from_queue, to_queue, project_id, at
FROM queue_counts AS counter CROSS JOIN history ON history.scope = counter.scope AND history.seq > counter.seq
WHERE counter.scope >= ' ';

-- The counters that each owner has after the plans. `owner`: the scope, or char(31) and the id of a project. `counts`: tasks by queue. `events`: events by name, of a scope only. `lives`: by hour of the day, the number of the hour and how many tasks became done in it. `json_each` passes on the sums, because only its argument may depend on a row before it.
CREATE VIEW counts_after AS
SELECT moved.scope, owner, moved.seq,
  json_patch(counts, CASE
    WHEN moving = 0 THEN '{}'
    WHEN moving = 1 AND source <> target THEN json_object(
      source, nullif((counts ->> ('$."' || source || '"')) - 1, 0), target, coalesce(counts ->> ('$."' || target || '"'), 0) + 1)
    ELSE (
      SELECT json_group_object(queue, nullif(coalesce(counts ->> ('$."' || queue || '"'), 0) + step, 0)) FROM (
        SELECT atom AS queue, sum(iif(key, 1, -1)) AS step FROM json_tree(moves) WHERE atom IS NOT NULL GROUP BY atom))
  END) AS counts,
  iif(owner < ' ', events, json_patch(events, iif(earliest = latest,
    json_object(earliest, coalesce(events ->> earliest, 0) + n), (
      SELECT json_group_object(value, coalesce(events ->> value, 0) + times) FROM (
        SELECT value, count(*) AS times FROM json_each(happened) GROUP BY value))))) AS events,
  iif(owner >= ' ' AND finished > 0, json_set(lives, '$."' || (hour % 24) || '"', json_array(hour, finished
    + iif(lives ->> ('$."' || (hour % 24) || '"[0]') = hour, lives ->> ('$."' || (hour % 24) || '"[1]'), 0))), lives) AS lives
FROM (
  SELECT counter.scope, value ->> 'owner' AS owner, value ->> 'seq' AS seq, value ->> 'n' AS n,
    value -> 'moves' AS moves, value ->> 'moving' AS moving, value ->> 'source' AS source, value ->> 'target' AS target,
    value -> 'happened' AS happened, value ->> 'earliest' AS earliest, value ->> 'latest' AS latest,
    value ->> 'finished' AS finished, value ->> 'hour' AS hour
  FROM queue_counts AS counter CROSS JOIN json_each((
    SELECT json_group_array(json(sums)) FROM (
      SELECT json_object('owner', owner.value, 'seq', max(history.seq), 'n', count(*),
        'moves', json_group_array(json_array(from_queue, to_queue)), 'moving', sum(from_queue IS NOT to_queue),
        'source', min(from_queue) FILTER (WHERE from_queue <> to_queue), 'target', min(to_queue) FILTER (WHERE from_queue <> to_queue),
        'happened', json_group_array(event), 'earliest', min(event), 'latest', max(event),
        'finished', sum(to_queue = 'done' AND from_queue <> 'done'), 'hour', max(at) / 3600000) AS sums
      FROM history CROSS JOIN json_each(
        iif(project_id IS NULL, json_array(scope), json_array(scope, char(31) || project_id))) AS owner
      WHERE history.scope = counter.scope AND history.seq > counter.seq
      GROUP BY owner.value)))
  WHERE counter.scope >= ' ') AS moved
  CROSS JOIN queue_counts ON queue_counts.scope = owner;

-- The dependencies on the tasks that the plans move.
CREATE VIEW touched AS
SELECT waits.* FROM plans CROSS JOIN waits ON waits.blocker = plans.task_id AND waits.scope = plans.scope
WHERE from_queue IS NOT to_queue;

-- What a task gets in its columns if its blockers change or one of them fails. `updated_at` shows when someone worked on the task.
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
    SELECT reason FROM history WHERE task_id = tasks.id AND history.version > tasks.version AND event = 'dependency_failed')
  END AS failure_reason
FROM planned CROSS JOIN tasks ON tasks.id = planned.id;

-- The tasks that the batch has created and not recorded.
CREATE VIEW unrecorded AS
SELECT id, scope, queue, version, grants, title, project_id FROM tasks WHERE NOT EXISTS (
  SELECT 1 FROM history WHERE task_id = tasks.id AND history.version = tasks.version);

-- What a task whose expired lease is taken back gets in its columns.
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

-- The tasks as they will be after the plans of the batch. `held`: an agent has the task, and the batch does not take it back.
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

-- The tasks that may fail with a blocker: not held, and not in `done`, `failed` or `cancelled`.
CREATE VIEW failable AS
SELECT id, scope, grants, title, project_id, version, queue FROM foreseen
WHERE NOT held AND queue NOT IN ('done', 'failed', 'cancelled');

-- The dependencies with the tasks that are their blockers, in the queue that the batch leaves each blocker in. `met`: the task no longer waits for this blocker. `fails`: the task fails if this blocker fails. `because`: what history says when that changes. `x` and `TASK-x` name the same task, so a name may mean two tasks.
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

-- Which cap a task is at, and until when: its own, that of its project, or that of the day of its scope. And until when breakers stop it.
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

-- Those that `tasks_ready_by_project` has. The condition is that of the index.
CREATE VIEW ready_by_project AS
SELECT id, scope, queue, lane, project_key, type, priority_rank, created_at, bytes, capped
FROM tasks INDEXED BY tasks_ready_by_project
WHERE claimed_by IS NULL AND blocked_by IS NULL AND available_at IS NULL AND queue <> 'done' AND by_project = 1;

-- The breakers that stop claims, and until when: the largest safe integer while a canary is held.
CREATE VIEW open_breakers AS
SELECT scope, project_id, opened_at, reason, tripped_by, retry_at, canary_task, half_open,
  iif(half_open, 9007199254740991, retry_at) AS until
FROM (
  SELECT *, canary_task IS NOT NULL AND EXISTS (
    SELECT 1 FROM tasks WHERE tasks.id = canary_task AND grants = canary_token AND claimed_by IS NOT NULL) AS half_open
  FROM breakers INDEXED BY breakers_open WHERE opened_at IS NOT NULL);

-- The projects at a cap, and those with an open breaker, and until when.
CREATE VIEW stopped_projects AS
SELECT scope, id, 9007199254740991 AS until FROM projects WHERE capped
UNION ALL SELECT scope, project_id, until FROM open_breakers;

-- All tasks, held or not, with what decides where a move leads. `holder` and `machine`: who holds the task, or held it when its lease expired. `came_from`: the queue in which an intervention became necessary. `stuck`: the task waits for one, or an agent holds it to settle one. `origin`: the queue that it was claimed from. `rounds`: the cap on review rounds of its project.
CREATE VIEW held AS
SELECT id, scope, version, queue, grants, title, flow, project_id, claimed_by, claimed_from, fencing_token, lapsed_token,
  intervention_from, cancel_requested_at, attempt_count, lease_losses, rejection_count, max_attempts, max_rejections, terminal,
  coalesce(intervention_from, 'claimed') AS came_from,
  queue = 'requires-intervention' OR (queue = 'claimed' AND claimed_from = 'requires-intervention') AS stuck,
  iif(coalesce(claimed_from, queue) = 'requires-intervention', coalesce(intervention_from, 'claimed'), coalesce(claimed_from, queue))
    AS origin,
  (SELECT max_review_rounds FROM projects WHERE projects.id = project_id AND projects.scope = tasks.scope) AS rounds,
  iif(lapsed_token IS NULL, claimed_by, (
    SELECT actor FROM history WHERE task_id = tasks.id AND event = 'lease_expired'
    ORDER BY history.version DESC LIMIT 1)) AS holder,
  iif(lapsed_token IS NULL, orchestrator_id, (
    SELECT details ->> '$.orchestrator_id' FROM history WHERE task_id = tasks.id AND event = 'lease_expired'
    ORDER BY history.version DESC LIMIT 1)) AS machine
FROM tasks;

-- The history of the breakers of a scope: the id that stands for them, and its last version.
CREATE VIEW breaker_feed AS
SELECT scope, last, char(31) || scope AS task_id,
  (SELECT coalesce(max(version), 0) FROM history WHERE task_id = char(31) || feed.scope) AS version
FROM feed;

-- The breakers of a task whose move is planned: whether a failure counts, whether the task is the canary, and whether the batch has recorded that the breaker opens or stays open.
CREATE VIEW watching AS
SELECT breakers.scope, breakers.project_id, threshold, window_millis, failures, breakers.reason, tasks.id AS task_id,
  opened_at IS NULL AND claimed_by IS NOT NULL AS counts,
  canary_task IS tasks.id AND canary_token IS tasks.grants AS tried,
  plan.at + min(wait_millis << min(iif(canary_task IS tasks.id, probes + 1, 0), 20), max(wait_millis, 86400000)) AS again_at,
  EXISTS (SELECT 1 FROM plans WHERE plans.scope = breakers.scope AND plans.event = 'breaker_opened'
    AND coalesce(plans.project_id, '') = breakers.project_id) AS opens
FROM tasks CROSS JOIN breakers ON breakers.scope = tasks.scope AND breakers.project_id IN ('', tasks.project_key)
  CROSS JOIN history AS plan ON plan.task_id = tasks.id AND plan.version = tasks.version + 1
WHERE (SELECT 1 FROM breakers AS other WHERE other.scope = tasks.scope LIMIT 1);

-- The breakers that close, because the planned move of their canary hands in what the task asked for.
CREATE VIEW closing AS
SELECT own.scope, own.project_id, own.reason, own.canary_task AS task_id
FROM breakers AS own INDEXED BY breakers_canary
  CROSS JOIN tasks ON tasks.id = own.canary_task AND tasks.grants = own.canary_token
  CROSS JOIN history AS plan ON plan.task_id = tasks.id AND plan.version = tasks.version + 1
WHERE own.canary_task IS NOT NULL AND plan.event IN ('submitted', 'accepted', 'rejected');

-- The open breakers of the task that the batch grants, which becomes their canary.
CREATE VIEW probing AS
SELECT own.scope, own.project_id, tasks.id, tasks.grants,
  plans.at + min(own.wait_millis << min(own.probes, 20), max(own.wait_millis, 86400000)) AS retry_at
FROM breakers AS own INDEXED BY breakers_open
  CROSS JOIN plans ON plans.scope = own.scope AND plans.event IN ('claimed', 'review_claimed')
  CROSS JOIN tasks ON tasks.id = plans.task_id AND own.project_id IN ('', tasks.project_key)
WHERE own.opened_at IS NOT NULL;

-- The kinds of evidence that the project of a task requires and that the task lacks.
CREATE VIEW lacking AS
SELECT tasks.id, required.value AS kind
FROM tasks CROSS JOIN projects ON projects.id = tasks.project_id AND projects.scope = tasks.scope
  CROSS JOIN json_each(projects.evidence_required) AS required
WHERE NOT EXISTS (
  SELECT 1 FROM json_each(tasks.evidence) AS item
  WHERE item.value ->> '$.kind' = required.value AND coalesce(item.value ->> '$.exit_code', 0) = 0
    AND (tasks.head_commit IS NULL OR item.value ->> '$.commit' = tasks.head_commit));
