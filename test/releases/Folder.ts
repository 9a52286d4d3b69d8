/**
 * A data folder that an older build of `octopoid-server serve` left when it was killed. `node test/releases/Folder.ts CLI`
 * makes it anew with the built command of an older version, given as the path of its cli.js.
 */
import { spawn } from "node:child_process"
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import { gunzipSync, gzipSync } from "node:zlib"

const file = new URL("folder.json.gz", import.meta.url)

/** How many migrations this code has. */
export const newest = readdirSync(new URL("../../migrations/", import.meta.url)).length

/** The tasks that were acknowledged. */
export const tasks: ReadonlyArray<string> = Array.from({ length: 20 }, (_, n) => `t${String(n).padStart(2, "0")}`)

interface Kept {
  /** How many migrations the build had. */
  readonly migrations: number
  /** The key of the scope, which may manage. */
  readonly key: string
  /** A task that was held when the server was killed. */
  readonly held: { readonly id: string; readonly token: number }
  /** The content of each file, in base64. */
  readonly files: Readonly<Record<string, string>>
}

/** Puts the folder into another one. */
export const unpack = async (into: string) => {
  const { files, ...kept } = JSON.parse(gunzipSync(readFileSync(file)).toString()) as Kept
  const folder = join(into, "data")
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), Buffer.from(content, "base64"), { mode: 0o600 })
  }
  return { folder, ...kept }
}

const make = async (cli: string) => {
  const folder = mkdtempSync(join(tmpdir(), "octopoid-folder-"))
  const child = spawn(process.execPath, [cli, "serve", "--json", "--data", folder, "--port", "0"], {
    stdio: ["ignore", "pipe", "inherit"]
  })
  const said = await new Promise<string>((done) => child.stdout.once("data", (chunk) => done(String(chunk))))
  const { key: admin, url } = JSON.parse(said)
  const post = async (path: string, body: object, key = admin) => {
    const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" }
    const response = await fetch(`${url}/api/v1/${path}`, { method: "POST", headers, body: JSON.stringify(body) })
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
    return await response.json() as any
  }
  const { api_key: key } = await post("scopes/red/keys", { name: "kept", rank: "manage" })
  await post("orchestrators/register", { cluster: "k", machine_id: "m" }, key)
  for (const id of tasks) await post("tasks", { id, file_path: `${id}.md`, branch: "main" }, key)
  const { fencing_token, id } = await post("tasks/claim", { orchestrator_id: "k-m", agent_name: "ann" }, key)
  const workerd = Number(readFileSync(join(folder, "workerd.pid"), "utf8"))
  process.kill(workerd, "SIGKILL")
  child.kill("SIGKILL")
  await sleep(500)
  const names = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
  const kept: Kept = {
    migrations: readdirSync(join(dirname(cli), "..", "migrations")).length,
    key,
    held: { id, token: fencing_token },
    files: Object.fromEntries(names.map((name) => [name, readFileSync(join(folder, name)).toString("base64")]))
  }
  writeFileSync(file, gzipSync(JSON.stringify(kept), { level: 9 }))
  rmSync(folder, { recursive: true })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await make(process.argv[2]!)
