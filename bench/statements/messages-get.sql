-- GET /api/v1/messages/:id
-- 1 round trip, 1 statement: 70 characters, 2 parameters, 1 row read, 0 rows written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- found
-- 70 characters, 2 parameters, 1 row read, 0 rows written
--   SEARCH messages USING INDEX sqlite_autoindex_messages_1 (id=?)
SELECT *
FROM messages
WHERE id = :id AND (:scope IS NULL OR scope = :scope);
