/** The scope a request acts in: what it names, within what its caller may reach. */
import * as Effect from "effect/Effect"
import { AdministratorRequired, Caller, ScopeMismatch } from "../api/Authorization.ts"
import { ScopeRequired } from "../api/InvalidRequest.ts"
import { DefaultScope, type ScopeName } from "../domain/Identifier.ts"
import { Settings } from "../services/Settings.ts"

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

/** Refuses whoever has a key of one scope where a server with a secret wants its administrator. */
export const administrator = Effect.fnUntraced(function*(what: string, _scope?: ScopeName) {
  const caller = yield* Caller
  if (caller.kind === "key") return yield* AdministratorRequired.of(what)
})
