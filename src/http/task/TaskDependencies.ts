/** The handlers of the endpoints about dependencies. */
import * as Effect from "effect/Effect"
import type { DependencyChange, DependencyList } from "../../domain/dependency/Dependency.ts"
import { DefaultDepth } from "../../domain/dependency/DependencyGraph.ts"
import type { ScopeName, TaskId } from "../../domain/Identifier.ts"
import type { Expected } from "../../domain/task/MoveInput.ts"
import type { Dependencies } from "../../services/dependency/Dependencies.ts"
import { visibleScope } from "../access/Scope.ts"

type Scoped<Body> = Body & { readonly scope?: ScopeName | "" | null }

interface About {
  readonly params: { readonly id: TaskId }
  readonly query: { readonly scope?: ScopeName }
}

interface AboutOne {
  readonly params: { readonly id: TaskId; readonly blocker: TaskId }
  readonly query: { readonly scope?: ScopeName }
}

export const dependencyHandlers = (dependencies: Dependencies["Service"]) => ({
  dependencies: (request: About) =>
    Effect.flatMap(visibleScope(request), (scope) => dependencies.list(request.params.id, scope)),
  replaceDependencies: (request: About & { readonly payload: Scoped<DependencyList> }) =>
    Effect.flatMap(
      visibleScope(request),
      (scope) => dependencies.replace(request.params.id, request.payload, scope)
    ),
  putDependency: (request: AboutOne & { readonly payload: Scoped<DependencyChange> | null }) =>
    Effect.flatMap(
      visibleScope(request),
      (scope) => dependencies.put(request.params.id, request.params.blocker, request.payload ?? {}, scope)
    ),
  removeDependency: (request: AboutOne & { readonly query: Expected }) =>
    Effect.flatMap(
      visibleScope(request),
      (scope) => dependencies.remove(request.params.id, request.params.blocker, request.query, scope)
    ),
  clearDependencies: (request: About & { readonly query: Expected }) =>
    Effect.flatMap(
      visibleScope(request),
      (scope) => dependencies.replace(request.params.id, { depends_on: [], ...request.query }, scope)
    ),
  graph: (request: About & { readonly query: { readonly depth?: number } }) =>
    Effect.flatMap(
      visibleScope(request),
      (scope) => dependencies.graph(request.params.id, request.query.depth ?? DefaultDepth, scope)
    )
})
