/**
 * The command, against a server on a socket: its output, its exit code, and what it leaves behind when it is stopped.
 */
import { assert, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { spawn } from "node:child_process"
import type { DatabaseSync } from "node:sqlite"
import { text } from "node:stream/consumers"
import { commandFile } from "../support/command.ts"
import { migrated } from "../support/layers.ts"
import { listening } from "../support/listening.ts"

const Secret = "a secret of the server"

class Target extends Context.Service<Target, { readonly url: string; readonly raw: DatabaseSync }>()("test/Target") {
  static readonly layer = Layer.effect(
    Target,
    Effect.gen(function*() {
      const { db, raw } = migrated()
      return { url: yield* listening({ API_SECRET_KEY: Secret }, () => db), raw }
    })
  )
}

const start = async (args: ReadonlyArray<string>, env: Record<string, string> = {}) => {
  const child = spawn(process.execPath, [await commandFile(), ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, OCTOPOID_API_KEY: "", ...env }
  })
  const ended = new Promise<number | null>((done) => child.on("close", done))
  const outcome = Promise.all([ended, text(child.stdout), text(child.stderr)]).then(
    ([code, stdout, stderr]) => ({ code, stdout, stderr })
  )
  return { child, outcome }
}

const run = (args: ReadonlyArray<string>, env?: Record<string, string>) =>
  Effect.promise(async () => (await start(args, env)).outcome)

layer(Target.layer, { excludeTestServices: true })("octopoid-server conformance", (it) => {
  it.effect("prints a report for people, with the summary last", () =>
    Effect.gen(function*() {
      const { url } = yield* Target
      const args = ["conformance", `${url}/`, "--only", "contract,fencing"]
      const { code, stderr, stdout } = yield* run(args, { OCTOPOID_API_KEY: Secret })
      assert.deepStrictEqual([code, stderr], [0, ""], stdout)
      assert.match(stdout, /\nfencing\n( {2}✓ .+\n){5}\ncontract\n( {2}✓ .+\n){10}\n/)
      assert.strictEqual(stdout.trimEnd().split("\n").at(-1), `15 passed, 0 failed, 0 skipped against ${url}`)
    }))

  it.effect("prints one JSON document for programs", () =>
    Effect.gen(function*() {
      const { url } = yield* Target
      const { code, stdout } = yield* run(["conformance", url, "--json", "--only", "fencing", "--key", Secret])
      const report = JSON.parse(stdout)
      assert.deepInclude(report, { url, access: "keys", interrupted: false, passed: 5, failed: 0, skipped: 0 })
      assert.deepStrictEqual(report.checks.map(({ status }: any) => status), Array(5).fill("passed"))
      assert.strictEqual(code, 0)
    }))

  it.effect("exits with 1 when a check fails", () =>
    Effect.gen(function*() {
      const { raw, url } = yield* Target
      raw.exec(
        "CREATE TRIGGER planted AFTER UPDATE OF title ON tasks BEGIN UPDATE tasks SET version = 9 WHERE id = NEW.id; END"
      )
      const { code, stdout } = yield* run(["conformance", url, "--only", "fencing"], { OCTOPOID_API_KEY: Secret })
      raw.exec("DROP TRIGGER planted")
      assert.strictEqual(code, 1, stdout)
      assert.match(stdout, /✗ a call with another version is refused/)
      assert.include(stdout, "What it means:")
      assert.match(stdout, /\n4 passed, 1 failed, 0 skipped against \S+\n$/)
    }))

  it.effect("exits with 2 and a reason if it cannot run", () =>
    Effect.gen(function*() {
      const { url } = yield* Target
      const cases: ReadonlyArray<readonly [ReadonlyArray<string>, string]> = [
        [["conformance", url], "the server asks for a key"],
        [["conformance", url, "--key", `oct_${"1".repeat(64)}`], "the server refuses the key: 401"],
        [["conformance", "http://127.0.0.1:1"], "no answer to GET /api/health"],
        [["conformance", "localhost:8787"], "is not an address"],
        [["conformance", url, "--only", "nothing"], "There is no group nothing"],
        [["conformance", url, "--nothing"], "--nothing"],
        [["conformance"], "Missing required argument: address"],
        [[], "octopoid-server <subcommand>"]
      ]
      yield* Effect.forEach(cases, ([args, why]) =>
        Effect.map(run(args), ({ code, stderr, stdout }) => {
          assert.deepStrictEqual([code, stdout], [2, ""], args.join(" "))
          assert.include(stderr, why)
        }), { concurrency: 4 })
      assert.deepInclude(yield* run(["--help"]), { code: 0, stderr: "" })
    }))

  it.effect("deletes what it made when it is stopped", () =>
    Effect.gen(function*() {
      const { raw, url } = yield* Target
      const tasks = () => raw.prepare("SELECT id FROM tasks").all().length
      const { child, outcome } = yield* Effect.promise(() => start(["conformance", url], { OCTOPOID_API_KEY: Secret }))
      while (tasks() === 0) yield* Effect.sleep("20 millis")
      child.kill("SIGINT")
      const { code, stderr, stdout } = yield* Effect.promise(() => outcome)
      assert.strictEqual(code, 2)
      assert.include(stderr, "deleting what was made")
      assert.include(stdout, "The run was interrupted")
      assert.deepStrictEqual([tasks(), raw.prepare("SELECT id FROM api_keys").all()], [0, []])
    }))
})
