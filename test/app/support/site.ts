/** The built Worker with the page beside it, as a deployment has them. */
import { execFile } from "node:child_process"
import { mkdtemp } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import { build, type Engine, root, SharedFolder } from "../../support/Bundle.ts"
import { launch, type Running } from "../../support/Launcher.ts"

/** The secret of the server of the tests. */
export const Secret = "the-secret-of-the-tests-of-the-page"

let page: Promise<string> | undefined

/** The folder with the page, built once in this process. */
const builtPage = () =>
  page ??= (async () => {
    const folder = await mkdtemp(join(process.env[SharedFolder] ?? tmpdir(), "page-"))
    await promisify(execFile)(process.execPath, ["scripts/build/app.ts", folder], { cwd: root })
    return folder
  })()

export const launchSite = async (
  { engine = "d1", env = { API_SECRET_KEY: Secret }, port, storage }: {
    readonly storage: string
    readonly engine?: Engine
    readonly env?: Record<string, string>
    readonly port?: number
  }
): Promise<Running> => {
  const [code, assets] = await Promise.all([build(engine), builtPage()])
  return launch({ code, engine, assets, env, storage, ...(port === undefined ? {} : { port }) })
}
