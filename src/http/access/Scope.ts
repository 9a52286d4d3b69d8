/** The scope of a request: what the request names, within what its caller reaches. */
import * as Effect from "effect/Effect"
import { ScopeRequired } from "../../api/InvalidRequest.ts"
import { AdministratorRequired, Caller, ScopeMismatch } from "../../domain/access/Caller.ts"
import { DefaultScope, type ScopeName } from "../../domain/Identifier.ts"
import { Settings } from "../../services/Settings.ts"

interface Scoped {
  readonly query: { readonly scope?: ScopeName }
  readonly payload?: { readonly scope?: ScopeName | null } | null
}

/** The scope that a request names, in its body or its query. */
export const statedScope = ({ payload, query }: Scoped): ScopeName | undefined => payload?.scope || query.scope

/** The scope that limits a request by id: that of its key, or the one it names, or every scope. */
export const visibleScope = Effect.fnUntraced(function*(request: Scoped) {
  const caller = yield* Caller
  if (caller.kind !== "key") return statedScope(request)
  for (const stated of [request.query.scope, request.payload?.scope]) {
    if (stated && stated !== caller.scope) return yield* ScopeMismatch.of(caller.scope, stated)
  }
  return caller.scope
})

/** The scope of a list or a new record: that of the key, or the one the request names, or the default scope. */
export const ownScope = Effect.fnUntraced(function*(request: Scoped, missing: string) {
  const { requireScope } = yield* Settings
  const scope = yield* visibleScope(request)
  if (scope === undefined && requireScope) return yield* new ScopeRequired({ error: missing })
  return scope ?? DefaultScope
})

/**
 * Succeeds if the caller may do what only the administrator may, in `scope` if the request is about one. On an open
 * server every caller may; a caller with a key only in its scope. `what` says it in the error: "issue keys".
 */
export const administrator = Effect.fnUntraced(function*(what: string, scope?: ScopeName) {
  const caller = yield* Caller
  const { apiSecretKey } = yield* Settings
  if (caller.kind === "key") {
    if (scope !== undefined && scope !== caller.scope) return yield* ScopeMismatch.of(caller.scope, scope)
    if (apiSecretKey !== undefined) return yield* AdministratorRequired.of(what)
  }
  return caller
})
