-- Webhooks: readers of a scope's feed, to which the server sends each event. The place in the feed is stored with the hook, so order, and that
-- each event is sent at least once, follow from it.
--
-- An addition: release 2.0.0 goes on working and sends nothing.

CREATE TABLE webhooks (
  id TEXT NOT NULL PRIMARY KEY,
  scope TEXT NOT NULL,
  name TEXT,
  url TEXT NOT NULL,
  secret TEXT NOT NULL,
  previous_secret TEXT,
  previous_until INTEGER,
  types TEXT CHECK (types IS NULL OR json_valid(types)),
  project_id TEXT,
  template TEXT CHECK (template IS NULL OR json_valid(template)),
  position INTEGER NOT NULL CHECK (position >= 0),
  attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
  failing_since INTEGER,
  next_attempt_at INTEGER,
  delivered_at INTEGER,
  tried_at INTEGER NOT NULL DEFAULT 0,
  sender TEXT,
  sending_until INTEGER,
  entries INTEGER NOT NULL DEFAULT 0,
  disabled_at INTEGER,
  disabled_reason TEXT,
  created_by TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  CHECK ((previous_secret IS NULL) = (previous_until IS NULL)),
  CHECK ((failing_since IS NULL) = (attempts = 0)),
  CHECK ((failing_since IS NULL) = (next_attempt_at IS NULL)),
  CHECK ((disabled_at IS NULL) = (disabled_reason IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX webhooks_of_scope ON webhooks (scope);

-- The last 100 attempts of each hook. Attempt `number` has the slot `number % 100`, so it replaces the one 100 before it.
CREATE TABLE webhook_deliveries (
  webhook_id TEXT NOT NULL,
  slot INTEGER NOT NULL CHECK (slot BETWEEN 0 AND 99),
  number INTEGER NOT NULL CHECK (number % 100 = slot),
  seq INTEGER,
  event TEXT NOT NULL,
  at INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  status INTEGER,
  error TEXT,
  response TEXT,
  millis INTEGER NOT NULL,
  PRIMARY KEY (webhook_id, slot)
) STRICT, WITHOUT ROWID;

UPDATE schema_version SET migration = 17 WHERE id = 1;
