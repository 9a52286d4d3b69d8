/** Every command against workerd: as text that no terminal obeys, and as one JSON document. */
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { octopoid } from "../../src/cli/commands.ts"
import { run } from "../../src/cli/run.ts"
import * as OldServer from "../import/OldServer.ts"
import { plainNode } from "../support/command.ts"
import { receiver } from "../support/receiver.ts"
import * as World from "./world.ts"

interface Tree {
  readonly name: string
  readonly subcommands: ReadonlyArray<{ readonly commands: ReadonlyArray<Tree> }>
}

/** The commands that do something, by their words. */
const leaves = ({ subcommands }: Tree, path: ReadonlyArray<string> = []): ReadonlyArray<string> =>
  subcommands.flatMap(({ commands }) => commands).flatMap((command) => {
    const here = [...path, command.name]
    return command.subcommands.length === 0
      ? [here.join(" ")]
      // `usage` does something itself, and so does `usage cap`.
      : [...(command.name === "usage" ? [here.join(" ")] : []), ...leaves(command, here)]
  })

// These do not speak to the API of a D1 server, and have tests of their own.
const outside = new Set(["mcp", "git-hook", "serve", "restore"])

// Those that write the profiles, or that judge a server, do so one after the other.
const together = (name: string) => /^(login|profiles|conformance|import|machines)/.test(name) ? 1 : 2

/** What is written to both streams of this process meanwhile. */
const written = async (work: () => Promise<number>) => {
  const said = { stdout: "", stderr: "" }
  const originals = { stdout: process.stdout.write, stderr: process.stderr.write }
  const listeners = process.stdout.listeners("error")
  for (const name of ["stdout", "stderr"] as const) {
    process[name].write = (text: string | Uint8Array) => {
      said[name] += String(text)
      return true
    }
  }
  try {
    const code = await work()
    return { code, ...said }
  } finally {
    for (const name of ["stdout", "stderr"] as const) process[name].write = originals[name]
    // A command listens until its process ends.
    for (const listener of process.stdout.listeners("error")) {
      if (!listeners.includes(listener)) process.stdout.off("error", listener as () => void)
    }
  }
}

