/** The package as a user gets it: packed from this checkout, and installed in an empty folder with the npm of the machine. */
import { execFile } from "node:child_process"
import { mkdir, readdir, writeFile } from "node:fs/promises"
import { delimiter, dirname, join, resolve } from "node:path"
import { promisify } from "node:util"
import { rolldown } from "rolldown"
import { plainNode } from "../../../test/support/command.ts"

const root = resolve(import.meta.dirname, "../../..")
const run = promisify(execFile)

export interface Installed {
  readonly folder: string
  readonly node: string
  /** The environment of a user, who has the Node of the machine and its npm. */
  readonly env: Readonly<Record<string, string>>
  readonly version: string
}

/** What the package calls the modules that the hands import from `src`, where their types are. */
const names: Readonly<Record<string, string>> = {
  "src/client.ts": "octopoid-server/client",
  "src/client/Worker.ts": "octopoid-server/worker",
  "src/FileStore.ts": "octopoid-server/file-store"
}

/** Writes the programs of the night as JavaScript. They get everything but themselves from the installed package. */
const hands = async (folder: string) => {
  const source = join(import.meta.dirname, "hands")
  const built = await rolldown({
    input: ["planner", "worker", "reader", "left"].map((name) => join(source, `${name}.ts`)),
    platform: "node",
    logLevel: "warn",
    plugins: [{
      name: "package",
      resolveId: (id, importer) => {
        if (/^(effect|node:)/.test(id)) return { id, external: true }
        const name = importer === undefined ? undefined : names[resolve(dirname(importer), id).slice(root.length + 1)]
        return name === undefined ? undefined : { id: name, external: true }
      }
    }]
  })
  await built.write({ dir: folder, format: "esm", entryFileNames: "[name].mjs", chunkFileNames: "[name]-[hash].mjs" })
  await built.close()
}

export const install = async (folder: string): Promise<Installed> => {
  const path = [dirname(plainNode), ...(process.env.PATH ?? "").split(delimiter)]
    .filter((one) => !one.includes("node_modules")).join(delimiter)
  await run("npm", ["pack", "--pack-destination", folder], { cwd: root, maxBuffer: 64_000_000 })
  const tarball = (await readdir(folder)).find((file) => file.endsWith(".tgz"))!
  await writeFile(join(folder, "package.json"), JSON.stringify({ private: true }))
  const env = { PATH: path, HOME: folder }
  const cache = (await run("npm", ["config", "get", "cache"])).stdout.trim()
  await run("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", `./${tarball}`], {
    cwd: folder,
    env: { ...env, npm_config_cache: cache }
  })
  await mkdir(join(folder, "hands"))
  await hands(join(folder, "hands"))
  const version = (await run(plainNode, ["--version"])).stdout.trim()
  return { folder, node: plainNode, env, version }
}
