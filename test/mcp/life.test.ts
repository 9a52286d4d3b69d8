/** Agents that work through the official client of MCP, over stdio, on the Worker in workerd. */
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { readdirSync } from "node:fs"
import { join } from "node:path"
import { MaxContent } from "../../src/mcp/Tools.ts"
import { Workerd } from "../support/harness.ts"
import { agentOf, done, folder, refused, until } from "./support.ts"

const agentIn = Effect.fnUntraced(function*(scope: string, env: Record<string, string> = {}) {
  const { base } = yield* Workerd
  return yield* agentOf(String(base), { OCTOPOID_SCOPE: scope, OCTOPOID_OUTBOX: yield* folder, ...env })
})

const create = Effect.fnUntraced(function*(scope: string, id: string, rest: object = {}) {
  const { send } = yield* Workerd
  const { status } = yield* send("POST", "/api/v1/tasks", { id, scope, file_path: id, branch: "main", ...rest })
  assert.strictEqual(status, 201)
})

const taskOf = Effect.fnUntraced(function*(id: string) {
  const { send } = yield* Workerd
  return (yield* send("GET", `/api/v1/tasks/${id}`)).body
})

const eventsOf = Effect.fnUntraced(function*(id: string) {
  const { send } = yield* Workerd
  return (yield* send("GET", `/api/v1/tasks/${id}/history`)).body.history.map(({ event }: any) => event)
})

