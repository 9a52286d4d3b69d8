-- Who submitted a result, how a person gets into the session of its agent, and the evidence of a result.
--
-- Additions: release 2.0.0 goes on working. What it submits names nobody, and what it accepts needs no evidence.

-- Who submitted the last result: the holder of the lease then.
ALTER TABLE tasks ADD COLUMN submitted_by TEXT;
ALTER TABLE tasks ADD COLUMN submitted_orchestrator_id TEXT;
-- The session of the agent that said so last, and the token of its lease.
ALTER TABLE tasks ADD COLUMN session_url TEXT;
ALTER TABLE tasks ADD COLUMN resume_command TEXT;
ALTER TABLE tasks ADD COLUMN session_token INTEGER;
-- The newest commit that a checkpoint or a result named. Evidence counts if it names this commit.
ALTER TABLE tasks ADD COLUMN head_commit TEXT;
ALTER TABLE tasks ADD COLUMN evidence TEXT;
-- The kinds of evidence that an accept of the project's tasks requires: a JSON list.
ALTER TABLE projects ADD COLUMN evidence_required TEXT;

-- Every task with the agent and the machine that hold it, or that held it when its lease expired.
CREATE VIEW held AS
SELECT id, scope, version, queue, grants, title, flow, project_id, claimed_by, claimed_from, fencing_token, lapsed_token,
  intervention_from, cancel_requested_at,
  iif(lapsed_token IS NULL, claimed_by, (
    SELECT actor FROM history WHERE task_id = tasks.id AND event = 'lease_expired'
    ORDER BY history.version DESC LIMIT 1)) AS holder,
  iif(lapsed_token IS NULL, orchestrator_id, (
    SELECT details ->> '$.orchestrator_id' FROM history WHERE task_id = tasks.id AND event = 'lease_expired'
    ORDER BY history.version DESC LIMIT 1)) AS machine
FROM tasks;

-- The kinds of evidence that a task's project requires, and that the task lacks. Evidence of another commit does not count, and neither
-- does a command that failed.
CREATE VIEW lacking AS
SELECT tasks.id, required.value AS kind
FROM tasks CROSS JOIN projects ON projects.id = tasks.project_id AND projects.scope = tasks.scope
  CROSS JOIN json_each(projects.evidence_required) AS required
WHERE NOT EXISTS (
  SELECT 1 FROM json_each(tasks.evidence) AS item
  WHERE item.value ->> '$.kind' = required.value AND coalesce(item.value ->> '$.exit_code', 0) = 0
    AND (tasks.head_commit IS NULL OR item.value ->> '$.commit' = tasks.head_commit));

UPDATE schema_version SET migration = 14 WHERE id = 1;
