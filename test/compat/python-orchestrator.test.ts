/** One tick of the orchestrator: register, poll, claim. */
import { assert } from "@effect/vitest"
import { compatible } from "./support/cases.ts"
import { claim, claimed, create, defaultFlow, keyed, register, sdk, submit, submitted } from "./support/python.ts"

const poll = (rest: object = {}) => sdk.get("scheduler/poll", { orchestrator_id: "c-{id}" }, rest)
const numbered = { id: "{id}-{n}", file_path: "{id}-{n}" }
const nothing = { status: 404, answer: { message: "No tasks available" } }
const claims = (count: number) => (bodies: ReadonlyArray<{ readonly id?: string }>) => {
  const ids = bodies.flatMap(({ id }) => id ?? [])
  assert.strictEqual(ids.length, count)
  assert.strictEqual(new Set(ids).size, count)
}

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

compatible("claims", [
  {
    line: "claim_task: the task comes with all the agent needs",
    steps: [
      register,
      create(),
      claim({ role_filter: "implement" }, {
        answer: {
          id: "{id}",
          queue: "claimed",
          claimed_by: "implementer-1",
          orchestrator_id: "c-{id}",
          content: "# Do it\n\nAll of it.",
          attempt_count: 0,
          needs_intervention: 0
        }
      })
    ]
  },
  {
    line: "nothing to do is a 404 with exactly `No tasks available`, whatever the queue",
    steps: [
      register,
      claim({}, nothing),
      claim({ queue: "provisional" }, nothing),
      claim({ queue: "needs_continuation" }, nothing),
      create({ role: "review" }),
      claim({ role_filter: "implement" }, nothing),
      claim({ role_filter: ["implement", "review"], type_filter: [] }, { answer: { id: "{id}" } })
    ]
  },
  {
    line: "most urgent first, then oldest",
    steps: [
      register,
      create({ id: "{id}-a", file_path: "a", priority: "P2" }),
      create({ id: "{id}-b", file_path: "b", priority: "P0" }),
      create({ id: "{id}-c", file_path: "c", priority: "P0" }),
      claim({}, { answer: { id: "{id}-b" } }),
      claim({}, { answer: { id: "{id}-c" } }),
      claim({}, { answer: { id: "{id}-a" } })
    ]
  },
  {
    line: "8.1#1, 8.2#1: the fourth claim of a machine with max_claimed 3 is 429, and a submit makes room",
    steps: [
      register,
      create(numbered, { times: 4 }),
      claim({}, { times: 3, checkAll: claims(3) }),
      claim({}, {
        status: 429,
        error: "holds 3 tasks",
        check: (_, headers) => assert.isNotNull(headers.get("retry-after"))
      }),
      sdk.post("tasks/{id}-0/submit", { commits_count: 0, turns_used: 0 }),
      claim({}, { answer: { id: "{id}-3" } })
    ]
  },
  {
    line: "T4: max_claimed does not hold back reviews, and reviews do not use it up",
    steps: [
      ...submitted,
      create(numbered, { times: 4 }),
      claim({}, { times: 3 }),
      claim({ agent_name: "gatekeeper-1", queue: "provisional" }, { answer: { id: "{id}", queue: "provisional" } }),
      claim({}, { status: 429 }),
      sdk.post("tasks/{id}-0/submit", { commits_count: 0, turns_used: 0 }),
      claim({}, { answer: { id: "{id}-3" } })
    ]
  },
  {
    line: "U10: what the same machine holds for another project does not use up this one's max_claimed",
    steps: [
      register,
      create({ ...numbered, scope: "{scope}-other" }, { times: 3 }),
      claim({ scope: "{scope}-other" }, { times: 3 }),
      create(),
      claim({}, { answer: { id: "{id}", scope: "{scope}" } })
    ]
  },
  {
    line: "9: a machine registered for one scope claims in another",
    steps: [
      register,
      create({ scope: "{scope}-other" }),
      claim({ scope: "{scope}-other" }, { answer: { id: "{id}", scope: "{scope}-other" } })
    ]
  },
  {
    line: "B1: twenty claimers at once get twenty tasks, and never a 409",
    steps: [
      register,
      create(numbered, { times: 20 }),
      claim({ agent_name: "agent-{n}", max_claimed: 30 }, { times: 20, together: true, checkAll: claims(20) })
    ]
  },
  {
    line: "9: more claimers than tasks: the others are told that there are none",
    steps: [
      register,
      create(numbered, { times: 5 }),
      claim({ agent_name: "agent-{n}", max_claimed: 30 }, {
        times: 15,
        together: true,
        status: [200, 404],
        checkAll: claims(5)
      })
    ]
  },
  {
    line: "A5: a claim from provisional stays there, and the task is not handed out twice while it lasts",
    steps: [
      ...submitted,
      claim({ agent_name: "gatekeeper-{n}", queue: "provisional" }, {
        times: 5,
        together: true,
        status: [200, 404],
        checkAll: (bodies) => {
          claims(1)(bodies)
          assert.strictEqual(bodies.find(({ id }) => id).queue, "provisional")
        }
      }),
      sdk.get("tasks", { queue: "provisional" }, { answer: { total: 1, "tasks.0.id": "{id}" } })
    ]
  },
  {
    line: "A6: running and finished work is not handed out",
    steps: [
      ...claimed,
      ...["claimed", "done", "failed"].map((queue) => claim({ queue }, { status: 400, error: queue })),
      submit({}, { answer: { queue: "provisional" } })
    ]
  },
  {
    line: "a claim from a queue of a flow's own moves the task to claimed",
    steps: [
      register,
      create({ queue: "testing" }),
      claim({ queue: "testing", agent_name: "tester-1" }, { answer: { id: "{id}", queue: "claimed" } })
    ]
  },
  {
    line: "9: a role's claims_from says where its agents claim from, in whatever scope the machine claims",
    steps: [
      register,
      sdk.post("roles/register", {
        orchestrator_id: "c-{id}",
        roles: [{ name: "gatekeeper", claims_from: "provisional" }, { name: "implement" }]
      }, { answer: { "roles.length": 2 } }),
      create({ scope: "{scope}-other", role: "gatekeeper", queue: "provisional" }),
      claim({ scope: "{scope}-other", role_filter: ["gatekeeper"] }, { answer: { id: "{id}", queue: "provisional" } })
    ]
  },
  {
    line: "E19: an empty role_filter and an empty type_filter filter nothing",
    steps: [register, create(), claim({ role_filter: [], type_filter: [] }, { answer: { id: "{id}" } })]
  }
])
