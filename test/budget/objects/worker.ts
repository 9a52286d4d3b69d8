/**
 * The Worker on Durable Objects, which counts what its objects do: statements, transactions, rows as the platform bills them,
 * alarms, and how often one object asks another or is asked. Its time is that of the test, and its alarms do not fire: a
 * test calls `duties`.
 */
import type { DurableObjectNamespace, DurableObjectState, SqlStorageCursor } from "@cloudflare/workers-types"
import { env as given } from "cloudflare:workers"
import * as objects from "../../../src/objects.ts"
import * as Home from "../../../src/objects/Home.ts"
import type { Asked, Taken } from "./Objects.ts"

let now = 0
Date.now = () => now

/** Added to the time of each alarm, so that the real one lies in the future of the real clock. */
const Later = Date.UTC(2100, 0)

const nothing = () => ({
  cursors: [] as Array<readonly [scope: string | undefined, text: string, cursor: SqlStorageCursor<any>]>,
  transactions: 0,
  alarms: 0,
  objects: 0
})
let counted = nothing()

/** The state of an object. What is done with it is counted from now on. */
const counting = (state: DurableObjectState, works: Array<Promise<unknown>>): DurableObjectState => {
  const { storage } = state
  const { sql } = storage
  const scope = state.id.name?.startsWith("scope:") ? state.id.name.slice("scope:".length) : undefined
  const exec = sql.exec.bind(sql)
  sql.exec = ((text: string, ...values: ReadonlyArray<any>) => {
    const cursor = exec(text, ...values)
    counted.cursors.push([scope, text, cursor])
    return cursor
  }) as typeof sql.exec
  const transactionSync = storage.transactionSync.bind(storage)
  storage.transactionSync = (work) => {
    counted.transactions++
    return transactionSync(work)
  }
  const [setAlarm, getAlarm] = [storage.setAlarm.bind(storage), storage.getAlarm.bind(storage)]
  storage.setAlarm = (time, options) => {
    counted.alarms++
    return setAlarm(Number(time) + Later, options)
  }
  storage.getAlarm = async (options) => {
    const time = await getAlarm(options)
    return time === null ? null : time - Later
  }
  const waitUntil = state.waitUntil.bind(state)
  state.waitUntil = (work) => {
    works.push(work)
    waitUntil(work)
  }
  return state
}

const take = (): Taken => {
  const { alarms, cursors, objects, transactions } = counted
  counted = nothing()
  return {
    alarms,
    objects,
    transactions,
    executions: cursors.map(([scope, text, { rowsRead: read, rowsWritten: written }]) => ({
      scope,
      text,
      read,
      written
    }))
  }
}

type Method = (...parameters: ReadonlyArray<any>) => any

/** Counts each call that comes from outside of the object. */
const countCalls = (prototype: object, names: ReadonlyArray<string>) => {
  for (const name of names) {
    const method = (prototype as Record<string, Method>)[name]!
    Object.defineProperty(prototype, name, {
      value(this: unknown, ...parameters: ReadonlyArray<unknown>) {
        counted.objects++
        return method.apply(this, parameters as Array<unknown>)
      }
    })
  }
}

export class ControlObject extends objects.ControlObject {
  constructor(state: DurableObjectState, env: unknown) {
    super(counting(state, []), env)
  }
}
countCalls(objects.ControlObject.prototype, ["note", "scopeOf", "knows", "scopes"])
countCalls(objects.ScopeObject.prototype, [
  "fetch",
  "find",
  "homeOfMachine",
  "lendMachine",
  "borrowMachine",
  "giveBackMachine",
  "duties"
])

export class ScopeObject extends objects.ScopeObject {
  private readonly works: Array<Promise<unknown>>
  private readonly state: DurableObjectState
  constructor(state: DurableObjectState, env: unknown) {
    const works: Array<Promise<unknown>> = []
    super(counting(state, works), env)
    this.works = works
    this.state = state
  }
  /** What follows an answer is counted with it. */
  override async fetch(request: Request) {
    const response = await super.fetch(request)
    await Promise.all(this.works.splice(0))
    return response
  }
  override async duties() {
    await super.duties()
    await Promise.all(this.works.splice(0))
  }
  /** Runs statements past the server, in one transaction. */
  batch(statements: Extract<Asked, { readonly what: "batch" }>["statements"]) {
    this.state.storage.transactionSync(() => {
      for (const { parameters, text } of statements) this.state.storage.sql.exec(text, ...parameters as Array<string>)
    })
  }
  /** Ends the object, so that the next request wakes it. */
  end() {
    this.state.abort("ended by the test")
  }
}

const { SCOPES } = given as unknown as { readonly SCOPES: DurableObjectNamespace }

const answers = async (asked: Asked): Promise<object> => {
  if (asked.what === "request") {
    now = asked.now
    take()
    const { body, headers, method, path } = asked
    const request = new Request(`http://localhost${path}`, {
      method,
      headers: { ...headers, ...(body === undefined ? {} : { "content-type": "application/json" }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) })
    })
    const response = await objects.default.fetch(request)
    const text = await response.text()
    return { status: response.status, headers: [...response.headers], text, taken: take() }
  }
  const object = SCOPES.getByName(Home.nameOf(asked.scope)) as unknown as ScopeObject
  if (asked.what === "duties") {
    now = asked.now
    take()
    await object.duties()
    return { taken: take() }
  }
  if (asked.what === "batch") await object.batch(asked.statements)
  else await Promise.resolve(object.end()).catch(() => {})
  take()
  return {}
}

export default {
  fetch: async (request: Request) => {
    try {
      return Response.json(await answers(await request.json() as Asked))
    } catch (error) {
      return new Response(String((error as Error).stack), { status: 500 })
    }
  }
}
