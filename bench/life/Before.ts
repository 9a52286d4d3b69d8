/** The server as it was before its statements became constant, from git: its sources, and its Worker. */
import { execFileSync } from "node:child_process"
import { symlinkSync } from "node:fs"
import { join } from "node:path"
import { rolldown } from "rolldown"
import { root } from "../../test/support/Bundle.ts"
import { directory } from "../Storage.ts"

/** The commit that this version is compared with. */
export const commit = "5863ad9"

/** Unpacks the commit into a temporary directory, which goes with the process. Its dependencies are those of this version. */
export const unpack = (): string => {
  const into = directory()
  const archive = join(into, "archive.tar")
  try {
    execFileSync("git", ["archive", "--output", archive, commit, "src", "migrations", "test/support", "package.json"], {
      cwd: root,
      stdio: ["ignore", "ignore", "pipe"]
    })
  } catch (cause) {
    throw new Error(`The commit ${commit} is not in this clone: git fetch --unshallow brings it.`, { cause })
  }
  execFileSync("tar", ["-xf", archive, "-C", into])
  symlinkSync(join(root, "node_modules"), join(into, "node_modules"), "dir")
  return into
}

/** Its Worker, minified as the present one is, and its migrations. */
export const build = async (): Promise<{ readonly code: string; readonly migrations: string }> => {
  const from = unpack()
  const bundle = await rolldown({
    input: join(from, "src", "worker.ts"),
    external: /^cloudflare:/,
    platform: "browser",
    transform: { define: { "globalThis.process": "undefined", OCTOPOID_RELEASE: "'before'", LOCAL: "false" } }
  })
  const { output: [worker] } = await bundle.generate({ format: "esm", minify: true })
  return { code: worker.code, migrations: join(from, "migrations") }
}
