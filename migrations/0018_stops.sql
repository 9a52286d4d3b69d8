-- What stops work on a task: failures that no retry mends, and caps on review rounds.
--
-- Additions: release 2.0.0 goes on working. It redrives every failure, and knows no cap on review rounds.

-- Whether the failure of the task is one that no retry mends. It counts only while the task is in `failed`.
ALTER TABLE tasks ADD COLUMN terminal INTEGER NOT NULL DEFAULT 0 CHECK (terminal IN (0, 1));

-- How often a result of one of its tasks may be rejected before the task fails; null: no limit.
ALTER TABLE projects ADD COLUMN max_review_rounds INTEGER CHECK (max_review_rounds > 0);

UPDATE schema_version SET migration = 18 WHERE id = 1;
