/**
 * Actions: proposals that one actor approves and another carries out. One statement checks the status and changes it,
 * so of several callers only one succeeds.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { type ActionId, actionId, type ScopeName } from "../../domain/Identifier.ts"
import { type ContentChoice, type Envelope, type InvalidCursor, pageOf } from "../../domain/Page.ts"
import {
  type Action,
  type ActionFilter,
  ActionNotExecutable,
  ActionNotFound,
  type ActionPatch,
  ActionRow,
  actionSeenAt,
  ActionStatus,
  ActionStatusConflict,
  finishedStatuses,
  InvalidActionStatus,
  type NewAction
} from "../../domain/record/Action.ts"
import { NoFields } from "../../domain/TaggedError.ts"
import { columnsWithout } from "../../sql/Columns.ts"
import { Database } from "../../sql/Database.ts"
import * as Idempotency from "../../sql/Idempotency.ts"
import { columnsOf } from "../../sql/JsonRow.ts"
import { afterCursor, cursorValues } from "../../sql/page/Keyset.ts"
import * as PageBytes from "../../sql/page/PageBytes.ts"
import { inScope, type Reach } from "../../sql/Reach.ts"
import { seen } from "../../sql/record/Actions.ts"
import { type Statement, statement, type Values, variants } from "../../sql/Statement.ts"

const decodeRows = Schema.decodeUnknownEffect(Schema.Array(ActionRow))

/** Decodes the rows of actions as they are at a given time. */
const decode = (rows: unknown, now: number) =>
  Effect.map(Effect.orDie(decodeRows(rows)), (actions) => actions.map((action) => actionSeenAt(action, now)))

const isStatus = Schema.is(ActionStatus)

const KeyedRow = { fields: { seq: true, ...ActionRow.fields } }
const longTexts = ["description", "result", "metadata", "action_data"]

const insert = statement(`
  INSERT INTO actions (id, scope, entity_type, entity_id, action_type, label, description, status,
    proposed_by, proposed_at, expires_at, metadata, action_data)
  VALUES (:id, :scope, :entity_type, :entity_id, :action_type, :label, :description, 'proposed',
    :proposed_by, :now, :expires_at, :metadata, :action_data)
  RETURNING *`)

const proposed = Idempotency.keeping({ row: columnsOf(ActionRow), from: "actions", where: "id = :id" })

const byId = variants((content: "with content" | "without content") =>
  statement(
    content === "with content"
      ? `SELECT * FROM actions WHERE id = :id AND ${inScope}`
      : `SELECT id, scope, entity_type, entity_id, action_type, label, NULL AS description, status, proposed_by, proposed_at,
          executed_at, NULL AS result, expires_at, NULL AS metadata, NULL AS action_data
        FROM actions WHERE id = :id AND ${inScope}`
  )
)

/**
 * The actions of a list: about one record, about a kind of record, or all of the scope. Few actions are about one
 * record; by itself SQLite would use the index that is in order, and read the whole scope.
 */
const listed = (about: "record" | "kind" | "anything") =>
  `FROM actions ${
    about === "record"
      ? "INDEXED BY actions_about WHERE scope = :scope AND entity_type = :entity_type AND entity_id = :entity_id"
      : about === "kind"
      ? "WHERE scope = :scope AND entity_type = :entity_type"
      : "WHERE scope = :scope AND (:entity_id IS NULL OR entity_id = :entity_id)"
  } AND iif(:status IS NULL, ${seen} <> 'expired', ${seen} = :status)`

const pages = variants((about: "record" | "kind" | "anything", content: boolean, next: boolean) =>
  PageBytes.pagesOf(
    {
      columns: Object.keys(KeyedRow.fields),
      long: [...longTexts, "entity_type", "entity_id", "action_type", "label", "proposed_by"]
    },
    `
    SELECT ${content ? "*" : columnsWithout(KeyedRow, longTexts)}
    ${listed(about)} ${next ? `AND ${afterCursor(["proposed_at", "seq"], "descending")}` : ""}
    ORDER BY proposed_at DESC, seq DESC LIMIT :take OFFSET :skip`
  )
)

const countListed = variants((about: "record" | "kind" | "anything") =>
  statement(`SELECT count(*) AS total ${listed(about)}`)
)

