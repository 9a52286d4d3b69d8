CREATE TABLE tasks (
  id               TEXT    NOT NULL PRIMARY KEY,
  scope            TEXT    NOT NULL,
  file_path        TEXT    NOT NULL,
  title            TEXT    NOT NULL,
  content          TEXT,
  queue            TEXT    NOT NULL,
  priority         TEXT    NOT NULL,
  branch           TEXT    NOT NULL,
  version          INTEGER NOT NULL DEFAULT 1,
  claimed_by       TEXT,
  claimed_at       TEXT,
  orchestrator_id  TEXT,
  lease_expires_at TEXT,
  commits_count    INTEGER NOT NULL DEFAULT 0,
  turns_used       INTEGER,
  submitted_at     TEXT,
  completed_at     TEXT,
  created_at       TEXT    NOT NULL,
  updated_at       TEXT    NOT NULL
);
CREATE UNIQUE INDEX tasks_file_path ON tasks (scope, file_path);
-- The order of claims, so that finding the next task does not read them all.
CREATE INDEX tasks_next ON tasks (scope, queue, priority, created_at);

CREATE TABLE history (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  task_id    TEXT NOT NULL,
  event      TEXT NOT NULL,
  from_queue TEXT,
  to_queue   TEXT,
  actor      TEXT,
  at         TEXT NOT NULL
);
CREATE INDEX history_task ON history (task_id);
