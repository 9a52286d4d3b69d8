-- What a key may do in its scope (`domain/access/Rank.ts`). Keys that were issued before may do everything, as they always could.
--
-- An addition: release 2.0.0 does not read it, and issues keys that may do everything.
ALTER TABLE api_keys ADD COLUMN rank TEXT NOT NULL DEFAULT 'manage' CHECK (rank IN ('fence', 'read', 'work', 'manage'));

UPDATE schema_version SET migration = 13 WHERE id = 1;
