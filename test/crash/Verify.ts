/** Compares the answers that clients got with the database that a killed workerd left behind. */
import { reading, violationsOf } from "../support/Leftover.ts"
import type { Acknowledged, Ledger, Request } from "./Ledger.ts"

export interface Findings {
  /** What was acknowledged and is not there. */
  readonly lost: ReadonlyArray<string>
  /** Further problems. */
  readonly violations: ReadonlyArray<string>
}

const described = ({ request: { effect, kind, path }, answer: { body } }: Acknowledged) =>
  `${kind} ${path} (${effect?.event ?? "renewed"} ${effect?.mark ?? ""}), answered ${JSON.stringify(body)}`

interface Stored {
  readonly history: ReadonlyArray<any>
  readonly tasks: ReadonlyMap<string, any>
}

const unkept = ({ history, tasks }: Stored, { acknowledged, refused, unknown }: Ledger): Findings => {
  const lost: Array<string> = []
  const violations: Array<string> = []
  const effects = Map.groupBy(
    history,
    ({ actor, event, task_id }) => `${event} ${event === "created" ? task_id : actor}`
  )
  const versions = new Map(history.map((row) => [`${row.task_id} ${row.version}`, row]))
  const of = ({ effect }: Request) => effect === undefined ? [] : effects.get(`${effect.event} ${effect.mark}`) ?? []

  for (const one of acknowledged) {
    const { request, answer: { body } } = one
    if (request.kind === "renew") {
      const task = tasks.get(body.task_id)
      const until = Date.parse(body.lease_expires_at)
      if (task?.fencing_token === body.fencing_token && task.lease_expires_at < until) lost.push(described(one))
      continue
    }
    const [row, ...more] = of(request)
    const answered = versions.get(`${body.id} ${body.version}`)
    if (row === undefined || row.task_id !== body.id || answered === undefined || !tasks.has(body.id)) {
      lost.push(described(one))
    } else if (
      answered.to_queue !== body.queue || row.version > body.version || tasks.get(body.id).version < body.version
    ) {
      violations.push(`The database tells it otherwise: ${described(one)}`)
    } else if (request.kind === "claim" && row.grants + 1 !== body.fencing_token) {
      violations.push(`Another token was granted: ${described(one)}`)
    }
    if (more.length > 0) violations.push(`${more.length + 1} effects of ${described(one)}`)
  }
  for (const request of unknown) {
    if (of(request).length > 1) violations.push(`${of(request).length} effects of ${JSON.stringify(request)}`)
  }
  for (const request of refused) {
    // A claim whose lease is over by the time it is repeated is refused, and was granted.
    const allowed = request.kind === "claim" && request.key !== undefined ? 1 : 0
    if (of(request).length > allowed) violations.push(`Refused, and yet done: ${JSON.stringify(request)}`)
  }
  return { lost, violations }
}

/** No two claims may get the same grant. */
const grantedTwice = ({ acknowledged }: Ledger) => {
  const grants = Map.groupBy(
    acknowledged.filter(({ request }) => request.kind === "claim"),
    ({ answer: { body } }) => `${body.id}, token ${body.fencing_token}`
  )
  return [...grants].filter(([, claims]) => claims.length > 1).map(([grant]) => `Granted more than once: ${grant}`)
}

/** How many tasks came to which end, and what has not come to one, or has without a reason. */
export const outcome = (storage: string) =>
  reading(storage, (db) => ({
    tasks: Object.fromEntries(
      db.prepare("SELECT queue, count(*) AS n FROM tasks GROUP BY queue").all()
        .map(({ n, queue }) => [String(queue), Number(n)])
    ),
    unfinished: db.prepare(`SELECT id, queue, blocked_by FROM tasks
      WHERE NOT (queue = 'done' OR (queue = 'failed' AND coalesce(failure_reason, '') <> ''))`).all()
      .map((task) => `Has not come to an end: ${JSON.stringify(task)}`)
  }))

/** Holds the ledger, and what always holds, against the database in `storage`, on which nothing may run meanwhile. */
export const verify = (storage: string, ledger: Ledger): Findings =>
  reading(storage, (db) => {
    const { lost, violations } = unkept({
      history: db.prepare("SELECT task_id, version, event, to_queue, actor, grants FROM history").all(),
      tasks: new Map(db.prepare("SELECT * FROM tasks").all().map((task) => [String(task["id"]), task]))
    }, ledger)
    return { lost, violations: [...violations, ...grantedTwice(ledger), ...violationsOf(db)] }
  })
