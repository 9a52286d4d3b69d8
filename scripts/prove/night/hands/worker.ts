/** A worker of the night. What it does with a task stands in the content of the task. */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as KeyValueStore from "effect/persistence/KeyValueStore"
import * as Worker from "../../../../src/client/Worker.ts"
import * as FileStore from "../../../../src/FileStore.ts"
import * as Journal from "./journal.ts"
import { setting } from "./setting.ts"

const { concurrency = 2, journal, key, leaseSeconds = 6, machine = "m", name, own, queue, scope, types, url } = setting
const note = Journal.begin(journal, name)

class Unlucky extends Error {
  readonly how: "fail" | "retry" | "terminal"
  constructor(how: "fail" | "retry" | "terminal") {
    super(`This attempt ends with ${how}.`)
    this.how = how
  }
}

const review = ({ task }: Worker.Attempt, course: string): Worker.Verdict =>
  course === "reject" && task.rejection_count === 0
    ? { verdict: "reject", reason: `The first result of ${task.id} has no test.` }
    : { verdict: "accept" }

const handler = Effect.fnUntraced(function*(attempt: Worker.Attempt) {
  const { ask, checkpoint, fencing_token, handoff, task } = attempt
  const { course, millis } = JSON.parse(task.content ?? "{}") as { readonly course: string; readonly millis: number }
  if (queue === "provisional") {
    yield* Effect.sleep(millis / 2)
    return review(attempt, course)
  }
  yield* checkpoint({ notes: `${task.id} is begun under ${fencing_token}.` })
  yield* Effect.sleep(millis)
  const given = task.attempt_count - task.lease_losses
  // The process ends here, and its lease has to run out.
  if (course === "die" && task.lease_losses === 0) process.kill(process.pid, "SIGKILL")
  if (course === "ask" && (handoff.answers ?? []).length === 0) {
    return yield* ask({ content: `Which way for ${task.id}?`, to_actor: "human" })
  }
  if (course === "retry" && given === 0) return yield* Effect.fail(new Unlucky("retry"))
  if (course === "spent") return yield* Effect.fail(new Unlucky("retry"))
  if (course === "fail") return yield* Effect.fail(new Unlucky("fail"))
  if (course === "terminal") return yield* Effect.fail(new Unlucky("terminal"))
  note({ kind: "worked", task_id: task.id })
  return { commits_count: 1, turns_used: 1 + (fencing_token % 5), execution_notes: `${task.id} under ${fencing_token}` }
})

const files = FileStore.make(own)
const outbox: KeyValueStore.KeyValueStore = {
  ...files,
  set: (at, value) =>
    Effect.tap(files.set(at, value), () =>
      Effect.sync(() => {
        const { fencing_token, task_id, verb } = JSON.parse(String(value))
        note({ kind: "saved", task_id, fencing_token, verb })
      }))
}

const fiber = Effect.runFork(Worker.run({
  client: { baseUrl: url, token: key, scope },
  machine: { cluster: "night", machine_id: machine },
  agentName: name,
  resume: true,
  waitSeconds: 10,
  concurrency,
  leaseSeconds,
  outbox,
  onFailure: (cause) => {
    const [reason] = cause.reasons
    return reason?._tag === "Fail" && reason.error instanceof Unlucky ? reason.error.how : "fail"
  },
  ...(queue === undefined ? {} : { queue }),
  ...(types === undefined ? {} : { types })
}, handler))

process.once("SIGTERM", () => void Effect.runFork(Fiber.interrupt(fiber)))
fiber.addObserver((exit) => {
  if (exit._tag === "Success" || exit.cause.reasons.every(({ _tag }) => _tag === "Interrupt")) return
  console.error(String(exit.cause))
  process.exitCode = 1
})
