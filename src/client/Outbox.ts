/**
 * Results that the server has not settled yet. A result is saved before it is handed in, so that neither a crash nor an
 * outage of the server loses it.
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as KeyValueStore from "effect/persistence/KeyValueStore"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { TaskId } from "../domain/Identifier.ts"
import * as Ask from "./call/Ask.ts"
import { short, textOf } from "./call/NoUsableAnswer.ts"

/** A worker with this many waiting results claims no more. */
export const MaxWaiting = 200

/** How many refused results are kept, the newest ones. */
export const MaxRefused = 100

/** How long a refused result is kept. A waiting one is kept until it is settled. */
export const MaxAgeDays = 30

/** How much of a dropped entry the log shows. */
const MaxLogged = 4000

/** The end of a handler, to be handed in under the token of its lease. */
export class Finished extends Schema.Class<Finished>("octopoid-server/client/Finished")({
  /** The idempotency key of the request, which stays the same after a restart. */
  key: Schema.NonEmptyString,
  task_id: TaskId,
  fencing_token: Schema.Int,
  verb: Schema.Literals(["submit", "accept", "reject", "requeue", "fail", "ask", "park"]),
  /** The body of the request, as JSON. */
  payload: Schema.Record(Schema.String, Schema.Json),
  finished_at: Schema.DateTimeUtcFromString,
  /** Why the server refused the result; null if it did not. */
  refused: Schema.NullOr(Schema.String),
  /**
   * When the lease was granted, if the worker released it because the server did not accept the result. The worker's
   * next lease of the task then hands it in. Earlier versions of this program lack the field.
   */
  given_back: Schema.optionalKey(Schema.DateTimeUtcFromString)
}) {}

const Json = Schema.fromJsonString(Schema.toCodecJson(Finished))
const encode = Schema.encodeEffect(Json)
const decode = Schema.decodeUnknownEffect(Json)

const prefix = "finished-"

/** The entries of a store, the oldest first, and those that cannot be read. */
const load = Effect.fnUntraced(function*(store: KeyValueStore.KeyValueStore) {
  const entries: Array<Finished> = []
  const unreadable: Array<string> = []
  for (const name of (yield* store.keys).filter((key) => key.startsWith(prefix))) {
    const entry = yield* Effect.result(Effect.flatMap(store.get(name), decode))
    if (Result.isSuccess(entry)) entries.push(entry.success)
    else unreadable.push(name)
  }
  const at = ({ finished_at }: Finished) => DateTime.toEpochMillis(finished_at)
  return { entries: entries.sort((one, other) => at(one) - at(other)), unreadable }
})

/**
 * The results in the store that the server has not accepted. `refused` is null while a result is still handed in, and
 * otherwise says why the server refused it.
 */
export const unsettled = (
  store: KeyValueStore.KeyValueStore
): Effect.Effect<ReadonlyArray<Finished>, KeyValueStore.KeyValueStoreError> =>
  Effect.map(load(store), ({ entries }) => entries)

/** An entry, its retries, and whether it is being handed in now. */
export interface Place {
  entry: Finished
  underWay: boolean
  readonly ask: Ask.Ask
  /** The answer of the server that settled the entry. */
  answer?: Result.Result<unknown, unknown>
}

/** A store in memory. */
export const memory = (): KeyValueStore.KeyValueStore => {
  const entries = new Map<string, string>()
  return KeyValueStore.makeStringOnly({
    get: (key) => Effect.sync(() => entries.get(key)),
    set: (key, value) => Effect.sync(() => entries.set(key, value)),
    remove: (key) => Effect.sync(() => entries.delete(key)),
    clear: Effect.sync(() => entries.clear()),
    size: Effect.sync(() => entries.size),
    keys: Effect.sync(() => Array.from(entries.keys()))
  })
}

export interface Outbox {
  readonly places: Map<string, Place>
  /** Adds an entry. If the store fails, that is logged, and the entry is in memory only. */
  readonly put: (entry: Finished) => Effect.Effect<Place>
  /** The server has the result. */
  readonly remove: (place: Place) => Effect.Effect<void>
  /** The server refused the result. It is kept for people to read. */
  readonly refuse: (place: Place, why: string) => Effect.Effect<void>
  /** The lease, granted at this time, was released. The next lease hands the result in. */
  readonly giveBack: (place: Place, granted: DateTime.Utc) => Effect.Effect<void>
  /** The entry gets another idempotency key. */
  readonly rename: (place: Place, key: string) => Effect.Effect<void>
  /** The entries that wait to be handed in. */
  readonly waiting: () => ReadonlyArray<Place>
  /** Whether the outbox has a result of the lease. */
  readonly has: (task_id: string, fencing_token: number) => boolean
}

