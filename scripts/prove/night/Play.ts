/** The night itself: serve and its kills, the hands and theirs, and what a person does with the command meanwhile. */
import { mkdirSync, readdirSync, readFileSync } from "node:fs"
import { createServer } from "node:net"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import * as Chance from "../../../test/support/Chance.ts"
import type { Line } from "./hands/journal.ts"
import type { Installed } from "./Package.ts"
import * as Processes from "./Processes.ts"
import * as Receiver from "./Receiver.ts"

export const scope = "night"

/** The events that the webhook asks for. */
export const sent = ["rejected", "failed", "dependency_failed", "asked", "answered"]

const settings = { WEBHOOK_ALLOW_PRIVATE: "true", BACKOFF_SECONDS: "1", BACKOFF_MAX_SECONDS: "3" }

/** How long the work, the readers and the webhook may take to come to their end, in milliseconds. */
const MaxDrain = 300_000

/** A start that is refused is tried again, as systemd would, at most so often. */
const MaxStarts = 20

export interface Reply {
  readonly question: string
  readonly content: string
  /** The id of the message; undefined if the command got no answer. */
  readonly id: string | undefined
}

export interface Night {
  readonly journal: ReadonlyArray<Line>
  readonly replies: ReadonlyArray<Reply>
  /** The files of the two exports. */
  readonly middle: string
  readonly last: string
  /** The tasks whose creation was acknowledged before the first export began. */
  readonly before: ReadonlySet<string>
  readonly latest: number
  readonly read: ReadonlyArray<number>
  readonly watched: ReadonlyArray<number>
  readonly delivered: ReadonlyArray<number>
  readonly refusedMessages: number
  readonly left: ReadonlyArray<
    { readonly task_id: string; readonly fencing_token: number; readonly verb: string; readonly refused: string | null }
  >
  /** The tasks as the API lists them. */
  readonly listed: ReadonlyArray<{ readonly id: string; readonly queue: string; readonly version: number }>
  readonly earlyKills: number
  readonly wholeKills: number
  readonly refusedStarts: number
  readonly handKills: number
  readonly seconds: number
}

const freePort = () =>
  new Promise<number>((done) => {
    const server = createServer()
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo
      server.close(() => done(port))
    })
  })

/** The whole lines of a file. */
const linesOf = (file: string): ReadonlyArray<any> => {
  const text = readFileSync(file, "utf8")
  return text.slice(0, text.lastIndexOf("\n") + 1).split("\n").filter((line) => line !== "").map((line) =>
    JSON.parse(line)
  )
}

export const journalOf = (folder: string): ReadonlyArray<Line> =>
  readdirSync(folder).sort().flatMap((file) => linesOf(join(folder, file)))

const created = (journal: ReadonlyArray<Line>) =>
  journal.flatMap((line) =>
    line.kind === "answer" && line.status === 201 && line.path === "/api/v1/tasks" ? [String(line.body.id)] : []
  )

export interface Options {
  readonly kills: number
  readonly seed: number
  readonly installed: Installed
  readonly say: (what: string) => void
  readonly wrong: (what: string) => void
}

