/** What an operation is called in `bench/statements/`: `claim`, `projects-list`. */
import { Api } from "../../src/api/Api.ts"

interface Endpoint {
  readonly method: string
  readonly path: string
}

const inKebab = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)

const patternOf = (path: string) => new RegExp(`^${path.replace(/(.)\/$/, "$1").replace(/:[^/]+/g, "[^/]+")}$`)

// The operations of tasks go by their own name, and all others by that of their group as well.
const operations = Object.entries(Api.groups).flatMap(([group, { endpoints }]) =>
  Object.entries(endpoints as Record<string, Endpoint>).map(([name, { method, path }]) => ({
    method,
    path,
    pattern: patternOf(path),
    name: inKebab(group === "tasks" ? name : `${group}-${name}`)
  }))
)

/** The operation that a request asks for. */
export const operationOf = (method: string, url: string): string => {
  const [path = ""] = url.split("?")
  const found = operations.find((one) => one.method === method && one.pattern.test(path))
  if (found === undefined) throw new Error(`${method} ${path} is no endpoint`)
  return found.name
}

/** The endpoint of an operation, as `POST /api/v1/tasks/claim`; the cron is called so. */
export const titleOf = (operation: string): string => {
  const found = operations.find(({ name }) => name === operation)
  return found === undefined ? operation : `${found.method} ${found.path}`
}
