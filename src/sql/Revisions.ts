/**
 * The revisions of a scope, which rise with every change of what its lists show, and the totals of its records. They
 * are in the row of its counters (`queue_counts`).
 *
 * A service that changes a record raises the revision in a step of the same batch, under the condition of the change.
 */
import { type Statement, statement, variants } from "./Statement.ts"

/** The records that have a total. */
export type Counted = "messages" | "drafts" | "projects"

/**
 * What has a revision. That of tasks also covers flows, because a poll shows them; that of machines covers ids and
 * statuses.
 */
export type Kind = Counted | "machines" | "tasks"

/** The column of each revision. */
export const columns = {
  tasks: "revision",
  machines: "machines_revision",
  messages: "messages_revision",
  drafts: "drafts_revision",
  projects: "projects_revision"
} as const

/** How many scopes are counted in a minute. */
const Scopes = 10

/** The revision of a scope, as an expression. It is 0 if nothing ever changed. */
export const of = (kind: Kind, scope = ":scope"): string =>
  `coalesce((SELECT ${columns[kind]} FROM queue_counts WHERE scope = ${scope}), 0)`

/** The sum of the revisions of all scopes, as an expression. It rises when one of them rises. */
export const ofAll = (kind: Kind): string =>
  `(SELECT coalesce(sum(${columns[kind]}), 0) FROM queue_counts WHERE scope >= ' ')`

/** Answers the revision of a scope's tasks and that of its leases, for `sql/page/Conditional.ts`. */
export const ofTasks: Statement = statement(`
  SELECT coalesce(max(revision), 0) AS revision, coalesce(max(leases_revision), 0) AS leases
  FROM queue_counts WHERE scope = :scope`)

/**
 * Answers the number of a scope's records as `total`: the counter, or, until the cron has made it, the number of rows.
 */
export const total = variants((kind: Counted) =>
  statement(`
    SELECT coalesce(
      (SELECT ${kind}_total FROM queue_counts WHERE scope = :scope),
      (SELECT count(*) FROM ${kind} WHERE scope = :scope)) AS total`)
)

/** Raises the revision of a scope unconditionally. */
export const raise = variants((kind: Kind) =>
  statement(`
    INSERT INTO queue_counts (scope, counts, ${columns[kind]}) VALUES (:scope, '{}', 1)
    ON CONFLICT (scope) DO UPDATE SET ${columns[kind]} = ${columns[kind]} + 1`)
)

/**
 * Raises the revision of machines in the scopes of the machines that `where` finds, before the step that changes them.
 * A scope with several of them is raised once.
 */
export const raiseMachines = (where: string): Statement =>
  statement(`
    INSERT INTO queue_counts (scope, counts, machines_revision)
    SELECT DISTINCT scope, '{}', 1 FROM orchestrators WHERE ${where}
    ON CONFLICT (scope) DO UPDATE SET machines_revision = machines_revision + 1`)

const uncounted = "scope >= ' ' AND (messages_total IS NULL OR drafts_total IS NULL OR projects_total IS NULL)"

/** Whether a scope has no totals. */
export const anyOld: Statement = statement(
  `SELECT 1 FROM queue_counts INDEXED BY queue_counts_uncounted WHERE ${uncounted} LIMIT 1`
)

/** Counts the records of a few scopes without totals. The condition repeats that of the index word for word. */
export const countOld: Statement = statement(`
  UPDATE queue_counts SET
    messages_total = coalesce(messages_total, (SELECT count(*) FROM messages WHERE scope = queue_counts.scope)),
    drafts_total = coalesce(drafts_total, (SELECT count(*) FROM drafts WHERE scope = queue_counts.scope)),
    projects_total = coalesce(projects_total, (SELECT count(*) FROM projects WHERE scope = queue_counts.scope))
  WHERE scope IN (SELECT scope FROM queue_counts INDEXED BY queue_counts_uncounted
    WHERE ${uncounted}
    LIMIT ${Scopes})`)
