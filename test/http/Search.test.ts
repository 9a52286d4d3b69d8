/** `q=` on the list of tasks: what it finds, at how many tasks a page looks, and how pages go on. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { MaxLooked } from "../../src/domain/task/TaskFilter.ts"
import { migrated } from "../support/layers.ts"
import * as server from "../support/server.ts"

const scope = "red"

const begin = Effect.gen(function*() {
  const database = migrated()
  const { send } = yield* server.make({}, () => database.db)
  const create = (id: string, rest: object = {}) =>
    send("POST", "/api/v1/tasks", { id, scope, file_path: `TASK-${id}.md`, branch: "main", ...rest })
  const search = (q: string, rest = "") =>
    Effect.map(
      send("GET", `/api/v1/tasks?scope=${scope}&q=${encodeURIComponent(q)}${rest}`),
      ({ body, status }) => {
        assert.strictEqual(status, 200, JSON.stringify(body))
        return body
      }
    )
  const idsOf = (q: string, rest = "") => Effect.map(search(q, rest), ({ tasks }) => tasks.map(({ id }: any) => id))
  /** All pages of a search: the ids, and at how many tasks each page looked. */
  const pages = Effect.fnUntraced(function*(q: string, rest = "") {
    const ids: Array<string> = []
    const looked: Array<number> = []
    let cursor = "first"
    do {
      const body = yield* search(q, `${rest}&cursor=${encodeURIComponent(cursor)}`)
      assert.strictEqual(body.offset, ids.length)
      ids.push(...body.tasks.map(({ id }: any) => id))
      looked.push(body.looked_at)
      assert.strictEqual(body.total, ids.length)
      cursor = body.next_cursor
    } while (cursor !== null)
    return { ids, looked }
  })
  return { ...database, send, create, search, idsOf, pages }
})