layer(Workerd.layer, { excludeTestServices: true, timeout: "10 minutes" })("an agent through MCP", (it) => {
  it.effect("works on a task through its whole life", () =>
    Effect.gen(function*() {
      const agent = yield* agentIn("life", { OCTOPOID_AGENT: "ann" })
      yield* create("life", "first", { title: "The first", content: "Do it.", priority: "P1" })
      const { task } = yield* done(agent, "claim_task")
      assert.include(task, {
        task_id: "first",
        title: "The first",
        content: "Do it.",
        content_length: 6,
        push_branch: `octopoid/first/${task.fencing_token}`
      })
      assert.deepStrictEqual(task.handoff.setbacks, [])
      assert.include(yield* taskOf("first"), { queue: "claimed", claimed_by: "ann", orchestrator_id: "mcp-box" })

      const saved = yield* done(agent, "checkpoint", { notes: "half", open_questions: ["Why?"], head_commit: "abc" })
      assert.include(saved, { task_id: "first", directive: "continue" })
      assert.match(yield* refused(agent, "claim_task"), /^You hold task first already\. Call submit_result/)

      const made = yield* done(agent, "create_task", { title: "Found", content: "Later.", depends_on: ["first"] })
      assert.include(yield* taskOf(made.task_id), { queue: "incoming", blocked_by: "first", title: "Found" })
      const list = yield* done(agent, "find_tasks", { text: "found" })
      assert.deepStrictEqual(list.tasks.map((one: any) => one.task_id), [made.task_id])

      const submitted = yield* done(agent, "submit_result", {
        notes: "All done.",
        commits_count: 2,
        head_commit: "def",
        evidence: [{ kind: "test", command: "npm test", exit_code: 0 }]
      })
      assert.include(submitted, { task_id: "first", state: "submitted", queue: "provisional" })
      const first = yield* taskOf("first")
      assert.include(first, { execution_notes: "All done.", commits_count: 2, submitted_by: "ann", head_commit: "def" })
      assert.deepStrictEqual(first.evidence.map(({ command, kind }: any) => [kind, command]), [["test", "npm test"]])
      // Nothing is left but the task that waits for the first one.
      const none = yield* done(agent, "claim_task")
      assert.isNull(none.task)
      assert.match(none.says, /Claim again in \d+ seconds, or end\./)
      assert.match(yield* refused(agent, "submit_result", { notes: "again" }), /^You hold no task\. Call claim_task/)
    }))

  it.effect("gives back, fails and asks, and the answer is in the handoff of the next claim", () =>
    Effect.gen(function*() {
      const { send } = yield* Workerd
      const agent = yield* agentIn("ends")
      yield* create("ends", "back")
      yield* done(agent, "claim_task")
      assert.deepStrictEqual(yield* done(agent, "give_back", { reason: "Not mine." }), {
        task_id: "back",
        queue: "incoming"
      })
      assert.include(yield* taskOf("back"), { queue: "incoming", claimed_by: null, attempt_count: 0 })

      yield* done(agent, "claim_task")
      const asked = yield* done(agent, "ask_person", { question: "Red or blue?", to: "eve" })
      assert.include(yield* taskOf("back"), { waiting_for_reply: asked.question_id })
      assert.isNull((yield* done(agent, "claim_task")).task)
      yield* send("POST", "/api/v1/messages", {
        scope: "ends",
        task_id: "back",
        from_actor: "eve",
        type: "comment",
        content: "Blue.",
        parent_message_id: asked.question_id
      })
      const { task } = yield* done(agent, "claim_task")
      assert.deepStrictEqual(task.handoff.answers.map(({ answer, question }: any) => [question, answer]), [
        ["Red or blue?", "Blue."]
      ])
      assert.deepStrictEqual(yield* done(agent, "fail_task", { reason: "No blue left.", terminal: true }), {
        task_id: "back",
        queue: "failed"
      })
      assert.include(yield* taskOf("back"), { queue: "failed", failure_reason: "No blue left.", terminal: 1 })
      const found = yield* done(agent, "find_tasks", { task_id: "back" })
      assert.strictEqual(found.tasks[0].reason, "No blue left.")
    }))

  it.effect("learns of a cancel with its next call of any tool", () =>
    Effect.gen(function*() {
      const { send } = yield* Workerd
      const agent = yield* agentIn("cancels")
      const calls: ReadonlyArray<readonly [string, object]> = [
        ["checkpoint", { notes: "half" }],
        ["find_tasks", {}],
        ["create_task", { title: "t", content: "c" }],
        ["ask_person", { question: "?" }]
      ]
      for (const [name, input] of calls) {
        const id = `cancel-${name}`
        yield* create("cancels", id)
        yield* done(agent, "claim_task")
        yield* send("POST", `/api/v1/tasks/${id}/cancel`, { reason: "Not needed any more." })
        assert.strictEqual(
          yield* refused(agent, name, input),
          `Task ${id} was cancelled. The reason: Not needed any more. It was given back for you. Stop working on it, push nothing more for it, and claim another. This call was not carried out: repeat it if you still need it.`
        )
        yield* until(`${id} is cancelled`, Effect.map(taskOf(id), ({ queue }) => queue === "cancelled"))
      }
      // It is told once.
      const { tasks } = yield* done(agent, "find_tasks", {})
      assert.deepStrictEqual(tasks.filter(({ queue }: any) => queue !== "cancelled"), [])
      assert.isNull((yield* done(agent, "claim_task")).task)
    }))

  it.effect("hands in a result although the task was cancelled meanwhile", () =>
    Effect.gen(function*() {
      const { send } = yield* Workerd
      const agent = yield* agentIn("late")
      yield* create("late", "cancelled-late")
      yield* done(agent, "claim_task")
      yield* send("POST", "/api/v1/tasks/cancelled-late/cancel", {})
      const { queue, says } = yield* done(agent, "submit_result", { notes: "Done all the same." })
      assert.strictEqual(queue, "cancelled")
      assert.match(says, /kept with it/)
      assert.include(yield* taskOf("cancelled-late"), { execution_notes: "Done all the same." })
    }))

  it.effect("learns of a cancel by the renewals in the background, which give the task back", () =>
    Effect.gen(function*() {
      const { send } = yield* Workerd
      const outbox = yield* folder
      const agent = yield* agentIn("asleep", { OCTOPOID_LEASE: "3", OCTOPOID_OUTBOX: outbox })
      yield* create("asleep", "slept")
      yield* done(agent, "claim_task")
      // Longer than the lease: the process renews it.
      yield* Effect.sleep("5 seconds")
      assert.include(yield* taskOf("slept"), { queue: "claimed", lease_losses: 0 })
      assert.deepStrictEqual(yield* eventsOf("slept"), ["created", "claimed"])
      yield* send("POST", "/api/v1/tasks/slept/cancel", {})
      yield* until("slept is cancelled", Effect.map(taskOf("slept"), ({ queue }) => queue === "cancelled"))
      // A result that comes too late is kept on the machine.
      assert.match(
        yield* refused(agent, "submit_result", { notes: "Too late, but useful." }),
        /^Task slept was cancelled\. .* The result was not handed in\. It is kept in the outbox/
      )
      const [server] = readdirSync(outbox)
      assert.strictEqual(readdirSync(join(outbox, server!, String(agent.pid))).length, 1)
    }))

  it.effect("learns that its lease is lost, and who holds the task now", () =>
    Effect.gen(function*() {
      const { send } = yield* Workerd
      const one = yield* agentIn("lost", { OCTOPOID_AGENT: "one" })
      const two = yield* agentIn("lost", { OCTOPOID_AGENT: "two" })
      yield* create("lost", "taken")
      for (const name of ["checkpoint", "submit_result", "give_back", "fail_task", "find_tasks"]) {
        const { task } = yield* done(one, "claim_task")
        // A person takes the task away, and the other agent gets it.
        yield* send("POST", "/api/v1/tasks/taken/requeue", { fencing_token: task.fencing_token })
        yield* done(two, "claim_task")
        assert.match(
          yield* refused(one, name, { notes: "n", reason: "r" }),
          new RegExp(
            `^The lease ${task.fencing_token} of task taken is over: two holds the task now\\. Stop working on it, and claim again\\.`
          ),
          name
        )
        // Nothing of the slow agent reaches the task of the other.
        assert.include(yield* taskOf("taken"), { claimed_by: "two", queue: "claimed" })
        yield* done(two, "give_back", { reason: "Next round." })
      }
    }))

  it.effect("gives back what it holds when its input is closed, and when it is asked to end", () =>
    Effect.gen(function*() {
      const { send } = yield* Workerd
      yield* create("closing", "closed")
      const first = yield* agentIn("closing")
      yield* done(first, "claim_task")
      yield* Effect.promise(() => first.client.close())
      assert.include(yield* taskOf("closed"), { queue: "incoming", claimed_by: null, attempt_count: 0 })
      assert.deepStrictEqual(yield* eventsOf("closed"), ["created", "claimed", "released"])

      const second = yield* agentIn("closing")
      yield* done(second, "claim_task")
      process.kill(second.pid, "SIGTERM")
      yield* until("the process has ended", Effect.sync(() => second.seen.ended))
      const { body } = yield* send("GET", "/api/v1/tasks/closed")
      assert.include(body, { queue: "incoming", claimed_by: null, attempt_count: 0 })
    }))

  it.effect("loses its lease when its process is killed, and another agent goes on from its checkpoint", () =>
    Effect.gen(function*() {
      yield* create("killing", "killed-task")
      const first = yield* agentIn("killing", { OCTOPOID_LEASE: "2" })
      yield* done(first, "claim_task")
      yield* done(first, "checkpoint", { notes: "two of three", branch: "wip" })
      process.kill(first.pid, "SIGKILL")
      yield* until("the process has ended", Effect.sync(() => first.seen.ended))
      const second = yield* agentIn("killing")
      let task: any = null
      yield* until(
        "the task is claimed again",
        Effect.gen(function*() {
          task = (yield* done(second, "claim_task")).task
          return task !== null
        })
      )
      assert.strictEqual(task.task_id, "killed-task")
      assert.include(task.handoff.checkpoint, { notes: "two of three", branch: "wip" })
      assert.deepStrictEqual(task.handoff.setbacks.map(({ event }: any) => event), ["lease_expired"])
    }))

  it.effect("reads a long task in parts", () =>
    Effect.gen(function*() {
      const agent = yield* agentIn("long")
      const content = "0123456789".repeat(MaxContent / 10) + "the end"
      yield* create("long", "long-task", { content })
      const { says, task } = yield* done(agent, "claim_task")
      assert.include(says, `content_from ${MaxContent}`)
      assert.strictEqual(task.content_length, content.length)
      const rest = yield* done(agent, "find_tasks", { task_id: "long-task", content_from: MaxContent })
      assert.strictEqual(task.content + rest.content, content)
      assert.isFalse(rest.more)
    }))

  it.effect("learns what is wrong with its arguments, and what to do", () =>
    Effect.gen(function*() {
      const agent = yield* agentIn("wrong")
      yield* create("wrong", "wrong-task")
      assert.match(yield* refused(agent, "find_tasks", { task_id: "nowhere" }), /not found: nowhere/)
      assert.match(yield* refused(agent, "create_task", { title: "t", content: "c", id: "wrong-task" }), /wrong-task/)
      assert.match(yield* refused(agent, "create_task", { title: "t", content: "c", id: ".." }), /id/)
      assert.match(yield* refused(agent, "checkpoint", { notes: "n" }), /^You hold no task\. Call claim_task/)
      yield* done(agent, "claim_task")
      assert.match(
        yield* refused(agent, "checkpoint", { notes: "x".repeat(20_000) }),
        /^The checkpoint of task wrong-task has \d+ bytes of JSON, and at most 16384 are kept\./
      )
      assert.match(
        yield* Effect.promise(() =>
          agent.call("checkpoint", { branch: 3 }).then(({ text }) => text, ({ message }) => String(message))
        ),
        /notes[^]*branch/
      )
      // The task is still held.
      yield* done(agent, "give_back", { reason: "The test ends." })
    }))
})
