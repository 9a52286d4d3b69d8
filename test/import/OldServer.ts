/**
 * The old server, as far as an import reads it: its answers from plain rows, with two formats of timestamps, booleans
 * as 0/1, JSON as text, envelopes, page limits, and its handling of keys and scopes.
 */
export type Row = Record<string, unknown>

export interface Data {
  readonly orchestrators?: ReadonlyArray<Row>
  readonly roles?: ReadonlyArray<Row>
  readonly flows?: ReadonlyArray<Row>
  readonly projects?: ReadonlyArray<Row>
  readonly drafts?: ReadonlyArray<Row>
  readonly tasks?: ReadonlyArray<Row>
  readonly messages?: ReadonlyArray<Row>
  readonly actions?: ReadonlyArray<Row>
  /** The keys it knows, and the scope of each. */
  readonly keys?: Readonly<Record<string, string>>
}

/** As SQLite's `datetime()` writes it. */
export const sqlite = (millis: number) => new Date(millis).toISOString().slice(0, 19).replace("T", " ")
export const iso = (millis: number) => new Date(millis).toISOString()

/** A task with every column the old server has, and its defaults. */
export const task = (id: string, at: number, rest: Row = {}): Row => ({
  id,
  file_path: `TASK-${id}.md`,
  queue: "incoming",
  priority: "P2",
  complexity: null,
  role: null,
  branch: "main",
  blocked_by: null,
  claimed_by: null,
  claimed_at: null,
  commits_count: 0,
  turns_used: null,
  attempt_count: 0,
  has_plan: 0,
  plan_id: null,
  project_id: null,
  auto_accept: 0,
  rejection_count: 0,
  pr_number: null,
  pr_url: null,
  checks: null,
  check_results: null,
  needs_rebase: 0,
  last_rebase_attempt_at: null,
  staging_url: null,
  submitted_at: null,
  completed_at: null,
  created_at: sqlite(at),
  updated_at: sqlite(at),
  orchestrator_id: null,
  lease_expires_at: null,
  version: 1,
  needs_breakdown: 0,
  review_round: 0,
  execution_notes: null,
  title: id,
  type: null,
  hooks: null,
  flow: "default",
  flow_overrides: null,
  scope: "red",
  content: null,
  needs_intervention: 0,
  ...rest
})

const refuse = (status: number, error: string) => Response.json({ error }, { status })

/** The answer of the middleware to a key; nothing if the key is accepted. Without a secret every key is. */
const refusal = (header: string | null, scope: string | null, keys: Readonly<Record<string, string>>) => {
  if (header === null) return undefined
  const [, token] = /^Bearer\s+(\S+)$/i.exec(header) ?? []
  if (token === undefined) return refuse(401, "Invalid Authorization header. Expected: Bearer <api_key>")
  if (!token.startsWith("oct_")) return refuse(401, "Invalid API key format. Keys must start with oct_")
  const own = keys[token]
  if (own === undefined) return refuse(401, "Invalid API key")
  return scope !== null && scope !== own
    ? refuse(403, `Scope mismatch: authenticated as "${own}" but requested "${scope}"`)
    : undefined
}

const text = (value: unknown) => String(value)
const compare = (a: unknown, b: unknown) => text(a) < text(b) ? -1 : text(a) > text(b) ? 1 : 0

const page = (name: string, matching: ReadonlyArray<Row>, query: URLSearchParams, cap = Infinity) => {
  const limit = Math.min(Number.parseInt(query.get("limit") ?? "50", 10), cap)
  const offset = Number.parseInt(query.get("offset") ?? "0", 10)
  return Response.json({
    [name]: matching.slice(offset, offset + limit),
    total: matching.length,
    offset,
    limit
  })
}

/** Answers requests, and remembers them. `interfere` may answer first, as a failing server would. */
export const make = (data: Data, interfere: (url: URL) => Response | undefined = () => undefined) => {
  const requests: Array<URL> = []
  const rows = (name: keyof Omit<Data, "keys">, scope: string | null) =>
    (data[name] ?? []).filter((row) => scope === null || row.scope === scope)

  const lists: Record<string, (query: URLSearchParams, scope: string | null) => Response> = {
    tasks: (query, scope) => {
      if (scope === null) {
        return refuse(400, "Missing required query parameter: scope. Cannot list tasks across all scopes.")
      }
      const queues = query.get("queue")?.split(",")
      const matching = rows("tasks", scope).filter(({ queue }) => queues === undefined || queues.includes(text(queue)))
      const sorted = query.get("sort") === "priority"
        ? matching.toSorted((a, b) => compare(a.priority, b.priority) || compare(a.created_at, b.created_at))
        : matching.toSorted((a, b) => compare(b.created_at, a.created_at))
      return page("tasks", sorted, query, 500)
    },
    projects: (query, scope) =>
      page("projects", rows("projects", scope).toSorted((a, b) => compare(b.created_at, a.created_at)), query),
    drafts: (query, scope) =>
      page("drafts", rows("drafts", scope).toSorted((a, b) => compare(b.created_at, a.created_at)), query),
    messages: (query, scope) =>
      scope === null
        ? refuse(400, "Missing required query parameter: scope. Cannot list messages across all scopes.")
        : page("messages", rows("messages", scope).toSorted((a, b) => compare(a.created_at, b.created_at)), query),
    actions: (query, scope) => {
      if (scope === null) {
        return refuse(400, "Missing required query parameter: scope. Cannot list actions across all scopes.")
      }
      // Text against text, as it does: `2026-03-02T…` is after every `2026-03-02 …`.
      const visible = rows("actions", scope).filter(({ expires_at }) =>
        expires_at === null || text(expires_at) > sqlite(Date.now())
      )
      return page("actions", visible.toSorted((a, b) => compare(b.proposed_at, a.proposed_at)), query)
    },
    flows: (_query, scope) =>
      scope === null
        ? refuse(400, "Missing required query parameter: scope. Cannot list flows across all scopes.")
        : Response.json({ flows: rows("flows", scope).toSorted((a, b) => compare(a.name, b.name)) }),
    roles: () => Response.json({ roles: rows("roles", null).toSorted((a, b) => compare(a.name, b.name)) }),
    orchestrators: () => {
      const orchestrators = rows("orchestrators", null)
        .toSorted((a, b) => compare(b.last_heartbeat, a.last_heartbeat))
      return Response.json({ orchestrators, total: orchestrators.length })
    }
  }

  const answer = (request: Request): Response => {
    const url = new URL(request.url)
    requests.push(url)
    const scope = url.searchParams.get("scope")
    const list = lists[url.pathname.replace("/api/v1/", "")]
    return interfere(url)
      ?? refusal(request.headers.get("authorization"), scope, data.keys ?? {})
      ?? (request.method === "GET" && list !== undefined
        ? list(url.searchParams, scope)
        : Response.json({
          error: "Not Found",
          message: `Endpoint ${request.url} not found`,
          timestamp: iso(Date.now())
        }, { status: 404 }))
  }

  return { answer, requests }
}
