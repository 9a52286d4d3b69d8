/** What is under way: machines, what they hold, and what nobody has. */
import * as Effect from "effect/Effect"
import { assert, it } from "vitest"
import * as client from "../../src/client.ts"
import { type Api, ask, close, comeBack, describeApp, emptyScope } from "./support/App.ts"

const begin = async (api: Api, scope: string, seconds: number) => {
  const id = client.TaskId.make(`${scope}-running`)
  await ask(api.tasks.create({
    query: {},
    payload: { id, title: "Rewrite the parser", file_path: "running.md", branch: "main", role: "runs" }
  }))
  const { orchestrator_id } = await ask(
    api.orchestrators.register({ query: {}, payload: { cluster: scope, machine_id: "tower" } })
  )
  const task = await ask(api.tasks.claim({
    query: {},
    payload: { orchestrator_id, agent_name: "ann", role_filter: "runs", lease_duration_seconds: seconds }
  }))
  const renew = (notes: string) =>
    ask(api.tasks.renew({
      query: {},
      params: { id },
      payload: { fencing_token: task.fencing_token!, lease_duration_seconds: seconds, checkpoint: { notes } }
    }))
  return { id, renew }
}

describeApp("Now", ({ open, server }) => {
  it("shows who holds what with its last note, and cancels it", async () => {
    const { api, scope } = await emptyScope(server)
    const { id, renew } = await begin(api, scope, 600)
    const page = await open(`#/now?scope=${scope}`)
    const row = page.locator("[data-row]", { hasText: "Rewrite the parser" })
    await row.getByText("working").waitFor()
    await row.getByText(/^(9|10) m.* left$/).waitFor()
    await renew("The lexer is done.")
    await comeBack(page)
    await row.getByText("The lexer is done.").waitFor()
    await row.getByRole("link").focus()
    await page.keyboard.press("c")
    const dialog = page.getByRole("dialog", { name: "Cancel Rewrite the parser" })
    await dialog.getByLabel("Why?").fill("We buy one.")
    await page.keyboard.press("Control+Enter")
    await dialog.waitFor({ state: "detached" })
    await row.getByText("Asked to stop").waitFor()
    const task = await ask(api.tasks.get({ query: {}, params: { id } }))
    assert.strictEqual(task.cancel_reason, "We buy one.")
    assert.strictEqual(task.queue, "claimed")
    await close(page)
  })

  it("follows a lost lease: it is gone from its machine, and Night has it", async () => {
    const { api, scope } = await emptyScope(server)
    await begin(api, scope, 1)
    const page = await open(`#/now?scope=${scope}`)
    const row = page.locator("[data-row]", { hasText: "Rewrite the parser" })
    await row.getByText("working").waitFor()
    await row.getByText("over since").waitFor()
    // The next claim takes it back.
    const { orchestrators: [machine] } = await ask(api.orchestrators.list({ query: {} }))
    await ask(Effect.flip(api.tasks.claim({
      query: {},
      payload: { orchestrator_id: machine!.id, agent_name: "bob", role_filter: "none" }
    })))
    await comeBack(page)
    await page.locator(".ready [data-row]", { hasText: "Rewrite the parser" }).waitFor()
    assert.strictEqual(await page.locator(".machine [data-row]", { hasText: "Rewrite the parser" }).count(), 0)
    await page.getByRole("link", { name: "Night" }).click()
    await page.locator("a.tile", { hasText: "Lost" }).click()
    await page.locator(".happenings [data-row]", { hasText: "Rewrite the parser" }).getByText("lease expired").waitFor()
    await close(page)
  })

  it("gives a machine no work while it is in maintenance, and work again afterwards", async () => {
    const { api, scope } = await emptyScope(server)
    for (const machine_id of ["machine-1", "machine-2"]) {
      await ask(api.orchestrators.register({ query: {}, payload: { cluster: scope, machine_id } }))
    }
    const page = await open(`#/now?scope=${scope}`, { clock: true })
    const machine = page.locator(".machine", { hasText: "machine-2" })
    await machine.getByRole("button", { name: /^Put into maintenance/ }).click()
    await machine.getByText("maintenance", { exact: true }).waitFor()
    const status = async () =>
      (await ask(api.orchestrators.list({ query: {} }))).orchestrators.find(({ machine_id }) =>
        machine_id === "machine-2"
      )?.status
    assert.strictEqual(await status(), "maintenance")
    await machine.getByRole("button", { name: /^End maintenance/ }).click()
    await machine.getByText("active", { exact: true }).waitFor()
    assert.strictEqual(await status(), "active")
    // No cron runs here, so the server calls the machine active for ever. The page says what is true.
    await page.clock.fastForward(3 * 3_600_000)
    await machine.getByText("silent for 3 h").waitFor()
    await page.getByText("2 machines, 2 of them silent").waitFor()
    assert.strictEqual(await status(), "active")
    assert.strictEqual(await machine.getByText("active", { exact: true }).count(), 0)
    await close(page)
  })

  it("says why nobody has a task", async () => {
    const { api, scope } = await emptyScope(server)
    const { id } = await begin(api, scope, 600)
    await ask(api.tasks.create({
      query: {},
      payload: {
        id: client.TaskId.make(`${scope}-waits`),
        title: "Use the parser",
        file_path: "waits.md",
        branch: "main",
        blocked_by: id
      }
    }))
    const page = await open(`#/now?scope=${scope}`)
    const row = page.locator(".ready [data-row]", { hasText: "Use the parser" })
    await row.getByText("waits for 1 task").waitFor()
    await row.getByRole("button", { name: "Why?" }).click()
    await row.getByText(`It waits for ${id} (in claimed)`).waitFor()
    await close(page)
  })
})
