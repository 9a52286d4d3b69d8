/** Projects: the board, also of many tasks, and what waits for what. */
import { assert, it } from "vitest"
import * as client from "../../src/client.ts"
import { ask, clientOf, close, comeBack, describeApp } from "./support/App.ts"
import { createTasks, plant } from "./support/Plant.ts"

describeApp("Project", ({ open, server }) => {
  it("shows progress, board and critical path, and goes through the board by keyboard", async () => {
    const scope = `project-${process.pid}`
    const api = await clientOf(server, scope)
    const { id } = await plant(api, scope)
    const page = await open(`#/projects?scope=${scope}`)
    await page.getByRole("link", { name: "Release 3" }).click()
    await page.getByText("0 of 8 done").waitFor()
    const incoming = page.getByRole("region", { name: "incoming" })
    await incoming.getByRole("link", { name: "Change the schema" }).waitFor()
    assert.strictEqual(await incoming.getByRole("listitem").count(), 8)

    await page.keyboard.press("j")
    await page.keyboard.press("j")
    await page.locator(":focus", { hasText: "Rewrite the parser" }).waitFor()
    await page.keyboard.press("k")
    await page.locator(":focus", { hasText: "Change the schema" }).waitFor()

    // The column is being read, so it stays as it is and says what left.
    await ask(api.tasks.cancel({ query: {}, params: { id: client.TaskId.make(id("logo")) }, payload: null }))
    await comeBack(page)
    await incoming.getByRole("button", { name: "1 gone" }).waitFor()
    await incoming.getByText("now cancelled").waitFor()
    await incoming.getByRole("button", { name: "1 gone" }).click()
    await incoming.getByRole("link", { name: "Draw a logo" }).waitFor({ state: "detached" })

    await page.getByRole("link", { name: "Dependencies" }).click()
    await page.getByText("5 tasks").waitFor()
    const path = page.getByRole("region", { name: "The critical path" })
    assert.deepStrictEqual(await path.getByRole("link").allTextContents(), [
      "Change the schema",
      "Rewrite the parser",
      "Say where an error is",
      "Describe the new syntax",
      "Announce the release"
    ])
    const diagram = page.getByRole("group", { name: "What waits for what" })
    await diagram.getByRole("link", { name: "Keep comments when formatting" }).waitFor()
    assert.strictEqual(await diagram.getByRole("link").count(), 7)
    assert.strictEqual(await diagram.locator(".diagram-edge[data-kind=main]").count(), 4)
    const place = () =>
      diagram.locator(".diagram-plane").evaluate((plane) =>
        (plane as unknown as { style: { transform: string } }).style.transform
      )
    const before = await place()
    await diagram.focus()
    await page.keyboard.press("ArrowRight")
    await page.keyboard.press("+")
    assert.notStrictEqual(await place(), before)
    await close(page)
  })

  it("scrolls through 600 tasks with a few cards on the page, and reads on as it goes", async () => {
    const scope = `board-${process.pid}`
    const api = await clientOf(server, scope)
    const project = client.ProjectId.make(`${scope}-big`)
    await ask(api.projects.create({ query: {}, payload: { id: project, title: "Many", branch: "many" } }))
    await createTasks(
      api,
      Array.from({ length: 600 }, (_, n) => ({ id: `${scope}-${n}`, title: `Task ${n}`, project_id: project }))
    )
    const page = await open(`#/projects/${project}?scope=${scope}`)
    const incoming = page.getByRole("region", { name: "incoming" })
    await incoming.getByText("Task 0", { exact: true }).waitFor()
    await incoming.getByText("600").waitFor()
    assert.isBelow(await incoming.getByRole("listitem").count(), 60)
    const list = incoming.locator(".board-scroll")
    await list.evaluate((element) => (element as unknown as { scrollTop: number }).scrollTop = 1e9)
    await incoming.getByText("Task 599", { exact: true }).waitFor()
    assert.isBelow(await incoming.getByRole("listitem").count(), 60)
    await close(page)
  })
})
