/** The browser of the tests. */
import { existsSync } from "node:fs"

const paths = [
  process.env["OCTOPOID_BROWSER"],
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome"
]

/** Where the browser is; undefined if none is installed. */
export const browserAt = paths.find((path) => path !== undefined && existsSync(path))

export const InstallBrowser =
  "No browser is installed: apt-get install chromium, or name one that is like it in OCTOPOID_BROWSER."
