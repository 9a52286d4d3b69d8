/** A Worker with both engines: runs a batch on D1 and on the storage of an object, and says what came of it. */
import type { D1Database, DurableObjectNamespace, DurableObjectState } from "@cloudflare/workers-types"
import { DurableObject } from "cloudflare:workers"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { migrations } from "virtual:migrations"
import * as Schema from "../../src/objects/Schema.ts"
import { CurrentCost, Database, isRefusal, isTooBig, noCost, transientFailure } from "../../src/sql/Database.ts"
import * as D1 from "../../src/sql/engine/D1.ts"
import type { Engine } from "../../src/sql/engine/Engine.ts"
import * as ObjectStorage from "../../src/sql/engine/ObjectStorage.ts"
import type { Bound } from "../../src/sql/Statement.ts"
import type { Ran, Sent, Value } from "./Engines.ts"

const valueOf = (value: Value): unknown =>
  "text" in value ? value.text.repeat(value.times ?? 1) : "number" in value ? value.number : valuesOf[value.odd]

const valuesOf = {
  true: true,
  false: false,
  undefined,
  bigint: 9007199254740993n,
  date: new Date(0),
  object: { a: 1 },
  null: null,
  NaN,
  infinity: Infinity,
  bytes: new Uint8Array([1, 2]).buffer
}

const run = (engine: Layer.Layer<Engine>, sent: ReadonlyArray<Sent>, store?: ObjectStorage.Store): Promise<Ran> => {
  const cost = noCost()
  const statements = sent.map(({ text, values = [] }) => ({ text, parameters: values.map(valueOf) }) as Bound)
  return Database.use(({ atomic }) => atomic(statements)).pipe(
    Effect.map((rows): Ran => ({ rows, read: cost.read, written: cost.written })),
    Effect.catch(({ columns }) => Effect.succeed<Ran>({ violates: columns })),
    Effect.catchDefect((defect) =>
      Effect.succeed<Ran>({
        error: String(defect),
        refusal: isRefusal(defect),
        tooBig: isTooBig(defect),
        transient: transientFailure(defect) !== undefined
      })
    ),
    Effect.provideService(CurrentCost, cost),
    Effect.provideContext(Context.make(ObjectStorage.CurrentStore, store) as Context.Context<never>),
    Effect.provide(Database.layer.pipe(Layer.provide(engine))),
    Effect.runPromise
  )
}

export class Stored extends DurableObject {
  private readonly store: ObjectStorage.Store
  constructor(state: DurableObjectState, env: unknown) {
    super(state, env)
    Schema.prepare(state.storage, migrations)
    this.store = { storage: state.storage, written: () => {}, changed: () => undefined }
  }
  run(sent: ReadonlyArray<Sent>) {
    return run(ObjectStorage.layer, sent, this.store)
  }
}

interface Env {
  readonly DB: D1Database
  readonly STORED: DurableObjectNamespace
}

export default {
  async fetch(request: Request, { DB, STORED }: Env): Promise<Response> {
    const sent = await request.json() as ReadonlyArray<Sent>
    const stored = STORED.getByName("only") as unknown as Stored
    return Response.json({ d1: await run(D1.layer(DB), sent), object: await stored.run(sent) })
  }
}
