/** What everything costs on a D1 at one depth: the figures, and the statements they are made of. */
import type { D1Database } from "@cloudflare/workers-types"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import { endpoints } from "../../src/http/Endpoints.ts"
import { D1Costs } from "../../src/services/feed/D1Costs.ts"
import { Deliveries } from "../../src/services/feed/Deliveries.ts"
import { Fetch } from "../../src/services/feed/send.ts"
import { Maintenance } from "../../src/services/Maintenance.ts"
import { noCost } from "../../src/sql/Database.ts"
import { type Admin, claimed, type Question, table } from "../support/access.ts"
import { servicesWith } from "../support/layers.ts"
import * as server from "../support/server.ts"
import { type Case, cases } from "./cases.ts"
import * as Filled from "./Filled.ts"
import { operationOf } from "./Operation.ts"
import * as Recorded from "./Recorded.ts"

export const depths = [10, 1000] as const

export const figures = ["trips", "statements", "read", "written"] as const

/** Round trips to D1, the statements that are sent with them, and rows read and written as D1 bills them. */
export type Counts = Record<typeof figures[number], number>

export interface Measured extends Counts {
  /** What was measured: an endpoint, or `endpoint: what is special`. */
  readonly name: string
  readonly depth: number
  /** The endpoint or `cron`, as in `bench/statements/`. */
  readonly operation: string
  readonly executions: ReadonlyArray<Recorded.Execution>
}

export const Secret = "a secret of the server"

/** Each endpoint, and the requests that cost something else. */
export const asked: ReadonlyArray<readonly [name: string, one: Case]> = [
  ...endpoints.map(({ method, path }): [string, Case] => {
    const name = `${method} ${path}`
    const row = table[name]
    if (row === undefined) throw new Error(`${name} has no row in test/support/access.ts`)
    return [name, { method, status: row.success, ask: row.ask }]
  }),
  ...Object.entries(cases)
]

const ages = (days: string) =>
  Object.fromEntries(["HISTORY", "MESSAGES", "FINISHED_TASKS"].map((what) => [`RETAIN_${what}_DAYS`, days]))

export const tally = (name: string, operation: string, depth: number, trips: Recorded.Trips): Measured => {
  const executions = trips.flat()
  const sum = (figure: "read" | "written") => executions.reduce((sum, execution) => sum + execution[figure], 0)
  return {
    name,
    operation,
    depth,
    trips: trips.length,
    statements: executions.length,
    read: sum("read"),
    written: sum("written"),
    executions
  }
}

