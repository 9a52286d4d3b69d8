/** Clients that play lives of tasks as fast as they are answered: each creates one, claims the most urgent, submits, accepts. */
import { launch, type Options as Launch } from "../test/support/Launcher.ts"
import { type Call, connect } from "../test/support/Wire.ts"
import { succeeded } from "./Case.ts"
import { type Cost, none, ofAnswer, plus } from "./Cost.ts"
import * as Life from "./Life.ts"

export interface Result {
  readonly lives: number
  /** How long it took in all, in milliseconds. */
  readonly millis: number
  /** How long each request took, in milliseconds, by what it did. */
  readonly times: Record<Life.Step, ReadonlyArray<number>>
  /** Requests that lost a race, and were made again. */
  readonly conflicts: number
  readonly cost: Cost
}

export const sum = (results: ReadonlyArray<Result>): Result =>
  results.reduce((a, b) => ({
    lives: a.lives + b.lives,
    millis: a.millis + b.millis,
    times: {
      create: a.times.create.concat(b.times.create),
      claim: a.times.claim.concat(b.times.claim),
      submit: a.times.submit.concat(b.times.submit),
      accept: a.times.accept.concat(b.times.accept)
    },
    conflicts: a.conflicts + b.conflicts,
    cost: plus(a.cost, b.cost)
  }))

let last = 0

/** The machines of so many clients, which have to be registered. */
export const machines = (clients: number) => Array.from({ length: clients }, (_, n) => `client-${n}`)

export interface Options {
  /** Where the server is. */
  readonly base: URL
  readonly clients: number
  readonly seconds: number
}

export const run = async ({ base, clients, seconds }: Options): Promise<Result> => {
  const wire = connect(base)
  const times: Record<Life.Step, Array<number>> = { create: [], claim: [], submit: [], accept: [] }
  let [lives, conflicts, cost] = [0, 0, none]
  const ask = async (step: Life.Step, call: Call): Promise<any> => {
    for (;;) {
      const started = performance.now()
      const answer = await wire.send(call)
      times[step].push(performance.now() - started)
      cost = plus(cost, ofAnswer(answer) ?? none)
      if (step !== "claim" || answer.status !== 409) return succeeded(call, answer)
      conflicts += 1
    }
  }
  const started = performance.now()
  await Promise.all(
    machines(clients).map(async (machine) => {
      while (performance.now() - started < seconds * 1000) {
        await ask("create", Life.create(`load-${process.pid}-${++last}`))
        const task: Life.Claimed = await ask("claim", Life.claim(`bench-${machine}`))
        await ask("submit", Life.submit(task))
        await ask("accept", Life.accept(task.id))
        lives += 1
      }
    })
  )
  const millis = performance.now() - started
  wire.close()
  return { lives, millis, times, conflicts, cost }
}

/** The same on a server of its own, after a second in which nothing counts. */
export const of = async (
  { clients, code, seconds, storage }: Pick<Launch, "code" | "storage"> & Omit<Options, "base">
): Promise<Result> => {
  const { base, close } = await launch({ code, storage, env: { LOG_LEVEL: "Error" } })
  try {
    await run({ base, clients, seconds: Math.min(1, seconds) })
    return await run({ base, clients, seconds })
  } finally {
    await close()
  }
}
