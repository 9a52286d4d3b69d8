/** The overview of a scope, in one round trip. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { excerpt } from "../../domain/Excerpt.ts"
import {
  closedStatuses,
  failures,
  MaxChanges,
  MaxCounted,
  MaxListed,
  MaxProjectsSeen,
  MaxShown,
  type Overview,
  type OverviewQuery,
  Person,
  questionTypes,
  rowsOf
} from "../../domain/feed/Overview.ts"
import { OrchestratorId, ProjectId, type ScopeName } from "../../domain/Identifier.ts"
import { OrchestratorStatus } from "../../domain/machine/Orchestrator.ts"
import { dayOf } from "../../domain/record/Usage.ts"
import type { Row } from "../../sql/Batch.ts"
import * as Conditional from "../../sql/Conditional.ts"
import * as Parked from "../../sql/lease/Parked.ts"
import * as ProjectCounts from "../../sql/record/ProjectCounts.ts"
import { statement } from "../../sql/Statement.ts"
import * as Places from "../../sql/task/Places.ts"
import * as UsageList from "../record/Usage.ts"
import { Settings } from "../Settings.ts"
import { decodeCounts } from "../task/rows.ts"

const Hour = 3_600_000
const Day = 24 * Hour

/** How many full hours the overview has besides the present one. */
const Hours = 23

/** How much older than its place in the feed a change may be, in milliseconds. */
const Late = 60_000

/** How many priorities the search for the oldest task looks at. */
const Priorities = 20

/** The longest address that is shown, in characters. */
const MaxUrl = 1000

/** How many characters of a text the statements answer. `shortened` cuts it, and needs to see that there are more. */
const Read = MaxShown + 1

const cut = (...columns: ReadonlyArray<string>) =>
  columns.map((column) => `substr(${column}, 1, ${Read}) AS ${column}`).join(", ")

const quoted = (words: ReadonlyArray<string>) => words.map((word) => `'${word}'`).join(", ")

const counts = statement("SELECT counts FROM queue_counts WHERE scope = :scope")

const incoming = Places.tasksIn("ready", "'incoming'")

/** The oldest task of each priority is the first one in the index, so the other tasks are not read. */
const oldest = statement(`
  WITH RECURSIVE other (rank) AS (
    SELECT min(priority_rank) FROM ${incoming}
    UNION ALL SELECT (SELECT min(priority_rank) FROM ${incoming} AND priority_rank > rank)
    FROM other WHERE rank IS NOT NULL LIMIT ${Priorities})
  SELECT id AS task_id, ${cut("title", "priority")}, created_at FROM other CROSS JOIN tasks ON tasks.id = (
    SELECT id FROM ${incoming} AND priority_rank = other.rank ORDER BY created_at, id LIMIT 1)
  WHERE rank IS NOT NULL ORDER BY created_at, id LIMIT 1`)

const newestProjects =
  `(SELECT * FROM projects WHERE scope = :scope ORDER BY created_at DESC, id DESC LIMIT ${MaxProjectsSeen})
  AS projects`
const isOpen = `completed_at IS NULL AND status NOT IN (${quoted(closedStatuses)})`

const projects = statement(`
  SELECT id, ${cut("title", "status", "branch")}, ${ProjectCounts.ofEach} AS counts FROM (
    SELECT * FROM ${newestProjects} WHERE ${isOpen} LIMIT ${MaxListed}) AS projects`)

const projectTotal = statement(`
  SELECT count(*) AS looked, coalesce(sum(${isOpen}), 0) AS total FROM ${newestProjects}`)

const machines = statement(`
  SELECT id, status FROM orchestrators INDEXED BY orchestrators_of_scope WHERE scope = :scope ORDER BY id LIMIT ${MaxListed}`)

const machineTotal = statement(`
  SELECT count(*) AS total FROM (
    SELECT 1 FROM orchestrators INDEXED BY orchestrators_of_scope WHERE scope = :scope LIMIT ${MaxCounted})`)

const leased = `FROM tasks INDEXED BY tasks_leased WHERE scope = :scope AND claimed_by IS NOT NULL
  ORDER BY lease_expires_at, queue, orchestrator_id, id`

const held = statement(`
  SELECT id AS task_id, queue, project_id, orchestrator_id, claimed_at, lease_expires_at, deadline_at,
    ${
  cut("title", "claimed_by")
}, substr(checkpoint ->> '$.notes', 1, ${Read}) AS note, checkpoint ->> '$.at' AS note_at
  ${leased} LIMIT ${MaxListed}`)

/** How many tasks each machine holds, and how many of them for review. */
const holds = statement(`
  SELECT orchestrator_id, count(*) AS n, sum(queue = 'provisional') AS reviews FROM (
    SELECT orchestrator_id, queue ${leased} LIMIT ${MaxCounted}) GROUP BY orchestrator_id`)

