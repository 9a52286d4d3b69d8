/** The reference of all commands in docs/cli.md, made from their own help. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as CliConfig from "effect/cli/CliConfig"
import * as CliOutput from "effect/cli/CliOutput"
import * as Command from "effect/cli/Command"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import type * as HelpDoc from "effect/cli/HelpDoc"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { readFileSync, writeFileSync } from "node:fs"
import { octopoid } from "../../src/cli/commands.ts"

const page = new URL("../../docs/cli.md", import.meta.url)
const begin = "<!-- The rest is written by `npm run contract -- --write` from the help of the commands. -->"

/** The help of a command, as `--help` would print it. */
const helpOf = (path: ReadonlyArray<string>): Effect.Effect<HelpDoc.HelpDoc> =>
  Effect.gen(function*() {
    let found: HelpDoc.HelpDoc | undefined
    yield* Command.runWith(octopoid, { version: "0" })([...path, "--help"]).pipe(
      Effect.provideService(CliOutput.Presenter, {
        present: (event) => Effect.sync(() => void (event._tag === "Help" && (found = event.helpDoc)))
      }),
      Effect.provide([CliConfig.layer({ builtIns: [GlobalFlag.Help] }), NodeServices.layer]),
      Effect.orDie
    )
    return found!
  })

const cell = (text: string) => text.replaceAll("|", "\\|").replaceAll("\n", " ")

const flagRow = ({ aliases, description, name, type }: HelpDoc.FlagDoc) =>
  `| \`${[`--${name}`, ...aliases].join("`, `")}${type === "boolean" ? "" : ` ${type}`}\` | ${
    cell(Option.getOrElse(Option.isOption(description) ? description : Option.none(), () => ""))
  } |`

const section = (path: ReadonlyArray<string>, doc: HelpDoc.HelpDoc): string => {
  const args = doc.args ?? []
  const table = [
    ...args.map(({ description, name, required }) =>
      `| \`${required ? `<${name}>` : `[${name}]`}\` | ${
        cell(Option.getOrElse(Option.isOption(description) ? description : Option.none(), () => ""))
      } |`
    ),
    ...doc.flags.map(flagRow)
  ]
  const examples = (doc.examples ?? []).map(({ command, description }) =>
    `${command}${description === undefined ? "" : `   # ${description}`}`
  )
  return [
    `${path.length === 1 ? "##" : "###"} ${path.join(" ")}`,
    doc.description.replace("With --json:", "With `--json`:"),
    ...(table.length === 0 ? [] : [["| | |", "|---|---|", ...table].join("\n")]),
    ...(examples.length === 0 ? [] : [["```sh", ...examples, "```"].join("\n")])
  ].join("\n\n")
}

const walk = (path: ReadonlyArray<string>): Effect.Effect<ReadonlyArray<string>> =>
  Effect.gen(function*() {
    const doc = yield* helpOf(path)
    const below = yield* Effect.forEach(
      (doc.subcommands ?? []).flatMap(({ commands }) => commands),
      ({ name }) => walk([...path, name])
    )
    const global = path.length > 0 ? [] : [
      ["## Flags of every command", ["| | |", "|---|---|", ...(doc.globalFlags ?? []).map(flagRow)].join("\n")].join(
        "\n\n"
      )
    ]
    return [...global, ...(path.length > 0 ? [section(path, doc)] : []), ...below.flat()]
  })

const before = readFileSync(page, "utf8")
const head = before.slice(0, before.indexOf(begin))
if (!before.includes(begin)) throw new Error(`docs/cli.md has no line ${begin}`)
const written = `${head}${begin}\n\n${(await Effect.runPromise(walk([]))).join("\n\n")}\n`

export const isCurrent = written === before

export const write = (): void => writeFileSync(page, written)