const orLog = (what: string, effect: Effect.Effect<unknown, unknown>) =>
  Effect.catchCause(
    effect,
    (cause) => Effect.logError(`the outbox could not be ${what}`).pipe(Effect.annotateLogs({ why: textOf(cause) }))
  )

export const make = Effect.fnUntraced(function*(store: KeyValueStore.KeyValueStore): Effect.fn.Return<Outbox> {
  const places = new Map<string, Place>()

  const write = (entry: Finished) =>
    orLog(
      "written: the result is in memory only",
      Effect.flatMap(encode(entry), (text) => store.set(prefix + entry.key, text))
    )

  const drop = ({ key }: Finished) =>
    Effect.suspend(() => {
      places.delete(key)
      return orLog("cleared of a settled result", store.remove(prefix + key))
    })

  /** Drops entries that are too old or too many, and logs them. */
  const bound = Effect.gen(function*() {
    const oldest = DateTime.toEpochMillis(yield* DateTime.now) - MaxAgeDays * 86_400_000
    const all = Array.from(places.values(), ({ entry }) => entry)
    const refused = all.filter((entry) => entry.refused !== null)
    const over = new Set(refused.slice(0, Math.max(0, refused.length - MaxRefused)))
    for (const entry of all) {
      const isOld = entry.refused !== null && DateTime.toEpochMillis(entry.finished_at) < oldest
      if (!isOld && !over.has(entry)) continue
      yield* Effect.logError(
        isOld
          ? `a result is dropped from the outbox: it is older than ${MaxAgeDays} days`
          : `a result is dropped from the outbox: it holds ${MaxRefused} newer ones that the server refused`
      ).pipe(Effect.annotateLogs({
        task_id: entry.task_id,
        fencing_token: entry.fencing_token,
        refused: entry.refused,
        result: short(JSON.stringify({ [entry.verb]: entry.payload }), MaxLogged)
      }))
      yield* drop(entry)
    }
  })

  const put = Effect.fnUntraced(function*(entry: Finished) {
    const place: Place = { entry, underWay: true, ask: Ask.make(entry.verb) }
    places.set(entry.key, place)
    yield* write(entry)
    yield* bound
    return place
  })

  const refuse = Effect.fnUntraced(function*(place: Place, why: string) {
    place.entry = new Finished({ ...place.entry, refused: short(why, 2000) })
    yield* write(place.entry)
    yield* bound
  })

  const giveBack = Effect.fnUntraced(function*(place: Place, granted: DateTime.Utc) {
    place.entry = new Finished({ ...place.entry, given_back: granted })
    yield* write(place.entry)
  })

  const rename = Effect.fnUntraced(function*(place: Place, key: string) {
    const before = place.entry
    place.entry = new Finished({ ...before, key })
    places.set(key, place)
    yield* write(place.entry)
    yield* drop(before)
  })

  const waiting = () => Array.from(places.values()).filter(({ entry, underWay }) => !underWay && entry.refused === null)

  const before = yield* Effect.catchCause(load(store), (cause) =>
    Effect.as(
      Effect.logError("the outbox cannot be read").pipe(Effect.annotateLogs({ why: textOf(cause) })),
      { entries: [], unreadable: [] }
    ))
  for (const entry of before.entries) {
    places.set(entry.key, { entry, underWay: false, ask: Ask.make(entry.verb) })
  }
  yield* bound
  if (before.unreadable.length > 0) {
    yield* Effect.annotateLogs(Effect.logWarning("entries of the outbox cannot be read, and are left where they are"), {
      entries: before.unreadable.slice(0, 20).join(", ")
    })
  }

  return {
    places,
    put,
    remove: ({ entry }) => drop(entry),
    refuse,
    giveBack,
    rename,
    waiting,
    has: (task_id, fencing_token) =>
      Array.from(places.values()).some(({ entry }) =>
        entry.task_id === task_id && entry.fencing_token === fencing_token
      )
  }
})
