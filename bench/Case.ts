/** A request whose cost is measured, and what it needs to find in the database. */
import type { Answer, Call } from "../test/support/Wire.ts"

/** Where the rows are that the database is filled with. */
export const scope = "bench"

export type Request = Omit<Call, "method">

export interface Setup {
  /** Sends a request that is not measured, and answers the body of its answer. Rejects unless it succeeds. */
  readonly ask: (method: string, path: string, body?: unknown, key?: string) => Promise<any>
  /** A name that nothing has yet. */
  readonly fresh: (kind: string) => string
}

export interface Case {
  /** How the request differs from the usual one; absent for the usual one. */
  readonly variant?: string
  /** The expected status, if it is not a success. */
  readonly status?: number
  /** Makes the records that the request is about. */
  readonly prepare: (setup: Setup) => Request | Promise<Request>
}

/** The cases of each endpoint, under its method and path: `POST /api/v1/tasks/:id/submit`. */
export type Cases = Record<string, ReadonlyArray<Case>>

/** A case that is about one record: `make` makes it and answers its id. */
export const about = (
  make: (setup: Setup) => Promise<string>,
  path: (id: string) => string,
  body?: unknown,
  variant?: string
): Case => ({
  ...(variant === undefined ? {} : { variant }),
  prepare: async (setup) => ({ path: path(await make(setup)), body })
})

/** A case for which everything is there already. */
export const plain = (path: string, variant?: string): Case => ({
  ...(variant === undefined ? {} : { variant }),
  prepare: () => ({ path })
})

/** Rejects an answer that is no success. */
export const succeeded = ({ method, path }: Call, { body, status }: Pick<Answer, "status" | "body">): any => {
  if (status < 200 || status > 299) throw new Error(`${method} ${path} was answered ${status} ${JSON.stringify(body)}`)
  return body
}

/** The setup that sends by `send`. */
export const setupOf = (send: (call: Call) => Promise<Pick<Answer, "status" | "body">>): Setup => {
  let last = 0
  return {
    ask: async (method, path, body, key) => {
      const call = { method, path, body, key }
      return succeeded(call, await send(call))
    },
    fresh: (kind) => `${kind}-${++last}`
  }
}
