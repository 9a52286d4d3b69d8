/** What requests cost that are for every scope, or for a record whose scope they do not name: on a server with few scopes, and one with more. */
import type { D1Database } from "@cloudflare/workers-types"
import * as Effect from "effect/Effect"
import * as server from "../../support/server.ts"
import { type Measured, Secret, tally as tallyD1 } from "../Measure.ts"
import { operationOf } from "../Operation.ts"
import * as Recorded from "../Recorded.ts"
import * as Objects from "./Objects.ts"
import { type MeasuredObjects, tally } from "./Tally.ts"

/** How many scopes there are. */
const numbers = [4, 32] as const

type Send = (method: string, path: string, body?: object) => Effect.Effect<{ readonly status: number; body: any }>

const succeed = (send: Send): Send => (method, path, body) =>
  Effect.tap(
    send(method, path, body),
    ({ body: answer, status }) =>
      status < 300 ? Effect.void : Effect.die(new Error(`${method} ${path}: ${status} ${JSON.stringify(answer)}`))
  )

/** A scope with a record of each kind that lists of every scope show, and a machine that each scope has. */
const fill = Effect.fnUntraced(function*(send: Send, n: number) {
  const scope = `s${n}`
  const post = (path: string, body: object) => send("POST", `/api/v1${path}`, { scope, ...body })
  yield* post("/orchestrators/register", { cluster: "k", machine_id: `m${n}` })
  yield* post("/orchestrators/register", { cluster: "k", machine_id: "each" })
  yield* post("/roles/register", { orchestrator_id: `k-m${n}`, roles: [{ name: `r${n}` }] })
  yield* post("/tasks", { id: `t${n}`, file_path: `TASK-t${n}.md`, branch: "b" })
  yield* post("/projects", { id: `p${n}`, title: "t", branch: "b" })
  yield* post("/drafts", { title: "t", author: "a" })
})

type Question = readonly [name: string, method: string, path: string, body?: object]

const lists = ["orchestrators", "projects", "drafts", "roles", "keys", "export"]

/** The requests. The last scope has what they name, and what they create is named after the number of scopes. */
const questions = (scopes: number): ReadonlyArray<Question> => {
  const last = scopes - 1
  return [
    ...lists.map((list): Question => [`GET /api/v1/${list}`, "GET", `/api/v1/${list}`]),
    ["GET /metrics", "GET", "/metrics"],
    ["GET /api/v1/tasks/:id", "GET", `/api/v1/tasks/t${last}`],
    ["PATCH /api/v1/tasks/:id", "PATCH", `/api/v1/tasks/t${last}`, { title: `of ${scopes}` }],
    ["GET /api/v1/projects/:id", "GET", `/api/v1/projects/p${last}`],
    ["GET /api/v1/scheduler/poll", "GET", `/api/v1/scheduler/poll?orchestrator_id=k-m${last}`],
    ["POST /api/v1/orchestrators/:id/heartbeat", "POST", `/api/v1/orchestrators/k-m${last}/heartbeat`, {}],
    [
      "POST /api/v1/orchestrators/:id/heartbeat, of a machine in each",
      "POST",
      "/api/v1/orchestrators/k-each/heartbeat",
      {}
    ],
    // The machine is of the first scope, or of the second, and the task of the third.
    ...["", ", again"].map((again): Question => [
      `POST /api/v1/tasks/claim, by a machine of another scope${again}`,
      "POST",
      "/api/v1/tasks/claim",
      { scope: "s2", orchestrator_id: `k-m${scopes === numbers[0] ? 0 : 1}`, agent_name: "ann", max_claimed: 9 }
    ])
  ]
}

/** Makes the scopes, and asks with each number of them. */
const ask = Effect.fnUntraced(function*<A>(
  send: Send,
  measure: (name: string, scopes: number, question: Question) => Effect.Effect<A>
) {
  const all: Array<A> = []
  let made = 0
  for (const scopes of numbers) {
    while (made < scopes) yield* fill(send, made++)
    for (const id of [`c${scopes}`, `d${scopes}`]) {
      yield* send("POST", "/api/v1/tasks", { scope: "s2", id, file_path: `TASK-${id}.md`, branch: "b" })
    }
    for (const question of questions(scopes)) {
      all.push(yield* measure(`of every scope: ${question[0]}`, scopes, question))
    }
  }
  return all
})

export const onObjects = Effect.scoped(Effect.gen(function*() {
  const { send } = yield* Objects.make
  // No time passes: what an isolate does once a minute would be added to some of the requests.
  const checked = succeed((...asked) => send(0, ...asked))
  return yield* ask(checked, (name, scopes, [, method, path, body]) =>
    Effect.map(
      checked(method, path, body) as Effect.Effect<Objects.Answer>,
      ({ taken }): MeasuredObjects => tally(name, `${scopes} scopes`, taken)
    ))
}))

export const onD1 = Effect.fnUntraced(function*(db: D1Database) {
  const { open, take } = Recorded.make(db)
  const { send } = yield* server.make({ API_SECRET_KEY: Secret }, open)
  const checked = succeed((method, path, body) => send(method, path, body, { authorization: `Bearer ${Secret}` }))
  return yield* ask(checked, (name, scopes, [, method, path, body]) =>
    Effect.gen(function*() {
      take()
      yield* checked(method, path, body)
      const operation = path.startsWith("/metrics") ? "metrics" : operationOf(method, path)
      return tallyD1(name, operation, scopes, take()) satisfies Measured
    }))
})
