/** `octopoid-server projects` */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { ProjectId } from "../../client.ts"
import { actorOf, asFlag } from "../ask/actor.ts"
import { connect } from "../ask/Server.ts"
import { described, given, group, optional } from "../command.ts"
import { tree } from "../show/Graph.ts"
import { amount, both, brief, dollars } from "../show/Moment.ts"
import * as Screen from "../show/Screen.ts"
import { fields, table } from "../show/Table.ts"
import { line, styled } from "../show/Text.ts"
import { tasksTable } from "../task/shown.ts"

const project = Argument.String("project").pipe(Argument.withDescription("The id of the project"))

const countsOf = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts).map(([queue, n]) => `${queue} ${amount(n)}`).join(", ")

const list = Command.make("list", {
  status: Flag.String("status").pipe(Flag.withDescription("Only of this status, such as active"), Flag.optional),
  limit: Flag.Int("limit").pipe(
    Flag.withAlias("n"),
    Flag.withDescription("How many at most: 50 unless given, 500 at most"),
    Flag.withDefault(50)
  ),
  cursor: Flag.String("cursor").pipe(
    Flag.withDescription("The next page: next_cursor of the one before"),
    Flag.optional
  )
}, (flags) =>
  Effect.gen(function*() {
    const { api } = yield* connect
    const page = yield* api.projects.list({
      query: {
        limit: flags.limit,
        ...optional("status", given(flags.status)),
        ...optional("cursor", given(flags.cursor))
      }
    })
    const now = yield* Clock.currentTimeMillis
    yield* Screen.show(page, ({ next_cursor, projects, total }) =>
      projects.length === 0 ? "No projects." : [
        table(projects, [
          { head: "project", of: ({ id }) => id, whole: true },
          { head: "title", of: ({ title }) => title, prose: true },
          { head: "status", of: ({ status }) => status },
          { head: "branch", of: ({ branch }) => branch },
          { head: "tasks", of: ({ counts }) => countsOf(counts), prose: true },
          { head: "age", of: ({ created_at }) => brief(created_at, now) }
        ], Screen.width()),
        ...(next_cursor === null ? [] : [
          styled("dim", `${amount(projects.length)} of ${amount(total)}. The next: --cursor ${next_cursor}`)
        ])
      ].join("\n"))
  })).pipe(described("List projects, the newest first.", "the answer of GET /api/v1/projects."))

const MaxTasks = 100

const show = Command.make("show", { project }, (flags) =>
  Effect.gen(function*() {
    const { api } = yield* connect
    const params = { id: flags.project as ProjectId }
    const found = yield* api.projects.get({ params, query: {} })
    const { tasks, total } = yield* api.tasks.list({
      query: { project_id: found.id, scope: found.scope, sort: "priority", limit: MaxTasks, content: false }
    })
    const now = yield* Clock.currentTimeMillis
    const width = Screen.width()
    yield* Screen.show({ ...found, tasks }, () =>
      [
        fields([
          ["project", found.id, "bold"],
          ["title", found.title],
          ["about", found.description],
          ["status", found.status],
          ["branch", found.branch],
          ["merges into", found.base_branch],
          ["pull request", found.pr_url ?? (found.pr_number === null ? null : `#${found.pr_number}`)],
          ["flow", found.flow],
          ["evidence", found.evidence_required?.join(", ")],
          ["cost at most", dollars(found.max_cost_usd)],
          ["tokens at most", amount(found.max_tokens)],
          ["tasks", countsOf(found.counts)],
          ["created", `${both(found.created_at, now)}${found.created_by === null ? "" : `, by ${found.created_by}`}`],
          ["completed", both(found.completed_at, now)]
        ], width),
        ...(tasks.length === 0 ? [] : ["", tasksTable(tasks, now, width)]),
        ...(total > tasks.length
          ? [
            styled(
              "dim",
              `${amount(tasks.length)} of ${amount(total)}. All of them: octopoid-server tasks list --project ${
                line(found.id)
              } --all`
            )
          ]
          : [])
      ].join("\n"))
  })).pipe(
    described(
      "Show a project and its open tasks, the most urgent first.",
      `the project as GET /api/v1/projects/:id answers it, with up to ${MaxTasks} tasks.`
    )
  )

const graph = Command.make("graph", { project }, (flags) =>
  Effect.gen(function*() {
    const { api } = yield* connect
    const found = yield* api.projects.graph({ params: { id: flags.project as ProjectId }, query: {} })
    yield* Screen.show(found, ({ edges, nodes, truncated }) =>
      nodes.length === 0 ? "The project has no tasks." : [
        tree(nodes, edges, Screen.width()),
        ...(truncated ? [styled("dim", "The project has more tasks or dependencies than these.")] : [])
      ].join("\n"))
  })).pipe(
    described(
      "Show the tasks of a project as a tree: what waits stands below what it waits for.",
      "the answer of GET /api/v1/projects/:id/graph."
    )
  )

const create = Command.make("create", {
  project,
  title: Argument.String("title").pipe(Argument.withDescription("What it is about, in a few words")),
  branch: Flag.String("branch").pipe(Flag.withDescription("The branch that its tasks work on")),
  base: Flag.String("base").pipe(
    Flag.withDescription("The branch it is merged into; main unless given"),
    Flag.optional
  ),
  status: Flag.String("status").pipe(Flag.withDescription("Free text"), Flag.withDefault("active")),
  description: Flag.String("description").pipe(Flag.withDescription("What it is about, in full"), Flag.optional),
  as: asFlag
}, (flags) =>
  Effect.gen(function*() {
    const created_by = yield* actorOf(flags.as)
    const { api } = yield* connect
    const made = yield* api.projects.create({
      query: {},
      payload: {
        id: flags.project as ProjectId,
        title: flags.title,
        branch: flags.branch,
        status: flags.status,
        created_by,
        ...optional("base_branch", given(flags.base)),
        ...optional("description", given(flags.description))
      }
    })
    yield* Screen.show(made, ({ branch, id }) => `${styled("green", "✓")} Created ${line(id)} on ${line(branch)}`)
  })).pipe(described("Create a project.", "the project, as POST /api/v1/projects answers it."))

export const projects = Command.make("projects").pipe(
  group("List, show and create projects, and see their graphs."),
  Command.withSubcommands([list, show, graph, create])
)