const isOpen = `${seen} NOT IN (${finishedStatuses.map((status) => `'${status}'`).join(", ")})`

const approve = statement(`
  UPDATE actions SET status = 'execute_requested', executed_at = :now
  WHERE id = :id AND ${inScope} AND ${seen} = 'proposed' RETURNING id`)

const end = statement(`
  UPDATE actions SET status = :status, executed_at = coalesce(executed_at, :now), result = coalesce(:result, result)
  WHERE id = :id AND ${inScope} AND ${isOpen} RETURNING id`)

// `executed_at` is the time of the approval. Later statuses set it if it is missing, and a proposal has none.
const update = statement(`
  UPDATE actions SET
    status = coalesce(:status, status),
    executed_at = CASE
      WHEN :status = 'proposed' THEN NULL
      WHEN :status <> 'expired' THEN coalesce(executed_at, :now)
      ELSE executed_at END,
    result = iif(:sets_result, :result, result)
  WHERE id = :id AND ${inScope}
    AND (:status IS NULL OR ${seen} = :status OR ${isOpen})
    AND (:expected IS NULL OR ${seen} = :expected)
  RETURNING id`)

const changedAction = Idempotency.keeping({
  row: columnsOf(ActionRow),
  from: "actions",
  where: `id = :id AND ${inScope}`
})

