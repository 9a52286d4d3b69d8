/** What every endpoint and the cron cost in D1, at one depth: round trips, rows read, rows written. */
import { setTimeout as sleep } from "node:timers/promises"
import { launch, type Running } from "../test/support/Launcher.ts"
import { violationsOf } from "../test/support/Leftover.ts"
import { connect } from "../test/support/Wire.ts"
import { setupOf } from "./Case.ts"
import { all } from "./Cases.ts"
import { type Cost, ofAnswer, ofLog } from "./Cost.ts"
import * as Load from "./Load.ts"
import * as Seed from "./Seed.ts"
import * as Storage from "./Storage.ts"

export interface Row {
  /** The endpoint, or the cron. */
  readonly what: string
  readonly variant: string | undefined
  readonly cost: Cost
}

export interface AtDepth extends Seed.Size {
  readonly rows: ReadonlyArray<Row>
  /** How long a request takes when there is no other, by what it does. */
  readonly load: Load.Result
}

export const ExpiredLeases = 1000

/** Collects the log entries of the Worker, and waits for the entry that `is` finds. */
const logs = () => {
  const entries: Array<any> = []
  return {
    log: (line: string) => {
      try {
        entries.push(JSON.parse(line))
      } catch {
        /* workerd's own words */
      }
    },
    cost: async (is: (entry: any) => boolean): Promise<Cost> => {
      for (let tries = 0; tries < 500; tries++) {
        const found = entries.find(is)
        if (found !== undefined) return ofLog(found)
        await sleep(10)
      }
      throw new Error("The Worker logged no cost")
    }
  }
}

const tick = async (server: Running, { cost }: ReturnType<typeof logs>, reaped: number): Promise<Cost> => {
  await server.tick()
  return cost(({ annotations, message }) => String(message) === "cron" && annotations.reaped === reaped)
}

/** Measures on a copy of `empty`, whose database is migrated. */
export const measure = async (code: string, empty: string, size: Seed.Size, seconds: number): Promise<AtDepth> => {
  const storage = Storage.copyOf(empty)
  await Storage.opened(storage, async (database) => {
    await Seed.seed(database, size)
    await Seed.register(database, Load.machines(1))
  })
  const rows: Array<Row> = []

  const running = async (use: (server: Running, log: ReturnType<typeof logs>) => Promise<void>) => {
    const log = logs()
    const server = await launch({ code, storage, env: { LOG_LEVEL: "Info" }, log: log.log })
    try {
      await use(server, log)
    } finally {
      await server.close()
    }
  }

  await running(async (server, log) => {
    const wire = connect(server.base)
    const setup = setupOf(wire.send)
    rows.push({ what: "cron", variant: "with nothing to do", cost: await tick(server, log, 0) })
    for (const { endpoint, method, prepare, status, variant } of all()) {
      const call = { ...await prepare(setup), method }
      const answer = await wire.send(call)
      if (status === undefined ? answer.status > 299 : answer.status !== status) {
        throw new Error(`${endpoint} ${variant ?? ""}: ${answer.status} ${JSON.stringify(answer.body)}`)
      }
      const id = answer.headers["x-request-id"]
      const cost = ofAnswer(answer) ??
        await log.cost(({ annotations }) => annotations?.request_id === id && annotations.d1_trips !== undefined)
      rows.push({ what: endpoint, variant, cost })
    }
    wire.close()
  })
  const load = await Load.of({ code, storage, clients: 1, seconds })
  await Storage.opened(storage, (database) => Seed.expire(database, ExpiredLeases))
  await running(async (server, log) => {
    const cost = await tick(server, log, ExpiredLeases)
    rows.push({ what: "cron", variant: `with ${ExpiredLeases} expired leases`, cost })
  })
  await Storage.opened(storage, ({ raw }) => {
    for (const violation of violationsOf(raw)) throw new Error(`After the requests: ${violation}`)
  })
  return { ...size, rows, load }
}
