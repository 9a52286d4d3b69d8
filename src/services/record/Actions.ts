/** Actions: proposals that somebody approves and somebody else carries out. */
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
import { Database } from "../../sql/Database.ts"
import * as Idempotency from "../../sql/legacy/Idempotency.ts"
import { columnsOf } from "../../sql/legacy/JsonRow.ts"
import type { Reach } from "../../sql/Reach.ts"
import * as Change from "./actions/change.ts"
import * as Read from "./actions/read.ts"
import { decodeActions } from "./actions/rows.ts"

export class Actions extends Context.Service<Actions, {
  readonly propose: (scope: ScopeName, action: NewAction) => Effect.Effect<Action>
  readonly get: (id: ActionId, scope: Reach, choice?: ContentChoice) => Effect.Effect<Action, ActionNotFound>
  /** A page of the scope's actions, newest first, and how many match on all pages. Expired ones only if asked for. */
  readonly list: (
    scope: ScopeName,
    filter: ActionFilter
  ) => Effect.Effect<{ readonly actions: ReadonlyArray<Action> } & Envelope, InvalidCursor>
  /** Approves a proposal. Of several that do at once, one succeeds. */
  readonly execute: (id: ActionId, scope: Reach) => Effect.Effect<Action, ActionNotFound | ActionNotExecutable>
  /** Sets the status, the result or both, if the action is as the caller expects. */
  readonly patch: (
    id: ActionId,
    patch: ActionPatch,
    scope: Reach
  ) => Effect.Effect<Action, ActionNotFound | InvalidActionStatus | NoFields | ActionStatusConflict>
  /** Ends an action that has not ended yet. The same call again answers the action as it is. */
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
      const { sql } = yield* Database
      const once = yield* Idempotency.make
      const row = columnsOf(sql, ActionRow)
      const random = yield* SecureRandom.SecureRandom

      const propose = Effect.fn("Actions.propose")(function*(scope: ScopeName, action: NewAction) {
        const now = yield* Clock.currentTimeMillis
        const id = yield* Effect.provideService(actionId, SecureRandom.SecureRandom, random)
        const { answers: [rows], replay } = yield* once.batch([
          sql`INSERT INTO actions ${
            sql.insert({
              id,
              scope,
              entity_type: action.entity_type,
              entity_id: action.entity_id,
              action_type: action.action_type || "proposal",
              label: action.label,
              description: action.description || null,
              status: "proposed",
              proposed_by: action.proposed_by,
              proposed_at: now,
              expires_at: action.expires_at ? DateTime.toEpochMillis(action.expires_at) : null,
              metadata: action.metadata || null,
              action_data: action.action_data || null
            })
          } RETURNING *`
        ], { after: 0, row, from: sql`actions WHERE id = ${id}` })
        return (yield* decodeActions(replay?.rows ?? rows, replay?.at ?? now))[0]!
      })

      return Actions.of({ propose, ...(yield* Read.make), ...(yield* Change.make) })
    })
  ).pipe(Layer.provide(SecureRandom.layerWebCrypto))
}
