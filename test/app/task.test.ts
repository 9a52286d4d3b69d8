/** One task: its story, why it is where it is, and what can be done with it. */
import { assert, it } from "vitest"
import * as client from "../../src/client.ts"
import { ask, clientOf, close, describeApp } from "./support/App.ts"
import { HostileTitle, plant } from "./support/Plant.ts"

let scopes = 0

describeApp("Task", ({ open, server }) => {
  const planted = async () => {
    const scope = `task-${process.pid}-${++scopes}`
    const api = await clientOf(server, scope)
    return { scope, api, ...await plant(api, scope) }
  }

  it("tells the story by attempts, with mail and checkpoint, and shows no text as HTML", async () => {
    const { scope, story } = await planted()
    const page = await open(`#/task/${story}?scope=${scope}`)
    await page.getByRole("heading", { level: 1, name: HostileTitle }).waitFor()
    assert.strictEqual(await page.title(), `${HostileTitle} · Octopoid`)
    const told = page.getByRole("region", { name: "What happened" })
    await told.getByText("The first test is there.").waitFor()
    assert.deepStrictEqual(await told.getByRole("heading", { level: 3 }).allTextContents(), [
      "Attempt 2: ben",
      "Nobody held it",
      "Attempt 1: ann",
      "Nobody held it"
    ])
    await told.getByText("May I change the schema?").waitFor()
    await told.getByText("There is no test for it.").waitFor()
    await page.getByRole("region", { name: "Where it stands" }).getByText("ben holds it until").waitFor()
    await page.getByText("ssh tower -t claude --resume 7f3a").waitFor()
    await page.getByText("$3.75").waitFor()
    assert.strictEqual(await page.locator("a[href^='javascript:']").count(), 0)
    await close(page)
  })

  it("copies the command that resumes the session", async () => {
    const { scope, story } = await planted()
    const page = await open(`#/task/${story}?scope=${scope}`, { permissions: ["clipboard-read", "clipboard-write"] })
    await page.getByRole("region", { name: "Its session" }).getByRole("button", { name: "Copy" }).click()
    assert.strictEqual(await page.evaluate("navigator.clipboard.readText()"), "ssh tower -t claude --resume 7f3a")
    await close(page)
  })

  it("fails a task and redrives it, each with its reason, and says why the rest cannot be done", async () => {
    const { api, id, scope } = await planted()
    const logo = id("logo")
    const page = await open(`#/task/${logo}?scope=${scope}`)
    const actions = page.getByRole("region", { name: "What can be done" })
    await actions.getByText("What cannot be done now, and why").click()
    await actions.getByText("It is in incoming, and this is for a task in provisional or claimed.").first().waitFor()
    await actions.getByText("It is in incoming, and only a failed or cancelled task is redriven.").waitFor()
    await actions.getByText("Nobody holds it.").waitFor()
    assert.strictEqual(await actions.getByRole("button", { name: "Accept" }).count(), 0)

    await actions.getByRole("button", { name: "Fail …" }).click()
    await page.getByRole("dialog").getByLabel("Why can it not be done?").fill("We have no designer.")
    await page.keyboard.press("Control+Enter")
    await page.getByText("We have no designer.").first().waitFor()
    await actions.getByRole("button", { name: "Redrive …" }).click()
    await page.getByRole("dialog").getByLabel("Why should it work now?").fill("We found one.")
    await page.keyboard.press("Control+Enter")
    await page.getByText("We found one.").waitFor()
    const { history } = await ask(api.tasks.history({ query: {}, params: { id: client.TaskId.make(logo) } }))
    assert.deepStrictEqual(history.map(({ actor, event, reason }) => [event, actor, reason]).slice(1), [
      ["failed", "ada", "We have no designer."],
      ["redriven", "ada", "We found one."]
    ])
    await close(page)
  })

  it("shows the sentence of the server if the task has changed meanwhile, and then the task as it is", async () => {
    const { api, id, scope } = await planted()
    const logo = id("logo")
    const page = await open(`#/task/${logo}?scope=${scope}`)
    await page.getByRole("button", { name: "Title and priority …" }).click()
    const dialog = page.getByRole("dialog")
    await dialog.getByLabel("A new title").fill("Draw two logos")
    // The dialog states the version that the page showed when it was opened: the page may look again before it is sent.
    await page.route("**/api/v1/tasks/*?**", async (route) => {
      if (route.request().method() !== "PATCH") return route.continue()
      await ask(api.tasks.patch({ query: {}, params: { id: client.TaskId.make(logo) }, payload: { priority: "P0" } }))
      return route.continue()
    })
    await dialog.getByRole("button", { name: "Change it" }).click()
    await dialog.getByText("Read it again before you change it.").waitFor()
    await dialog.getByRole("button", { name: "Keep as it is" }).click()
    await page.getByRole("article").getByText("P0", { exact: true }).waitFor()
    await page.getByRole("heading", { level: 1, name: "Draw a logo" }).waitFor()
    await close(page)
  })

  it("draws what is around it, and follows a link to a blocker", async () => {
    const { id, scope } = await planted()
    const page = await open(`#/task/${id("format")}?scope=${scope}`)
    const around = page.getByRole("region", { name: "Dependencies" })
    await around.getByText("It waits for").waitFor()
    await around.locator(".diagram-node").getByRole("link", { name: "Rewrite the printer" }).click()
    await page.getByRole("heading", { level: 1, name: "Rewrite the printer" }).waitFor()
    await close(page)
  })

  it("hides every change from a key that may only read", async () => {
    const { scope, story } = await planted()
    const admin = await clientOf(server, scope)
    const { api_key } = await ask(
      admin.keys.issue({ params: { scope: client.ScopeName.make(scope) }, payload: { name: "hall", rank: "read" } })
    )
    const page = await open(`#/task/${story}`, { key: api_key })
    const actions = page.getByRole("region", { name: "What can be done" })
    await actions.getByText("What cannot be done now, and why").click()
    await actions.getByText("Your key may only read.").waitFor()
    assert.strictEqual(await actions.getByRole("button").count(), 0)
    await close(page)
  })

  it("says that there is no such task", async () => {
    const page = await open("#/task/nothing?scope=nowhere")
    await page.getByRole("heading", { name: "No such task here." }).waitFor()
    await page.getByText("Task not found: nothing.").waitFor()
    await close(page)
  })
})
