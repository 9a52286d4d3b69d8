/** A fresh, migrated, in-memory database with every service on it. */
import type { D1Database } from "@cloudflare/workers-types"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import { readdirSync, readFileSync } from "node:fs"
import { Access } from "../../src/services/access/Access.ts"
import { FailureLimit } from "../../src/services/access/FailureLimit.ts"
import { Keys } from "../../src/services/access/Keys.ts"
import { Dependencies } from "../../src/services/dependency/Dependencies.ts"
import { D1Costs } from "../../src/services/feed/D1Costs.ts"
import { Deliveries } from "../../src/services/feed/Deliveries.ts"
import { Events } from "../../src/services/feed/Events.ts"
import { Metrics } from "../../src/services/feed/Metrics.ts"
import { Overviews } from "../../src/services/feed/Overview.ts"
import { Webhooks } from "../../src/services/feed/Webhooks.ts"
import { Flows } from "../../src/services/flow/Flows.ts"
import { Leases } from "../../src/services/lease/Leases.ts"
import { Parks } from "../../src/services/lease/Parks.ts"
import { Orchestrators } from "../../src/services/machine/Orchestrators.ts"
import { Roles } from "../../src/services/machine/Roles.ts"
import { Scheduler } from "../../src/services/machine/Scheduler.ts"
import { Maintenance } from "../../src/services/Maintenance.ts"
import { Actions } from "../../src/services/record/Actions.ts"
import { BreakerSwitches } from "../../src/services/record/Breakers.ts"
import { Drafts } from "../../src/services/record/Drafts.ts"
import { Messages } from "../../src/services/record/Messages.ts"
import { Projects } from "../../src/services/record/Projects.ts"
import { UsageSums } from "../../src/services/record/Usage.ts"
import { environment, KeyLifetimeLayer, Settings } from "../../src/services/Settings.ts"
import { TaskQueue } from "../../src/services/task/TaskQueue.ts"
import { Export } from "../../src/services/transfer/Export.ts"
import { Import } from "../../src/services/transfer/Import.ts"
import { Database } from "../../src/sql/Database.ts"
import * as D1 from "../../src/sql/engine/D1.ts"
import * as NodeD1 from "./NodeD1.ts"

const directory = new URL("../../migrations/", import.meta.url)
/** The SQL of the migrations, in order. */
export const migrations = readdirSync(directory).sort().map((file) => readFileSync(new URL(file, directory), "utf8"))

const databaseOn = (open: () => D1Database) =>
  Layer.unwrap(Effect.sync(() => Database.layer.pipe(Layer.provide(D1.layer(open())))))

/** Declarations that the types of Node 24.0 lack. */
interface Copied {
  readonly serialize: () => Uint8Array
  readonly deserialize: (image: Uint8Array) => void
}

let image: Uint8Array | undefined

/** A database after its migrations. Running them takes ten milliseconds, copying the result half of one. */
const afterMigrations = () => {
  const { raw } = NodeD1.make()
  for (const migration of migrations) raw.exec(migration)
  return (raw as unknown as Copied).serialize()
}

/** A migrated database. */
export const migrated = () => {
  const database = NodeD1.make()
  ;(database.raw as unknown as Copied).deserialize(image ??= afterMigrations())
  return database
}

/** Every service, configured by `config` as the Worker's environment would, on a database of its own unless one is given. */
export const servicesWith = (config: Record<string, string>, open: () => D1Database = () => migrated().db) =>
  Layer.mergeAll(
    Access.layer.pipe(Layer.provide(FailureLimit.layerMemory)),
    Keys.layer,
    TaskQueue.layer,
    Dependencies.layer,
    Events.layer,
    D1Costs.layer,
    Deliveries.layer,
    Webhooks.layer,
    Overviews.layer,
    Metrics.layer,
    Leases.layer,
    Maintenance.layer,
    Orchestrators.layer,
    Parks.layer,
    Drafts.layer,
    Projects.layer,
    Messages.layer,
    Actions.layer,
    Flows.layer,
    Roles.layer,
    Scheduler.layer,
    UsageSums.layer,
    BreakerSwitches.layer,
    Import.layer,
    Export.layer
  ).pipe(
    Layer.provideMerge(Layer.mergeAll(databaseOn(open), KeyLifetimeLayer)),
    Layer.provideMerge(Settings.layer),
    Layer.provide(ConfigProvider.layer(environment(config))),
    Layer.provideMerge(Logger.layer([]))
  )

export const ServicesLayer = servicesWith({})
