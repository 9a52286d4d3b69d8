-- Counters of events, in a row that each change writes anyway: so no request and no turn of the cron writes a row for them. And columns and
-- indexes for the overview and the webhooks.
--
-- Additions: release 2.0.0 goes on working. It counts no events, and replies do not mark their questions. No release has what is removed here.

-- How often each event happened in the scope, as {"claimed": 3}, and how many tasks became done in each of the last 24 hours: the slot
-- `hour % 24` has the hour since 1970 and the number. Empty in the row of a project.
ALTER TABLE queue_counts ADD COLUMN events TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(events));
ALTER TABLE queue_counts ADD COLUMN lives TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(lives));
-- Rises when a machine of the scope comes, goes, or has another status.
ALTER TABLE queue_counts ADD COLUMN machines_revision INTEGER NOT NULL DEFAULT 0;

UPDATE queue_counts SET
  events = coalesce((
    SELECT json_group_object(event, n) FROM (
      SELECT event, sum(n) AS n FROM (
        SELECT event, n FROM event_counts WHERE event_counts.scope = queue_counts.scope
        UNION ALL SELECT event, 1 FROM history WHERE history.scope = queue_counts.scope AND history.seq > queue_counts.events_seq)
      GROUP BY event)), '{}'),
  lives = coalesce((
    SELECT json_group_object(hour % 24, json_array(hour, n)) FROM (
      -- SQLite takes the other column of a group from the row with the maximum.
      SELECT max(hour) AS hour, n FROM (
        SELECT at / 3600000 AS hour, count(*) AS n FROM history
        WHERE history.scope = queue_counts.scope AND history.seq > queue_counts.seq - 2048 AND to_queue = 'done' AND from_queue <> 'done'
        GROUP BY 1)
      GROUP BY hour % 24)), '{}')
WHERE scope >= ' ';
DROP TABLE event_counts;
ALTER TABLE queue_counts DROP COLUMN events_seq;

-- Whether a message has a reply. It is set for questions to people only.
ALTER TABLE messages ADD COLUMN replied INTEGER NOT NULL DEFAULT 0 CHECK (replied IN (0, 1));
UPDATE messages SET replied = 1 WHERE type IN ('question', 'intervention_request') AND EXISTS (
  SELECT 1 FROM messages AS reply WHERE reply.parent_message_id = messages.id);
DROP INDEX messages_questions;
CREATE INDEX messages_questions ON messages (scope, seq)
  WHERE type IN ('question', 'intervention_request') AND status <> 'done' AND (to_actor IS NULL OR to_actor = 'human') AND replied = 0;

-- Failures and lost leases in the order of time. Other changes write no entry here.
CREATE INDEX history_failures ON history (scope, at, seq)
  WHERE seq IS NOT NULL AND (event IN ('failed', 'dependency_failed', 'lease_expired', 'review_lease_expired', 'deadline_exceeded')
    OR (to_queue = 'failed' AND from_queue <> 'failed'));

-- `failures`: how many attempts were not accepted, ever. `older_secrets`: the secrets before the previous one that still sign, as [[secret, until]].
ALTER TABLE webhooks ADD COLUMN failures INTEGER NOT NULL DEFAULT 0 CHECK (failures >= 0);
ALTER TABLE webhooks ADD COLUMN older_secrets TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(older_secrets));

-- What all requests and turns of the cron cost in D1. An isolate adds what it has counted once a minute at most.
CREATE TABLE d1_costs (
  id           INTEGER PRIMARY KEY CHECK (id = 1),
  trips        INTEGER NOT NULL CHECK (trips >= 0),
  statements   INTEGER NOT NULL CHECK (statements >= 0),
  rows_read    INTEGER NOT NULL CHECK (rows_read >= 0),
  rows_written INTEGER NOT NULL CHECK (rows_written >= 0)
) STRICT;

-- The views of migration 0012, with the event and its time.
DROP VIEW plans;
CREATE VIEW plans AS
SELECT counter.scope, history.seq, task_id, version, event, from_queue, to_queue, project_id, at
FROM queue_counts AS counter CROSS JOIN history ON history.scope = counter.scope AND history.seq > counter.seq
WHERE counter.scope >= ' ';
DROP VIEW planned_counts;
CREATE VIEW planned_counts AS
SELECT scope, seq, from_queue, to_queue, event, at, owner.value AS owner
FROM plans CROSS JOIN json_each(
  iif(project_id IS NULL, json_array(scope), json_array(scope, char(31) || project_id))) AS owner;

UPDATE schema_version SET migration = 21 WHERE id = 1;
