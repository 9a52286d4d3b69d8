/**
 * Keeps the Worker of this commit as that of the last release, for `test/workerd/releases.test.ts`:
 * `node scripts/build/keep-release.ts --version 2.1.0`. Run it with each release, after the version was raised.
 */
import { execFileSync } from "node:child_process"
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { gzipSync } from "node:zlib"
import * as Flags from "../flags.ts"

const { refuse, values: { version = "" } } = Flags.read({
  run: "node scripts/build/keep-release.ts",
  does: "Keeps the Worker of this commit as that of the last release, for the test of two releases at once.",
  takes: "a few seconds",
  options: { version: { type: "string", value: "major.minor.patch", says: "the version that is released" } }
})
if (!/^\d+\.\d+\.\d+$/.test(version)) refuse("--version is a version, as 2.1.0.")

const git = (...args: ReadonlyArray<string>) => execFileSync("git", args, { encoding: "utf8" }).trim()
if (git("status", "--porcelain", "src", "migrations", "package-lock.json") !== "") {
  refuse("There are uncommitted changes: the release is that of a commit.")
}

execFileSync(process.execPath, ["scripts/build/worker.ts"], {
  stdio: "inherit",
  env: { ...process.env, WRANGLER_COMMAND: "deploy" }
})
const directory = new URL("../../test/releases/", import.meta.url)
for (const name of readdirSync(directory)) if (name.endsWith(".js.gz")) rmSync(new URL(name, directory))
const worker = `worker-${version}.js.gz`
writeFileSync(new URL(worker, directory), gzipSync(readFileSync("build/worker.js"), { level: 9 }))
const newest = readdirSync("migrations").filter((name) => name.endsWith(".sql")).sort().at(-1)!
const release = { version, commit: git("rev-parse", "HEAD"), worker, migration: Number(newest.slice(0, 4)) }
writeFileSync(new URL("release.json", directory), `${JSON.stringify(release, null, 2)}\n`)
console.log(`test/releases holds ${version}, of ${release.commit}, up to migration ${release.migration}.`)
