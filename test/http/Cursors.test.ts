/** Every list, walked page by page: each record once, in the order of the whole list, while others come and go. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { some } from "../support/runs.ts"
import * as Server from "../support/server.ts"

type Send = Effect.Success<ReturnType<typeof Server.make>>["send"]

interface List {
  readonly path: string
  /** The field of the list in an answer, and the columns that identify a record. */
  readonly of: string
  readonly key?: string
  /** Whether its pages have an order of their own. */
  readonly reordered?: boolean
  /** Whether one goes from its end to its beginning, as through mail. */
  readonly backwards?: boolean
}

const filters = [
  "",
  "sort=priority",
  "queue=incoming",
  "queue=incoming&sort=priority",
  "queue=done",
  "queue=incoming,done,claimed",
  "queue=incoming,done&sort=priority",
  "role=build",
  "role=build&sort=priority",
  "project_id=p",
  "project_id=p&queue=incoming",
  "needs_intervention=true",
  "priority=P0,P2",
  "queue=incoming&content=false",
  "queue=incoming&sort=priority&content=false",
  "sort=priority&content=false",
  "role=build&content=false"
]

const lists: ReadonlyArray<List> = [
  ...filters.map((filter) => ({ path: `/tasks?${filter}`, of: "tasks" })),
  { path: "/projects/p/tasks?", of: "tasks", reordered: true },
  { path: "/projects/p/tasks?content=false", of: "tasks", reordered: true },
  { path: "/projects?", of: "projects" },
  { path: "/drafts?", of: "drafts" },
  { path: "/messages?", of: "messages", backwards: true },
  { path: "/messages?content=false", of: "messages", backwards: true },
  { path: "/messages?offset=0", of: "messages" },
  { path: "/tasks/t3/messages?", of: "messages", backwards: true },
  { path: "/actions?", of: "actions" },
  { path: "/actions?content=false", of: "actions" },
  { path: "/orchestrators?", of: "orchestrators", reordered: true },
  { path: "/roles?", of: "roles", key: "name" },
  { path: "/flows?", of: "flows", key: "name" },
  { path: "/tasks/t3/history?", of: "history", key: "version" },
  { path: "/tasks/t3/history?content=false", of: "history", key: "version" },
  { path: "/scopes/red/keys?", of: "keys", reordered: true },
  { path: "/keys?", of: "keys", reordered: true }
]

const secret = "s".repeat(20)

/** Sends a request as the administrator, and requires success. */
const asking = (send: Send) => (method: string, path: string, body?: object) =>
  Effect.map(
    send(method, `/api/v1${path}`, body, { authorization: `Bearer ${secret}` }),
    ({ body, status }) => {
      assert.isBelow(status, 300, `${method} ${path}: ${JSON.stringify(body)}`)
      return body
    }
  )

const fill = Effect.fnUntraced(function*(ask: ReturnType<typeof asking>, first: number, last: number) {
  for (let n = first; n <= last; n++) {
    // Some of them in the same millisecond.
    if (n % 2 === 0) yield* TestClock.adjust("1 second")
    const scope = "red"
    yield* ask("POST", "/tasks", {
      scope,
      id: `t${n}`,
      file_path: `TASK-t${n}.md`,
      branch: "b",
      priority: `P${n % 3}`,
      ...(n % 2 === 0 ? { role: "build" } : {}),
      ...(n % 3 === 0 ? { project_id: "p" } : {}),
      ...(n % 4 === 0 ? { queue: "done" } : {}),
      ...(n % 5 === 0 ? { blocked_by: "never" } : {}),
      ...(n % 4 === 1 ? { needs_intervention: true } : {})
    })
    yield* ask("POST", "/projects", { scope, id: `p${n}`, title: "t", branch: "b" })
    yield* ask("POST", "/drafts", { scope, title: `d${n}`, author: "a" })
    yield* ask("POST", "/messages", { scope, task_id: "t3", from_actor: "a", type: "comment", content: "c" })
    yield* ask("POST", "/actions", {
      scope,
      entity_type: "task",
      entity_id: "t3",
      action_type: "x",
      label: "l",
      proposed_by: "a"
    })
    yield* ask("POST", "/orchestrators/register", { scope, cluster: "k", machine_id: `m${n}` })
    yield* ask("PUT", `/flows/f${n}`, { scope, states: ["incoming", "claimed", "done"], transitions: [] })
    yield* ask("POST", "/roles/register", {
      scope,
      orchestrator_id: `k-m${n}`,
      roles: [{ name: `r${n}`, claims_from: "incoming" }, { name: "build", claims_from: "incoming" }]
    })
    yield* ask("POST", "/scopes/red/keys", { name: `key ${n}` })
    if (n >= 3) yield* ask("PATCH", "/tasks/t3", { title: `t3 for the ${n}th time` })
  }
})

const filled = Effect.fnUntraced(function*() {
  const { send } = yield* Server.make({ API_SECRET_KEY: secret })
  const ask = asking(send)
  yield* ask("POST", "/orchestrators/register", { scope: "red", cluster: "k", machine_id: "m" })
  yield* ask("POST", "/roles/register", {
    scope: "red",
    orchestrator_id: "k-m",
    roles: [{ name: "build", claims_from: "incoming" }]
  })
  yield* ask("POST", "/projects", { scope: "red", id: "p", title: "t", branch: "b" })
  yield* fill(ask, 1, 12)
  return { ask, send }
})

