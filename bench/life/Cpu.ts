/**
 * The CPU of the server for one life of a task (create, claim, submit, accept), without workerd and without a socket, beside the
 * version before its statements became constant. Both run on SQLite in process, each in a process of its own, and take turns: what
 * else the machine does slows both, so the ratio is what counts.
 */
import { type ChildProcess, fork } from "node:child_process"
import { join } from "node:path"
import { quantile } from "../../scripts/prove/soak/Windows.ts"
import { root } from "../../test/support/Bundle.ts"
import * as Before from "./Before.ts"
import { type Part, parts, type Shares } from "./Profile.ts"
import type { Order, Request, Texts } from "./Subject.ts"

export const versions = ["this version", "before"] as const
export type Version = typeof versions[number]

export interface Options {
  readonly rounds: number
  /** How many lives are played in a round. */
  readonly lives: number
}

export interface Found {
  readonly rounds: number
  readonly lives: number
  /** Milliseconds of CPU for one life, in each round: statements are prepared once and kept. */
  readonly life: Record<Version, ReadonlyArray<number>>
  /** Milliseconds that SQLite takes to prepare all statements of one life, in each round. */
  readonly prepare: Record<Version, ReadonlyArray<number>>
  /** The same for each request, once. */
  readonly prepareEach: Record<Version, Readonly<Record<Request, number>>>
  readonly texts: Record<Version, Readonly<Record<Request, Texts>>>
  /** Where the CPU time of a life goes. */
  readonly profile: Record<Version, Shares>
}

const median = (values: ReadonlyArray<number>) => quantile(values, 0.5)

const start = async (directory: string) => {
  const child: ChildProcess = fork(join(import.meta.dirname, "Subject.ts"), [directory], {
    stdio: ["ignore", "inherit", "inherit", "ipc"]
  })
  const next = () =>
    new Promise<any>((resolve, reject) => {
      const ended = (code: number | null) => reject(new Error(`bench/life/Subject.ts ended with ${code}`))
      child.once("exit", ended)
      child.once("message", (message: { readonly value?: unknown; readonly error?: string }) => {
        child.off("exit", ended)
        if (message.error === undefined) resolve(message.value)
        else reject(new Error(message.error))
      })
    })
  await next()
  return {
    ask: (order: Order): Promise<any> => {
      const answer = next()
      child.send(order)
      return answer
    },
    stop: () => child.disconnect()
  }
}

export const run = async ({ lives, rounds }: Options): Promise<Found> => {
  const subjects = { "this version": await start(root), before: await start(Before.unpack()) }
  const each = async <A>(order: Order): Promise<Record<Version, A>> => ({
    "this version": await subjects["this version"].ask(order),
    before: await subjects.before.ask(order)
  })
  try {
    const texts = await each<Record<Request, Texts>>({ texts: true })
    // Compilation that happens while it runs is not counted.
    await each({ lives: 2 * lives })
    await each({ prepare: 20 })
    const life: Record<Version, Array<number>> = { "this version": [], before: [] }
    const prepare: Record<Version, Array<number>> = { "this version": [], before: [] }
    for (let round = 0; round < rounds; round++) {
      // Neither is always first.
      for (const version of round % 2 === 0 ? versions : versions.toReversed()) {
        life[version].push(await subjects[version].ask({ lives }))
        prepare[version].push(await subjects[version].ask({ prepare: 15 }))
      }
    }
    return {
      rounds,
      lives,
      life,
      prepare,
      prepareEach: await each({ prepareEach: 30 }),
      texts,
      profile: await each({ profile: 3 * lives })
    }
  } finally {
    for (const version of versions) subjects[version].stop()
  }
}

