/** Orchestrators: the machines of a fleet, and whether they are alive. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import type * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type { OrchestratorId, ScopeName } from "../../domain/Identifier.ts"
import type { CheckpointTooLarge } from "../../domain/lease/Handoff.ts"
import type { HeldLease, Renewals } from "../../domain/lease/Renewal.ts"
import {
  type Orchestrator,
  type OrchestratorFilter,
  OrchestratorNotFound,
  OrchestratorRow,
  type OrchestratorTaken,
  type Registered,
  type Registration
} from "../../domain/machine/Orchestrator.ts"
import { type InvalidCursor, pageOf } from "../../domain/Page.ts"
import { ScopeRequired } from "../../domain/TaggedError.ts"
import type { InvalidTask } from "../../domain/task/TaskErrors.ts"
import { Database } from "../../sql/Database.ts"
import { afterCursor, cursorValues } from "../../sql/page/Keyset.ts"
import * as PageBytes from "../../sql/page/PageBytes.ts"
import { byScope, onlyScope, type Reach } from "../../sql/Reach.ts"
import * as Revisions from "../../sql/Revisions.ts"
import { statement, variants } from "../../sql/Statement.ts"
import { Keys } from "../access/Keys.ts"
import { Settings } from "../Settings.ts"
import { logMany } from "../task/log.ts"
import * as Heartbeat from "./heartbeat.ts"
import * as Register from "./register.ts"

const decodeRows = Schema.decodeUnknownEffect(Schema.Array(OrchestratorRow))
const decode = (rows: unknown) => Effect.orDie(decodeRows(rows))

/** The machines of a list, in a scope or in every scope. An absent filter is null. */
const listed = (every: boolean) =>
  `FROM orchestrators WHERE ${every ? "true" : "scope = :scope"} AND (:cluster IS NULL OR cluster = :cluster)
    AND (:statuses IS NULL OR status IN (SELECT value FROM json_each(:statuses)))`

// A heartbeat moves a machine to the front of the list, where a client that reads pages would miss it. So pages are by
// id.
const pages = variants((every: boolean, order: "by id" | "last heard of first", next: boolean) =>
  PageBytes.pagesOf(
    {
      columns: Object.keys(OrchestratorRow.fields),
      long: ["cluster", "machine_id", "hostname", "repo_url", "version", "capabilities"]
    },
    `
    SELECT * ${listed(every)} ${next ? `AND ${afterCursor(every ? ["id", "scope"] : ["id"], "ascending")}` : ""}
    ORDER BY ${order === "by id" ? "id, scope" : "last_heartbeat DESC, id, scope"} LIMIT :take`
  )
)

const countListed = variants((every: boolean) => statement(`SELECT count(*) AS total ${listed(every)}`))

const newestById = byScope((inScope) => `
  SELECT * FROM orchestrators WHERE id = :id AND ${inScope} ORDER BY last_heartbeat DESC, scope LIMIT 1`)

const allById = byScope((inScope) => `SELECT 1 FROM orchestrators WHERE id = :id AND ${inScope}`)

const isTheOnlyOne = `id = :id AND scope = ${onlyScope("orchestrators", "id = :id")}`

const raised = Revisions.raiseMachines(isTheOnlyOne)
const statusRaised = Revisions.raiseMachines(`${isTheOnlyOne} AND status <> :status`)

const updateStatus = statement(`UPDATE orchestrators SET status = :status WHERE ${isTheOnlyOne} RETURNING *`)

const deleteOne = statement(`DELETE FROM orchestrators WHERE ${isTheOnlyOne} RETURNING id`)

const isSilent = "status = 'active' AND last_heartbeat < :silent_since"
const silentRaised = Revisions.raiseMachines(isSilent)
const markSilent = statement(`UPDATE orchestrators SET status = 'offline' WHERE ${isSilent} RETURNING id, scope`)

