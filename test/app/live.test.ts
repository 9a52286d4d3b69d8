/** What the page does while the world changes: other clients, a server that dies, a key that is revoked, a page that nobody sees. */
import { mkdtempSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Page, WebSocket } from "playwright-core"
import { assert, it } from "vitest"
import * as client from "../../src/client.ts"
import { SharedFolder } from "../support/madeOnce.ts"
import { type Api, ask, clientOf, close, comeBack, describeApp, emptyScope, playNight, settled } from "./support/App.ts"
import { launchSite, Secret } from "./support/site.ts"

const idOf = (scope: string, name: string) => client.TaskId.make(`${scope}-${name}`)

const create = (api: Api, scope: string, name: string) =>
  ask(api.tasks.create({
    query: {},
    payload: {
      id: idOf(scope, name),
      title: `The task ${name}`,
      file_path: `${name}.md`,
      branch: "main"
    }
  }))

/** Hides the page from its viewer, as another tab in front of it does, or shows it. */
const hide = (page: Page, hidden: boolean) =>
  page.evaluate(
    `Object.defineProperty(document, "hidden", { configurable: true, get: () => ${hidden} }); document.dispatchEvent(new Event("visibilitychange"))`
  )

describeApp("the page", ({ open, server }) => {
  it("shows what another client does, by itself", async () => {
    const { api, scope } = await emptyScope(server)
    const page = await open(`#/now?scope=${scope}`)
    await page.getByText("live", { exact: true }).waitFor()
    await create(api, scope, "new")
    await page.getByRole("link", { name: "The task new" }).waitFor()
    await close(page)
  })

  it("sends at most four requests a minute while nothing happens, and none while nobody sees it", async () => {
    const { api, scope } = await emptyScope(server)
    await create(api, scope, "waits")
    const page = await open(`#/now?scope=${scope}`, { clock: true })
    await page.getByText("live", { exact: true }).waitFor()
    await page.getByRole("link", { name: "The task waits" }).waitFor()
    await settled(page)
    // From here on only the test moves the clock of the page: a slow machine has as many seconds in a minute as any other.
    await page.clock.pauseAt(Date.now() + 5000)
    await settled(page)
    const sent: Array<string> = []
    page.on("request", (request) => sent.push(new URL(request.url()).pathname))
    const pass = async (seconds: number) => {
      for (let passed = 0; passed < seconds; passed += 3) {
        await page.clock.runFor(3000)
        await settled(page)
      }
    }
    await pass(60)
    assert.isAtMost(sent.length, 4, sent.join(" "))
    assert.includeMembers(sent, ["/api/v1/events", "/api/v1/overview"])
    await hide(page, true)
    await settled(page)
    sent.length = 0
    await pass(36)
    assert.deepStrictEqual(sent, [])
    const looked = page.waitForRequest((request) => /\/api\/v1\/(events|overview)/.test(request.url()))
    await hide(page, false)
    await looked
    await close(page)
  })

  it("says that the server is gone, keeps what it has, and goes on when it is back", async () => {
    const storage = mkdtempSync(join(process.env[SharedFolder] ?? tmpdir(), "killed-"))
    const first = await launchSite({ storage })
    const port = Number(first.site.port)
    const scope = "killed"
    const api = await clientOf({ site: first.site.href, secret: Secret }, scope)
    await create(api, scope, "before")
    const page = await open(`#/now?scope=${scope}`, { clock: true })
    await page.goto(new URL(`app/#/now?scope=${scope}`, first.site).href)
    await page.evaluate(`localStorage.setItem("octopoid.key", ${JSON.stringify(Secret)})`)
    await page.reload()
    await page.getByRole("link", { name: "The task before" }).waitFor()
    await first.kill()
    // The page tries by itself: only its clock is moved, to the next look and past the longest pause between two tries.
    await page.clock.fastForward(15_000)
    await page.getByText("The server cannot be reached.").first().waitFor()
    await page.getByText("offline").first().waitFor()
    assert.strictEqual(await page.getByRole("link", { name: "The task before" }).count(), 1)
    const second = await launchSite({ storage, port })
    await create(await clientOf({ site: second.site.href, secret: Secret }, scope), scope, "after")
    await page.clock.fastForward(60_000)
    await page.getByRole("link", { name: "The task after" }).waitFor({ timeout: 120_000 })
    await page.getByText("live", { exact: true }).waitFor()
    await page.context().close()
    await second.close()
  })

  it("gets the changes from the server where that sends them, and looks at the feed while the socket is lost", async () => {
    const storage = mkdtempSync(join(process.env[SharedFolder] ?? tmpdir(), "pushed-"))
    const first = await launchSite({ storage, engine: "objects" })
    const port = Number(first.site.port)
    const scope = "pushed"
    const at = async (site: URL) => clientOf({ site: site.href, secret: Secret }, scope)
    await create(await at(first.site), scope, "before")
    const page = await open(`#/now?scope=${scope}`, { clock: true })
    const sockets: Array<{ readonly socket: WebSocket; pages: number; pings: number; pongs: number }> = []
    page.on("websocket", (socket) => {
      const frames = { socket, pages: 0, pings: 0, pongs: 0 }
      sockets.push(frames)
      socket.on("framesent", () => void frames.pings++)
      socket.on("framereceived", ({ payload }) => void frames[payload === "pong" ? "pongs" : "pages"]++)
    })
    /** Waits until a socket has a page of the feed and the answer to each of its pings. */
    const heard = async () => {
      for (;;) {
        const last = sockets.at(-1)
        if (last !== undefined && !last.socket.isClosed() && last.pages > 0 && last.pongs === last.pings) return
        await new Promise((done) => setTimeout(done, 20))
      }
    }
    await page.goto(new URL(`app/#/now?scope=${scope}`, first.site).href)
    await page.evaluate(`localStorage.setItem("octopoid.key", ${JSON.stringify(Secret)})`)
    await page.reload()
    await page.getByRole("link", { name: "The task before" }).waitFor()
    await heard()
    await settled(page)
    // From here on only the test moves the clock of the page.
    await page.clock.pauseAt(Date.now() + 5000)
    await settled(page)
    await heard()
    const sent: Array<string> = []
    page.on("request", (request) => sent.push(new URL(request.url()).pathname))
    const pass = async (seconds: number) => {
      for (let passed = 0; passed < seconds; passed += 3) {
        await page.clock.runFor(3000)
        await settled(page)
        await heard()
      }
    }
    // Shortly after a look no other is due, and the clock stands still.
    while (sent.length === 0) await pass(3)
    await pass(3)
    await create(await at(first.site), scope, "pushed")
    await page.getByRole("link", { name: "The task pushed" }).waitFor()
    await pass(60)
    assert.notInclude(sent, "/api/v1/events")
    sent.length = 0
    await pass(60)
    assert.isAtMost(sent.length, 2, sent.join(" "))
    assert.include(sent, "/api/v1/overview")
    const count = sockets.length
    await hide(page, true)
    while (!sockets.at(-1)!.socket.isClosed()) await new Promise((done) => setTimeout(done, 20))
    await hide(page, false)
    await heard()
    await settled(page)
    assert.strictEqual(sockets.length, count + 1)
    await first.kill()
    // The page looks at once when it loses a socket.
    await page.getByText("offline").first().waitFor()
    const second = await launchSite({ storage, engine: "objects", port })
    await create(await at(second.site), scope, "after")
    sent.length = 0
    await page.clock.fastForward(60_000)
    await page.getByRole("link", { name: "The task after" }).waitFor()
    assert.include(sent, "/api/v1/events")
    await heard()
    assert.strictEqual(sockets.length, count + 2)
    await page.context().close()
    await second.close()
  })

  it("asks for another key when its own is revoked, and keeps what it shows", async () => {
    const { api, scope } = await emptyScope(server)
    await ask(api.orchestrators.register({ query: {}, payload: { cluster: scope, machine_id: "tower" } }))
    const issued = await ask(
      api.keys.issue({ params: { scope: client.ScopeName.make(scope) }, payload: { name: "ada", rank: "manage" } })
    )
    const page = await open("#/now", { key: issued.api_key })
    await page.locator(".machine").first().waitFor()
    await page.getByTitle("The scope of the key").getByText(scope).waitFor()
    await ask(api.keys.revoke({ params: { scope: client.ScopeName.make(scope), id: issued.id } }))
    await comeBack(page)
    const dialog = page.getByRole("dialog", { name: "Key and name" })
    await dialog.getByText("Invalid API key.").waitFor()
    assert.isAbove(await page.locator(".machine").count(), 0)
    await page.keyboard.press("Escape")
    assert.strictEqual(await dialog.count(), 1)
    const again = await ask(
      api.keys.issue({
        params: { scope: client.ScopeName.make(scope) },
        payload: { name: "ada again", rank: "manage" }
      })
    )
    await dialog.getByLabel("API key").fill(again.api_key)
    await dialog.getByRole("button", { name: "Use it" }).click()
    await dialog.waitFor({ state: "detached" })
    await page.getByText("live", { exact: true }).waitFor()
    await close(page)
  })

  it("shows a key of the rank read everything, and no action", async () => {
    const { scope } = await playNight(server, { tasks: 30 })
    const api = await clientOf(server, scope)
    const { api_key } = await ask(
      api.keys.issue({ params: { scope: client.ScopeName.make(scope) }, payload: { name: "wall", rank: "read" } })
    )
    const page = await open("#/inbox", { key: api_key })
    await page.getByText("read only").waitFor()
    await page.locator(".inbox-list li").first().waitFor()
    const { tasks: [result] } = await ask(api.tasks.list({ query: { queue: ["provisional"] } }))
    await page.locator(`.inbox-list a[href*="${result!.id}"]`).click()
    await page.getByText("Your key may read, and not judge.").waitFor()
    await page.keyboard.press("a")
    for (const name of ["Accept", "Reject", "Message"]) {
      assert.strictEqual(await page.getByRole("button", { name }).count(), 0, name)
    }
    await page.getByRole("link", { name: "Now", exact: true }).click()
    await page.locator(".machine [data-row]").first().waitFor()
    for (const name of ["Cancel", "Maintenance"]) {
      assert.strictEqual(await page.getByRole("button", { name }).count(), 0, name)
    }
    assert.strictEqual((await ask(api.tasks.get({ query: {}, params: { id: result!.id } }))).queue, "provisional")
    await close(page)
  })

  it("lets the administrator choose another scope, and the address has it", async () => {
    const { api, scope } = await emptyScope(server)
    await create(api, scope, "mine")
    const other = await emptyScope(server)
    await create(other.api, other.scope, "other")
    await ask(
      other.api.tasks.fail({ query: {}, params: { id: idOf(other.scope, "other") }, payload: { reason: "No." } })
    )
    const page = await open(`#/night?scope=${other.scope}`)
    await page.locator("a.tile[aria-current]", { hasText: "Failed" }).waitFor()
    await page.locator("a.tile", { hasText: "Lost" }).click()
    await page.getByText("Nothing was lost since then.").waitFor()
    const choose = async (chosen: string) => {
      await page.getByRole("button", { name: "Scope:" }).click()
      await page.getByRole("menuitem", { name: chosen, exact: true }).click()
    }
    // What was chosen among the outcomes of a scope is not chosen in another one.
    await choose(scope)
    await page.locator("a.tile[aria-current]", { hasText: "Done" }).waitFor()
    assert.include(page.url(), `scope=${scope}`)
    await page.getByRole("link", { name: "Now", exact: true }).click()
    await page.getByRole("link", { name: "The task mine" }).waitFor()
    // A menu does not stay open when the browser goes back.
    await page.getByRole("button", { name: "More" }).click()
    await page.getByRole("menu").waitFor()
    await page.goBack()
    await page.getByRole("menu").waitFor({ state: "detached" })
    await close(page)
  })

  it("lists the keys, and turns them off", async () => {
    const { api, scope } = await emptyScope(server)
    await ask(api.messages.send({
      query: {},
      payload: { task_id: "the plan", from_actor: "bob", to_actor: "human", type: "question", content: "Which plan?" }
    }))
    const page = await open(`#/inbox?scope=${scope}`)
    await page.locator(".inbox-list li").first().waitFor()
    await page.keyboard.press("?")
    const dialog = page.getByRole("dialog", { name: "Keys of the keyboard" })
    await dialog.getByText("Goes to what waits next").waitFor()
    await dialog.getByLabel("Single keys do something").uncheck()
    await page.keyboard.press("Escape")
    await dialog.waitFor({ state: "detached" })
    await page.keyboard.press("?")
    await page.waitForTimeout(300)
    assert.strictEqual(await page.getByRole("dialog").count(), 0)
    await close(page)
  })
})
