/**
 * Fills a migrated database: a queue of some depth, a past, and as much mail as there are tasks. The server writes one row
 * of each kind, in process, and SQL makes the others like it.
 */
import * as Effect from "effect/Effect"
import type { DatabaseSync } from "node:sqlite"
import { violationsOf } from "../test/support/Leftover.ts"
import type * as NodeD1 from "../test/support/NodeD1.ts"
import * as server from "../test/support/server.ts"
import { scope, type Setup, setupOf } from "./Case.ts"
import * as Given from "./cases/given.ts"
import { clone } from "./Clone.ts"

export interface Size {
  /** How many tasks wait in `incoming`: a tenth of them for others, which nobody has created yet. */
  readonly depth: number
  /** How many rows the history has, as far as the tasks themselves need no more. */
  readonly history: number
}

const priorities = ["P0", "P1", "P2", "P3"]
const perProject = 100
const UnderReview = 3

/** Answers what `use` does with the server in process, on a database. */
const inProcess = <A>(database: ReturnType<typeof NodeD1.make>, use: (setup: Setup) => Promise<A>): Promise<A> =>
  Effect.runPromise(Effect.scoped(Effect.gen(function*() {
    const { send } = yield* server.make({}, () => database.db)
    const runPromise = Effect.runPromiseWith(yield* Effect.context<never>())
    const setup = setupOf(({ body, key, method, path }) =>
      runPromise(send(method, path, body, key === undefined ? {} : { "idempotency-key": key }))
    )
    return yield* Effect.promise(() => use(setup))
  })))

// Names that no other contains.
const ready = (priority: string) => `ready-${priority}-0.`
const [project, blocked, done, held] = ["project-0.", "blocked-0.", "done-0.", "held-0."]

const prototypes = async (setup: Setup) => {
  const { ask } = setup
  const machine = await Given.machine(setup)
  const create = (id: string, rest: object = {}) => ask("POST", "/api/v1/tasks", Given.newTask(id, rest))
  const claim = (rest: object = {}) =>
    ask("POST", "/api/v1/tasks/claim", { scope, orchestrator_id: machine, agent_name: "ann", ...rest })
  const submit = async (id: string) => {
    await create(id)
    const { fencing_token } = await claim()
    await ask("POST", `/api/v1/tasks/${id}/submit`, { fencing_token, ...Given.submission })
  }
  for (let n = 0; n < UnderReview; n++) await submit(`review-${n}.`)
  await submit(done)
  await ask("POST", `/api/v1/tasks/${done}/accept`, { accepted_by: "bob" })
  await ask("POST", "/api/v1/projects", { id: project, scope, title: "A project", branch: "main" })
  for (const priority of priorities) await create(ready(priority), { priority, project_id: project })
  await create(blocked, { depends_on: [`before-${blocked}`], priority: "P3" })
  await ask("POST", "/api/v1/messages", Given.newMessage("message-0."))
  await ask("POST", "/api/v1/actions", Given.newAction("action-0."))
  await ask("POST", "/api/v1/drafts", { scope, title: "draft-0.", author: "ann" })
  await ask("POST", "/api/v1/drafts", { scope, title: "Kept under a key", author: "keyed-0." }, "a key")
}

/** Counts anew what the server counts. */
const recount = (db: DatabaseSync) =>
  db.exec(`
    INSERT INTO queue_counts (scope, counts)
    SELECT owner, json_group_object(queue, n) FROM (
      SELECT scope AS owner, queue, count(*) AS n FROM tasks GROUP BY scope, queue
      UNION ALL SELECT char(31) || project_id, queue, count(*) FROM tasks WHERE project_id > '' GROUP BY project_id, queue)
    GROUP BY owner ON CONFLICT (scope) DO UPDATE SET counts = excluded.counts;
    UPDATE queue_counts SET ${
    ["messages", "drafts", "projects"]
      .map((kind) => `${kind}_total = (SELECT count(*) FROM ${kind} WHERE ${kind}.scope = queue_counts.scope)`)
      .join(", ")
  };
    INSERT OR REPLACE INTO sweeps (name, position, due_at) VALUES ('projects', '', 9e15);
    UPDATE history SET seq = NULL;
    UPDATE history SET seq = numbered.seq FROM (
      SELECT task_id, version, row_number() OVER (PARTITION BY scope ORDER BY version, at, task_id) AS seq FROM history) AS numbered
    WHERE history.task_id = numbered.task_id AND history.version = numbered.version;
    UPDATE queue_counts SET seq = coalesce((SELECT max(seq) FROM history WHERE history.scope = queue_counts.scope), 0),
      events = coalesce((SELECT json_group_object(event, n) FROM (
        SELECT event, count(*) AS n FROM history WHERE history.scope = queue_counts.scope GROUP BY event)), '{}')
    WHERE scope >= ' '`)

