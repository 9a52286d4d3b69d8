/** What the AOT schema compiler is tried on: everything that is decoded and encoded to answer lists, polls and claims. */
import * as SchemaAST from "effect/SchemaAST"
import { Api } from "../../src/api/Api.ts"
import { TaskRow } from "../../src/domain/task/Task.ts"

/** The parts of an endpoint that it needs, as Effect holds them. */
interface Endpoint {
  readonly query?: { readonly ast: SchemaAST.AST }
  readonly payload: ReadonlyMap<string, { readonly schemas: ReadonlyArray<{ readonly ast: SchemaAST.AST }> }>
  readonly success: Iterable<{ readonly ast: SchemaAST.AST }>
}

const of = (group: keyof typeof Api.groups, name: string): ReadonlyArray<SchemaAST.AST> => {
  const endpoint = (Api.groups[group].endpoints as unknown as Record<string, Endpoint>)[name]!
  return [
    ...(endpoint.query === undefined ? [] : [endpoint.query.ast]),
    ...[...endpoint.payload.values()].flatMap(({ schemas }) => schemas.map(({ ast }) => ast)),
    ...Array.from(endpoint.success, ({ ast }) => SchemaAST.flip(ast))
  ]
}

/** In the same order wherever it is asked: the generated code finds them by their places. */
export const targets = (): ReadonlyArray<SchemaAST.AST> => [
  TaskRow.ast,
  ...of("tasks", "list"),
  ...of("tasks", "claim"),
  ...of("scheduler", "poll")
]
