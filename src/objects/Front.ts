/**
 * The Worker before the objects. It holds no records: it finds out whose request it is, and passes it on to the object
 * of that scope, which checks the caller again.
 */
import * as Schema from "effect/Schema"
import { TooManyFailures } from "../domain/access/Caller.ts"
import { DatabaseUnavailable } from "../domain/DatabaseUnavailable.ts"
import { ScopeName } from "../domain/Identifier.ts"
import { ScopeRequired } from "../domain/TaggedError.ts"
import * as LongBodies from "../http/request/LongBodies.ts"
import { normalize } from "../http/request/Target.ts"
import type { ControlStub } from "./Control.ts"
import * as Keys from "./control/Keys.ts"
import { bound } from "./control/Remembered.ts"
import * as Every from "./Every.ts"
import * as Heartbeat from "./Heartbeat.ts"
import type { MachinesStub } from "./Machines.ts"
import { authorized } from "./push/Opening.ts"
import { MaxPiece, restoredScope } from "./restore/Restore.ts"
import { type Asked, type Kind, type Route, routeOf } from "./Route.ts"

/** The object of a scope, as the Worker reaches it. */
export interface ScopeStub extends MachinesStub {
  readonly fetch: (request: Request) => Promise<Response>
  /**
   * How new the record is, or `undefined` if the scope has none. Kinds without a time are 1, and a task that is there
   * 2.
   */
  readonly find: (kind: Kind, id: string) => Promise<number | undefined>
}

export interface Objects {
  readonly control: () => ControlStub
  readonly scope: (name: string) => ScopeStub
  /** The object that has no scope. Nothing is ever written to it. */
  readonly nobody: () => ScopeStub
  /** The secret of the administrator; none on an open server. */
  readonly secret: string | undefined
  /** How long a body may take, in seconds; a minute unless given. */
  readonly bodySeconds?: number
}

/** In how many scopes the record of a request without a scope is looked for. A Worker may ask a thousand objects. */
export const MaxSearched = 200

/** The largest body that is read here. The object refuses a larger one. */
const MaxBody = 1024 * 1024

/** A body of at most this many bytes goes on to the object without being read here. */
const ShortBody = 64 * 1024

const isScope = Schema.is(ScopeName)

const refused = ({ _tag, error }: { readonly _tag: string; readonly error: string }, status: number, headers = {}) =>
  Response.json({ _tag, error, ...headers }, { status })

const several = (kind: Kind, id: string) => refused(ScopeRequired.several(kind, id), 400)

const tooMany = refused.bind(
  undefined,
  new ScopeRequired({
    error:
      `Missing required query parameter: scope. The server has more than ${MaxSearched} scopes with records, and looks through no more: say which is meant.`
  }),
  400
)

const answered = (problem: DatabaseUnavailable | TooManyFailures, status = 503) =>
  Response.json({ ...problem, _tag: problem._tag, error: problem.error }, {
    status,
    headers: { "retry-after": String(problem.retry_after_seconds) }
  })

const unavailable = (method: string, hasKey: boolean) => {
  const reads = method === "GET" || method === "HEAD"
  return answered(DatabaseUnavailable.of(reads ? "reads" : method === "POST" && hasKey ? "under a key" : "changes", 1))
}

const isShort = ({ headers }: Request): boolean => {
  const length = headers.get("content-length")
  return length !== null && Number(length) <= ShortBody
}

const objectOf = (bytes: Uint8Array): Readonly<Record<string, unknown>> => {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes))
    return typeof value === "object" && value !== null ? value as Record<string, unknown> : {}
  } catch {
    return {}
  }
}

