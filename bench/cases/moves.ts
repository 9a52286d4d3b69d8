/** Everything that moves a task, or goes on holding it. */
import { about, type Case, type Cases, scope, type Setup } from "../Case.ts"
import { held, machine, submission, submitted, task } from "./given.ts"

const at = (action: string) => (id: string) => `/api/v1/tasks/${id}/${action}`

/** A case about a held task, whose request has the token of the lease. */
const byHolder = (action: string, body: object, variant?: string): Case => ({
  ...(variant === undefined ? {} : { variant }),
  prepare: async (setup) => {
    const { fencing_token, id } = await held(setup)
    return { path: at(action)(id), body: { fencing_token, ...body } }
  }
})

/** A claim of a machine that has just been heard of. */
const claim = (rest: object, variant?: string, status?: number): Case => ({
  ...(variant === undefined ? {} : { variant }),
  ...(status === undefined ? {} : { status }),
  prepare: async (setup) => {
    const orchestrator_id = await machine(setup)
    await task(setup)
    return { path: "/api/v1/tasks/claim", body: { scope, orchestrator_id, agent_name: "ann", ...rest } }
  }
})

const cancelled = async (setup: Setup) => {
  const id = await task(setup)
  await setup.ask("POST", at("cancel")(id))
  return id
}

export const moves: Cases = {
  "POST /api/v1/tasks/claim": [
    claim({}),
    claim({ max_claimed: 5 }, "with a limit"),
    claim({ queue: "provisional" }, "of a review"),
    claim({ queue: "nothing-here" }, "that finds nothing", 404),
    claim({ role_filter: "nobody" }, "for a role that no task has", 404)
  ],
  "POST /api/v1/tasks/:id/submit": [byHolder("submit", submission)],
  "POST /api/v1/tasks/:id/accept": [
    about(submitted, at("accept"), { accepted_by: "bob" }),
    {
      variant: "that unblocks a task",
      prepare: async (setup) => {
        const id = await submitted(setup)
        await task(setup, { depends_on: [id] })
        return { path: at("accept")(id), body: { accepted_by: "bob" } }
      }
    }
  ],
  "POST /api/v1/tasks/:id/reject": [
    about(submitted, at("reject"), { reason: "A test is missing.", rejected_by: "bob" })
  ],
  "POST /api/v1/tasks/:id/requeue": [byHolder("requeue", { reason: "Out of ideas." })],
  "POST /api/v1/tasks/:id/fail": [byHolder("fail", { reason: "It cannot be done." })],
  "POST /api/v1/tasks/:id/park": [
    byHolder("park", { account: "ann@provider", until: new Date(Date.now() + 86_400_000).toISOString() })
  ],
  "POST /api/v1/tasks/:id/renew": [
    byHolder("renew", {}),
    byHolder("renew", { checkpoint: { notes: "half way" } }, "with a checkpoint")
  ],
  "POST /api/v1/tasks/:id/cancel": [
    about(task, at("cancel")),
    about(async (setup) => (await held(setup)).id, at("cancel"), undefined, "of one that is held")
  ],
  "POST /api/v1/tasks/:id/redrive": [about(cancelled, at("redrive"))],
  "POST /api/v1/tasks/:id/force-queue": [
    about(task, at("force-queue"), { queue: "needs_continuation", reason: "A person says so." })
  ],
  "POST /api/v1/tasks/:id/hooks/:hookName/complete": [
    about(
      (setup) => task(setup, { hooks: [{ name: "tests", point: "before_submit" }] }),
      at("hooks/tests/complete"),
      { status: "passed" }
    )
  ]
}
