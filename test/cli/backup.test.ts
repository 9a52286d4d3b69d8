/** Backups by the command alone: which scopes a file holds, what it leaves out, and what a refusal says. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { access, mkdtemp, readFile, rm } from "node:fs/promises"
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
