/**
 * Kills workerd with SIGKILL under load, again and again, and starts it on the files it left behind. Nothing that was
 * acknowledged may be lost, every unanswered request can be repeated, and every task comes to an end.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import type { Engine } from "../support/Bundle.ts"
import * as Chance from "../support/Chance.ts"
import { launch } from "../support/Launcher.ts"
import * as Served from "../support/Served.ts"
import { connect } from "../support/Wire.ts"
import * as Client from "./Client.ts"
import * as Ledger from "./Ledger.ts"
import * as Repeat from "./Repeat.ts"
import * as Scope from "./Scope.ts"
import { outcome, verify } from "./Verify.ts"

const clientCount = 12
const drainSeconds = 300

export interface Options {
  /** The code of the Worker. `octopoid-server serve` brings its own. */
  readonly code?: string
  /** What is killed: the Worker on D1, unless given. */
  readonly engine?: Engine | "serve"
  readonly kills: number
  readonly seed: number
  /** Reports the progress, once for every kill. */
  readonly say?: (line: string) => void
}

export interface Report {
  readonly kills: number
  readonly requests: number
  readonly acknowledged: number
  /** How often the answer to a request did not arrive, and how many of those requests carried a key. */
  readonly interrupted: number
  readonly repeated: number
  /** How many tasks there are in the end, by queue. */
  readonly tasks: Record<string, number>
  readonly lost: ReadonlyArray<string>
  readonly violations: ReadonlyArray<string>
}

interface Victim {
  readonly base: URL
  readonly headers?: Record<string, string>
  /** Fires the cron, or the alarms. */
  readonly tick: () => Promise<void>
  readonly kill: () => Promise<void>
}

const secret = "a-secret-of-sixteen-and-more"

export const run = async ({ code = "", engine = "d1", kills, say = () => {}, seed }: Options): Promise<Report> => {
  const storage = mkdtempSync(join(tmpdir(), "octopoid-crash-"))
  const clean = () => rmSync(storage, { recursive: true, force: true })
  process.once("exit", clean)
  const chance = Chance.make(seed)
  const ledger = Ledger.make()
  const lost = new Set<string>()
  const violations = new Set<string>()
  let [interrupted, repeated, draining] = [0, 0, false]
  const clients = Array.from({ length: clientCount }, (_, i) =>
    Client.make({
      name: `c${i}`,
      chance: Chance.make(chance.between(0, 2 ** 31)),
      ledger,
      creates: () => !draining,
      violated: (what) => void violations.add(what)
    }))
  let server: Victim | undefined

  // The Worker logs what went wrong, and nothing should.
  const log = (line: string) => {
    if (/"level":"(ERROR|FATAL)"|Uncaught/.test(line)) violations.add(`The Worker logged ${line}`)
  }

  const victim = async (): Promise<Victim> => {
    const env = { LOG_LEVEL: "Error" }
    if (engine !== "serve") return launch({ code, engine, storage, env, log })
    const served = await Served.launch({ data: storage, env: { ...env, API_SECRET_KEY: secret }, log })
    // Its alarms ring by themselves.
    return { ...served, headers: { authorization: `Bearer ${secret}` }, tick: async () => {} }
  }

  const start = async () => {
    server = await victim()
    return { server, wire: connect(server.base, server.headers) }
  }

  const kill = async () => {
    await server?.kill()
    server = undefined
  }

  const check = () => {
    const found = verify(storage, ledger)
    for (const one of found.lost) lost.add(one)
    for (const one of found.violations) violations.add(one)
  }

  /** Load until `kill` is due, or for good. */
  const round = async (since: number, number: number) => {
    const { server, wire } = await start()
    const unanswered = clients.flatMap((client) => client.unanswered.splice(0))
    const again = await Repeat.catchUp(wire, ledger, { chance, since, unanswered })
    repeated += again.repeated
    for (const one of again.wrong) violations.add(one)
    if (number === 0) await wire.send(Scope.register)
    const begun = ledger.acknowledged.length
    const state = { over: false, silent: false }
    const playing = Promise.all(clients.map((client) => client.play(wire, () => state.over))).then(() => {
      state.silent = true
    })
    if (number < kills) {
      const due = ledger.requests + chance.between(40, 400)
      while (ledger.requests < due && !state.silent) await sleep(1)
      await sleep(chance.between(0, 10))
      if (chance.next() < 0.2) void server.tick().catch(() => {})
    } else {
      draining = true
      const until = Date.now() + drainSeconds * 1000
      while (!state.silent && Date.now() < until && await Scope.open(wire) > 0) await sleep(250)
    }
    if (state.silent) violations.add("The server ceased to answer before it was killed")
    if (draining) {
      state.over = true
      await playing
    }
    await kill()
    state.over = true
    await playing
    wire.close()
    interrupted += clients.filter(({ unanswered }) => unanswered.length > 0).length
    check()
    return begun
  }

  try {
    let since = 0
    for (let number = 0; number <= kills; number++) {
      since = await round(since, number)
      const { acknowledged, requests } = ledger
      say(
        `${number === kills ? "drained" : `kill ${number + 1}`}: ${requests} requests, ${acknowledged.length} `
          + `acknowledged, ${repeated} repeated, ${lost.size} lost, ${violations.size} violations`
      )
    }
    const { tasks, unfinished } = outcome(storage)
    for (const one of unfinished) violations.add(one)
    return {
      kills,
      requests: ledger.requests,
      acknowledged: ledger.acknowledged.length,
      interrupted: interrupted + ledger.unknown.length,
      repeated,
      tasks,
      lost: [...lost],
      violations: [...violations]
    }
  } finally {
    await server?.kill()
    process.off("exit", clean)
    clean()
  }
}
