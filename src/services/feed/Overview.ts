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
import { Never } from "../../domain/lease/Question.ts"
import { OrchestratorStatus } from "../../domain/machine/Orchestrator.ts"
import { dayOf } from "../../domain/record/Usage.ts"
import type { Row } from "../../sql/Batch.ts"
import * as Parked from "../../sql/lease/Parked.ts"
import * as Conditional from "../../sql/page/Conditional.ts"
import * as ProjectCounts from "../../sql/record/ProjectCounts.ts"
import { statement } from "../../sql/Statement.ts"
import * as Places from "../../sql/task/Places.ts"
import * as Unclaimable from "../../sql/upkeep/Unclaimable.ts"
import * as UsageList from "../record/Usage.ts"
import { Settings } from "../Settings.ts"
import { decodeCounts } from "../task/rows.ts"

const Hour = 3_600_000
const Day = 24 * Hour

/** How many full hours the overview has besides the present one. */
const Hours = 23

/** How many priorities the search for the oldest task looks at. */
const Priorities = 20

/** The longest address that is shown, in characters. */
const MaxUrl = 1000

/** How many characters of a text the statements answer. `shortened` cuts it, and needs to see that there are more. */
const Read = MaxShown + 1

const cut = (...columns: ReadonlyArray<string>) =>
  columns.map((column) => `substr(${column}, 1, ${Read}) AS ${column}`).join(", ")

const quoted = (words: ReadonlyArray<string>) => words.map((word) => `'${word}'`).join(", ")

const counters = statement("SELECT counts, lives FROM queue_counts WHERE scope = :scope")

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

const isOpen = `completed_at IS NULL AND status NOT IN (${quoted(closedStatuses)})`

// Each list is read once, as far as it is counted. D1 would bill each row again for a count beside it.
const projects = statement(`
  SELECT id, ${isOpen} AS open, ${
  cut("title", "status", "branch")
}, iif(${isOpen}, ${ProjectCounts.ofEach}, NULL) AS counts
  FROM projects WHERE scope = :scope ORDER BY created_at DESC, id DESC LIMIT ${MaxProjectsSeen}`)

const machines = statement(`
  SELECT id, status FROM orchestrators INDEXED BY orchestrators_of_scope WHERE scope = :scope ORDER BY id LIMIT ${MaxCounted}`)

const leased = `FROM tasks INDEXED BY tasks_leased WHERE scope = :scope AND claimed_by IS NOT NULL
  ORDER BY lease_expires_at, queue, orchestrator_id, id`

const held = statement(`
  SELECT id AS task_id, queue, project_id, orchestrator_id, claimed_at, lease_expires_at, deadline_at,
    ${
  cut("title", "claimed_by")
}, substr(checkpoint ->> '$.notes', 1, ${Read}) AS note, checkpoint ->> '$.at' AS note_at
  ${leased} LIMIT ${MaxListed}`)

/** Who holds each task, and whether it is under review. */
const holds = statement(`SELECT orchestrator_id, queue = 'provisional' AS reviews ${leased} LIMIT ${MaxCounted}`)

/**
 * What a list of results shows of the evidence of a task, marked like that of the task (`domain/task/Evidence.marked`).
 */
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

const toPeople = `status <> 'done' AND (to_actor IS NULL OR to_actor = '${Person}')`
const question = `id, seq, created_at, ${cut("task_id", "type", "from_actor", "content")}`

/**
 * The open questions to people, and those that a task waits for, which need an answer with any status and any
 * addressee. The first condition repeats that of the index word for word. Replies that release 2.0.0 stored have not
 * marked their questions.
 */
const questions = statement(`
  SELECT * FROM (
    SELECT ${question} FROM messages INDEXED BY messages_questions
    WHERE scope = :scope AND type IN (${quoted(questionTypes)}) AND ${toPeople} AND replied = 0
      AND NOT EXISTS (SELECT 1 FROM messages AS reply WHERE reply.parent_message_id = messages.id)
    ORDER BY seq DESC LIMIT ${MaxCounted})
  UNION ALL
  SELECT ${question} FROM messages
  WHERE id IN (
    SELECT waiting_for_reply FROM tasks INDEXED BY tasks_backing_off
    WHERE scope = :scope AND available_at = ${Never} LIMIT ${MaxCounted}) AND NOT (${toPeople})
  ORDER BY seq DESC LIMIT ${MaxCounted}`)

/** What failed or was lost since a time. The index has nothing else. */
const failed = statement(`
  SELECT task_id, seq, event, project_id, to_queue, at, ${cut("title", "actor", "reason")}
  FROM history INDEXED BY history_failures
  WHERE scope = :scope AND at >= :since AND seq IS NOT NULL
    AND (event IN (${quoted(failures)}) OR (to_queue = 'failed' AND from_queue <> 'failed'))
  ORDER BY at DESC, seq DESC LIMIT ${MaxCounted}`)

