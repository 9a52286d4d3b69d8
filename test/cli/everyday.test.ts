/** What a person does every day, by the command alone: what it says, what it changes, and its exit codes. */
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { text } from "node:stream/consumers"
import { run, start } from "../support/command.ts"
import * as World from "./world.ts"

layer(World.shared, { excludeTestServices: true, timeout: "10 minutes" })("the command, every day", (it) => {
  it.effect("shows a task that was created, changed, and why nobody has it", () =>
    Effect.gen(function*() {
      const { cli, document, get, register } = yield* World.make("day")
      yield* register
      const made = yield* document(["tasks", "create", "Add the login!", "--priority", "P1", "--content-file", "-"], {
        input: "# Login\nwith a form"
      })
      assert.match(made.id, /^add-the-login-[0-9a-f]{4}$/)
      assert.deepInclude(yield* get(`tasks/${made.id}`), {
        title: "Add the login!",
        priority: "P1",
        content: "# Login\nwith a form"
      })
      assert.deepInclude((yield* get(`tasks/${made.id}`)).metadata, { created_by: "tester" })
      yield* document(["tasks", "create", "Document it", "--id", "docs", "--blocked-by", made.id])
      const edited = yield* cli(["tasks", "edit", "docs", "--priority", "P0", "--reason", "It is late"])
      assert.strictEqual(edited.stdout, "✓ Changed docs: it is in incoming, version 2\n")
      const stale = yield* cli(["tasks", "edit", "docs", "--priority", "P3", "--expect-version", "1"])
      assert.strictEqual(stale.code, 1)
      assert.include(stale.stderr, "version")
      const why = yield* cli(["tasks", "explain", "docs"])
      assert.match(why.stdout, /^docs in incoming: cannot be claimed\n {2}✗ It waits for add-the-login-/)
      const graph = yield* cli(["tasks", "graph", "docs"])
      assert.match(
        graph.stdout,
        /^add-the-login-\w+ {2}incoming {2}Add the login!\n└─ docs {2}incoming {2}Document it\n$/
      )
      const shown = yield* cli(["tasks", "show", made.id])
      assert.match(shown.stdout, /title +Add the login!\n/)
      assert.match(shown.stdout, /\nContent\n {2}# Login\n {2}with a form\n/)
      const history = yield* cli(["tasks", "history", "docs"])
      assert.match(history.stdout, /edited +incoming +tester +It is late/)
      const cleared = yield* document(["tasks", "edit", "docs", "--clear", "blocked-by"])
      assert.isNull(cleared.blocked_by)
    }))

  it.effect("reviews: shows the evidence and the diff, and decides about the version that was shown", () =>
    Effect.gen(function*() {
      const { claim, cli, create, document, get, post, register, submit } = yield* World.make("reviews")
      const nothing = yield* cli(["review"])
      assert.deepStrictEqual([nothing.code, nothing.stdout, nothing.stderr], [4, "", "✗ Nothing waits for a review.\n"])
      yield* register
      yield* post("projects", { id: "p", title: "P", branch: "feature/$(touch x)", base_branch: "trunk" })
      yield* create("a", { priority: "P1", branch: "feature/a" })
      yield* create("b", { project_id: "p" })
      for (const id of ["a", "b"]) {
        yield* claim()
        yield* submit(id, id === "b" ? { head_commit: "-x; rm" } : {})
      }
      const { stdout } = yield* cli(["review"])
      assert.match(stdout, /^task +a\n/)
      assert.match(stdout, /test +passed +abcdef0123 +npm test +All pass\n/)
      assert.match(stdout, /lint +exit code 1 +0123456789 \(not the head commit\)/)
      assert.include(stdout, "  git fetch origin main feature/a && git diff origin/main...abcdef0123 --\n")
      assert.include(stdout, "review a --accept --expect-version 3")
      // The names of branches come from the server, and people paste what they see.
      assert.include((yield* cli(["review", "b"])).stdout, "there is no command for it")
      yield* post("tasks/b", { head_commit: null, pr_number: 3 }, "PATCH")
      const changed = yield* cli(["review", "b", "--accept", "--expect-version", "3"])
      assert.strictEqual(changed.code, 1)
      assert.include(changed.stderr, "has the version 4, not 3")
      assert.deepInclude(yield* document(["review", "a", "--accept", "--expect-version", "3"]), {
        id: "a",
        queue: "done"
      })
      const unnamed = yield* cli(["review", "--reject", "There is no test."])
      assert.deepStrictEqual([unnamed.code, (yield* get("tasks/b")).queue], [2, "provisional"])
      assert.strictEqual((yield* cli(["review", "b", "--reject", "  "])).code, 2)
      const rejected = yield* cli(["review", "b", "--reject", "There is no test."])
      assert.strictEqual(rejected.stdout, "✓ Rejected b: it is in incoming\n")
      assert.deepInclude(yield* get("tasks/b"), { queue: "incoming", last_rejection_reason: "There is no test." })
      const { history } = yield* get("tasks/b/history")
      assert.deepInclude(history.at(-1), { event: "rejected", actor: "tester" })
      const twice = yield* cli(["review", "a", "--accept"])
      assert.strictEqual(twice.code, 1)
      const both = yield* cli(["review", "--accept", "--reject", "why"])
      assert.strictEqual(both.code, 2)
    }))

  it.effect("quotes the name of a branch for a shell", () =>
    Effect.gen(function*() {
      const { claim, cli, create, register, submit } = yield* World.make("quotes")
      yield* register
      yield* create("quote-a", { branch: "x'$(touch /tmp/owned) y" })
      yield* claim()
      yield* submit("quote-a", { head_commit: null })
      const { stdout } = yield* cli(["review"])
      assert.include(
        stdout,
        "git fetch origin main 'x'\\''$(touch /tmp/owned) y' && git diff 'origin/main...origin/x'\\''$(touch /tmp/owned) y' --"
      )
    }))

  it.effect("lists questions, shows one in full, and an answer frees its task", () =>
    Effect.gen(function*() {
      const { claim, cli, create, get, post, register } = yield* World.make("mail")
      yield* register
      yield* create("mail-a")
      const { fencing_token } = yield* claim()
      const question = yield* post("messages", {
        task_id: "mail-a",
        from_actor: "ann",
        to_actor: "human",
        type: "question",
        content: "Keep the cookies?\nOr not?",
        hold: true,
        fencing_token
      })
      const list = yield* cli(["inbox"])
      assert.match(list.stdout, /\S+ +mail-a +ann +Keep the cookies\? Or not\?/)
      const answer = yield* cli(["reply", question.id, "Keep them."])
      assert.strictEqual(answer.stdout, "✓ Answered ann: Keep them.\n")
      assert.strictEqual(answer.stderr, "")
      const thread = yield* cli(["inbox", question.id])
      assert.match(
        thread.stdout,
        /^About mail-a\n\nann to human, .*\n {2}Keep the cookies\?\n {2}Or not\?\n\ntester to ann, .*\n {2}Keep them\.\n$/
      )
      assert.strictEqual((yield* cli(["inbox"])).stdout, "Nobody waits for an answer.\n")
      assert.isNull((yield* get("tasks/mail-a")).waiting_for_reply)
      assert.strictEqual((yield* claim()).id, "mail-a")
      const again = yield* cli(["reply", question.id, "Or not."])
      assert.deepStrictEqual([again.code, again.stdout], [0, "✓ Answered ann: Or not.\n"])
      assert.match(again.stderr, /^tester answered this (now|\d+ s ago): Keep them\.\n$/)
    }))

  it.effect("says what failed and why, and has it tried again", () =>
    Effect.gen(function*() {
      const { cli, create, get, post } = yield* World.make("failures")
      yield* create("fail-a")
      yield* create("fail-b")
      yield* post("tasks/fail-a/fail", { reason: "The disk is full." })
      yield* post("tasks/fail-b/fail", { reason: "No licence.", terminal: true })
      const { stdout } = yield* cli(["tasks", "list", "--queue", "failed"])
      assert.match(stdout, /fail-a +failed +P2 +Title of fail-a +The disk is full\./)
      assert.strictEqual(
        (yield* cli(["tasks", "redrive", "fail-a"])).stdout,
        "✓ Redrove fail-a: it is in incoming, version 3\n"
      )
      assert.strictEqual((yield* cli(["tasks", "redrive", "fail-b"])).code, 1)
      assert.strictEqual((yield* cli(["tasks", "redrive", "fail-b", "--terminal"])).code, 0)
      assert.strictEqual((yield* get("tasks/fail-b")).queue, "incoming")
    }))

  it.effect("watches live, one JSON document a line, and ends at Ctrl-C", () =>
    Effect.gen(function*() {
      const { create, env } = yield* World.make("watched")
      yield* create("before")
      const child = yield* Effect.promise(() => start(["watch", "--json", "--every", "0.2", "--after", "1"], { env }))
      let seen = ""
      child.stdout!.on("data", (chunk) => seen += String(chunk))
      const errors = text(child.stderr!)
      yield* create("later")
      while (!seen.includes("\n")) yield* Effect.sleep("50 millis")
      const code = new Promise<number | null>((done) => child.on("close", done))
      child.kill("SIGINT")
      assert.strictEqual(yield* Effect.promise(() => code), 130)
      assert.strictEqual(yield* Effect.promise(() => errors), "")
      const [event] = seen.trimEnd().split("\n").map((one) => JSON.parse(one))
      assert.deepInclude(event, { seq: 2, task_id: "later", event: "created" })
    }))

  it.effect("reads all pages, and one page by its cursor", () =>
    Effect.gen(function*() {
      const { cli, create, document } = yield* World.make("paged")
      for (let n = 0; n < 5; n++) yield* create(`t${n}`)
      const first = yield* document(["tasks", "list", "-n", "2"])
      assert.deepStrictEqual(first.tasks.map(({ id }: any) => id), ["t4", "t3"])
      const second = yield* document(["tasks", "list", "-n", "2", "--cursor", first.next_cursor])
      assert.deepStrictEqual(second.tasks.map(({ id }: any) => id), ["t2", "t1"])
      assert.lengthOf((yield* document(["tasks", "list", "--all", "-n", "2"])).tasks, 5)
      assert.include((yield* cli(["tasks", "list", "-n", "2"])).stdout, "2 of 5. All of them: --all.")
    }))

  it.effect("sets one cap and leaves the other", () =>
    Effect.gen(function*() {
      const { document } = yield* World.make("caps")
      yield* document(["usage", "cap", "--cost", "50", "--tokens", "1000"])
      assert.deepInclude(yield* document(["usage", "cap", "--cost", "none"]), { max_cost_usd: null, max_tokens: 1000 })
    }))
})

layer(World.shared, { excludeTestServices: true, timeout: "10 minutes" })("errors", (it) => {
  it.effect("repeat the sentence of the server, as text or as JSON, on standard error", () =>
    Effect.gen(function*() {
      const { cli } = yield* World.make("errors")
      const plain = yield* cli(["tasks", "show", "none"])
      assert.deepStrictEqual([plain.code, plain.stdout], [1, ""])
      assert.match(plain.stderr, /^✗ Task not found: none/i)
      const json = yield* cli(["tasks", "show", "none", "--json"])
      assert.deepStrictEqual([json.code, json.stdout], [1, ""])
      assert.deepInclude(JSON.parse(json.stderr), { _tag: "TaskNotFound", task_id: "none" })
    }))

  it.effect("name a queue that does not exist, and warn of an empty scope", () =>
    Effect.gen(function*() {
      const { cli, create } = yield* World.make("lists")
      yield* create("lists-a")
      yield* create("lists-b", { queue: "testing" })
      for (const queue of ["failed", "provisional,done", "testing", "escalated"]) {
        assert.deepInclude(yield* cli(["tasks", "list", "--queue", queue]), { code: 0, stderr: "" })
      }
      const wrong = yield* cli(["tasks", "list", "--queue", "faild,done"])
      assert.deepStrictEqual([wrong.code, wrong.stdout], [2, ""])
      assert.match(
        wrong.stderr,
        /^✗ The scope lists has no queue faild: no task is in it, and no flow has it\. There are: incoming, .*testing/
      )
      const empty = yield* cli(["tasks", "list", "--scope", "lsts"])
      assert.deepStrictEqual([empty.code, empty.stdout], [0, "No tasks.\n"])
      assert.match(empty.stderr, /^The scope lsts has no tasks, machines or projects\. Is that its name\?\n$/)
      // A filter that finds nothing is no mistake.
      assert.deepInclude(yield* cli(["tasks", "list", "--role", "none"]), { code: 0, stderr: "" })
    }))

  it.effect("have an exit code for each kind", () =>
    Effect.gen(function*() {
      const { cli, config } = yield* World.make("codes")
      const big = join(config, "big.md")
      yield* Effect.promise(() => writeFile(big, "x".repeat(600_000)))
      const long = yield* cli(["tasks", "create", "big", "--content-file", big])
      assert.deepStrictEqual([long.code, long.stderr], [
        2,
        `✗ Expected at most 524288 bytes, got "${"x".repeat(57)} …\n  at ["content"]\n`
      ])
      const cases: ReadonlyArray<readonly [ReadonlyArray<string>, number, string]> = [
        [["tasks", "lst"], 2, "tasks"],
        [["tasks", "show"], 2, "Missing required argument: task"],
        [["tasks", "list", "--frob"], 2, "--frob"],
        [["tasks", "list", "--limit", "many"], 2, "limit"],
        [["tasks", "edit", "a"], 2, "Nothing to change"],
        [["tasks", "create", "x", "--content", "a", "--content-file", "b"], 2, "not both"],
        [["tasks", "create", "x", "--content-file", "/nonexistent/file"], 2, "/nonexistent/file cannot be read"],
        [["watch", "--every", "0"], 2, "--every is a number of seconds"],
        [["status", "--url", "localhost:8787"], 2, "is not an address"],
        [["status", "--profile", "none"], 2, "There is no profile none"],
        [["usage", "cap", "--cost", "-1"], 2, "--cost"],
        [["usage", "--from", "yesterday"], 2, "day"],
        [["status", "--url", "http://127.0.0.1:9"], 3, "http://127.0.0.1:9 gives no usable answer"],
        [["export", "--url", "http://127.0.0.1:9"], 3, "http://127.0.0.1:9"],
        [["doctor", "--url", "http://127.0.0.1:9"], 1, ""],
        [["mcp", "--json"], 2, "--json"],
        [[], 2, "octopoid-server"]
      ]
      yield* Effect.forEach(cases, ([args, code, why]) =>
        Effect.map(cli(args), (ran) => {
          assert.strictEqual(ran.code, code, `${args.join(" ")}: ${ran.stdout}${ran.stderr}`)
          assert.include(ran.stderr, why, args.join(" "))
        }), { concurrency: 3 })
    }))

  it.effect("name an address at which no Octopoid server answers", () =>
    Effect.gen(function*() {
      const { folder: config } = { folder: yield* World.folder }
      const answers = yield* Effect.promise(async () => {
        const { createServer } = await import("node:http")
        const server = createServer((_, response) =>
          response.writeHead(200, { "content-type": "text/html" }).end("<p>hello")
        )
        await new Promise<void>((done) => server.listen(0, "127.0.0.1", done))
        const url = `http://127.0.0.1:${(server.address() as { port: number }).port}`
        const ran = await run(["status", "--json"], { env: { OCTOPOID_URL: url, XDG_CONFIG_HOME: config } })
        const doctor = await run(["doctor"], { env: { OCTOPOID_URL: url, XDG_CONFIG_HOME: config } })
        server.close()
        server.closeAllConnections()
        return { url, ran, doctor }
      })
      assert.strictEqual(answers.ran.code, 3)
      assert.deepInclude(JSON.parse(answers.ran.stderr), { _tag: "NoUsableAnswer", address: answers.url })
      assert.strictEqual(answers.doctor.code, 1)
      assert.include(answers.doctor.stdout, "is no Octopoid server")
    }))
})
