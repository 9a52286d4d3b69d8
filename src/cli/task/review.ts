/** `octopoid-server review`: the next result that waits, what speaks for it, and the verdict. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Prompt from "effect/cli/Prompt"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Client, ProjectId, Task, TaskId } from "../../client.ts"
import { actorOf, asFlag } from "../ask/actor.ts"
import { nothing, refused, usage } from "../ask/Failure.ts"
import { connect } from "../ask/Server.ts"
import { described, examples, given } from "../command.ts"
import { amount, both, count } from "../show/Moment.ts"
import * as Screen from "../show/Screen.ts"
import { fields } from "../show/Table.ts"
import { block, line, styled } from "../show/Text.ts"
import { diffOf } from "./Diff.ts"
import { evidenceTable } from "./shown.ts"

/** The tasks that wait for a review, in the order of claims, without those under review. */
const waiting = Effect.fnUntraced(function*(api: Client) {
  const { next_cursor, tasks, total } = yield* api.tasks.list({
    query: { queue: ["provisional"], sort: "priority", limit: 100, content: false }
  })
  const free = tasks.filter(({ claimed_by }) => claimed_by === null)
  return { free, total: next_cursor === null ? free.length : total }
})

const baseOf = Effect.fnUntraced(function*(api: Client, project: ProjectId | null) {
  if (project === null) return "main"
  // The project may be gone.
  return yield* api.projects.get({ params: { id: project }, query: {} }).pipe(
    Effect.map(({ base_branch }) => base_branch),
    Effect.catchTag("ProjectNotFound", () => Effect.succeed("main"))
  )
})

interface Result {
  readonly task: Task
  readonly diff: string | undefined
}

const section = (title: string, text: string | null) =>
  text === null || text === "" ? [] : ["", styled("bold", title), block(text)]

const text = ({ diff, task }: Result, now: number): string => {
  const width = Screen.width()
  return [
    fields([
      ["task", task.id, "bold"],
      ["title", task.title],
      ["project", task.project_id],
      ["branch", task.branch],
      ["commit", task.head_commit],
      ["pull request", task.pr_url ?? (task.pr_number === null ? null : `#${task.pr_number}`)],
      ["submitted", `${both(task.submitted_at, now)}${task.submitted_by == null ? "" : `, by ${task.submitted_by}`}`],
      [
        "result",
        `${count(task.commits_count, "commit")}${task.turns_used === null ? "" : `, ${count(task.turns_used, "turn")}`}`
      ],
      [
        "rejected before",
        task.rejection_count === 0 ? null : `${amount(task.rejection_count)}×: ${task.last_rejection_reason ?? ""}`,
        "yellow"
      ]
    ], width),
    "",
    (task.evidence ?? []).length === 0 ? styled("yellow", "No evidence was submitted.") : evidenceTable(task, width),
    ...section("Content", task.content),
    ...section("Notes of the agent", task.execution_notes),
    "",
    styled("bold", "See the changes"),
    diff === undefined ? "  The branch or the commit begins with a dash, so there is no command for it." : block(diff)
  ].join("\n")
}

const resultOf = Effect.fnUntraced(function*(api: Client, id: TaskId) {
  const task = yield* api.tasks.get({ params: { id }, query: {} })
  const base = yield* baseOf(api, task.project_id)
  return { task, diff: diffOf(task, base) } satisfies Result
})

const done = (word: string, task: Task) =>
  `${styled("green", "✓")} ${word} ${line(task.id)}: it is in ${line(task.queue)}`

// A verdict is about the version that was shown. Another one is refused.
const accept = (api: Client, { id, version }: Task, accepted_by: string) =>
  api.tasks.accept({ params: { id }, query: {}, payload: { accepted_by, version } })
const reject = (api: Client, { id, version }: Task, rejected_by: string, reason: string) =>
  api.tasks.reject({ params: { id }, query: {}, payload: { rejected_by, reason, version } })

const choice = (left: number) =>
  Prompt.Select({
    message: left > 1 ? `Your verdict (${left - 1} more wait)` : "Your verdict",
    choices: [
      { title: "accept", value: "accept", description: "marks it done and unblocks what waits for it" },
      { title: "reject", value: "reject", description: "sends it back with a reason" },
      { title: "skip", value: "skip", description: "shows the next one" },
      { title: "quit", value: "quit" }
    ] as const
  })

const reason = Prompt.String({
  message: "What is wrong? The next agent reads it",
  validate: (text) => text.trim() === "" ? Effect.fail("A rejection needs a reason.") : Effect.succeed(text)
})

