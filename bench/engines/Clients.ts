/**
 * Many clients in a process of their own, so that their processor time is not the server's. Each plays lives of tasks as fast as
 * it is answered, and each life is in the next of the scopes. `Matrix.ts` starts the process and sends it one order.
 */
import { quantile } from "../../scripts/prove/soak/Windows.ts"
import { type Call, connect } from "../../test/support/Wire.ts"
import * as Life from "../Life.ts"

export interface Scope {
  readonly name: string
  /** A key of the scope, as a worker has one. */
  readonly key: string
}

export interface Order {
  readonly base: string
  readonly scopes: ReadonlyArray<Scope>
  /** Where the machine of the clients is registered, in each scope. */
  readonly machine: string
  /** Begins the ids of the tasks. */
  readonly prefix: string
  readonly clients: number
  /** No client begins a life after so many seconds. Lives that began are played to their end. */
  readonly seconds: number
  /** If given, so many lives are played instead, however long they take. */
  readonly lives?: number
}

export interface Times {
  readonly p50: number
  readonly p99: number
}

export interface Result {
  readonly lives: number
  readonly requests: number
  /** How long it took in all, in milliseconds. */
  readonly millis: number
  /** In milliseconds. */
  readonly life: Times
  readonly request: Times
  /** How often each problem occurred: a status with its tag, or an error of the connection. Each ended a life. */
  readonly errors: Readonly<Record<string, number>>
}

/** After so long without an answer a client gives up. The typed client waits as long for a claim that waits. */
const MaxAnswerMillis = 60_000

/** How long a client that met an error waits, so that errors are not counted faster than answers. */
const PauseMillis = 200

const sleep = (millis: number) => new Promise((done) => setTimeout(done, millis))

const timesOf = (millis: ReadonlyArray<number>): Times => ({ p50: quantile(millis, 0.5), p99: quantile(millis, 0.99) })

export const play = async ({ base, clients, lives, machine, prefix, scopes, seconds }: Order): Promise<Result> => {
  const wire = connect(new URL(base), {}, { maxSilence: MaxAnswerMillis })
  const [lifeTimes, requestTimes]: [Array<number>, Array<number>] = [[], []]
  const errors: Record<string, number> = {}
  let begun = 0

  /** Answers the body, or nothing if there was an error. */
  const ask = async ({ key }: Scope, call: Call): Promise<any> => {
    const started = performance.now()
    let problem: string
    try {
      const { body, status } = await wire.send({ ...call, headers: { authorization: `Bearer ${key}` } })
      requestTimes.push(performance.now() - started)
      if (status >= 200 && status < 300) return body
      problem = `${status} ${body?._tag ?? ""}`.trim()
    } catch (error) {
      problem = error instanceof Error ? (error as NodeJS.ErrnoException).code ?? error.message : String(error)
    }
    errors[problem] = (errors[problem] ?? 0) + 1
    await sleep(PauseMillis)
    return undefined
  }

  const live = async (number: number, client: string): Promise<void> => {
    const scope = scopes[number % scopes.length]!
    const started = performance.now()
    const created = await ask(scope, Life.create(`${prefix}-${number}`, scope.name))
    if (created === undefined) return
    const task: Life.Claimed | undefined = await ask(scope, Life.claim(machine, scope.name, client))
    if (task === undefined) return
    if (await ask(scope, Life.submit(task)) === undefined) return
    if (await ask(scope, Life.accept(task.id)) === undefined) return
    lifeTimes.push(performance.now() - started)
  }

  // Connections last, so they are opened before the time counts.
  await Promise.all(Array.from({ length: clients }, () => wire.send({ method: "GET", path: "/api/health" })))

  const started = performance.now()
  const goesOn = () => lives === undefined ? performance.now() - started < seconds * 1000 : begun < lives
  await Promise.all(
    Array.from({ length: clients }, async (_, client) => {
      while (goesOn()) await live(begun++, `client-${client}`)
    })
  )
  const millis = performance.now() - started
  wire.close()
  return {
    lives: lifeTimes.length,
    requests: requestTimes.length,
    millis,
    life: timesOf(lifeTimes),
    request: timesOf(requestTimes),
    errors
  }
}

// Started by `Matrix.ts`.
if (process.argv[1] === import.meta.filename) {
  process.once("message", (order: Order) => {
    void play(order).then((result) => process.send!(result, () => process.disconnect()))
  })
}