export const make = (objects: Objects) => {
  const secretHash = objects.secret === undefined ? undefined : Every.sha256(objects.secret)
  const keys = Keys.make(objects.control)
  // That a scope exists never changes.
  const known = new Set<string>()

  const knows = async (scope: string) => {
    if (known.has(scope)) return true
    if (!(await objects.control().knows(scope))) return false
    known.add(scope)
    bound(known)
    return true
  }

  /**
   * The scope of the caller's key, or whether the caller has none: then the request says which scope it is for. A
   * number says after how many seconds the caller may try again.
   */
  const callerOf = async (request: Request): Promise<{ readonly key: string } | "any" | "refused" | number> => {
    const authorization = request.headers.get("authorization")
    // The server is open, or answers that it needs a key.
    if (!authorization) return secretHash === undefined ? "any" : "refused"
    const token = /^bearer +(\S.*)$/i.exec(authorization)?.[1]
    if (token === undefined) return "refused"
    // Digests are compared, so the time tells nothing about the secret.
    const hash = await Every.sha256(token)
    if (secretHash !== undefined && hash === await secretHash) return "any"
    const key = token.startsWith("oct_") ? await keys.find(token, hash, request) : undefined
    return key === undefined ? "refused" : typeof key === "number" ? key : { key }
  }

  /** The object of the scope. To read from a scope that has no records makes no object. */
  const objectFor = async (scope: string, reads: boolean): Promise<ScopeStub> =>
    isScope(scope) && (!reads || await knows(scope)) ? objects.scope(scope) : objects.nobody()

  /** The scopes in which the record may be, at most one more than are searched. */
  const candidates = async (kind: Kind, id: string) => {
    const most = MaxSearched + 1
    if (kind === "orchestrator" || kind === "machine") return objects.control().scopesOfMachine(id, most)
    const scopes = await objects.control().scopes("", most)
    return scopes.length < most ? scopes : objects.control().filled(most)
  }

  // Machines that are registered in the scope of their claim.
  const introduced = new Set<string>()

  /** Sees to it that a claim from the scope finds the machine as it is now, if any scope has it. */
  const introduce = async (scope: string, id: string) => {
    const name = JSON.stringify([scope, id])
    if (introduced.has(name)) return
    const target = objects.scope(scope)
    const before = await target.homeOfMachine(id)
    if (before === scope) {
      introduced.add(name)
      bound(introduced)
      return
    }
    if (before !== undefined) {
      const copy = await objects.scope(before).lendMachine(id)
      if (copy !== undefined) return target.borrowMachine(copy)
      await target.giveBackMachine(id)
    }
    const scopes = (await candidates("orchestrator", id)).slice(0, MaxSearched)
    const ages = await Every.inChunks(scopes, (each) => objects.scope(each).find("orchestrator", id))
    const newest = Math.max(...ages.map((age) => age ?? 0))
    const home = scopes[ages.indexOf(newest)]
    const copy = home === undefined ? undefined : await objects.scope(home).lendMachine(id)
    if (copy !== undefined) await target.borrowMachine(copy)
  }

  const answer = async (request: Request, route: Route, { body, path, query }: Asked): Promise<Response> => {
    const reads = request.method === "GET" || request.method === "HEAD"
    switch (route.to) {
      case "nobody":
        return objects.nobody().fetch(request)
      case "scope":
        if (
          path === "/api/v1/tasks/claim" && !reads && typeof body["orchestrator_id"] === "string" &&
          isScope(route.scope)
        ) {
          await introduce(route.scope, body["orchestrator_id"])
        }
        return (await objectFor(route.scope, reads)).fetch(request)
      case "every":
        return Every.answer(route.list, { request, path, query, objects })
      case "record": {
        const scopes = await candidates(route.kind, route.id)
        if (scopes.length > MaxSearched) return tooMany()
        // A single scope answers by itself that it has no such record. Its copy of a machine is no machine.
        const mayBeCopy = route.kind === "machine" || route.kind === "orchestrator"
        const ages = scopes.length === 1 && route.otherwise === "nobody" && !mayBeCopy
          ? [1]
          : await Every.inChunks(scopes, (scope) => objects.scope(scope).find(route.kind, route.id))
        const found = scopes.flatMap((scope, i) => ages[i] === undefined ? [] : [{ scope, age: ages[i]! }])
          .sort((a, b) => b.age - a.age)
        const [first, second] = found
        if (first === undefined) {
          return route.otherwise === "nobody"
            ? objects.nobody().fetch(request)
            : (await objectFor("default", reads)).fetch(request)
        }
        if (route.several === "each") {
          const own = found.filter(({ age }) => age >= 0).slice(0, Heartbeat.MaxScopes)
          const copies = own.length === 0 ? [] : found.filter(({ age }) => age < 0)
          if (own.length === 0) return objects.nobody().fetch(request)
          if (own.length + copies.length > 1) {
            return Heartbeat.answer(request, [...own, ...copies].map(({ scope }) => objects.scope(scope)))
          }
        }
        // A deleted task has a history. The one that is there is meant.
        const ambiguous = second !== undefined && route.several === "refuse"
          && (route.kind !== "task" || second.age === first.age)
        return ambiguous ? several(route.kind, route.id) : objects.scope(first.scope).fetch(request)
      }
    }
  }

  const bodies = LongBodies.make(objects.bodySeconds === undefined ? {} : { seconds: objects.bodySeconds })

  const serve = async (request: Request): Promise<Response> => {
    const { path, url } = normalize(request.url.slice(request.url.indexOf("/", request.url.indexOf("//") + 2)))
    if (!path.startsWith("/api/v1/") && path !== "/metrics") return objects.nobody().fetch(request)
    if (request.method === "OPTIONS") return objects.nobody().fetch(request)
    const caller = await callerOf(request)
    if (typeof caller === "number") return answered(TooManyFailures.of(caller), 429)
    if (caller === "refused") {
      const refusal = await objects.nobody().fetch(request)
      keys.answered(request, refusal)
      return refusal
    }
    if (caller !== "any" && (request.body === null || isShort(request))) return objects.scope(caller.key).fetch(request)
    // A piece of an export may be larger than other bodies. The path names its scope.
    const restored = restoredScope(request.method, path)
    let bytes: Uint8Array<ArrayBuffer> | undefined
    if (request.body !== null) {
      const scope = caller === "any" ? undefined : caller.key
      const read = await bodies.read(request.body, restored === undefined ? MaxBody : MaxPiece, scope)
      if (read === "busy") return answered(DatabaseUnavailable.busy())
      if (read === "slow") return answered(DatabaseUnavailable.slow(objects.bodySeconds ?? LongBodies.MaxBodySeconds))
      bytes = read
    }
    // The body is read before an object begins, so that a claim that waits keeps no other body from being read.
    const again = bytes === undefined ? request : new Request(request, { method: request.method, body: bytes })
    if (caller !== "any") return objects.scope(caller.key).fetch(again)
    if (restored !== undefined) return (await objectFor(restored, false)).fetch(again)
    const asked: Asked = {
      method: request.method,
      path,
      query: new URLSearchParams(url.split("?")[1] ?? ""),
      body: bytes === undefined || bytes.length > MaxBody ? {} : objectOf(bytes)
    }
    return answer(again, bytes !== undefined && bytes.length > MaxBody ? { to: "nobody" } : routeOf(asked), asked)
  }

  return {
    fetch: (request: Request): Promise<Response> =>
      serve(authorized(request)).catch((error: unknown) => {
        console.error(JSON.stringify({ level: "WARN", message: "an object does not answer", error: String(error) }))
        return unavailable(request.method, request.headers.has("idempotency-key"))
      })
  }
}