const breakers = statement(`
  SELECT nullif(project_id, '') AS project_id, opened_at, ${cut("reason")}, retry_at AS next_canary_at,
    iif(half_open, canary_task, NULL) AS canary_task_id
  FROM open_breakers WHERE scope = :scope ORDER BY open_breakers.project_id LIMIT ${MaxListed}`)

const unclaimable = Unclaimable.reported(MaxListed, Read)

/**
 * The revisions only rise, so their sum changes with each of them: renewals write checkpoints and usage. Parked
 * accounts have no revision, and their times pass by themselves, so they belong to the tag.
 */
const revision = statement(`
  SELECT coalesce(max(revision + leases_revision + messages_revision + projects_revision + machines_revision), 0) AS revision,
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
  breakers: decoded(rowsOf.breakers),
  unclaimable: decoded(rowsOf.unclaimable),
  parks: decoded(rowsOf.parks)
}

const decodeStatus = Schema.decodeUnknownSync(OrchestratorStatus)

const decodeLives = Schema.decodeUnknownSync(
  Schema.fromJsonString(Schema.Record(Schema.String, Schema.Tuple([Schema.Int, Schema.Int])))
)

const tally = (names: ReadonlyArray<string>): Record<string, number> => {
  const counts = new Map<string, number>()
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1)
  return Object.fromEntries(counts)
}

/** The first items of a list, and its total, which is exact if fewer records were found than were looked for. */
const listed = <Item>(items: ReadonlyArray<Item>, total: number, looked = total, most = MaxCounted) => ({
  total,
  exact: looked < most,
  items: items.slice(0, MaxListed)
})

/** A list that is counted no further than it is shown. */
const whole = <Item>(items: ReadonlyArray<Item>) => listed(items, items.length, items.length, MaxListed)

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
        const values = { scope, now, since, from_day: today - 1, to_day: today }
        const answers = yield* conditionally({
          name: "overview",
          asked: { scope, since, hour },
          revision: revision(values)
        }, {
          counters: counters(values),
          oldest: oldest(values),
          projects: projects(values),
          machines: machines(values),
          held: held(values),
          holds: holds(values),
          reviews: reviews(values),
          questions: questions(values),
          parks: Parked.list(values),
          failed: failed(values),
          breakers: breakers(values),
          unclaimable: unclaimable(values),
          usage: UsageList.days(values)
        })

        const [counted] = answers.counters
        const queues = decodeCounts(counted?.counts)
        const lives = new Map(Object.values(decodeLives(counted?.lives ?? "{}")))
        const open = answers.projects.filter((row) => row.open === 1)
        const leases = answers.holds.length
        const holdsOf = tally(answers.holds.map(({ orchestrator_id }) => String(orchestrator_id)))
        const reviewItems = yield* decode.reviews(answers.reviews)
        const underReview = answers.holds.filter((row) => row.reviews === 1).length
        const reviewTotal = (queues.provisional ?? 0) - underReview
        const failures = answers.failed.toSorted((a, b) => Number(b.seq) - Number(a.seq))
        return {
          scope,
          since: DateTime.makeUnsafe(since),
          queues,
          oldest_ready: (yield* decode.oldest(answers.oldest))[0] ?? null,
          projects: listed(
            open.map((row) => ({
              id: ProjectId.make(String(row.id)),
              title: excerpt(String(row.title), MaxShown),
              status: excerpt(String(row.status), MaxShown),
              branch: row.branch === null ? null : excerpt(String(row.branch), MaxShown),
              counts: decodeCounts(row.counts)
            })),
            open.length,
            answers.projects.length,
            MaxProjectsSeen
          ),
          machines: listed(
            answers.machines.map(({ id, status }) => ({
              id: OrchestratorId.make(String(id)),
              status: decodeStatus(status),
              holds: holdsOf[String(id)] ?? 0
            })),
            answers.machines.length
          ),
          held: listed(yield* decode.held(answers.held), leases),
          reviews: listed(reviewItems, Math.max(reviewTotal, reviewItems.length), leases),
          questions: listed(
            yield* decode.questions(answers.questions.slice(0, MaxListed)),
            answers.questions.length
          ),
          parks: listed(yield* decode.parks(answers.parks.slice(0, MaxListed)), answers.parks.length),
          failures: {
            ...listed(yield* decode.failures(failures.slice(0, MaxListed)), failures.length),
            by_event: tally(failures.map(({ event }) => String(event)))
          },
          breakers: whole(yield* decode.breakers(answers.breakers)),
          unclaimable: whole(yield* decode.unclaimable(answers.unclaimable)),
          lives: {
            exact: true,
            hours: Array.from({ length: Hours + 1 }, (_, i) => hour / Hour - (Hours - i)).map((begins) => ({
              hour: DateTime.makeUnsafe(begins * Hour),
              done: lives.get(begins) ?? 0
            }))
          },
          usage: answers.usage.map(UsageList.sumOf)
        }
      })

      return Overviews.of({ read })
    })
  )
}
