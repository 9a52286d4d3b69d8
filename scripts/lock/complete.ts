/** What package-lock.json needs beyond what npm writes: see "The lock file" in CONTRIBUTING.md. */

/** A package of the lock file, with the fields that matter here. */
export interface Locked {
  readonly version?: string
  readonly integrity?: string
  readonly resolved?: string
  readonly hasInstallScript?: boolean
  readonly optional?: boolean
  readonly engines?: unknown
  readonly libc?: unknown
  readonly cpu?: ReadonlyArray<string>
  readonly os?: ReadonlyArray<string>
  readonly optionalDependencies?: { readonly [name: string]: string }
}

export interface LockFile {
  readonly packages: { readonly [path: string]: Locked }
}

/** Node looks for a package in every `node_modules` from the folder of its dependent up to the root. */
export const isLocked = (packages: LockFile["packages"], dependent: string, name: string): boolean => {
  for (let folder = dependent;; folder = folder.slice(0, Math.max(0, folder.lastIndexOf("node_modules/") - 1))) {
    if (`${folder === "" ? "" : `${folder}/`}node_modules/${name}` in packages) return true
    if (folder === "") return false
  }
}

const binary = (name: string, version: string): Locked => {
  const [, os, cpu] = /-(darwin|linux|win32)-(arm64|arm|x64)$/.exec(name) ?? []
  if (os === undefined || cpu === undefined || !/^\d+\.\d+\.\d+$/.test(version)) {
    throw new Error(`${name}@${version} is not in the registry, and its name does not tell which platform it is for.`)
  }
  return { version, cpu: [cpu], dev: true, optional: true, os: [os] } as Locked
}

/** Adds the binaries that the registry does not have. Removes `engines` of every package but the project, and `libc`. */
export const complete = (lock: LockFile): LockFile => {
  const packages: { [path: string]: Locked } = {}
  for (const [path, locked] of Object.entries(lock.packages)) {
    const { engines: _, libc: __, ...rest } = locked
    packages[path] = path === "" ? locked : rest
    for (const [name, version] of Object.entries(locked.optionalDependencies ?? {})) {
      if (!isLocked(lock.packages, path, name)) packages[`node_modules/${name}`] = binary(name, version)
    }
  }
  const sorted = Object.entries(packages).sort(([a], [b]) => a.localeCompare(b, "en"))
  return { ...lock, packages: Object.fromEntries(sorted) }
}
