/** `tasks create` and `tasks edit`, and the moves that a person makes: redrive and cancel. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import { randomBytes } from "node:crypto"
import type { ProjectId, QueueName, Task, TaskId } from "../../client.ts"
import { actorOf, asFlag } from "../ask/actor.ts"
import { usage } from "../ask/Failure.ts"
import { connect } from "../ask/Server.ts"
import { described, examples, given, optional } from "../command.ts"
import * as Screen from "../show/Screen.ts"
import { line, styled } from "../show/Text.ts"
import { taskArgument } from "./list.ts"

const text = (name: string, description: string) =>
  Flag.String(name).pipe(Flag.withDescription(description), Flag.optional)
const number = (name: string, description: string) =>
  Flag.Int(name).pipe(Flag.withDescription(description), Flag.optional)

/** The fields that both commands write. */
const writable = {
  priority: text("priority", "P0 is the most urgent, then P1, P2 …"),
  role: text("role", "The role of the agents that may claim it"),
  type: text("type", "The kind of work"),
  project: text("project", "The project it belongs to"),
  branch: text("branch", "The branch to work on; the branch of its project comes first"),
  content: text("content", "The task in full, as Markdown"),
  contentFile: Flag.String("content-file").pipe(
    Flag.withMetavar("file"),
    Flag.withDescription("The same, from a file; - is standard input"),
    Flag.optional
  ),
  blockedBy: text("blocked-by", "The tasks that must be done first: a,b"),
  externalKey: text("external-key", "The id that your own system has for it"),
  maxAttempts: number("max-attempts", "The attempt that fails the task when it is given up; 0 is no limit"),
  maxCost: Flag.Finite("max-cost").pipe(Flag.withDescription("The dollars that it may cost"), Flag.optional)
}

const standardInput = Effect.tryPromise({
  try: async () => {
    let read = ""
    process.stdin.setEncoding("utf8")
    for await (const chunk of process.stdin) read += String(chunk)
    return read
  },
  catch: (error) => usage(`Standard input cannot be read: ${String(error)}`)
})

const contentOf = Effect.fnUntraced(function*(stated: string | undefined, file: string | undefined) {
  if (stated !== undefined && file !== undefined) return yield* usage("Give --content or --content-file, not both.")
  if (file === undefined) return stated
  if (file === "-") return yield* standardInput
  const files = yield* FileSystem.FileSystem
  return yield* Effect.mapError(
    files.readFileString(file),
    (error) => usage(`${file} cannot be read: ${error.message}`)
  )
})

type Flags = { readonly [K in keyof typeof writable]: (typeof writable)[K] extends Flag.Flag<infer A> ? A : never }

const fieldsOf = Effect.fnUntraced(function*(flags: Flags) {
  const content = yield* contentOf(given(flags.content), given(flags.contentFile))
  return {
    ...optional("priority", given(flags.priority)),
    ...optional("role", given(flags.role)),
    ...optional("type", given(flags.type)),
    ...optional("project_id", given(flags.project) as ProjectId | undefined),
    ...optional("branch", given(flags.branch)),
    ...optional("content", content),
    ...optional("blocked_by", given(flags.blockedBy)),
    ...optional("external_key", given(flags.externalKey)),
    ...optional("max_attempts", given(flags.maxAttempts)),
    ...optional("max_cost_usd", given(flags.maxCost))
  }
})

/** `add-the-login-3f9c` for a title. */
const idOf = (title: string): string => {
  const words = title.toLowerCase().normalize("NFKD").replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 40)
    .replace(/-+$/, "")
  return `${words === "" ? "task" : words}-${randomBytes(2).toString("hex")}`
}

const stateLine = (what: string) => (task: Task) =>
  `${styled("green", "✓")} ${what} ${line(task.id)}: it is in ${line(task.queue)}, version ${task.version}`

