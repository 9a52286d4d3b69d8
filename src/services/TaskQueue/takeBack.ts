/**
 * Taking back the leases that ran out: all in one batch, as long as D1 refuses none. Where it refuses some, these are found
 * and remembered (`sweeps`), so that they are left out from then on and keep no others, however many they are.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { seed } from "../../domain/Backoff.ts"
import type { ScopeName } from "../../domain/Identifier.ts"
import { type Answers, Database, statementsLeft } from "../../sql/Database.ts"
import * as Expiry from "../../sql/Expiry.ts"
import { isRefusal } from "../../sql/Refusal.ts"
import * as FailFreed from "../Leases/failFreed.ts"
import { Settings } from "../Settings.ts"
import { logCascade } from "./log.ts"

// So many statements go on looking for the refused ones in a turn, or fewer if the request or the turn has fewer left
// (`MaxStatements` in `sql/Database.ts`).
const MostSent = 26

// The statements that take tasks back which are ready then; that take back any tasks, and fail those that are freed; and what
// comes after all of these.
const Ready = 3
const Any = 16
const Rest = 2

// Of the leases that may be among the refused, the first so many are looked through in a turn.
const Looked = 64

// The refused ones that are remembered, and how many of them are tried again in a turn.
const Remembered = 500
const Retried = 2

// A log line names so many.
const Named = 20

/** The tasks whose leases D1 refused to end, and how many of the others are tried at once while more are looked for; 0 when none are. */
const Stuck = Schema.fromJsonString(Schema.Struct({ ids: Schema.Array(Schema.String), window: Schema.Int }))
type Stuck = typeof Stuck.Type
const decode = Schema.decodeUnknownEffect(Stuck)
const none: Stuck = { ids: [], window: 0 }

export const make = Effect.gen(function*() {
  const { batch, sql } = yield* Database
  const expire = Expiry.make(sql, yield* Settings)
  const failFreed = yield* FailFreed.make
  // What is remembered is read where something was refused before, and not with every turn.
  let suspected = false

  const remembered = Effect.gen(function*() {
    const [[row] = []] = yield* batch([sql`SELECT position FROM sweeps WHERE name = 'stuck'`])
    return row === undefined ? none : yield* Effect.orDie(decode(row.position))
  })
  const remember = (stuck: Stuck) =>
    batch([
      sql`INSERT INTO sweeps (name, position, due_at) VALUES ('stuck', ${JSON.stringify(stuck)}, 0)
      ON CONFLICT (name) DO UPDATE SET position = excluded.position`
    ])

  /** In a scope, or in all of them: how many were taken back, and how many are left because they cannot be. */
  return Effect.fnUntraced(function*(scope?: ScopeName) {
    const now = yield* Clock.currentTimeMillis
    const chance = yield* seed
    const turn = { sent: 0, taken: 0 }
    const hasRoom = Effect.map(statementsLeft, (left) => turn.sent < MostSent && left >= Ready + Rest)

    /** Whether D1 did not refuse it. */
    const accepted = Effect.fnUntraced(function*(steps: ReturnType<typeof expire.all>, told?: string) {
      turn.sent += steps.length
      const answers: Answers | undefined = yield* batch(steps).pipe(Effect.catchDefect((defect) =>
        !isRefusal(defect)
          ? Effect.die(defect)
          : told === undefined
          ? Effect.undefined
          : Effect.as(Effect.logError(told, defect), undefined)
      ))
      if (answers === undefined) return undefined
      yield* logCascade(answers)
      const rows = answers.at(-1) ?? []
      turn.taken += rows.length
      if (yield* failFreed(rows, now)) turn.sent += steps.length
      return rows.length
    })
    /** The same for these: first those that then are ready, which takes few statements, and where others are left, all. */
    const tried = Effect.fnUntraced(function*(ids: ReadonlyArray<string>, told?: string) {
      const some = yield* accepted(expire.claimable(now, chance, scope, ids), told)
      return some === undefined || some === ids.length || (yield* statementsLeft) < Any + Rest
        ? some
        : yield* accepted(expire.all(now, chance, scope, { ids }), told)
    })
    const alone = (id: string) => tried([id], "a task cannot be taken back").pipe(Effect.annotateLogs({ task_id: id }))

    let { ids: known, window } = suspected ? yield* remembered : none
    if (window === 0) {
      const all = yield* accepted(
        expire.all(now, chance, scope, { but: known }),
        "taking back in one batch was refused"
      )
      if (all !== undefined && known.length === 0) return { taken: turn.taken, refused: 0 }
      if (all === undefined) {
        if (!suspected) known = (yield* remembered).ids
        suspected = true
        window = Looked
      }
    }
    const stuck = [...known]
    if (window > 0) {
      const [found = []] = yield* batch([expire.some(now, Looked, scope, known)])
      let rest = found.map(({ id }) => String(id))
      while (rest.length > 0 && (yield* hasRoom)) {
        const some = rest.slice(0, window)
        const [only] = some.length === 1 ? some : []
        const done = yield* only === undefined ? tried(some) : alone(only)
        if (done === undefined && only === undefined) {
          window = Math.ceil(some.length / 4)
          continue
        }
        if (done === undefined) stuck.push(only!)
        else window = Math.min(some.length * 2, Looked)
        rest = rest.slice(some.length)
      }
      if (rest.length === 0 && found.length < Looked) window = 0
    }
    // What stood in the way may be gone. One that is not refused any more is forgotten.
    for (const id of known.slice(0, Retried)) {
      if (!(yield* hasRoom)) break
      stuck.shift()
      if ((yield* alone(id)) === undefined) stuck.push(id)
    }
    yield* remember({ ids: stuck.slice(-Remembered), window })
    if (stuck.length > 0) {
      yield* Effect.logWarning("leases cannot be taken back").pipe(
        Effect.annotateLogs({ count: stuck.length, ids: stuck.slice(0, Named) })
      )
    }
    return { taken: turn.taken, refused: stuck.length + Math.sign(window) }
  })
})
