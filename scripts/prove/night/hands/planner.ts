/** Plans the work of the night: wave after wave of tasks in a project, until it is told to stop. */
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as client from "../../../../src/client.ts"
import * as Journal from "./journal.ts"
import { drawing, setting } from "./setting.ts"

const { journal, key, name, scope, seed, url } = setting
const note = Journal.begin(journal, name)
const next = drawing(seed)
const state = { over: false }
process.once("SIGTERM", () => void (state.over = true))

const query = {}

interface Planned {
  readonly id: string
  readonly course: string
  readonly type?: string
  readonly depends_on?: ReadonlyArray<string | { readonly task_id: string; readonly on_failure: "fail" | "skip" }>
}

const taskOf = ({ course, depends_on = [], id, type = "code" }: Planned) => ({
  id: client.TaskId.make(id),
  file_path: `${id}.md`,
  branch: "main",
  type,
  priority: `P${Math.floor(next() * 4)}`,
  // Its worker is killed with the first of the long tasks in its hands.
  content: JSON.stringify({ course, millis: type === "long" ? 4000 : 50 + Math.floor(next() * 700) }),
  depends_on: depends_on as (typeof client.DependsOn)["Type"],
  ...(course === "spent" ? { max_attempts: 2 } : {})
})

const wave = Effect.fnUntraced(function*(api: client.Client, n: number) {
  const at = (rest: string) => `w${n}-${rest}`
  const project_id = client.ProjectId.make(at("project"))
  yield* api.projects.create({ query, payload: { id: project_id, title: `Wave ${n}`, branch: `feature/w${n}` } })
  const expect = (planned: Planned) => {
    note({ kind: "expected", task_id: planned.id, course: planned.course })
    return { ...taskOf(planned), project_id }
  }
  const create = (planned: Planned) => api.tasks.create({ query, payload: expect(planned) })

  yield* create({ id: at("root"), course: next() < 0.5 ? "plain" : "reject" })
  yield* create({ id: at("left"), course: "retry", depends_on: [at("root")] })
  yield* create({ id: at("right"), course: next() < 0.4 ? "ask" : "plain", depends_on: [at("root")] })
  yield* create({ id: at("last"), course: "reject", depends_on: [at("left"), at("right")] })
  // A failure, what fails with it, and what goes on without it.
  yield* create({ id: at("bad"), course: next() < 0.4 ? "spent" : next() < 0.5 ? "terminal" : "fail" })
  yield* create({
    id: at("doomed"),
    course: "doomed",
    depends_on: [{ task_id: at("bad"), on_failure: "fail" }]
  })
  yield* create({ id: at("spared"), course: "plain", depends_on: [{ task_id: at("bad"), on_failure: "skip" }] })
  if (n % 3 === 1) yield* create({ id: at("die"), course: "die" })
  if (n === 0 || n === 4) yield* create({ id: at("long"), course: "plain", type: "long" })

  const tasks = Array.from(
    { length: 2 + Math.floor(next() * 5) },
    (_, i) => expect({ id: at(`bulk-${i}`), course: "plain" })
  )
  let cursor: string | null | undefined
  do {
    const answer = yield* api.tasks.bulk({
      query,
      payload: { action: "create", tasks, ...(cursor === undefined ? {} : { cursor }) }
    })
    cursor = answer.next_cursor
    if (answer.refused > 0) return yield* Effect.die(`Of a bulk create ${answer.refused} were refused.`)
  } while (cursor !== null)

  const draft = yield* api.drafts.create({ query, payload: { title: at("idea"), author: name } })
  const { id, ...task } = expect({ id: at("promoted"), course: "plain" })
  yield* api.drafts.promote({ query, params: { id: draft.id }, payload: { task: { ...task, id } } })

  yield* api.messages.send({
    query,
    payload: { task_id: at("root"), from_actor: name, type: "comment", content: at("a comment") }
  })
})

const program = Effect.gen(function*() {
  // With eight repetitions a call goes on for almost a minute.
  const api = yield* client.make({ baseUrl: url, token: key, scope, retries: 8 })
  for (let n = 0; !state.over; n++) {
    yield* wave(api, n)
    yield* Effect.sleep(200 + Math.floor(next() * 800))
  }
})

Effect.runPromise(Effect.provide(program, FetchHttpClient.layer)).catch((error: unknown) => {
  console.error(String(error))
  process.exitCode = 1
})
