/** Records for the screens of the page: a project with dependencies, a task with a story, drafts, a flow, a webhook, usage. */
import * as Effect from "effect/Effect"
import * as client from "../../../src/client.ts"

type Api = client.Client
const ask = Effect.runPromise

/** A title that would do harm in a page that took it for HTML. */
export const HostileTitle = "<img src=x onerror=\"document.title='harmed'\"> & <b>bold</b>"

const task = (id: string) => client.TaskId.make(id)

/** Creates tasks, as many with a request as it takes. */
export const createTasks = async (
  api: Api,
  tasks: ReadonlyArray<{ readonly id: string; readonly title: string; readonly project_id?: client.ProjectId }>
) => {
  for (let from = 0; from < tasks.length; from += 100) {
    let cursor: string | null | undefined
    while (cursor !== null) {
      const answer = await ask(api.tasks.bulk({
        query: {},
        payload: {
          action: "create",
          tasks: tasks.slice(from, from + 100).map((one) => ({
            file_path: `${one.id}.md`,
            branch: "main",
            ...one,
            id: task(one.id)
          })),
          ...(cursor === undefined ? {} : { cursor })
        }
      }))
      cursor = answer.next_cursor
    }
  }
}

/** Plants the records in the scope of the client. All ids begin with `name`. */
export const plant = async (api: Api, name: string) => {
  const id = (text: string) => `${name}-${text}`
  const project = client.ProjectId.make(id("release"))
  await ask(api.projects.create({
    query: {},
    payload: {
      id: project,
      title: "Release 3",
      branch: "release-3",
      status: "active",
      description: "What the next release needs.",
      max_cost_usd: 50
    }
  }))
  const steps: ReadonlyArray<readonly [id: string, title: string, ...blockers: ReadonlyArray<string>]> = [
    ["schema", "Change the schema"],
    ["parser", "Rewrite the parser", "schema"],
    ["printer", "Rewrite the printer", "schema"],
    ["errors", "Say where an error is", "parser"],
    ["format", "Keep comments when formatting", "parser", "printer"],
    ["docs", "Describe the new syntax", "errors", "format"],
    ["announce", "Announce the release", "docs"],
    ["logo", "Draw a logo"]
  ]
  for (const [step, title, ...blockers] of steps) {
    await ask(api.tasks.create({
      query: {},
      payload: {
        id: task(id(step)),
        title,
        file_path: `${id(step)}.md`,
        branch: "main",
        project_id: project,
        priority: step === "logo" ? "P3" : "P1",
        content: `# ${title}\n\nAs agreed.`,
        blocked_by: blockers.length === 0 ? null : blockers.map(id).join(",")
      }
    }))
  }
  const { orchestrator_id } = await ask(
    api.orchestrators.register({ query: {}, payload: { cluster: name, machine_id: "tower" } })
  )
  const story = task(id("story"))
  await ask(api.tasks.create({
    query: {},
    payload: { id: story, title: HostileTitle, file_path: `${story}.md`, branch: "main", role: "story", priority: "P0" }
  }))
  const claim = (agent_name: string) =>
    ask(api.tasks.claim({
      query: {},
      payload: { orchestrator_id, agent_name, role_filter: "story", lease_duration_seconds: 3600 }
    }))
  const usage = { model: "opus", input_tokens: 40_000, output_tokens: 3000, cost_usd: 1.25, wall_seconds: 600 }
  const about = { query: {}, params: { id: story } }
  const { fencing_token } = await claim("ann")
  await ask(api.tasks.renew({
    ...about,
    payload: {
      fencing_token: fencing_token!,
      checkpoint: { notes: "The tests fail still.", head_commit: "abc1" },
      usage
    }
  }))
  await ask(api.tasks.submit({
    ...about,
    payload: { fencing_token: fencing_token!, commits_count: 2, turns_used: 30, usage, execution_notes: "All of it." }
  }))
  await ask(api.tasks.reject({ ...about, payload: { rejected_by: "gatekeeper", reason: "There is no test for it." } }))
  const second = await claim("ben")
  await ask(api.messages.send({
    query: {},
    payload: {
      task_id: story,
      from_actor: "ben",
      to_actor: "human",
      type: "question",
      content: "May I change the schema?"
    }
  }))
  await ask(api.tasks.renew({
    ...about,
    payload: {
      fencing_token: second.fencing_token!,
      checkpoint: {
        notes: "The first test is there.",
        open_questions: ["Which schema?"],
        resume_command: "ssh tower -t claude --resume 7f3a",
        session_url: "javascript:alert(1)"
      },
      usage
    }
  }))
  for (const [title, status] of [["Warn before a lease ends", "proposed"], ["A plugin for editors", "idea"]] as const) {
    await ask(api.drafts.create({ query: {}, payload: { title, author: "ada", status, tags: "[\"later\"]" } }))
  }
  await ask(api.flows.register({
    query: {},
    params: { name: client.FlowName.make("pipeline") },
    payload: {
      description: "With a stage for tests.",
      states: ["incoming", "claimed", "testing", "provisional", "done"],
      transitions: [
        { from: "incoming", to: "claimed" },
        { from: "claimed", to: "testing" },
        { from: "testing", to: "provisional" },
        { from: "provisional", to: "done" },
        { from: "provisional", to: "incoming" }
      ],
      child_flow: { transitions: [{ from: "testing", to: "done" }] }
    }
  }))
  await ask(api.webhooks.register({
    query: {},
    payload: { url: "https://hooks.example.com/a", name: "The team's chat", types: ["deleted"] }
  }))
  return { project, story, id }
}
