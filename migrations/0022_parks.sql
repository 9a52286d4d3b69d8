-- Who parked an account, for which task, when and why, so that an operator sees it.
--
-- Additions: release 2.0.0 and the Worker before this one go on working. The accounts that they park have null in these columns.

-- The task whose holder parked the account. It may be gone.
ALTER TABLE parked_accounts ADD COLUMN task_id TEXT;
ALTER TABLE parked_accounts ADD COLUMN parked_by TEXT;
ALTER TABLE parked_accounts ADD COLUMN parked_at INTEGER;
-- The beginning of what the provider said.
ALTER TABLE parked_accounts ADD COLUMN reason TEXT;

UPDATE schema_version SET migration = 22 WHERE id = 1;
