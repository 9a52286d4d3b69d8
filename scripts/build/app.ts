/**
 * Bundles the page at `/app/` to `dist-app/`, whose files wrangler serves (`[assets]` in wrangler.toml), or to the folder that is
 * named. `_headers` says with which headers.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { build, type Rolldown } from "vite"

const folder = process.argv[2] ?? "dist-app"

const output = await build({ logLevel: "warn", build: { write: false } }) as Rolldown.RolldownOutput
const files = new Map<string, string | Uint8Array>(
  output.output.map((file) => [join("app", file.fileName), file.type === "chunk" ? file.code : file.source])
)
files.set("_headers", readFileSync("src/app/_headers"))

// Builds may run side by side: none may serve what another has written half of. The page comes last, because it names the others.
const page = join("app", "index.html")
const named = [...files.keys()].sort((a, b) => Number(a === page) - Number(b === page))
for (const name of named) {
  const file = join(folder, name)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(`${file}.${process.pid}`, files.get(name)!)
  renameSync(`${file}.${process.pid}`, file)
}
for (const name of readdirSync(folder, { recursive: true, withFileTypes: true })) {
  const file = join(name.parentPath, name.name)
  if (name.isFile() && !files.has(file.slice(join(folder, "/").length))) rmSync(file, { force: true })
}