export class Actions extends Context.Service<Actions, {
  readonly propose: (scope: ScopeName, action: NewAction) => Effect.Effect<Action>
  readonly get: (id: ActionId, scope: Reach, choice?: ContentChoice) => Effect.Effect<Action, ActionNotFound>
  /**
   * A page of the actions of the scope, newest first, and how many match on all pages. Expired actions only on request.
   */
  readonly list: (
    scope: ScopeName,
    filter: ActionFilter
  ) => Effect.Effect<{ readonly actions: ReadonlyArray<Action> } & Envelope, InvalidCursor>
  /** Approves a proposal. Of simultaneous approvals one succeeds. */
  readonly execute: (id: ActionId, scope: Reach) => Effect.Effect<Action, ActionNotFound | ActionNotExecutable>
  /** Sets the status, the result or both, if the action is as the caller expects. */
  readonly patch: (
    id: ActionId,
    patch: ActionPatch,
    scope: Reach
  ) => Effect.Effect<Action, ActionNotFound | InvalidActionStatus | NoFields | ActionStatusConflict>
  /** Ends an open action. A repeated call answers the action as it is. */
  readonly finish: (
    id: ActionId,
    outcome: "completed" | "failed",
    result: string | null,
    scope: Reach
  ) => Effect.Effect<Action, ActionNotFound | ActionStatusConflict>
}>()("octopoid-server/services/Actions") {
  static readonly layer = Layer.effect(
    Actions,
    Effect.gen(function*() {
      const { batch } = yield* Database
      const once = yield* Idempotency.make
      const paged = yield* PageBytes.reader
      const random = yield* SecureRandom.SecureRandom

      const propose = Effect.fn("Actions.propose")(function*(scope: ScopeName, action: NewAction) {
        const now = yield* Clock.currentTimeMillis
        const id = yield* Effect.provideService(actionId, SecureRandom.SecureRandom, random)
        const { entity_id, entity_type, label, proposed_by } = action
        const values = {
          id,
          scope,
          entity_type,
          entity_id,
          action_type: action.action_type || "proposal",
          label,
          description: action.description || null,
          proposed_by,
          expires_at: action.expires_at ? DateTime.toEpochMillis(action.expires_at) : null,
          metadata: action.metadata || null,
          action_data: action.action_data || null,
          now
        }
        const { answers: { inserted }, replay } = yield* once.batch(
          { inserted: insert(values) },
          { keep: "inserted", answer: proposed, values }
        )
        return (yield* decode(replay?.rows ?? inserted, replay?.at ?? now))[0]!
      })

      const get = Effect.fn("Actions.get")(function*(id: ActionId, scope: Reach, { content }: ContentChoice = {}) {
        const now = yield* Clock.currentTimeMillis
        const read = byId(content === false ? "without content" : "with content")
        const { found } = yield* batch({ found: read({ id, scope: scope ?? null }) })
        return (yield* decode(found, now))[0] ?? (yield* ActionNotFound.of(id))
      })

      const list = Effect.fn("Actions.list")(function*(scope: ScopeName, filter: ActionFilter) {
        const now = yield* Clock.currentTimeMillis
        const page = yield* Effect.fromResult(
          pageOf(filter, { name: "actions", of: { scope, ...filter }, key: { proposed_at: "number", seq: "number" } })
        )
        const status = filter.status === "pending" ? "proposed" : filter.status
        const about = filter.entity_type ? filter.entity_id ? "record" : "kind" : "anything"
        const values = {
          ...cursorValues(page),
          scope,
          entity_type: filter.entity_type || null,
          entity_id: filter.entity_id || null,
          status: status || null,
          now,
          skip: page.skip
        }
        const count = page.total === undefined ? countListed(about)(values) : undefined
        const { answers, found } = yield* paged({
          page,
          pages: pages(about, filter.content ?? true, page.after !== undefined),
          values
        }, (rows) => batch({ rows, count }))
        const { envelope, rows } = page.end(found, Number(answers.count[0]?.total))
        return { actions: yield* decode(rows, now), ...envelope }
      })

      /** Runs a statement that changes the action. Answers whether it did, and the action afterwards. */
      const change = Effect.fnUntraced(
        function*(statement: Statement, values: Values & { readonly id: ActionId; readonly now: number }) {
          const { id, now } = values
          const { answers, replay } = yield* once.batch(
            { changed: statement(values), found: byId("with content")(values) },
            { keep: "changed", answer: changedAction, values }
          )
          if (replay !== undefined) return { changed: true, action: (yield* decode(replay.rows, replay.at))[0]! }
          const action = (yield* decode(answers.found, now))[0] ?? (yield* ActionNotFound.of(id))
          const done = answers.changed.length > 0
          if (done) {
            yield* Effect.logInfo("action changed").pipe(
              Effect.annotateLogs({ action_id: id, scope: action.scope, status: action.status })
            )
          }
          return { changed: done, action }
        }
      )

      const execute = Effect.fn("Actions.execute")(function*(id: ActionId, scope: Reach) {
        const now = yield* Clock.currentTimeMillis
        const { action, changed } = yield* change(approve, { id, scope: scope ?? null, now })
        if (changed) return action
        return yield* action.status === "expired"
          ? ActionNotExecutable.expired(id)
          : ActionNotExecutable.inStatus(id, action.status)
      })

      const patch = Effect.fn("Actions.patch")(function*(id: ActionId, changes: ActionPatch, scope: Reach) {
        const now = yield* Clock.currentTimeMillis
        const { expected_status: expected, result } = changes
        const status = changes.status || undefined
        if (status !== undefined && !isStatus(status)) return yield* InvalidActionStatus.of(status)
        if (status === undefined && result === undefined) {
          const error = "No valid fields to update. Updatable fields: status, result"
          return yield* new NoFields({ error, fields: ["status", "result"] })
        }
        // An approved action cannot become a proposal again, unless the caller names the status that it reverts.
        const wanted = expected || (status === "proposed" ? status : undefined)
        const { action, changed } = yield* change(update, {
          id,
          scope: scope ?? null,
          now,
          status: status ?? null,
          sets_result: Number(result !== undefined),
          result: result || null,
          expected: wanted ?? null
        })
        if (changed) return action
        return yield* wanted && wanted !== action.status
          ? ActionStatusConflict.unexpected(id, action.status, wanted)
          : ActionStatusConflict.finished(id, action.status)
      })

      const finish = Effect.fn("Actions.finish")(
        function*(id: ActionId, outcome: "completed" | "failed", result: string | null, scope: Reach) {
          const now = yield* Clock.currentTimeMillis
          const { action, changed } = yield* change(end, { id, scope: scope ?? null, now, status: outcome, result })
          const repeated = action.status === outcome && (result === null || result === action.result)
          return changed || repeated ? action : yield* ActionStatusConflict.finished(id, action.status)
        }
      )

      return Actions.of({ propose, get, list, execute, patch, finish })
    })
  ).pipe(Layer.provide(SecureRandom.layerWebCrypto))
}
