/** The result of a run, as data for programs and as text for people. */

export interface Result {
  readonly group: string
  readonly name: string
  readonly status: "passed" | "failed" | "skipped"
  readonly millis: number
  /** Why it was skipped. */
  readonly reason?: string
  /** For a failed check: what was expected, what was answered, what that means, and where to look. */
  readonly expected?: string
  readonly answered?: string
  readonly request_id?: string
  readonly means?: string
  readonly look?: string
}

export interface Report {
  readonly url: string
  readonly version: string
  /** `open` or `keys`, from /api/health. */
  readonly access: string
  readonly scopes: ReadonlyArray<string>
  readonly interrupted: boolean
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  readonly checks: ReadonlyArray<Result>
  /** Whether everything that can be deleted is deleted. */
  readonly cleaned: boolean
  /** What the run made and did not delete, in sentences. */
  readonly left: ReadonlyArray<string>
}

const marks = { passed: "✓", failed: "✗", skipped: "-" } as const
const colours = { passed: 32, failed: 31, skipped: 33 } as const

const detail = (label: string, text: string | undefined) =>
  text === undefined ? [] : [`      ${`${label}:`.padEnd(15)} ${text}`]

const lines = (result: Result, paint: (code: number, text: string) => string): ReadonlyArray<string> => {
  const { answered, expected, look, means, name, reason, request_id, status } = result
  const mark = paint(colours[status], marks[status])
  return [
    `  ${mark} ${name}${reason === undefined ? "" : ` (${reason})`}`,
    ...detail("expected", expected),
    ...detail("answered", answered),
    ...detail("request id", request_id),
    ...detail("What it means", means),
    ...detail("Look at", look)
  ]
}

/** The report as text. Its last line is the summary. */
export const format = (report: Report, colour: boolean): string => {
  const paint = (code: number, text: string) => colour ? `\u001B[${code}m${text}\u001B[0m` : text
  const { checks, failed, interrupted, left, passed, scopes, skipped, url } = report
  const groups = [...new Set(checks.map(({ group }) => group))]
  return [
    `Octopoid Server ${report.version} at ${url}, access: ${report.access}, scopes: ${scopes.join(", ")}`,
    ...groups.flatMap((group) => [
      "",
      paint(1, group),
      ...checks.filter((check) => check.group === group).flatMap((check) => lines(check, paint))
    ]),
    "",
    ...left,
    ...(interrupted ? ["The run was interrupted: not every check was made."] : []),
    `${passed} passed, ${failed} failed, ${skipped} skipped against ${url}`
  ].join("\n")
}
