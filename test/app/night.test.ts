/** The morning's round: what happened since the last visit, and what to do about it. */
import { assert, it } from "vitest"
import * as client from "../../src/client.ts"
import { type Api, ask, close, comeBack, describeApp, emptyScope, playNight } from "./support/App.ts"

/** Creates two tasks. Answers their ids. */
const createTwo = async (api: Api, scope: string) => {
  const ids = [1, 2].map((n) => client.TaskId.make(`${scope}-${n}`))
  for (const [n, id] of ids.entries()) {
    await ask(api.tasks.create({
      query: {},
      payload: { id, title: `Task ${n + 1}`, file_path: `${id}.md`, branch: "main" }
    }))
  }
  return ids
}

describeApp("Night", ({ open, server }) => {
  it("counts what happened, shows what failed, and redrives it by keyboard", async () => {
    const { api, ledger, scope } = await playNight(server, { seed: 3 })
    const page = await open(`#/night?scope=${scope}`)
    const tile = (name: string) => page.locator("a.tile", { hasText: name }).locator(".tile-number")
    await page.getByRole("heading", { name: "Failed", exact: true }).waitFor()
    const { events } = ledger
    assert.strictEqual(await tile("Failed").innerText(), String(events["failed"] ?? 0))
    assert.strictEqual(await tile("Lost").innerText(), String(events["lease_expired"] ?? 0))
    assert.strictEqual(await tile("Rejected").innerText(), String(events["rejected"] ?? 0))
    assert.strictEqual(await tile("Done").innerText(), String(ledger.queues["done"] ?? 0))
    assert.include(
      await page.locator(".tile", { hasText: "Cost" }).innerText(),
      `$${(ledger.micros / 1_000_000).toFixed(2)}`
    )

    const still = await ask(api.tasks.list({ query: { queue: ["failed"] } }))
    assert.isAbove(still.tasks.length, 0, "the night has failures")
    const buttons = page.getByRole("button", { name: "Redrive" })
    assert.strictEqual(await buttons.count(), still.tasks.length)
    // To the first row that can be redriven, as the keyboard goes.
    const rows = page.locator("[data-row]")
    for (let n = 0; n < await rows.count(); n++) {
      await page.keyboard.press("j")
      if (await page.locator("[data-row]:focus-within button").count() > 0) break
    }
    const title = await page.locator("[data-row]:focus-within a.task").innerText()
    await page.keyboard.press("d")
    const dialog = page.getByRole("dialog", { name: `Redrive ${title}` })
    await dialog.getByLabel("Why try it again?").fill("The disk was full.")
    await page.keyboard.press("Control+Enter")
    await dialog.waitFor({ state: "detached" })
    await page.locator("[data-row]", { hasText: title }).getByText("then").first().waitFor()
    // Failures that something happened to since stand below the others. The one that was just redriven stays where it is.
    const lists = page.locator(".happenings")
    await page.getByRole("heading", { name: "Changed since" }).waitFor()
    assert.strictEqual(await lists.first().locator("[data-row]").count(), still.tasks.length)
    assert.strictEqual(await lists.last().getByText("then").count(), await lists.last().locator("[data-row]").count())
    const id = still.tasks.find((task) => task.title === title)!.id
    const { history } = await ask(api.tasks.history({ query: {}, params: { id } }))
    assert.strictEqual(history.at(-1)?.event, "redriven")
    assert.strictEqual(history.at(-1)?.actor, "ada")
    assert.strictEqual(history.at(-1)?.reason, "The disk was full.")
    await close(page)
  })

  it("says how many new ones there are, and moves nothing until it is asked", async () => {
    const { api, scope } = await emptyScope(server)
    const ids = await createTwo(api, scope)
    await ask(api.tasks.fail({ query: {}, params: { id: ids[0]! }, payload: { reason: "The disk is full." } }))
    const page = await open(`#/night?show=failed&scope=${scope}`)
    const rows = page.locator("[data-row]")
    await rows.first().waitFor()
    const before = await rows.locator("a.task").allInnerTexts()
    await ask(api.tasks.fail({ query: {}, params: { id: ids[1]! }, payload: { reason: "<b>No</b> & no" } }))
    await comeBack(page)
    await page.getByRole("button", { name: "1 new" }).waitFor()
    assert.deepStrictEqual(await rows.locator("a.task").allInnerTexts(), before)
    await page.getByRole("button", { name: "1 new" }).click()
    assert.strictEqual(await rows.first().locator("a.task").innerText(), "Task 2")
    assert.strictEqual(await rows.first().locator(".reason").innerText(), "<b>No</b> & no")
    await close(page)
  })

  it("redrives a failure that no retry mends only when it is said twice", async () => {
    const { api, scope } = await emptyScope(server)
    const about = { query: {}, params: { id: (await createTwo(api, scope))[0]! } }
    await ask(api.tasks.fail({ ...about, payload: { reason: "The repository is gone.", terminal: true } }))
    const page = await open(`#/night?show=failed&scope=${scope}`)
    await page.getByRole("button", { name: "Redrive Task 1" }).click()
    const dialog = page.getByRole("dialog")
    await dialog.getByRole("button", { name: "Redrive", exact: true }).click()
    await dialog.getByRole("alert").getByText("no retry mends").waitFor()
    assert.strictEqual((await ask(api.tasks.get(about))).queue, "failed")
    await dialog.getByRole("button", { name: "Redrive all the same" }).click()
    await dialog.waitFor({ state: "detached" })
    assert.strictEqual((await ask(api.tasks.get(about))).queue, "incoming")
    await close(page)
  })

  it("begins with the last visit, and its address can be sent", async () => {
    const { scope } = await emptyScope(server)
    const page = await open(`#/night?scope=${scope}`)
    await page.getByRole("heading", { name: "What happened" }).waitFor()
    await page.evaluate(`localStorage.setItem("octopoid.visits", JSON.stringify({ seen: Date.now() - 7 * 3600000 }))`)
    await page.goto(new URL(`app/?again#/night?scope=${scope}`, server.site).href)
    await page.getByText("7 h ago").waitFor()
    assert.include(await page.locator("option:checked").innerText(), "your last visit")
    const address = new URL(page.url())
    await close(page)
    const other = await open(address.hash)
    await other.getByText("7 h ago").waitFor()
    await close(other)
  })

  it("shows titles and reasons as text, whatever they are", async () => {
    const { api, scope } = await emptyScope(server)
    const title = `<img src=x onerror="document.title='broken'"><script>alert(1)</script>`
    const id = client.TaskId.make(`${scope}-hostile`)
    await ask(api.tasks.create({ query: {}, payload: { id, title, file_path: "hostile.md", branch: "main" } }))
    await ask(api.tasks.fail({ query: {}, params: { id }, payload: { reason: title } }))
    const page = await open(`#/night?show=failed&scope=${scope}`)
    await page.getByRole("link", { name: title }).waitFor()
    assert.strictEqual(await page.locator("main img, main script").count(), 0)
    assert.notInclude(await page.title(), "broken")
    await close(page)
  })
})
