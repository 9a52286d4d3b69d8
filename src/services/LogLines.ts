/** Logs as JSON, one line for each entry, and no line longer than a log service takes: names and paths come from callers. */
import * as Logger from "effect/Logger"
import { excerpt } from "../domain/Excerpt.ts"

// Most lines are far shorter, and are written as they are.
const MaxLine = 4000
const MaxText = 2000

/** A line whose texts are cut if it is too long. It stays JSON. */
export const shortened = (line: string): string =>
  line.length <= MaxLine
    ? line
    : JSON.stringify(
      JSON.parse(line),
      (_, value: unknown) => typeof value === "string" ? excerpt(value, MaxText) : value
    )

// workerd's clock stands at 0 until the first request. What is logged before that has no time.
const withoutNoTime = (line: string): string => line.replace(/"timestamp":"1970-01-01T00:00:00\.000Z",?/, "")

export const logger = Logger.withConsoleLog(
  Logger.map(Logger.formatJson, (line) => shortened(withoutNoTime(line)))
)
