/**
 * The main job, played against a running server through the typed client: `npm run demo [-- http://localhost:8787]`.
 * `OCTOPOID_URL` also says where the server is; `OCTOPOID_API_KEY` is the secret of a server that has one.
 *
 * Two orchestrators share a project of three tasks. One of them dies in the middle of its task, the lease runs out, and
 * the other takes over; one result is rejected with a reason and done again. Prints what happens as it happens, checks
 * each step, and exits with 1 at the first thing that is not as it should be.
 *
 * `npm run demo -- night` plays a whole night instead (`demo/Night.ts`), and compares what the server tells with what it did.
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as client from "../src/client.ts"
import * as Night from "./demo/Night.ts"
import * as Stops from "./demo/Stops.ts"
import * as Flags from "./flags.ts"

const { positionals, refuse, values, whole } = Flags.read({
  run: "npm run demo",
  does:
    `Plays the main job against a running server: two orchestrators, a project of three tasks, a machine that dies, a rejected result.
With "night", plays a night of many tasks. Some fail, some are lost and some are rejected. There are questions, usage and evidence. At the end a breaker is open, a project is at its cap, a task waits for an answer and an account is parked. It stays in
its scope, so that pages and metrics have something to show. At the end, what the server tells is compared with what was done.
The server is at --url, at OCTOPOID_URL or at http://localhost:8787. OCTOPOID_API_KEY is its API_SECRET_KEY, if it has one.`,
  takes: "5 to 15 seconds; a night takes 1.5 to 4 minutes",
  arguments: ["[night]", "[<url>]"],
  options: {
    url: { type: "string", value: "url", says: "where the server is" },
    scope: { type: "string", value: "name", says: "the scope; one of its own unless given" },
    tasks: { type: "string", value: "n", default: "300", says: "tasks of a night" },
    machines: { type: "string", value: "n", default: "6", says: "machines of a night" },
    projects: { type: "string", value: "n", default: "5", says: "projects of a night" },
    lease: {
      type: "string",
      value: "s",
      default: "15",
      says: "seconds of a lease in a night; a lost attempt takes as long"
    },
    seed: { type: "string", value: "n", default: "1", says: "decides what happens to each task of a night" }
  }
})
const isNight = positionals[0] === "night"
const [address, ...more] = isNight ? positionals.slice(1) : positionals
if (more.length > 0) refuse(`Unexpected argument '${more[0]}'`)
const baseUrl = values.url ?? address ?? (process.env.OCTOPOID_URL || "http://localhost:8787")
if (!/^https?:/.test(baseUrl) || !URL.canParse(baseUrl)) refuse(`${baseUrl} is not an address.`)
const token = process.env.OCTOPOID_API_KEY || undefined
const run = Date.now().toString(36)
const scope = values.scope ?? `${isNight ? "night" : "demo"}-${run}`
const started = Date.now()

const say = (who: string, what: string) =>
  console.log(`${((Date.now() - started) / 1000).toFixed(1).padStart(6)}s  ${who.padEnd(10)} ${what}`)

const check = (what: string, actual: unknown, expected: unknown) =>
  actual === expected
    ? Effect.void
    : Effect.die(`${what}: expected ${String(expected)}, found ${String(actual)}`)

const taskId = (name: string) => client.TaskId.make(`${run}-${name}`)
const [schema, endpoint, docs] = [taskId("schema"), taskId("endpoint"), taskId("docs")]

const demo = Effect.gen(function*() {
  const api = yield* client.make({ baseUrl, scope, token })
  const health = yield* api.health()
  say("server", `${baseUrl} is ${health.status}, version ${health.version}`)

  const register = Effect.fnUntraced(function*(machine_id: string) {
    const { orchestrator_id } = yield* api.orchestrators.register({
      query: {},
      payload: { cluster: run, machine_id, repo_url: "https://example.com/repo.git" }
    })
    say(machine_id, `registers as ${orchestrator_id}`)
    return orchestrator_id
  })
  const laptop = yield* register("laptop")
  const tower = yield* register("tower")

  const draft = yield* api.drafts.create({
    query: {},
    payload: { title: "Let users export their data", author: "ada" }
  })
  say("ada", `drafts "${draft.title}"`)

  const project_id = client.ProjectId.make(`${run}-export`)
  const project = yield* api.projects.create({
    query: {},
    payload: { id: project_id, title: draft.title, branch: "feature/export" }
  })
  yield* api.drafts.patch({
    query: {},
    params: { id: draft.id },
    payload: { linked_project_id: project_id, status: "approved" }
  })
  say("ada", `turns it into a project on ${project.branch}`)

  const create = Effect.fnUntraced(function*(id: client.TaskId, title: string, blocked_by: string | null) {
    const task = yield* api.tasks.create({
      query: {},
      payload: { id, title, file_path: `${id}.md`, branch: "main", project_id, role: "implement", blocked_by }
    })
    yield* check("a task of a project is on its branch", task.branch, "feature/export")
    say("ada", `queues "${title}"${blocked_by === null ? "" : `, which waits for ${task.blocked_by}`}`)
  })
  yield* create(schema, "Add the export table", null)
  yield* create(endpoint, "Serve GET /export", schema)
  yield* create(docs, "Document the export", endpoint)

  const claim = (orchestrator_id: client.OrchestratorId, agent_name: string, queue: string, seconds: number) =>
    api.tasks.claim({
      query: {},
      payload: { orchestrator_id, agent_name, queue, lease_duration_seconds: seconds }
    })
  const work = Effect.fnUntraced(function*(machine: client.OrchestratorId, agent: string, expected: client.TaskId) {
    const task = yield* claim(machine, agent, "incoming", 60)
    yield* check("the next task", task.id, expected)
    say(agent, `claims "${task.title}" (token ${task.fencing_token})`)
    yield* api.tasks.submit({ query: {}, params: { id: task.id }, payload: { commits_count: 2, turns_used: 14 } })
    say(agent, "submits the result")
    return task
  })
  const review = Effect.fnUntraced(function*(id: client.TaskId) {
    const task = yield* claim(tower, "gatekeeper", "provisional", 60)
    yield* check("the task to review", task.id, id)
    yield* check("a task under review stays", task.queue, "provisional")
  })
  const accept = Effect.fnUntraced(function*(id: client.TaskId) {
    yield* review(id)
    const task = yield* api.tasks.accept({ query: {}, params: { id }, payload: { accepted_by: "gatekeeper" } })
    yield* check("an accepted task", task.queue, "done")
    say("gatekeeper", `accepts "${task.title}"`)
  })

  const abandoned = yield* claim(laptop, "ann", "incoming", 2)
  say("ann", `claims "${abandoned.title}" (token ${abandoned.fencing_token}) for two seconds …`)
  const idle = yield* Effect.flip(claim(tower, "bob", "incoming", 60))
  yield* check("a claim while everything else is blocked", idle._tag, "NoTasksAvailable")
  say("bob", "finds nothing: the other tasks are blocked")
  say("laptop", "dies")
  yield* Effect.sleep("2500 millis")

  const rescued = yield* work(tower, "bob", schema)
  // A restored server grants tokens above all that were granted before, so only their order is known.
  yield* check("the token rises", Number(rescued.fencing_token) > Number(abandoned.fencing_token), true)
  yield* check("a lost lease is counted", rescued.lease_losses, 1)
  yield* accept(schema)

  yield* work(tower, "bob", endpoint)
  yield* review(endpoint)
  const rejected = yield* api.tasks.reject({
    query: {},
    params: { id: endpoint },
    payload: { rejected_by: "gatekeeper", reason: "There is no test for an empty export." }
  })
  say("gatekeeper", `rejects it: "${rejected.last_rejection_reason}"`)
  const again = yield* work(tower, "bob", endpoint)
  yield* check(
    "the reason reaches the next attempt",
    again.last_rejection_reason,
    "There is no test for an empty export."
  )
  yield* accept(endpoint)

  yield* work(tower, "bob", docs)
  yield* accept(docs)
  const { tasks } = yield* api.projects.tasks({ query: {}, params: { id: project_id } })
  yield* check("all tasks of the project are done", tasks.every((task) => task.queue === "done"), true)
  yield* api.projects.patch({ query: {}, params: { id: project_id }, payload: { status: "completed" } })
  say("ada", "completes the project")

  const { history } = yield* api.tasks.history({ query: {}, params: { id: schema } })
  console.log(`\nHistory of "${abandoned.title}":`)
  for (const entry of history) {
    console.log(
      `  v${entry.version}  ${DateTime.formatIso(entry.at)}  ${entry.event.padEnd(15)} ${
        (entry.from_queue ?? "-").padEnd(12)
      }-> ${(entry.to_queue ?? "-").padEnd(12)} ${entry.actor ?? ""} ${entry.reason ?? ""}`
    )
  }
  yield* check(
    "the history",
    history.map((entry) => entry.event).join(" "),
    "created claimed lease_expired claimed submitted review_claimed accepted"
  )
  console.log("\nEverything is as it should be.")
})

const night = Effect.gen(function*() {
  const api = yield* client.make({ baseUrl, scope, token })
  yield* api.health()
  const numbers = {
    seed: whole("seed", values.seed),
    tasks: whole("tasks", values.tasks, 10),
    machines: whole("machines", values.machines, 1),
    projects: whole("projects", values.projects, 1),
    leaseSeconds: whole("lease", values.lease, 1)
  }
  say("night", `Everything is in the scope ${scope}.`)
  const name = `night-${run}`
  const ledger = yield* Night.play(api, {
    ...numbers,
    name,
    wait: (seconds) => Effect.sleep(seconds * 1000),
    say: (what) => say("night", what)
  })
  yield* Stops.play(api, name, ledger)
  say("night", "A breaker is open, a project is at its cap, a task waits for an answer, and an account is parked.")
  for (const [event, n] of Object.entries(ledger.events)) say("events", `${event} ${n}`)
  const found = yield* Night.compare(api, ledger)
  if (found.length > 0) return yield* Effect.die(found.join("\n"))
  say("night", "The overview and the feed tell what was done.")
  console.log(`\nSee ${baseUrl}/app/#/night?scope=${scope}, or ${baseUrl}/api/v1/overview?scope=${scope}`)
})

const unreachable = `No Octopoid server answers at ${baseUrl}. Start one with: npm start`
// The demo plays in a scope of its own, so a key of another scope does not do.
const closed = "Set OCTOPOID_API_KEY to the server's API_SECRET_KEY."

const chosen = Effect.gen(function*() {
  if (isNight) yield* night
  else yield* demo
})

Effect.runPromise(chosen.pipe(
  Effect.catchTag(["NoUsableAnswer", "HttpClientError", "SchemaError"], () => Effect.die(unreachable)),
  Effect.catchTag(
    ["Unauthorized", "ScopeMismatch", "AdministratorRequired", "RankTooLow"],
    ({ error }) => Effect.die(`${error}\n${closed}`)
  ),
  Effect.provide(FetchHttpClient.layer)
)).catch((error: unknown) => {
  console.error(`\nThe demo failed: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
})
