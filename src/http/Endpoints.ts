/** The endpoints of the API, taken from its definition. */
import { Api } from "../api/Api.ts"

interface Endpoint {
  readonly method: string
  readonly path: string
}

/** Every endpoint, with its path as `/api/v1/tasks/:id`. */
export const endpoints: ReadonlyArray<Endpoint> = Object.values(Api.groups).flatMap((group) =>
  Object.values(group.endpoints as Record<string, Endpoint>).map(({ method, path }) => ({
    method,
    path: path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path
  }))
)

const patterns = endpoints.map(({ method, path }) => ({
  method,
  pattern: new RegExp(`^${path.replace(/:[^/]+/g, "[^/]+")}$`)
}))

/** The methods that a path answers to; none if no endpoint has the path. */
export const methodsOf = (path: string): ReadonlyArray<string> =>
  patterns.filter(({ pattern }) => pattern.test(path)).flatMap(({ method }) =>
    method === "GET" ? ["GET", "HEAD"] : [method]
  )
