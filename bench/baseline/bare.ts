/**
 * A Worker by hand, with no framework, that sends D1 the very batches of the real server (`Recording.ts`): it checks
 * nothing, explains nothing and logs nothing.
 */
import type { D1Database } from "@cloudflare/workers-types"
import { timing } from "../Cost.ts"
import type { Step } from "../Life.ts"
import type { Batch, Parameter, Recording } from "./Recording.ts"

interface Env {
  readonly DB: D1Database
  /** The recording, as JSON. */
  readonly BATCHES: string
}

interface Own {
  readonly task: string
  readonly machine: string
  readonly token: number
  readonly now: number
}

let recording: Recording | undefined

const bound = (parameter: Parameter, { machine, now, task, token }: Own) =>
  "text" in parameter
    ? parameter.text.replaceAll("~task~", task).replaceAll("bench-~machine~", machine)
    : "after" in parameter
    ? now + parameter.after
    : "token" in parameter
    ? token
    : parameter.value

const onTheWire = (row: Record<string, unknown>) =>
  Object.fromEntries(
    Object.entries(row).map(([name, value]) => [
      name,
      name.endsWith("_at") && typeof value === "number" ? new Date(value).toISOString() : value
    ])
  )

const run = async (env: Env, { answer, statements }: Batch, own: Own, status: number) => {
  const results = await env.DB.batch<Record<string, unknown>>(
    statements.map(({ parameters, sql }) => env.DB.prepare(sql).bind(...parameters.map((one) => bound(one, own))))
  )
  const cost = { trips: 1, read: 0, written: 0 }
  for (const { meta } of results) {
    cost.read += meta.rows_read
    cost.written += meta.rows_written
  }
  const row = results[answer]!.results[0]
  return row === undefined
    ? Response.json({ error: "It did not happen." }, { status: 404 })
    : Response.json(onTheWire(row), { status, headers: { "server-timing": timing(cost) } })
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const { pathname } = new URL(request.url)
    recording ??= JSON.parse(env.BATCHES) as Recording
    const body = await request.json() as any
    const [, , , , id, action] = pathname.split("/")
    const step = (id === undefined ? "create" : id === "claim" ? "claim" : action) as Step
    const own = {
      task: step === "create" ? body.id : id!,
      machine: body.orchestrator_id ?? "",
      token: body.fencing_token ?? 0,
      now: Date.now()
    }
    return run(env, recording[step], own, step === "create" ? 201 : 200)
  }
}