layer(World.shared, { excludeTestServices: true, timeout: "10 minutes" })("every command", (it) => {
  it.effect("prints text that no terminal obeys, and one JSON document with --json", () =>
    Effect.gen(function*() {
      const { claim, cli, create, env, get, post, register, submit } = yield* World.make("every", plainNode)
      const { url } = yield* receiver
      const files = yield* World.folder
      // A title that would clear the screen, and turn the rest of the line around.
      const nasty =
        "\u001B[2J\u009B31m\u202Eevil\u0007\nsecond line 漢字 🐙 and a very long end that does not fit a narrow line"
      yield* register
      yield* post("projects", { id: "every", title: nasty, branch: "feature/p" })
      for (const id of ["r0", "r1", "held"]) yield* create(id, { title: nasty, content: nasty, priority: "P0" })
      for (const id of ["r0", "r1"]) {
        assert.strictEqual((yield* claim(`ann${nasty.slice(0, 4)}`)).id, id)
        yield* submit(id, { execution_notes: nasty })
      }
      assert.strictEqual((yield* claim()).id, "held")
      for (const id of ["f0", "f1"]) {
        yield* create(id)
        yield* post(`tasks/${id}/fail`, { reason: nasty })
      }
      yield* create("w", { project_id: "every", blocked_by: "held" })
      const question = () =>
        post("messages", { task_id: "held", from_actor: nasty, to_actor: "human", type: "question", content: nasty })
      const questions = [yield* question(), yield* question(), yield* question()]
      const hooks = [
        yield* post("webhooks", { url, name: nasty }),
        yield* post("webhooks", { url }),
        yield* post("webhooks", { url })
      ]
      const keys = [
        yield* post("scopes/every/keys", { name: "key0" }),
        yield* post("scopes/every/keys", { name: "key1" })
      ]
      yield* post("tasks/held/renew", {
        fencing_token: (yield* get("tasks/held")).fencing_token,
        usage: { model: nasty.slice(0, 20), cost_usd: 1.5, input_tokens: 1200 }
      })
      const old = OldServer.make({ tasks: [OldServer.task("o", Date.UTC(2026, 2, 2), { scope: "every" })], keys: {} })
      const oldServer = createServer(async (request, response) => {
        const answer = await old.answer(new Request(`http://old${request.url}`))
        response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(await answer.text())
      })
      yield* Effect.acquireRelease(
        Effect.promise(() => new Promise<void>((done) => oldServer.listen(0, "127.0.0.1", done))),
        () => Effect.promise(() => new Promise((done) => oldServer.close(done).closeAllConnections()))
      )
      const oldUrl = `http://127.0.0.1:${(oldServer.address() as AddressInfo).port}`

      /** The arguments of each command: as text first, then with `--json`. */
      const cases: Record<string, (n: 0 | 1) => ReadonlyArray<string>> = {
        "status": () => [],
        "watch": () => ["--after", "0", "--once"],
        "tasks list": () => ["--queue", "incoming,claimed,failed,provisional"],
        "tasks show": () => ["r0"],
        "tasks create": (n) => [`Title ${n}`, "--id", `made${n}`, "--content", nasty],
        "tasks edit": (n) => ["w", "--priority", `P${n}`, "--reason", "why"],
        "tasks explain": () => ["w"],
        "tasks graph": () => ["held"],
        "tasks history": () => ["r0"],
        "tasks redrive": (n) => [`f${n}`],
        "tasks cancel": (n) => [`made${n}`, "--reason", nasty],
        "review": (n) => [`r${n}`, ...(n === 0 ? ["--accept"] : ["--reject", "No test."])],
        "inbox": () => [],
        "reply": (n) => [questions[n].id, "Yes."],
        "projects list": () => [],
        "projects show": () => ["every"],
        "projects graph": () => ["every"],
        "projects create": (n) => [`q${n}`, "A project", "--branch", "feature/q"],
        "machines list": () => [],
        "machines show": () => ["home-laptop"],
        "machines pause": () => ["home-laptop"],
        "machines resume": () => ["home-laptop"],
        "keys list": () => [],
        "keys create": (n) => [`made${n}`, "--rank", "read"],
        "keys revoke": (n) => [keys[n].id],
        "hooks list": () => [],
        "hooks show": () => [hooks[0].id],
        "hooks add": () => [url, "--types", "failed"],
        "hooks edit": () => [hooks[0].id, "--rotate-secret"],
        "hooks test": () => [hooks[0].id],
        "hooks log": () => [hooks[0].id],
        "hooks resend": () => [hooks[0].id, "--after", "latest"],
        "hooks remove": (n) => [hooks[n + 1].id],
        "usage": () => ["--by", "model"],
        "usage cap": (n) => ["--cost", String(50 + n)],
        "login": (n) => ["--profile", `profile${n}`],
        "profiles list": () => [],
        "profiles use": (n) => [`profile${n}`],
        "profiles remove": (n) => [`profile${n}`],
        "doctor": () => [],
        "conformance": () => [env.OCTOPOID_URL, "--only", "fencing"],
        "export": (n) => ["--out", join(files, `export${n}.jsonl`)],
        "import": () => ["--from", oldUrl],
        "completions": (n) => [n === 0 ? "bash" : "fish"]
      }
      assert.deepStrictEqual(
        leaves(octopoid as unknown as Tree).filter((name) => !outside.has(name.split(" ")[0]!)).toSorted(),
        Object.keys(cases).toSorted()
      )

      for (const [name, args] of Object.entries(cases)) {
        const line = [...name.split(" "), ...args(0)]
        const json = [...name.split(" "), ...args(1), "--json"]
        // Users have a Node of their own. The other run takes that of this project, which starts in half the time.
        const [shown, document] = yield* Effect.all([cli(line), cli(json, { node: process.execPath })], {
          concurrency: together(name)
        })
        assert.deepStrictEqual([shown.code, shown.stderr], [0, ""], `${line.join(" ")}: ${shown.stdout}`)
        assert.notStrictEqual(shown.stdout, "", name)
        // Shell programs have tabs.
        if (name !== "completions") {
          assert.notMatch(shown.stdout.replaceAll("\n", ""), /[\p{Cc}\u202A-\u202E\u2066-\u2069]/u, name)
        }
        assert.deepStrictEqual([document.code, document.stderr], [0, ""], `${json.join(" ")}: ${document.stdout}`)
        assert.notMatch(document.stdout.replaceAll("\n", ""), /[\p{Cc}\u202A-\u202E\u2066-\u2069]/u, name)
        for (const one of name === "watch" ? document.stdout.trimEnd().split("\n") : [document.stdout]) {
          assert.isObject(JSON.parse(one), name)
        }
      }
    }))

  // In this process, as the test above has started each command.
  it.effect("has help with what --json prints, on standard output", () =>
    Effect.promise(async () => {
      for (const name of leaves(octopoid as unknown as Tree)) {
        const { code, stderr, stdout } = await written(() => run([...name.split(" "), "--help"], "2.0.0"))
        assert.deepStrictEqual([code, stderr], [0, ""], name)
        assert.include(stdout, name)
        if (!outside.has(name.split(" ")[0]!)) assert.include(stdout, "With --json:", name)
      }
    }))
})
