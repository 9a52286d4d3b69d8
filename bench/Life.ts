/** The life of a task as the load plays it, and as every server in the comparison serves it. */
import type { Call } from "../test/support/Wire.ts"
import { scope } from "./Case.ts"
import { newTask, submission } from "./cases/given.ts"

export const steps = ["create", "claim", "submit", "accept"] as const
export type Step = typeof steps[number]

const post = (path: string, body: object): Call => ({ method: "POST", path, body })

export const create = (id: string, within = scope): Call => post("/api/v1/tasks", newTask(id, { scope: within }))

export const claim = (machine: string, within = scope, agent_name = machine): Call =>
  post("/api/v1/tasks/claim", { scope: within, orchestrator_id: machine, agent_name })

/** What a claim is answered with; a server that fences nothing answers no token. */
export interface Claimed {
  readonly id: string
  readonly fencing_token?: number
}

export const submit = ({ fencing_token, id }: Claimed): Call =>
  post(`/api/v1/tasks/${id}/submit`, { fencing_token, ...submission })

export const accept = (id: string): Call => post(`/api/v1/tasks/${id}/accept`, { accepted_by: "bob" })
