/**
 * The statements, whole, as files for a reader. `bench/statements/<operation>.sql` has those that the budget's cases send, each
 * with the name of its step, its cost and its plan; `unmeasured.sql` has all others.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { format } from "./Format.ts"
import * as Made from "./Made.ts"
import type { Measured } from "./Measure.ts"
import { titleOf } from "./Operation.ts"
import type * as Plan from "./Plan.ts"
import type { Execution } from "./Recorded.ts"

const directory = new URL("../../bench/statements/", import.meta.url)

const count = (n: number, one: string, several = `${one}s`) => `${n.toLocaleString("en")} ${n === 1 ? one : several}`

const sum = (executions: ReadonlyArray<Execution>, of: (execution: Execution) => number) =>
  executions.reduce((sum, execution) => sum + of(execution), 0)

const costOf = (executions: ReadonlyArray<Execution>) =>
  [
    count(sum(executions, ({ text }) => text.length), "character"),
    count(sum(executions, ({ parameters }) => parameters.length), "parameter"),
    `${count(sum(executions, ({ read }) => read), "row")} read`,
    `${count(sum(executions, ({ written }) => written), "row")} written`
  ].join(", ")

/** The text with the names of its parameters, as it is written: SQLite knows `:now` as well as `+?1`. */
export const withNames = ({ names, text }: Pick<Execution, "names" | "text">): string =>
  names === undefined
    ? text
    : text.replace(/'[^']*'|\+\?(\d+)/g, (token, number: string | undefined) =>
      number === undefined ? token : `:${names[Number(number) - 1]}`)

const comment = (line: string) => `-- ${line}`.trimEnd()

/** One statement, as often as a case sent it. */
const section = (executions: ReadonlyArray<Execution>, from: string | undefined, plan: Plan.Plan) => {
  const [first] = executions as [Execution]
  const often = executions.length === 1 ? "" : `, sent ${executions.length} times`
  return [
    comment(`${first.step ?? "(no step)"}${from === undefined ? "" : `  (${from})`}`),
    comment(`${costOf([first])}${often}`),
    ...plan.steps.map((step) => comment(`  ${step}`)),
    `${format(withNames(first))};`
  ].join("\n")
}

/** The statements that no case sends, by the modules that make them. */
const unmeasured = (made: ReadonlyArray<Made.Made>, planOf: ReadonlyMap<string, Plan.Plan>): string =>
  `${
    [
      [
        comment("Statements that no case of the budget sends"),
        comment(
          "They belong to refusals, repetitions, imports and rare duties of the cron. What they cost is not measured."
        ),
        comment("Written by `npm run statements -- --write`.")
      ].join("\n"),
      ...made.map(({ names, of, text }) =>
        [
          comment(of),
          comment(`${count(text.length, "character")}, ${count(names.length, "parameter")}`),
          ...planOf.get(text)!.steps.map((step) => comment(`  ${step}`)),
          `${format(withNames({ names, text }))};`
        ].join("\n")
      )
    ].join("\n\n")
  }\n`

const nameOfCase = (title: string, name: string) => name.startsWith(`${title}: `) ? name.slice(title.length + 2) : name

/** The files, by their names without `.sql`. */
export const render = (
  all: ReadonlyArray<Measured>,
  plans: ReadonlyArray<Plan.Plan>
): ReadonlyMap<string, string> => {
  const planOf = new Map(plans.map((plan) => [plan.text, plan]))
  const files = new Map<string, string>(
    [...Map.groupBy(all, ({ operation }) => operation)].toSorted().flatMap(([operation, measured]) => {
      const title = titleOf(operation)
      // The plain case at the greater depth, which comes first where it has one.
      const plain = measured.findLast(({ name }) => name === title) ?? measured[0]!
      const seen = new Set<string>()
      const sectionsOf = ({ executions, name }: Measured, from?: string) =>
        [...Map.groupBy(executions, ({ text }) => text)].flatMap(([text, same]) => {
          if (seen.has(text)) return []
          seen.add(text)
          return [section(same, from === undefined ? from : nameOfCase(title, name), planOf.get(text)!)]
        })
      const usual = sectionsOf(plain)
      const deepest = measured.toSorted((a, b) => b.depth - a.depth)
      const special = deepest.flatMap((one) => sectionsOf(one, "special"))
      if (usual.length + special.length === 0) return []
      const head = [
        comment(title),
        comment(
          `${count(plain.trips, "round trip")}, ${count(plain.statements, "statement")}: ${costOf(plain.executions)}`
        ),
        comment(
          `Written by \`npm run statements -- --write\`, which measures on D1 with ${
            plain.depth.toLocaleString("en")
          } records of each kind.`
        )
      ].join("\n")
      const rest = special.length === 0 ? [] : ["-- ======== Sent in special cases only ========", ...special]
      return [[operation, `${[head, ...usual, ...rest].join("\n\n")}\n`] as const]
    })
  )
  return files.set("unmeasured", unmeasured(Made.unsent(all), planOf))
}

/** The files as they are. */
export const read = (): ReadonlyMap<string, string> =>
  new Map(
    readdirSync(directory)
      .filter((name) => name.endsWith(".sql"))
      .map((name) => [name.replace(".sql", ""), readFileSync(new URL(name, directory), "utf8")])
  )

/** Writes the files anew, and removes those of operations that are gone. */
export const write = (files: ReadonlyMap<string, string>): void => {
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory)
  for (const [name, text] of files) writeFileSync(new URL(`${name}.sql`, directory), text)
}

/** The first difference between the files as they are and as they should be; undefined if there is none. */
export const difference = (
  now: ReadonlyMap<string, string>,
  expected: ReadonlyMap<string, string>
): { readonly file: string; readonly now: string; readonly expected: string } | undefined => {
  for (const file of [...new Set([...expected.keys(), ...now.keys()])].sort()) {
    const [is, should] = [now.get(file) ?? "", expected.get(file) ?? ""]
    if (is !== should) return { file: `bench/statements/${file}.sql`, now: is, expected: should }
  }
  return undefined
}
