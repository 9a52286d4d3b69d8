/** How tasks look: in a table, and one in full. */
import type { Task } from "../../client.ts"
import { both, brief, count, dollars, duration, instant, relative } from "../show/Moment.ts"
import { queueStyle } from "../show/queueStyle.ts"
import { type Column, fields, table } from "../show/Table.ts"
import { block, styled } from "../show/Text.ts"

/** What a person wants to know about a task in its queue: why it failed, who holds it, what it waits for. */
const about = (task: Task, now: number): string =>
  task.queue === "failed"
    ? task.failure_reason ?? ""
    : task.queue === "cancelled"
    ? task.cancel_reason ?? ""
    : task.claimed_by !== null
    ? `held by ${task.claimed_by}, lease ends ${relative(task.lease_expires_at, now)}`
    : task.waiting_for_reply != null
    ? "waits for a reply"
    : task.blocked_by !== null
    ? `waits for ${task.blocked_by}`
    : task.queue === "provisional"
    ? `submitted ${relative(task.submitted_at, now)}${task.submitted_by == null ? "" : ` by ${task.submitted_by}`}`
    : task.last_rejection_reason !== null && task.queue === "incoming"
    ? `rejected: ${task.last_rejection_reason}`
    : ""

const columns = (now: number): ReadonlyArray<Column<Task>> => [
  { head: "task", of: ({ id }) => id, whole: true },
  { head: "queue", of: ({ queue }) => queue, style: ({ queue }) => queueStyle(queue) },
  { head: "prio", of: ({ priority }) => priority },
  { head: "title", of: ({ title }) => title, prose: true },
  { head: "about", of: (task) => about(task, now), prose: true },
  { head: "ago", of: ({ updated_at }) => brief(updated_at, now) }
]

export const tasksTable = (tasks: ReadonlyArray<Task>, now: number, width: number): string =>
  table(tasks, columns(now), width)

const section = (title: string, text: string | null | undefined) =>
  text === null || text === undefined || text === "" ? [] : ["", styled("bold", title), block(text)]

/** `passed`, or how the command ended. */
const verdict = (exit: number | null) => exit === null ? "" : exit === 0 ? "passed" : `exit code ${exit}`

/** The evidence of a result. An item of another commit than the head commit does not count. */
export const evidenceTable = ({ evidence, head_commit }: Task, width: number): string =>
  table(evidence ?? [], [
    { head: "evidence", of: ({ kind }) => kind },
    {
      head: "result",
      of: ({ exit_code }) => verdict(exit_code),
      style: ({ exit_code }) => exit_code === null ? undefined : exit_code === 0 ? "green" : "red"
    },
    {
      head: "commit",
      whole: true,
      of: ({ commit }) =>
        commit === null || head_commit == null || commit === head_commit ? commit : `${commit} (not the head commit)`,
      style: ({ commit }) => commit === null || head_commit == null || commit === head_commit ? undefined : "yellow"
    },
    { head: "command", of: ({ command }) => command, prose: true },
    { head: "summary", of: ({ summary }) => summary, prose: true },
    { head: "url", of: ({ url }) => url, prose: true }
  ], width)

export const taskInFull = (task: Task, now: number, width: number): string => {
  // The tokens as caps count them: those of a cache are left out.
  const tokens = (task.input_tokens ?? 0) + (task.output_tokens ?? 0)
  const limits = [
    ["attempts", task.attempt_count, task.max_attempts],
    ["lease losses", task.lease_losses, task.max_lease_losses],
    ["rejections", task.rejection_count, task.max_rejections]
  ].filter(([, n, limit]) => n !== 0 || limit !== null).map(([name, n, limit]) =>
    `${name} ${String(n)}${limit === null || limit === 0 ? "" : ` of ${String(limit)}`}`
  )
  return [
    fields([
      ["task", task.id, "bold"],
      ["title", task.title],
      ["queue", task.queue, queueStyle(task.queue)],
      ["failed", task.failure_reason, "red"],
      ["", task.terminal ? "No retry mends this: a redrive has to say --terminal." : null],
      ["cancelled", task.cancel_reason],
      ["blocked by", task.blocked_by],
      ["waits for reply", task.waiting_for_reply],
      ["ready", both(task.waiting_for_reply == null ? task.available_at : null, now)],
      ["holder", task.claimed_by],
      ["machine", task.orchestrator_id],
      ["lease ends", both(task.lease_expires_at, now)],
      ["attempt ends", both(task.deadline_at, now)],
      ["priority", task.priority],
      ["role", task.role],
      ["type", task.type],
      ["complexity", task.complexity],
      ["project", task.project_id],
      ["branch", task.branch],
      ["commit", task.head_commit],
      ["file", task.file_path],
      ["pull request", task.pr_url ?? (task.pr_number === null ? null : `#${task.pr_number}`)],
      ["external key", task.external_key],
      ["session", task.session_url ?? task.resume_command],
      [
        "submitted",
        task.submitted_at === null
          ? null
          : `${both(task.submitted_at, now)}${task.submitted_by == null ? "" : `, by ${task.submitted_by}`}`
      ],
      [
        "result",
        task.submitted_at === null
          ? null
          : `${count(task.commits_count, "commit")}${
            task.turns_used === null ? "" : `, ${count(task.turns_used, "turn")}`
          }`
      ],
      ["last rejection", task.last_rejection_reason, "yellow"],
      ["counts", limits.join(", ")],
      [
        "used",
        tokens === 0 && (task.cost_usd ?? 0) === 0
          ? null
          : `${dollars(task.cost_usd)}, ${count(tokens, "token")}, ${duration(task.wall_seconds ?? 0)}`
      ],
      ["created", instant(task.created_at)],
      ["changed", `${both(task.updated_at, now)}, version ${task.version}`],
      ["done", both(task.completed_at, now)]
    ], width),
    ...(task.evidence == null || task.evidence.length === 0 ? [] : ["", evidenceTable(task, width)]),
    ...section("Notes", task.execution_notes),
    ...section("Content", task.content)
  ].join("\n")
}
