/** Who brings everything to its end once the faults have stopped: a healthy agent, and a person for what needs one. */
import * as Effect from "effect/Effect"
import { register } from "./Builder.ts"
import type { Machine } from "./Machine.ts"

const ends = new Set(["done", "failed", "cancelled"])

/** Sends a request, and repeats it until an answer comes. */
const ask = Effect.fnUntraced(function*(machine: Machine, method: string, path: string, body?: unknown) {
  for (;;) {
    const answer = yield* machine.send(method, path, body)
    if (answer !== undefined && answer.status < 500) return answer
    yield* machine.pause(1, 2)
  }
})

/** Works through everything a claim brings. */
const work = Effect.fnUntraced(function*(machine: Machine, orchestrator_id: string, queue: string) {
  for (;;) {
    const claimed = yield* ask(machine, "POST", "/tasks/claim", { orchestrator_id, agent_name: "custodian", queue })
    if (claimed.status !== 200) return
    const { fencing_token, id } = claimed.body
    yield* queue === "provisional"
      ? ask(machine, "POST", `/tasks/${id}/accept`, { accepted_by: "custodian", fencing_token })
      : ask(machine, "POST", `/tasks/${id}/submit`, { commits_count: 1, turns_used: 1, fencing_token })
  }
})

/** Answers every question that nobody has answered. */
const answer = Effect.fnUntraced(function*(machine: Machine) {
  const { body } = yield* ask(machine, "GET", "/messages?type=question&unreplied=true&limit=500")
  for (const { id, task_id } of body.messages) {
    const reply = { task_id, from_actor: "custodian", type: "comment", content: "Yes.", parent_message_id: id }
    yield* ask(machine, "POST", "/messages", reply)
  }
})

/** Sees to what keeps others waiting: what failed gets another try, and what was never made is made. */
const unstick = Effect.fnUntraced(function*(machine: Machine, task: any, all: ReadonlyMap<string, any>) {
  if (task.queue === "requires-intervention") {
    yield* ask(machine, "PATCH", `/tasks/${task.id}`, { queue: "incoming", reason: "It was looked at." })
  }
  for (const id of task.blocked_by?.split(",") ?? []) {
    const blocker = all.get(id)
    const name = encodeURIComponent(id)
    if (blocker === undefined) {
      yield* ask(machine, "POST", "/tasks", { id, file_path: `${id}-again.md`, branch: "main" })
    } else if (blocker.queue !== "done" && ends.has(blocker.queue)) {
      const redriven = yield* ask(machine, "POST", `/tasks/${name}/redrive`, { reason: "Others wait for it." })
      // Another task has its external key by now, perhaps the waiting one. A person has to choose.
      if (redriven.body?._tag === "TaskExists") {
        machine.world.journal.saw("a blocker could not come back")
        yield* ask(machine, "PATCH", `/tasks/${encodeURIComponent(task.id)}`, { blocked_by: null })
      }
    }
  }
})

/** Ends when every task of the scope has. */
export const run = Effect.fnUntraced(function*(machine: Machine) {
  const id = yield* register(machine)
  for (;;) {
    if (machine.world.asking) yield* answer(machine)
    for (const queue of ["incoming", "needs_continuation", "provisional"]) yield* work(machine, id, queue)
    const { body } = yield* ask(
      machine,
      "GET",
      "/tasks?limit=500&include_done=true&queue=incoming,claimed,provisional,done,failed,cancelled,needs_continuation,requires-intervention"
    )
    const all = new Map<string, any>(body.tasks.map((task: any) => [task.id, task]))
    const open = body.tasks.filter(({ queue }: any) => !ends.has(queue))
    if (open.length === 0) return
    for (const task of open) yield* unstick(machine, task, all)
    yield* machine.pause(120, 900)
  }
})
