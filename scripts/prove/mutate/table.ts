/** What became of each fault: a line of text, or a row of a table in Markdown. */
import type { Fault } from "../../../test/mutation/Fault.ts"
import type { Detector } from "./Detector.ts"
import type { Verdict } from "./Verdict.ts"

export interface Trial {
  readonly fault: Fault
  /** By the name of the detector. */
  readonly verdicts: ReadonlyMap<string, Verdict>
}

const isFound = ({ _tag }: Verdict) => _tag === "Caught" || _tag === "Hang"

/** Whether a detector that counts found the fault out, and none took it for something else than a fault. */
export const isCaught = ({ verdicts }: Trial, detectors: ReadonlyArray<Detector>): boolean =>
  [...verdicts.values()].every(({ _tag }) => _tag !== "Broken")
  && detectors.some(({ informs, name }) => !informs && isFound(verdicts.get(name) ?? { _tag: "Survived" }))

const told = (verdict: Verdict | undefined): string =>
  verdict === undefined
    ? "–"
    : verdict._tag === "Caught"
    ? "caught"
    : verdict._tag === "Broken"
    ? "**no fault**"
    : verdict._tag === "Hang"
    ? "hang"
    : "survived"

const because = ({ verdicts }: Trial): string => {
  for (const verdict of verdicts.values()) {
    if (verdict._tag === "Caught" || verdict._tag === "Broken") return verdict.reason
  }
  return ""
}

/** What became of a fault, in one line. */
export const line = (outcome: Trial): string => {
  const verdicts = [...outcome.verdicts].map(([name, verdict]) => `${name}: ${told(verdict)}`)
  return `${outcome.fault.name.padEnd(32)} ${verdicts.join(", ")}  ${because(outcome)}`
}

const cell = (text: string) => text.replaceAll("|", "\\|").replaceAll("<", "&lt;")

/** All of them, as a table. */
export const markdown = (outcomes: ReadonlyArray<Trial>, detectors: ReadonlyArray<Detector>): string => {
  const names = detectors.map(({ name }) => name)
  const rows = outcomes.map((outcome) => [
    `\`${outcome.fault.name}\``,
    cell(outcome.fault.breaks),
    ...names.map((name) => told(outcome.verdicts.get(name))),
    cell(because(outcome))
  ])
  const header = ["fault", "what it breaks", ...names, "found out by"]
  return [header, header.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n")
}
