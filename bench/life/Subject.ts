/**
 * One version of the server in a process of its own, on SQLite in process: plays lives of tasks and says what they cost. The argument
 * is the directory of the version. `Cpu.ts` starts two such processes and asks them in turn.
 */
import type { D1Database } from "@cloudflare/workers-types"
import * as Effect from "effect/Effect"
import { Session } from "node:inspector/promises"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import type * as Layers from "../../test/support/layers.ts"
import type * as Server from "../../test/support/server.ts"
import type { Call } from "../../test/support/Wire.ts"
import { scope, setupOf } from "../Case.ts"
import { newTask } from "../cases/given.ts"
import * as Life from "../Life.ts"
import { type Shares, sharesOf } from "./Profile.ts"

/** What a request sends to SQLite. */
export interface Texts {
  readonly statements: number
  readonly characters: number
  readonly parameters: number
}

export const requests = ["create", "claim", "submit", "requeue", "accept"] as const
export type Request = typeof requests[number]

export type Order =
  /** Play so many lives, and answer the milliseconds of CPU that one took. */
  | { readonly lives: number }
  /** Prepare the statements of a life so many times, and answer the milliseconds that it took for one life. */
  | { readonly prepare: number }
  /** The same, as milliseconds for each request. */
  | { readonly prepareEach: number }
  /** Answer what each request sends. */
  | { readonly texts: true }
  /** Play so many lives, and answer where the time goes. */
  | { readonly profile: number }

interface Sent {
  readonly text: string
  readonly parameters: number
}

const [root = ""] = process.argv.slice(2)
const load = (file: string) => import(pathToFileURL(join(root, file)).href)
const { migrated }: typeof Layers = await load("test/support/layers.ts")
const { make }: typeof Server = await load("test/support/server.ts")

const { db, raw } = migrated()
let sent: Array<Sent> | undefined

/** The database. It records the statements that it gets, while `sent` is a list. */
const noting = {
  prepare: (text: string) => {
    const prepared = db.prepare(text)
    if (sent === undefined) return prepared
    const noted = sent
    return {
      bind: (...parameters: ReadonlyArray<unknown>) => {
        noted.push({ text, parameters: parameters.length })
        return prepared.bind(...parameters)
      }
    }
  },
  batch: (statements: Parameters<D1Database["batch"]>[0]) => db.batch(statements)
} as unknown as D1Database

/** The milliseconds it takes to prepare the statements: the least of so many times, as other processes only add to it. */
const prepare = (statements: ReadonlyArray<Sent>, times: number) => {
  const took = Array.from({ length: times }, () => {
    const started = performance.now()
    for (const { text } of statements) raw.prepare(text)
    return performance.now() - started
  })
  return Math.min(...took)
}

const milliseconds = ({ system, user }: NodeJS.CpuUsage) => (user + system) / 1000

await Effect.runPromise(Effect.scoped(Effect.gen(function*() {
  const { fetch } = yield* make({}, () => noting)
  const send = async ({ body, method, path }: Call) => {
    const response = await fetch(`http://server${path}`, {
      method,
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body)
    })
    return { status: response.status, body: await response.json() as any }
  }
  const { ask } = setupOf(send)
  const post = ({ body, method, path }: Call) => ask(method, path, body)
  const { orchestrator_id } = yield* Effect.promise(() =>
    ask("POST", "/api/v1/orchestrators/register", { scope, cluster: "bench", machine_id: "m" })
  )
  // Tasks that wait behind those of the lives, so that a queue is not empty.
  yield* Effect.promise(async () => {
    for (let n = 0; n < 100; n++) await ask("POST", "/api/v1/tasks", newTask(`waiting-${n}`, { priority: "P3" }))
  })
  let last = 0
  const life = async () => {
    const id = `life-${++last}`
    await post(Life.create(id))
    const claimed: Life.Claimed = await post(Life.claim(orchestrator_id))
    await post(Life.submit(claimed))
    await post(Life.accept(claimed.id))
  }
  const lives = async (count: number) => {
    for (let n = 0; n < count; n++) await life()
  }
  const noted = async (call: Call) => {
    const own: Array<Sent> = sent = []
    const answer = await post(call)
    sent = undefined
    return { answer, own }
  }
  const texts = async (): Promise<Record<Request, ReadonlyArray<Sent>>> => {
    const id = `life-${++last}`
    const create = await noted(Life.create(id))
    await post(Life.claim(orchestrator_id))
    const requeue = await noted({ method: "POST", path: `/api/v1/tasks/${id}/requeue`, body: {} })
    const claim = await noted(Life.claim(orchestrator_id))
    const submit = await noted(Life.submit(claim.answer))
    const accept = await noted(Life.accept(id))
    return { create: create.own, claim: claim.own, submit: submit.own, requeue: requeue.own, accept: accept.own }
  }
  const answer = async (order: Order): Promise<unknown> => {
    if ("lives" in order) {
      const before = process.cpuUsage()
      await lives(order.lives)
      return milliseconds(process.cpuUsage(before)) / order.lives
    }
    if ("profile" in order) {
      const session = new Session()
      session.connect()
      await session.post("Profiler.enable")
      await session.post("Profiler.start")
      await lives(order.profile)
      const { profile } = await session.post("Profiler.stop")
      session.disconnect()
      const shares: Shares = sharesOf(profile)
      return shares
    }
    const all = await texts()
    if ("prepare" in order) return prepare(Life.steps.flatMap((step) => all[step]), order.prepare)
    if ("prepareEach" in order) {
      return Object.fromEntries(requests.map((one) => [one, prepare(all[one], order.prepareEach)]))
    }
    return Object.fromEntries(requests.map((one): [string, Texts] => [one, {
      statements: all[one].length,
      characters: all[one].reduce((sum, { text }) => sum + text.length, 0),
      parameters: all[one].reduce((sum, { parameters }) => sum + parameters, 0)
    }]))
  }
  yield* Effect.callback<void>((resume) => {
    process.on("message", (order: Order) => {
      answer(order).then(
        (value) => process.send!({ value }),
        (error: unknown) => process.send!({ error: String(error) })
      )
    })
    process.once("disconnect", () => resume(Effect.void))
    process.send!({ value: "ready" })
  })
})))
process.exit(0)
