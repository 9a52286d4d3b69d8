/**
 * The batches the server sends for each step of a task's life, as it would send them for any task: recorded in process,
 * with names, tokens and instants that are found again among the parameters. A server that only sends these costs what
 * D1 costs. The rest of the cost of the real server is its framework and its checks.
 */
import type { D1Database } from "@cloudflare/workers-types"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { migrated } from "../../test/support/layers.ts"
import * as server from "../../test/support/server.ts"
import { setupOf } from "../Case.ts"
import * as Life from "../Life.ts"

/** A value that every request has its own of, or one that all have in common. */
export type Parameter =
  /** Text in which the names below stand for the request's own. */
  | { readonly text: string }
  /** So many milliseconds after the request. */
  | { readonly after: number }
  /** The fencing token. */
  | { readonly token: true }
  | { readonly value: unknown }

export interface Batch {
  readonly statements: ReadonlyArray<{ readonly sql: string; readonly parameters: ReadonlyArray<Parameter> }>
  /** Which of the statements answers the task. */
  readonly answer: number
}

export type Recording = Record<Life.Step, Batch>

export const names = { task: "~task~", machine: "~machine~" }
const Now = 1_900_000_000_000
const Grants = 730_099
const Day = 86_400_000

const parameter = (value: unknown): Parameter =>
  typeof value === "string"
    ? { text: value }
    : value === Grants + 1
    ? { token: true }
    : typeof value === "number" && Math.abs(value - Now) < 2 * Day
    ? { after: value - Now }
    : { value }

/** A database that adds each batch it gets to `sent`. */
const recorded = (db: D1Database, sent: Array<Batch>): D1Database => {
  const texts = new WeakMap<object, Batch["statements"][number]>()
  const prepare = (sql: string) => ({
    bind: (...parameters: ReadonlyArray<unknown>) => {
      const statement = db.prepare(sql).bind(...parameters)
      texts.set(statement, { sql, parameters: parameters.map(parameter) })
      return statement
    }
  })
  const batch = async (statements: Parameters<D1Database["batch"]>[0]) => {
    const results = await db.batch<Record<string, unknown>>(statements)
    const answer = results.findLastIndex(({ results: [row] }) => row?.["id"] === names.task && "queue" in row)
    sent.push({ statements: statements.map((statement) => texts.get(statement)!), answer })
    return results
  }
  return { prepare, batch } as unknown as D1Database
}

export const record = (): Promise<Recording> => {
  const { db, raw } = migrated()
  const sent: Array<Batch> = []
  const live = Clock.Clock.defaultValue()
  const still: Clock.Clock = Object.assign(Object.create(live), {
    currentTimeMillisUnsafe: () => Now,
    currentTimeMillis: Effect.succeed(Now)
  })
  return Effect.runPromise(
    Effect.scoped(Effect.gen(function*() {
      const { send } = yield* server.make({}, () => recorded(db, sent))
      const runPromise = Effect.runPromiseWith(yield* Effect.context<never>())
      const { ask } = setupOf(({ body, method, path }) => runPromise(send(method, path, body)))
      const { orchestrator_id } = yield* Effect.promise(() =>
        ask("POST", "/api/v1/orchestrators/register", { scope: "bench", cluster: "bench", machine_id: names.machine })
      )
      const step = Effect.fnUntraced(function*({ body, method, path }: ReturnType<typeof Life.create>) {
        sent.length = 0
        yield* Effect.promise(() => ask(method, path, body))
        const [batch] = sent
        if (sent.length !== 1 || batch!.answer < 0) {
          return yield* Effect.die(new Error(`${path} is not one batch that answers the task`))
        }
        return batch!
      })
      const create = yield* step(Life.create(names.task))
      raw.exec(`UPDATE tasks SET grants = ${Grants}`)
      const claim = yield* step(Life.claim(orchestrator_id))
      const submit = yield* step(Life.submit({ id: names.task, fencing_token: Grants + 1 }))
      const accept = yield* step(Life.accept(names.task))
      return { create, claim, submit, accept }
    })).pipe(Effect.provideService(Clock.Clock, still))
  )
}
