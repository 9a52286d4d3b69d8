/** Backups by the command alone: which scopes a file holds, what it leaves out, and what a refusal says. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { access, mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { run } from "../support/command.ts"
import { listening } from "../support/listening.ts"

const secret = "a-secret-of-sixteen-and-more"

const post = async (url: string, path: string, body: object, key = "") => {
  const answer = await fetch(`${url}/api/v1/${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...(key === "" ? {} : { authorization: `Bearer ${key}` }) },
    body: JSON.stringify(body)
  })
  assert.isBelow(answer.status, 300, path)
  return await answer.json() as any
}

const folder = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "octopoid-backup-"))),
  (path) => Effect.promise(() => rm(path, { recursive: true, force: true }))
)

const command = (url: string, key: string, ...args: ReadonlyArray<string>) =>
  run(args, { env: { OCTOPOID_URL: url, OCTOPOID_API_KEY: key, XDG_CONFIG_HOME: "/nonexistent" } })

it.live("an export says which scope it has, and one of all scopes needs the secret", () =>
  Effect.gen(function*() {
    const url = yield* listening({ API_SECRET_KEY: secret })
    const files = yield* folder
    yield* Effect.promise(async () => {
      const { api_key: key } = await post(url, "scopes/load/keys", { name: "k" }, secret)
      const file = join(files, "all.jsonl")
      const refused = await command(url, key, "export", "--all-scopes", "--out", file)
      assert.deepStrictEqual([refused.code, refused.stdout, refused.stderr], [
        1,
        "",
        "✗ This key opens the scope load only; --all-scopes needs the secret of the server (OCTOPOID_API_KEY).\n"
      ])
      assert.isFalse(await access(file).then(() => true, () => false))
      const own = await command(url, key, "export", "--out", file)
      assert.strictEqual(own.stdout, `✓ Wrote 0 records of the scope load to ${file}\n`)
      const document = await command(url, key, "export", "--out", file, "--json")
      assert.strictEqual(JSON.parse(document.stdout).scope, "load")
      const whole = await command(url, secret, "export", "--all-scopes", "--out", file)
      assert.deepStrictEqual([whole.stdout, whole.stderr], [`✓ Wrote 1 record of all scopes to ${file}\n`, ""])
    })
  }))

it.live("an export of an open server says that it lacks the keys of scopes", () =>
  Effect.gen(function*() {
    const url = yield* listening()
    const files = yield* folder
    yield* Effect.promise(async () => {
      const file = join(files, "open.jsonl")
      const without = await command(url, "", "export", "--out", file)
      assert.deepStrictEqual([without.code, without.stderr], [0, ""], "it has none")
      await post(url, "scopes/red/keys", { name: "k" })
      await post(url, "scopes/blue/keys", { name: "k" })
      for (const json of [[], ["--json"]]) {
        const { code, stderr } = await command(url, "", "export", "--out", file, ...json)
        assert.strictEqual(code, 0)
        assert.include(
          stderr,
          "Keys of scopes (blue, red) are not in it: the server is open. Set API_SECRET_KEY on it first, and export again."
        )
      }
      assert.notInclude(await readFile(file, "utf8"), "api_keys")
    })
  }))

it.live("what an export and a restore refuse is a sentence that says what to do", () =>
  Effect.gen(function*() {
    const url = yield* listening({ API_SECRET_KEY: secret })
    const files = yield* folder
    const page = createServer((_, response) => response.writeHead(404, { "content-type": "text/html" }).end("<p>hello"))
    yield* Effect.acquireRelease(
      Effect.promise(() => new Promise<void>((done) => page.listen(0, "127.0.0.1", done))),
      () => Effect.sync(() => page.close())
    )
    const elsewhere = `http://127.0.0.1:${(page.address() as AddressInfo).port}`
    yield* Effect.promise(async () => {
      const { api_key: key } = await post(url, "scopes/load/keys", { name: "k", rank: "work" }, secret)
      await post(url, "tasks", { id: "a", scope: "load", file_path: "a.md", branch: "b" }, secret)
      const file = join(files, "all.jsonl")
      assert.strictEqual((await command(url, secret, "export", "--all-scopes", "--out", file)).code, 0)
      const whole = await readFile(file, "utf8")
      const [cut, other, none] = ["cut", "other", "none"].map((name) => join(files, name)) as [string, string, string]
      await writeFile(cut, whole.slice(0, whole.indexOf("\n") + 40))
      await writeFile(other, "# Not an export\n")
      const cases: ReadonlyArray<readonly [string, string, ReadonlyArray<string>, number, string]> = [
        [
          url,
          "",
          ["export"],
          1,
          `${url} answered 401: Authentication required. Send your API key as a bearer token. Give a key, or the server's secret, in OCTOPOID_API_KEY.`
        ],
        [
          url,
          secret,
          ["export", "--out", join(none, "x")],
          2,
          `${join(none, "x")} cannot be written: there is no such folder.`
        ],
        [url, secret, ["export", "--out", files], 2, `${files} cannot be written: it is a folder.`],
        [url, secret, ["restore", "--file", none], 2, `${none} cannot be read: there is no such file.`],
        [url, secret, ["restore", "--file", files], 2, `${files} cannot be read: it is a folder.`],
        [url, secret, ["restore", "--file", cut], 1, "Line 2 is not a JSON object. The file was cut short or edited."],
        [
          url,
          secret,
          ["restore", "--file", other],
          1,
          "This is no export: it does not begin with {\"octopoid_export\":1}."
        ],
        [
          url,
          secret,
          ["restore", "--file", file],
          1,
          `${url} answered 404: Not Found. A server on D1 is restored by npm run restore (docs/operating.md).`
        ],
        [
          url,
          key,
          ["restore", "--file", file],
          1,
          "A restore needs the secret of the server (OCTOPOID_API_KEY). This is the key of a scope."
        ],
        [
          elsewhere,
          secret,
          ["restore", "--file", file],
          3,
          `${elsewhere} answered 404 with no answer of an Octopoid server. Is this its address (--url)?`
        ],
        [
          elsewhere,
          secret,
          ["export"],
          3,
          `${elsewhere} answered 404 with no answer of an Octopoid server. Is this its address (--url)?`
        ]
      ]
      await Promise.all(cases.map(async ([to, token, args, code, sentence]) => {
        const ran = await command(to, token, ...args)
        assert.deepStrictEqual([ran.code, ran.stderr], [code, `✗ ${sentence}\n`], args.join(" "))
      }))
    })
  }))
