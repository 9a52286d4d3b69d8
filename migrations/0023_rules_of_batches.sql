-- Views for the rules that stood in the texts of the statements of claims and moves.
--
-- Views only: release 2.0.0 uses none. No release has what is removed here.

-- The counters that each owner has after the plans: the scope, and the projects of the tasks. `json_each` is the only table whose argument may
-- depend on a row before it, so the sums of all owners pass through it. Usually one task has moved. Then `json_tree` and the second `json_each`,
-- whose rows D1 bills, are not read. In `moves`, a task that is created left no queue, and one that is deleted entered none. The row of a
-- project counts queues only.
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
DROP VIEW planned_counts;

-- What decides where a move leads. `came_from`: the queue in which an intervention became necessary. `stuck`: the task waits for one, or an
-- agent holds it to settle one. `origin`: the queue that the task was claimed from. `rounds`: the cap on the review rounds of its project.
DROP VIEW held;
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

-- What breakers have in the history: the id that stands for all of them in a scope, which no task has, and its last version.
CREATE VIEW breaker_feed AS
SELECT scope, last, char(31) || scope AS task_id,
  (SELECT coalesce(max(version), 0) FROM history WHERE task_id = char(31) || feed.scope) AS version
FROM feed;

-- The breakers of a task whose move is planned. `counts`: a failure of the task counts, because its holder reports it. `tried`: the task is the
-- canary, under the lease that it got as such. `again_at`: when the next canary may be claimed, if the move is a failure. `opens`: the batch
-- has recorded that the breaker opens, or stays open.
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

-- The open breakers of a task that the batch grants: it becomes their canary. `retry_at`: when the next canary may be claimed, if this one neither closes the breaker nor fails.
CREATE VIEW probing AS
SELECT own.scope, own.project_id, tasks.id, tasks.grants,
  plans.at + min(own.wait_millis << min(own.probes, 20), max(own.wait_millis, 86400000)) AS retry_at
FROM breakers AS own INDEXED BY breakers_open
  CROSS JOIN plans ON plans.scope = own.scope AND plans.event IN ('claimed', 'review_claimed')
  CROSS JOIN tasks ON tasks.id = plans.task_id AND own.project_id IN ('', tasks.project_key)
WHERE own.opened_at IS NOT NULL;

UPDATE schema_version SET migration = 23 WHERE id = 1;
