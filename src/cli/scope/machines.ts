/** `octopoid-server machines` */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Orchestrator, OrchestratorId } from "../../client.ts"
import { connect } from "../ask/Server.ts"
import { described, group } from "../command.ts"
import { both, brief } from "../show/Moment.ts"
import * as Screen from "../show/Screen.ts"
import { fields, table } from "../show/Table.ts"
import { line, type Style, styled } from "../show/Text.ts"

const machine = Argument.String("machine").pipe(Argument.withDescription("The id of the machine"))
const idOf = (text: string) => text as OrchestratorId

const styleOf = ({ status }: Orchestrator): Style =>
  status === "active" ? "green" : status === "offline" ? "red" : "yellow"

const list = Command.make("list", {}, () =>
  Effect.gen(function*() {
    const { api } = yield* connect
    const found = yield* api.orchestrators.list({ query: {} })
    const now = yield* Clock.currentTimeMillis
    yield* Screen.show(found, ({ orchestrators }) =>
      orchestrators.length === 0 ? "No machine has registered." : table(orchestrators, [
        {
          head: "machine",
          of: ({ id }) =>
            id,
          whole: true
        },
        { head: "status", of: ({ status }) => status, style: styleOf },
        { head: "host", of: ({ hostname }) => hostname },
        { head: "agents", of: ({ max_agents }) => max_agents, right: true },
        { head: "version", of: ({ version }) => version },
        { head: "repository", of: ({ repo_url }) => repo_url, prose: true },
        { head: "heard", of: ({ last_heartbeat }) => brief(last_heartbeat, now) }
      ], Screen.width()))
  })).pipe(described("List the machines, the one heard last first.", "the answer of GET /api/v1/orchestrators."))

const show = Command.make("show", { machine }, (flags) =>
  Effect.gen(function*() {
    const { api } = yield* connect
    const found = yield* api.orchestrators.get({ params: { id: idOf(flags.machine) }, query: {} })
    const now = yield* Clock.currentTimeMillis
    yield* Screen.show(found, (it) =>
      fields([
        ["machine", it.id, "bold"],
        ["status", it.status, styleOf(it)],
        ["scope", it.scope],
        ["host", it.hostname],
        ["repository", it.repo_url],
        ["version", it.version],
        ["can do", it.capabilities],
        ["agents at most", it.max_agents],
        ["tasks at most", it.max_claimed],
        ["registered", both(it.registered_at, now)],
        ["heard", both(it.last_heartbeat, now)]
      ], Screen.width()))
  })).pipe(described("Show a machine.", "the machine, as GET /api/v1/orchestrators/:id answers it."))

const becomes = (name: "pause" | "resume", status: "active" | "maintenance", does: string, said: string) =>
  Command.make(name, { machine }, (flags) =>
    Effect.gen(function*() {
      const { api } = yield* connect
      const found = yield* api.orchestrators.patch({
        params: { id: idOf(flags.machine) },
        query: {},
        payload: { status }
      })
      yield* Screen.show(found, ({ id }) => `${styled("green", "✓")} ${line(id)} ${said}`)
    })).pipe(described(does, "the machine, as PATCH /api/v1/orchestrators/:id answers it."))

export const machines = Command.make("machines").pipe(
  group("List and show machines, and give one no work for a while."),
  Command.withSubcommands([
    list,
    show,
    becomes(
      "pause",
      "maintenance",
      "Give a machine no more work until it is resumed. It keeps what it holds.",
      "gets no more work"
    ),
    becomes("resume", "active", "Give a paused machine work again.", "gets work again")
  ])
)
