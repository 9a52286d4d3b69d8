/** The dashboard: it polls the counts, fetches its lists again when they change, and posts what its buttons say. */
import { assert } from "@effect/vitest"
import { compatible } from "./support/cases.ts"
import { accept, claim, claimed, create, defaultFlow, type Rest, sdk, submitted } from "./support/python.ts"

/** The lists of `get_queue_status` and of the reports. */
const queues =
  "incoming claimed needs_continuation done failed rejected breakdown provisional escalated requires-intervention recycled"
    .split(" ")

const draft = (fields: object = {}, rest: Rest = {}) =>
  sdk.post("drafts", { title: "An idea", author: "human", status: "idea", ...fields }, {
    status: 201,
    keep: { draft: "id" },
    ...rest
  })

const proposal = sdk.post("actions", {
  entity_type: "draft",
  entity_id: "{draft}",
  action_type: "enqueue",
  label: "Enqueue",
  proposed_by: "draft-processor",
  action_data: "{\"command\": \"process\"}"
}, { status: 201, keep: { action: "id" } })

compatible("the dashboard's refresh", [
  {
    line: "7.5: queue_counts are equal while nothing happens, and change with every queue a task moves through",
    steps: [
      ...claimed,
      sdk.get("scheduler/poll", {}, {
        times: 2,
        checkAll: ([one, two]) => assert.deepStrictEqual(one.queue_counts, two.queue_counts)
      }),
      sdk.patch("tasks/{id}", { queue: "requires-intervention" }),
      sdk.get("scheduler/poll", {}, {
        answer: { "queue_counts.claimed": 0, "queue_counts.requires-intervention": 1 }
      }),
      sdk.patch("tasks/{id}", { queue: "provisional" }),
      accept(),
      sdk.get("scheduler/poll", {}, { answer: { "queue_counts.provisional": 0, "queue_counts.done": 1 } })
    ]
  },
  {
    line: "get_queue_status: every queue it asks for is a list, those no task was ever in too",
    steps: [
      defaultFlow,
      ...queues.map((queue) => sdk.get("tasks", { queue }, { answer: { tasks: [], total: 0 } })),
      create(),
      ...queues.flatMap((queue) =>
        queue === "done" ? [] : [
          sdk.patch("tasks/{id}", { queue }, { answer: { queue } }),
          sdk.get("tasks", { queue }, { answer: { total: 1, "tasks.0.id": "{id}" } })
        ]
      )
    ]
  },
  {
    line: "C9: a queue that work goes through is counted by its rows, and none of them is missing",
    steps: [
      create({ id: "{id}-{n}", file_path: "{id}-{n}" }, { times: 55 }),
      sdk.get("tasks", { queue: "incoming" }, { answer: { "tasks.length": 55, total: 55 } }),
      sdk.get("scheduler/poll", {}, { answer: { "queue_counts.incoming": 55 } })
    ]
  },
  {
    line:
      "reports: what is done comes with completed_at, its pull request, and checks that are no text to iterate over",
    steps: [
      ...submitted,
      sdk.patch("tasks/{id}", { pr_number: 5, pr_url: "https://example.com/pull/5" }),
      accept(),
      sdk.get("tasks", { queue: "done" }, {
        answer: { "tasks.0.pr_number": 5, "tasks.0.checks": null, "tasks.0.check_results": null },
        check: ({ tasks: [{ completed_at, updated_at }] }) => {
          assert.isString(completed_at)
          assert.strictEqual(updated_at, completed_at)
        }
      })
    ]
  },
  {
    line: "8.1#10: _store_staging_url finds the task by pr_number and no other, and writes its address",
    steps: [
      ...claimed,
      create({ id: "{id}-2", file_path: "2" }),
      sdk.patch("tasks/{id}", { pr_number: 77 }),
      sdk.get("tasks", { pr_number: 77 }, { answer: { total: 1, "tasks.0.id": "{id}" } }),
      sdk.patch("tasks/{id}", { staging_url: "https://staging.example.com" }, {
        answer: { staging_url: "https://staging.example.com", queue: "claimed", claimed_by: "implementer-1" }
      })
    ]
  },
  {
    line: "8.2#12: the history of a task can be shown: who claimed, submitted and accepted it",
    steps: [
      ...submitted,
      accept(),
      sdk.get("tasks/{id}/history", {}, {
        check: ({ history }) =>
          assert.deepStrictEqual(history.map(({ actor, event }: any) => [event, actor]), [
            ["created", "human"],
            ["claimed", "implementer-1"],
            ["submitted", "implementer-1"],
            ["accepted", "flow-engine"]
          ])
      })
    ]
  },
  {
    line: "flows: the tabs come from the registered states, as text or list",
    steps: [
      defaultFlow,
      sdk.get("flows", {}, {
        check: ({ flows: [{ states }] }) => {
          const read = typeof states === "string" ? JSON.parse(states) : states
          assert.includeMembers(read, ["incoming", "claimed", "provisional", "done", "failed"])
        }
      })
    ]
  },
  {
    line: "queue-status heartbeat: orchestrators of this scope, the one heard of last first",
    steps: [
      ...claimed,
      sdk.post("orchestrators/register", { cluster: "d", machine_id: "{id}" }, { status: 201 }),
      sdk.post("orchestrators/c-{id}/heartbeat", undefined, { after: 20 }),
      sdk.get("orchestrators", {}, {
        answer: { total: 2, "orchestrators.0.id": "c-{id}", "orchestrators.1.id": "d-{id}" }
      })
    ]
  }
])

