-- What an overview and the metrics read: an index of the open questions, and counters of events.
--
-- Additions: release 2.0.0 goes on working.

-- The questions to people. An overview looks at the newest of them, and leaves out those with a reply.
CREATE INDEX messages_questions ON messages (scope, seq)
  WHERE type IN ('question', 'intervention_request') AND status <> 'done' AND (to_actor IS NULL OR to_actor = 'human');

-- How often each event happened in a scope. The cron walks through the feed of each scope and adds what it finds.
CREATE TABLE event_counts (
  scope TEXT NOT NULL,
  event TEXT NOT NULL,
  n     INTEGER NOT NULL CHECK (n >= 0),
  PRIMARY KEY (scope, event)
) STRICT, WITHOUT ROWID;

-- The number of the last change that the cron has counted. Without meaning in the row of a project.
ALTER TABLE queue_counts ADD COLUMN events_seq INTEGER NOT NULL DEFAULT 0;

UPDATE schema_version SET migration = 19 WHERE id = 1;
