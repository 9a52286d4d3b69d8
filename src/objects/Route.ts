/**
 * Which object a request is for. The key of a scope leads to its scope. Other callers name a scope; without one, their
 * request is for the default scope, for the record that it names by id, or for all scopes (`http/access/Scope.ts`).
 */
import { DefaultScope } from "../domain/Identifier.ts"

/** The records that requests name by id. A machine is an orchestrator, or a copy of one (`Machines.ts`). */
export type Kind =
  | "action"
  | "draft"
  | "flow"
  | "machine"
  | "message"
  | "orchestrator"
  | "project"
  | "role"
  | "task"
  | "webhook"

/** The lists that show all scopes to a caller who names none. */
export type List = "drafts" | "export" | "keys" | "metrics" | "orchestrators" | "projects" | "roles"

export type Route =
  /** The object of the scope. */
  | { readonly to: "scope"; readonly scope: string }
  /**
   * The object of the scope that has the record. If several have it, the request is refused, or goes to the newest or
   * to each. `otherwise` is where it goes if none has it.
   */
  | {
    readonly to: "record"
    readonly kind: Kind
    readonly id: string
    readonly several: "refuse" | "newest" | "each"
    readonly otherwise: "default" | "nobody"
  }
  | { readonly to: "every"; readonly list: List }
  /** The object without a scope and without records. It answers what needs no record. */
  | { readonly to: "nobody" }

export interface Asked {
  readonly method: string
  /** The normalized path (`http/request/Target.ts`). */
  readonly path: string
  readonly query: URLSearchParams
  /** The body as JSON, if it is an object. */
  readonly body: Readonly<Record<string, unknown>>
}

const nobody: Route = { to: "nobody" }
const ofDefault: Route = { to: "scope", scope: DefaultScope }

const decoded = (segment: string): string => {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}

const textOf = (value: unknown): string | undefined => typeof value === "string" && value !== "" ? value : undefined

const record = (
  kind: Kind,
  id: string | undefined,
  several: "refuse" | "newest" | "each" = "refuse",
  otherwise: "default" | "nobody" = "nobody"
): Route =>
  id !== undefined ? { to: "record", kind, id, several, otherwise } : otherwise === "default" ? ofDefault : nobody

const byId: Readonly<Record<string, Kind>> = {
  actions: "action",
  drafts: "draft",
  messages: "message",
  projects: "project",
  tasks: "task",
  webhooks: "webhook"
}

const lists: ReadonlySet<string> = new Set(["drafts", "export", "keys", "orchestrators", "projects", "roles"])

/** The route of a request of the API that names no scope. */
const unscoped = ({ body, method, query }: Asked, [group = "", id, verb]: ReadonlyArray<string>): Route => {
  const reads = method === "GET" || method === "HEAD"
  if (reads && id === undefined && lists.has(group)) return { to: "every", list: group as List }
  const kind = byId[group]
  switch (group) {
    case "actions":
    case "breakers":
    case "drafts":
    case "events":
    case "messages":
    case "overview":
    case "parks":
    case "projects":
    case "tasks":
    case "usage":
    case "webhooks": {
      const own = id === undefined || kind === undefined || (method === "POST" && /^(bulk|claim)$/.test(id) && !verb)
      if (own) return ofDefault
      return record(kind, id, "refuse", kind === "task" && verb === "messages" ? "default" : "nobody")
    }
    case "flows":
      return id === undefined || method === "PUT" ? ofDefault : record("flow", id)
    case "orchestrators":
      if (method === "POST" && id === "register") return ofDefault
      return verb === "heartbeat"
        ? record("machine", id, "each")
        : record("orchestrator", id, reads ? "newest" : "refuse")
    case "roles":
      return method === "POST"
        ? record("orchestrator", textOf(body["orchestrator_id"]))
        : record("role", id, reads ? "newest" : "refuse")
    case "scheduler":
      return record("orchestrator", query.get("orchestrator_id") ?? undefined, "newest", "default")
    default:
      return nobody
  }
}

/** The scope that the request names: in its path, or else in its body or its query. */
const statedScope = ({ body, query }: Asked, [group, first, second]: ReadonlyArray<string>): string | undefined =>
  group === "scopes"
    ? first
    : group === "orchestrators" && first === "scopes"
    ? second
    : textOf(body["scope"]) ?? textOf(query.get("scope"))

/** Where the request of a caller without the key of a scope goes. */
export const routeOf = (asked: Asked): Route => {
  if (asked.path === "/metrics") {
    const scope = textOf(asked.query.get("scope"))
    return scope === undefined ? { to: "every", list: "metrics" } : { to: "scope", scope }
  }
  if (!asked.path.startsWith("/api/v1/")) return nobody
  const segments = asked.path.slice("/api/v1/".length).split("/").map(decoded)
  const scope = statedScope(asked, segments)
  return scope === undefined ? unscoped(asked, segments) : { to: "scope", scope }
}
