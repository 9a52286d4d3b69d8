/** Questions to the whole database whose answers always agree, as SQL: the properties and the simulation ask them. */

/** What the server counts. */
export const counters =
  "SELECT scope, key AS queue, value AS n FROM queue_counts, json_each(counts) WHERE value <> 0 ORDER BY scope, key"

/** What counting comes to. */
export const counted = "SELECT scope, queue, count(*) AS n FROM tasks GROUP BY scope, queue ORDER BY scope, queue"

/** Tasks whose history lacks a version, ends with another than their own, or says that they are elsewhere: there are none. */
export const holes = `
  SELECT task_id FROM history GROUP BY task_id HAVING count(*) <> max(version)
  UNION ALL
  SELECT id FROM tasks WHERE version <> (SELECT max(version) FROM history WHERE task_id = tasks.id)
  UNION ALL
  SELECT id FROM tasks WHERE queue <> (
    SELECT to_queue FROM history WHERE task_id = tasks.id ORDER BY version DESC LIMIT 1)`
