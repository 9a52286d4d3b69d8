/** Profiles keep keys: where they are kept, to whom they are sent, and that they are never shown. */
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { chmodSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { onTerminal, run } from "../support/command.ts"
import { listening } from "../support/listening.ts"
import * as World from "./world.ts"

layer(World.shared, { excludeTestServices: true, timeout: "10 minutes" })("profiles", (it) => {
  it.effect("keep a key that works in a file of its owner, and show it nowhere", () =>
    Effect.gen(function*() {
      const { config, post, url } = yield* World.make("kept")
      const { api_key } = yield* post("scopes/kept/keys", { name: "me" })
      const env = { XDG_CONFIG_HOME: config }
      const cli = (args: ReadonlyArray<string>, input = "") => Effect.promise(() => run(args, { env, input }))
      const file = join(config, "octopoid", "config.json")
      const wrong = yield* cli(["login", "--url", url, "--key-stdin"], `oct_${"1".repeat(64)}\n`)
      assert.strictEqual(wrong.code, 1)
      assert.include(wrong.stderr, "Invalid API key")
      const none = yield* cli(["login", "--url", url])
      assert.strictEqual(none.code, 2)
      assert.include(none.stderr, "asks for a key")
      const done = yield* cli(["login", "--url", `${url}/`, "--key-stdin", "--profile", "work"], `${api_key}\n`)
      assert.strictEqual(done.code, 0, done.stderr)
      assert.strictEqual(statSync(file).mode & 0o777, 0o600)
      assert.strictEqual(statSync(join(config, "octopoid")).mode & 0o777, 0o700)
      const list = yield* cli(["profiles", "list"])
      const json = yield* cli(["profiles", "list", "--json"])
      const status = yield* cli(["status", "--json"])
      assert.strictEqual(JSON.parse(status.stdout).scope, "kept")
      for (const { stderr, stdout } of [wrong, done, list, json, status]) assert.notInclude(stdout + stderr, api_key)
      assert.include(readFileSync(file, "utf8"), api_key)

      chmodSync(file, 0o644)
      const doctor = yield* cli(["doctor"])
      assert.strictEqual(doctor.code, 1)
      assert.include(doctor.stdout, "others may read it (mode 644)")
      writeFileSync(file, `{"profiles": "${api_key}"}`)
      const broken = yield* cli(["status"])
      assert.strictEqual(broken.code, 2)
      assert.include(broken.stderr, "config.json cannot be read")
      assert.notInclude(broken.stderr, api_key)
    }))

  it.effect("send their key to their own address only, and the environment comes first", () =>
    Effect.gen(function*() {
      const { config, post, url } = yield* World.make("own")
      const { api_key } = yield* post("scopes/own/keys", { name: "me" })
      const env = { XDG_CONFIG_HOME: config }
      const login = yield* Effect.promise(() => run(["login", "--url", url, "--key-stdin"], { env, input: api_key }))
      assert.strictEqual(login.code, 0, login.stderr)
      const seen: Array<string | undefined> = []
      const thief = createServer((request, response) => {
        seen.push(request.headers.authorization)
        response.writeHead(500).end()
      })
      yield* Effect.acquireRelease(
        Effect.promise(() => new Promise<void>((done) => thief.listen(0, "127.0.0.1", done))),
        () => Effect.promise(() => new Promise((done) => thief.close(done).closeAllConnections()))
      )
      const other = `http://127.0.0.1:${(thief.address() as AddressInfo).port}`
      yield* Effect.promise(() => run(["status", "--url", other], { env }))
      yield* Effect.promise(() => run(["status", "--profile", "default"], { env: { ...env, OCTOPOID_URL: other } }))
      yield* Effect.promise(() => run(["export", "--url", other, "--scope", "x", "--out", join(config, "x")], { env }))
      assert.isNotEmpty(seen)
      assert.deepStrictEqual([...new Set(seen)], [undefined])
      const own = yield* Effect.promise(() =>
        run(["status", "--json"], { env: { ...env, OCTOPOID_API_KEY: World.Secret, OCTOPOID_SCOPE: "else" } })
      )
      assert.strictEqual(JSON.parse(own.stdout).scope, "else")
    }))

  it.effect("are chosen, and forgotten", () =>
    Effect.gen(function*() {
      const { config, url } = yield* World.make("many")
      const cli = (args: ReadonlyArray<string>, more: Record<string, string> = {}) =>
        Effect.promise(() => run(args, { env: { XDG_CONFIG_HOME: config, ...more } }))
      for (const name of ["one", "two"]) {
        const { code, stderr } = yield* cli(["login", "--profile", name, "--url", url, "--scope", name], {
          OCTOPOID_API_KEY: World.Secret
        })
        assert.strictEqual(code, 0, stderr)
      }
      const scope = (args: ReadonlyArray<string>) =>
        Effect.map(cli(["status", "--json", ...args]), ({ stdout }) => JSON.parse(stdout).scope)
      assert.strictEqual(yield* scope([]), "two")
      yield* cli(["profiles", "use", "one"])
      assert.strictEqual(yield* scope([]), "one")
      assert.strictEqual(yield* scope(["--profile", "two"]), "two")
      assert.strictEqual(yield* scope(["--scope", "three"]), "three")
      yield* cli(["profiles", "remove", "one"])
      const gone = yield* cli(["profiles", "use", "one"])
      assert.strictEqual(gone.code, 2)
      assert.include(gone.stderr, "There is no profile one, only two.")
      assert.strictEqual((yield* cli(["login", "--profile", "__proto__", "--url", url])).code, 2)
    }))
})

layer(World.shared, { excludeTestServices: true, timeout: "10 minutes" })("doctor", (it) => {
  it.effect("names what a key may not do, an open server and a key without a server", () =>
    Effect.gen(function*() {
      const { cli, post } = yield* World.make("ill")
      const { api_key } = yield* post("scopes/ill/keys", { name: "eye", rank: "read" })
      const reader = yield* cli(["doctor", "--json"], { env: { OCTOPOID_API_KEY: api_key } })
      const finding = (ran: typeof reader, check: string) =>
        JSON.parse(ran.stdout).findings.find((one: any) => one.check === check)
      assert.deepInclude(finding(reader, "key"), { level: "warning" })
      assert.include(finding(reader, "key").message, "rank read")
      const stranger = yield* cli(["doctor", "--json"], { env: { OCTOPOID_API_KEY: `oct_${"2".repeat(64)}` } })
      assert.deepInclude(finding(stranger, "key"), {
        level: "problem",
        message: "Invalid API key. Ask the administrator for a new one."
      })
      assert.strictEqual(stranger.code, 1)
      const elsewhere = yield* cli(["doctor", "--json", "--scope", "another"], { env: { OCTOPOID_API_KEY: api_key } })
      assert.deepInclude(finding(elsewhere, "scope"), { level: "problem" })
      const open = yield* listening()
      const well = yield* cli(["doctor", "--json", "--url", open], { env: { OCTOPOID_API_KEY: "" } })
      assert.deepInclude(JSON.parse(well.stdout), { healthy: true, url: open })
    }))
})

layer(World.shared, { excludeTestServices: true, timeout: "10 minutes" })("on a terminal", (it) => {
  it.effect("has colours, unless NO_COLOR is set, and fits its columns", () =>
    Effect.gen(function*() {
      const { create, env } = yield* World.make("colours")
      yield* create("colour-a", {
        title: "A title that is much longer than a narrow terminal is wide, so that it is cut"
      })
      const list = (columns: number, more: Record<string, string> = {}) =>
        Effect.promise(() => onTerminal(["tasks", "list"], { columns, env: { ...env, ...more } }))
      const narrow = yield* list(50)
      assert.include(narrow.screen, "\u001B[2mtask")
      const plain = yield* list(50, { NO_COLOR: "1" })
      assert.notInclude(plain.screen, "\u001B")
      for (const line of plain.screen.split("\r\n")) assert.isAtMost(line.length, 50, line)
      assert.include(plain.screen, "…")
      assert.notInclude((yield* list(200, { NO_COLOR: "1" })).screen, "…")
    }))

  it.effect("asks for the verdict, and goes on with the next result", () =>
    Effect.gen(function*() {
      const { claim, create, env, get, register, submit } = yield* World.make("talk")
      yield* register
      for (const id of ["talk-a", "talk-b", "talk-c"]) {
        yield* create(id)
        yield* claim()
        yield* submit(id)
      }
      const down = "\u001B[B"
      const { code, screen } = yield* Effect.promise(() =>
        onTerminal(["review"], {
          env,
          talk: [
            { sees: "Your verdict (2 more wait)", types: "\r" },
            { sees: "Your verdict (1 more wait", types: `${down}\r` },
            { sees: "What is wrong?", types: "There is no test.\r" },
            { sees: "Your verdict", types: `${down}${down}\r` }
          ]
        })
      )
      assert.strictEqual(code, 0, screen)
      assert.include(screen, "Nothing else waits for a review.")
      assert.deepInclude(yield* get("tasks/talk-a"), { queue: "done" })
      assert.deepInclude(yield* get("tasks/talk-b"), { queue: "incoming", last_rejection_reason: "There is no test." })
      assert.deepInclude(yield* get("tasks/talk-c"), { queue: "provisional" })
    }))

  it.effect("asks for the key at login, and does not show what is typed", () =>
    Effect.gen(function*() {
      const { config, url } = yield* World.make("typed")
      const { code, screen } = yield* Effect.promise(() =>
        onTerminal(["login", "--scope", "typed"], {
          env: { XDG_CONFIG_HOME: config },
          talk: [{ sees: "Address of the server", types: `${url}\r` }, {
            sees: "not shown",
            types: `${World.Secret}\r`
          }]
        })
      )
      assert.strictEqual(code, 0, screen)
      assert.notInclude(screen, World.Secret)
      assert.include(readFileSync(join(config, "octopoid", "config.json"), "utf8"), World.Secret)
    }))
})
