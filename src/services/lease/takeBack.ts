/**
 * Takes back expired leases, normally all in one batch. If D1 refuses that batch, the leases are tried a few at a time,
 * in the order in which they expired, and the cron remembers how far it got (in the table `sweeps`). Leases that expire
 * later are again taken back in one batch, so refused leases do not hold up others.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { ScopeName } from "../../domain/Identifier.ts"
import { seed } from "../../domain/lease/Backoff.ts"
import { statementsOf } from "../../sql/Batch.ts"
import { Database, fits, isRefusal } from "../../sql/Database.ts"
import * as Expiry from "../../sql/lease/Expiry.ts"
import { statement, type Values } from "../../sql/Statement.ts"
import { Settings } from "../Settings.ts"
import { logCascade } from "../task/log.ts"

/**
 * Goes on with `other` after a refused batch, and logs why it was refused. After any other failure it is unknown
 * whether the batch had its effect, so that stays a defect.
 */
export const ifRefused =
  <A, E, R>(message: string, other: Effect.Effect<A, E, R>) =>
  <B, F, S>(batch: Effect.Effect<B, F, S>): Effect.Effect<A | B, E | F, R | S> =>
    Effect.catchDefect(
      batch,
      (defect) => isRefusal(defect) ? Effect.andThen(Effect.logError(message, defect), other) : Effect.die(defect)
    )

// How many leases are tried in one batch at most. The window shrinks when a batch is refused and grows when it is not.
const Looked = 64

// How many statements a turn of the cron may use to look for refused leases. A claim uses fewer, and so does a turn
// that knows all refused leases from before.
const MostSent = 24
const FewSent = 12

// How many ids a log line names.
const Named = 20

/** How far the cron has looked through the refused leases. */
const Walk = Schema.fromJsonString(Schema.Struct({
  /**
   * Leases that ended by this time, in milliseconds, are tried in windows. Those that ended later are tried in one
   * batch.
   */
  through: Schema.Int,
  /** The last lease that was tried; null at the beginning. */
  place: Schema.NullOr(Schema.Tuple([Schema.Int, Schema.String])),
  window: Schema.Int,
  /** How many were refused in this pass so far (`refused`), and in the whole pass before (`before`). */
  refused: Schema.Int,
  before: Schema.NullOr(Schema.Int)
}))
type Walk = typeof Walk.Type
const decode = Schema.decodeUnknownOption(Walk)

type Tried = "refused" | "no room" | number

const readWalk = statement("SELECT position FROM sweeps WHERE name = 'stuck'")
const forgetWalk = statement("DELETE FROM sweeps WHERE name = 'stuck'")
const keepWalk = statement(`
  INSERT INTO sweeps (name, position, due_at) VALUES ('stuck', :walk, 0)
  ON CONFLICT (name) DO UPDATE SET position = excluded.position`)

