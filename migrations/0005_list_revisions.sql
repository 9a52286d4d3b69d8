-- What is told of a scope has a number that rises with every change of it, so that one row says whether a list is still as
-- it was (`sql/Conditional.ts`). It is in the row that a move of a task writes anyway. A renewal raises none: it is no
-- change of the task, and a list that shows a lease is compared by what it says.
--
-- Additions: a Worker that knows nothing of this goes on working, and raises nothing for the moment between migration and
-- deployment.

-- Tasks, and the flows that a poll tells.
ALTER TABLE queue_counts ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;
ALTER TABLE queue_counts ADD COLUMN messages_revision INTEGER NOT NULL DEFAULT 0;
ALTER TABLE queue_counts ADD COLUMN drafts_revision INTEGER NOT NULL DEFAULT 0;
ALTER TABLE queue_counts ADD COLUMN projects_revision INTEGER NOT NULL DEFAULT 0;

-- How many there are, so that a list that nothing narrows counts none. Null where nobody has counted yet: the cron does, as
-- a Worker that knows nothing of this does not keep it right.
ALTER TABLE queue_counts ADD COLUMN messages_total INTEGER;
ALTER TABLE queue_counts ADD COLUMN drafts_total INTEGER;
ALTER TABLE queue_counts ADD COLUMN projects_total INTEGER;

-- "The newest actions of this scope", a page at a time. What is in the scope is found by it as well.
CREATE INDEX actions_newest ON actions (scope, proposed_at, seq);
DROP INDEX actions_of_scope;
