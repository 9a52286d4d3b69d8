#!/usr/bin/env node
/** The command `octopoid-server`: `npx octopoid-server conformance <url>`. */
import { parseArgs } from "node:util"
import { CannotRun, conform, format, groupNames } from "./conformance/Conformance.ts"

const usage = `octopoid-server conformance <url> [options]

Checks a running Octopoid server from outside: lifecycle, leases, fencing, idempotency, races, usage, webhooks, isolation, contract.
It works in throw-away scopes and deletes what it makes. With the key of a scope it runs in that scope, if it holds
no tasks, and skips what needs an administrator.

  --key <key>     the server's API_SECRET_KEY, or the key of a scope that nobody uses. Better: OCTOPOID_API_KEY, since
                  others on this machine can see arguments
  --only <groups> only some of the groups ${groupNames.join(", ")}, as races,leases
  --json          the report as one JSON document
  --help          this text

Exit code: 0 when every check passed, 1 when one failed, 2 when the suite could not run or was interrupted.`

interface Command {
  readonly url: string
  readonly key: string | undefined
  readonly only: ReadonlyArray<string> | undefined
  readonly json: boolean
}

/** The command, or a help text with the exit code. */
const parse = (): Command | { readonly help: string; readonly code: number } => {
  try {
    const { positionals: [command, address, ...more], values } = parseArgs({
      allowPositionals: true,
      options: {
        key: { type: "string" },
        only: { type: "string" },
        json: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false }
      }
    })
    if (values.help) return { help: usage, code: 0 }
    if (command !== "conformance" || address === undefined || more.length > 0) return { help: usage, code: 2 }
    if (!/^https?:\/\//.test(address) || !URL.canParse(address)) {
      return { help: `${address} is not an address. Write it as http://localhost:8787.`, code: 2 }
    }
    const only = values.only?.split(",")
    const unknown = only?.find((name) => !groupNames.includes(name))
    if (unknown !== undefined) return { help: `There is no group ${unknown}, only ${groupNames.join(", ")}.`, code: 2 }
    const key = values.key || process.env.OCTOPOID_API_KEY || undefined
    return { url: address.replace(/\/+$/, ""), key, only, json: values.json }
  } catch (error) {
    return { help: `${error instanceof Error ? error.message : String(error)}\n\n${usage}`, code: 2 }
  }
}

const run = async ({ json, ...options }: Command): Promise<number> => {
  const stop = new AbortController()
  const interrupt = () => {
    if (stop.signal.aborted) process.exit(2)
    console.error("Interrupted: deleting what was made. Once more to leave it.")
    stop.abort()
  }
  process.on("SIGINT", interrupt).on("SIGTERM", interrupt)
  try {
    if (process.stderr.isTTY) console.error(`Checking ${options.url} …`)
    const report = await conform({ ...options, signal: stop.signal })
    const colour = process.stdout.isTTY === true && !process.env.NO_COLOR
    console.log(json ? JSON.stringify(report, null, 2) : format(report, colour))
    return report.interrupted ? 2 : report.failed > 0 || !report.cleaned ? 1 : 0
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    console.error(error instanceof CannotRun ? `Cannot run: ${why}` : `The run broke off: ${why}`)
    return 2
  } finally {
    process.off("SIGINT", interrupt).off("SIGTERM", interrupt)
  }
}

const command = parse()
if ("help" in command) {
  console[command.code === 0 ? "log" : "error"](command.help)
  process.exitCode = command.code
} else {
  process.exitCode = await run(command)
}
