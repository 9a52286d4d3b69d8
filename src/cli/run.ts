/** Runs a command line: prints its errors, and answers its exit code. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Cause from "effect/Cause"
import * as CliConfig from "effect/cli/CliConfig"
import type * as CliError from "effect/cli/CliError"
import * as CliOutput from "effect/cli/CliOutput"
import * as Command from "effect/cli/Command"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { Ended, ExitCode, type Failure, failureOf, usage } from "./ask/Failure.ts"
import { interrupt } from "./ask/interrupt.ts"
import { addressed } from "./ask/Server.ts"
import { octopoid } from "./commands.ts"
import { colourful, err } from "./show/Screen.ts"
import { json, styled } from "./show/Text.ts"

/** A mistake in the command line gets its sentences and the way to the help, on standard error. */
const presenter = (asJson: boolean): CliOutput.Presenter => ({
  present: (event) => {
    const formatter = CliOutput.defaultFormatter({ colors: colourful(process.stdout), globalFlags: "full" })
    switch (event._tag) {
      case "Version":
        return Effect.sync(() => void process.stdout.write(`${event.version}\n`))
      case "Help": {
        // A group of commands without one of them is a mistake; `--help` is none.
        const stream = event.reason === "Implicit" ? process.stderr : process.stdout
        return Effect.sync(() => void stream.write(`${formatter.formatHelpDoc(event.helpDoc)}\n`))
      }
      case "InvalidInvocation":
        return printFailure(
          usage(
            `${event.errors.map(sentenceOf).join("\n")}\nSee: ${event.commandPath.join(" ")} --help`
          ),
          asJson
        )
    }
  }
})

const sentenceOf = (error: CliError.CliError): string => error.message

const printFailure = ({ document, message }: Failure, asJson: boolean) =>
  asJson
    ? Effect.sync(() => void process.stderr.write(`${json(document ?? { error: message })}\n`))
    : err(`${styled("red", "✗")} ${message}`)

const program = (args: ReadonlyArray<string>, version: string) => {
  // The flag is read here as well: an error may come before the command line is understood.
  const asJson = args.includes("--json")
  return Command.runWith(octopoid, { version })(args).pipe(
    Effect.as(0),
    Effect.catch((error: unknown) =>
      Effect.gen(function*() {
        if (error instanceof Ended) return error.code
        if (
          typeof error === "object" && error !== null && "_tag" in error && error._tag === "ShowHelp"
        ) return ExitCode.usage
        const failure = failureOf(error, addressed.url)
        yield* printFailure(failure, asJson)
        return failure.code
      })
    ),
    Effect.provideService(CliOutput.Presenter, presenter(asJson)),
    Effect.provide([
      CliConfig.layer({ builtIns: [GlobalFlag.Help, GlobalFlag.Version, GlobalFlag.Wizard] }),
      NodeServices.layer
    ])
  )
}

/** Runs the command line, and answers its exit code. */
export const run = async (args: ReadonlyArray<string>, version: string): Promise<number> => {
  const fiber = Effect.runFork(program(args, version))
  // A reader such as `head` may stop reading. That is no error, and ends the command.
  let unread = false
  process.stdout.on("error", () => {
    unread = true
    fiber.interruptUnsafe()
  })
  const stop = () => interrupt.by === undefined ? fiber.interruptUnsafe() : interrupt.by()
  process.on("SIGINT", stop).on("SIGTERM", stop)
  const exit = await Effect.runPromise(Fiber.await(fiber))
  process.off("SIGINT", stop).off("SIGTERM", stop)
  if (Exit.isSuccess(exit)) return exit.value
  if (Cause.hasInterruptsOnly(exit.cause)) return unread ? 0 : ExitCode.interrupted
  await Effect.runPromise(err(`The command made a mistake. Please report it:\n${Cause.pretty(exit.cause)}`))
  return ExitCode.refused
}
