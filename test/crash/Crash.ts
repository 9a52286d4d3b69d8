/**
 * workerd killed with SIGKILL in the middle of load, again and again, and started anew on what it left behind. Nothing
 * that was acknowledged may be lost, whatever was not answered can be repeated, and everything comes to its end.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { launch, type Running } from "../support/Launcher.ts"
import { connect } from "../support/Wire.ts"
import * as Chance from "./Chance.ts"
import * as Client from "./Client.ts"
import * as Ledger from "./Ledger.ts"
import * as Repeat from "./Repeat.ts"
import { unfinished, verify } from "./Verify.ts"

const clientCount = 12
// After every kill, this many of the requests that were answered before the one before it are repeated as well.
const oldRepeats = 25
const drainSeconds = 300

export interface Options {
  /** The code of the Worker. */
  readonly code: string
  readonly kills: number
  readonly seed: number
  /** Is told how it goes on, once for every kill. */
  readonly say?: (line: string) => void
}

export interface Report {
  readonly kills: number
  readonly requests: number
  readonly acknowledged: number
  /** How often the answer to a request did not arrive, and how many of those requests carried a key. */
  readonly interrupted: number
  readonly repeated: number
  readonly tasks: Record<string, number>
  readonly lost: ReadonlyArray<string>
  readonly violations: ReadonlyArray<string>
}

export const run = async ({ code, kills, say = () => {}, seed }: Options): Promise<Report> => {
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
  let server: Running | undefined

  const start = async () => {
    // The Worker logs what went wrong, and nothing should.
    const log = (line: string) => {
      if (/"level":"(ERROR|FATAL)"|Uncaught/.test(line)) violations.add(`The Worker logged ${line}`)
    }
    server = await launch({ code, storage, env: { LOG_LEVEL: "Error" }, log })
    return { server, wire: connect(server.base) }
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

  /** What every client without an answer does when the server is back. */
  const catchUp = async (wire: ReturnType<typeof connect>, since: number) => {
    const requests = clients.flatMap(({ unanswered }) => unanswered.splice(0))
    const keyed = ledger.acknowledged.filter(({ request }) => request.key !== undefined)
    const recent = ledger.acknowledged.slice(since).filter(({ request }) => request.key !== undefined)
    const old = Array.from({ length: Math.min(oldRepeats, keyed.length) }, () => chance.pick(keyed))
    repeated += requests.length + recent.length + old.length
    for (const one of await Repeat.unanswered(wire, ledger, requests)) violations.add(one)
    for (const one of await Repeat.answered(wire, ledger, [...recent, ...old])) violations.add(one)
  }

  /** Load until `kill` is due, or for good. */
  const round = async (since: number, number: number) => {
    const { server, wire } = await start()
    await catchUp(wire, since)
    if (number === 0) {
      await wire.send({
        method: "POST",
        path: "/api/v1/orchestrators/register",
        body: { cluster: "c", machine_id: "m", scope: Client.scope }
      })
    }
    const begun = ledger.acknowledged.length
    let over = false
    const playing = Promise.all(clients.map((client) => client.play(wire, () => over)))
    if (number < kills) {
      const due = ledger.requests + chance.between(40, 400)
      while (ledger.requests < due) await sleep(1)
      await sleep(chance.between(0, 10))
      if (chance.next() < 0.2) void server.tick().catch(() => {})
    } else {
      draining = true
      const until = Date.now() + drainSeconds * 1000
      for (let open = 1; open > 0 && Date.now() < until;) {
        await sleep(250)
        const { body } = await wire.send({ method: "GET", path: `/api/v1/scheduler/poll?scope=${Client.scope}` })
        const { claimed, incoming, provisional } = body.queue_counts
        open = claimed + incoming + provisional
      }
      over = true
      await playing
    }
    await kill()
    over = true
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
      say(`${number === kills ? "drained" : `kill ${number + 1}`}: ${requests} requests, ${acknowledged.length} `
        + `acknowledged, ${repeated} repeated, ${lost.size} lost, ${violations.size} violations`)
    }
    for (const one of unfinished(storage)) violations.add(one)
    const tasks = new Map<string, number>()
    return {
      kills,
      requests: ledger.requests,
      acknowledged: ledger.acknowledged.length,
      interrupted: interrupted + ledger.unknown.length,
      repeated,
      tasks: Object.fromEntries(tasks),
      lost: [...lost],
      violations: [...violations]
    }
  } finally {
    await server?.close()
    process.off("exit", clean)
    clean()
  }
}
