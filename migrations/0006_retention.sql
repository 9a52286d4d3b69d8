-- How far the removal of what is old has got.
--
-- An addition: a Worker that knows nothing of it removes nothing.

-- The cron walks through a table by its key, a slice a minute, and once it is through it rests: so no index of times is
-- written with every request, and a minute in which nothing is due reads one row of this.
CREATE TABLE sweeps (
  -- What is looked through: history, messages or tasks.
  name     TEXT    NOT NULL PRIMARY KEY,
  -- The key of the last record that was looked at; empty before the first.
  position TEXT    NOT NULL,
  -- Not to be looked at again before this.
  due_at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
