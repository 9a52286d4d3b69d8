-- PATCH /api/v1/messages/:id
-- 1 round trip, 3 statements: 450 characters, 9 parameters, 5 rows read, 2 rows written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- raised
-- 253 characters, 3 parameters, 1 row read, 1 row written
--   SEARCH messages USING INDEX sqlite_autoindex_messages_1 (id=?)
INSERT INTO queue_counts (scope, counts, messages_revision)
SELECT scope, '{}', 1
FROM messages
WHERE id = :id AND (:scope IS NULL OR scope = :scope) AND (:expected IS NULL OR status = :expected)
ON CONFLICT (scope)
DO UPDATE SET messages_revision = messages_revision + 1;

-- changed
-- 127 characters, 4 parameters, 3 rows read, 1 row written
--   SEARCH messages USING INDEX sqlite_autoindex_messages_1 (id=?)
UPDATE messages
SET status = :status
WHERE id = :id AND (:scope IS NULL OR scope = :scope) AND (:expected IS NULL OR status = :expected)
RETURNING id;

-- found
-- 70 characters, 2 parameters, 1 row read, 0 rows written
--   SEARCH messages USING INDEX sqlite_autoindex_messages_1 (id=?)
SELECT *
FROM messages
WHERE id = :id AND (:scope IS NULL OR scope = :scope);
