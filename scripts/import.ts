/**
 * Moves a scope from the old server to this one:
 * `npm run import -- --from https://old.example --scope my-scope [--to http://localhost:8787]`.
 *
 * Writes only what is not there, so it may be repeated. Exits with 1 when something could not be copied.
 */
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import { parseArgs } from "node:util"
import { copy, format, type Options } from "./import/copy.ts"

const usage = `npm run import -- --from <url> --scope <scope> [options]

  --from <url>      the server to copy from
  --scope <scope>   the scope to copy
  --to <url>        the server to copy to (http://localhost:8787)
  --key <key>       the key the old server asks for, or OCTOPOID_FROM_KEY
  --to-key <key>    this server's API_SECRET_KEY, if it has one, or OCTOPOID_TO_KEY
  --unscoped        also copy the projects and drafts that belong to no scope
  --dry-run         write nothing, and say what would be copied and what would not`

const parse = (): Options | string => {
  try {
    const { values } = parseArgs({
      options: {
        from: { type: "string" },
        scope: { type: "string" },
        to: { type: "string", default: process.env.OCTOPOID_URL ?? "http://localhost:8787" },
        key: { type: "string", default: process.env.OCTOPOID_FROM_KEY ?? "" },
        "to-key": { type: "string", default: process.env.OCTOPOID_TO_KEY ?? "" },
        unscoped: { type: "boolean", default: false },
        "dry-run": { type: "boolean", default: false },
        help: { type: "boolean", default: false }
      }
    })
    const { from, scope, to } = values
    if (values.help || !from || !scope) return usage
    for (const url of [from, to]) if (!/^https?:/.test(url) || !URL.canParse(url)) return `${url} is not an address.`
    return {
      from,
      scope,
      to,
      key: values.key || undefined,
      toKey: values["to-key"] || undefined,
      unscoped: values.unscoped,
      dryRun: values["dry-run"]
    }
  } catch (error) {
    return `${error instanceof Error ? error.message : String(error)}\n\n${usage}`
  }
}

const options = parse()
if (typeof options === "string") {
  console.error(options)
  process.exitCode = 2
} else {
  await Effect.runPromise(copy(options).pipe(Effect.provide(FetchHttpClient.layer))).then(
    (report) => {
      console.log(format(report, options))
      if (report.problems.length > 0) process.exitCode = 1
    },
    (error: unknown) => {
      console.error(error instanceof Error ? error.message : String(error))
      process.exitCode = 1
    }
  )
}
