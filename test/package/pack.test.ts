/** The package as a consumer gets it: packed, installed elsewhere, typechecked and run against a server on a socket. */
import { assert, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { execFile } from "node:child_process"
import { existsSync } from "node:fs"
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { plainNode } from "../support/command.ts"
import { listening } from "../support/listening.ts"
import { tarball } from "../support/tarball.ts"

const root = resolve(import.meta.dirname, "../..")

interface Finished {
  readonly code: number
  readonly output: string
}

const run = (cwd: string, command: string, ...args: ReadonlyArray<string>) =>
  Effect.promise(() =>
    new Promise<Finished>((done) =>
      execFile(
        command,
        [...args],
        { cwd, maxBuffer: 64_000_000 },
        (error, stdout, stderr) => done({ code: error === null ? 0 : Number(error.code) || 1, output: stdout + stderr })
      )
    )
  )

const succeed = (cwd: string, command: string, ...args: ReadonlyArray<string>) =>
  Effect.map(run(cwd, command, ...args), ({ code, output }) => {
    assert.strictEqual(code, 0, `${command} ${args.join(" ")}\n${output}`)
    return output
  })

/** The program of a consumer: creates a task, reads it back, and handles a typed error. */
const program = `
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as client from "octopoid-server/client"

declare const process: { readonly argv: ReadonlyArray<string> }

const main = Effect.gen(function*() {
  const api = yield* client.make({ baseUrl: process.argv[2] ?? "", scope: "packed" })
  const id = client.TaskId.make("t1")
  const created: client.Task = yield* api.tasks.create({
    payload: { id, file_path: "t1.md", branch: "main", title: "Packed" },
    query: {}
  })
  const page = yield* api.tasks.list({ query: {} })
  const missing = yield* api.tasks.get({ params: { id: client.TaskId.make("t2") }, query: {} }).pipe(
    Effect.as("found"),
    Effect.catchTag("TaskNotFound", (error) => Effect.succeed(error.task_id))
  )
  console.log(JSON.stringify([created.title, created.queue, created.scope, page.total, missing]))
}).pipe(Effect.provide(FetchHttpClient.layer))

await Effect.runPromise(main)
`

/** Another, which works on what there is until there is nothing more. */
const worker = `
import * as Effect from "effect/Effect"
import * as FileStore from "octopoid-server/file-store"
import * as Worker from "octopoid-server/worker"
import type * as client from "octopoid-server/client"

declare const process: { readonly argv: ReadonlyArray<string> }

const connection: client.Options = { baseUrl: process.argv[2] ?? "", scope: "packed" }

const main = Worker.run(
  { client: connection, machine: { cluster: "k", machine_id: "m" }, until: "idle", outbox: FileStore.make("outbox") },
  (attempt: Worker.Attempt) =>
    Effect.gen(function*() {
      yield* attempt.checkpoint({ notes: "begun" })
      console.log("worked on " + attempt.task.id)
      return { commits_count: 1, turns_used: 1 }
    })
)

await Effect.runPromise(main)
`

/** The first program of a page, which calls `http://localhost:8787`. */
const programOf = async (page: string) => /```ts\n([^]*?)```/.exec(await readFile(join(root, page), "utf8"))?.[1] ?? ""
const client = () => programOf("docs/client.md")

const misuse = `
import * as Effect from "effect/Effect"
import * as client from "octopoid-server/client"

// @ts-expect-error
export const main = Effect.flatMap(client.make({ baseUrl: "" }), (api) => api.tasks.get({ params: { id: 1 }, query: {} }))
`

const compilerOptions = {
  module: "NodeNext",
  target: "ES2024",
  lib: ["ES2024", "DOM"],
  strict: true,
  exactOptionalPropertyTypes: true,
  noEmit: true,
  skipLibCheck: false,
  types: []
}

/** An empty project with the tarball installed. */
class Consumer extends Context.Service<Consumer, { readonly directory: string }>()("test/Consumer") {
  static readonly layer = Layer.effect(
    Consumer,
    Effect.gen(function*() {
      const directory = yield* Effect.acquireRelease(
        Effect.promise(() => mkdtemp(join(tmpdir(), "octopoid-pack-"))),
        (path) => Effect.promise(() => rm(path, { recursive: true, force: true }))
      )
      const packed = yield* Effect.promise(tarball)
      yield* Effect.promise(() =>
        Promise.all([
          writeFile(join(directory, "package.json"), JSON.stringify({ private: true, type: "module" })),
          writeFile(join(directory, "main.ts"), program),
          client().then((text) => writeFile(join(directory, "prog.mts"), text)),
          // Its program takes the key from the environment, and no types of Node are installed here.
          programOf("README.md").then((text) =>
            writeFile(
              join(directory, "readme.mts"),
              `declare const process: { readonly env: Readonly<Record<string, string | undefined>> }\n${text}`
            )
          ),
          writeFile(join(directory, "worker.ts"), worker),
          writeFile(join(directory, "misuse.ts"), misuse),
          writeFile(
            join(directory, "tsconfig.json"),
            JSON.stringify({ compilerOptions, files: ["main.ts", "misuse.ts", "worker.ts", "prog.mts", "readme.mts"] })
          )
        ])
      )
      const offline = ["--prefer-offline", "--no-audit", "--no-fund"]
      yield* succeed(directory, "npm", "install", ...offline, packed, "effect@4.1.0")
      return { directory }
    })
  )
}

layer(Consumer.layer, { excludeTestServices: true, timeout: "10 minutes" })("the packed client", (it) => {
  it.effect("contains the client, the worker, the command and the server that it serves, and nothing else", () =>
    Effect.gen(function*() {
      const { directory } = yield* Consumer
      const files = yield* Effect.promise(() =>
        readdir(join(directory, "node_modules/octopoid-server"), { recursive: true })
      )
      assert.include(files, join("dist", "client.js"))
      assert.include(files, join("dist", "client.d.ts"))
      assert.include(files, join("dist", "client", "Worker.js"))
      assert.include(files, join("dist", "client", "Worker.d.ts"))
      assert.include(files, join("dist", "cli.js"))
      const others = files.filter((file) =>
        !/^(dist([/\\](api|cli|client|domain)([/\\]\w+){0,2})?|dist.((api|client|domain).[\w/\\]+|client|FileStore)\.(js|d\.ts)|dist.cli(.[\w-]+)?\.js|dist.serve(.(worker\.js|workerd\.capnp))?|package\.json|README\.md|LICENSE)$/
          .test(
            file
          )
      )
      assert.deepStrictEqual(others, [])
      const manifest = JSON.parse(
        yield* Effect.promise(() => readFile(join(directory, "node_modules/octopoid-server/package.json"), "utf8"))
      )
      assert.deepStrictEqual(Object.keys(manifest.exports), ["./client", "./worker", "./file-store"])
      assert.deepStrictEqual(Object.keys(manifest.dependencies), ["workerd"])
      assert.deepStrictEqual(manifest.bin, { "octopoid-server": "dist/cli.js" })
      assert.deepStrictEqual(manifest.files, ["dist"])
      const repository = "https://github.com/octopoid/octopoid-server"
      assert.strictEqual(manifest.repository.url, `git+${repository}.git`)
      assert.strictEqual(manifest.homepage, `${repository}#readme`)
      assert.strictEqual(manifest.bugs, `${repository}/issues`)
      assert.isNotEmpty(manifest.keywords)
      // A page that shows the package has only the README, so its links lead to the repository, and there to files.
      const readme = yield* Effect.promise(() =>
        readFile(join(directory, "node_modules/octopoid-server/README.md"), "utf8")
      )
      const targets = Array.from(readme.matchAll(/\]\(([^)\s]+)\)/g), ([, target]) => target!)
      assert.deepStrictEqual(targets.filter((target) => !/^(https:|#)/.test(target)), [])
      const paths = targets.map((target) => /\/(?:blob|tree)\/main\/([^#]+)/.exec(target)?.[1]).filter((path) =>
        path !== undefined
      )
      assert.isAtLeast(paths.length, 20)
      for (const path of paths) assert.isTrue(existsSync(join(root, path)), path)
    }))

  it.effect("typechecks, and finds a mistake", () =>
    Effect.gen(function*() {
      const { directory } = yield* Consumer
      const tsc = join(root, "node_modules/typescript/bin/tsc")
      // It also fails if it finds nothing wrong with `misuse.ts`.
      yield* succeed(directory, process.execPath, tsc, "-p", ".")
    }), 900_000)

  it.effect("runs against a server", () =>
    Effect.gen(function*() {
      const { directory } = yield* Consumer
      const baseUrl = yield* listening()
      const output = yield* succeed(directory, process.execPath, "main.ts", baseUrl)
      assert.deepStrictEqual(JSON.parse(output), ["Packed", "incoming", "packed", 1, "t2"])
      assert.include(yield* succeed(directory, process.execPath, "worker.ts", baseUrl), "worked on t1")
    }), 900_000)

  it.effect("runs the program of docs/client.md, and compiles that of the README", () =>
    Effect.gen(function*() {
      const { directory } = yield* Consumer
      const baseUrl = yield* listening()
      const elsewhere = (yield* Effect.promise(client)).replace("http://localhost:8787", baseUrl)
      yield* Effect.promise(() => writeFile(join(directory, "elsewhere.mts"), elsewhere))
      const output = yield* succeed(directory, process.execPath, "elsewhere.mts")
      assert.match(output, /^task-\d+ is held until \d{4}-/)
    }), 60_000)

  it.effect("has a command that starts and works on the Node of the machine", () =>
    Effect.gen(function*() {
      const { directory } = yield* Consumer
      const cli = join(directory, "node_modules/octopoid-server/dist/cli.js")
      const version = yield* succeed(directory, plainNode, cli, "--version")
      assert.match(version, /^\d+\.\d+\.\d+\n$/)
      const baseUrl = yield* listening()
      yield* succeed(directory, plainNode, cli, "tasks", "create", "Packed too", "--id", "packed", "--url", baseUrl)
      const shown = yield* succeed(directory, plainNode, cli, "tasks", "show", "packed", "--url", baseUrl, "--json")
      assert.deepInclude(JSON.parse(shown), { id: "packed", title: "Packed too", queue: "incoming" })
    }), 60_000)

  it.effect("checks a server by the command of the README", () =>
    Effect.gen(function*() {
      const { directory } = yield* Consumer
      const baseUrl = yield* listening()
      const output = yield* succeed(directory, "npx", "--no-install", "octopoid-server", "conformance", baseUrl)
      assert.match(output, /\n\d\d passed, 0 failed, 1 skipped against http:\S+\n/)
    }), 60_000)
})