compatible("the dashboard's drafts and inbox", [
  {
    line: "drafts are listed newest first, with integer ids, and by status, author and link",
    steps: [
      draft({ title: "old", author: "testing-analyst", status: "proposed" }),
      draft({ title: "new", linked_task_id: "{id}", tags: ["x"] }, {
        keep: {},
        check: ({ id }) => assert.isTrue(Number.isInteger(id))
      }),
      sdk.get("drafts", {}, { answer: { total: 2, "drafts.0.title": "new", "drafts.1.title": "old" } }),
      sdk.get("drafts", { status: "proposed", author: "testing-analyst" }, { answer: { total: 1 } }),
      sdk.get("drafts", { status: "archived" }, { answer: { drafts: [], total: 0 } }),
      sdk.get("drafts", { linked_task_id: "{id}" }, { answer: { total: 1, "drafts.0.tags": "[\"x\"]" } })
    ]
  },
  {
    line: "8.1#12: the actions of a draft are asked for with status=pending, and proposed ones come",
    steps: [
      draft(),
      proposal,
      sdk.get("actions", { entity_type: "draft", entity_id: "{draft}", status: "pending" }, {
        answer: { total: 1, "actions.0.id": "{action}", "actions.0.action_data": "{\"command\": \"process\"}" }
      }),
      sdk.get("actions", { entity_type: "draft", status: "pending" }, { answer: { total: 1 } }),
      sdk.post("actions/{action}/execute", {}),
      sdk.get("actions", { entity_type: "draft", entity_id: "{draft}", status: "pending" }, { answer: { actions: [] } })
    ]
  },
  {
    line: "a draft button posts an action_command to the agent, about a draft's number as text",
    steps: [
      draft(),
      sdk.post("messages", {
        task_id: "{draft}",
        from_actor: "human",
        to_actor: "agent",
        type: "action_command",
        content: "{\"action\": \"enqueue\", \"draft_id\": 1}"
      }, { status: 201, answer: { to_actor: "agent", status: "pending", parent_message_id: null } }),
      sdk.get("messages", { to_actor: "agent", type: "action_command" }, {
        answer: { total: 1, "messages.0.task_id": "{draft}" }
      })
    ]
  },
  {
    line: "C8: the inbox shows the newest messages to the human, and a reply leaves it",
    steps: [
      sdk.post("messages", {
        task_id: "project-{id}",
        from_actor: "scheduler",
        to_actor: "human",
        type: "warning",
        content: "{n}"
      }, { status: 201, times: 55, keep: { message: "id" } }),
      sdk.get("messages", { to_actor: "human" }, { answer: { "messages.49.content": "54", total: 55 } }),
      sdk.post("messages", {
        task_id: "project-{id}",
        from_actor: "human",
        to_actor: "agent",
        type: "action_command",
        content: "do it",
        parent_message_id: "{message}"
      }, { status: 201, answer: { parent_message_id: "{message}" } }),
      sdk.get("messages", { to_actor: "human", unreplied: true }, {
        answer: { total: 54, "messages.49.content": "53" }
      })
    ]
  },
  {
    line: "draft and project edits: each status a client uses is taken as it is",
    steps: [
      draft(),
      ...["draft", "in_progress", "partial", "complete", "superseded", "review", "approved", "implemented", "archived"]
        .map((status) => sdk.patch("drafts/{draft}", { status }, { answer: { status } })),
      sdk.get("drafts", { status: "archived" }, { answer: { total: 1 } })
    ]
  },
  {
    line: "the task list of one agent: claimed_by narrows it to what it holds",
    steps: [
      ...claimed,
      create({ id: "{id}-2", file_path: "2" }),
      claim({ agent_name: "implementer-2" }),
      sdk.get("tasks", { claimed_by: "implementer-1" }, { answer: { total: 1, "tasks.0.id": "{id}" } })
    ]
  }
])