export const make = Effect.gen(function*() {
  const { batch } = yield* Database
  const { backoff } = yield* Settings
  // The position is read only after a batch was refused, not in every turn.
  let suspected = false

  // A position that an earlier version stored does not decode, and is ignored.
  const remembered = Effect.gen(function*() {
    const { walk } = yield* batch({ walk: readWalk() })
    return Option.getOrUndefined(decode(walk[0]?.position))
  })
  const remember = (walk: Walk | undefined) =>
    batch({ walk: walk === undefined ? forgetWalk() : keepWalk({ walk: JSON.stringify(walk) }) })

  /** Takes leases back in a scope, or in all. Answers how many were taken back, and how many are left. */
  return Effect.fnUntraced(function*(scope?: ScopeName) {
    const now = yield* Clock.currentTimeMillis
    const chance = yield* seed
    const turn = { sent: 0, taken: 0 }
    const refused: Array<string> = []

    /** Sends the steps if they fit, and leaves room for the statement that stores the position. */
    const send = Effect.fnUntraced(function*(which: Expiry.Which, values: Values, message?: string) {
      const steps = Expiry.bound(Expiry.steps(scope !== undefined, which, backoff.baseSeconds > 0), {
        ...values,
        now,
        scope: scope ?? null,
        seed: chance,
        backoff_base: backoff.baseSeconds,
        backoff_max: backoff.maxSeconds
      })
      const statements = statementsOf(steps).length
      if (!(yield* fits(statements, 1))) return "no room"
      turn.sent += statements
      const answers = yield* batch(steps).pipe(Effect.catchDefect((defect) =>
        !isRefusal(defect)
          ? Effect.die(defect)
          : message === undefined
          ? Effect.undefined
          : Effect.as(Effect.logError(message, defect), undefined)
      ))
      if (answers === undefined) return "refused"
      yield* logCascade([answers.dependents, answers.reclaimed])
      turn.taken += answers.reclaimed.length
      return answers.reclaimed.length
    })
    const all = (after?: number) =>
      send(after === undefined ? "all" : "recent", { after: after ?? null }, "taking back in one batch was refused")
    /**
     * Tries these tasks: first those that are ready afterwards, which needs few statements, then, if others are
     * left, all.
     */
    const tried = Effect.fnUntraced(function*(ids: ReadonlyArray<string>, message?: string) {
      const listed = { ids: JSON.stringify(ids) }
      const some: Tried = yield* send("ready and listed", listed, message)
      return typeof some === "string" || some === ids.length ? some : yield* send("listed", listed, message)
    })
    const alone = (id: string) => tried([id], "a task cannot be taken back").pipe(Effect.annotateLogs({ task_id: id }))

    /** Tries the leases that ended after a time, from a position on. */
    const look = Effect.fnUntraced(
      function*(from: Pick<Walk, "place" | "window">, after: number | undefined, sent: number) {
        let { place, window } = from
        const until = turn.sent + sent
        while (yield* fits(1, 1)) {
          const { found } = yield* batch({ found: Expiry.someExpired(now, Looked, scope, after, place) })
          for (let at = 0; at < found.length;) {
            if (turn.sent >= until) return { place, window, ended: false }
            const some = found.slice(at, at + window)
            const ids = some.map(({ id }) => String(id))
            const result: Tried = yield* ids.length === 1 ? alone(ids[0]!) : tried(ids)
            if (result === "no room") return { place, window, ended: false }
            if (result === "refused" && ids.length > 1) {
              window = Math.ceil(ids.length / 4)
              continue
            }
            if (result === "refused") refused.push(ids[0]!)
            else window = Math.min(ids.length * 2, Looked)
            at += ids.length
            const { id, lease_expires_at } = some.at(-1)!
            place = [Number(lease_expires_at), String(id)]
          }
          if (found.length < Looked) return { place: null, window, ended: true }
        }
        return { place, window, ended: false }
      }
    )

    if (scope !== undefined) {
      const result: Tried = yield* all()
      if (result === "refused") yield* look({ place: null, window: 4 }, undefined, FewSent)
      return { taken: turn.taken, refused: Number(typeof result === "string") }
    }

    let walk = suspected ? yield* remembered : undefined
    let result: Tried = yield* all(walk?.through)
    if (result === "refused" && !suspected) {
      suspected = true
      walk = yield* remembered
      if (walk !== undefined) result = yield* all(walk.through)
    }
    if (walk === undefined && result !== "refused") {
      suspected = false
      return { taken: turn.taken, refused: Number(result === "no room") }
    }
    walk ??= { through: now, place: null, window: Looked, refused: 0, before: null }
    if (result === "refused" && walk.place !== null) {
      // Leases that ended recently come first. The pass reaches the older ones when it begins again.
      const { ended } = yield* look({ place: null, window: Looked }, walk.through, FewSent)
      if (!ended) walk = { ...walk, before: null }
    }
    if (result !== "no room") walk = { ...walk, through: now }
    const fresh = refused.length
    const { ended, place, window } = yield* look(walk, undefined, walk.before === null ? MostSent : FewSent)
    const found = walk.refused + refused.length - fresh
    const before = ended ? found : walk.before
    suspected = !ended || found + fresh > 0
    yield* remember(suspected ? { ...walk, place, window, refused: ended ? 0 : found, before } : undefined)
    const count = Math.max(found, before ?? 0) + fresh
    if (count > 0) {
      yield* Effect.logWarning("leases cannot be taken back").pipe(
        Effect.annotateLogs({ count, ids: refused.slice(0, Named) })
      )
    }
    return { taken: turn.taken, refused: count + Number(!ended) }
  })
})
