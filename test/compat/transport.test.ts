/** What every client relies on: methods, paths, CORS and the form of errors. */
import { assert } from "@effect/vitest"
import { compatible, type Step } from "./support/cases.ts"
import { accept, claim, create, get, patch, post, register, reject, remove, submit } from "./support/requests.ts"

const reads = [
  "/",
  "/api/health",
  "/api/v1/tasks?scope={scope}",
  "/api/v1/tasks/{id}",
  "/api/v1/scheduler/poll?scope=x"
]
const Secret = "a secret of the server"
const page = { origin: "https://page.example", authorization: `Bearer ${Secret}` }
/** A page under development is served by the same machine. */
const Page = "http://localhost:5173"
const unknown = (step: Step, error: string, rest: object = {}): Step => ({ ...step, status: 404, error, ...rest })

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
  },
  {
    line: "1.1: a preflight on any path is 204 and allows every method and the headers it asks for",
    steps: [...reads, "/api/v1/nowhere", "/api/v1/tasks/"].map((path): Step => ({
      send: `OPTIONS ${path}`,
      headers: {
        origin: Page,
        "access-control-request-method": "PATCH",
        "access-control-request-headers": "authorization,content-type"
      },
      status: 204,
      answerHeaders: { "access-control-allow-origin": Page },
      check: (_, headers) => {
        for (const method of ["GET", "HEAD", "PUT", "POST", "DELETE", "PATCH"]) {
          assert.include(headers.get("access-control-allow-methods"), method)
        }
        for (const header of ["authorization", "content-type"]) {
          assert.include(headers.get("access-control-allow-headers")?.toLowerCase(), header)
        }
        assert.isNull(headers.get("access-control-allow-credentials"))
      }
    }))
  },
  {
    line: "1.1: every answer may be read by a page that this machine serves, refusals and unknown paths too",
    steps: [
      create(),
      ...reads.map((path): Step => ({ send: `GET ${path}` })),
      get("nowhere", { status: 404 }),
      get("tasks/", { status: 404 }),
      get("tasks/none", { status: 404 }),
      post("tasks", "{", { status: 400 }),
      get("tasks?limit=x", { status: 400 }),
      get("tasks", { headers: { authorization: "Bearer nonsense" }, status: 401 })
    ].map((step) => ({
      ...step,
      headers: { ...step.headers, origin: Page },
      answerHeaders: { "access-control-allow-origin": Page }
    }))
  },
  {
    line: "1.1: a page of any other origin is refused while the server is open (the old server answered it)",
    steps: [
      ...(["GET /api/v1/tasks", "POST /api/v1/tasks", "OPTIONS /api/v1/tasks", "GET /api/health"] as const).map((
        send
      ): Step => ({
        send,
        headers: { origin: "https://page.example" },
        ...(send.startsWith("POST") ? { body: { id: "{id}", file_path: "{id}", branch: "b" } } : {}),
        status: 403,
        error: "add the page's origin to CORS_ORIGINS"
      })),
      get("tasks/{id}", { status: 404 })
    ]
  },
  {
    line: "1.1: HEAD works wherever GET does, with the same status and no body",
    steps: [
      create(),
      ...reads.map((path): Step => ({
        send: `HEAD ${path}`,
        answerHeaders: { "content-type": "application/json" },
        check: (body) => assert.isUndefined(body)
      })),
      { send: "HEAD /api/v1/tasks/none", status: 404 },
      { send: "HEAD /api/v1/nowhere", status: 404 }
    ]
  },
  {
    line: "1.1: a slash at the end makes another path, which is unknown",
    steps: [
      get("tasks/?scope={scope}", { status: 404, error: "Not Found" }),
      post("tasks/", { id: "{id}", file_path: "x", scope: "{scope}", branch: "b" }, { status: 404 }),
      get("tasks/{id}", { status: 404, error: "Task not found" }),
      { send: "GET /api/health/", status: 404 }
    ]
  },
  {
    line: "1.1: ids in paths are decoded, so a slash in one is sent as %2F",
    steps: [
      create({ id: "{id}/a b?c" }),
      get("tasks/{id}%2Fa%20b%3Fc", { answer: { id: "{id}/a b?c" } }),
      patch("tasks/{id}%2Fa%20b%3Fc", { title: "new" }, { answer: { title: "new" } }),
      get("tasks/{id}/a%20b%3Fc", { status: 404, error: "Not Found" }),
      remove("tasks/{id}%2Fa%20b%3Fc", { answer: { task_id: "{id}/a b?c" } })
    ]
  },
  {
    line: "1.1: the content type of a request is not looked at, and every answer is JSON",
    steps: ["application/json; charset=utf-8", "text/plain", "application/x-www-form-urlencoded", undefined].map((
      type,
      n
    ) =>
      create({ id: `{id}-${n}`, file_path: `${n}` }, {
        headers: type === undefined ? {} : { "content-type": type },
        answerHeaders: { "content-type": "application/json" }
      })
    )
  },
  {
    line:
      "1.1: a method that a path does not have is refused (405 where the old server said 404), with text in `error`",
    steps: [
      { send: "PUT /api/v1/tasks", body: {}, status: 405, error: "not allowed" },
      { send: "DELETE /api/health", status: 405, answerHeaders: { allow: "GET, HEAD" }, error: "Allowed: GET, HEAD" }
    ]
  },
  {
    line: "1.2: an unknown path is { error: \"Not Found\", message, timestamp }",
    steps: [get("nowhere", {
      status: 404,
      answer: { error: "Not Found" },
      check: ({ message, timestamp }) => {
        assert.match(message, /^Endpoint .*\/api\/v1\/nowhere not found/)
        assert.match(timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
      }
    })]
  },
  {
    line: "1.2: an unknown task is { error, task_id } wherever it is named by its id",
    steps: [
      get("tasks/{id}"),
      patch("tasks/{id}", { title: "x" }),
      remove("tasks/{id}"),
      submit(),
      accept(),
      reject("bad"),
      post("tasks/{id}/requeue"),
      post("tasks/{id}/force-queue", { queue: "failed", reason: "x" }),
      post("tasks/{id}/hooks/h/complete", { status: "passed" })
    ].map((step) => unknown(step, "Task not found", { answer: { task_id: "{id}" } }))
  },
  {
    line: "1.2: an unknown record of any other kind is { error } with the words that clients know",
    steps: [
      unknown(get("projects/{id}"), "Project {id} not found"),
      unknown(get("projects/{id}/tasks"), "Project {id} not found"),
      unknown(get("drafts/999999"), "Draft 999999 not found"),
      unknown(get("flows/{id}?scope={scope}"), "Flow not found"),
      unknown(get("roles/{id}"), "Role not found"),
      unknown(get("orchestrators/{id}"), "Orchestrator not found"),
      unknown(post("orchestrators/{id}/heartbeat"), "Orchestrator not found"),
      unknown(post("actions/{id}/execute"), "Action not found")
    ]
  },
  {
    line: "1.2: a move that its queue does not allow is { error, task_id, details: [text] }",
    steps: [
      create(),
      ...[submit(), accept(), reject("bad"), post("tasks/{id}/requeue")].map((step): Step => ({
        ...step,
        status: 409,
        answer: { task_id: "{id}" },
        error: "Failed to",
        check: ({ details }) => assert.match(details[0], /^Invalid transition: task is in incoming, expected /)
      }))
    ]
  },
  {
    line: "1.2: deleting a project that has tasks is { error, hint }",
    steps: [
      post("projects", { id: "{id}-p", title: "t", branch: "b", scope: "{scope}" }, { status: 201 }),
      create({ project_id: "{id}-p" }),
      remove("projects/{id}-p", {
        status: 409,
        answer: { hint: "Delete or unlink tasks first" },
        error: "Cannot delete project {id}-p: has 1 tasks"
      })
    ]
  },
  {
    line: "1.2: a claim that finds nothing is a 404 with the message that clients look for",
    steps: [register, claim({}, { status: 404, answer: { message: "No tasks available" } })]
  }
])

compatible("a page of any origin, with the secret", [
  {
    line: "1.1: may preflight, read and write, as CORS_ORIGINS is * unless set",
    steps: ([
      {
        send: "OPTIONS /api/v1/tasks",
        headers: { origin: "https://page.example", "access-control-request-method": "POST" },
        status: 204
      },
      { ...create(), headers: page, status: 201 },
      { send: "GET /api/v1/tasks/{id}", headers: page }
    ] satisfies ReadonlyArray<Step>).map((step): Step => ({
      ...step,
      answerHeaders: { "access-control-allow-origin": "*" }
    }))
  }
], { API_SECRET_KEY: Secret })
