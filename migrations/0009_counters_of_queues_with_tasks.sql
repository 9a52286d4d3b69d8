-- Counters hold only the queues that hold tasks. Names of emptied queues stayed in them, and every list read all of these.
--
-- A Worker of before this goes on working: to it, a queue without a counter holds nothing. What it empties until it is
-- replaced stays in the counters as 0, as before, until a task enters and leaves that queue again.
UPDATE queue_counts SET counts = (
  SELECT json_group_object(key, value) FROM json_each(queue_counts.counts) WHERE value <> 0)
WHERE EXISTS (SELECT 1 FROM json_each(queue_counts.counts) WHERE value = 0);
