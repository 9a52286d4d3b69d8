-- Which migration the schema is at, so that `/api/health` can compare it with the migration the Worker was built for.
-- Every later migration raises the number to its own.
--
-- An addition: release 2.0.0 does not read it.
CREATE TABLE schema_version (
  id        INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
  migration INTEGER NOT NULL CHECK (migration > 0)
) STRICT;

INSERT INTO schema_version (id, migration) VALUES (1, 10);
