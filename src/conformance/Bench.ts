/** The helpers of a check: tasks in the scope of the run that no other check claims. */
import * as Ask from "./Ask.ts"
import { expect, Skipped } from "./Expectation.ts"
import type { Tenancy } from "./Tenancy.ts"

type Fields = Readonly<Record<string, unknown>>
type Headers = Readonly<Record<string, string>>

/** A task from the answer to a claim. */
interface Held {
  readonly id: string
  readonly fencing_token: number
}

/** Longer than any run, so that no lease expires because something is slow. */
const LongLease = 900

export const orchestratorOf = ({ run }: Tenancy): string => `${run}-machine`

const taskPath = (id: string) => `/api/v1/tasks/${id}`

export const make = (connection: Ask.Connection, tenancy: Tenancy, check: string) => {
  let last: Ask.Answer | undefined
  const as = (key: string | undefined) => Ask.make(connection, key, (answer) => last = answer)
  const ask = as(tenancy.home.key)
  const tag = `${tenancy.run}-${check}`
  const idOf = (name: string) => `${tag}-${name}`
  const post = (path: string, body: unknown = {}, headers?: Headers) => ask("POST", `/api/v1/${path}`, body, headers)

  // Limits that no server configuration can override with stricter ones, so that a setback does not end these tasks.
  const newTask = (name: string, rest: Fields = {}): Fields & { readonly id: string } => ({
    id: idOf(name),
    file_path: `${idOf(name)}.md`,
    branch: "main",
    type: tag,
    max_attempts: 0,
    max_lease_losses: 0,
    max_rejections: 0,
    max_attempt_seconds: 86_400,
    ...rest
  })

  const newClaim = (rest: Fields = {}): Fields => ({
    orchestrator_id: orchestratorOf(tenancy),
    agent_name: "ann",
    type_filter: tag,
    lease_duration_seconds: LongLease,
    ...rest
  })
  const claim = (rest?: Fields, headers?: Headers) => post("tasks/claim", newClaim(rest), headers)

  const sleep = (seconds: number) =>
    new Promise<void>((done, stop) => {
      const interrupted = () => {
        clearTimeout(timer)
        stop(new Error("interrupted"))
      }
      const timer = setTimeout(() => {
        connection.signal?.removeEventListener("abort", interrupted)
        done()
      }, seconds * 1000)
      connection.signal?.addEventListener("abort", interrupted, { once: true })
    })

  return {
    /** The type of the check's tasks, and the name of its own queue. */
    tag,
    scope: tenancy.home.scope,
    access: tenancy.access,
    orchestrator: orchestratorOf(tenancy),
    idOf,
    ask,
    as,
    post,
    newTask,
    newClaim,
    sleep,
    /** The latest answer, for the report if the check cannot go on. */
    last: () => last,
    /** The other scope and the key of the administrator. Skips the check if there is none. */
    administered: () => {
      if (tenancy.administered === undefined) throw new Skipped("needs the server's API_SECRET_KEY, or an open server")
      const { key, other } = tenancy.administered
      return { admin: as(key), other: { scope: other.scope, ask: as(other.key) } }
    },
    create: async (name: string, rest?: Fields) => expect(await post("tasks", newTask(name, rest)), 201),
    read: (id: string) => ask("GET", taskPath(id)),
    patch: (id: string, fields: Fields) => ask("PATCH", taskPath(id), fields),
    history: async (id: string): Promise<ReadonlyArray<any>> =>
      expect(await ask("GET", `${taskPath(id)}/history`), 200).history,
    claim,
    /** A claim that gets a task. */
    hold: async (rest?: Fields): Promise<any> => expect(await claim(rest), 200),
    /** Claims a lost task again, from the check's own queue. If the task backs off for a short time, waits for that. */
    holdAgain: async (rest: Fields & { readonly queue: string }): Promise<any> => {
      for (;;) {
        const answer = await claim(rest)
        if (answer.status !== 404 || answer.body?.reason !== "backing_off") return expect(answer, 200)
        const seconds = Number(answer.headers.get("retry-after"))
        if (!(seconds <= 10)) throw new Skipped("the server makes tasks wait after a setback (BACKOFF_SECONDS)")
        await sleep(Math.max(1, seconds))
      }
    },
    submit: ({ fencing_token, id }: Held, rest: Fields = {}, headers?: Headers) =>
      post(`tasks/${id}/submit`, { commits_count: 1, turns_used: 1, fencing_token, ...rest }, headers),
    accept: (id: string, rest: Fields = {}, headers?: Headers) =>
      post(`tasks/${id}/accept`, { accepted_by: "rex", ...rest }, headers),
    reject: (id: string, rest: Fields = {}) => post(`tasks/${id}/reject`, { reason: "r", rejected_by: "rex", ...rest }),
    /** Releases the task. */
    release: async ({ fencing_token, id }: Held) =>
      expect(await post(`tasks/${id}/requeue`, { release: true, fencing_token }), 200),
    renew: ({ fencing_token, id }: Held, rest: Fields = {}) =>
      post(`tasks/${id}/renew`, { fencing_token, lease_duration_seconds: LongLease, ...rest })
  }
}

export type Bench = ReturnType<typeof make>
