/**
 * Bundles the page at `/app/` to `dist-app/`, whose files wrangler serves (`[assets]` in wrangler.toml), or to the folder that is
 * named. `_headers` says with which headers. Wrangler runs this with every build, so an unchanged page is not built again.
 */
import { createHash } from "node:crypto"
import { existsSync, globSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import * as Flags from "../flags.ts"

const { positionals: [target] } = Flags.read({
  run: "node scripts/build/app.ts",
  does: "Bundles the page to dist-app/ if its sources have changed, or to the folder that is named.",
  takes: "a few seconds",
  options: {},
  arguments: ["[folder]"]
})

// Tests start this with a NODE_ENV of their own, which would make it a page for development.
process.env["NODE_ENV"] = "production"

const folder = target ?? "dist-app"
const stamp = "build/page"
const page = join("app", "index.html")

const write = (file: string, content: string | Uint8Array) => {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(`${file}.${process.pid}`, content)
  renameSync(`${file}.${process.pid}`, file)
}

/** What the page is made of. The contract gives it types only. */
const sources = () => {
  const hash = createHash("sha256")
  const files = globSync("src/app/**/*", { withFileTypes: true }).filter((file) => file.isFile())
  const named = files.map(({ name, parentPath }) => join(parentPath, name)).sort()
  for (const file of [...named, "vite.config.ts", "scripts/build/app.ts", "package-lock.json"]) {
    hash.update(`${file}\n`).update(readFileSync(file))
  }
  return hash.digest("hex")
}

const bundle = async () => {
  const { build } = await import("vite")
  const { output } = await build({
    logLevel: "warn",
    build: { write: false }
  }) as import("vite").Rolldown.RolldownOutput
  const files = new Map<string, string | Uint8Array>(
    output.map((file) => [join("app", file.fileName), file.type === "chunk" ? file.code : file.source])
  )
  files.set("_headers", readFileSync("src/app/_headers"))
  // Builds may run side by side: none may serve what another has written half of. The page comes last, because it names the others.
  for (const name of [...files.keys()].sort((a, b) => Number(a === page) - Number(b === page))) {
    write(join(folder, name), files.get(name)!)
  }
  for (const file of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(file.parentPath, file.name)
    if (file.isFile() && !files.has(path.slice(join(folder, "/").length))) rmSync(path, { force: true })
  }
}

const wanted = sources()
const isBuilt = target === undefined && existsSync(join(folder, page)) && existsSync(stamp) &&
  readFileSync(stamp, "utf8") === wanted
if (!isBuilt) {
  await bundle()
  if (target === undefined) write(stamp, wanted)
}
