/** `wrangler dev` as the README runs it: it migrates by itself, keeps its data, and refuses a bad configuration. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { overSocket } from "../hostile/Transport.ts"

const freePort = () =>
  new Promise<number>((resolve) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as { readonly port: number }
      probe.close(() => resolve(port))
    })
  })

const directory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "octopoid-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

/** Starts the server and waits until it answers, or ends, or five minutes have passed. */
const start = (state: string, ...options: ReadonlyArray<string>) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const port = await freePort()
      // Vitest's own variable tells the build that tests migrate separately. Here it has to behave as for a user.
      const { VITEST: _, ...env } = process.env
      const child = spawn(
        process.execPath,
        [
          "node_modules/wrangler/bin/wrangler.js",
          "dev",
          "--ip",
          "127.0.0.1",
          "--port",
          String(port),
          "--persist-to",
          state,
          ...options
        ],
        { env: { ...env, CI: "true" }, detached: true, stdio: ["ignore", "pipe", "pipe"] }
      )
      let output = ""
      child.stdout.on("data", (chunk) => output += String(chunk))
      child.stderr.on("data", (chunk) => output += String(chunk))
      const base = `http://127.0.0.1:${port}`
      const until = Date.now() + 300_000
      let healthy = false
      while (!healthy && Date.now() < until && !/failed to start/.test(output)) {
        await new Promise((resolve) => setTimeout(resolve, 250))
        healthy = await fetch(`${base}/api/health`).then(({ ok }) => ok, () => false)
      }
      return { base, child, healthy, output: () => output }
    }),
    ({ child }) =>
      Effect.promise(() =>
        new Promise<void>((resolve) => {
          child.once("exit", () => resolve())
          process.kill(-child.pid!, "SIGTERM")
        })
      )
  )

describe("wrangler dev", () => {
  it.live("serves a migrated database and keeps its data over a restart", () =>
    Effect.gen(function*() {
      const state = yield* directory
      yield* Effect.scoped(Effect.gen(function*() {
        const { base, healthy, output } = yield* start(state)
        assert.isTrue(healthy, output())
        const created = yield* Effect.promise(() =>
          fetch(`${base}/api/v1/tasks`, {
            method: "POST",
            body: JSON.stringify({ id: "kept", file_path: "k", branch: "b" })
          })
        )
        assert.strictEqual(created.status, 201)
      }))
      yield* Effect.scoped(Effect.gen(function*() {
        const { base, healthy, output } = yield* start(state)
        assert.isTrue(healthy, output())
        const task = yield* Effect.promise(() => fetch(`${base}/api/v1/tasks/kept`).then((r) => r.json() as any))
        assert.include(task, { id: "kept", queue: "incoming" })

        // A name that an attacker resolves to this machine, and the page that uses it.
        const send = overSocket(base)
        const { port } = new URL(base)
        const body = Buffer.from(JSON.stringify({ id: "rebound", file_path: "r", branch: "b" }))
        const ask = (method: string, ...headers: ReadonlyArray<readonly [string, string]>) =>
          Effect.promise(() =>
            send({ method, target: "/api/v1/tasks", headers, body: method === "POST" ? body : undefined })
          )
        const evil = `evil.example:${port}`
        const forms = [
          [["host", evil]],
          [["host", evil], ["origin", `http://${evil}`]],
          [["host", evil], ["x-forwarded-host", `localhost:${port}`], ["cf-ray", "1"]],
          [["host", `localhost.evil.example:${port}`]],
          [["host", `127.0.0.1.nip.io:${port}`]],
          [["host", `localhost:${port}`], ["origin", "https://evil.example"]],
          [["host", `localhost:${port}`], ["origin", "null"]],
          [["host", `localhost:${port}`], ["origin", `http://localhost:${port}`], ["origin", "http://evil.example"]],
          [["host", `localhost:${port}`], ["origin", `http://localhost@evil.example`]],
          [["host", `localhost:${port}`], ["sec-fetch-site", "cross-site"]]
        ] as const
        for (const headers of forms) {
          for (const method of ["POST", "GET", "OPTIONS"]) {
            const { status, text } = yield* ask(method, ...headers)
            assert.strictEqual(status, 403, `${method} ${JSON.stringify(headers)} ${text}`)
          }
        }
        for (
          const host of [`localhost:${port}`, `LOCALHOST:${port}`, `[::1]:${port}`, "app.localhost", "192.168.0.7"]
        ) {
          assert.strictEqual((yield* ask("GET", ["host", host])).status, 200, host)
          const own = yield* ask("GET", ["host", host], ["origin", `http://${host.toLowerCase()}`])
          assert.strictEqual(own.status, 200, host)
        }
        const gone = yield* Effect.promise(() => fetch(`${base}/api/v1/tasks/rebound`))
        assert.strictEqual(gone.status, 404)
        const written = yield* ask("POST", ["host", `localhost:${port}`], ["origin", "http://localhost:5173"])
        assert.strictEqual(written.status, 201)
      }))
    }))

  // Each setting has its test in test/services/Settings.test.ts. An empty value is what wrangler could drop.
  it.live("names the setting that cannot be read", () =>
    Effect.gen(function*() {
      const state = yield* directory
      const { healthy, output } = yield* Effect.scoped(start(state, "--var", "API_SECRET_KEY:"))
      assert.isFalse(healthy)
      assert.include(output(), "API_SECRET_KEY")
    }))
})
