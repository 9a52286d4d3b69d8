/** Every field that holds a time takes what old clients write, and refuses days and times that do not exist. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as server from "../support/server.ts"

const fields: ReadonlyArray<readonly [method: string, path: string, field: string]> = [
  ["PATCH", "tasks/t", "claimed_at"],
  ["PATCH", "tasks/t", "lease_expires_at"],
  ["PATCH", "tasks/t", "last_rebase_attempt_at"],
  ["PATCH", "tasks/t", "submitted_at"],
  ["PATCH", "tasks/t", "completed_at"],
  ["POST", "tasks/t/accept", "completed_at"],
  ["POST", "projects", "completed_at"],
  ["PATCH", "projects/p", "completed_at"],
  ["POST", "actions", "expires_at"],
  ["POST", "scopes/default/keys", "expires_at"],
  ["POST", "orchestrators/k-m/heartbeat", "timestamp"]
]

const wrong = [
  "2026-02-30T00:00:00Z",
  "foo 2026",
  "2026-13-01T00:00:00Z",
  "2026-03-02",
  "2026",
  "24:00:00",
  1_772_445_600_000,
  true
]
const right = [
  "2026-03-02T10:00:00.123456+00:00",
  "2026-03-02 10:00:00",
  "2026-03-02T12:00:00+02:00",
  "2026-03-02T10:00:00.000Z"
]
const project = { id: "new", title: "t", branch: "b" }
const action = { entity_type: "task", entity_id: "t", action_type: "a", label: "l", proposed_by: "x" }

const made = Effect.gen(function*() {
  const { send } = yield* server.make()
  yield* send("POST", "/api/v1/tasks", { id: "t", file_path: "t", branch: "b" })
  yield* send("POST", "/api/v1/projects", { id: "p", title: "p", branch: "b" })
  yield* send("POST", "/api/v1/orchestrators/register", { cluster: "k", machine_id: "m" })
  return send
})

describe("a time in a request", () => {
  it.effect("of the feed is refused by name if it is invalid, and accepted in the formats of old clients", () =>
    Effect.gen(function*() {
      const send = yield* made
      for (const text of right) {
        assert.strictEqual((yield* send("GET", `/api/v1/events?since=${encodeURIComponent(text)}`)).status, 200, text)
      }
      const { body, status } = yield* send("GET", "/api/v1/events?since=yesterday")
      assert.deepStrictEqual([status, body.issues[0].path], [400, ["query", "since"]])
    }))

  it("is a field of exactly these bodies", () =>
    Effect.gen(function*() {
      const send = yield* made
      const { body: spec } = yield* send("GET", "/openapi.json")
      const names = (schema: any): ReadonlyArray<string> =>
        schema === undefined
          ? []
          : schema.$ref !== undefined
          ? names(spec.components.schemas[schema.$ref.split("/").at(-1)])
          : [
            ...Object.keys(schema.properties ?? {}).filter((name) => /_at$|timestamp/.test(name)),
            ...(schema.anyOf ?? schema.oneOf ?? []).flatMap(names)
          ]
      const found = Object.entries<any>(spec.paths).flatMap(([path, operations]) =>
        Object.entries<any>(operations).flatMap(([method, { parameters = [], requestBody }]) =>
          [
            ...names(requestBody?.content["application/json"].schema),
            // The place in a feed is a number.
            ...parameters.map(({ name }: any) => name).filter((name: string) =>
              /_at$|since|until|before|after/.test(name) && `${path} ${name}` !== "/api/v1/events after"
            )
          ].map((name) => `${method.toUpperCase()} ${path} ${name}`)
        )
      )
      assert.sameMembers(
        found.map((text) => text.replace(/\{\w+\}/g, "_")),
        [
          "GET /api/v1/events since",
          "GET /api/v1/overview since",
          ...fields.map(([method, path, field]) =>
            `${method} /api/v1/${path} ${field}`.replace(/\/(t|p|k-m|default)(?=[/ ])/g, "/_")
          )
        ]
      )
    }).pipe(Effect.scoped, Effect.runPromise))

  it.effect.each(fields)(
    "is refused by name if it is invalid: %s %s %s",
    ([method, path, field]) =>
      Effect.gen(function*() {
        const send = yield* made
        for (const time of wrong) {
          const { body, status } = yield* send(method, `/api/v1/${path}`, {
            ...(path === "actions" ? action : path === "projects" ? project : {}),
            [field]: time
          })
          assert.strictEqual(status, 400, `${time} ${JSON.stringify(body)}`)
          assert.deepInclude(body.issues.map((issue: any) => issue.path), ["body", field])
        }
      })
  )

  it.effect.each(fields.filter(([, , field]) => !/lease|expires|claimed/.test(field)))(
    "is accepted in the formats of old clients: %s %s %s",
    ([method, path, field]) =>
      Effect.gen(function*() {
        for (const time of right) {
          const send = yield* made
          if (path.endsWith("accept")) yield* send("PATCH", "/api/v1/tasks/t", { queue: "provisional" })
          const { body, status } = yield* send(method, `/api/v1/${path}`, {
            ...(path === "projects" ? project : {}),
            accepted_by: "x",
            [field]: time
          })
          assert.include([200, 201], status, `${time} ${JSON.stringify(body)}`)
        }
      })
  )

  it.effect("is answered in milliseconds and UTC", () =>
    Effect.gen(function*() {
      const send = yield* made
      for (const submitted_at of right) {
        const { body } = yield* send("PATCH", "/api/v1/tasks/t", { submitted_at })
        assert.match(body.submitted_at, /^2026-03-02T10:00:00\.(123|000)Z$/)
      }
    }))

  it.effect("is a conflict of its record in an import", () =>
    Effect.gen(function*() {
      const send = yield* made
      const record = { queue: "incoming", created_at: "2026-03-02 10:00:00" }
      const { body } = yield* send("POST", "/api/v1/scopes/default/import", {
        tasks: [
          { ...record, id: "a", file_path: "a", updated_at: "2026-02-30T00:00:00Z" },
          { ...record, id: "b", file_path: "b", created_at: "foo 2026" },
          { ...record, id: "c", file_path: "c", updated_at: "2026-03-02T10:00:00.123456+00:00" }
        ]
      })
      assert.deepStrictEqual(body.conflicts.map(({ id }: any) => id), ["a", "b"])
      assert.include(body.conflicts[0].error, "updated_at")
      assert.strictEqual(body.imported.tasks, 1)
    }))
})
