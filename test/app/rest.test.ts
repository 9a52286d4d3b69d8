/** Drafts, flows, keys, webhooks and usage. */
import { assert, beforeAll, it } from "vitest"
import { type Api, ask, clientOf, close, describeApp } from "./support/App.ts"
import { plant } from "./support/Plant.ts"

const askWith = (site: string, key: string) =>
  fetch(new URL("/api/v1/tasks", site), { headers: { authorization: `Bearer ${key}` } })

const isRobot = ({ name }: { readonly name: string | null }) => name === "A robot"

describeApp("the other screens", ({ open, server }) => {
  const scope = `rest-${process.pid}`
  let api: Api
  beforeAll(async () => {
    api = await clientOf(server, scope)
    await plant(api, scope)
  })

  it("promotes a draft to a task of a project, and goes there", async () => {
    const page = await open(`#/night?scope=${scope}`)
    await page.getByRole("button", { name: "More" }).click()
    await page.getByRole("menuitem", { name: "Drafts" }).click()
    await page.getByRole("button", { name: "New draft …" }).click()
    await page.getByLabel("The idea, in a few words").fill("Sort the board by age")
    await page.keyboard.press("Control+Enter")
    const plugin = page.locator("[data-row]", { hasText: "A plugin for editors" })
    await plugin.getByRole("button", { name: "Archive" }).click()
    await plugin.getByText("archived", { exact: true }).waitFor()
    assert.strictEqual(await plugin.getByRole("button", { name: "Archive" }).count(), 0)
    const { drafts } = await ask(api.drafts.list({ query: { status: "archived" } }))
    assert.deepStrictEqual(drafts.map(({ title }) => title), ["A plugin for editors"])
    await page.getByRole("button", { name: /^Promote.*Sort the board by age$/ }).click()
    const dialog = page.getByRole("dialog")
    assert.match(await dialog.getByLabel("Id", { exact: true }).inputValue(), /^sort-the-board-by-age-\d+$/)
    await dialog.getByLabel("Id", { exact: true }).fill(`${scope}-story`)
    await dialog.getByRole("button", { name: "Promote" }).click()
    await dialog.getByText(`A task with the id ${scope}-story already exists.`).waitFor()
    await dialog.getByLabel("Id", { exact: true }).fill(`${scope}-sorted`)
    await dialog.getByRole("combobox", { name: "Project" }).selectOption({ label: "Release 3" })
    await dialog.getByRole("button", { name: "Promote" }).click()
    await page.getByRole("heading", { level: 1, name: "Sort the board by age" }).waitFor()
    await page.getByRole("link", { name: "Release 3" }).waitFor()
    await close(page)
  })

  it("draws a registered flow and the default one", async () => {
    const page = await open(`#/flows?scope=${scope}`)
    const diagram = page.getByRole("group", { name: "The steps of pipeline" })
    await diagram.getByText("testing").waitFor()
    assert.strictEqual(await diagram.locator(".diagram-edge").count(), 6)
    assert.strictEqual(await diagram.locator(".diagram-edge[data-kind=other]").count(), 1)
    await page.getByRole("link", { name: "default" }).click()
    await page.getByRole("group", { name: "The steps of default" }).getByText("needs continuation").waitFor()
    await close(page)
  })

  it("issues a key that works, shows it once, and revokes it", async () => {
    const page = await open(`#/keys?scope=${scope}`)
    await page.getByRole("button", { name: "Issue a key …" }).click()
    const dialog = page.getByRole("dialog")
    await dialog.getByLabel("What it may do").selectOption("read")
    await dialog.getByLabel("Who or what is it for?").fill("the screen in the hall")
    await dialog.getByRole("button", { name: "Issue it" }).click()
    const shown = async () => {
      const key = (await page.getByText(/^oct_[0-9a-f]{64}$/).textContent())!
      await page.getByRole("button", { name: "I have it" }).click()
      return key
    }
    const first = await shown()
    assert.strictEqual((await askWith(server.site, first)).status, 200)
    const row = page.getByRole("row", { name: "the screen in the hall" })
    await row.getByText("read", { exact: true }).waitFor()
    await row.getByRole("button", { name: "Replace" }).click()
    await dialog.getByLabel("How long the present key goes on working").selectOption("0")
    await dialog.getByRole("button", { name: "Make the new key" }).click()
    const key = await shown()
    const asked = () => askWith(server.site, key)
    assert.strictEqual((await asked()).status, 200)
    assert.strictEqual((await askWith(server.site, first)).status, 401)
    // The first one stays in the list as expired, and cannot be replaced again.
    const present = row.filter({ has: page.getByRole("button", { name: "Replace" }) })
    await present.getByRole("button", { name: "Revoke" }).click()
    await dialog.getByLabel("to revoke it for good").fill("another key")
    await dialog.getByRole("button", { name: "Revoke it" }).click()
    await dialog.getByText("so nothing was revoked.").waitFor()
    assert.strictEqual((await asked()).status, 200)
    await dialog.getByLabel("to revoke it for good").fill("the screen in the hall")
    await dialog.getByRole("button", { name: "Revoke it" }).click()
    await dialog.waitFor({ state: "detached" })
    await present.waitFor({ state: "detached" })
    assert.strictEqual((await asked()).status, 401)
    await close(page)
  })

  it("shows keys and webhooks only to those who may see them", async () => {
    const { api_key } = await ask(
      api.keys.issue({ params: { scope: scope as never }, payload: { name: "reader", rank: "read" } })
    )
    const page = await open("#/keys", { key: api_key })
    await page.getByText("Keys are for the administrator.").waitFor()
    await page.getByRole("button", { name: "Keys", exact: true }).click()
    await page.getByRole("menuitem", { name: "Webhooks" }).click()
    await page.getByText("Your key does not show webhooks.").waitFor()
    await close(page)
  })

  it("registers, disables and deletes a webhook, and refuses an invalid address", async () => {
    const page = await open(`#/webhooks?scope=${scope}`)
    await page.getByRole("region", { name: "The team's chat" }).getByText("nothing sent yet").waitFor()
    await page.getByRole("button", { name: "Register a webhook …" }).click()
    const dialog = page.getByRole("dialog")
    await dialog.getByLabel("Address").fill("https://localhost/x")
    await dialog.getByLabel("What it is for").fill("A robot")
    await dialog.getByLabel("failed").check()
    await dialog.getByRole("button", { name: "Register it" }).click()
    await dialog.getByText("Give one that begins with https://").waitFor()
    await dialog.getByLabel("Address").fill("https://robot.example.com/x")
    await dialog.getByRole("button", { name: "Register it" }).click()
    const secret = async () => {
      const found = (await page.getByText(/^whsec_/).textContent())!
      await page.getByRole("button", { name: "I have it" }).click()
      return found
    }
    const first = await secret()
    const robot = page.getByRole("region", { name: "A robot" })
    await robot.getByText("https://robot.example.com/x").waitFor()
    await robot.getByRole("button", { name: "Show the log" }).click()
    await robot.getByText("Nothing was sent yet.").waitFor()
    // Nobody is at that address, and the page says what became of the test.
    await robot.getByRole("button", { name: "Send a test" }).click()
    await page.getByRole("status").getByText("The test failed: ").waitFor()
    await robot.getByRole("row", { name: "test" }).waitFor()
    await robot.getByRole("button", { name: "New secret …" }).click()
    await dialog.getByRole("button", { name: "Make it" }).click()
    assert.notStrictEqual(await secret(), first)
    await robot.getByRole("button", { name: "Send again …" }).click()
    await dialog.getByLabel("The events after this number").fill("1")
    await dialog.getByRole("button", { name: "Send them" }).click()
    await robot.getByText("came to event 1").waitFor()
    assert.strictEqual((await ask(api.webhooks.list({ query: {} }))).webhooks.find(isRobot)?.position, 1)
    await robot.getByRole("button", { name: "Disable" }).click()
    await robot.getByText("disabled", { exact: true }).waitFor()
    await robot.getByRole("button", { name: "Delete …" }).click()
    await dialog.getByRole("button", { name: "Delete it" }).click()
    await dialog.waitFor({ state: "detached" })
    await robot.waitFor({ state: "detached" })
    const { webhooks } = await ask(api.webhooks.list({ query: {} }))
    assert.deepStrictEqual(webhooks.map(({ name }) => name), ["The team's chat"])
    await close(page)
  })

  it("plots usage, and sets a cap on each day", async () => {
    const page = await open(`#/usage?scope=${scope}`)
    await page.getByText("$3.75").first().waitFor()
    await page.locator(".plot canvas").waitFor()
    await page.getByRole("region", { name: "By model" }).getByRole("row", { name: "opus" }).waitFor()
    await page.getByRole("button", { name: "Caps …" }).click()
    const dialog = page.getByRole("dialog")
    await dialog.getByLabel("Dollars a day").fill("20")
    await dialog.getByRole("button", { name: "Set them" }).click()
    await page.getByText("Cap: $20.00 a day.").waitFor()
    const { caps } = await ask(api.usage.list({ query: {} }))
    assert.strictEqual(caps.max_cost_usd, 20)
    await close(page)
  })
})

describeApp("/docs", ({ open, server }) => {
  it("is found from the page, and its search finds an endpoint by its line or by its text", async () => {
    const page = await open("#/night")
    await page.getByRole("link", { name: "API", exact: true }).click()
    await page.waitForURL(new URL("/docs", server.site).href)
    await page.keyboard.press("/")
    await page.keyboard.type("accept a result")
    await page.getByText("1 found").waitFor()
    await page.getByText("/api/v1/tasks/{id}/accept", { exact: true }).click()
    await page.getByText(`-d '{"accepted_by":"my-accepted-by"}'`).waitFor()
    await page.getByRole("searchbox", { name: "Search" }).fill("lease_duration_seconds agent_name")
    await page.getByText(/^[1-9]\d* found$/).waitFor()
    await page.getByRole("searchbox", { name: "Search" }).fill("xyzzy")
    await page.getByText("0 found").waitFor()
    await close(page)
  })
})
