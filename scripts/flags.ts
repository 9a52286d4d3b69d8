/** The command line of a script: its options, and the help it prints. A mistake ends it with one line, the usage, and exit code 2. */
import { parseArgs, type ParseArgsOptionDescriptor } from "node:util"

export interface Option extends ParseArgsOptionDescriptor {
  /** What stands for the value in the help: `n`. */
  readonly value?: string
  /** The option in the help, in one line. */
  readonly says: string
}

export interface Command<Options extends Record<string, Option>> {
  /** How it is run: `npm run prove -- crash`. */
  readonly run: string
  /** The first part of the help: what the command does. */
  readonly does: string
  /** How long it takes. */
  readonly takes?: string
  readonly options: Options
  /** The arguments that are no options, as the usage shows them. */
  readonly arguments?: ReadonlyArray<string>
}

type Shown = readonly [name: string, option: Option]

const flagOf = ([name, { type, value = "text" }]: Shown) => type === "boolean" ? `--${name}` : `--${name} <${value}>`

const usageOf = ({ arguments: named = [], options, run }: Command<Record<string, Option>>) => {
  const flags = Object.entries(options).map((shown) => `[${flagOf(shown)}]${shown[1].multiple ? "…" : ""}`)
  const all = [...named, ...flags]
  // npm takes options for its own until a `--`.
  return all.length === 0
    ? run
    : `${run}${/^npm run .* -- /.test(run) || !run.startsWith("npm ") ? "" : " --"} ${all.join(" ")}`
}

const defaultOf = ({ default: value, type }: Option) =>
  type === "boolean" || value === undefined || String(value) === "" ? "" : ` (${String(value)} unless given)`

const helpOf = (command: Command<Record<string, Option>>) => {
  const options = Object.entries(command.options)
  const width = Math.max(0, ...options.map((shown) => flagOf(shown).length))
  return [
    `Usage: ${usageOf(command)}`,
    command.does,
    options.map((shown) => `  ${flagOf(shown).padEnd(width)}  ${shown[1].says}${defaultOf(shown[1])}`).join("\n"),
    command.takes === undefined ? "" : `It takes ${command.takes}.`
  ].filter((part) => part !== "").join("\n\n")
}

/** Reads the command line, or prints the help and ends the process. */
export const read = <const Options extends Record<string, Option>>(command: Command<Options>) => {
  const most = command.arguments?.length ?? 0
  const refuse = (why: string): never => {
    console.error(`${why}\nUsage: ${usageOf(command)}`)
    process.exit(2)
  }
  if (process.argv.includes("--help")) {
    console.log(helpOf(command))
    process.exit(0)
  }
  const parse = () => {
    try {
      return parseArgs({ options: command.options, allowPositionals: most > 0 })
    } catch (error) {
      // Node goes on to explain how an argument that begins with a dash may be given all the same.
      return refuse(error instanceof Error ? error.message.split(". ")[0]! : String(error))
    }
  }
  const { positionals, values } = parse()
  if (positionals.length > most) refuse(`Unexpected argument '${positionals[most]}'`)
  return {
    values,
    positionals: positionals as ReadonlyArray<string>,
    refuse,
    /** A whole number of at least `least`. */
    whole: (name: string, text: string, least = 0): number =>
      /^\d{1,9}$/.test(text) && Number(text) >= least
        ? Number(text)
        : refuse(`--${name} is a whole number of at least ${least}, not ${text}.`)
  }
}
