/** The cases of every endpoint there is. */
import { endpoints } from "../src/http/Endpoints.ts"
import type { Case, Cases } from "./Case.ts"
import { machines } from "./cases/machines.ts"
import { mail } from "./cases/mail.ts"
import { moves } from "./cases/moves.ts"
import { records } from "./cases/records.ts"
import { tasks } from "./cases/tasks.ts"

export const cases: Cases = { ...tasks, ...moves, ...machines, ...mail, ...records }

export interface Named extends Case {
  /** As `POST /api/v1/tasks/:id/submit`. */
  readonly endpoint: string
  readonly method: string
}

/** Every case of every endpoint, in the order of the API. Throws when an endpoint has none, or a case has no endpoint. */
export const all = (): ReadonlyArray<Named> => {
  const names = endpoints.map(({ method, path }) => `${method} ${path}`)
  const without = names.filter((name) => (cases[name] ?? []).length === 0)
  const unknown = Object.keys(cases).filter((name) => !names.includes(name))
  if (without.length > 0) throw new Error(`bench/cases/ has no case of ${without.join(", ")}`)
  if (unknown.length > 0) {
    throw new Error(`bench/cases/ has cases of endpoints that do not exist: ${unknown.join(", ")}`)
  }
  return names.flatMap((endpoint) =>
    cases[endpoint]!.map((one) => ({ ...one, endpoint, method: endpoint.slice(0, endpoint.indexOf(" ")) }))
  )
}