export const create = Command.make("create", {
  title: Argument.String("title").pipe(Argument.withDescription("What to do, in a few words")),
  id: text("id", "Its id; made of the title unless given"),
  file: text("file", "Where it is described, unique in the scope; tasks/<id>.md unless given"),
  queue: text("queue", "The queue to put it into; incoming unless given"),
  ...writable,
  as: asFlag
}, (flags) =>
  Effect.gen(function*() {
    const fields = yield* fieldsOf(flags)
    const id = given(flags.id) ?? idOf(flags.title)
    const { api } = yield* connect
    const task = yield* api.tasks.create({
      query: {},
      payload: {
        branch: "main",
        ...fields,
        id: id as TaskId,
        title: flags.title,
        file_path: given(flags.file) ?? `tasks/${id}.md`,
        created_by: yield* actorOf(flags.as),
        ...optional("queue", given(flags.queue) as QueueName | undefined)
      }
    })
    yield* Screen.show(task, stateLine("existing" in task ? "An open task has this external key:" : "Created"))
  })).pipe(
    described("Create a task.", "the task, as POST /api/v1/tasks answers it."),
    examples(
      ["tasks create \"Add the login\" --priority P1 --content-file login.md", "A task from a file"],
      ["tasks create \"Document it\" --blocked-by add-the-login-3f9c", "One that waits for it"]
    )
  )

export const edit = Command.make("edit", {
  task: taskArgument,
  title: text("title", "What to do, in a few words"),
  queue: text("queue", "The queue to move it to; only an accept leads to done"),
  ...writable,
  clear: Flag.String("clear").pipe(
    Flag.withMetavar("field"),
    Flag.withDescription("Clears this field, such as role or blocked_by; may be given several times"),
    Flag.atMost(20)
  ),
  version: number("expect-version", "Refuses the change if the task has another version"),
  reason: text("reason", "Why: kept in the history"),
  as: asFlag
}, (flags) =>
  Effect.gen(function*() {
    const payload = {
      ...Object.fromEntries(flags.clear.map((name) => [name.replaceAll("-", "_"), null])),
      ...(yield* fieldsOf(flags)),
      ...optional("title", given(flags.title)),
      ...optional("queue", given(flags.queue) as QueueName | undefined)
    }
    if (Object.keys(payload).length === 0) {
      return yield* usage("Nothing to change. Give a field, such as --priority P1.")
    }
    const { api } = yield* connect
    const task = yield* api.tasks.patch({
      params: { id: flags.task as TaskId },
      query: {},
      payload: {
        ...payload,
        agent_name: yield* actorOf(flags.as),
        ...optional("reason", given(flags.reason)),
        ...optional("version", given(flags.version))
      }
    })
    yield* Screen.show(task, stateLine("Changed"))
  })).pipe(
    described("Change a task.", "the task, as PATCH /api/v1/tasks/:id answers it."),
    examples(["tasks edit login --priority P0 --clear blocked_by", "Make it urgent, and let it wait for nothing"])
  )

export const redrive = Command.make("redrive", {
  task: taskArgument,
  terminal: Flag.Boolean("terminal").pipe(
    Flag.withoutNegation,
    Flag.withDescription("Also if it failed for a reason that no retry mends"),
    Flag.withDefault(false)
  ),
  reason: text("reason", "Why: kept in the history"),
  as: asFlag
}, (flags) =>
  Effect.gen(function*() {
    const { api } = yield* connect
    const task = yield* api.tasks.redrive({
      params: { id: flags.task as TaskId },
      query: {},
      payload: {
        redriven_by: yield* actorOf(flags.as),
        ...optional("reason", given(flags.reason)),
        ...optional("terminal", flags.terminal ? true : undefined)
      }
    })
    yield* Screen.show(task, stateLine("Redrove"))
  })).pipe(
    described("Have a failed or cancelled task tried again.", "the task, as POST /api/v1/tasks/:id/redrive answers it.")
  )

export const cancel = Command.make("cancel", {
  task: taskArgument,
  reason: text("reason", "Why: kept on the task and in the history"),
  as: asFlag
}, (flags) =>
  Effect.gen(function*() {
    const { api } = yield* connect
    const task = yield* api.tasks.cancel({
      params: { id: flags.task as TaskId },
      query: {},
      payload: { cancelled_by: yield* actorOf(flags.as), ...optional("reason", given(flags.reason)) }
    })
    yield* Screen.show(task, (task) =>
      task.cancel_requested_at === null || task.queue === "cancelled"
        ? stateLine("Cancelled")(task)
        : `${styled("green", "✓")} ${line(task.claimed_by)} is asked to stop, and then ${line(task.id)} is cancelled`)
  })).pipe(
    described(
      "Cancel a task. Its holder is asked to stop first.",
      "the task, as POST /api/v1/tasks/:id/cancel answers it."
    )
  )
