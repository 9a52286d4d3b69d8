/** A server in workerd with something to see in each command, and the command that speaks to it. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { run, type Surroundings } from "../support/command.ts"
import { Workerd } from "../support/harness.ts"

export const Secret = "a-secret-of-sixteen-and-more"

/** The server of all files that look only at scopes of their own. */
export const shared = Workerd.layerShared({ API_SECRET_KEY: Secret, WEBHOOK_ALLOW_PRIVATE: "true" })

/** A folder that is gone afterwards. */
export const folder = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "octopoid-cli-"))),
  (path) => Effect.promise(() => rm(path, { recursive: true, force: true }))
)

/** A scope of its own, and the command on the given Node. */
export const make = Effect.fnUntraced(function*(scope: string, node = process.execPath) {
  const { base, send } = yield* Workerd
  const config = yield* folder
  const url = base.origin
  const env = { OCTOPOID_URL: url, OCTOPOID_API_KEY: Secret, OCTOPOID_SCOPE: scope, XDG_CONFIG_HOME: config }
  const post = (path: string, body: object, method = "POST") =>
    Effect.map(send(method, `/api/v1/${path}`, { scope, ...body }, Secret), (answer) => {
      assert.isBelow(answer.status, 300, `${path}: ${JSON.stringify(answer.body)}`)
      return answer.body
    })
  return {
    url,
    scope,
    config,
    env,
    post,
    get: (path: string) =>
      Effect.map(
        send("GET", `/api/v1/${path}${path.includes("?") ? "&" : "?"}scope=${scope}`, undefined, Secret),
        ({ body }) => body
      ),
    /** Runs the command in the scope. */
    cli: (args: ReadonlyArray<string>, more: Surroundings = {}) =>
      Effect.promise(() => run(args, { node, ...more, env: { ...env, ...more.env } })),
    /** The same, and it has to succeed. Answers the document that it prints. */
    document: (args: ReadonlyArray<string>, more: Surroundings = {}) =>
      Effect.promise(async () => {
        const ran = await run([...args, "--json"], { node, ...more, env: { ...env, ...more.env } })
        assert.deepStrictEqual([ran.code, ran.stderr], [0, ""], `${args.join(" ")}: ${ran.stdout}`)
        return JSON.parse(ran.stdout)
      }),
    create: (id: string, more: object = {}) =>
      post("tasks", { id, file_path: `${id}.md`, branch: "main", title: `Title of ${id}`, ...more }),
    claim: (agent_name = "ann", more: object = {}) =>
      post("tasks/claim", { orchestrator_id: "home-laptop", agent_name, ...more }),
    register: post("orchestrators/register", {
      cluster: "home",
      machine_id: "laptop",
      hostname: "laptop.local",
      version: "1.2.3"
    }),
    submit: (id: string, more: object = {}) =>
      post(`tasks/${id}/submit`, {
        commits_count: 2,
        turns_used: 9,
        head_commit: "abcdef0123",
        evidence: [
          { kind: "test", command: "npm test", exit_code: 0, summary: "All pass" },
          { kind: "lint", exit_code: 1, commit: "0123456789" }
        ],
        execution_notes: "Done as asked.",
        ...more
      })
  }
})
