/** Checks a running server from outside: prepares scopes, runs every check, and deletes what it made. */
import * as Ask from "./Ask.ts"
import * as Bench from "./Bench.ts"
import type { Check } from "./Check.ts"
import { type Cleaned, cleanUp } from "./Cleanup.ts"
import { Broken, Skipped } from "./Expectation.ts"
import { groups } from "./groups.ts"
import { inParallel } from "./inParallel.ts"
import type { Report, Result } from "./Report.ts"
import * as Tenancy from "./Tenancy.ts"

export { format, type Report, type Result } from "./Report.ts"
export { CannotRun } from "./Tenancy.ts"

export interface Options {
  /** The address of the server, without a slash at the end. */
  readonly url: string
  /** The server's secret, or the key of a scope without tasks. An open server needs none. */
  readonly key?: string | undefined
  /** The names of the groups to run; all by default. */
  readonly only?: ReadonlyArray<string> | undefined
  readonly fetch?: Ask.Fetch
  /** Ends the run early. What it made is still deleted. */
  readonly signal?: AbortSignal
  /** Is called with how many checks are done, and how many there are. */
  readonly progress?: ((done: number, total: number) => void) | undefined
}

export const groupNames: ReadonlyArray<string> = groups.map(({ name }) => name)

// The checks mostly wait for leases, so more at once would be no faster and only cause load.
const AtOnce = 12

const LongestBody = 400

const shown = ({ body, method, path, status }: Ask.Answer): string => {
  const text = typeof body === "string" ? body : JSON.stringify(body)
  return `${method} ${path} → ${status} ${text.length > LongestBody ? `${text.slice(0, LongestBody)} …` : text}`
}

interface Planned {
  readonly group: string
  readonly check: Check
  /** The prefix of the check's names, after the prefix of the run. */
  readonly tag: string
}

const make = async (connection: Ask.Connection, tenancy: Tenancy.Tenancy, planned: Planned): Promise<Result> => {
  const { check: { look, means, name, run }, group, tag } = planned
  const bench = Bench.make(connection, tenancy, tag)
  const started = performance.now()
  const result = (status: Result["status"], more: Partial<Result> = {}): Result => ({
    group,
    name,
    status,
    millis: Math.round(performance.now() - started),
    ...more
  })
  if (connection.signal?.aborted) return result("skipped", { reason: "interrupted" })
  try {
    await run(bench)
    return result("passed")
  } catch (error) {
    if (connection.signal?.aborted) return result("skipped", { reason: "interrupted" })
    if (error instanceof Skipped) return result("skipped", { reason: error.message })
    const failure = { means, look }
    if (error instanceof Ask.NoAnswer) {
      return result("failed", { expected: `an answer to ${error.request}`, answered: error.message, ...failure })
    }
    const answer = error instanceof Broken ? error.answer ?? bench.last() : bench.last()
    const request_id = answer?.headers.get("x-request-id")
    return result("failed", {
      expected: error instanceof Broken ? error.expected : `an answer of another shape (${String(error)})`,
      ...(answer === undefined ? {} : { answered: shown(answer) }),
      ...(request_id ? { request_id } : {}),
      ...failure
    })
  }
}

/** Fails with `CannotRun` if there is no server, or if the key does not allow a run. */
export const conform = async (options: Options): Promise<Report> => {
  const connection = { url: options.url, fetch: options.fetch ?? fetch, signal: options.signal }
  const unstoppable = { ...connection, signal: undefined }
  const planned = groups.filter(({ name }) => options.only?.includes(name) ?? true).flatMap(
    ({ checks, name }) => checks.map((check, i): Planned => ({ group: name, check, tag: `${name}-${i}` }))
  )
  const tenancy = await Tenancy.open(unstoppable, options.key)
  const machine = { cluster: tenancy.run, machine_id: "machine" }
  let checks: ReadonlyArray<Result> = []
  let end: Cleaned
  try {
    const registered = await Ask.make(unstoppable, tenancy.home.key)("POST", "/api/v1/orchestrators/register", machine)
    if (registered.status !== 201) {
      throw new Tenancy.CannotRun(`no orchestrator can be registered: ${shown(registered)}`)
    }
    let done = 0
    const perform = (some: ReadonlyArray<Planned>) =>
      inParallel(some, AtOnce, async (one) => {
        const result = await make(connection, tenancy, one)
        options.progress?.(++done, planned.length)
        return [one, result] as const
      })
    const first = await perform(planned.filter(({ check }) => !check.last))
    const results = new Map([...first, ...await perform(planned.filter(({ check }) => check.last))])
    checks = planned.map((one) => results.get(one)!)
  } finally {
    end = await cleanUp(unstoppable, tenancy)
  }
  const count = (status: Result["status"]) => checks.filter((check) => check.status === status).length
  return {
    url: options.url,
    version: tenancy.version,
    access: tenancy.access,
    scopes: [tenancy.home, ...(tenancy.administered === undefined ? [] : [tenancy.administered.other])].map((tenant) =>
      tenant.scope
    ),
    interrupted: options.signal?.aborted ?? false,
    passed: count("passed"),
    failed: count("failed"),
    skipped: count("skipped"),
    checks,
    ...end
  }
}
