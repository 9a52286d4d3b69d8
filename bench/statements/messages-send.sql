-- POST /api/v1/messages
-- 1 round trip, 2 statements: 565 characters, 12 parameters, 5 rows read, 6 rows written
-- Written by `npm run statements -- --write`, which measures on D1 with 1,000 records of each kind.

-- inserted
-- 282 characters, 9 parameters, 5 rows read, 5 rows written
--   SCAN CONSTANT ROW
--   SCALAR SUBQUERY 1
--     SEARCH messages USING INDEX sqlite_autoindex_messages_1 (id=?)
INSERT INTO messages (
  id, scope, task_id, from_actor, to_actor, type, content, parent_message_id, status, created_at
)
SELECT :id, :scope, :task_id, :from_actor, :to_actor, :type, :content, :parent_message_id, 'pending', :now
WHERE (
  :parent_message_id IS NULL
  OR :task_id = (SELECT task_id FROM messages WHERE id = :parent_message_id AND scope = :scope)
)
RETURNING *;

-- counted
-- 283 characters, 3 parameters, 0 rows read, 1 row written
--   SCAN CONSTANT ROW
--   SCALAR SUBQUERY 1
--     SEARCH messages USING INDEX sqlite_autoindex_messages_1 (id=?)
INSERT INTO queue_counts (scope, counts, messages_revision)
SELECT :scope, '{}', 1
WHERE (
  :parent_message_id IS NULL
  OR :task_id = (SELECT task_id FROM messages WHERE id = :parent_message_id AND scope = :scope)
)
ON CONFLICT (scope)
DO UPDATE SET messages_revision = messages_revision + 1, messages_total = messages_total + 1;
