-- What a restored database hands out, and what a page, a lookup and an idle minute cost.
--
-- Additions, but for the index of external keys: a Worker that knows nothing of this answers 500 to a move that would make
-- a second open task of a key, for the moment between migration and deployment, and goes on working otherwise.

-- The greatest token that may have been granted in what a restored database knows nothing of: it grants higher ones. One row,
-- or none where nothing was ever restored (`sql/Token.ts`).
CREATE TABLE fencing_floor (
  id    INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
  token INTEGER NOT NULL CHECK (token >= 0)
) STRICT;

-- "Which ids were deleted?", in their order: an export has their history as well. Only a deletion writes it.
CREATE INDEX history_deleted ON history (task_id, scope) WHERE to_queue IS NULL;

-- "Whose totals has nobody counted?" Nobody's, mostly, and then the index is empty.
CREATE INDEX queue_counts_uncounted ON queue_counts (scope)
  WHERE scope >= ' ' AND (messages_total IS NULL OR drafts_total IS NULL OR projects_total IS NULL);

-- "The tasks under this external key": one of them is open, and any number are over.
DROP INDEX tasks_external_key;
CREATE UNIQUE INDEX tasks_external_key
  ON tasks (scope, external_key, iif(queue IN ('done', 'failed', 'cancelled'), id, '')) WHERE external_key IS NOT NULL;

-- What a list shows of leases changes with their renewals, which change no task. This rises with every one of them, so that a
-- list that shows leases is told apart by one row as well.
ALTER TABLE queue_counts ADD COLUMN leases_revision INTEGER NOT NULL DEFAULT 0;