/** Measures everything but the graphs, on a database that has this depth. */
export const atDepth = Effect.fnUntraced(function*(db: D1Database, depth: number, filled: Filled.Filled) {
  const { restore } = yield* Filled.into(db, filled)
  const { open, take } = Recorded.make(db)
  const { send } = yield* server.make({ API_SECRET_KEY: Secret }, open)
  const bearer = { authorization: `Bearer ${Secret}` }
  const admin: Admin = (method, path, body) =>
    Effect.flatMap(send(method, path, body, bearer), (answer) =>
      answer.status < 300
        ? Effect.succeed(answer.body)
        : Effect.die(new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`)))

  const measure = <A>(name: string, operation: string, what: Effect.Effect<A>) =>
    Effect.gen(function*() {
      // What prepares the case, such as a new key, is sent before it.
      const prepared = take()
      yield* what
      const trips = take()
      // A restore takes longer than most cases, and half of them only read.
      const onlyRead = [...prepared, ...trips].flat().every(({ text }) => text.startsWith("SELECT"))
      if (!onlyRead) yield* restore
      return tally(name, operation, depth, trips)
    })
  const all: Array<Measured> = []
  for (const [name, { ask, headers, known, method, status }] of asked) {
    const question = ask(Filled.scope, admin)
    const [path, body]: Question = Effect.isEffect(question) ? yield* question : question
    const tag = known === true ? (yield* send(method, path, undefined, bearer)).headers.get("etag") : null
    all.push(
      yield* measure(
        name,
        operationOf(method, path),
        Effect.flatMap(
          send(method, path, body, { ...bearer, ...headers, ...(tag === null ? {} : { "if-none-match": tag }) }),
          (answer) =>
            answer.status === status
              ? Effect.void
              : Effect.die(new Error(`${name}: ${answer.status} ${JSON.stringify(answer.body)}`))
        )
      )
    )
  }
  const withKey = Effect.fnUntraced(function*(name: string, before: boolean) {
    const { api_key } = yield* admin("POST", `/api/v1/scopes/${Filled.scope}/keys`, { name: "n" })
    const read = send("GET", "/api/v1/tasks/deep-0", undefined, { authorization: `Bearer ${api_key}` })
    if (before) yield* read
    all.push(yield* measure(`GET /api/v1/tasks/:id: ${name}`, "get", read))
  })
  yield* withKey("with a key that is seen for the first time", false)
  yield* withKey("with a key", true)
  const cron = <A>(name: string, what: Effect.Effect<A>) => measure(`cron: ${name}`, "cron", what)
  const tick = (config: Record<string, string> = {}) =>
    Maintenance.use(({ tick }) => tick).pipe(Effect.provide(Layer.orDie(servicesWith(config, open))))
  // Every few minutes the cron also looks for tasks that no machine claims: a later case has that.
  const idle = tick({ UNCLAIMABLE_AFTER_SECONDS: "0" })
  all.push(yield* cron("nothing to do", idle))
  const storing = D1Costs.use(({ store }) => store).pipe(Effect.provide(Layer.orDie(servicesWith({}, open))))
  const manyScopes = `WITH RECURSIVE n (i) AS (SELECT 1000 UNION ALL SELECT i + 1 FROM n WHERE i < 1299)
    INSERT INTO queue_counts (scope, counts, seq, events, messages_total, drafts_total, projects_total)
    SELECT 's' || i, '{"incoming":7}', 9, '{"created":9}', 0, 0, 0 FROM n`
  yield* Effect.promise(() => db.batch([db.prepare(manyScopes)]))
  all.push(yield* cron("nothing to do in 300 scopes", idle))
  all.push(yield* measure("after a request: its costs are stored", "after-request", storing))
  for (let n = 0; n < 5; n++) yield* claimed(Filled.scope, admin)
  yield* TestClock.adjust("1 hour")
  all.push(yield* cron("five leases ran out and five machines fell silent", tick()))
  yield* TestClock.adjust("30 days")
  yield* tick()
  all.push(yield* cron("looks for what is old, and finds none", tick(ages("999"))))
  const hook = "INSERT INTO webhooks (id, scope, url, secret, position, created_by, created_at) "
    + "SELECT 'whk_0', ?, 'https://hooks.example.com/', 'whsec_MfKQ', seq - 1, 'a', 4000000000000 FROM queue_counts WHERE scope = ?"
  const hooked = Effect.promise(() => db.batch([db.prepare(hook).bind(Filled.scope, Filled.scope)]))
  const accepted = Effect.provideService(Fetch, () => Promise.resolve(new Response("ok")))
  const afterCommit = Deliveries.use(({ afterCommit }) => afterCommit(new Set([Filled.scope]), noCost())).pipe(
    Effect.provide(Layer.orDie(servicesWith({}, open)))
  )
  all.push(yield* measure("after a request: no webhook", "after-request", afterCommit))
  yield* hooked
  all.push(yield* measure("after a request: a webhook gets an event", "after-request", accepted(afterCommit)))
  yield* hooked
  all.push(yield* cron("a webhook gets an event", accepted(tick())))
  // The last of all: they are not taken back.
  all.push(yield* cron("a few records of each kind leave", tick(ages("1"))))
  yield* Effect.promise(() => db.batch([db.prepare("UPDATE tasks SET available_at = 9e15 WHERE claimed_by IS NULL")]))
  all.push(yield* cron("everybody backs off", tick({ BACKOFF_SECONDS: "60" })))
  return all
})
