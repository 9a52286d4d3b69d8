-- What stops work on a task: failures that no retry mends, caps on review rounds, questions that hold a task, and accounts
-- whose provider gives them no more work for a while.
--
-- Additions: release 2.0.0 goes on working. It redrives every failure, and knows no cap on review rounds. To it, a task that waits for a
-- reply backs off until the year 9999. Its claims name no account.

-- Whether the failure of the task is one that no retry mends. It counts only while the task is in `failed`.
ALTER TABLE tasks ADD COLUMN terminal INTEGER NOT NULL DEFAULT 0 CHECK (terminal IN (0, 1));

-- How often a result of one of its tasks may be rejected before the task fails; null: no limit.
ALTER TABLE projects ADD COLUMN max_review_rounds INTEGER CHECK (max_review_rounds > 0);

-- The question that held the task last. The task waits for the reply while it is available at the end of time: so it is in no index of
-- ready tasks, no claim has a further condition, and whatever makes it available, moves it or gives it away ends the wait.
ALTER TABLE tasks ADD COLUMN question_id TEXT;
ALTER TABLE tasks ADD COLUMN waiting_for_reply TEXT GENERATED ALWAYS AS (
  iif(available_at = 253402300799999, question_id, NULL)) VIRTUAL;
-- The latest questions and their answers, oldest first: a JSON list.
ALTER TABLE tasks ADD COLUMN answers TEXT;

-- Accounts that are parked: no claim that names one gets a task before `until`.
CREATE TABLE parked_accounts (
  scope TEXT NOT NULL,
  account TEXT NOT NULL,
  until INTEGER NOT NULL,
  PRIMARY KEY (scope, account)
) STRICT, WITHOUT ROWID;

UPDATE schema_version SET migration = 18 WHERE id = 1;
