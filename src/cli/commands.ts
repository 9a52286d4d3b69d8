/** All commands. A new one is one line here. */
import * as Command from "effect/cli/Command"
import { status } from "./scope/status.ts"
import { review } from "./task/review.ts"
import { tasks } from "./task/tasks.ts"
import { settings } from "./settings.ts"

export const octopoid = Command.make("octopoid-server").pipe(
  Command.withDescription("Work with an Octopoid server: see what its agents do, review results, answer questions."),
  Command.withSubcommands([
    { group: "See", commands: [status, tasks, review] }
  ]),
  Command.withGlobalFlags(settings)
)
