/** `octopoid-server git-hook`: hooks of git that refuse the push of an agent that lost its lease. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { action } from "../githook/action.ts"
import { CannotInstall, install } from "../githook/install.ts"
import { hooks, scriptOf } from "../githook/script.ts"
import { described } from "./command.ts"
import { Url } from "./settings.ts"
import * as Screen from "./show/Screen.ts"
import { line } from "./show/Text.ts"

const installing = Command.make(
  "install",
  {
    hook: Flag.Literals("hook", hooks).pipe(
      Flag.withDescription("pre-push in the repository of an agent, pre-receive in the one that is pushed to"),
      Flag.withDefault("pre-push" as const)
    ),
    directory: Flag.String("directory").pipe(
      Flag.withDescription("The repository, or one of its worktrees"),
      Flag.withDefault(".")
    ),
    branches: Flag.String("branches").pipe(
      Flag.withDescription("Which branches are asked about; octopoid/<task>/<token> unless given"),
      Flag.optional
    ),
    offline: Flag.Literals("offline", ["open", "closed"]).pipe(
      Flag.withDescription("Whether a push goes through while the server cannot be reached; open unless given"),
      Flag.optional
    ),
    chain: Flag.Boolean("chain").pipe(
      Flag.withDescription("Keeps a hook that is there, and runs it afterwards"),
      Flag.withDefault(false)
    ),
    force: Flag.Boolean("force").pipe(
      Flag.withDescription("Replaces a hook that is there"),
      Flag.withDefault(false)
    )
  },
  Effect.fnUntraced(function*({ branches, offline, ...rest }) {
    const url = yield* Url
    const done = yield* Effect.try({
      try: () =>
        install({
          ...rest,
          url: Option.getOrUndefined(url),
          branches: Option.getOrUndefined(branches),
          offline: Option.getOrUndefined(offline)
        }),
      catch: (error) => error instanceof CannotInstall ? error : new CannotInstall({ message: String(error) })
    })
    yield* Screen.show({ hook: rest.hook, ...done }, ({ says }) => says.map(line).join("\n"))
  })
).pipe(
  described(
    "Write the hook where git looks for it, and the settings into the configuration of the repository.",
    "{ hook, file, says }: the kind of hook, where it is, and what was done, in sentences.",
    "--url is kept as octopoid.url."
  )
)

const printing = Command.make(
  "print",
  {
    what: Argument.Literals("what", [...hooks, "github-action"]).pipe(Argument.withDescription("What to print"))
  },
  Effect.fnUntraced(function*({ what }) {
    const script = `${(what === "github-action" ? action : scriptOf(what)).trimEnd()}\n`
    // It is a program, so nothing in it is escaped for a terminal.
    if (yield* Screen.wantsJson) yield* Screen.document({ what, script })
    else yield* Effect.sync(() => void process.stdout.write(script))
  })
).pipe(described("Print a hook, or the workflow for GitHub.", "{ what, script }."))

export const gitHook = Command.make("git-hook").pipe(
  Command.withDescription(
    "Hooks of git that ask the server whether the lease in the name of a branch still holds its task. docs/git-fence.md explains them."
  ),
  Command.withSubcommands([installing, printing])
)
