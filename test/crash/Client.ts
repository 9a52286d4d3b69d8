/**
 * A client of a crash run. It creates, claims, renews, submits and judges tasks, half of the time under an idempotency
 * key, until the server is gone. It knows only what the server answered.
 */
import type { Chance } from "../support/Chance.ts"
import type { Wire } from "../support/Wire.ts"
import * as Ledger from "./Ledger.ts"
import { scope } from "./Scope.ts"

/** The rejection that fails a task. */
export const maxRejections = 3

interface Held {
  readonly id: string
  readonly token: number
  readonly agent: string
}

const of = (held: Held, kind: Ledger.Request["kind"], verb: string, body: object, effect?: Ledger.Effect) => ({
  kind,
  method: "POST",
  path: `/api/v1/tasks/${held.id}/${verb}`,
  body: { fencing_token: held.token, ...body },
  effect
})

export interface Client {
  /** Plays until a request is not answered, or until `over`. */
  readonly play: (wire: Wire, over: () => boolean) => Promise<void>
  /** Requests under a key whose answers did not arrive. */
  readonly unanswered: Array<Ledger.Request>
}

interface Options {
  readonly name: string
  readonly chance: Chance
  readonly ledger: Ledger.Ledger
  /** Whether new tasks are created, or only those that there are brought to their end. */
  readonly creates: () => boolean
  readonly violated: (what: string) => void
}

export const make = ({ chance, creates, ledger, name, violated }: Options): Client => {
  const unanswered: Array<Ledger.Request> = []
  const created: Array<string> = []
  let working: Held | undefined
  let reviewing: Held | undefined
  let count = 0
  const unique = () => `${name}-${++count}`

  const create = (): Ledger.Request => {
    const id = unique()
    const depends_on = chance.next() < 0.3 && created.length > 0
      ? [{ task_id: chance.pick(created.slice(-5)), on_failure: chance.pick(["skip", "fail"]) }]
      : []
    return {
      kind: "create",
      method: "POST",
      path: "/api/v1/tasks",
      body: {
        id,
        scope,
        file_path: `${id}.md`,
        branch: "main",
        depends_on,
        priority: `P${chance.between(0, 3)}`,
        max_rejections: maxRejections
      },
      effect: { event: "created", mark: id }
    }
  }

  const claim = (queue: "incoming" | "provisional"): Ledger.Request => {
    const agent_name = unique()
    return {
      kind: "claim",
      method: "POST",
      path: "/api/v1/tasks/claim",
      // Some leases expire while the server is down or their holder is slow.
      body: { scope, queue, agent_name, orchestrator_id: "c-m", lease_duration_seconds: chance.between(1, 5) },
      effect: { event: queue === "incoming" ? "claimed" : "review_claimed", mark: agent_name }
    }
  }

  const work = (held: Held): Ledger.Request => {
    if (chance.next() < 0.4) return of(held, "renew", "renew", {})
    working = undefined
    return chance.next() < 0.15
      ? of(held, "move", "requeue", { requeued_by: held.agent }, { event: "requeued", mark: held.agent })
      : of(held, "move", "submit", { commits_count: 1, turns_used: 1 }, { event: "submitted", mark: held.agent })
  }

  const judge = (held: Held): Ledger.Request => {
    reviewing = undefined
    return chance.next() < 0.3
      ? of(held, "move", "reject", { rejected_by: held.agent, reason: "Not yet." }, {
        event: "rejected",
        mark: held.agent
      })
      : of(held, "move", "accept", { accepted_by: held.agent }, { event: "accepted", mark: held.agent })
  }

  const next = (): Ledger.Request => {
    const dice = chance.next()
    if (creates() && dice < 0.12) return create()
    if (reviewing !== undefined && dice < 0.6) return judge(reviewing)
    if (working !== undefined) return work(working)
    return claim(reviewing === undefined && dice < 0.6 ? "provisional" : "incoming")
  }

  /** Uses what the answer says. */
  const learn = ({ effect, kind }: Ledger.Request, body: any) => {
    if (kind === "create") created.push(body.id)
    if (kind !== "claim") return
    const held = { id: body.id, token: body.fencing_token, agent: effect!.mark }
    if (effect!.event === "claimed") working = held
    else reviewing = held
  }

  return {
    unanswered,
    play: async (wire, over) => {
      while (!over()) {
        const drawn = next()
        const request = { ...drawn, key: chance.next() < 0.5 ? `key-${unique()}` : undefined }
        ledger.requests += 1
        try {
          const answer = await wire.send(request)
          const wrong = Ledger.note(ledger, request, answer)
          if (wrong !== undefined) violated(wrong)
          if (answer.status < 300) learn(request, answer.body)
          if (answer.status === 404) await new Promise((resolve) => setTimeout(resolve, 20))
        } catch {
          if (request.key === undefined) ledger.unknown.push(request)
          else unanswered.push(request)
          return
        }
      }
    }
  }
}
