/** All commands. A new one is one line here. */
import * as Command from "effect/cli/Command"
import { gitHook } from "./gitHook.ts"
import { mcp } from "./mcp.ts"
import { hooks } from "./scope/hooks.ts"
import { inbox, reply } from "./scope/inbox.ts"
import { keys } from "./scope/keys.ts"
import { machines } from "./scope/machines.ts"
import { projects } from "./scope/projects.ts"
import { status } from "./scope/status.ts"
import { usage } from "./scope/usage.ts"
import { watch } from "./scope/watch.ts"
import { serve } from "./serve.ts"
import { settings } from "./settings.ts"
import { completionsOf } from "./setup/completions.ts"
import { conformance } from "./setup/conformance.ts"
import { doctor } from "./setup/doctor.ts"
import { login, profiles } from "./setup/profiles.ts"
import { review } from "./task/review.ts"
import { tasks } from "./task/tasks.ts"
import { restore } from "./transfer/restore.ts"
import { exportAll, importScope } from "./transfer/transfer.ts"

export const octopoid = Command.make("octopoid-server").pipe(
  Command.withDescription("Work with an Octopoid server: see what its agents do, review results, answer questions."),
  Command.withSubcommands([
    { group: "Every day", commands: [status, watch, tasks, review, inbox, reply] },
    { group: "A scope", commands: [projects, machines, keys, hooks, usage] },
    { group: "Agents", commands: [mcp, gitHook] },
    {
      group: "Set up",
      commands: [
        serve,
        login,
        profiles,
        doctor,
        conformance,
        exportAll,
        restore,
        importScope,
        completionsOf((): Command.Command.Any => octopoid)
      ]
    }
  ]),
  Command.withGlobalFlags(settings)
)