const table = (head: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>) =>
  [head, head.map((_, n) => n === 0 ? "---" : "--:"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n")

const count = (value: number) => value.toLocaleString("en")
const millis = (value: number) => value.toFixed(2)
const percent = (share: number) => `${(100 * share).toFixed(1)} %`

const ratios = (of: Record<Version, ReadonlyArray<number>>) =>
  of["this version"].map((value, n) => value / of.before[n]!)

interface Row {
  readonly name: string
  readonly own: number
  readonly before: number
  readonly shown: (value: number) => string
  readonly target?: string
  readonly met?: boolean
  readonly ratio?: number
}

const rowsOf = ({ life, prepare, prepareEach, texts }: Found): ReadonlyArray<Row> => {
  const of = (one: Request, figure: keyof Texts) => ({
    own: texts["this version"][one][figure],
    before: texts.before[one][figure],
    shown: count
  })
  const most = (one: Request, figure: keyof Texts, target: number): Row => ({
    name: `${one}: ${figure}`,
    ...of(one, figure),
    target: `≤ ${count(target)}`,
    met: of(one, figure).own <= target
  })
  const cpu = median(ratios(life))
  const own = median(prepare["this version"])
  return [
    {
      name: "server CPU a life, ms",
      own: median(life["this version"]),
      before: median(life.before),
      ratio: cpu,
      shown: millis,
      target: "≤ 0.6 × before",
      met: cpu <= 0.6
    },
    {
      name: "prepare a life, ms",
      own,
      before: median(prepare.before),
      ratio: median(ratios(prepare)),
      shown: millis,
      target: "≤ 2 ms, where before takes 5.3",
      // On a slower machine both take longer.
      met: median(ratios(prepare)) <= 2 / 5.3
    },
    ...(["create", "claim", "submit", "requeue", "accept"] as const).map((one): Row => ({
      name: `${one}: prepare, ms`,
      own: prepareEach["this version"][one],
      before: prepareEach.before[one],
      shown: millis
    })),
    { name: "create: characters", ...of("create", "characters") },
    most("claim", "characters", 5000),
    most("claim", "parameters", 40),
    most("submit", "characters", 6000),
    { name: "submit: parameters", ...of("submit", "parameters") },
    most("requeue", "characters", 8000),
    { name: "requeue: parameters", ...of("requeue", "parameters") },
    { name: "accept: characters", ...of("accept", "characters") },
    { name: "accept: parameters", ...of("accept", "parameters") }
  ]
}

/** The figures beside their targets. */
export const figures = (found: Found): string =>
  table(
    ["", "this version", `before (${Before.commit})`, "ratio", "target", "met"],
    rowsOf(found).map(({ before, met, name, own, ratio = own / before, shown, target = "" }) => [
      name,
      shown(own),
      shown(before),
      ratio.toFixed(2),
      target,
      met === undefined ? "" : met ? "yes" : "**no**"
    ])
  )

const range = (values: ReadonlyArray<number>) =>
  `${Math.min(...values).toFixed(2)} to ${Math.max(...values).toFixed(2)}`

/** How far the rounds lie apart. */
export const spread = ({ life, lives, prepare, rounds }: Found): string => {
  return `${rounds} rounds of ${lives} lives for each version, in turn. The figures are medians; the ratio is the median of the rounds' ratios, `
    + `which lay from ${range(ratios(life))} for CPU and from ${range(ratios(prepare))} for prepare.`
}

/** Where the CPU of a life goes: milliseconds for each part, from the share that a profile found. */
export const shares = ({ life, profile }: Found): string => {
  const of = (version: Version, part: Part) => profile[version].parts[part]
  const cell = (version: Version, part: Part) =>
    `${millis(of(version, part) * median(life[version]))} (${percent(of(version, part))})`
  return table(
    ["part", "this version, ms a life", "before, ms a life"],
    parts.map((part) => [part, cell("this version", part), cell("before", part)])
  )
}

/** The functions of this version with the most time of their own. */
export const functions = ({ profile }: Found): string =>
  table(
    ["function", "part", "share"],
    profile["this version"].functions.map(({ name, part, share }) => [`\`${name}\``, part, percent(share)])
  )

/** All of it, as a part of the results. */
export const report = (found: Found): string =>
  `The server in process, on \`node:sqlite\`, without workerd and without a socket; beside it the version before its statements became
constant, built from git in the same run. A life is a create, a claim, a submit and an accept. "Server CPU" counts the whole
process, with statements that are prepared once and kept. "Prepare" is what SQLite takes to prepare the statements of one life
anew. ${spread(found)}

${figures(found)}

Where the CPU of a life goes, from a profile of each version:

${shares(found)}

The functions of this version that take the most time of their own:

${functions(found)}`
