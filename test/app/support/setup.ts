/** Starts the built Worker with the page, once for all tests of the page. They need a browser: Debian's `chromium`. */
import { mkdtempSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { TestProject } from "vitest/node"
import { SharedFolder } from "../../support/madeOnce.ts"
import { browserAt, InstallBrowser } from "./browser.ts"
import { launchSite, Secret } from "./site.ts"

declare module "vitest" {
  interface ProvidedContext {
    /** Where the page is, and the secret of its server; undefined where no browser is installed. */
    readonly app: { readonly site: string; readonly secret: string } | undefined
  }
}

export const setup = async (project: TestProject) => {
  if (browserAt === undefined) {
    // `.ci/run` installs one, so there a missing browser is a fault.
    if (process.env["CI"] !== undefined) throw new Error(InstallBrowser)
    console.log(`The tests of the page are skipped. ${InstallBrowser}`)
    project.provide("app", undefined)
    return
  }
  const running = await launchSite({ storage: mkdtempSync(join(process.env[SharedFolder] ?? tmpdir(), "site-")) })
  project.provide("app", { site: running.site.href, secret: Secret })
  return () => running.close()
}
