-- GET /api/health
-- 1 round trip, 1 statement: 36 characters, 0 parameters, 1 row read, 0 rows written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- schemaVersion
-- 36 characters, 0 parameters, 1 row read, 0 rows written
--   SCAN schema_version
SELECT migration
FROM schema_version;
