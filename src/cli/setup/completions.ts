/** `octopoid-server completions`: a script that lets a shell complete commands and flags. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Completions from "effect/cli/Completions"
import * as Effect from "effect/Effect"
import { described, examples } from "../command.ts"
import * as Screen from "../show/Screen.ts"

/** The command needs all commands, itself among them, so it gets them when it runs. */
export const completionsOf = (all: () => Command.Command.Any) =>
  Command.make("completions", {
    shell: Argument.Literals("shell", ["bash", "zsh", "fish"]).pipe(Argument.withDescription("The shell"))
  }, ({ shell }) =>
    Effect.gen(function*() {
      const script = Completions.generate("octopoid-server", shell, Completions.fromCommand(all()))
        // The generator names a flag that this command does not have.
        .replace("octopoid-server --completions", "octopoid-server completions")
      // It is a program, so nothing in it is escaped for a terminal.
      if (yield* Screen.wantsJson) yield* Screen.document({ shell, script })
      else yield* Effect.sync(() => void process.stdout.write(script.endsWith("\n") ? script : `${script}\n`))
    })).pipe(
      described("Print a script that lets a shell complete commands and flags.", "{ shell, script }."),
      examples(
        ["completions bash > ~/.local/share/bash-completion/completions/octopoid-server", "bash"],
        ["completions zsh > ~/.zfunc/_octopoid-server", "zsh, with ~/.zfunc in fpath"],
        ["completions fish > ~/.config/fish/completions/octopoid-server.fish", "fish"]
      )
    )
