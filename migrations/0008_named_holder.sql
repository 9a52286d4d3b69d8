-- The name that a client gives as `claimed_by` of a task that it puts into `failed` or `cancelled`. Such a task has no lease,
-- so the name is kept apart from the columns of the lease.
--
-- An addition: release 2.0.0 goes on working, and neither reads nor writes it.
ALTER TABLE tasks ADD COLUMN named_holder TEXT CHECK (named_holder <> '');
