/**
 * The same lives of tasks on both engines, side by side: both servers stay up and take turns, so that other work of the machine
 * slows both. One scope, which on Durable Objects is one object.
 */
import { quantile } from "../scripts/prove/soak/Windows.ts"
import { build, type Engine } from "../test/support/Bundle.ts"
import { launch } from "../test/support/Launcher.ts"
import { connect } from "../test/support/Wire.ts"
import { scope, succeeded } from "./Case.ts"
import * as Load from "./Load.ts"
import { table } from "./Report.ts"
import * as Storage from "./Storage.ts"

const engines = ["d1", "objects"] as const satisfies ReadonlyArray<Engine>

export interface Options {
  /** How many clients there are at once, in turn. */
  readonly clients: ReadonlyArray<number>
  readonly rounds: number
  /** How long each engine has in each round. */
  readonly seconds: number
}

interface Found extends Load.Result {
  /** The processor time of workerd, in milliseconds. */
  readonly busy: number
}

export interface Comparison {
  readonly rounds: number
  readonly seconds: number
  readonly results: ReadonlyArray<{ readonly clients: number; readonly of: Record<Engine, Found> }>
}

const start = async (engine: Engine, clients: number) => {
  const server = await launch({
    code: await build(engine),
    engine,
    storage: Storage.directory(),
    env: { LOG_LEVEL: "Error" }
  })
  const wire = connect(server.base)
  for (const machine_id of Load.machines(clients)) {
    const call = {
      method: "POST",
      path: "/api/v1/orchestrators/register",
      body: { scope, cluster: "bench", machine_id }
    } as const
    succeeded(call, await wire.send(call))
  }
  wire.close()
  return server
}

export const run = async ({ clients, rounds, seconds }: Options): Promise<Comparison> => {
  const most = Math.max(...clients)
  const running = { d1: await start("d1", most), objects: await start("objects", most) }
  try {
    const results = []
    for (const count of clients) {
      const of: Record<Engine, Array<Found>> = { d1: [], objects: [] }
      for (const engine of engines) {
        await Load.run({ base: running[engine].base, clients: count, seconds: Math.min(1, seconds) })
      }
      for (let round = 0; round < rounds; round++) {
        // Nobody is always first.
        for (const engine of round % 2 === 0 ? engines : engines.toReversed()) {
          const before = running[engine].busy() ?? 0
          const found = await Load.run({ base: running[engine].base, clients: count, seconds })
          of[engine].push({ ...found, busy: (running[engine].busy() ?? 0) - before })
        }
      }
      const summed = (all: ReadonlyArray<Found>): Found => ({
        ...Load.sum(all),
        busy: all.reduce((sum, { busy }) => sum + busy, 0)
      })
      results.push({ clients: count, of: { d1: summed(of.d1), objects: summed(of.objects) } })
    }
    return { rounds, seconds, results }
  } finally {
    for (const engine of engines) await running[engine].close()
  }
}

const names = { d1: "D1", objects: "Durable Objects" } as const

export const report = ({ results, rounds, seconds }: Comparison): string =>
  [
    `${rounds} rounds of ${seconds} s for each engine, in turn, in workerd; one scope, which was empty.`,
    "",
    table(
      ["clients", "engine", "lives/s", "request p50", "request p99", "CPU of a life"],
      results.flatMap(({ clients, of }) =>
        engines.map((engine) => {
          const { busy, lives, millis, times } = of[engine]
          const all = Object.values(times).flat()
          return [
            String(clients),
            names[engine],
            (lives / millis * 1000).toFixed(1),
            `${quantile(all, 0.5).toFixed(1)} ms`,
            `${quantile(all, 0.99).toFixed(1)} ms`,
            `${(busy / lives).toFixed(1)} ms`
          ]
        })
      ),
      2
    )
  ].join("\n")
