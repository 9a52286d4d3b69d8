/**
 * The Worker of the last release and the one of this code, in workerd on one D1 database, as they run side by side while a
 * deployment replaces one by the other. `release.json` names the last release; `node scripts/build/keep-release.ts` keeps another.
 */
import { convertV4MiniflareOptions, Miniflare, type V4MiniflareOptions } from "miniflare"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { gunzipSync } from "node:zlib"
import { unstable_getMiniflareWorkerOptions as workerOptionsOf } from "wrangler"
import * as Bundle from "../support/Bundle.ts"

/** The last release: its commit, its Worker, and the newest migration it knows. */
export const last: {
  readonly version: string
  readonly commit: string
  readonly worker: string
  readonly migration: number
} = JSON.parse(readFileSync(new URL("release.json", import.meta.url), "utf8"))

const directory = join(Bundle.root, "migrations")

/** The number of a migration, by its file. */
export const numberOf = (file: string): number => Number(file.slice(0, 4))

/** The files of all migrations, in order. */
export const migrations = readdirSync(directory).filter((file) => file.endsWith(".sql")).sort()

export const Secret = "a secret of the server"

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: any
}

export type WorkerName = "old" | "new"

/** Starts both Workers on an empty database. */
export const start = async () => {
  // The page is no part of this.
  const { workerOptions: { assets: _, ...workerOptions } } = workerOptionsOf(join(Bundle.root, "wrangler.toml"))
  const code: Record<WorkerName, string> = {
    old: gunzipSync(readFileSync(new URL(last.worker, import.meta.url))).toString("utf8"),
    new: await Bundle.build()
  }
  const worker = (name: WorkerName) => ({
    ...workerOptions,
    name,
    d1Databases: { DB: "shared" },
    bindings: { ...workerOptions.bindings as Record<string, string> | undefined, API_SECRET_KEY: Secret },
    modules: [{ type: "ESModule" as const, path: `${name}.js`, contents: code[name] }]
  })
  const miniflare = new Miniflare(convertV4MiniflareOptions(
    { workers: [worker("old"), worker("new")], host: "127.0.0.1", port: 0 } satisfies V4MiniflareOptions
  ))
  await miniflare.ready
  const workers = { old: await miniflare.getWorker("old"), new: await miniflare.getWorker("new") }
  const db = await miniflare.getD1Database("DB", "old")

  return {
    db,
    /** Applies the migrations from one number to another, both included. */
    migrate: async (from: number, to: number) => {
      for (const file of migrations.filter((name) => numberOf(name) >= from && numberOf(name) <= to)) {
        await db.batch([db.prepare(readFileSync(join(directory, file), "utf8"))])
      }
    },
    /** Sends a request to one of the Workers, as the administrator. */
    send: async (
      to: WorkerName,
      method: string,
      path: string,
      body?: unknown,
      headers: Record<string, string> = {}
    ): Promise<Answer> => {
      const response = await workers[to].fetch(`http://server${path}`, {
        method,
        headers: { authorization: `Bearer ${Secret}`, "content-type": "application/json", ...headers },
        ...(body === undefined ? {} : { body: JSON.stringify(body) })
      })
      const text = await response.text()
      return {
        status: response.status,
        headers: response.headers as unknown as Headers,
        body: response.headers.get("content-type")?.startsWith("application/json") === true
          ? JSON.parse(text)
          : undefined
      }
    },
    close: () => miniflare.dispose()
  }
}
