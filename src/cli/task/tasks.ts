/** `octopoid-server tasks` */
import * as Command from "effect/cli/Command"
import { group } from "../command.ts"
import { cancel, create, edit, redrive } from "./edit.ts"
import { list, show } from "./list.ts"
import { explain, graph, history } from "./why.ts"

export const tasks = Command.make("tasks").pipe(
  group("List, show, create and change tasks, and see why they are as they are."),
  Command.withSubcommands([list, show, create, edit, explain, graph, history, redrive, cancel])
)
