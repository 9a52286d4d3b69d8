/** Runs a command of `src/cli/` by itself, as the whole command line does. */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import { gitHook } from "../../src/cli/gitHook.ts"
import { mcp } from "../../src/cli/mcp.ts"

Command.make("octopoid-server").pipe(
  Command.withSubcommands([gitHook, mcp]),
  Command.run({ version: "0.0.0" }),
  Effect.provide(NodeServices.layer),
  NodeRuntime.runMain
)
