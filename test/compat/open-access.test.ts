/**
 * Keys on a server without a secret: no request needs one, but a key in a request has to be valid, and limits its
 * caller.
 */
import { assert } from "@effect/vitest"
import { compatible, type Step } from "./support/cases.ts"
import { claim, create, get, patch, post, register } from "./support/requests.ts"

const bearer = (rest: object = {}) => ({ headers: { authorization: "Bearer {key}" }, ...rest })
const withKey = { ...register, keep: { key: "api_key" } }
const key = (name: string) => (body: any) => assert.match(body[name], /^oct_[0-9a-f]{64}$/)
const rotate = (rest: object = {}, body?: object) => post("orchestrators/scopes/{scope}/rotate-key", body, rest)
const nowhere = `oct_${"0".repeat(64)}`

compatible("keys on an open server", [
  {
    line: "2.1: without a key every scope is open, one that has a key too",
    steps: [withKey, create(), get("tasks?scope={scope}", { answer: { total: 1 } })]
  },
  {
    line: "2.1: 401 for a header that is no bearer",
    steps: ["Basic abc", "oct_abc", "Bearer"].map((authorization) =>
      get("tasks?scope={scope}", {
        headers: { authorization },
        status: 401,
        error: "Invalid Authorization header. Expected: Bearer <api_key>"
      })
    )
  },
  {
    line: "2.1: 401 for a token that does not start with oct_",
    steps: [get("tasks?scope={scope}", {
      headers: { authorization: "Bearer abc" },
      status: 401,
      error: "Invalid API key format. Keys must start with oct_"
    })]
  },
  {
    line: "2.1: 401 for a key that nobody has, as a stale one is, on writes too",
    steps: [
      get("tasks?scope={scope}", {
        headers: { authorization: `Bearer ${nowhere}` },
        status: 401,
        error: "Invalid API key"
      }),
      { ...create(), headers: { authorization: `Bearer ${nowhere}` }, status: 401, error: "Invalid API key" },
      get("tasks/{id}", { status: 404 })
    ]
  },
  {
    line: "2.1: the scheme is Bearer in any case",
    steps: [
      withKey,
      ...["bearer", "BEARER"].map((scheme) => get("tasks", { headers: { authorization: `${scheme} {key}` } }))
    ]
  },
  {
    line: "2.1: 403 for a key of another scope than the one in the query, or in the body of a POST, PATCH or PUT",
    steps: ([
      withKey,
      create(),
      get("tasks?scope=other"),
      get("tasks/{id}?scope=other"),
      { send: "DELETE /api/v1/tasks/{id}?scope=other" },
      create({ scope: "other" }),
      claim({ scope: "other" }),
      patch("tasks/{id}", { title: "x", scope: "other" }),
      {
        send: "PUT /api/v1/flows/f",
        body: { scope: "other", states: ["incoming", "claimed", "done", "failed"], transitions: [] }
      }
    ] as ReadonlyArray<Step>).map((step, n): Step =>
      n < 2
        ? step
        : {
          ...step,
          ...bearer({ status: 403, error: "Scope mismatch: authenticated as \"{scope}\" but requested \"other\"" })
        }
    )
  },
  {
    line:
      "2.1: a key stands for its scope: no `scope` is needed beside it, and no other scope's task is there by its id",
    steps: [
      withKey,
      create(),
      get("tasks", bearer({ answer: { total: 1 } })),
      create({ id: "{id}-x", file_path: "x", scope: "{scope}-2" }),
      get("tasks/{id}-x", bearer({ status: 404, error: "Task not found" })),
      patch("tasks/{id}-x", { title: "x" }, bearer({ status: 404 })),
      { send: "DELETE /api/v1/tasks/{id}-x", ...bearer({ status: 404 }) },
      get("tasks/{id}-x", { answer: { title: "{id}-x" } })
    ]
  },
  {
    line: "2.2: register answers a key for a scope that has none, once, whether the machine is new or known",
    steps: [
      { ...register, check: key("api_key") },
      { ...register, status: 200, absent: ["api_key"] },
      post("orchestrators/register", { cluster: "k", machine_id: "{id}-2", repo_url: "r", scope: "{scope}" }, {
        status: 201,
        absent: ["api_key"]
      })
    ]
  },
  {
    line: "5.3: rotate-key answers { api_key, scope }, and the new key works",
    steps: [
      withKey,
      rotate(bearer({ answer: { scope: "{scope}" }, keep: { key: "api_key" }, check: key("api_key") })),
      get("tasks", bearer())
    ]
  },
  {
    line: "5.3: the rotated key goes on for a while (it stopped at once before), unless asked not to",
    steps: [
      withKey,
      rotate(bearer()),
      get("tasks", bearer()),
      rotate(bearer(), { overlap_seconds: 0 }),
      get("tasks", bearer({ status: 401, error: "Invalid API key" }))
    ]
  },
  {
    line: "5.3: rotate-key without a key is 401",
    steps: [
      withKey,
      rotate({
        status: 401,
        error: "Authentication required. Provide your current API key in the Authorization header."
      })
    ]
  },
  {
    line: "5.3: rotate-key of another scope is 403",
    steps: [
      withKey,
      post(
        "orchestrators/scopes/other/rotate-key",
        undefined,
        bearer({
          status: 403,
          error: "Scope mismatch: authenticated as \"{scope}\" but rotating key for \"other\""
        })
      )
    ]
  },
  {
    line: "5.1: health and GET / ignore the Authorization header",
    steps: ["/", "/api/health"].map((path): Step => ({
      send: `GET ${path}`,
      headers: { authorization: `Bearer ${nowhere}` }
    }))
  }
])
