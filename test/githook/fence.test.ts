/** The fence in real repositories of git: the push of an agent whose lease was taken is refused. */
import { assert, layer } from "@effect/vitest"
import { parseYaml } from "@redocly/openapi-core"
import * as Effect from "effect/Effect"
import { chmodSync, readFileSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { branchOf } from "../../src/mcp/branch.ts"
import { Workerd } from "../support/harness.ts"
import { bare, clone, commit, folder, git, headOf, hook, shell } from "./support.ts"

const secret = "a secret of the server for tests"

layer(Workerd.layerWith({ API_SECRET_KEY: secret }), { excludeTestServices: true, timeout: "10 minutes" })(
  "the fence in git",
  (it) => {
    let made = 0

    /** A task of a scope of its own that ann holds, a repository, ann's clone with the hook, and the key of the hook. */
    const setUp = Effect.fnUntraced(function*(id = `t${++made}`) {
      const { base, send } = yield* Workerd
      const scope = `git-${++made}`
      const post = (path: string, body: object) => send("POST", `/api/v1/${path}`, body, secret)
      const key: string = (yield* post(`scopes/${scope}/keys`, { name: "hook", rank: "fence" })).body.api_key
      yield* post("orchestrators/register", { scope, cluster: "git", machine_id: scope })
      yield* post("tasks", { id, scope, file_path: id, branch: "main" })
      const claim = (agent_name: string) =>
        Effect.map(
          post("tasks/claim", { scope, orchestrator_id: `git-${scope}`, agent_name }),
          ({ body }) => body.fencing_token as number
        )
      const token = yield* claim("ann")
      /** Takes the task from its holder, and gives it to bob. */
      const take = Effect.gen(function*() {
        yield* post(`tasks/${encodeURIComponent(id)}/requeue`, { reason: "Too slow." })
        return yield* claim("bob")
      })
      const parent = yield* folder
      const remote = yield* bare(parent)
      const ann = yield* clone(remote, join(parent, "ann"))
      const url = String(base).replace(/\/$/, "")
      const env = { OCTOPOID_FENCE_KEY: key }
      const push = (path: string, ...args: ReadonlyArray<string>) => git(path, ["push", "origin", ...args], env)
      const install = (path: string, ...args: ReadonlyArray<string>) =>
        Effect.tap(
          hook(path, "install", "--url", url, ...args),
          ({ code, said }) => Effect.sync(() => assert.strictEqual(code, 0, said))
        )
      return { ann, env, id, install, key, parent, post, push, remote, scope, take, token, url }
    })

    it.effect("refuses the slow one of two agents on one task, after its lease was taken", () =>
      Effect.gen(function*() {
        const { ann, id, install, parent, push, remote, take, token } = yield* setUp()
        const bob = yield* clone(remote, join(parent, "bob"))
        yield* install(ann)
        yield* install(bob)
        const old = branchOf(id, token)
        const first = yield* commit(ann, old)
        const allowed = yield* push(ann, old)
        assert.strictEqual(allowed.code, 0, allowed.said)
        assert.notInclude(allowed.said, "octopoid: ")
        assert.strictEqual(yield* headOf(remote, old), first)

        const next = branchOf(id, yield* take)
        const finished = yield* commit(bob, next)
        assert.strictEqual((yield* push(bob, next)).code, 0)

        const late = yield* commit(ann, old)
        const sentence =
          `octopoid: Not pushed: The lease ${token} of task ${id} is over: bob holds the task now. Stop working on it, and claim again.\n`
        const attempts = [
          [old],
          ["--force", old],
          // Over the finished work of the other, and elsewhere.
          ["--force", `${old}:${next}`],
          ["--force", `HEAD:${next}`],
          ["--force", "HEAD:main"],
          ["--force", `main:${old}`],
          // One of several refuses them all.
          ["main", `HEAD:refs/heads/other`, old],
          ["--all"]
        ]
        for (const args of attempts) {
          const refused = yield* push(ann, ...args)
          assert.notStrictEqual(refused.code, 0, args.join(" "))
          assert.include(refused.said, sentence, args.join(" "))
        }
        assert.strictEqual(yield* headOf(remote, old), first)
        assert.strictEqual(yield* headOf(remote, next), finished)
        assert.isUndefined(yield* headOf(remote, "other"))
        assert.notStrictEqual(late, yield* headOf(remote, "main"))
      }))

    it.effect("lets through other branches, tags and deletions, and asks about every branch of a push", () =>
      Effect.gen(function*() {
        const { ann, id, install, push, remote, take, token } = yield* setUp()
        yield* install(ann)
        const old = branchOf(id, token)
        yield* commit(ann, old)
        yield* push(ann, old)
        yield* take
        yield* commit(ann, "feature")
        const feature = yield* push(ann, "feature")
        assert.deepStrictEqual([feature.code, feature.said.includes("octopoid: ")], [0, false], feature.said)
        yield* git(ann, ["tag", "v1"])
        assert.strictEqual((yield* push(ann, "v1")).code, 0)
        yield* commit(ann, "octopoid/notes")
        const notes = yield* push(ann, "octopoid/notes")
        assert.strictEqual(notes.code, 0)
        assert.include(notes.said, "octopoid: octopoid/notes names no task and token")
        assert.strictEqual((yield* push(ann, `:${old}`)).code, 0)
        assert.isUndefined(yield* headOf(remote, old))
        // Nothing to push is no reason to refuse.
        assert.strictEqual((yield* push(ann, "feature")).code, 0)
      }))

    it.effect("stops a stale push where it arrives, too", () =>
      Effect.gen(function*() {
        const { ann, env, id, install, push, remote, take, token } = yield* setUp()
        yield* install(remote, "--hook", "pre-receive")
        // The machine that receives has the key, and the agent none.
        yield* git(remote, ["config", "octopoid.fenceKey", env.OCTOPOID_FENCE_KEY])
        const old = branchOf(id, token)
        const first = yield* commit(ann, old)
        const plain = (...args: ReadonlyArray<string>) => git(ann, ["push", "origin", ...args])
        assert.strictEqual((yield* plain(old)).code, 0)
        yield* take
        yield* commit(ann, old)
        const refused = yield* plain(old, "main:refs/heads/copy")
        assert.notStrictEqual(refused.code, 0)
        assert.include(
          refused.said.replace(/\s*\nremote: */g, " "),
          `octopoid: Not pushed: The lease ${token} of task ${id} is over`
        )
        assert.notInclude(refused.said, env.OCTOPOID_FENCE_KEY)
        assert.strictEqual(yield* headOf(remote, old), first)
        assert.isUndefined(yield* headOf(remote, "copy"))
        assert.strictEqual((yield* plain("main:refs/heads/copy")).code, 0)
        assert.strictEqual((yield* push(ann, `:${old}`)).code, 0)
      }))

    it.effect("lets through or refuses, as configured, when the server cannot be reached, and says so", () =>
      Effect.gen(function*() {
        const { ann, env, id, install, remote, token } = yield* setUp()
        const pages: Record<string, readonly [status: number, body: string]> = {
          "/page": [200, "<h1>Sign in</h1>"],
          "/moved": [302, ""],
          "/forbidden": [403, "<h1>Forbidden</h1>"],
          "/down": [503, JSON.stringify({ _tag: "DatabaseUnavailable", error: "Later." })],
          "/busy": [429, JSON.stringify({ _tag: "TooManyFailures", error: "Later." })]
        }
        const proxy = createServer(({ url = "" }, response) => {
          const [status, body] = pages[`/${url.split("/")[1]}`]!
          response.writeHead(status, { location: "/page" }).end(body)
        })
        yield* Effect.acquireRelease(
          Effect.promise(() => new Promise<void>((done) => proxy.listen(0, "127.0.0.1", done))),
          () => Effect.promise(() => new Promise((done) => proxy.close(done).closeAllConnections()))
        )
        const address = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
        yield* install(ann)
        const branch = branchOf(id, token)
        const addresses = ["http://127.0.0.1:9", ...Object.keys(pages).map((page) => address + page)]
        for (const url of addresses) {
          for (const offline of ["closed", "open"]) {
            const before = yield* headOf(remote, branch)
            yield* commit(ann, branch)
            const { code, said } = yield* git(ann, ["push", "origin", branch], {
              ...env,
              OCTOPOID_URL: url,
              OCTOPOID_OFFLINE: offline
            })
            const says = offline === "open" ? "Pushed all the same" : "Not pushed"
            assert.include(
              said,
              `octopoid: ${says}: The server at ${url} cannot be reached, so it is unknown whether the lease ${token} of task ${id} holds (`
            )
            assert.include(said, `octopoid.offline is ${offline}.`)
            assert.strictEqual(code === 0, offline === "open", said)
            assert.strictEqual((yield* headOf(remote, branch)) === before, offline === "closed")
          }
        }
        // It is open unless it is said.
        yield* commit(ann, branch)
        assert.strictEqual((yield* git(ann, ["push", "origin", branch], { OCTOPOID_URL: addresses[0]! })).code, 0)
      }))

    it.effect("refuses with the sentence of the server: an unknown task, an invalid key, an invalid setting", () =>
      Effect.gen(function*() {
        const { ann, env, id, install, push, remote, token } = yield* setUp()
        yield* install(ann)
        const unknown = branchOf("nobody's", 1)
        yield* commit(ann, unknown)
        const first = yield* push(ann, unknown)
        assert.notStrictEqual(first.code, 0)
        assert.include(
          first.said,
          "octopoid: Not pushed: Task not found: nobody's. (branch octopoid/nobody%27s/1, status 404)"
        )
        const branch = branchOf(id, token)
        yield* commit(ann, branch)
        const wrong = (settings: Record<string, string>) =>
          git(ann, ["push", "origin", branch], { ...env, ...settings })
        const key = `oct_${"0".repeat(64)}`
        const stranger = yield* wrong({ OCTOPOID_FENCE_KEY: key })
        assert.notStrictEqual(stranger.code, 0)
        assert.match(stranger.said, /octopoid: Not pushed: .*key.* \(branch .*, status 401\)/)
        assert.notInclude(stranger.said, key)
        const policy = yield* wrong({ OCTOPOID_OFFLINE: "maybe" })
        assert.include(policy.said, "octopoid.offline is 'maybe', and has to be open or closed.")
        const pattern = yield* wrong({ OCTOPOID_BRANCHES: "octopoid/<task>" })
        assert.include(pattern.said, "lacks <task> or <token>")
        yield* git(ann, ["config", "--unset", "octopoid.url"])
        const nowhere = yield* push(ann, branch)
        assert.include(nowhere.said, "octopoid.url is not set")
        for (const { code } of [policy, pattern, nowhere]) assert.notStrictEqual(code, 0)
        assert.isUndefined(yield* headOf(remote, branch))
      }))

    it.effect("never shows the key, neither in what git traces nor in the arguments of curl", () =>
      Effect.gen(function*() {
        const { ann, env, id, install, parent, token } = yield* setUp()
        yield* install(ann)
        const bin = join(parent, "bin")
        const log = join(parent, "arguments")
        yield* shell(parent, "mkdir bin")
        writeFileSync(join(bin, "curl"), `#!/bin/sh\nprintf '%s\\n' "$@" >> '${log}'\nPATH=$REAL exec curl "$@"\n`)
        chmodSync(join(bin, "curl"), 0o755)
        // A .curlrc that shows everything is not read.
        writeFileSync(join(ann, ".curlrc"), "verbose\n")
        const branch = branchOf(id, token)
        yield* commit(ann, branch)
        const path = process.env.PATH ?? ""
        const { code, said } = yield* git(ann, ["push", "origin", branch], {
          ...env,
          PATH: `${bin}:${path}`,
          REAL: path,
          GIT_TRACE: "1",
          GIT_CURL_VERBOSE: "1"
        })
        assert.strictEqual(code, 0, said)
        assert.include(readFileSync(log, "utf8"), "--config")
        assert.notInclude(said + readFileSync(log, "utf8"), env.OCTOPOID_FENCE_KEY)
      }))

    it.effect.each<readonly [pattern: string, id: string, named: (id: string, token: number) => string]>([
      ["octopoid/<task>/<token>", "spaced and odd: ~?*", branchOf],
      ["agent.<token>-<task>", "a.b", (id, token) => `agent.${token}-${id}`],
      ["w.x/<task>@<token>", "with/slash", (id, token) => `w.x/${id}@${token}`],
      ["<task>/<token>", "ümlaut", (id, token) => `${id}/${token}`]
    ])("finds task and token by the pattern %s", ([pattern, id, named]) =>
      Effect.gen(function*() {
        const { ann, install, push, remote, take, token } = yield* setUp(id)
        const branch = named(id, token)
        yield* install(ann, "--branches", pattern)
        yield* commit(ann, branch)
        const allowed = yield* push(ann, branch)
        assert.strictEqual(allowed.code, 0, allowed.said)
        assert.notInclude(allowed.said, "octopoid: ")
        yield* take
        const before = yield* headOf(remote, branch)
        yield* commit(ann, branch)
        const refused = yield* push(ann, branch)
        assert.notStrictEqual(refused.code, 0)
        assert.include(refused.said, `octopoid: Not pushed: The lease ${token} of task ${id} is over`)
        assert.strictEqual(yield* headOf(remote, branch), before)
      }))

    it.effect("as the action of GitHub, fails for a push that another lease has overtaken", () =>
      Effect.gen(function*() {
        const { ann, env, id, post, take, token, url } = yield* setUp()
        const { stdout } = yield* hook(ann, "print", "github-action")
        const workflow = parseYaml(stdout) as any
        assert.deepStrictEqual(workflow.on.push.branches, ["octopoid/**"])
        const [step] = workflow.jobs.fence.steps
        assert.strictEqual(step.env.OCTOPOID_FENCE_KEY, "${{ secrets.OCTOPOID_FENCE_KEY }}")
        const check = (settings: Record<string, string> = {}) =>
          shell(ann, step.run, {
            ...env,
            OCTOPOID_URL: url,
            OCTOPOID_BRANCHES: step.env.OCTOPOID_BRANCHES,
            OCTOPOID_OFFLINE: step.env.OCTOPOID_OFFLINE,
            BRANCH: branchOf(id, token),
            ...settings
          })
        const held = yield* check()
        assert.deepStrictEqual([held.code, /goes on until/.test(held.said)], [0, true], held.said)
        // The agent handed in its result before the check ran: that is the usual course.
        yield* post(`tasks/${id}/submit`, { commits_count: 1, turns_used: 1, fencing_token: token })
        const submitted = yield* check()
        assert.deepStrictEqual(
          [submitted.code, /is the latest of task/.test(submitted.said)],
          [0, true],
          submitted.said
        )
        yield* post(`tasks/${id}/reject`, { rejected_by: "eve", reason: "No test." })
        yield* take
        const stale = yield* check()
        assert.strictEqual(stale.code, 1)
        assert.include(stale.said, `::error::The lease ${token} of task ${id} is over: bob holds the task now.`)
        assert.strictEqual((yield* check({ BRANCH: "main" })).code, 0)
        const away = yield* check({ OCTOPOID_URL: "http://127.0.0.1:9" })
        assert.deepStrictEqual([away.code, away.said.includes("::warning::The server at")], [0, true], away.said)
        assert.strictEqual((yield* check({ OCTOPOID_URL: "http://127.0.0.1:9", OCTOPOID_OFFLINE: "closed" })).code, 1)
      }))
  }
)
