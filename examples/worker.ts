/**
 * A worker, complete: `npx node examples/worker.ts` against a server that runs (`npm start`). `npx` takes the Node of the
 * checkout, which runs TypeScript as it is.
 *
 * `OCTOPOID_URL` says where the server is (`http://localhost:8787`), `OCTOPOID_API_KEY` is a key of the scope or the
 * server's secret, `OCTOPOID_SCOPE` the scope (`example`). Stop it with Ctrl-C: it gives back what it has not finished. What
 * it finished and could not hand in is in `OCTOPOID_OUTBOX` (`.octopoid-outbox`), and handed in when it is started again.
 */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
// Elsewhere: from "octopoid-server/client" and "octopoid-server/worker".
import * as client from "../src/client.ts"
import * as Worker from "../src/client/Worker.ts"
import * as FileStore from "../src/FileStore.ts"

if (process.argv.length > 2) {
  console.log(
    "Usage: npx node examples/worker.ts\n\nWorks on the tasks of a scope. It has no options: the head of the file names its settings."
  )
  process.exit(process.argv.includes("--help") ? 0 : 2)
}

const connection: client.Options = {
  baseUrl: process.env.OCTOPOID_URL || "http://localhost:8787",
  token: process.env.OCTOPOID_API_KEY || undefined,
  scope: process.env.OCTOPOID_SCOPE || "example"
}

const outbox = FileStore.make(process.env.OCTOPOID_OUTBOX || ".octopoid-outbox")

const say = (task: string, what: string) => Effect.sync(() => console.log(`${task.padEnd(24)} ${what}`))

/** Something to do, unless there is. */
const prepare = Effect.gen(function*() {
  const api = yield* client.make(connection)
  const { total } = yield* api.tasks.list({ query: { queue: ["incoming"] } })
  if (total > 0) return
  const run = Date.now().toString(36)
  for (const title of ["schema", "endpoint", "docs"]) {
    const id = client.TaskId.make(`${run}-${title}`)
    const content = title === "docs" ? "For whom are the docs?" : title
    yield* api.tasks.create({ query: {}, payload: { id, file_path: `${id}.md`, branch: "main", title, content } })
    yield* say(id, "created")
  }
})

/** What an agent would do here. Its lease is renewed meanwhile, and it may be interrupted at any point. */
const steps = Effect.fnUntraced(function*({ checkpoint, task }: Worker.Attempt) {
  for (const step of [1, 2, 3]) {
    yield* Effect.sleep("1 second")
    yield* checkpoint({ branch: `agent/${task.id}`, notes: `step ${step} of 3 is done` })
    yield* say(task.id, `step ${step} of 3`)
  }
  yield* say(task.id, "done, for review")
  return { commits_count: 1, turns_used: 3, execution_notes: "Three steps, no surprises." }
}, (effect, { task }) => Effect.onInterrupt(effect, () => say(task.id, "interrupted")))

const work = Effect.fnUntraced(function*(attempt: Worker.Attempt) {
  const { ask, fencing_token, handoff, task } = attempt
  yield* say(task.id, `claimed, token ${fencing_token}`)
  if (handoff.checkpoint !== null) yield* say(task.id, `goes on from: ${handoff.checkpoint.notes}`)
  // A task that ends with a question needs a person first. It waits, and this worker goes on with others.
  const answer = handoff.answers?.at(-1)
  if (answer !== undefined) yield* say(task.id, `${answer.answered_by} answered: ${answer.answer}`)
  else if (task.content?.endsWith("?")) {
    const list = `/api/v1/messages?scope=${connection.scope}&type=question&unreplied=true`
    yield* say(task.id, `asks: ${task.content} It waits for the answer. GET ${list} has the question.`)
    return yield* ask({ content: task.content, to_actor: "human" })
  }
  return yield* steps(attempt)
})

const worker = Worker.run({
  client: connection,
  machine: { cluster: "example", machine_id: "laptop" },
  concurrency: 2,
  leaseSeconds: 60,
  grace: "500 millis",
  outbox
}, work)

/** What an earlier run left. */
const left = Effect.gen(function*() {
  for (const { refused, task_id } of yield* Worker.unsettled(outbox)) {
    yield* say(task_id, refused === null ? "finished but not handed in" : `finished, and refused: ${refused}`)
  }
})

const program = Effect.andThen(left, Effect.andThen(prepare, worker))
const fiber = Effect.runFork(Effect.provide(program, FetchHttpClient.layer))

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, () => {
    console.log(`${signal}: giving back what is not finished`)
    Effect.runFork(Fiber.interrupt(fiber))
  })
}
fiber.addObserver((exit) => {
  if (exit._tag === "Success" || exit.cause.reasons.every(({ _tag }) => _tag === "Interrupt")) {
    console.log("Stopped.")
  } else {
    for (const reason of exit.cause.reasons) {
      console.error(String(reason._tag === "Fail" ? reason.error : reason._tag === "Die" ? reason.defect : reason._tag))
    }
    console.error(`The server is looked for at ${connection.baseUrl} (OCTOPOID_URL), with the key in OCTOPOID_API_KEY.`)
    process.exitCode = 1
  }
})
