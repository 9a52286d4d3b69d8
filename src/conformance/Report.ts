/** What a run found: for programs as it is, for people as text. */

export interface Result {
  readonly group: string
  readonly name: string
  readonly status: "passed" | "failed" | "skipped"
  readonly millis: number
  /** Why it was skipped. */
  readonly reason?: string
  /** What failed, what was answered instead, what that means, and where to look. */
  readonly expected?: string
  readonly answered?: string
  readonly request_id?: string
  readonly means?: string
  readonly look?: string
}

export interface Report {
  readonly url: string
  readonly version: string
  /** `open` or `keys`, as /api/health says. */
  readonly access: string
  readonly scopes: ReadonlyArray<string>
  readonly interrupted: boolean
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  readonly checks: ReadonlyArray<Result>
  /** Whether everything is gone that can be deleted. */
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

/** The report for people; its last line sums it up. */
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
