/**
 * The built Worker on workerd with its databases in a directory, reached through workerd's own socket: nothing of
 * `wrangler dev` is in the way. The directory outlives workerd, also when that is killed. Only on the loopback interface.
 */
import type { D1Database } from "@cloudflare/workers-types"
import { convertV4MiniflareOptions, Miniflare, type V4MiniflareOptions } from "miniflare"
import type { ChildProcess } from "node:child_process"
import { subscribe, unsubscribe } from "node:diagnostics_channel"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { unstable_getMiniflareWorkerOptions as workerOptionsOf } from "wrangler"
import { type Engine, root } from "./Bundle.ts"
import * as ObjectFiles from "./ObjectFiles.ts"

export interface Options {
  /** The code of the Worker (`Bundle.ts`). */
  readonly code: string
  /** What the Worker runs on: D1, unless given. */
  readonly engine?: Engine | undefined
  /** Where the database is kept. */
  readonly storage: string
  /** Where the migrations of its database are; the server's own, unless given. */
  readonly migrations?: string
  /** Settings and secrets of the Worker. */
  readonly env?: Record<string, string>
  /** The folder with the page (`scripts/build/app.ts`). Without it the Worker is alone, as most tests need it. */
  readonly assets?: string
  /** The port that browsers find the Worker at again after it was killed; any unless given. */
  readonly port?: number
  /** Is given what workerd and the Worker log, line by line. */
  readonly log?: (line: string) => void
}

export interface Running {
  /** Where the Worker answers: workerd's socket, without a proxy before it. */
  readonly base: URL
  /** Where browsers get the page, and reach the Worker beside it. */
  readonly site: URL
  /** The process id of workerd. */
  readonly pid: number
  /** The memory workerd has in use (its resident set), in bytes; undefined where there is no `/proc`. */
  readonly memory: () => number | undefined
  /** The processor time workerd has used so far, in milliseconds; undefined where there is no `/proc`. */
  readonly busy: () => number | undefined
  /** Sends a request to the Worker as if it came to the host of its URL. */
  readonly fetch: Miniflare["dispatchFetch"]
  /** The database, or those of all scopes, to be read and written past the server. */
  readonly database: D1Database
  /** The scopes that have an object; none on D1. */
  readonly scopes: () => Promise<ReadonlyArray<string>>
  /** Has the object of the scope do now what its alarm would have it do. */
  readonly duties: (scope: string) => Promise<void>
  /** Fires the cron, or the alarm of every scope, and waits until it is through. Fails if the Worker does. */
  readonly tick: () => Promise<void>
  /** Kills workerd as a crash would (SIGKILL), and waits until it is gone. */
  readonly kill: () => Promise<void>
  /** Stops workerd. */
  readonly close: () => Promise<void>
}

/** The file of the database in `storage`, or that of its only scope, to be read while no workerd runs on it. */
export const databaseFile = (storage: string): string => {
  const [only, another] = ObjectFiles.scopeFiles(storage)
  if (another !== undefined) throw new Error(`There is more than one scope in ${storage}`)
  if (only !== undefined) return only
  const directory = join(storage, "d1", "miniflare-D1DatabaseObject")
  const name = readdirSync(directory).find((file) => file.endsWith(".sqlite") && file !== "metadata.sqlite")
  if (name === undefined) throw new Error(`There is no database in ${directory}`)
  return join(directory, name)
}

/** Miniflare does not say which process it starts, but Node does. */
const spawnedBy = async <A>(start: () => Promise<A>): Promise<readonly [A, ChildProcess]> => {
  const children: Array<ChildProcess> = []
  const note = (message: unknown) => void children.push((message as { readonly process: ChildProcess }).process)
  subscribe("child_process", note)
  try {
    const started = await start()
    const workerd = children.find(({ pid, spawnfile }) => pid !== undefined && /workerd/.test(spawnfile))
    if (workerd === undefined) throw new Error("Miniflare started no workerd")
    return [started, workerd]
  } finally {
    unsubscribe("child_process", note)
  }
}

