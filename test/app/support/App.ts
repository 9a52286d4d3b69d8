/** The page in a real browser, on a server with a night behind it. */
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core"
import { afterAll, assert, beforeAll, describe, inject } from "vitest"
import * as Night from "../../../scripts/demo/Night.ts"
import * as client from "../../../src/client.ts"
import { browserAt } from "./browser.ts"

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8")

interface Server {
  readonly site: string
  readonly secret: string
}

/** A client of the server as the administrator, in a scope. */
export const clientOf = ({ secret, site }: Server, scope: string) =>
  Effect.runPromise(client.make({ baseUrl: site, scope, token: secret }).pipe(Effect.provide(FetchHttpClient.layer)))

export type Api = Awaited<ReturnType<typeof clientOf>>

/** Runs a request of the client. */
export const ask = <A, E>(request: Effect.Effect<A, E>): Promise<A> => Effect.runPromise(request)

let scopes = 0

/** Plays a night in a scope of its own, short ones unless told otherwise. */
export const playNight = async (server: Server, options: Partial<Night.Options> = {}) => {
  const scope = `night-${process.pid}-${++scopes}`
  const api = await clientOf(server, scope)
  const ledger = await ask(Night.play(api, {
    seed: 1,
    tasks: 60,
    machines: 3,
    projects: 3,
    leaseSeconds: 2,
    name: scope,
    wait: (seconds) => Effect.sleep(seconds * 1000),
    say: () => {},
    ...options
  }))
  return { scope, api, ledger }
}

/** A client in a scope of its own that has nothing yet. */
export const emptyScope = async (server: Server) => {
  const scope = `scope-${process.pid}-${++scopes}`
  return { scope, api: await clientOf(server, scope) }
}

export interface Opening extends BrowserContextOptions {
  /** The key that the browser keeps: the server's secret unless given; null is none. */
  readonly key?: string | null
  /** Who looks. */
  readonly name?: string
  /** Whether the test moves the clock of the page (`page.clock`). */
  readonly clock?: boolean
}

/** What a page did that none may do: an error in its console, or a request to another host. */
const faults = new WeakMap<Page, Array<string>>()

export const faultsOf = (page: Page): ReadonlyArray<string> => faults.get(page) ?? []

/** How many requests of a page are under way, and when that changed last. */
const requests = new WeakMap<Page, { open: number; changed: number }>()

/** Waits until the page has its answers: no request is under way, and none began for a moment. */
export const settled = async (page: Page, moment = 80): Promise<void> => {
  const { changed, open } = requests.get(page)!
  const left = changed + moment - performance.now()
  if (open === 0 && left <= 0) return
  await new Promise((done) => setTimeout(done, open > 0 ? 10 : Math.max(1, left)))
  return settled(page, moment)
}

/** Goes to another address of the page that is open. */
export const goTo = (page: Page, hash: string) => page.evaluate(`location.hash = ${JSON.stringify(hash)}`)

/** Has the page look at the server now, as it does when somebody comes back to it. Otherwise the next look is up to 15 seconds away. */
export const comeBack = (page: Page) => page.evaluate(`document.dispatchEvent(new Event("visibilitychange"))`)

/**
 * Tests of the page. Skipped where no browser is installed. `open` opens an address of the page in a window of its own, as somebody
 * with their own browser would.
 */
export const describeApp = (
  title: string,
  tests: (
    given: {
      readonly server: Server
      readonly open: (hash: string, options?: Opening) => Promise<Page>
    }
  ) => void
) => {
  const app = inject("app")
  describe.skipIf(app === undefined)(title, () => {
    if (app === undefined) return
    let browser: Browser
    beforeAll(async () => {
      browser = await chromium.launch({ executablePath: browserAt!, args: ["--no-sandbox", "--disable-gpu"] })
    })
    afterAll(() => browser.close())

    const open = async (hash: string, { clock = false, key = app.secret, name = "ada", ...options }: Opening = {}) => {
      const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options })
      await context.addInitScript(`
        if (!sessionStorage.getItem("begun")) {
          sessionStorage.setItem("begun", "1");
          localStorage.setItem("octopoid.name", ${JSON.stringify(name)});
          ${key === null ? "" : `localStorage.setItem("octopoid.key", ${JSON.stringify(key)})`}
        }`)
      const page = await context.newPage()
      if (clock) await page.clock.install()
      const found: Array<string> = []
      faults.set(page, found)
      page.on("pageerror", ({ message }) => found.push(message))
      page.on("console", (message) => {
        // The browser reports each answer that is an error, also those that tests cause.
        if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) {
          found.push(message.text())
        }
      })
      const under = { open: 0, changed: performance.now() }
      requests.set(page, under)
      const count = (by: 1 | -1) => {
        under.open += by
        under.changed = performance.now()
      }
      page.on("requestfinished", () => count(-1))
      page.on("requestfailed", () => count(-1))
      page.on("request", (request) => {
        count(1)
        const { origin, protocol } = new URL(request.url())
        if (protocol !== "data:" && origin !== new URL(app.site).origin) found.push(`a request to ${origin}`)
      })
      page.setDefaultTimeout(60_000)
      await page.goto(new URL(`app/${hash}`, app.site).href)
      return page
    }
    tests({ server: app, open })
  })
}

/** What axe finds on the page. The context needs `bypassCSP`, because axe is put into the page. */
export const violationsOf = async (page: Page): Promise<ReadonlyArray<string>> => {
  await page.evaluate(`window.axe === undefined && (0, eval)(${JSON.stringify(axe)})`)
  const found = await page.evaluate(
    `axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] })`
  ) as {
    readonly violations: ReadonlyArray<
      { readonly id: string; readonly help: string; readonly nodes: ReadonlyArray<{ readonly html: string }> }
    >
  }
  return found.violations.map(({ help, id, nodes }) =>
    `${id}: ${help}: ${nodes.map(({ html }) => html.slice(0, 200)).join(" | ")}`
  )
}

/** Closes the window, and fails if the page did what none may do. */
export const close = async (page: Page) => {
  const found = faultsOf(page)
  await page.context().close()
  assert.deepStrictEqual(found, [])
}
