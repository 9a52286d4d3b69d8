/** What the Python orchestrator does before it claims: register, keep the key, poll. */
import { assert } from "@effect/vitest"
import { compatible } from "./support/cases.ts"
import { claim, create, defaultFlow, keyed, register, type Rest, sdk, submit, submitted } from "./support/python.ts"

const poll = (rest: Rest = {}) => sdk.get("scheduler/poll", { orchestrator_id: "c-{id}" }, rest)

compatible("registration and poll", [
  {
    line: "8.2#18: _register_orchestrator without repo_url registers, and the next poll says so",
    steps: [
      poll({ answer: { orchestrator_registered: false, scope: "{scope}" } }),
      register,
      poll({ answer: { orchestrator_registered: true } }),
      { ...register, status: 200 }
    ]
  },
  {
    line: "8.1#8: the id that is sent is the id, also when cluster is `default` and the id a bare host name",
    steps: [
      sdk.post("orchestrators/register", {
        id: "host{id}",
        cluster: "default",
        machine_id: "host{id}",
        version: "2.0.0",
        max_agents: 4
      }, { status: 201, answer: { orchestrator_id: "host{id}" } }),
      sdk.get("scheduler/poll", { orchestrator_id: "host{id}" }, { answer: { orchestrator_registered: true } }),
      create(),
      claim({ orchestrator_id: "host{id}" }, { answer: { id: "{id}", orchestrator_id: "host{id}" } })
    ]
  },
  {
    line: "registration without an id is `<cluster>-<machine_id>`",
    steps: [
      sdk.post("orchestrators/register", {
        cluster: "prod",
        machine_id: "{id}",
        repo_url: "git@example.com:r.git",
        hostname: "h",
        capabilities: ["python"],
        max_claimed: 2
      }, { status: 201, answer: { orchestrator_id: "prod-{id}" } })
    ]
  },
  {
    line: "C14: registering again answers when it registered first",
    steps: [
      { ...register, keep: { first: "registered_at" } },
      { ...register, after: 20, status: 200, answer: { registered_at: "{first}" } }
    ]
  },
  {
    line: "the heartbeat has no body, no content type and no scope; an unknown machine is 404",
    steps: [
      register,
      sdk.post("orchestrators/c-{id}/heartbeat", undefined, {
        answer: { success: true },
        check: ({ last_heartbeat }) => assert.isString(last_heartbeat)
      }),
      sdk.post("orchestrators/no-{id}/heartbeat", undefined, { status: 404, error: "Orchestrator not found" })
    ]
  },
  {
    line: "8.2#10: poll counts every queue that holds tasks, and always the three it ever had",
    steps: [
      poll({ answer: { queue_counts: { incoming: 0, claimed: 0, provisional: 0 }, provisional_tasks: [], flows: {} } }),
      ...["incoming", "needs_continuation", "requires-intervention", "breakdown", "testing"].map((queue) =>
        create({ id: "{id}-q", file_path: "q", queue }, { keep: {} })
      ).map((step, n) => ({
        ...step,
        body: { ...step.body as object, id: `{id}-q${n}`, file_path: `{id}-q${n}` }
      })),
      poll({
        answer: {
          queue_counts: {
            "incoming": 1,
            "claimed": 0,
            "provisional": 0,
            "needs_continuation": 1,
            "requires-intervention": 1,
            "breakdown": 1,
            "testing": 1
          }
        }
      })
    ]
  },
  {
    line: "poll lists what waits for review, and the flows of this scope only (D4)",
    steps: [
      defaultFlow,
      ...submitted,
      { ...defaultFlow, send: "PUT /api/v1/flows/elsewhere", body: { ...defaultFlow.body as object, scope: "x{id}" } },
      poll({
        answer: {
          "queue_counts.provisional": 1,
          "provisional_tasks": [{ id: "{id}", hooks: null, pr_number: null, claimed_by: null }]
        },
        check: ({ flows }) => {
          assert.deepStrictEqual(Object.keys(flows), ["default"])
          assert.include(flows.default.states, "requires-intervention")
        }
      })
    ]
  },
  {
    line: "poll by orchestrator_id alone takes the scope of the machine",
    steps: [
      register,
      {
        send: "GET /api/v1/scheduler/poll?orchestrator_id=c-{id}",
        answer: { scope: "{scope}", orchestrator_registered: true }
      }
    ]
  }
])

compatible("the API key of a scope", [
  {
    line: "2.2: the first registration of a scope answers its key, once; all goes on with the key, scope or no scope",
    steps: [
      { ...register, check: ({ api_key }) => assert.match(api_key, /^oct_[0-9a-f]{64}$/), keep: { key: "api_key" } },
      { ...register, status: 200, check: (body) => assert.notProperty(body, "api_key") },
      keyed(poll({ answer: { orchestrator_registered: true, scope: "{scope}" } })),
      keyed(sdk.post("orchestrators/c-{id}/heartbeat", undefined, { answer: { success: true } })),
      keyed(create()),
      keyed(claim({}, { answer: { id: "{id}" } })),
      keyed(submit({}, { answer: { queue: "provisional" } })),
      keyed(sdk.get("tasks", { queue: "provisional" }, { answer: { total: 1 } })),
      keyed(sdk.delete("tasks/{id}")),
      keyed(sdk.get("tasks/{id}", {}, { status: 404 }))
    ]
  },
  {
    line: "2.1: a key and another scope are a mismatch, 403; a key that is none is 401",
    steps: [
      { ...register, keep: { key: "api_key" } },
      keyed(sdk.get("tasks", { scope: "{scope}-other" }, { status: 403, error: "mismatch" })),
      keyed(create({ scope: "{scope}-other" }, { status: 403, error: "mismatch" })),
      ...["Bearer oct_stale", "Bearer stale", "Basic stale"].map((authorization, n) => ({
        ...sdk.get("tasks", {}, {
          status: 401,
          error: ["Invalid API key", "oct_", "Expected: Bearer"][n] ?? ""
        }),
        headers: { authorization }
      }))
    ]
  },
  {
    line: "T5: clients that carry no key keep working on an open server, also in a scope that has one",
    steps: [register, create(), claim({}, { answer: { id: "{id}" } }), submit()]
  }
])
