/**
 * Applies missing migrations to the database of `wrangler dev`. Wrangler names the purpose of a build in WRANGLER_COMMAND: a
 * deployment and the tests migrate separately.
 */
import { spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import { join, resolve } from "node:path"

/** The command lines of this process's ancestors, as far as they can be read: from /proc, or from `ps`. */
function* ancestors() {
  for (let pid = process.ppid, depth = 0; pid > 1 && depth < 12; depth++) {
    if (existsSync(`/proc/${pid}/stat`)) {
      yield readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0")
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
      // `pid (name) state ppid …`, and a name may hold anything.
      pid = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1])
    } else {
      const line = spawnSync("ps", ["-o", "ppid=,args=", "-p", String(pid)], { encoding: "utf8" }).stdout ?? ""
      const [, parent, args] = /^\s*(\d+)\s+(.*)/.exec(line) ?? []
      yield (args ?? "").split(" ")
      pid = Number(parent ?? 0)
    }
  }
}

/** The directory of `wrangler dev`'s state: the value of `--persist-to`, which wrangler does not pass on. */
const persistTo = () => {
  for (const args of ancestors()) {
    const at = args.findIndex((arg) => /^--persist-?to(=|$)/i.test(arg))
    const directory = args[at]?.includes("=") ? args[at].slice(args[at].indexOf("=") + 1) : args[at + 1]
    if (at >= 0 && directory) return resolve(directory)
  }
  return resolve(".wrangler/state")
}

const migrate = () => {
  const state = persistTo()
  const databases = join(state, "v3", "d1")
  // Wrangler takes a second or two to find nothing to do, on every save of a source file.
  const stamp = join(databases, "migrated")
  const wanted = createHash("sha256")
    .update(readFileSync("wrangler.toml"))
    .update(readdirSync("migrations").sort().join("\n"))
    .digest("hex")
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return 0

  const wrangler = join(createRequire(import.meta.url).resolve("wrangler/package.json"), "..", "bin", "wrangler.js")
  const { status, stderr, stdout } = spawnSync(
    process.execPath,
    [wrangler, "d1", "migrations", "apply", "DB", "--local", "--persist-to", state],
    // Without a terminal nothing asks for confirmation.
    { stdio: ["ignore", "pipe", "pipe"], encoding: "utf8", env: { ...process.env, CI: "true", NO_COLOR: "1" } }
  )
  if (status === 0) {
    mkdirSync(databases, { recursive: true })
    writeFileSync(stamp, wanted)
    console.log(`The local database is at migration ${readdirSync("migrations").sort().at(-1)?.replace(/\.sql$/, "")}.`)
  } else console.error(`The migrations could not be applied to the local database.\n${stdout}\n${stderr}`)
  return status ?? 1
}

/** The exit code: 0 unless a migration failed. */
export const migrateDev = (): number =>
  process.env["WRANGLER_COMMAND"] === "dev" && process.env["VITEST"] === undefined ? migrate() : 0
