/**
 * Applies missing migrations to the database of `wrangler dev`. Wrangler names the purpose of a build in WRANGLER_COMMAND: a
 * deployment and the tests migrate separately.
 */
import { spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
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

const wrangler = join(createRequire(import.meta.url).resolve("wrangler/package.json"), "..", "bin", "wrangler.js")

const d1 = (state: string, ...args: ReadonlyArray<string>) =>
  spawnSync(
    process.execPath,
    [wrangler, "d1", ...args, "--local", "--persist-to", state],
    // Without a terminal nothing asks for confirmation.
    { stdio: ["ignore", "pipe", "pipe"], encoding: "utf8", env: { ...process.env, CI: "true", NO_COLOR: "1" } }
  )

/**
 * Applies every migration to a database that does not exist yet, in one transaction, and fills the table in which wrangler keeps what
 * it applied. Wrangler starts D1 anew for each migration, which takes half a second each.
 */
const applyAll = (state: string) => {
  const names = readdirSync("migrations").filter((name) => name.endsWith(".sql")).sort()
  const file = join(state, "migrations.sql")
  mkdirSync(state, { recursive: true })
  writeFileSync(
    file,
    [
      ...names.map((name) => readFileSync(join("migrations", name), "utf8")),
      `CREATE TABLE d1_migrations (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE,
         applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL);`,
      ...names.map((name) => `INSERT INTO d1_migrations (name) VALUES ('${name}');`)
    ].join("\n")
  )
  try {
    return d1(state, "execute", "DB", "--file", file)
  } finally {
    rmSync(file)
  }
}

/** Brings the local database under this folder to the newest migration, and answers what wrangler did. */
export const migrate = (state: string): ReturnType<typeof d1> =>
  existsSync(join(state, "v3", "d1")) ? d1(state, "migrations", "apply", "DB") : applyAll(state)

const migrateOnce = () => {
  const state = persistTo()
  const databases = join(state, "v3", "d1")
  // Wrangler takes a second or two to find nothing to do, on every save of a source file.
  const stamp = join(databases, "migrated")
  const wanted = createHash("sha256")
    .update(readFileSync("wrangler.toml"))
    .update(readdirSync("migrations").sort().join("\n"))
    .digest("hex")
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return 0

  const { status, stderr, stdout } = migrate(state)
  if (status === 0) {
    writeFileSync(stamp, wanted)
    console.log(`The local database is at migration ${readdirSync("migrations").sort().at(-1)?.replace(/\.sql$/, "")}.`)
  } else console.error(`The migrations could not be applied to the local database.\n${stdout}\n${stderr}`)
  return status ?? 1
}

/** The exit code: 0 unless a migration failed. */
export const migrateDev = (): number =>
  process.env["WRANGLER_COMMAND"] === "dev" && process.env["VITEST"] === undefined ? migrateOnce() : 0