/** What a list of results shows of the evidence of a task, marked like that of the task (`domain/task/Evidence.marked`). */
const evidence = `(
  SELECT json_group_array(json_object('kind', value ->> '$.kind', 'exit_code', value ->> '$.exit_code',
    'stale', json(iif(head_commit IS NULL OR value ->> '$.commit' IS head_commit, 'false', 'true'))))
  FROM json_each(evidence))`

const inOrder = `ORDER BY priority_rank, created_at, id LIMIT ${MaxListed}`
const submitted = (place: "ready" | "waiting") =>
  `SELECT * FROM (SELECT id AS task_id, project_id, submitted_orchestrator_id, submitted_at, commits_count, pr_number,
    ${cut("title", "submitted_by", "branch", "head_commit")}, iif(length(pr_url) <= ${MaxUrl}, pr_url, NULL) AS pr_url,
    ${evidence} AS evidence,
    priority_rank, created_at, id FROM ${Places.tasksIn(place, "'provisional'")} ${inOrder})`

const reviews = statement(`${submitted("ready")} UNION ALL ${submitted("waiting")} ${inOrder}`)

// The condition repeats that of the index word for word.
const asked = `(SELECT * FROM messages INDEXED BY messages_questions
  WHERE scope = :scope AND type IN (${quoted(questionTypes)}) AND status <> 'done'
    AND (to_actor IS NULL OR to_actor = '${Person}')
  ORDER BY seq DESC LIMIT ${MaxCounted}) AS message`
const unanswered = "NOT EXISTS (SELECT 1 FROM messages AS reply WHERE reply.parent_message_id = message.id)"

const questions = statement(`
  SELECT id, created_at, ${cut("task_id", "type", "from_actor", "content")} FROM ${asked}
  WHERE ${unanswered} LIMIT ${MaxListed}`)

const questionTotal = statement(`
  SELECT count(*) AS looked, coalesce(sum(${unanswered}), 0) AS total FROM ${asked}`)

const isFailure = `(event IN (${quoted(failures)}) OR (to_queue = 'failed' AND from_queue <> 'failed'))`
const isDone = "to_queue = 'done' AND from_queue <> 'done'"

/**
 * What failed, was lost or became done since a time, in no order: D1 would bill each row again for being sorted. Only the newest
 * changes are looked at. The first of them that counts is found by halving, so a quiet scope reads few. One row at least
 * says which changes were looked at.
 */
const changes = statement(`
  WITH RECURSIVE search (first, place, step) AS (
    SELECT max(seq - ${MaxChanges}, 0), max(seq - ${MaxChanges}, 0), ${MaxChanges / 2}
    FROM queue_counts WHERE scope = :scope
    UNION ALL SELECT first, place + step * coalesce((
      SELECT at < :from - ${Late} FROM history INDEXED BY history_feed
      WHERE scope = :scope AND seq >= place + step ORDER BY seq LIMIT 1), 0), step / 2
    FROM search WHERE step > 0)
  SELECT first = 0 OR place > first AS complete, task_id, seq, event, project_id, to_queue, at, ${isFailure} AS failure,
    ${isDone} AS done, ${cut("title", "actor", "reason")}
  FROM search LEFT JOIN history INDEXED BY history_feed
    ON scope = :scope AND seq > place AND at >= :from AND (${isFailure} OR (${isDone}))
  WHERE step = 0`)

/**
 * The revisions only rise, so their sum changes with each of them: renewals write checkpoints and usage. Machines and parked
 * accounts have no revision, so their statuses and times belong to the tag.
 */
const revision = statement(`
  SELECT coalesce(max(revision + leases_revision + messages_revision + projects_revision), 0) AS revision, (
    SELECT json_group_array(id || ' ' || status) FROM (
      SELECT id, status FROM orchestrators INDEXED BY orchestrators_of_scope
      WHERE scope = :scope ORDER BY id LIMIT ${MaxCounted})) AS machines,
    (SELECT json_group_array(account || ' ' || until) FROM parked_accounts
      WHERE parked_accounts.scope = :scope AND until > :now) AS parks
  FROM queue_counts WHERE scope = :scope`)

// Only addresses and evidence keep their length, which has a limit.
const shortened = (row: Row): Row =>
  Object.fromEntries(
    Object.entries(row).map(([name, value]) => [
      name,
      typeof value === "string" && name !== "pr_url" && name !== "evidence" ? excerpt(value, MaxShown) : value
    ])
  )
const decoded = <S extends Schema.Codec<any, any>>(schema: S) => {
  const decode = Schema.decodeUnknownEffect(schema)
  return (rows: ReadonlyArray<Row>) => Effect.orDie(decode(rows.map(shortened)))
}
const decode = {
  held: decoded(rowsOf.held),
  reviews: decoded(rowsOf.reviews),
  questions: decoded(rowsOf.questions),
  failures: decoded(rowsOf.failures),
  oldest: decoded(rowsOf.oldest),
  parks: decoded(rowsOf.parks)
}

const decodeStatus = Schema.decodeUnknownSync(OrchestratorStatus)

const sumOf = (rows: ReadonlyArray<Row>, column: string) => rows.reduce((sum, row) => sum + Number(row[column]), 0)

