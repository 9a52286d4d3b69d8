/** What every client relies on, whoever it is: the base of the API. */
import { assert } from "@effect/vitest"
import { compatible } from "./support/cases.ts"

compatible("every client", [
  {
    line: "health is healthy, version 2.0.0, connected, whatever the Authorization header says",
    steps: [
      { send: "GET /api/health", answer: { status: "healthy", version: "2.0.0", database: "connected" } },
      { send: "GET /api/health", headers: { authorization: "Bearer nonsense" }, answer: { status: "healthy" } }
    ]
  },
  {
    line: "GET / names the server and lists its endpoints",
    steps: [{
      send: "GET /",
      answer: { name: "Octopoid Server", version: "2.0.0" },
      check: (body) => assert.include(body.endpoints, "POST /api/v1/tasks/claim")
    }]
  }
])
