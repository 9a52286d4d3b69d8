/** `ETag` and `If-None-Match` of the poll and the lists: never a 304 after a change. */
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { Maintenance } from "../../src/services/Maintenance.ts"
import * as Chance from "../support/Chance.ts"
import { migrated, servicesWith } from "../support/layers.ts"
import * as Commands from "../support/lists/commands.ts"
import { isFast, runs, some } from "../support/runs.ts"
import * as server from "../support/server.ts"

const config = { BACKOFF_SECONDS: "20", MAX_ATTEMPTS: "3" }
const ofScope = [
  "tasks",
  "tasks?queue=claimed",
  "tasks?queue=incoming,provisional&sort=priority",
  "tasks?limit=1",
  "tasks?limit=1&offset=1&content=false",
  "tasks?needs_intervention=true",
  "tasks?role=none",
  "projects",
  "drafts",
  "messages",
  "messages?offset=0&content=false",
  "actions",
  "orchestrators",
  "roles",
  "flows",
  "events?after=latest",
  "events?limit=3",
  "overview",
  "overview?since=1970-01-01T00:10:00Z",
  "events?types=claimed&task_id=red-a",
  "scheduler/poll",
  "scheduler/poll?orchestrator_id=k-both"
]
const watched = [
  ...Commands.scopes.flatMap((scope) => [
    ...ofScope.map((path) => `/api/v1/${path}${path.includes("?") ? "&" : "?"}scope=${scope}`),
    `/api/v1/projects/${scope}-p/tasks`,
    `/api/v1/projects/${scope}-p/tasks?limit=1`,
    `/api/v1/scopes/${scope}/keys`,
    `/api/v1/tasks/${scope}-a/messages`,
    ...Commands.ids.map((id) => `/api/v1/tasks/${scope}-${id}/history`)
  ]),
  "/api/v1/roles",
  "/api/v1/keys",
  "/api/v1/scheduler/poll?orchestrator_id=k-both"
]

const fresh = Effect.gen(function*() {
  const database = migrated()
  const { send } = yield* server.make(config, () => database.db)
  const maintenance = yield* Effect.provide(Maintenance, servicesWith(config, () => database.db))
  return { send, tick: maintenance.tick }
})

type Post = (path: string, body: object) => Effect.Effect<server.Answer>

const play = Effect.fnUntraced(function*(seed: number, steps: number) {
  const { send, tick } = yield* fresh
  const chance = Chance.make(`lists ${seed}`)
  const commands = Object.entries(Commands.make({ send, tick, chance }))
  const seen = new Map<string, { readonly tag: string; readonly body: unknown }>()
  const kept = new Map(watched.map((path) => [path, 0]))
  const done: Array<string> = []
  for (let step = 0; step < steps; step++) {
    const [name, run] = chance.pick(commands)
    done.push(name)
    yield* run()
    for (const path of watched) {
      const before = seen.get(path)
      const answer = yield* send("GET", path, undefined, before === undefined ? {} : { "if-none-match": before.tag })
      if (answer.status === 304) {
        const now = yield* send("GET", path)
        assert.deepStrictEqual(
          now.body,
          before?.body,
          `seed ${seed}: ${path} is another after ${done.slice(-3).join(", ")}`
        )
        assert.strictEqual(answer.headers.get("etag"), before?.tag)
        kept.set(path, kept.get(path)! + 1)
        continue
      }
      const tag = answer.headers.get("etag")
      if (answer.status === 200) {
        assert.isNotNull(tag, path)
        assert.notStrictEqual(tag, before?.tag, path)
        seen.set(path, { tag: tag!, body: answer.body })
      } else seen.delete(path)
    }
  }
  return kept
})

describe("If-None-Match", () => {
  it.effect.each(some([1, 2], 2))(
    "is answered 304 only if the answer is the same, after any change: %s",
    (seed) =>
      Effect.gen(function*() {
        const kept = yield* play(seed, runs(50, 30))
        if (isFast) return
        // A tag that always changes would pass the checks above, and would be useless. So each read has to be answered 304 at least ten times, but for those left out here.
        const often = [...kept].filter(([path, times]) => times < 10 && !path.includes("/projects/"))
        assert.deepStrictEqual(often.filter(([path]) => !path.includes("history")), [])
      }),
    900_000
  )

  it.effect("is not answered 304 after the oldest entries of a history were removed", () =>
    Effect.gen(function*() {
      const { db } = migrated()
      const config = { RETAIN_HISTORY_DAYS: "2" }
      const { send } = yield* server.make(config, () => db)
      const tick = Maintenance.use(({ tick }) => tick).pipe(Effect.provide(servicesWith(config, () => db)))
      yield* send("POST", "/api/v1/tasks", { scope: "red", id: "a", file_path: "a", branch: "b" })
      yield* send("PATCH", "/api/v1/tasks/a", { queue: "failed" })
      const path = "/api/v1/tasks/a/history"
      const first = yield* send("GET", path)
      assert.lengthOf(first.body.history, 2)
      const known = { "if-none-match": first.headers.get("etag")! }
      assert.strictEqual((yield* send("GET", path, undefined, known)).status, 304)
      yield* TestClock.adjust("3 days")
      for (let n = 0; n < 5; n++) yield* tick
      const second = yield* send("GET", path, undefined, known)
      assert.strictEqual(second.status, 200)
      assert.lengthOf(second.body.history, 1)
    }))

  it.effect.each<readonly [what: string, renew: (post: Post, lease: object) => Effect.Effect<server.Answer>]>([
    ["a renewal", (post: Post, lease: object) => post("tasks/a/renew", lease)],
    ["a heartbeat", (post: Post, lease: object) => post("orchestrators/k-m/heartbeat?scope=red", { leases: [lease] })],
    [
      "a heartbeat that names no scope",
      (post: Post, lease: object) => post("orchestrators/k-m/heartbeat", { leases: [lease] })
    ]
  ])("is answered 304 where leases are shown, until %s", ([, renew]) =>
    Effect.gen(function*() {
      const { send } = yield* fresh
      const post: Post = (path, body) => send("POST", `/api/v1/${path}`, body)
      yield* post("orchestrators/register", { scope: "red", cluster: "k", machine_id: "m" })
      yield* post("projects", { scope: "red", id: "p", title: "p", branch: "b" })
      yield* post("tasks", { scope: "red", id: "a", file_path: "a", project_id: "p" })
      const claim = { scope: "red", orchestrator_id: "k-m", agent_name: "ann" }
      const { body: { fencing_token } } = yield* post("tasks/claim", claim)
      for (const path of ["tasks?scope=red&queue=claimed", "projects/p/tasks"]) {
        const ask = (tag: string) => send("GET", `/api/v1/${path}`, undefined, { "if-none-match": tag })
        const tag = (yield* send("GET", `/api/v1/${path}`)).headers.get("etag")!
        assert.strictEqual((yield* ask(tag)).status, 304, path)
        yield* TestClock.adjust("1 second")
        assert.strictEqual((yield* renew(post, { task_id: "a", fencing_token })).status, 200)
        const renewed = yield* ask(tag)
        assert.strictEqual(renewed.status, 200, path)
        const ends = yield* Effect.map(Clock.currentTimeMillis, (now) => new Date(now + 300_000).toISOString())
        assert.strictEqual(renewed.body.tasks[0].lease_expires_at, ends)
        assert.strictEqual((yield* ask(renewed.headers.get("etag")!)).status, 304)
        yield* post("tasks/a/renew", { fencing_token: 99 })
        assert.strictEqual((yield* ask(renewed.headers.get("etag")!)).status, 304, "a refused request changes nothing")
      }
    }))
})
