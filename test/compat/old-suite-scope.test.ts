/** The assertions of the old server's own tests about requests without a scope, which hold with REQUIRE_SCOPE=true. */
import { compatible, type Step } from "./support/cases.ts"
import { claim, create, flow, get, message, post, propose, register, remove } from "./support/requests.ts"

const refused = (error: string) => (step: Step): Step => ({
  ...step,
  body: step.body === undefined ? undefined : { ...step.body, scope: undefined },
  status: 400,
  error
})

compatible("the old server's tests, of scopes", [
  {
    line: "lists ask for a scope in the query, an empty one is none",
    steps: [
      ...["tasks", "tasks?scope=", "tasks?queue=incoming"].map((path) =>
        get(path, {
          status: 400,
          error: "Missing required query parameter: scope. Cannot list tasks across all scopes."
        })
      ),
      ...["messages", "tasks/{id}/messages"].map((path) =>
        get(path, {
          status: 400,
          error: "Missing required query parameter: scope. Cannot list messages across all scopes."
        })
      ),
      get("actions", { status: 400, error: "Missing required query parameter: scope" }),
      get("flows", {
        status: 400,
        error: "Missing required query parameter: scope. Cannot list flows across all scopes."
      })
    ]
  },
  {
    line: "new records need a scope in the body",
    steps: [
      refused("Missing required field: scope. All tasks must belong to a scope.")(create()),
      create({ scope: "" }, { status: 400, error: "Missing required field: scope. All tasks must belong to a scope." }),
      refused("Missing required field: scope. Cannot claim tasks across all scopes.")(claim()),
      refused("Missing required field: scope. All orchestrators must register with a scope.")(register),
      refused("Missing required field: scope. All messages must belong to a scope.")(message()),
      refused("Missing required field: scope. All actions must belong to a scope.")(propose({}, { keep: {} })),
      {
        send: "PUT /api/v1/flows/f",
        body: { states: ["incoming", "claimed", "done", "failed"], transitions: [] },
        status: 400,
        error: "Missing required field: scope"
      }
    ]
  },
  {
    line: "the poll asks for a scope or for an orchestrator that has one",
    steps: [
      ...["scheduler/poll", "scheduler/poll?orchestrator_id=nobody"].map((path) =>
        get(path, {
          status: 400,
          error: "Missing scope. Provide orchestrator_id (with registered scope) or scope query parameter."
        })
      ),
      register,
      get("scheduler/poll?orchestrator_id=k-{id}", { answer: { scope: "{scope}", orchestrator_registered: true } })
    ]
  },
  {
    line: "a record that is named by its id needs no scope here either, nor does a flow that is named (400 before)",
    steps: [
      flow("{id}", [["incoming", "done"]]),
      get("flows/{id}", { answer: { scope: "{scope}" } }),
      remove("flows/{id}"),
      create(),
      get("tasks/{id}"),
      post("tasks/{id}/force-queue", { queue: "failed", reason: "r" }),
      { send: "DELETE /api/v1/tasks/{id}" }
    ]
  },
  {
    line: "a missing field is reported before a missing scope",
    steps: [
      post("tasks", {}, { status: 400, error: "Missing required fields: id, file_path" }),
      post("messages", {}, { status: 400, error: "Missing required fields: task_id, from_actor, type, content" }),
      post("actions", {}, { status: 400, error: "Missing required fields: entity_type, entity_id, label, proposed_by" })
    ]
  }
], { REQUIRE_SCOPE: "true" })
