/** The scope a request acts in: what it names, within what its caller may reach. */
import * as Effect from "effect/Effect"
import { ScopeRequired } from "../../api/InvalidRequest.ts"
import { AdministratorRequired, Caller, ScopeMismatch } from "../../domain/access/Caller.ts"
import { DefaultScope, type ScopeName } from "../../domain/Identifier.ts"
import { Settings } from "../../services/Settings.ts"

interface Scoped {
  readonly query: { readonly scope?: ScopeName }
  readonly payload?: { readonly scope?: ScopeName | null } | null
}

/** The scope a request names, in its body or its query. */
export const statedScope = ({ payload, query }: Scoped): ScopeName | undefined => payload?.scope || query.scope

/** The scope a request by id is limited to: the one of its key, or the one it names, or every scope. */
export const visibleScope = Effect.fnUntraced(function*(request: Scoped) {
  const caller = yield* Caller
  if (caller.kind !== "key") return statedScope(request)
  for (const stated of [request.query.scope, request.payload?.scope]) {
    if (stated && stated !== caller.scope) return yield* ScopeMismatch.of(caller.scope, stated)
  }
  return caller.scope
})

/** The scope a list or a new record belongs to: the one of the key, or the one the request names, or the default one. */
export const ownScope = Effect.fnUntraced(function*(request: Scoped, missing: string) {
  const { requireScope } = yield* Settings
  const scope = yield* visibleScope(request)
  if (scope === undefined && requireScope) return yield* new ScopeRequired({ error: missing })
  return scope ?? DefaultScope
})

/**
 * Passes whoever may do what only the administrator may, in the scope if it is about one: on an open server everybody,
 * within the scope of a key. `what` is what it is about: "issue keys".
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
