/** Messages and actions as the orchestrator and its dispatcher use them. */
import { assert } from "@effect/vitest"
import { compatible } from "./support/cases.ts"
import { create, isoformat, type Rest, sdk } from "./support/python.ts"

const message = (fields: object = {}, rest: Rest = {}) =>
  sdk.post("messages", {
    task_id: "{id}",
    from_actor: "scheduler",
    to_actor: "fixer",
    type: "intervention_request",
    content: "{}",
    ...fields
  }, { status: 201, ...rest })

/** What a page of the newest ends with. */
const last = (content: string) => ({
  check: ({ messages }: any) => assert.strictEqual(messages.at(-1).content, content)
})

const action = (fields: object = {}, rest: Rest = {}) =>
  sdk.post("actions", {
    entity_type: "draft",
    entity_id: "42",
    action_type: "promote",
    label: "Make it a task",
    proposed_by: "analyst",
    ...fields
  }, { status: 201, keep: { action: "id" }, ...rest })

compatible("messages", [
  {
    line: "request_intervention: a message about the task, pending until somebody takes it up (8.2#14)",
    steps: [
      create(),
      message({}, {
        answer: {
          task_id: "{id}",
          from_actor: "scheduler",
          to_actor: "fixer",
          type: "intervention_request",
          parent_message_id: null,
          status: "pending",
          scope: "{scope}"
        },
        keep: { message: "id" }
      }),
      sdk.patch("messages/{message}", { status: "processing" }, { answer: { status: "processing" } }),
      sdk.patch("messages/{message}", { status: "done" }, { answer: { status: "done" } })
    ]
  },
  {
    line: "8.2#11, C8: after sixty messages `messages[-1]` is the latest, oldest of the page first",
    steps: [
      message({ content: "{n}" }, { times: 60 }),
      sdk.get("messages", { task_id: "{id}" }, {
        answer: { "messages.length": 50, total: 60, limit: 50 },
        check: ({ messages }) => {
          assert.deepStrictEqual([messages[0].content, messages.at(-1).content], ["10", "59"])
        }
      }),
      sdk.get("messages", { task_id: "{id}", type: "intervention_request" }, last("59")),
      sdk.get("messages", { to_actor: "fixer" }, last("59"))
    ]
  },
  {
    line: "C8: guard_claim_task sees the newest messages of a task: the breaker does not go blind",
    steps: [
      message({ type: "intervention_reply", content: "{n}" }, { times: 55 }),
      message({ type: "circuit_breaker", content: "stop" }),
      sdk.get("tasks/{id}/messages", {}, { answer: { total: 56, "messages.length": 50 }, ...last("stop") })
    ]
  },
  {
    line: "C8: the dispatcher sees a new command after fifty old ones",
    steps: [
      message({ type: "action_command", to_actor: "agent", content: "{n}" }, { times: 51 }),
      sdk.get("messages", { to_actor: "agent", type: "action_command" }, last("50"))
    ]
  },
  {
    line: "3.5: task_id is free text: drafts, projects and analyses have messages too, and no task need exist",
    steps: [
      ...["42", "project-{id}", "analysis-testing"].map((task_id) => message({ task_id, to_actor: "human" })),
      sdk.get("messages", { to_actor: "human" }, { answer: { total: 3, "messages.1.task_id": "project-{id}" } }),
      sdk.get("tasks/42/messages", {}, { answer: { total: 1 } })
    ]
  },
  {
    line: "replies, threads and what nobody replied to",
    steps: [
      message({ type: "question", content: "q" }, { keep: { root: "id" } }),
      message({ type: "comment", content: "a", parent_message_id: "{root}" }, { keep: { reply: "id" } }),
      message({ type: "comment", content: "b", parent_message_id: "{reply}" }),
      sdk.get("messages", { thread_id: "{root}" }, { answer: { total: 3, offset: 0, limit: 3 }, ...last("b") }),
      sdk.get("messages", { unreplied: true }, { answer: { total: 1, "messages.0.content": "b" } }),
      sdk.get("messages", { thread_id: "no-{id}" }, { answer: { messages: [], total: 0 } })
    ]
  },
  {
    line: "9: a parent that is not there, or about something else, is refused in the contract's words",
    steps: [
      message({ parent_message_id: "msg-0" }, { status: 400, error: "Parent message not found: msg-0" }),
      message({}, { keep: { root: "id" } }),
      message({ task_id: "other", parent_message_id: "{root}" }, { status: 400, error: "belongs to a different task" })
    ]
  },
  {
    line: "messages of a deleted task are still there",
    steps: [create(), message(), sdk.delete("tasks/{id}"), sdk.get("tasks/{id}/messages", {}, { answer: { total: 1 } })]
  }
])