const scoped = (path: string, more = "") => `${path}&scope=red${more}`.replace("?&", "?")

/** All pages, with something done after each. */
const walk = Effect.fnUntraced(function*(
  ask: ReturnType<typeof asking>,
  { key = "id", of, path }: List,
  limit: number,
  between: Effect.Effect<unknown> = Effect.void
) {
  const pages: Array<ReadonlyArray<string>> = []
  let from = path.replace(/offset=\d+/, "")
  for (let cursor: string | null = "first"; cursor !== null;) {
    const start: string = cursor === "first" && path.includes("offset")
      ? "&offset=0"
      : `&cursor=${encodeURIComponent(cursor)}`
    const page = yield* ask("GET", scoped(from, `&limit=${limit}${start}`))
    assert.isAtMost(page[of].length, limit, path)
    pages.push(page[of].map((row: Record<string, unknown>) => String(row[key])))
    cursor = page.next_cursor
    assert.isBelow(pages.length, 300, `${path} has no end`)
    yield* between
  }
  return pages
})

const without = (rows: ReadonlyArray<object>) => rows.map((row) => ({ ...row, content: undefined }))

describe("a list, page by page", () => {
  it.effect.each(some(lists, 5))(
    "has each record once, in the order of the whole list: $path",
    (list) =>
      Effect.gen(function*() {
        const { ask } = yield* filled()
        const whole = yield* ask("GET", scoped(list.path, list.of === "tasks" ? "&limit=500" : ""))
        const all: ReadonlyArray<string> = whole[list.of].map((row: Record<string, unknown>) =>
          String(row[list.key ?? "id"])
        )
        assert.isAbove(all.length, 1)
        assert.strictEqual(whole.next_cursor, null)
        for (const limit of [1, 3, 500]) {
          const pages = yield* walk(ask, list, limit)
          const walked = (list.backwards === true ? pages.toReversed() : pages).flat()
          if (list.reordered === true) assert.sameMembers([...walked], [...all], `by ${limit}`)
          else assert.deepStrictEqual(walked, all, `by ${limit}`)
        }
      }),
    900_000
  )

  it.effect.each(some(lists, 5))(
    "loses and repeats nothing while records are created and deleted: $path",
    (list) =>
      Effect.gen(function*() {
        const { ask } = yield* filled()
        const before = new Set((yield* walk(ask, list, 500)).flat())
        let n = 12
        // Others come; one of those there goes, and another moves on.
        const between = Effect.suspend(() =>
          n++ < 16
            ? Effect.all([
              fill(ask, n, n),
              n === 14 ? ask("DELETE", "/tasks/t7") : Effect.void,
              n === 15 ? ask("PATCH", "/tasks/t11", { queue: "provisional" }) : Effect.void
            ])
            : Effect.void
        )
        const walked = (yield* walk(ask, list, 2, between)).flat()
        assert.lengthOf(walked, new Set(walked).size, "a record comes twice")
        const seen = new Set(walked)
        const lost = [...before].filter((id) => !seen.has(id) && !["t7", "t11"].includes(id))
        assert.deepStrictEqual(lost, [])
      }),
    900_000
  )

  it.effect("refuses a cursor that is not its own", () =>
    Effect.gen(function*() {
      const { ask, send } = yield* filled()
      const { next_cursor } = yield* ask("GET", "/tasks?scope=red&limit=2")
      const bearer = { authorization: `Bearer ${secret}` }
      for (
        const query of [
          "cursor=garbage",
          "cursor=W10",
          "cursor=%00",
          `cursor=${next_cursor.slice(0, -4)}`,
          `cursor=${next_cursor}&offset=2`,
          `cursor=${next_cursor}&sort=priority`,
          `cursor=${next_cursor}&queue=done`
        ]
      ) {
        const { body, status } = yield* send("GET", `/api/v1/tasks?scope=red&limit=2&${query}`, undefined, bearer)
        assert.strictEqual(status, 400, query)
        assert.match(body.error, /cursor/, query)
      }
      for (const path of ["/tasks?scope=blue", "/drafts?scope=red", "/projects?scope=red", "/messages?scope=red"]) {
        const { status } = yield* send("GET", `/api/v1${path}&cursor=${next_cursor}`, undefined, bearer)
        assert.strictEqual(status, 400, path)
      }
      assert.lengthOf(
        (yield* ask("GET", `/tasks?scope=red&limit=3&cursor=${next_cursor}`)).tasks,
        3,
        "limit may change"
      )
    }))

  it.effect("leaves out long texts on request, and is otherwise the same", () =>
    Effect.gen(function*() {
      const { ask } = yield* filled()
      const content = "c".repeat(50_000)
      yield* ask("POST", "/tasks", { scope: "red", id: "long", file_path: "l", branch: "b", project_id: "p", content })
      yield* ask("POST", "/messages", { scope: "red", task_id: "t1", from_actor: "a", type: "comment", content })
      for (
        const [path, of] of [
          ["/tasks?queue=incoming", "tasks"],
          ["/tasks?sort=priority", "tasks"],
          ["/projects/p/tasks?", "tasks"],
          ["/messages?", "messages"]
        ] as const
      ) {
        const full = yield* ask("GET", scoped(path))
        const short = yield* ask("GET", scoped(path, "&content=false"))
        assert.include(JSON.stringify(full), content)
        assert.isBelow(JSON.stringify(short).length, JSON.stringify(full).length - 49_000)
        assert.deepStrictEqual(without(short[of]), without(full[of]), path)
      }
    }))
})
