/** Every screen in both colour schemes and at the widths from phone to wall: for everybody, and without faults. */
import { gzipSync } from "node:zlib"
import type { Page } from "playwright-core"
import { assert, beforeAll, it } from "vitest"
import * as client from "../../src/client.ts"
import { ask, close, describeApp, faultsOf, goTo, playNight, settled, violationsOf } from "./support/App.ts"
import { plant } from "./support/Plant.ts"

/** Each screen, and the text that shows that it is there. The scope is added, and replaces `SCOPE`. */
const screens = [
  ["#/night", "What happened"],
  ["#/night?show=done", "What happened"],
  ["#/inbox", "What waits"],
  ["#/now", "What is under way"],
  ["#/projects", "Release 3"],
  ["#/projects/SCOPE-release", "Rewrite the parser"],
  ["#/projects/SCOPE-release?show=dependencies", "The critical path"],
  ["#/task/SCOPE-story", "Attempt 2: ben"],
  ["#/task/SCOPE-format", "Dependencies"],
  ["#/drafts", "A plugin for editors"],
  ["#/usage", "Project 1"],
  ["#/flows", "pipeline"],
  ["#/webhooks", "The team's chat"],
  ["#/keys", "the screen in the hall"],
  ["#/nowhere", "This page does not exist."]
] as const

describeApp("each screen", ({ open, server }) => {
  let scope: string
  beforeAll(async () => {
    const night = await playNight(server, { tasks: 30 })
    scope = night.scope
    await plant(night.api, scope)
    await ask(night.api.keys.issue({
      params: { scope: client.ScopeName.make(scope) },
      payload: { name: "the screen in the hall", rank: "read" }
    }))
  })
  const within = (hash: string) => `${hash.replace("SCOPE", scope)}${hash.includes("?") ? "&" : "?"}scope=${scope}`

  /** One page goes from screen to screen: to load it anew for each takes longer than to look at it. */
  let page: Page
  beforeAll(async () => {
    page = await open(within("#/nowhere"), { bypassCSP: true })
  })
  it.each(screens)("has nothing that axe objects to, and no line wider than the window: %s", async (hash, text) => {
    await goTo(page, within(hash))
    await page.getByText(text, { exact: true }).first().waitFor()
    await settled(page)
    const found: Array<string> = []
    for (const width of [375, 768, 1280, 2560]) {
      await page.setViewportSize({ width, height: 800 })
      const over = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
      if (over !== 0) found.push(`${width} px: ${over} too wide`)
      if (width !== 375 && width !== 1280) continue
      for (const colorScheme of ["light", "dark"] as const) {
        await page.emulateMedia({ colorScheme })
        found.push(...(await violationsOf(page)).map((violation) => `${colorScheme} ${width} px: ${violation}`))
      }
    }
    assert.deepStrictEqual([...found, ...faultsOf(page)], [])
  })

  it("loads at most 120 KB at first, compressed", async () => {
    const page = await open("#/nowhere")
    const files: Array<Promise<readonly [string, number]>> = []
    page.on("response", (response) => {
      const { pathname } = new URL(response.url())
      if (pathname.startsWith("/app/")) {
        files.push(response.body().then((body) => [pathname, gzipSync(body).length] as const))
      }
    })
    await page.goto(new URL(`app/?first${within("#/night")}`, server.site).href)
    await page.getByRole("heading", { name: "What happened" }).waitFor()
    const sizes = await Promise.all(files)
    const sum = sizes.reduce((sum, [, size]) => sum + size, 0)
    assert.isAbove(sizes.length, 3)
    assert.isAtMost(sum, 120_000, sizes.map(([name, size]) => `${name} ${size}`).join(", "))
    await close(page)
  })

  it("asks for a key, and says what is wrong with one that is not valid", async () => {
    const page = await open(within("#/night"), { key: null })
    const dialog = page.getByRole("dialog")
    await dialog.getByText("This server answers only with a key.").waitFor()
    await dialog.getByLabel("API key").fill(`oct_${"0".repeat(64)}`)
    await dialog.getByRole("button", { name: "Use it" }).click()
    await dialog.getByText("Invalid API key. Ask the administrator for a new one.").waitFor()
    await dialog.getByLabel("API key").fill(server.secret)
    await dialog.getByRole("button", { name: "Use it" }).click()
    await page.getByRole("heading", { name: "What happened" }).waitFor()
    assert.isNull(await page.evaluate("localStorage.getItem('octopoid.key')"), "not kept unless asked")
    await close(page)
  })
})