compatible("actions", [
  {
    line: "8.2#5, E5: actions.create with action_data as a dict; it comes back as text, equal to what was sent",
    steps: [
      action({ action_data: { task: { title: "t" } }, metadata: { a: 1 } }, {
        answer: { status: "proposed", action_data: "{\"task\":{\"title\":\"t\"}}", metadata: "{\"a\":1}" },
        check: ({ id }) => assert.match(id, /^act-/)
      }),
      action({ action_data: "{\"task\": 1}" }, { answer: { action_data: "{\"task\": 1}" } })
    ]
  },
  {
    line: "actions.create without proposed_by is a 400 that names the field",
    steps: [action({ proposed_by: null }, { status: 400, error: "proposed_by", keep: {} })]
  },
  {
    line: "the list echoes its default limit of 50, newest first",
    steps: [
      action({ label: "{n}" }, { times: 52 }),
      sdk.get("actions", {}, {
        answer: { limit: 50, offset: 0, total: 52, "actions.length": 50, "actions.0.label": "51" }
      })
    ]
  },
  {
    line: "execute asks for it once; then execute_requested is not proposed any more",
    steps: [
      action(),
      sdk.post("actions/{action}/execute", {}, {
        answer: { status: "execute_requested" },
        check: ({ executed_at }) => assert.isString(executed_at)
      }),
      sdk.post("actions/{action}/execute", {}, {
        status: 400,
        error: "Cannot execute action with status \"execute_requested\""
      }),
      sdk.post("actions/no-{id}/execute", {}, { status: 404, error: "Action not found" })
    ]
  },
  {
    line: "B5: of ten that execute it at once, one does",
    steps: [
      action(),
      sdk.post("actions/{action}/execute", {}, {
        times: 10,
        together: true,
        status: [200, 400],
        checkAll: (bodies) => assert.strictEqual(bodies.filter(({ error }) => error === undefined).length, 1)
      })
    ]
  },
  {
    line: "8.2#3: actions.complete and actions.fail exist, with or without a result",
    steps: [
      action(),
      sdk.post("actions/{action}/execute", {}),
      sdk.post("actions/{action}/complete", { result: { task_id: "t" } }, {
        answer: { status: "completed", result: "{\"task_id\":\"t\"}" }
      }),
      action(),
      sdk.post("actions/{action}/execute", {}),
      sdk.post("actions/{action}/fail", { result: "no such draft" }, {
        answer: { status: "failed", result: "no such draft" }
      }),
      action(),
      sdk.post("actions/{action}/execute", {}),
      sdk.post("actions/{action}/complete", {}, { answer: { status: "completed", result: null } })
    ]
  },
  {
    line: "PATCH of an action: an unknown status is refused by name, a result is kept",
    steps: [
      action(),
      sdk.patch("actions/{action}", { status: "bogus" }, { status: 400, error: "Invalid status \"bogus\"" }),
      sdk.patch("actions/{action}", { whatever: 1 }, { status: 400, error: "No valid fields to update" }),
      sdk.patch("actions/{action}", { status: "executing", result: "r" }, {
        answer: { status: "executing", result: "r" }
      })
    ]
  },
  {
    line: "E15: an action that has expired is not listed, and to execute it says that it expired",
    steps: [
      action({ expires_at: isoformat(-3_600_000).python }),
      sdk.get("actions", {}, { answer: { total: 0 } }),
      sdk.post("actions/{action}/execute", {}, { status: 400, error: "expired" })
    ]
  }
])
