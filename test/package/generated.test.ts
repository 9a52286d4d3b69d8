/** A client generated from the OpenAPI document: typechecked strictly, and used against a server on a socket. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { execFile } from "node:child_process"
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { join, resolve } from "node:path"
import { listening } from "../support/listening.ts"

const root = resolve(import.meta.dirname, "../..")

const run = (cwd: string, ...args: ReadonlyArray<string>) =>
  Effect.promise(() =>
    new Promise<{ readonly code: number; readonly output: string }>((done) =>
      execFile(
        process.execPath,
        [...args],
        { cwd, maxBuffer: 64_000_000 },
        (error, stdout, stderr) => done({ code: error === null ? 0 : Number(error.code) || 1, output: stdout + stderr })
      )
    )
  )

const succeed = (cwd: string, ...args: ReadonlyArray<string>) =>
  Effect.map(run(cwd, ...args), ({ code, output }) => {
    assert.strictEqual(code, 0, `${args.join(" ")}\n${output}`)
    return output
  })

/** The life of a task, using only the document. */
const program = `
import createClient from "openapi-fetch"
import type { components, paths } from "./api.ts"

declare const process: { readonly argv: ReadonlyArray<string> }

const client = createClient<paths>({ baseUrl: process.argv[2] ?? "" })

const orThrow = <T>({ data, error }: { data?: T; error?: unknown }): NonNullable<T> => {
  if (data === undefined || data === null) throw new Error(JSON.stringify(error))
  return data
}

const machine: components["schemas"]["OrchestratorsRegisterRequest"] = { cluster: "home", machine_id: "laptop" }
const { orchestrator_id } = orThrow(await client.POST("/api/v1/orchestrators/register", { body: machine }))

const task = (id: string): components["schemas"]["TasksCreateRequest"] => ({
  id,
  file_path: id + ".md",
  branch: "main",
  title: "Generated"
})
for (const id of ["t1", "t2", "t3"]) orThrow(await client.POST("/api/v1/tasks", { body: task(id) }))

const claimed = orThrow(await client.POST("/api/v1/tasks/claim", { body: { orchestrator_id, agent_name: "ann" } }))
const path = { id: claimed.id }
const { fencing_token } = claimed
if (fencing_token === null) throw new Error("claimed without a token")
orThrow(await client.POST("/api/v1/tasks/{id}/renew", { params: { path }, body: { fencing_token } }))
orThrow(
  await client.POST("/api/v1/tasks/{id}/submit", {
    params: { path, header: { "Idempotency-Key": "submit-1" } },
    body: { commits_count: 1, turns_used: 5, fencing_token }
  })
)
const accepted = orThrow(
  await client.POST("/api/v1/tasks/{id}/accept", { params: { path }, body: { accepted_by: "me" } })
)
orThrow(
  await client.PATCH("/api/v1/tasks/{id}", { params: { path: { id: "t3" } }, body: { needs_intervention: true } })
)

const list = async (query: paths["/api/v1/tasks"]["get"]["parameters"]["query"]) =>
  orThrow(await client.GET("/api/v1/tasks", { params: { query: { ...query, sort: "priority" } } }))
const ids = async (query: paths["/api/v1/tasks"]["get"]["parameters"]["query"]) =>
  (await list(query)).tasks.map(({ id }) => id)

const missing = await client.GET("/api/v1/tasks/{id}", { params: { path: { id: "none" } } })
const tag: "TaskNotFound" | undefined = missing.response.status === 404 && missing.error !== undefined && "task_id" in missing.error
  ? missing.error._tag
  : undefined

console.log(JSON.stringify({
  queue: accepted.queue,
  second: await ids({ limit: 1, offset: 1 }),
  left: (await list({ limit: 2 })).total,
  calm: await ids({ needs_intervention: false, queue: "incoming" }),
  urgent: await ids({ needs_intervention: true }),
  tag
}))
`

const misuse = `
import createClient from "openapi-fetch"
import type { paths } from "./api.ts"

const client = createClient<paths>({ baseUrl: "" })
export const text = client.GET("/api/v1/tasks", { params: { query: { limit: "1" } } })
export const flag = client.GET("/api/v1/tasks", { params: { query: { needs_intervention: "True" } } })
export const body = client.POST("/api/v1/tasks/{id}/accept", { params: { path: { id: "t1" } }, body: {} })
`

const compilerOptions = {
  module: "NodeNext",
  target: "ES2024",
  lib: ["ES2024", "DOM", "DOM.Iterable"],
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  allowImportingTsExtensions: true,
  noEmit: true,
  skipLibCheck: true,
  types: []
}

it.effect("a client generated from the document compiles strictly, and plays a life", () =>
  Effect.gen(function*() {
    // Within the project, so that it finds openapi-fetch.
    const build = join(root, "build")
    yield* Effect.promise(() => mkdir(build, { recursive: true }))
    const directory = yield* Effect.acquireRelease(
      Effect.promise(() => mkdtemp(join(build, "generated-"))),
      (path) => Effect.promise(() => rm(path, { recursive: true, force: true }))
    )
    const write = (name: string, text: string) => Effect.promise(() => writeFile(join(directory, name), text))
    yield* succeed(root, "scripts/contract/contract.ts", "--types", join(directory, "api.ts"))
    yield* write("package.json", JSON.stringify({ private: true, type: "module" }))
    yield* write("life.ts", program)
    yield* write("misuse.ts", misuse)

    const compile = (file: string) =>
      Effect.andThen(
        write("tsconfig.json", JSON.stringify({ compilerOptions, files: [file] })),
        run(directory, join(root, "node_modules/typescript/bin/tsc"), "-p", ".")
      )
    assert.deepStrictEqual(yield* compile("life.ts"), { code: 0, output: "" })
    const refused = yield* compile("misuse.ts")
    assert.notStrictEqual(refused.code, 0)
    assert.match(refused.output, /misuse\.ts\(6,.*'string' is not assignable to type 'number'/)
    assert.match(refused.output, /misuse\.ts\(7,.*'string' is not assignable to type 'boolean/)
    assert.match(refused.output, /misuse\.ts\(8,.*accepted_by/)

    const baseUrl = yield* listening()
    assert.deepStrictEqual(JSON.parse(yield* succeed(directory, "life.ts", baseUrl)), {
      queue: "done",
      second: ["t2"],
      left: 3,
      calm: ["t2"],
      urgent: ["t3"],
      tag: "TaskNotFound"
    })
  }), 900_000)