const inOne = (db: DatabaseSync, change: () => void) => {
  db.exec("PRAGMA synchronous = OFF; BEGIN")
  change()
  recount(db)
  db.exec("COMMIT")
}

/** Copies a task with all that was written about it. */
const tasks = (db: DatabaseSync, prototype: string, copies: number, set: Record<string, string> = {}) => {
  const name = prototype.slice(0, -2)
  clone(db, { table: "tasks", prototype, name, copies, set })
  clone(db, { table: "history", prototype, name, copies, set: { seq: "NULL" } })
}

const hold = (db: DatabaseSync) => {
  for (const violation of violationsOf(db)) throw new Error(`The rows that were written are not right. ${violation}`)
}

/** Fills the database, and checks that all holds of it what always does. */
export const seed = async (database: ReturnType<typeof NodeD1.make>, { depth, history }: Size): Promise<void> => {
  const { raw } = database
  await inProcess(database, prototypes)
  const waiting = Math.floor(depth / 10)
  const each = Math.floor((depth - waiting) / priorities.length)
  const projects = Math.max(1, Math.floor(depth / perProject))
  inOne(raw, () => {
    clone(raw, { table: "projects", prototype: project, name: "old-project-", copies: projects })
    for (const priority of priorities) {
      const copies = priority === "P0" ? depth - waiting - each * (priorities.length - 1) : each
      tasks(raw, ready(priority), copies - 1, { project_id: `'old-project-' || (1 + n % ${projects})` })
    }
    tasks(raw, blocked, waiting - 1)
    clone(raw, { table: "dependencies", prototype: blocked, name: "blocked-", copies: waiting - 1 })
    const { n } = raw.prepare("SELECT count(*) AS n FROM history").get() as { readonly n: number }
    tasks(raw, done, Math.floor((history - n) / 4))
    for (const kind of ["message", "action"]) {
      clone(raw, {
        table: `${kind}s`,
        prototype: `${kind}-0.`,
        name: `${kind}-`,
        copies: depth - 1,
        set: { id: `'${kind}-' || n` }
      })
    }
    clone(raw, { table: "drafts", prototype: "draft-0.", name: "draft-", copies: depth - 1 })
    // Ids are spread as those of hashes are.
    const spread = "printf('%08x%056d', (n * 2654435761) % 4294967296, n)"
    clone(raw, {
      table: "idempotency_keys",
      prototype: "keyed-0.",
      name: "keyed-",
      copies: depth - 1,
      set: { id: spread }
    })
  })
  hold(raw)
}

/** Makes machines known, in the cluster `bench`. */
export const register = (database: ReturnType<typeof NodeD1.make>, machines: ReadonlyArray<string>): Promise<void> =>
  inProcess(database, async ({ ask }) => {
    for (const machine_id of machines) {
      await ask("POST", "/api/v1/orchestrators/register", { scope, cluster: "bench", machine_id })
    }
  })

/** Adds tasks whose leases have run out. */
export const expire = async (database: ReturnType<typeof NodeD1.make>, leases: number): Promise<void> => {
  const { raw } = database
  await inProcess(database, async (setup) => {
    const orchestrator_id = await Given.machine(setup)
    const { ask } = setup
    await ask("POST", "/api/v1/tasks", Given.newTask(held, { queue: "overdue" }))
    await ask("POST", "/api/v1/tasks/claim", { scope, queue: "overdue", orchestrator_id, agent_name: "ann" })
  })
  inOne(raw, () => {
    tasks(raw, held, leases - 1)
    raw.exec("UPDATE tasks SET lease_expires_at = created_at WHERE claimed_from = 'overdue'")
  })
  hold(raw)
}
