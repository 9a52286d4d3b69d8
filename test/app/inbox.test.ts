/** The afternoon's round: what waits, one after the other, by keyboard. */
import type { Page } from "playwright-core"
import { assert, it } from "vitest"
import * as client from "../../src/client.ts"
import { type Api, ask, close, comeBack, describeApp, emptyScope } from "./support/App.ts"

/** Hands in results of new tasks. Answers the ids, the oldest first. */
const handIn = async (api: Api, scope: string, count: number) => {
  const { orchestrator_id } = await ask(
    api.orchestrators.register({ query: {}, payload: { cluster: scope, machine_id: "reviewed" } })
  )
  const ids: Array<client.TaskId> = []
  for (let n = 1; n <= count; n++) {
    const id = client.TaskId.make(`${scope}-result-${n}`)
    await ask(api.tasks.create({
      query: {},
      payload: { id, title: `Result ${n}`, file_path: `${id}.md`, branch: "main", role: "review-me" }
    }))
    const task = await ask(
      api.tasks.claim({ query: {}, payload: { orchestrator_id, agent_name: "ann", role_filter: "review-me" } })
    )
    await ask(api.tasks.submit({
      query: {},
      params: { id: task.id },
      payload: {
        commits_count: 2,
        turns_used: 9,
        head_commit: "abc123",
        execution_notes: "I changed <b>two</b> files.",
        pr_number: 7,
        pr_url: "javascript:alert(1)",
        evidence: [{ kind: "lint", command: "npm run lint", exit_code: 1, summary: "One file is not formatted." }]
      }
    }))
    ids.push(id)
  }
  return ids
}

const queueOf = async (api: Api, id: client.TaskId) => (await ask(api.tasks.get({ query: {}, params: { id } }))).queue

const heading = (page: Page, title: string) =>
  page.locator(".detail-head").getByRole("link", { name: title, exact: true })

