/** `octopoid-server mcp`: the tools for an agent, over standard input and output. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { usage } from "./ask/Failure.ts"
import { chosen } from "./ask/Server.ts"
import { Json } from "./settings.ts"

const optional = (name: string, variable: string, description: string) =>
  Flag.String(name).pipe(
    Flag.withDescription(`${description} (${variable})`),
    Flag.withFallbackConfig(Config.NonEmptyString(variable)),
    Flag.optional
  )

const seconds = (name: string, variable: string, description: string) =>
  Flag.Int(name).pipe(
    Flag.withDescription(`${description} (${variable})`),
    Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 86_400 }))),
    Flag.withFallbackConfig(Config.Int(variable)),
    Flag.optional
  )

const flags = {
  cluster: optional("cluster", "OCTOPOID_CLUSTER", "The cluster of this machine; agents unless given"),
  machine: optional("machine", "OCTOPOID_MACHINE", "The name of this machine; its host name unless given"),
  agent: optional("agent", "OCTOPOID_AGENT", "The name of the agent; random unless given"),
  queue: optional("queue", "OCTOPOID_QUEUE", "The queue to claim from; incoming unless given"),
  role: optional("role", "OCTOPOID_ROLE", "Only tasks of these roles, joined by commas"),
  type: optional("type", "OCTOPOID_TYPE", "Only tasks of these types, joined by commas"),
  account: optional("account", "OCTOPOID_ACCOUNT", "The account with a provider that the agent works with"),
  lease: seconds("lease", "OCTOPOID_LEASE", "Seconds of a lease; as the server says unless given"),
  attempt: seconds("attempt", "OCTOPOID_ATTEMPT", "Seconds that an attempt may take; as the task says unless given"),
  outbox: optional("outbox", "OCTOPOID_OUTBOX", "The folder for results that are not handed in yet")
}

export const mcp = Command.make(
  "mcp",
  flags,
  Effect.fnUntraced(function*(given) {
    // Its output is the protocol, and an agent that reads JSON documents would wait for ever.
    if (yield* Json) return yield* usage("mcp speaks the Model Context Protocol, and takes no --json.")
    const { key, scope, url } = yield* chosen
    // Loaded only here, so that other commands start without it.
    const { start } = yield* Effect.promise(() => import("../mcp/start.ts"))
    const values = Object.fromEntries(
      Object.entries<Option.Option<number | string>>(given).flatMap(([name, value]) =>
        Option.isSome(value) ? [[name, value.value]] : []
      )
    )
    yield* start({ ...values, url, key, ...(scope === undefined ? {} : { scope }) })
  })
).pipe(
  Command.withDescription(
    "Serves the tools of an agent by the Model Context Protocol: the agent claims tasks and hands in results, and this process renews its lease. Reads OCTOPOID_API_KEY. docs/agents.md says how agents are set up with it."
  )
)