describe("a search", () => {
  it.effect("finds text in id, title, branch, path and external key, in small and capital letters", () =>
    Effect.gen(function*() {
      const { create, idsOf, search } = yield* begin
      yield* create("one", { title: "Fix the Login page" })
      yield* create("two", { branch: "feature/LOGIN" })
      yield* create("three", { file_path: "login/three.md" })
      yield* create("four", { external_key: "gh-login-4" })
      yield* create("login-five")
      yield* create("six", { content: "login" })
      yield* create("seven", { scope: "blue", title: "login" })
      assert.sameMembers(yield* idsOf("logIN"), ["one", "two", "three", "four", "login-five"])
      assert.deepInclude(yield* search("login"), { looked_at: 6, total: 5, next_cursor: null, offset: 0, limit: 50 })
      assert.deepStrictEqual(yield* idsOf("nothing"), [])
    }))

  it.effect("takes every character for itself", () =>
    Effect.gen(function*() {
      const { create, idsOf } = yield* begin
      const titles = ["50% done", "a_b", "a*b", "a[b]c", "it's \\ \"so\"", "axb", "Ärger", "NaN"]
      for (const [n, title] of titles.entries()) yield* create(`t${n}`, { title })
      const found = { "%": ["t0"], "_": ["t1"], "*": ["t2"], "[b]": ["t3"], "'s \\ \"": ["t4"], "Ärg": ["t6"], "?": [] }
      for (const [q, ids] of Object.entries(found)) assert.deepStrictEqual(yield* idsOf(q), ids, q)
    }))

  it.effect("finds an exact id, path and open external key first, once, however many tasks there are", () =>
    Effect.gen(function*() {
      const { create, idsOf, pages, raw, send } = yield* begin
      yield* create("x")
      yield* create("a", { file_path: "x" })
      yield* create("b", { external_key: "x" })
      yield* create("c", { external_key: "x-2" })
      yield* send("POST", "/api/v1/tasks/b/cancel")
      yield* create("d", { external_key: "x" })
      const insert = raw.prepare(
        `INSERT INTO tasks (id, scope, file_path, title, queue, version, priority, priority_rank,
        branch, flow, created_at, updated_at) VALUES (?, 'red', ?, 't', 'incoming', 1, 'P2', 2, 'b', 'default', 9e12, 1)`
      )
      for (let n = 0; n < 2 * MaxLooked; n++) insert.run(`n${n}`, `n${n}`)
      assert.deepStrictEqual(yield* idsOf("x"), ["a", "d", "x"])
      assert.deepStrictEqual(yield* idsOf("TASK-x.md"), ["x"])
      for (const limit of [1, 2, 50]) {
        const { ids } = yield* pages("x", `&limit=${limit}`)
        assert.deepStrictEqual(ids.slice(0, 3), ["a", "d", "x"])
        assert.deepStrictEqual(ids.slice(3).toSorted(), ["b", "c"])
      }
    }))

  it.effect("looks at a bounded number of tasks for each page, and at each task once", () =>
    Effect.gen(function*() {
      const { pages, raw, search } = yield* begin
      const insert = raw.prepare(
        `INSERT INTO tasks (id, scope, file_path, title, queue, version, priority, priority_rank,
        branch, flow, created_at, updated_at, completed_at) VALUES (?, 'red', ?, ?, ?, 1, ?, ?, 'b', 'default', ?, 1, 1)`
      )
      const count = 1100
      for (let n = 0; n < count; n++) {
        const rank = n % 3
        const queue = n % 2 === 0 ? "incoming" : n % 5 === 0 ? "done" : "failed"
        insert.run(`n${n}`, `n${n}`, n % 100 === 7 ? "needle" : "hay", queue, `P${rank}`, rank, n % 50)
      }
      const counts = "INSERT OR REPLACE INTO queue_counts (scope, counts) SELECT 'red', json_group_object(queue, n)"
      raw.exec(`${counts} FROM (SELECT queue, count(*) AS n FROM tasks GROUP BY queue)`)
      for (const sort of ["", "&sort=priority"]) {
        for (const limit of [1, 3, 50]) {
          const { ids, looked } = yield* pages("needle", `${sort}&limit=${limit}`)
          assert.lengthOf(ids, 11)
          assert.lengthOf(new Set(ids), 11)
          assert.isAtMost(Math.max(...looked), MaxLooked)
          assert.strictEqual(looked.reduce((sum, n) => sum + n, 0), count)
        }
        const few = yield* pages("needle", `${sort}&queue=done&priority=P1`)
        const expected = raw.prepare(
          "SELECT id FROM tasks WHERE title = 'needle' AND queue = 'done' AND priority = 'P1'"
        )
        assert.sameMembers(few.ids, expected.all().map(({ id }) => String(id)))
      }
      assert.deepInclude(yield* search("needle", "&limit=0"), { looked_at: 0, tasks: [], next_cursor: null })
    }))

  it.effect("searches a project, and refuses an offset and the cursor of another search", () =>
    Effect.gen(function*() {
      const { create, pages, search, send } = yield* begin
      yield* send("POST", "/api/v1/projects", { id: "p", scope, title: "P", branch: "b" })
      for (let n = 0; n < 4; n++) yield* create(`t${n}`, n % 2 === 0 ? { project_id: "p" } : {})
      for (const sort of ["", "&sort=priority"]) {
        const { ids, looked } = yield* pages("t", `&project_id=p&limit=1${sort}`)
        assert.sameMembers(ids, ["t0", "t2"])
        assert.strictEqual(looked.reduce((sum, n) => sum + n, 0), 2)
        assert.deepStrictEqual((yield* pages("t", `&project_id=p&queue=done${sort}`)).ids, [])
      }
      const { next_cursor } = yield* search("t", "&limit=1")
      for (const rest of [`q=u&cursor=${next_cursor}`, "q=t&offset=1", "q=t&cursor=x", `cursor=${next_cursor}`]) {
        const refused = yield* send("GET", `/api/v1/tasks?scope=${scope}&${rest}`)
        assert.deepStrictEqual([refused.status, refused.body._tag], [400, "InvalidCursor"], rest)
      }
      assert.strictEqual((yield* send("GET", `/api/v1/tasks?q=${"q".repeat(201)}`)).status, 400)
    }))

  it.effect("is not modified until a task changes", () =>
    Effect.gen(function*() {
      const { create, send } = yield* begin
      yield* create("t")
      const path = `/api/v1/tasks?scope=${scope}&q=t`
      const known = { "if-none-match": (yield* send("GET", path)).headers.get("etag")! }
      assert.strictEqual((yield* send("GET", path, undefined, known)).status, 304)
      assert.strictEqual((yield* send("GET", `${path}e`, undefined, known)).status, 200)
      yield* send("PATCH", "/api/v1/tasks/t", { title: "x" })
      assert.strictEqual((yield* send("GET", path, undefined, known)).status, 200)
    }))

  it.effect("ends a page of long tasks at about 4 MB, and shows each once", () =>
    Effect.gen(function*() {
      const { create, pages } = yield* begin
      for (let n = 0; n < 12; n++) yield* create(`t${n}`, { content: "x".repeat(500_000) })
      yield* create("a", { file_path: "t", content: "x".repeat(500_000) })
      const { ids, looked } = yield* pages("t")
      assert.strictEqual(ids[0], "a")
      assert.lengthOf(new Set(ids), 13)
      assert.lengthOf(ids, 13)
      assert.isAbove(looked.length, 1)
    }))
})