describeApp("Inbox", ({ open, server }) => {
  it("takes every key of a reason as a part of the reason", async () => {
    const { api, scope } = await emptyScope(server)
    const [id] = await handIn(api, scope, 2)
    const page = await open(`#/inbox?scope=${scope}`)
    await heading(page, "Result 1").waitFor()
    await page.keyboard.press("r")
    await page.getByRole("dialog").waitFor()
    // As long as a person takes to begin: the focus has to stay in the field.
    await page.waitForTimeout(500)
    await page.keyboard.type("There is a case missing.")
    await page.keyboard.press("Control+Enter")
    await page.getByRole("status").getByText("Rejected Result 1").first().waitFor()
    const { last_rejection_reason, queue } = await ask(api.tasks.get({ query: {}, params: { id: id! } }))
    assert.deepStrictEqual([queue, last_rejection_reason], ["incoming", "There is a case missing."])
    await close(page)
  })

  it("goes through six reviews by keyboard, and the next one comes by itself", async () => {
    const { api, scope } = await emptyScope(server)
    const ids = await handIn(api, scope, 6)
    const page = await open(`#/inbox?scope=${scope}`)
    for (const [n, id] of ids.entries()) {
      await heading(page, `Result ${n + 1}`).waitFor()
      if (n % 3 === 2) {
        await page.keyboard.press("r")
        await page.getByRole("dialog").getByLabel("What is wrong with it?").fill(`The lint fails in ${n}.`)
        await page.keyboard.press("Control+Enter")
      } else await page.keyboard.press("a")
      await page.getByRole("status").getByText(n % 3 === 2 ? `Rejected Result ${n + 1}` : `Accepted Result ${n + 1}`)
        .first().waitFor()
      assert.strictEqual(await queueOf(api, id), n % 3 === 2 ? "incoming" : "done")
    }
    await page.getByText("Nothing else waits.").waitFor()
    const rejected = await ask(api.tasks.get({ query: {}, params: { id: ids[2]! } }))
    assert.strictEqual(rejected.last_rejection_reason, "The lint fails in 2.")
    assert.strictEqual(await page.getByRole("button", { name: "Clear 6 settled" }).count(), 1)
    await page.getByRole("button", { name: "Clear 6 settled" }).click()
    await page.getByText("Nothing waits for you.").waitFor()
    await close(page)
  })

  it("shows what a verdict needs, and makes no link of text that is no web address", async () => {
    const { api, scope } = await emptyScope(server)
    const [id] = await handIn(api, scope, 1)
    const about = { query: {}, params: { id: id! } }
    await ask(api.tasks.reject({ ...about, payload: { rejected_by: "eve", reason: "There is no test." } }))
    await handIn(api, scope, 0)
    const { orchestrators: [machine] } = await ask(api.orchestrators.list({ query: {} }))
    await ask(
      api.tasks.claim({
        query: {},
        payload: { orchestrator_id: machine!.id, agent_name: "bob", role_filter: "review-me" }
      })
    )
    await ask(api.tasks.submit({ ...about, payload: { commits_count: 3, turns_used: 1 } }))
    const page = await open(`#/inbox/task/${id}?scope=${scope}`)
    await heading(page, "Result 1").waitFor()
    const detail = page.locator(".inbox-detail")
    for (
      const text of [
        "bob",
        "3 commits, 1 turn",
        "1 rejection",
        "abc123",
        "ended with 1",
        "One file is not formatted.",
        "#7"
      ]
    ) {
      await detail.getByText(text).first().waitFor()
    }
    await detail.getByRole("heading", { name: "Last rejection" }).waitFor()
    await detail.locator("li", { hasText: "There is no test." }).waitFor()
    assert.strictEqual(await page.locator("a[href^='javascript']").count(), 0)
    await close(page)
  })

  it("answers a question, and the task that waited for it is ready again", async () => {
    const { api, scope } = await emptyScope(server)
    const id = client.TaskId.make(`${scope}-asks`)
    await ask(
      api.tasks.create({
        query: {},
        payload: { id, title: "Move the sessions", file_path: "asks.md", branch: "main", role: "asks" }
      })
    )
    const { orchestrator_id } = await ask(
      api.orchestrators.register({ query: {}, payload: { cluster: scope, machine_id: "tower" } })
    )
    const task = await ask(
      api.tasks.claim({ query: {}, payload: { orchestrator_id, agent_name: "ann", role_filter: "asks" } })
    )
    await ask(api.messages.send({
      query: {},
      payload: {
        task_id: id,
        from_actor: "ann",
        // To one person. Everyone sees it, because a task waits for the answer.
        to_actor: "grace",
        type: "question",
        content: "Keep the old session cookies?",
        hold: true,
        fencing_token: task.fencing_token!
      }
    }))
    const page = await open(`#/inbox?scope=${scope}`)
    await page.getByText("The task waits for the reply.").waitFor()
    const detail = page.locator(".inbox-detail")
    await detail.getByText("question of ann to grace").waitFor()
    assert.strictEqual(await detail.getByText("Keep the old session cookies?").count(), 1)
    await page.keyboard.press("e")
    await page.keyboard.type("Yes, for a week.")
    await page.keyboard.press("Control+Enter")
    await page.getByRole("status").getByText("Answered ann").first().waitFor()
    const after = await ask(api.tasks.get({ query: {}, params: { id } }))
    assert.isNull(after.waiting_for_reply)
    const { answers } = await ask(api.tasks.handoff({ query: {}, params: { id } }))
    assert.strictEqual(answers?.at(-1)?.answer, "Yes, for a week.")
    await close(page)
  })

  it("tells the second of two people on one review what the first one did", async () => {
    const { api, scope } = await emptyScope(server)
    const [id] = await handIn(api, scope, 1)
    const first = await open(`#/inbox?scope=${scope}`, { name: "ada" })
    const second = await open(`#/inbox?scope=${scope}`, { name: "eve" })
    await heading(first, "Result 1").waitFor()
    await heading(second, "Result 1").waitFor()
    // Before the second page can know, both decide.
    await second.keyboard.press("r")
    await second.getByRole("dialog").getByLabel("What is wrong with it?").fill("It is too slow.")
    await first.keyboard.press("a")
    await first.getByRole("status").getByText("Accepted Result 1").first().waitFor()
    await second.keyboard.press("Control+Enter")
    const told = second.getByRole("dialog").getByRole("alert")
    await told.getByText(/done|version/i).waitFor()
    assert.strictEqual(await queueOf(api, id!), "done")
    await second.keyboard.press("Escape")
    await second.getByText("Somebody else has settled this.").waitFor()
    assert.strictEqual(await second.getByRole("button", { name: "Accept" }).count(), 0)
    await close(first)
    await close(second)
  })

  it("adds what comes to the end, and moves nothing", async () => {
    const { api, scope } = await emptyScope(server)
    await handIn(api, scope, 2)
    const page = await open(`#/inbox?scope=${scope}`)
    await heading(page, "Result 1").waitFor()
    await ask(api.messages.send({
      query: {},
      payload: { task_id: "the plan", from_actor: "bob", to_actor: "human", type: "question", content: "Which plan?" }
    }))
    await comeBack(page)
    await page.locator(".inbox-list").getByText("Which plan?").waitFor()
    assert.deepStrictEqual(
      (await page.locator(".inbox-title").allInnerTexts()).map((text) => text.replace(/^.*: ?\n?/, "")),
      ["Result 1", "Result 2", "Which plan?"]
    )
    await heading(page, "Result 1").waitFor()
    await close(page)
  })
})
