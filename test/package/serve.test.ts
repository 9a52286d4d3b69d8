/** The package as a person gets it: from the tarball, in an empty folder, on the Node of the machine. */
import { assert, it } from "@effect/vitest"
import { type ChildProcess, execFile, spawn } from "node:child_process"
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { delimiter, dirname, join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { promisify } from "node:util"
import { plainNode } from "../support/command.ts"
import { tarball } from "../support/tarball.ts"

const run = promisify(execFile)

/** Only the Node of the machine, with its npm. */
const path = [dirname(plainNode), ...(process.env.PATH ?? "").split(delimiter)]
  .filter((folder) => !folder.includes("node_modules")).join(delimiter)

interface Served {
  readonly child: ChildProcess
  readonly said: { readonly url: string; readonly data: string; readonly key: string | null; readonly page: string }
}

const serve = async (directory: string, data: string, port = "0"): Promise<Served> => {
  const child = spawn(
    "npx",
    ["--no-install", "octopoid-server", "serve", "--json", "--port", port, "--data", data],
    { cwd: directory, env: { PATH: path, HOME: directory }, stdio: ["ignore", "pipe", "pipe"], detached: true }
  )
  let [out, err] = ["", ""]
  child.stderr.on("data", (chunk) => void (err += String(chunk)))
  const said = await new Promise<string>((done, fail) => {
    child.stdout.on("data", (chunk) => {
      out += String(chunk)
      if (out.endsWith("}\n")) done(out)
    })
    child.once("exit", (code) => fail(new Error(`serve ended with ${code}: ${err}`)))
  })
  return { child, said: JSON.parse(said) }
}

/** Kills every process of the group: npx, and the command that it runs. */
const kill = async ({ child }: Served, signal: NodeJS.Signals) => {
  const ended = new Promise((done) => child.once("close", done))
  process.kill(-child.pid!, signal)
  await ended
}

/** A worker of the package. Its agents take a moment for each task. */
const worker = `
import * as Effect from "effect/Effect"
import * as FileStore from "octopoid-server/file-store"
import * as Worker from "octopoid-server/worker"
const [baseUrl, token] = process.argv.slice(2)
const machine = { cluster: "home", machine_id: "desk" }
const options = { client: { baseUrl, token }, machine, outbox: FileStore.make("outbox"), waitSeconds: 5, concurrency: 2 }
const agent = Effect.as(Effect.sleep("300 millis"), { commits_count: 1, turns_used: 1 })
await Effect.runPromise(Worker.run(options, () => agent))
`

/** Waits until it is so, a minute at most. */
const until = async (isSo: () => Promise<boolean>) => {
  for (const end = Date.now() + 60_000; !await isSo(); await sleep(50)) {
    if (Date.now() > end) throw new Error("This has not come about in a minute.")
  }
}

it("the tarball serves in an empty folder, and loses nothing when it is killed", async () => {
  const directory = await mkdtemp(join(tmpdir(), "octopoid-serve-"))
  const served: Array<Served> = []
  const hands: Array<ChildProcess> = []
  try {
    await writeFile(join(directory, "package.json"), JSON.stringify({ private: true }))
    await run("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", await tarball()], {
      cwd: directory,
      env: {
        PATH: path,
        HOME: directory,
        npm_config_cache: (await run("npm", ["config", "get", "cache"])).stdout.trim()
      }
    })
    const data = join(directory, "data")
    served.push(await serve(directory, data))
    const { key, page, url } = served[0]!.said
    assert.match(key ?? "", /^admin_[0-9a-f]{64}$/)
    assert.strictEqual((await readFile(join(data, "admin.key"), "utf8")).trim(), key)
    assert.strictEqual((await stat(join(data, "admin.key"))).mode & 0o777, 0o600)

    const curl = async (base: string, path: string, body?: object) => {
      const { stdout } = await run("curl", [
        "-s",
        "-H",
        `Authorization: Bearer ${key}`,
        ...(body === undefined ? [] : ["-d", JSON.stringify(body)]),
        `${base}/api/v1/${path}`
      ])
      return JSON.parse(stdout)
    }
    assert.match((await run("curl", ["-s", page])).stdout, /<div id="app">/)
    await curl(url, "orchestrators/register", { cluster: "home", machine_id: "laptop" })
    for (const id of ["t1", "t2"]) await curl(url, "tasks", { id, file_path: `${id}.md`, branch: "main" })
    const { fencing_token } = await curl(url, "tasks/claim", { orchestrator_id: "home-laptop", agent_name: "ann" })
    await curl(url, "tasks/t1/submit", { commits_count: 1, turns_used: 5, fencing_token })
    assert.strictEqual((await curl(url, "tasks/t1/accept", { accepted_by: "me" })).queue, "done")
    const held = await curl(url, "tasks/claim", { orchestrator_id: "home-laptop", agent_name: "ann" })
    assert.strictEqual(held.id, "t2")
    await kill(served[0]!, "SIGKILL")

    served.push(await serve(directory, data))
    const again = served[1]!.said
    assert.strictEqual(again.key, null)
    const renewed = await curl(again.url, "tasks/t2/renew", { fencing_token: held.fencing_token })
    assert.strictEqual(renewed.fencing_token ?? renewed.task?.fencing_token, held.fencing_token)
    const { history } = await curl(again.url, "tasks/t1/history")
    assert.deepStrictEqual(history.map((entry: { event: string }) => entry.event).sort(), [
      "accepted",
      "claimed",
      "created",
      "submitted"
    ])

    // A worker of the package goes on over kills.
    const ids = Array.from({ length: 8 }, (_, n) => `life-${n}`)
    for (const id of ids) await curl(again.url, "tasks", { id, file_path: `${id}.md`, branch: "main" })
    const submitted = async () => (await curl(again.url, "tasks?queue=provisional")).total as number
    await writeFile(join(directory, "worker.mjs"), worker)
    hands.push(spawn(plainNode, ["worker.mjs", again.url, key!], { cwd: directory, stdio: "ignore" }))
    for (const after of [1, 4]) {
      await until(async () => await submitted() >= after)
      await kill(served.at(-1)!, "SIGKILL")
      served.push(await serve(directory, data, new URL(again.url).port))
    }
    await until(async () => await submitted() === ids.length)
    for (const id of ids) {
      const { history } = await curl(again.url, `tasks/${id}/history`)
      assert.deepStrictEqual(history.map((entry: { event: string }) => entry.event), [
        "created",
        "claimed",
        "submitted"
      ])
    }
  } finally {
    for (const one of hands) one.kill("SIGKILL")
    for (const one of served) {
      if (one.child.exitCode === null && one.child.signalCode === null) await kill(one, "SIGTERM")
    }
    await sleep(200)
    await rm(directory, { recursive: true, force: true, maxRetries: 5 })
  }
}, 600_000)