export const play = async ({ installed, kills, say, seed, wrong }: Options): Promise<Night> => {
  const started = Date.now()
  const chance = Chance.make(seed)
  const { folder } = installed
  const data = join(folder, "data")
  const journal = join(folder, "journal")
  mkdirSync(journal)
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const receiver = await Receiver.open(Chance.make(chance.between(0, 2 ** 31)), wrong)
  const log = (said: string) => {
    for (const line of said.split("\n")) {
      if (/"level":"(ERROR|FATAL)"|Uncaught/.test(line)) wrong(`The server logged ${line}`)
    }
  }
  let server: Processes.Server | undefined
  let refusedStarts = 0
  const begin = () => server = Processes.serve(installed, { data, log, port, settings })
  /** Starts serve until it is ready. One that is refused, because the last one is not gone yet, is started again. */
  const up = async () => {
    for (let n = 0; n < MaxStarts; n++) {
      if (await begin().ready !== undefined) return
      refusedStarts++
      await sleep(200)
    }
    throw new Error("The server does not start again.")
  }

  await up()
  const secret = readFileSync(join(data, "admin.key"), "utf8").trim()
  const person = {
    OCTOPOID_URL: url,
    OCTOPOID_API_KEY: secret,
    OCTOPOID_SCOPE: scope,
    OCTOPOID_ACTOR: "eve"
  }
  const octopoid = (...args: ReadonlyArray<string>) => Processes.untilDone(installed, person, args)
  const api = async (path: string): Promise<any> => {
    const answer = await fetch(`${url}/api/v1/${path}${path.includes("?") ? "&" : "?"}scope=${scope}`, {
      headers: { authorization: `Bearer ${secret}` }
    })
    if (answer.status !== 200) throw new Error(`GET ${path} was answered ${answer.status}: ${await answer.text()}`)
    return answer.json()
  }
  const { api_key } = await octopoid("keys", "create", "workers", "--rank", "work", "--json")
  const hook = await octopoid("hooks", "add", receiver.url, "--types", sent.join(","), "--json")
  receiver.secret = hook.secret

  const hand = (program: string, name: string, more: Readonly<Record<string, unknown>> = {}) =>
    Processes.hand(installed, program, { name, url, key: secret, scope, seed, journal, ...more }, wrong)
  const builder = (name: string, machine: string, more = {}) =>
    hand("worker", name, { key: api_key, machine, types: ["code"], concurrency: 3, sockets: true, ...more })
  const reviewer = (name: string, machine: string, more = {}) =>
    hand("worker", name, { machine, queue: "provisional", concurrency: 4, ...more })
  const planner = hand("planner", "planner")
  const long = builder("ann-long", "tower", { types: ["long"], concurrency: 1, leaseSeconds: 150, sockets: false })
  const reader = hand("reader", "reader")
  const workers = [
    builder("ann", "tower"),
    builder("bob", "laptop"),
    builder("cid", "laptop"),
    reviewer("rae", "desk"),
    reviewer("sam", "tower", { sockets: true }),
    long
  ]
  const hands = [...workers, reader]
  for (const one of [planner, ...hands]) one.start()
  const watched = join(folder, "watched.jsonl")
  const watch = Processes.watch(installed, person, watched)

  // Until `morning` hands are killed, and until `over` they are started again.
  const state = { morning: false, over: false, handKills: 0 }
  const replies: Array<Reply> = []
  const restarts = (async () => {
    while (!state.over) {
      for (const one of hands) if (!one.isAlive()) one.start()
      await sleep(chance.between(200, 1500))
    }
  })()
  const killing = (async () => {
    // A lease of the long worker goes on, so it resumes the task that it held.
    while (!state.morning && !journalOf(journal).some((line) => line.kind === "answer" && isLongClaim(line))) {
      await sleep(200)
    }
    await sleep(500)
    await long.kill()
    state.handKills++
    for (;;) {
      await sleep(chance.between(2500, 6000))
      if (state.morning) return
      await chance.pick(hands.filter((one) => one !== long)).kill()
      state.handKills++
    }
  })()
  const answering = (async () => {
    const done = new Set<string>()
    while (!state.over) {
      await sleep(500)
      const { code, out } = await Processes.command(installed, person, ["inbox", "--json"])
      if (code !== 0) continue
      for (const { id, task_id } of JSON.parse(out).items) {
        if (done.has(id)) continue
        const content = `Go left with ${task_id} (${replies.length}).`
        const said = await Processes.command(installed, person, ["reply", id, content, "--json"])
        replies.push({ question: id, content, id: said.code === 0 ? JSON.parse(said.out).id : undefined })
        if (said.code === 0) done.add(id)
      }
    }
  })()

  let [earlyKills, wholeKills] = [0, 0]
  const middle = join(folder, "middle.jsonl")
  let exported: Promise<unknown> | undefined
  let before: ReadonlySet<string> = new Set()
  for (let n = 1; n <= kills; n++) {
    // Some kills come while the server starts.
    let early = n > 1 && chance.happens(0.35)
    if (early) {
      const { ready } = begin()
      const isReady = ready.then(() => true)
      await sleep(chance.between(0, 1800))
      early = !await Promise.race([isReady, sleep(0, false)])
      if (early) earlyKills++
    } else {
      if (n > 1) await up()
      await sleep(chance.between(1500, 7000))
    }
    if (exported === undefined && n > kills / 2) {
      before = new Set(created(journalOf(journal)))
      exported = octopoid("export", "--all-scopes", "--out", middle, "--json")
      // It is awaited below, after the kills.
      exported.catch(() => {})
      await sleep(chance.between(0, 1200))
    }
    const whole = chance.happens(0.5)
    if (whole) wholeKills++
    await Processes.kill(server!, data, whole)
    say(`kill ${n}${early ? ", before it was ready" : ""}: ${created(journalOf(journal)).length} tasks created`)
    await sleep(chance.between(0, 800))
  }
  await up()
  state.morning = true
  await exported

  /** Waits until it is so, as long as the end of the night may take. */
  const until = async (what: string, isSo: () => Promise<boolean>) => {
    say(`${((Date.now() - started) / 1000).toFixed(0)} s: waits until ${what}`)
    for (const end = Date.now() + MaxDrain; !await isSo(); await sleep(500)) {
      if (Date.now() > end) return wrong(`This has not come about in ${MaxDrain / 1000} s: ${what}`)
    }
  }
  if (await planner.stop() !== 0) wrong("The planner did not end in order.")
  await until("every task is done or failed", async () => {
    const { total } = await api("tasks?queue=incoming,claimed,provisional&limit=1&content=false")
    return total === 0
  })
  state.over = true
  await Promise.all([killing, answering, restarts])
  for (const one of hands) if (!one.isAlive()) one.start()
  for (const one of workers) if (await one.stop() !== 0) wrong(`${one.name} did not end in order.`)
  const { latest } = await api("events?after=latest")
  const readSeqs = () =>
    linesOf(join(folder, "own", "reader", "pages.jsonl")).flatMap(({ seqs }) => seqs as Array<number>)
  const watchedSeqs = () => linesOf(watched).map(({ seq }) => seq as number)
  await until("the reader has the whole feed", async () => (readSeqs().at(-1) ?? 0) >= latest)
  await until("watch has shown the whole feed", async () => (watchedSeqs().at(-1) ?? 0) >= latest)
  await until("the webhook has got its events", async () => (await api(`webhooks/${hook.id}`)).position >= latest)
  await reader.stop()
  await watch.stop()
  const left = []
  for (const { name } of workers) {
    left.push(...await Processes.ask(installed, "left", { own: join(folder, "own", name) }))
  }
  const listed = []
  for (let cursor: string | null = ""; cursor !== null;) {
    const page: any = await api(`tasks?limit=500&content=false${cursor === "" ? "" : `&cursor=${cursor}`}`)
    listed.push(...page.tasks)
    cursor = page.next_cursor
  }
  const last = join(folder, "last.jsonl")
  await octopoid("export", "--all-scopes", "--out", last, "--json")
  await stopped(server!, data, wrong)
  receiver.close()
  return {
    journal: journalOf(journal),
    replies,
    middle,
    last,
    before,
    latest,
    read: readSeqs(),
    watched: watchedSeqs(),
    delivered: receiver.accepted,
    refusedMessages: receiver.refused(),
    left,
    listed,
    earlyKills,
    wholeKills,
    refusedStarts,
    handKills: state.handKills,
    seconds: (Date.now() - started) / 1000
  }
}

