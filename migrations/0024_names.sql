-- Names of views that say what they are, and one view less. Views only: release 2.0.0 uses none.

-- An expiry is called an expiry. A lapse is what the last holder can still undo, and a missed deadline is none.
DROP VIEW lapsing;
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

-- Its rows were those of `caps` that are not too large, and whether a claim may take them was not asked. A claim asks `caps` itself.
DROP VIEW claimable;

-- The reason of a failure with a blocker is that of the plan of the failure, whichever plan of the batch that is. So a task whose own blockers
-- change, and that fails with a new one, gets its columns from here too.
DROP VIEW following;
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

UPDATE schema_version SET migration = 24 WHERE id = 1;
