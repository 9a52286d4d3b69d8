/** Random requests that change the content of lists, of every kind, and the passing of time. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { task as imported } from "../../import/OldServer.ts"
import type { Chance } from "../Chance.ts"
import type { Answer } from "../server.ts"

type Send = (method: string, path: string, body?: unknown) => Effect.Effect<Answer>

export interface World {
  readonly send: Send
  /** The duties of the cron. */
  readonly tick: Effect.Effect<unknown>
  readonly chance: Chance
}

export const scopes = ["red", "blue"] as const
export const ids = ["a", "b", "c", "d"] as const

const flow = (n: number) => ({
  states: ["incoming", "claimed", "provisional", "done", `extra-${n}`],
  transitions: [{ from: "incoming", to: "claimed" }, { from: "claimed", to: "provisional" }, {
    from: "provisional",
    to: "done"
  }]
})

/** Remembers what was created. */
const kept = <A>(list: Array<A>, of: (answer: Answer) => A | undefined) => (answer: Answer) => {
  const one = answer.status === 201 ? of(answer) : undefined
  if (one !== undefined) list.push(one)
}

/** One command, by its name: a request or two, or time that passes. Many are refused, as they come. */
export const make = ({ chance, send, tick }: World) => {
  const scope = () => chance.pick(scopes)
  const about = (scope: string) => `${scope}-${chance.pick(ids)}`
  const tokens = new Map<string, number>()
  const drafts: Array<number> = []
  const messages: Array<string> = []
  const actions: Array<string> = []
  const machine = (scope: string) => ({ cluster: "k", machine_id: chance.pick([scope, "both"]) })
  const orchestrator = (scope: string) => chance.pick([`k-${scope}`, "k-both"])
  const n = () => chance.between(0, 3)
  const post = (path: string, body: object = {}) => send("POST", `/api/v1/${path}`, body)
  const onTask = (verb: string, body: () => object) => () => {
    const owner = scope()
    return post(`tasks/${about(owner)}/${verb}`, body())
  }
  const by = { rejected_by: "r", requeued_by: "r", failed_by: "r", cancelled_by: "r", accepted_by: "r" }
  const claim = (queue: string) => () => {
    const owner = scope()
    const seconds = chance.pick([1, 60, 600])
    return Effect.tap(
      post("tasks/claim", {
        scope: owner,
        queue,
        orchestrator_id: orchestrator(owner),
        agent_name: "agent",
        lease_duration_seconds: seconds
      }),
      ({ body, status }) => Effect.sync(() => status === 200 && tokens.set(body.id, body.fencing_token))
    )
  }
  const lease = (id: string) => ({ task_id: id, fencing_token: tokens.get(id) ?? 1, lease_duration_seconds: 900 })
  const commands: Record<string, () => Effect.Effect<unknown>> = {
    create: () => {
      const owner = scope()
      const id = about(owner)
      return post("tasks", {
        id,
        scope: owner,
        file_path: `${id}.md`,
        title: `title ${n()}`,
        content: "x".repeat(n()),
        branch: "main",
        queue: chance.pick(["incoming", "incoming", "provisional", "failed", "claimed"]),
        hooks: JSON.stringify([{ name: "h", status: "pending" }]),
        ...(chance.happens(0.3)
          ? { depends_on: [{ task_id: about(owner), on_failure: chance.pick(["fail", "skip", "wait"]) }] }
          : {}),
        ...(chance.happens(0.3) ? { project_id: `${owner}-p` } : {}),
        ...(chance.happens(0.3) ? { max_lease_losses: 1, max_attempts: 1 } : {})
      })
    },
    claim: claim("incoming"),
    review: claim("provisional"),
    submit: onTask("submit", () => ({ commits_count: n(), turns_used: 100 })),
    accept: onTask("accept", () => by),
    reject: onTask("reject", () => ({ ...by, reason: "r" })),
    requeue: onTask("requeue", () => ({ ...by, release: chance.happens(0.3) })),
    fail: onTask("fail", () => ({ ...by, reason: "r" })),
    cancel: onTask("cancel", () => ({ ...by, reason: "r" })),
    redrive: onTask("redrive", () => ({})),
    force: onTask(
      "force-queue",
      () => ({ queue: chance.pick(["incoming", "provisional", "failed", "done"]), reason: "r" })
    ),
    hook: onTask("hooks/h/complete", () => ({ status: chance.pick(["passed", "failed"]) })),
    renew: () => {
      const id = chance.pick([about(scope()), ...tokens.keys()])
      const usage = chance.happens(0.5) ? { usage: { model: "m", input_tokens: 1, cost_usd: 0.01 } } : {}
      return post(`tasks/${id}/renew`, { ...lease(id), ...usage })
    },
    park: () => {
      const id = chance.pick([about(scope()), ...tokens.keys()])
      return Effect.flatMap(Clock.currentTimeMillis, (now) =>
        post(`tasks/${id}/park`, {
          account: `account ${n()}`,
          until: new Date(now + 60_000 * n()).toISOString(),
          fencing_token: tokens.get(id) ?? 1
        }))
    },
    unpark: () => send("DELETE", `/api/v1/parks/account%20${n()}?scope=${scope()}`),
    heartbeat: () => {
      const owner = scope()
      return post(
        `orchestrators/${orchestrator(owner)}/heartbeat?scope=${owner}`,
        chance.happens(0.5) ? { leases: ids.map((id) => lease(`${owner}-${id}`)) } : {}
      )
    },
    patch: () =>
      send(
        "PATCH",
        `/api/v1/tasks/${about(scope())}`,
        chance.pick<object>([
          { title: `title ${n()}` },
          { priority: `P${n()}` },
          { pr_number: n() },
          { queue: "incoming" },
          { needs_intervention: chance.happens(0.5) }
        ])
      ),
    depend: () => {
      const owner = scope()
      return send("PUT", `/api/v1/tasks/${about(owner)}/dependencies/${about(owner)}`, {
        on_failure: chance.pick(["fail", "skip"])
      })
    },
    undepend: () => send("DELETE", `/api/v1/tasks/${about(scope())}/dependencies`),
    remove: () => send("DELETE", `/api/v1/tasks/${about(scope())}`),
    register: () => {
      const owner = scope()
      return post("orchestrators/register", { ...machine(owner), scope: owner })
    },
    maintain: () => {
      const owner = scope()
      const status = chance.pick(["active", "maintenance"])
      return send("PATCH", `/api/v1/orchestrators/${orchestrator(owner)}?scope=${owner}`, { status })
    },
    unregister: () => {
      const owner = scope()
      return send("DELETE", `/api/v1/orchestrators/${orchestrator(owner)}?scope=${owner}`)
    },
    draft: () =>
      Effect.map(post("drafts", { scope: scope(), title: "t", author: "a" }), kept(drafts, ({ body }) => body.id)),
    redraft: () => send("PATCH", `/api/v1/drafts/${chance.pick([1, ...drafts])}`, { status: `s${n()}` }),
    undraft: () => send("DELETE", `/api/v1/drafts/${chance.pick([1, ...drafts])}`),
    send: () => {
      const owner = scope()
      return Effect.map(
        post("messages", { scope: owner, task_id: about(owner), from_actor: "a", type: "t", content: "c" }),
        kept(messages, ({ body }) => body.id)
      )
    },
    settle: () =>
      send("PATCH", `/api/v1/messages/${chance.pick(["m", ...messages])}`, {
        status: chance.pick(["processing", "done"])
      }),
    project: () => {
      const owner = scope()
      return post("projects", { id: `${owner}-p`, scope: owner, title: "p", branch: "b" })
    },
    reproject: () => send("PATCH", `/api/v1/projects/${scope()}-p`, { status: `s${n()}` }),
    unproject: () => send("DELETE", `/api/v1/projects/${scope()}-p`),
    propose: () =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        const owner = scope()
        return Effect.map(
          post("actions", {
            scope: owner,
            entity_type: "task",
            entity_id: about(owner),
            label: "l",
            proposed_by: "p",
            expires_at: new Date(now + 30_000).toISOString()
          }),
          kept(actions, ({ body }) => body.id)
        )
      }),
    execute: () => post(`actions/${chance.pick(["x", ...actions])}/execute`),
    flow: () => send("PUT", `/api/v1/flows/f?scope=${scope()}`, flow(n())),
    unflow: () => send("DELETE", `/api/v1/flows/f?scope=${scope()}`),
    role: () => {
      const owner = scope()
      const roles = [{ name: `role-${n()}`, description: `d${n()}` }]
      return post(`roles/register?scope=${owner}`, { orchestrator_id: orchestrator(owner), roles })
    },
    unrole: () => send("DELETE", `/api/v1/roles/role-${n()}?scope=${scope()}`),
    key: () => post(`scopes/${scope()}/keys`),
    import: () => {
      const owner = scope()
      const of = `${owner}-imported-${n()}`
      return post(`scopes/${owner}/import`, {
        drafts: [{ id: 1000 + n(), title: "t", author: "a", created_at: "2026-03-02 11:00:01" }],
        projects: [{ id: of, title: "p", branch: "b", created_at: "2026-03-02 11:00:01" }],
        tasks: [imported(of, 0, { file_path: `${of}.md`, queue: chance.pick(["incoming", "done"]) })],
        flows: [{ name: `f-${n()}`, ...flow(n()) }]
      })
    },
    cron: () => tick,
    moment: () => TestClock.adjust(chance.between(1, 2000)),
    minutes: () => TestClock.adjust(chance.between(10_000, 150_000))
  }
  return commands
}
