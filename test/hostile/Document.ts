/** The OpenAPI document as the attack reads it: its operations, and what each declares. */
export type Schema = { readonly [keyword: string]: any }

export interface Parameter {
  readonly name: string
  readonly in: "path" | "query" | "header"
  readonly required: boolean
  readonly schema: Schema
}

export interface Response {
  readonly headers?: { readonly [name: string]: { readonly required?: boolean; readonly schema: Schema } }
  readonly content?: { readonly [type: string]: { readonly schema: Schema } }
}

export interface Operation {
  /** `POST /api/v1/tasks/{id}/submit` */
  readonly name: string
  readonly method: string
  readonly path: string
  readonly parameters: ReadonlyArray<Parameter>
  readonly body: { readonly required: boolean; readonly schema: Schema } | undefined
  readonly responses: { readonly [status: string]: Response }
  /** What its records are: the last segment of the path that an id follows somewhere, as `tasks`. */
  readonly collection: string
  /** What each parameter of the path names: a record of the collection before it. */
  readonly named: { readonly [parameter: string]: string }
  /** The parameter that names the record it is about, if there is one. */
  readonly subject: string | undefined
}

export interface Document {
  readonly operations: ReadonlyArray<Operation>
  /** The schema itself where one only refers to it. */
  readonly resolve: (schema: Schema) => Schema
  /** The operation that has to answer a method and a path, if one has to. */
  readonly match: (method: string, pathname: string) => Operation | undefined
}

const isParameter = (segment: string | undefined) => segment?.startsWith("{") === true

const collectionsOf = (paths: ReadonlyArray<string>) =>
  new Set(paths.flatMap((path) => {
    const segments = path.split("/")
    return segments.filter((segment, i) => !isParameter(segment) && isParameter(segments[i + 1]))
  }))

/** Parameters of a path, with the segment before each. `scope` names no record, but where all of them are. */
const namedIn = (path: string): ReadonlyArray<readonly [parameter: string, collection: string]> => {
  const segments = path.split("/")
  return segments.flatMap((segment, i) =>
    isParameter(segment) && segment !== "{scope}" ? [[segment.slice(1, -1), segments[i - 1]!] as const] : []
  )
}

/** How the paths of an operation look; one with fewer parameters goes first. */
const matcher = (operation: Operation) => ({
  operation,
  pattern: new RegExp(`^${operation.path.replace(/\{\w+\}/g, "[^/]+")}$`),
  parameters: operation.path.split("/").filter(isParameter).length
})

export const read = (spec: any): Document => {
  const collections = collectionsOf(Object.keys(spec.paths))
  const operations = Object.entries<any>(spec.paths).flatMap(([path, methods]) =>
    Object.entries<any>(methods).map(([method, { parameters, requestBody, responses }]): Operation => ({
      name: `${method.toUpperCase()} ${path}`,
      method: method.toUpperCase(),
      path,
      parameters,
      body: requestBody && { required: requestBody.required, schema: requestBody.content["application/json"].schema },
      responses,
      collection: path.split("/").findLast((segment) => collections.has(segment)) ?? "",
      named: Object.fromEntries(namedIn(path)),
      subject: namedIn(path)[0]?.[0]
    }))
  )
  const matchers = operations.map(matcher).toSorted((a, b) => a.parameters - b.parameters)
  const resolve = (schema: Schema): Schema =>
    typeof schema.$ref === "string"
      ? resolve(schema.$ref.slice(2).split("/").reduce((value, key) => value[key], spec))
      : schema
  return {
    operations,
    resolve,
    match: (method, pathname) => {
      // A router answers HEAD as GET.
      const asked = method === "HEAD" ? "GET" : method
      return matchers.find(({ operation, pattern }) => operation.method === asked && pattern.test(pathname))?.operation
    }
  }
}
