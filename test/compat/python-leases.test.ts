/** How the Python client handles leases, although the server now does it itself. */
import { assert } from "@effect/vitest"
import { compatible } from "./support/cases.ts"
import { claim, claimed, create, isoformat, register, sdk, submit, submitted } from "./support/python.ts"

/** `check_and_requeue_expired_leases` of a claimed task it has seen with `n` attempts. */
const expiry = (n: number) => ({
  queue: "incoming",
  claimed_by: null,
  lease_expires_at: null,
  attempt_count: n + 1,
  needs_intervention: false
})

/** The same for a task under review. */
const reviewExpiry = { queue: "provisional", claimed_by: null, lease_expires_at: null }

const renewed = isoformat(4 * 3_600_000)
const short = { lease_duration_seconds: 1 }
const review = { agent_name: "gatekeeper-1", queue: "provisional" }

compatible("the lease loops of housekeeping", [
  {
    line: "4.9: a lease of four hours is granted as asked",
    steps: [
      register,
      create(),
      claim({}, {
        check: ({ claimed_at, lease_expires_at }) =>
          assert.strictEqual(Date.parse(lease_expires_at) - Date.parse(claimed_at), 14_400_000)
      })
    ]
  },
  {
    line:
      "renew_active_leases: PATCH with Python's isoformat, microseconds and +00:00, renews the lease of the same agent",
    steps: [
      register,
      create(),
      claim({ lease_duration_seconds: 300 }),
      sdk.patch("tasks/{id}", { lease_expires_at: renewed.python }, {
        answer: {
          lease_expires_at: renewed.wire,
          queue: "claimed",
          claimed_by: "implementer-1",
          orchestrator_id: "c-{id}",
          fencing_token: 1
        }
      }),
      submit({}, { answer: { queue: "provisional" } })
    ]
  },
  {
    line: "8.5: a laptop that slept renews an expired lease that nobody took, and submits",
    steps: [
      register,
      create(),
      claim(short),
      sdk.patch("tasks/{id}", { lease_expires_at: renewed.python }, {
        after: 1100,
        answer: { queue: "claimed", claimed_by: "implementer-1", lease_expires_at: renewed.wire }
      }),
      submit({}, { answer: { queue: "provisional" } })
    ]
  },
  {
    line: "U2, T1: a submit after the lease was taken back counts as long as nobody else claimed the task",
    steps: [
      register,
      create(),
      claim(short),
      { send: "cron", after: 1100 },
      sdk.get("tasks/{id}", {}, { answer: { queue: "incoming", claimed_by: null } }),
      submit({ commits_count: 2, turns_used: 9 }, { answer: { queue: "provisional", commits_count: 2 } })
    ]
  },
  {
    line: "A1, A7, 8.2#15: the server takes an expired lease back the same day, counts the attempt and clears the flag",
    steps: [
      register,
      create({ needs_intervention: true }),
      claim(short),
      sdk.patch("tasks/{id}", { needs_intervention: true }),
      { send: "cron", after: 1100 },
      sdk.get("tasks/{id}", {}, {
        answer: {
          queue: "incoming",
          claimed_by: null,
          claimed_at: null,
          orchestrator_id: null,
          lease_expires_at: null,
          attempt_count: 1,
          needs_intervention: 0
        }
      }),
      sdk.get("tasks/{id}/history", {}, {
        check: ({ history }) =>
          assert.deepInclude(history.at(-1), { event: "lease_expired", actor: "implementer-1", from_queue: "claimed" })
      })
    ]
  },
  {
    line: "expiry of a lease that has run out: back to incoming, with one attempt more and no claim left",
    steps: [
      register,
      create(),
      claim(short),
      sdk.patch("tasks/{id}", expiry(0), {
        after: 1100,
        answer: { queue: "incoming", claimed_by: null, claimed_at: null, orchestrator_id: null, attempt_count: 1 }
      }),
      claim({ agent_name: "implementer-2" }, { answer: { id: "{id}", attempt_count: 1 } })
    ]
  },
  {
    line: "T2: the client's expiry after the server's own changes nothing: one loss is one attempt",
    steps: [
      register,
      create(),
      claim(short),
      { send: "cron", after: 1100 },
      sdk.get("tasks/{id}", {}, { answer: { attempt_count: 1 }, keep: { updated: "updated_at" } }),
      sdk.patch("tasks/{id}", expiry(0), {
        answer: { queue: "incoming", attempt_count: 1, updated_at: "{updated}" }
      })
    ]
  },
  {
    line: "T2: an expiry from a stale list does not take the task from an agent that has claimed it since",
    steps: [
      register,
      create(),
      claim(short),
      { send: "cron", after: 1100 },
      claim({ agent_name: "implementer-2" }, {
        answer: { id: "{id}" },
        keep: { updated: "updated_at", lease: "lease_expires_at" }
      }),
      sdk.patch("tasks/{id}", expiry(0), {
        answer: {
          queue: "claimed",
          claimed_by: "implementer-2",
          lease_expires_at: "{lease}",
          updated_at: "{updated}",
          attempt_count: 1
        }
      }),
      submit({}, { answer: { queue: "provisional" } })
    ]
  },
  {
    line: "B8: an expiry that crosses with a renewal changes nothing, nor does one that crosses with the result",
    steps: [
      register,
      create(),
      claim(short),
      sdk.patch("tasks/{id}", { lease_expires_at: renewed.python }, { after: 1100 }),
      sdk.patch("tasks/{id}", expiry(0), {
        answer: { queue: "claimed", claimed_by: "implementer-1", lease_expires_at: renewed.wire, attempt_count: 0 }
      }),
      submit(),
      sdk.patch("tasks/{id}", expiry(0), { answer: { queue: "provisional", attempt_count: 0 } })
    ]
  },
  {
    line: "expiry of a review: the same-queue PATCH succeeds and only the reviewer's claim goes",
    steps: [
      ...submitted,
      claim(review, { answer: { queue: "provisional", claimed_by: "gatekeeper-1" } }),
      sdk.patch("tasks/{id}", reviewExpiry, {
        answer: {
          queue: "provisional",
          claimed_by: null,
          lease_expires_at: null,
          claimed_at: null,
          attempt_count: 0,
          commits_count: 0
        }
      }),
      claim({ ...review, agent_name: "gatekeeper-2" }, { answer: { id: "{id}", claimed_by: "gatekeeper-2" } })
    ]
  },
  {
    line: "the same PATCH of a task that nobody reviews succeeds and changes nothing",
    steps: [
      ...submitted,
      sdk.get("tasks/{id}", {}, { keep: { updated: "updated_at" } }),
      sdk.patch("tasks/{id}", reviewExpiry, { answer: { queue: "provisional", updated_at: "{updated}" } })
    ]
  },
  {
    line: "A5, T1: the server drops an expired review where it is, and counts nothing against the task",
    steps: [
      ...submitted,
      claim({ ...review, ...short }),
      { send: "cron", after: 1100 },
      sdk.get("tasks/{id}", {}, {
        answer: { queue: "provisional", claimed_by: null, lease_expires_at: null, attempt_count: 0 }
      })
    ]
  },
  {
    line: "8.5: the sweeps leave `updated_at` alone on a task with nothing to take back",
    steps: [
      ...claimed,
      sdk.get("tasks/{id}", {}, { keep: { updated: "updated_at" } }),
      { send: "cron", after: 20 },
      sdk.get("tasks/{id}", {}, { answer: { queue: "claimed", updated_at: "{updated}" } })
    ]
  },
  {
    line: "system_health._requeue_task and its blameless form: back to incoming, with or without an attempt",
    steps: [
      ...claimed,
      sdk.patch("tasks/{id}", { queue: "incoming", claimed_by: null, lease_expires_at: null, attempt_count: 1 }, {
        answer: { queue: "incoming", claimed_by: null, claimed_at: null, lease_expires_at: null, attempt_count: 1 }
      }),
      claim({}, { answer: { id: "{id}" } }),
      sdk.patch("tasks/{id}", { queue: "incoming", claimed_by: null, lease_expires_at: null }, {
        answer: { queue: "incoming", claimed_by: null, lease_expires_at: null, attempt_count: 1 }
      })
    ]
  }
])
