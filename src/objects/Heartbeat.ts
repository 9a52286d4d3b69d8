/** A heartbeat of a machine that works in several scopes: it reaches each, and renews the leases of each. */
import type { LostLease, Renewals } from "../domain/lease/Renewal.ts"

interface Stub {
  readonly fetch: (request: Request) => Promise<Response>
}

type Beat = { readonly last_heartbeat: string } & Partial<(typeof Renewals)["Encoded"]>
type Lost = (typeof LostLease)["Encoded"]

/** How many scopes of a machine a heartbeat reaches, the newest first (`services/machine/heartbeat.ts`). */
export const MaxScopes = 50

const nameOf = ({ fencing_token, task_id }: Pick<Lost, "fencing_token" | "task_id">) => `${fencing_token} ${task_id}`

/** A lease is lost only if no scope renewed it. A scope that knows the task says why. */
const lostOf = (beats: ReadonlyArray<Beat>): ReadonlyArray<Lost> => {
  const renewed = new Set(beats.flatMap(({ renewed = [] }) => renewed.map(nameOf)))
  const lost = new Map<string, Lost>()
  for (const lease of beats.flatMap(({ lost = [] }) => lost)) {
    const name = nameOf(lease)
    const known = lost.get(name)
    if (!renewed.has(name) && (known === undefined || known.reason === "not_found")) lost.set(name, lease)
  }
  return [...lost.values()]
}

const merged = (beats: ReadonlyArray<Beat>): Beat => {
  const [first] = beats
  const last_heartbeat = beats.map((beat) => beat.last_heartbeat).toSorted().at(-1)!
  if (first?.renewed === undefined) return { ...first, last_heartbeat }
  const after = beats.flatMap(({ renew_after_seconds }) => renew_after_seconds ?? [])
  return {
    ...first,
    last_heartbeat,
    renewed: beats.flatMap(({ renewed = [] }) => renewed),
    refused: beats.flatMap(({ refused = [] }) => refused),
    lost: lostOf(beats),
    directives: beats.flatMap(({ directives = [] }) => directives),
    renew_after_seconds: after.length === 0 ? null : Math.min(...after)
  }
}

/** The answers of the scopes as one. */
export const answer = async (request: Request, stubs: ReadonlyArray<Stub>): Promise<Response> => {
  const body = request.body === null ? undefined : await request.arrayBuffer()
  const responses = await Promise.all(
    stubs.map((stub) => stub.fetch(new Request(request, body === undefined ? {} : { body })))
  )
  const failed = responses.find(({ status }) => status !== 200)
  if (failed !== undefined) return failed
  const beats = await Promise.all(responses.map((response) => response.json() as Promise<Beat>))
  const headers = new Headers(responses[0]!.headers)
  headers.delete("content-length")
  return new Response(JSON.stringify(merged(beats)), { headers })
}