export class Orchestrators extends Context.Service<Orchestrators, {
  /** Registers the machine, or updates its registration: `created` says which. A scope without a key gets one. */
  readonly register: (
    scope: ScopeName,
    registration: Registration
  ) => Effect.Effect<{ readonly created: boolean; readonly registered: Registered }, OrchestratorTaken>
  /** Records a heartbeat. A machine that was offline is active again; one in maintenance stays in maintenance. */
  readonly heartbeat: (id: OrchestratorId, scope: Reach) => Effect.Effect<DateTime.Utc, OrchestratorNotFound>
  /**
   * Records a heartbeat and renews leases. Each lease is identified by its token, even if another machine of the scope
   * took it over.
   */
  readonly renew: (id: OrchestratorId, scope: Reach, leases: ReadonlyArray<HeldLease>) => Effect.Effect<
    { readonly last_heartbeat: DateTime.Utc; readonly renewals: Renewals },
    OrchestratorNotFound | InvalidTask | CheckpointTooLarge
  >
  /**
   * The machines within reach, the newest heartbeat first. If the request asks for a page, they are ordered by id and
   * scope.
   */
  readonly list: (scope: Reach, filter: OrchestratorFilter) => Effect.Effect<{
    readonly orchestrators: ReadonlyArray<Orchestrator>
    readonly total: number
    readonly next_cursor: string | null
  }, InvalidCursor>
  readonly get: (id: OrchestratorId, scope: Reach) => Effect.Effect<Orchestrator, OrchestratorNotFound>
  readonly setStatus: (
    id: OrchestratorId,
    status: Orchestrator["status"],
    scope: Reach
  ) => Effect.Effect<Orchestrator, OrchestratorNotFound | ScopeRequired>
  /** Deletes the machine and frees its id. Its tasks return to their queues when the leases expire. */
  readonly remove: (id: OrchestratorId, scope: Reach) => Effect.Effect<void, OrchestratorNotFound | ScopeRequired>
  /** Marks silent machines as offline, and answers how many. */
  readonly sweep: Effect.Effect<number>
}>()("octopoid-server/services/Orchestrators") {
  static readonly layer = Layer.effect(
    Orchestrators,
    Effect.gen(function*() {
      const { batch } = yield* Database
      const readPage = yield* PageBytes.reader
      const register = yield* Register.make
      const { orchestratorTimeoutSeconds } = yield* Settings

      const first = Effect.fnUntraced(function*(id: OrchestratorId, rows: ReadonlyArray<unknown>) {
        return (yield* decode(rows))[0] ?? (yield* OrchestratorNotFound.of(id))
      })

      const list = Effect.fn("Orchestrators.list")(function*(scope: Reach, filter: OrchestratorFilter) {
        const page = yield* Effect.fromResult(
          pageOf(filter, {
            name: "orchestrators",
            of: { scope, ...filter },
            // Several scopes may have a machine of the same id.
            key: scope === undefined ? { id: "string", scope: "string" } : { id: "string" },
            whole: "all"
          })
        )
        const paged = filter.limit !== undefined || page.after !== undefined
        const every = scope === undefined
        const values = {
          ...cursorValues(page),
          scope: scope ?? null,
          cluster: filter.cluster || null,
          statuses: filter.status === undefined || filter.status.length === 0 ? null : JSON.stringify(filter.status)
        }
        const pagesIn = (order: "by id" | "last heard of first") => pages(every, order, page.after !== undefined)
        const count = countListed(every)(values)
        const { answers, found, total: entire } = yield* readPage({
          page,
          pages: pagesIn(page.take < 0 && !paged ? "last heard of first" : "by id"),
          inPages: pagesIn("by id"),
          values,
          count
        }, (rows) => batch({ rows, count: paged && page.total === undefined ? count : undefined }))
        const { envelope: { next_cursor, total }, rows } = page.end(
          found,
          entire ?? Number(answers.count[0]?.total ?? found.length)
        )
        return { orchestrators: yield* decode(rows), total, next_cursor }
      })

      const get = Effect.fn("Orchestrators.get")(function*(id: OrchestratorId, scope: Reach) {
        const { found } = yield* batch({ found: newestById({ id, scope: scope ?? null }) })
        return yield* first(id, found)
      })

      const setStatus = Effect.fn("Orchestrators.setStatus")(
        function*(id: OrchestratorId, status: Orchestrator["status"], scope: Reach) {
          const values = { id, status, scope: scope ?? null }
          const { named, updated } = yield* batch({
            raised: statusRaised(values),
            updated: updateStatus(values),
            named: allById(values)
          })
          if (named.length > 1) return yield* ScopeRequired.several("orchestrator", id)
          const orchestrator = yield* first(id, updated)
          yield* Effect.logInfo("orchestrator status set").pipe(Effect.annotateLogs({ orchestrator_id: id, status }))
          return orchestrator
        }
      )

      const remove = Effect.fn("Orchestrators.remove")(function*(id: OrchestratorId, scope: Reach) {
        const values = { id, scope: scope ?? null }
        const { deleted, left } = yield* batch({
          raised: raised(values),
          deleted: deleteOne(values),
          left: allById(values)
        })
        if (left.length > 1) return yield* ScopeRequired.several("orchestrator", id)
        if (deleted.length === 0) return yield* OrchestratorNotFound.of(id)
        yield* Effect.logInfo("orchestrator removed").pipe(Effect.annotateLogs({ orchestrator_id: id }))
      })

      const sweep = Effect.gen(function*() {
        const now = yield* Clock.currentTimeMillis
        const values = { silent_since: now - orchestratorTimeoutSeconds * 1000 }
        const { silent } = yield* batch({ raised: silentRaised(values), silent: markSilent(values) })
        if (silent.length > 0) yield* logMany("orchestrators", "offline", silent)
        return silent.length
      }).pipe(Effect.withSpan("Orchestrators.sweep"))

      return Orchestrators.of({ register, ...(yield* Heartbeat.make), list, get, setStatus, remove, sweep })
    })
  ).pipe(Layer.provide(Keys.layer))
}