/** The total of a list, and whether it is exact: it is not if there are more records than were looked at. */
const totalOf = (rows: ReadonlyArray<Row>, most = MaxCounted) =>
  [sumOf(rows, "total"), sumOf(rows, "looked") < most] as const

const tally = (names: ReadonlyArray<string>): Record<string, number> => {
  const counts = new Map<string, number>()
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1)
  return Object.fromEntries(counts)
}

const listed = <Item>(items: ReadonlyArray<Item>, total: number, exact: boolean) => ({ total, exact, items })

export class Overviews extends Context.Service<Overviews, {
  /** The overview of the scope. The same question gets the same answer until something changes or the hour ends. */
  readonly read: (scope: ScopeName, query: OverviewQuery) => Effect.Effect<Overview>
}>()("octopoid-server/services/Overviews") {
  static readonly layer = Layer.effect(
    Overviews,
    Effect.gen(function*() {
      const conditionally = yield* Conditional.make
      const { retain } = yield* Settings

      const read = Effect.fn("Overviews.read")(function*(scope: ScopeName, query: OverviewQuery) {
        const now = yield* Clock.currentTimeMillis
        const hour = Math.floor(now / Hour) * Hour
        // Retention may remove what is older at any time within the hour, which no revision shows.
        const kept = retain.historyDays === 0 ? -Infinity : hour + Hour - retain.historyDays * Day
        const first = Math.max(hour - Hours * Hour, kept)
        const since = Math.max(query.since === undefined ? first : DateTime.toEpochMillis(query.since), kept)
        const today = dayOf(now)
        const values = { scope, now, from: Math.min(first, since), from_day: today - 1, to_day: today }
        const answers = yield* conditionally({
          name: "overview",
          asked: { scope, since, hour },
          revision: revision(values)
        }, {
          counts: counts(values),
          oldest: oldest(values),
          projects: projects(values),
          projectTotal: projectTotal(values),
          machines: machines(values),
          machineTotal: machineTotal(values),
          held: held(values),
          holds: holds(values),
          reviews: reviews(values),
          questions: questions(values),
          questionTotal: questionTotal(values),
          parks: Parked.list(values),
          changes: changes(values),
          usage: UsageList.days(values)
        })

        const queues = decodeCounts(answers.counts[0]?.counts)
        const heldTotal = sumOf(answers.holds, "n")
        const allHeld = heldTotal < MaxCounted
        const holdsOf = new Map(answers.holds.map(({ n, orchestrator_id }) => [orchestrator_id, Number(n)]))
        const machineCount = sumOf(answers.machineTotal, "total")
        const heldItems = yield* decode.held(answers.held)
        const reviewItems = yield* decode.reviews(answers.reviews)
        const reviewTotal = (queues.provisional ?? 0) - sumOf(answers.holds, "reviews")
        const complete = answers.changes[0] === undefined || answers.changes[0].complete === 1
        const failed = answers.changes.filter(({ at, failure }) => failure === 1 && Number(at) >= since)
          .sort((a, b) => Number(b.seq) - Number(a.seq))
        const done = tally(
          answers.changes.filter((row) => row.done === 1).map(({ at }) => String(Math.floor(Number(at) / Hour) * Hour))
        )
        return {
          scope,
          since: DateTime.makeUnsafe(since),
          queues,
          oldest_ready: (yield* decode.oldest(answers.oldest))[0] ?? null,
          projects: listed(
            answers.projects.map((row) => ({
              id: ProjectId.make(String(row.id)),
              title: excerpt(String(row.title), MaxShown),
              status: excerpt(String(row.status), MaxShown),
              branch: row.branch === null ? null : excerpt(String(row.branch), MaxShown),
              counts: decodeCounts(row.counts)
            })),
            ...totalOf(answers.projectTotal, MaxProjectsSeen)
          ),
          machines: listed(
            answers.machines.map(({ id, status }) => ({
              id: OrchestratorId.make(String(id)),
              status: decodeStatus(status),
              holds: holdsOf.get(id) ?? 0
            })),
            machineCount,
            machineCount < MaxCounted
          ),
          held: listed(heldItems, heldTotal, allHeld),
          reviews: listed(reviewItems, Math.max(reviewTotal, reviewItems.length), allHeld),
          questions: listed(
            yield* decode.questions(answers.questions),
            ...totalOf(answers.questionTotal)
          ),
          parks: listed(yield* decode.parks(answers.parks.slice(0, MaxListed)), answers.parks.length, true),
          failures: {
            ...listed(yield* decode.failures(failed.slice(0, MaxListed)), failed.length, complete),
            by_event: tally(failed.map(({ event }) => String(event)))
          },
          lives: {
            exact: complete,
            hours: Array.from({ length: Hours + 1 }, (_, i) => hour - (Hours - i) * Hour).map((begins) => ({
              hour: DateTime.makeUnsafe(begins),
              done: done[String(begins)] ?? 0
            }))
          },
          usage: answers.usage.map(UsageList.sumOf)
        }
      })

      return Overviews.of({ read })
    })
  )
}
