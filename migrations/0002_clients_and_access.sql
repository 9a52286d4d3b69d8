-- What the clients of the old server also use: flows, roles, messages, actions; and the keys that keep scopes apart.
--
-- Only additions: a Worker that knows nothing of them goes on working.

-- The queue a task was in before it was put into `requires-intervention`. Whoever settles the matter may go on from there.
ALTER TABLE tasks ADD COLUMN intervention_from TEXT;

-- "How much does this machine hold?" and "what does it hold?"
CREATE INDEX tasks_held_by ON tasks (orchestrator_id, queue) WHERE orchestrator_id IS NOT NULL;

-- How many tasks a machine may hold at once, when its claims do not say.
ALTER TABLE orchestrators ADD COLUMN max_claimed INTEGER;

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
