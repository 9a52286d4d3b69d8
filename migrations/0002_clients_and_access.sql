-- What the clients of the old server also use: flows, roles, messages, actions; and the keys that keep scopes apart.
--
-- Additions, but for `orchestrators`: a Worker that knows nothing of this goes on working, and registers no machine for the
-- moment between migration and deployment.

-- The queue a task was in before it was put into `requires-intervention`. Whoever settles the matter may go on from there.
ALTER TABLE tasks ADD COLUMN intervention_from TEXT;

-- "How much of this scope does this machine hold?"
CREATE INDEX tasks_held_by ON tasks (orchestrator_id, scope, queue) WHERE orchestrator_id IS NOT NULL;

-- "Who needs somebody's attention?" Clients ask with every tick.
CREATE INDEX tasks_flagged ON tasks (scope, created_at, id) WHERE needs_intervention = 1;

-- A machine may work for several scopes under one name, and nobody can take its name away in a scope that is not theirs: so
-- the id of an orchestrator is its name in its scope. SQLite changes no key in place.
CREATE TABLE orchestrators_by_scope (
  id             TEXT    NOT NULL,
  scope          TEXT    NOT NULL,
  cluster        TEXT    NOT NULL,
  machine_id     TEXT    NOT NULL,
  hostname       TEXT,
  repo_url       TEXT,
  version        TEXT,
  capabilities   TEXT,
  max_agents     INTEGER,
  -- How many tasks it may hold at once, when its claims do not say.
  max_claimed    INTEGER,
  -- active: heard of lately · offline: silent for too long · maintenance: set by hand, gets no work until lifted.
  status         TEXT    NOT NULL CHECK (status IN ('active', 'offline', 'maintenance')),
  registered_at  INTEGER NOT NULL,
  last_heartbeat INTEGER NOT NULL,
  PRIMARY KEY (id, scope)
) STRICT, WITHOUT ROWID;
INSERT INTO orchestrators_by_scope (id, scope, cluster, machine_id, hostname, repo_url, version, capabilities, max_agents,
  status, registered_at, last_heartbeat)
SELECT id, scope, cluster, machine_id, hostname, repo_url, version, capabilities, max_agents, status, registered_at,
  last_heartbeat FROM orchestrators;
DROP TABLE orchestrators;
ALTER TABLE orchestrators_by_scope RENAME TO orchestrators;
CREATE INDEX orchestrators_of_scope ON orchestrators (scope);
-- "Who may have fallen silent?" `last_heartbeat` is left out on purpose: it moves with every heartbeat.
CREATE INDEX orchestrators_active ON orchestrators (id, scope) WHERE status = 'active';

-- The name a client gave its draft, which the server knows by number.
ALTER TABLE drafts ADD COLUMN slug TEXT;

-- A state machine that replaces the default one for the tasks that name it.
CREATE TABLE flows (
  scope         TEXT    NOT NULL,
  name          TEXT    NOT NULL,
  description   TEXT,
  -- As they were registered: JSON lists, and the flow of a project's tasks, if it has one.
  states        TEXT    NOT NULL,
  transitions   TEXT    NOT NULL,
  child_flow    TEXT,
  -- What they mean for each move, worked out at registration (`domain/FlowRules.ts`), so that a move looks it up.
  rules         TEXT    NOT NULL,
  registered_at INTEGER NOT NULL,
  updated_at    INTEGER NOT NULL,
  PRIMARY KEY (scope, name)
) STRICT, WITHOUT ROWID;

-- "Which scopes have a flow of this name?", for clients that delete one without naming theirs.
CREATE INDEX flows_named ON flows (name);

-- What an agent may be. A scope with roles knows no others; a scope without any takes every name.
CREATE TABLE roles (
  scope           TEXT    NOT NULL,
  name            TEXT    NOT NULL,
  description     TEXT,
  -- The queue its agents claim from when they name none.
  claims_from     TEXT    NOT NULL,
  -- Who registered it last.
  orchestrator_id TEXT    NOT NULL,
  created_at      INTEGER NOT NULL,
  PRIMARY KEY (scope, name)
) STRICT, WITHOUT ROWID;

-- Mail between actors. `seq` is the order of arrival, which two messages of one millisecond do not share.
CREATE TABLE messages (
  seq               INTEGER PRIMARY KEY AUTOINCREMENT,
  id                TEXT    NOT NULL UNIQUE,
  scope             TEXT    NOT NULL,
  -- What it is about. Any text: clients also write about drafts and projects.
  task_id           TEXT    NOT NULL,
  from_actor        TEXT    NOT NULL,
  to_actor          TEXT,
  type              TEXT    NOT NULL,
  content           TEXT    NOT NULL,
  parent_message_id TEXT,
  -- Whether its receiver has dealt with it: the only thing about a message that changes.
  status            TEXT    NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'processing', 'done')),
  created_at        INTEGER NOT NULL
) STRICT;

CREATE INDEX messages_of_scope ON messages (scope);
CREATE INDEX messages_about ON messages (scope, task_id);
CREATE INDEX messages_to ON messages (scope, to_actor) WHERE to_actor IS NOT NULL;
-- "Who answered this?"
CREATE INDEX messages_replies ON messages (parent_message_id) WHERE parent_message_id IS NOT NULL;

-- A proposal that somebody approves and somebody else carries out.
CREATE TABLE actions (
  seq          INTEGER PRIMARY KEY AUTOINCREMENT,
  id           TEXT    NOT NULL UNIQUE,
  scope        TEXT    NOT NULL,
  entity_type  TEXT    NOT NULL,
  entity_id    TEXT    NOT NULL,
  action_type  TEXT    NOT NULL,
  label        TEXT    NOT NULL,
  description  TEXT,
  status       TEXT    NOT NULL
    CHECK (status IN ('proposed', 'execute_requested', 'executing', 'completed', 'failed', 'expired')),
  proposed_by  TEXT    NOT NULL,
  proposed_at  INTEGER NOT NULL,
  executed_at  INTEGER,
  result       TEXT,
  expires_at   INTEGER,
  metadata     TEXT,
  action_data  TEXT
) STRICT;

CREATE INDEX actions_of_scope ON actions (scope);
CREATE INDEX actions_about ON actions (scope, entity_type, entity_id);

-- Keys, of which the server keeps only the SHA-256. One that is revoked has no row.
CREATE TABLE api_keys (
  hash         TEXT    NOT NULL PRIMARY KEY,
  id           TEXT    NOT NULL,
  scope        TEXT    NOT NULL,
  name         TEXT    NOT NULL,
  -- How the key begins, so that people can tell which one a machine uses.
  starts_with  TEXT    NOT NULL,
  created_by   TEXT    NOT NULL,
  created_at   INTEGER NOT NULL,
  -- To the hour: a use within an hour of the last one is not written down.
  last_used_at INTEGER,
  expires_at   INTEGER,
  -- The expiry it was issued with. Rotation brings `expires_at` forward; the successor gets this one.
  issued_until INTEGER
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX api_keys_of_scope ON api_keys (scope, id);