const isLongClaim = ({ body, path, status }: Extract<Line, { readonly kind: "answer" }>) =>
  path === "/api/v1/tasks/claim" && status === 200 && body.type === "long"

/** Stops serve as Ctrl-C does. Its folder is then free. */
const stopped = async (server: Processes.Server, data: string, wrong: (what: string) => void) => {
  process.kill(-server.child.pid!, "SIGINT")
  await server.ended
  // The command that npx has started may end a moment after it.
  for (const end = Date.now() + 10_000; locks(data).length > 0 && Date.now() < end;) await sleep(100)
  if (locks(data).length > 0) wrong(`A stop has left ${locks(data).join(", ")} in the folder.`)
}

const locks = (data: string) => readdirSync(data).filter((name) => /^lock-|\.pid$/.test(name))

/** Brings an export into a server on an empty folder, and answers the file of the export that this one makes. */
export const restored = async (
  { installed, wrong }: Options,
  file: string,
  name: string
): Promise<string> => {
  const data = join(installed.folder, name)
  const port = await freePort()
  const server = Processes.serve(installed, { data, log: () => {}, port, settings })
  if (await server.ready === undefined) throw new Error("The server for the restore does not start.")
  const person = {
    OCTOPOID_URL: `http://127.0.0.1:${port}`,
    OCTOPOID_API_KEY: readFileSync(join(data, "admin.key"), "utf8").trim()
  }
  try {
    await Processes.untilDone(installed, person, ["restore", "--file", file, "--json"])
    const again = join(installed.folder, `${name}.jsonl`)
    await Processes.untilDone(installed, person, ["export", "--all-scopes", "--out", again, "--json"])
    return again
  } finally {
    await stopped(server, data, wrong)
  }
}
