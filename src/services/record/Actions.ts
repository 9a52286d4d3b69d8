/** Actions: proposals, which one caller approves and another one carries out. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { InvalidCursor } from "../../domain/Cursor.ts"
import { type ActionId, actionId, type ScopeName } from "../../domain/Identifier.ts"
import type { ContentChoice, Envelope } from "../../domain/Page.ts"
import {
  type Action,
  type ActionFilter,
  type ActionNotExecutable,
  type ActionNotFound,
  type ActionPatch,
  ActionRow,
  type ActionStatusConflict,
  type InvalidActionStatus,
  type NewAction
} from "../../domain/record/Action.ts"
import type { NoFields } from "../../domain/TaggedError.ts"
import * as Idempotency from "../../sql/Idempotency.ts"
import { columnsOf } from "../../sql/JsonRow.ts"
import type { Reach } from "../../sql/Reach.ts"
import { statement } from "../../sql/Statement.ts"
import * as Change from "./actions/change.ts"
import * as Read from "./actions/read.ts"
import { decodeActions } from "./actions/rows.ts"

const insert = statement(`
  INSERT INTO actions (id, scope, entity_type, entity_id, action_type, label, description, status,
    proposed_by, proposed_at, expires_at, metadata, action_data)
  VALUES (:id, :scope, :entity_type, :entity_id, :action_type, :label, :description, 'proposed',
    :proposed_by, :now, :expires_at, :metadata, :action_data)
  RETURNING *`)

const proposed = Idempotency.keeping({ row: columnsOf(ActionRow), from: "actions", where: "id = :id" })

export class Actions extends Context.Service<Actions, {
  readonly propose: (scope: ScopeName, action: NewAction) => Effect.Effect<Action>
  readonly get: (id: ActionId, scope: Reach, choice?: ContentChoice) => Effect.Effect<Action, ActionNotFound>
  /** A page of the scope's actions, newest first, and how many match on all pages. Expired ones only if asked for. */
  readonly list: (
    scope: ScopeName,
    filter: ActionFilter
  ) => Effect.Effect<{ readonly actions: ReadonlyArray<Action> } & Envelope, InvalidCursor>
  /** Approves a proposal. Of several approvals at the same time, one succeeds. */
  readonly execute: (id: ActionId, scope: Reach) => Effect.Effect<Action, ActionNotFound | ActionNotExecutable>
  /** Sets the status, the result or both, if the action is as the caller expects. */
  readonly patch: (
    id: ActionId,
    patch: ActionPatch,
    scope: Reach
  ) => Effect.Effect<Action, ActionNotFound | InvalidActionStatus | NoFields | ActionStatusConflict>
  /** Ends an action that has not ended. A repeated call answers the action as it is. */
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
      const once = yield* Idempotency.make
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
        return (yield* decodeActions(replay?.rows ?? inserted, replay?.at ?? now))[0]!
      })

      return Actions.of({ propose, ...(yield* Read.make), ...(yield* Change.make) })
    })
  ).pipe(Layer.provide(SecureRandom.layerWebCrypto))
}
