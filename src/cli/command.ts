/** How a command is described. Its help and docs/cli.md come from this. */
import * as Command from "effect/cli/Command"
import { flow } from "effect/Function"
import * as Option from "effect/Option"

/** Describes a command. `document` says what `--json` prints. */
export const described = (does: string, document: string, more = "") =>
  flow(
    Command.withDescription([does, ...(more === "" ? [] : [more]), `With --json: ${document}`].join("\n\n")),
    Command.withShortDescription(does)
  )

/** A group of commands. */
export const group = (does: string) => Command.withDescription(does)

/** Examples of its use, each with what it does. */
export const examples = (...of: ReadonlyArray<readonly [command: string, description: string]>) =>
  Command.withExamples(of.map(([command, description]) => ({ command: `octopoid-server ${command}`, description })))

/** The value of an optional flag. */
export const given: <A>(flag: Option.Option<A>) => A | undefined = Option.getOrUndefined

/** The field, if it has a value. */
export const optional = <K extends string, V>(name: K, value: V | undefined): { readonly [P in K]?: V } =>
  value === undefined ? {} : { [name]: value } as { readonly [P in K]?: V }
