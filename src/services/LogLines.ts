/**
 * The log: a line of JSON for each entry. Names and paths come from callers, so lines are kept within the limits of log
 * services.
 */
import * as Logger from "effect/Logger"
import { excerpt } from "../domain/Excerpt.ts"

// Most lines are shorter, and written unchanged.
const MaxLine = 4000
const MaxText = 2000

/** The line, with shortened texts if it is too long. It stays JSON. */
export const shortened = (line: string): string =>
  line.length <= MaxLine
    ? line
    : JSON.stringify(
      JSON.parse(line),
      (_, value: unknown) => typeof value === "string" ? excerpt(value, MaxText) : value
    )

// workerd's clock is 0 until the first request. Entries before that get no time.
const withoutNoTime = (line: string): string => line.replace(/"timestamp":"1970-01-01T00:00:00\.000Z",?/, "")

export const logger = Logger.withConsoleLog(
  Logger.map(Logger.formatJson, (line) => shortened(withoutNoTime(line)))
)