/** Goes through the results until none is left or the reviewer quits. */
const talk = Effect.fnUntraced(function*(api: Client, actor: string, first: TaskId | undefined) {
  const seen = new Set<string>()
  for (let only = first;;) {
    const { free, total } = yield* waiting(api)
    const unseen = free.filter(({ id }) => !seen.has(id))
    const next = only ?? unseen[0]?.id
    if (next === undefined) {
      return yield* Screen.out(seen.size === 0 ? "Nothing waits for a review." : "Nothing else waits for a review.")
    }
    seen.add(next)
    const result = yield* resultOf(api, next)
    yield* Screen.out(`\n${text(result, yield* Clock.currentTimeMillis)}\n`)
    const verdict = yield* choice(only === undefined ? total - (free.length - unseen.length) : 1)
    if (verdict === "quit") return
    if (verdict === "accept" || verdict === "reject") {
      const why = verdict === "reject" ? yield* reason : ""
      // A refusal is about this result only. The reviewer reads it and goes on.
      yield* (verdict === "accept" ? accept(api, result.task, actor) : reject(api, result.task, actor, why)).pipe(
        Effect.flatMap((task) => Screen.out(done(verdict === "accept" ? "Accepted" : "Rejected", task))),
        Effect.catch((error) =>
          error._tag === "NoUsableAnswer" ? Effect.fail(error) : Screen.err(`${styled("red", "✗")} ${error.message}`)
        )
      )
    }
    if (only !== undefined) return
  }
})

export const review = Command.make("review", {
  task: Argument.String("task").pipe(
    Argument.withDescription("The task to review; the next that waits unless given. A verdict needs it"),
    Argument.optional
  ),
  accept: Flag.Boolean("accept").pipe(
    Flag.withoutNegation,
    Flag.withDescription("Accepts it"),
    Flag.withDefault(false)
  ),
  reject: Flag.String("reject").pipe(
    Flag.withMetavar("reason"),
    Flag.withDescription("Rejects it with this reason, which the next agent reads"),
    Flag.optional
  ),
  version: Flag.Int("expect-version").pipe(
    Flag.withDescription("Refuses the verdict if the task has another version: the one that you looked at"),
    Flag.optional
  ),
  as: asFlag
}, (flags) =>
  Effect.gen(function*() {
    if (flags.accept && Option.isSome(flags.reject)) return yield* usage("Give --accept or --reject, not both.")
    const asked = given(flags.task) as TaskId | undefined
    const why = given(flags.reject)
    if (why?.trim() === "") return yield* usage("A rejection needs a reason.")
    const decides = flags.accept || why !== undefined
    // The next result may be another one than the one that was looked at.
    if (decides && asked === undefined) return yield* usage("Name the task that the verdict is about.")
    const actor = yield* actorOf(flags.as)
    const { api } = yield* connect
    if (!decides && Screen.interactive() && !(yield* Screen.wantsJson)) return yield* talk(api, actor, asked)
    const id = asked ?? (yield* waiting(api)).free[0]?.id
    if (id === undefined) return yield* nothing("Nothing waits for a review.")
    const result = yield* resultOf(api, id)
    if (!decides) {
      const now = yield* Clock.currentTimeMillis
      return yield* Screen.show({ ...result, diff: result.diff ?? null }, () =>
        `${text(result, now)}\n\n${
          styled(
            "dim",
            `octopoid-server review ${
              line(result.task.id)
            } --accept --expect-version ${result.task.version}, or --reject "why"`
          )
        }`)
    }
    const expected = given(flags.version)
    if (expected !== undefined && expected !== result.task.version) {
      return yield* refused(
        `Task ${result.task.id} has the version ${result.task.version}, not ${expected}. Look at it again before you decide.`
      )
    }
    const task = why === undefined
      ? yield* accept(api, result.task, actor)
      : yield* reject(api, result.task, actor, why)
    yield* Screen.show(task, (task) => done(why === undefined ? "Accepted" : "Rejected", task))
  })).pipe(
    described(
      "Review the next result that waits: its evidence and its diff, then accept or reject it.",
      "{ task, diff } without a verdict; with one the task, as the server answers it.",
      "On a terminal it asks for the verdict and goes on with the next. Otherwise --accept or --reject decides. Exits with 4 if nothing waits."
    ),
    examples(
      ["review", "Look at what waits, one after the other"],
      ["review login --reject \"There is no test for an empty name\"", "Send a result back"],
      ["review --json", "The next result for a program, with its evidence"]
    )
  )
