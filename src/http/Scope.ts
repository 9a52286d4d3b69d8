/** The scope a request acts in. */
import * as Effect from "effect/Effect"
import { ScopeRequired } from "../api/InvalidRequest.ts"
import { DefaultScope, type ScopeName } from "../domain/Identifier.ts"
import { Settings } from "../services/Settings.ts"

interface Scoped {
  readonly query: { readonly scope?: ScopeName }
  readonly payload?: { readonly scope?: ScopeName | null } | null
}

/** The scope a request by id is limited to: the one it names, or every scope. */
export const visibleScope = ({ payload, query }: Scoped): ScopeName | undefined => payload?.scope ?? query.scope

/** The scope a list or a new record belongs to: the one the request names, or the default one. */
export const ownScope = Effect.fnUntraced(function*(request: Scoped, missing: string) {
  const { requireScope } = yield* Settings
  const scope = visibleScope(request)
  if (scope === undefined && requireScope) return yield* new ScopeRequired({ error: missing })
  return scope ?? DefaultScope
})
