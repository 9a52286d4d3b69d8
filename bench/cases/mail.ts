/** Messages and actions. */
import { about, type Cases, plain, scope } from "../Case.ts"
import { action, executed, message, newAction, newMessage, task } from "./given.ts"

const messages = (id: string) => `/api/v1/messages/${id}`
const actions = (rest = "") => (id: string) => `/api/v1/actions/${id}${rest}`

export const mail: Cases = {
  "POST /api/v1/messages": [{
    prepare: async (setup) => ({ path: "/api/v1/messages", body: newMessage(await task(setup)) })
  }],
  "GET /api/v1/messages": [
    plain(`/api/v1/messages?scope=${scope}&limit=50`, "50 of all, which counts them"),
    plain(`/api/v1/messages?scope=${scope}&to_actor=nobody`, "those to an actor who has none")
  ],
  "GET /api/v1/tasks/:id/messages": [{
    prepare: async (setup) => {
      const id = await task(setup)
      for (let n = 0; n < 3; n++) await setup.ask("POST", "/api/v1/messages", newMessage(id))
      return { path: `/api/v1/tasks/${id}/messages?scope=${scope}` }
    }
  }],
  "GET /api/v1/messages/:id": [about(message, messages)],
  "PATCH /api/v1/messages/:id": [about(message, messages, { status: "processing", expected_status: "pending" })],

  "POST /api/v1/actions": [{
    prepare: async (setup) => ({ path: "/api/v1/actions", body: newAction(await task(setup)) })
  }],
  "GET /api/v1/actions": [plain(`/api/v1/actions?scope=${scope}&limit=50`, "50 of all, which counts them")],
  "GET /api/v1/actions/:id": [about(action, actions())],
  "PATCH /api/v1/actions/:id": [about(action, actions(), { status: "failed" })],
  "POST /api/v1/actions/:id/execute": [about(action, actions("/execute"))],
  "POST /api/v1/actions/:id/complete": [about(executed, actions("/complete"))],
  "POST /api/v1/actions/:id/fail": [about(executed, actions("/fail"))]
}
