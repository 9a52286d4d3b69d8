/** Claims, by one agent, by many at once, and by machines that hold enough. */
import { assert } from "@effect/vitest"
import { compatible } from "./support/cases.ts"
import { claim, claimed, create, register, sdk, submit, submitted } from "./support/python.ts"

const numbered = { id: "{id}-{n}", file_path: "{id}-{n}" }
const nothing = { status: 404, answer: { message: "No tasks available" } }
const claims = (count: number) => (bodies: ReadonlyArray<{ readonly id?: string }>) => {
  const ids = bodies.flatMap(({ id }) => id ?? [])
  assert.strictEqual(ids.length, count)
  assert.strictEqual(new Set(ids).size, count)
}

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
    line: "a machine that never registered: with nothing to claim 404 `No tasks available`, with work a 400",
    steps: [
      claim({}, nothing),
      claim({ queue: "provisional" }, nothing),
      create({ role: "review" }),
      claim({ role_filter: "implement" }, nothing),
      claim({ type_filter: ["bug"] }, nothing),
      claim({ role_filter: ["implement", "review"] }, { status: 400, error: "Register it with" }),
      claim({}, { status: 400, error: "there is no orchestrator c-{id}" })
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
        error: "holds 3 of the 3 tasks",
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
    line: "9: roles are there for an unscoped GET, and a scope that has none takes any role",
    steps: [
      register,
      sdk.post("roles/register", {
        orchestrator_id: "c-{id}",
        roles: [{ name: "role-{id}", claims_from: "incoming" }]
      }),
      { send: "GET /api/v1/roles/role-{id}", answer: { name: "role-{id}", claims_from: "incoming" } },
      {
        send: "GET /api/v1/roles",
        check: ({ roles }) => assert.isTrue(roles.some(({ name }: any) => name.startsWith("role-id-")))
      },
      create({ role: "role-{id}", scope: "{scope}-other" })
    ]
  },
  {
    line: "4.9: a claim that asks for no lease, or for 0 seconds, gets five minutes",
    steps: [undefined, 0].flatMap((lease_duration_seconds) => [
      { ...register, status: [200, 201] },
      create({ id: "{id}-{n}", file_path: "{n}" }, { status: [201, 409] }),
      claim({ lease_duration_seconds }, {
        check: ({ claimed_at, lease_expires_at }) =>
          assert.strictEqual(Date.parse(lease_expires_at) - Date.parse(claimed_at), 300_000)
      }),
      sdk.post("tasks/{id}-0/requeue", {})
    ])
  },
  {
    line: "E19: an empty role_filter and an empty type_filter filter nothing",
    steps: [register, create(), claim({ role_filter: [], type_filter: [] }, { answer: { id: "{id}" } })]
  }
])
