/** `git-hook install`: where the hook goes, and what it leaves alone. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { bare, clone, commit, folder, git, hook } from "./support.ts"

const repository = Effect.gen(function*() {
  const parent = yield* folder
  const remote = yield* bare(parent)
  return { parent, remote, path: yield* clone(remote, join(parent, "clone")) }
})

/** A hook of somebody else, which notes what it was given. */
const foreign = (file: string, code = 0) => {
  writeFileSync(file, `#!/bin/sh\n{ echo "$1"; cat; } > "${file}.seen"\nexit ${code}\n`)
  chmodSync(file, 0o755)
}

const succeeds = <E, R>(ran: Effect.Effect<{ readonly code: number; readonly said: string }, E, R>) =>
  Effect.map(ran, ({ code, said }) => {
    assert.strictEqual(code, 0, said)
    return said
  })

it.live("writes an executable hook and the settings, and may be repeated", () =>
  Effect.scoped(Effect.gen(function*() {
    const { path } = yield* repository
    const file = join(path, ".git/hooks/pre-push")
    for (let times = 0; times < 2; times++) {
      const said = yield* succeeds(
        hook(
          path,
          "install",
          "--url",
          "https://octopoid.example",
          "--branches",
          "a/<task>/<token>",
          "--offline",
          "closed"
        )
      )
      assert.include(said, `Written: ${file}`)
    }
    assert.strictEqual(statSync(file).mode & 0o777, 0o755)
    assert.strictEqual(readFileSync(file, "utf8").trim(), (yield* hook(path, "print", "pre-push")).stdout.trim())
    for (
      const [name, value] of [["url", "https://octopoid.example"], ["branches", "a/<task>/<token>"], [
        "offline",
        "closed"
      ]]
    ) {
      assert.strictEqual((yield* git(path, ["config", "--local", `octopoid.${name}`])).stdout.trim(), value)
    }
  })))

it.live("says what is missing", () =>
  Effect.scoped(Effect.gen(function*() {
    const { parent, path } = yield* repository
    const document = JSON.parse((yield* hook(path, "install", "--json")).stdout)
    assert.deepInclude(document, { hook: "pre-push", file: join(path, ".git/hooks/pre-push") })
    const printed = JSON.parse((yield* hook(path, "print", "pre-push", "--json")).stdout)
    assert.strictEqual(printed.script, readFileSync(document.file, "utf8"))
    assert.include(yield* succeeds(hook(path, "install")), "octopoid.url is not set: git config octopoid.url <address>")
    const outside = yield* hook(parent, "install")
    assert.notStrictEqual(outside.code, 0)
    assert.include(outside.said, "not a git repository")
    const unknown = yield* hook(path, "install", "--offline", "maybe")
    assert.notStrictEqual(unknown.code, 0)
    assert.include(unknown.said, "maybe")
  })))

it.live("leaves the hook of somebody else alone, unless --chain or --force is given", () =>
  Effect.scoped(Effect.gen(function*() {
    const { path } = yield* repository
    const file = join(path, ".git/hooks/pre-push")
    foreign(file)
    const before = readFileSync(file, "utf8")
    const refused = yield* hook(path, "install")
    assert.notStrictEqual(refused.code, 0)
    assert.include(refused.said, `There is a pre-push already: ${file}. Nothing was changed.`)
    assert.strictEqual(readFileSync(file, "utf8"), before)

    assert.include(yield* succeeds(hook(path, "install", "--chain")), `${file}.chained`)
    assert.strictEqual(readFileSync(`${file}.chained`, "utf8"), before)
    yield* succeeds(hook(path, "install"))
    const head = yield* commit(path, "feature")
    yield* succeeds(git(path, ["push", "origin", "feature"]))
    assert.strictEqual(
      readFileSync(`${file}.seen`, "utf8"),
      `origin\nrefs/heads/feature ${head} refs/heads/feature ${"0".repeat(40)}\n`
    )
    // What the other hook refuses is refused.
    foreign(`${file}.chained`, 7)
    yield* commit(path, "feature")
    assert.notStrictEqual((yield* git(path, ["push", "origin", "feature"])).code, 0)

    foreign(file)
    const second = yield* hook(path, "install", "--chain")
    assert.notStrictEqual(second.code, 0)
    assert.include(second.said, "There is a pre-push.chained already")
    assert.include(yield* succeeds(hook(path, "install", "--force")), "is replaced")
  })))

it.live("goes where core.hooksPath says, and holds for every worktree", () =>
  Effect.scoped(Effect.gen(function*() {
    const { parent, path } = yield* repository
    yield* git(path, ["worktree", "add", "-q", join(parent, "tree"), "-b", "tree"])
    yield* succeeds(hook(path, "install", "--directory", join(parent, "tree")))
    const file = join(path, ".git/hooks/pre-push")
    assert.isTrue(existsSync(file))
    // A pattern without a token makes the hook say so: it runs in each worktree.
    for (const place of [path, join(parent, "tree")]) {
      const ran = yield* git(place, ["push", "origin", "HEAD:refs/heads/x"], { OCTOPOID_BRANCHES: "none" })
      assert.include(ran.said, "The pattern of branches is 'none'")
    }
    yield* git(path, ["config", "core.hooksPath", ".githooks"])
    const said = yield* succeeds(hook(path, "install"))
    assert.isTrue(existsSync(join(path, ".githooks/pre-push")), said)
    assert.include(said, "core.hooksPath is .githooks")
    const ran = yield* git(path, ["push", "origin", "HEAD:refs/heads/y"], { OCTOPOID_BRANCHES: "other" })
    assert.include(ran.said, "The pattern of branches is 'other'")
  })))

it.live("writes pre-receive into a bare repository", () =>
  Effect.scoped(Effect.gen(function*() {
    const { remote } = yield* repository
    const said = yield* succeeds(hook(remote, "install", "--hook", "pre-receive"))
    assert.include(said, join(remote, "hooks/pre-receive"))
    assert.include(readFileSync(join(remote, "hooks/pre-receive"), "utf8"), "git-hook pre-receive")
  })))
