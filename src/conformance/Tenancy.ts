/** The scopes of a run: temporary scopes with their own keys; or, with only the key of a scope, that scope. */
import * as Ask from "./Ask.ts"

/** Why the run cannot take place. */
export class CannotRun extends Error {}

/** A scope, and a key that reaches only this scope. */
export interface Tenant {
  readonly scope: string
  readonly key: string
}

export interface Tenancy {
  /** The prefix of all names that the run uses. */
  readonly run: string
  readonly version: string
  readonly access: string
  readonly home: Tenant
  /** The other scope and the key of the administrator, if the caller may act as one. */
  readonly administered: { readonly key: string | undefined; readonly other: Tenant } | undefined
}

// A run that is killed leaves keys of two empty scopes behind. They expire after this time.
const KeyMillis = 3_600_000

const sentence = ({ body, status }: Ask.Answer): string => `${status} ${body?.error ?? JSON.stringify(body)}`

/** Whether a healthy Octopoid server answers, and how it is accessed. */
const greet = async (connection: Ask.Connection) => {
  const health = await Ask.make(connection, undefined)("GET", "/api/health").catch((error: unknown) => {
    throw new CannotRun(error instanceof Error ? error.message : String(error), { cause: error })
  })
  if (health.status !== 200 || health.body?.status !== "healthy") {
    throw new CannotRun(`${connection.url}/api/health is not that of a healthy Octopoid server: ${sentence(health)}`)
  }
  return { version: String(health.body.version), access: String(health.body.access) }
}

const issue = async (ask: Ask.Ask, scope: string): Promise<Tenant> => {
  const expires_at = new Date(Date.now() + KeyMillis).toISOString()
  const issued = await ask("POST", `/api/v1/scopes/${scope}/keys`, { name: "conformance", expires_at })
  if (issued.status !== 201) throw new CannotRun(`no key for the throw-away scope ${scope}: ${sentence(issued)}`)
  return { scope, key: issued.body.api_key }
}

/** The items of a list. */
export const listed = async (
  ask: Ask.Ask,
  path: string,
  kind: string
): Promise<ReadonlyArray<{ readonly id: string; readonly name?: string | null }>> => {
  const answer = await ask("GET", path)
  if (!Array.isArray(answer.body?.[kind])) throw new Error(`GET ${path} is answered ${sentence(answer)}`)
  return answer.body[kind]
}

/** Revokes every key of a temporary scope. Answers how many are left. */
export const revokeAll = async (ask: Ask.Ask, scope: string): Promise<number> => {
  const path = `/api/v1/scopes/${scope}/keys`
  for (const { id } of await listed(ask, path, "keys")) await ask("DELETE", `${path}/${id}`)
  return (await listed(ask, path, "keys")).length
}

/**
 * Whether nobody works in the scope: a claim of the run could take a task of someone else, or take back an expired
 * lease.
 */
const unused = async (ask: Ask.Ask, scope: string) => {
  const why = "Run the suite with the server's API_SECRET_KEY, or with the key of a scope that nobody uses."
  const tasks = await ask("GET", "/api/v1/tasks?limit=1")
  if (tasks.status !== 200) throw new CannotRun(`the tasks of the scope cannot be listed: ${sentence(tasks)}`)
  if (tasks.body.total !== 0) {
    throw new CannotRun(
      `the scope ${scope} of the key holds ${tasks.body.total === 1 ? "1 task" : `${tasks.body.total} tasks`}. ${why}`
    )
  }
  const create = await ask("POST", "/api/v1/tasks", {})
  if (create.status === 403) throw new CannotRun(`the key may not do all that the suite does: ${sentence(create)}`)
  const flow = await ask("GET", "/api/v1/flows/default")
  if (flow.status !== 404) throw new CannotRun(`the scope ${scope} of the key has a state machine of its own. ${why}`)
}

/** Finds out what the key reaches, and prepares the scopes. Fails with `CannotRun`. */
export const open = async (connection: Ask.Connection, key: string | undefined): Promise<Tenancy> => {
  const run = `conformance-${crypto.randomUUID().slice(0, 8)}`
  const server = await greet(connection)
  const ask = Ask.make(connection, key)
  const probe = await ask("GET", `/api/v1/scheduler/poll?scope=${run}`)
  if (probe.status === 401) {
    throw new CannotRun(
      key === undefined
        ? "the server asks for a key. Set OCTOPOID_API_KEY to its API_SECRET_KEY, or to the key of a scope that nobody uses."
        : `the server refuses the key: ${sentence(probe)}`
    )
  }
  if (probe.status === 403 && key !== undefined && typeof probe.body?.scope === "string") {
    const { scope } = probe.body
    await unused(ask, scope)
    return { run, ...server, home: { scope, key }, administered: undefined }
  }
  if (probe.status !== 200) throw new CannotRun(`the server does not say what the key reaches: ${sentence(probe)}`)
  const home = await issue(ask, run)
  try {
    return { run, ...server, home, administered: { key, other: await issue(ask, `${run}-other`) } }
  } catch (error) {
    await revokeAll(ask, run)
    throw error
  }
}
