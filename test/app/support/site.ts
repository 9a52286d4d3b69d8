/** The built Worker with the page beside it, as a deployment has them. */
import { execFile } from "node:child_process"
import { promisify } from "node:util"
import { build, type Engine, root } from "../../support/Bundle.ts"
import { launch, type Running } from "../../support/Launcher.ts"
import { madeOnce } from "../../support/madeOnce.ts"

/** The secret of the server of the tests. */
export const Secret = "the-secret-of-the-tests-of-the-page"

/** The folder with the page. */
const builtPage = () =>
  madeOnce("page", (folder) => promisify(execFile)(process.execPath, ["scripts/build/app.ts", folder], { cwd: root }))

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