const migrate = async (miniflare: Miniflare, directory: string) => {
  const db = await miniflare.getD1Database("DB")
  // Wrangler's table of migrations, so that wrangler can continue from here.
  await db.prepare(`CREATE TABLE IF NOT EXISTS d1_migrations (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE,
    applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL)`).run()
  const { results } = await db.prepare("SELECT name FROM d1_migrations").all<{ readonly name: string }>()
  const applied = new Set(results.map(({ name }) => name))
  for (const file of readdirSync(directory).sort()) {
    if (applied.has(file)) continue
    await db.batch([
      db.prepare(readFileSync(join(directory, file), "utf8")),
      db.prepare("INSERT INTO d1_migrations (name) VALUES (?)").bind(file)
    ])
  }
}

const named = async (miniflare: Miniflare, binding: string, name: string): Promise<any> => {
  const namespace = await miniflare.getDurableObjectNamespace(binding)
  return namespace.get(namespace.idFromName(name))
}

/** The scopes that the control object knows. */
const scopesOf = async (miniflare: Miniflare): Promise<ReadonlyArray<string>> =>
  (await named(miniflare, "CONTROL", "control")).scopes("", 1000)

const doDuties = async (miniflare: Miniflare, scopes: ReadonlyArray<string>) => {
  for (const scope of scopes) await (await named(miniflare, "SCOPES", `scope:${scope}`)).duties()
}

const memoryOf = (pid: number) => {
  const file = `/proc/${pid}/status`
  const kib = existsSync(file) ? /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(file, "utf8"))?.[1] : undefined
  return kib === undefined ? undefined : Number(kib) * 1024
}

const busyOf = (pid: number) => {
  const file = `/proc/${pid}/stat`
  if (!existsSync(file)) return undefined
  // `pid (name) state …`, and a name may hold anything; after it, times are fields 12 and 13, in hundredths of a second.
  const stat = readFileSync(file, "utf8")
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
  return (Number(fields[11]) + Number(fields[12])) * 10
}

/** Starts workerd on the storage, and migrates its database. */
export const launch = async (
  { assets, code, engine = "d1", env = {}, log = () => {}, migrations = join(root, "migrations"), port = 0, storage }:
    Options
): Promise<Running> => {
  const { workerOptions: { assets: page, ...workerOptions } } = workerOptionsOf(
    join(root, engine === "d1" ? "wrangler.toml" : "wrangler.objects.toml")
  )
  const [miniflare, workerd] = await spawnedBy(async () => {
    const options = {
      ...workerOptions,
      ...(assets === undefined ? {} : { assets: { ...page as object, directory: assets } }),
      bindings: { ...workerOptions.bindings as Record<string, string> | undefined, ...env },
      modules: [{ type: "ESModule", path: "worker.js", contents: code }],
      unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
      unsafeTriggerHandlers: true,
      host: "127.0.0.1",
      port,
      resourcePersistencePath: storage,
      handleStructuredLogs: ({ message }) => log(message)
    } satisfies V4MiniflareOptions
    const miniflare = new Miniflare(convertV4MiniflareOptions(options))
    await miniflare.ready
    return miniflare
  })
  const gone = new Promise<void>((done) => workerd.once("exit", () => done()))
  const pid = workerd.pid!
  // The cron comes in through Miniflare's own door.
  const cron = new URL("/cdn-cgi/local/scheduled", await miniflare.ready)
  try {
    // An object applies its migrations itself.
    if (engine === "d1") await migrate(miniflare, migrations)
    return {
      base: await miniflare.unsafeGetDirectURL(),
      site: await miniflare.ready,
      fetch: (url, init) => miniflare.dispatchFetch(url, init),
      database: engine === "d1"
        ? await miniflare.getD1Database("DB") as unknown as D1Database
        : ObjectFiles.database(storage),
      pid,
      memory: () => memoryOf(pid),
      busy: () => busyOf(pid),
      scopes: async () => engine === "objects" ? scopesOf(miniflare) : [],
      duties: (scope) => doDuties(miniflare, [scope]),
      tick: engine === "objects" ? async () => doDuties(miniflare, await scopesOf(miniflare)) : async () => {
        const { status } = await fetch(cron)
        if (status !== 200) throw new Error(`The cron was answered ${status}`)
      },
      kill: async () => {
        workerd.kill("SIGKILL")
        // Without this, Miniflare would start it again at once.
        await Promise.all([miniflare.dispose(), gone])
      },
      close: () => miniflare.dispose()
    }
  } catch (error) {
    await miniflare.dispose()
    throw error
  }
}
