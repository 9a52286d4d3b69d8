/** The OpenAPI document: nothing in it is left undescribed. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as OpenApi from "effect/http-api/OpenApi"
import { Api } from "../../src/api/Api.ts"
import * as server from "../support/server.ts"

const spec = OpenApi.fromApi(Api) as any

const undescribed: Array<string> = []

const rankOf = (path: string, method: string) => spec.paths[path][method]["x-rank"]

const visit = (schema: any, path: string): void => {
  if (typeof schema !== "object" || schema === null) return
  for (const [name, field] of Object.entries<any>(schema.properties ?? {})) {
    const described = [field, ...(field.anyOf ?? [])].some((part) =>
      part.description !== undefined || part.$ref !== undefined
    )
    if (name !== "_tag" && !described) undescribed.push(`${path}.${name}`)
    visit(field, `${path}.${name}`)
  }
  for (const part of [...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])]) visit(part, path)
  visit(schema.items, `${path}[]`)
}

for (const [name, schema] of Object.entries(spec.components.schemas)) visit(schema, name)
for (const [path, operations] of Object.entries<any>(spec.paths)) {
  for (const [method, operation] of Object.entries<any>(operations)) {
    const where = `${method} ${path}`
    if (!operation.summary || !operation.description) undescribed.push(where)
    for (const parameter of operation.parameters) {
      if (!(parameter.description ?? parameter.schema?.description)) undescribed.push(`${where} ?${parameter.name}`)
    }
    visit(operation.requestBody?.content?.["application/json"]?.schema, `${where} body`)
    for (const [status, response] of Object.entries<any>(operation.responses)) {
      if (!response.description) undescribed.push(`${where} ${status}`)
      visit(response.content?.["application/json"]?.schema, `${where} ${status}`)
    }
  }
}

describe("the OpenAPI document", () => {
  const operations = Object.values<any>(spec.paths).flatMap((path) => Object.values<any>(path))

  it("describes every endpoint, parameter, field and error", () => {
    assert.isAtLeast(Object.keys(spec.paths).length, 18)
    assert.deepStrictEqual(undescribed, [])
  })

  it("has a license and a contact, and describes every tag", () => {
    assert.deepStrictEqual(spec.info.license, { name: "MIT", identifier: "MIT" })
    assert.isString(spec.info.contact.name)
    const tags = new Set(operations.flatMap((operation) => operation.tags))
    assert.sameMembers(spec.tags.filter(({ description }: any) => description).map(({ name }: any) => name), [...tags])
  })

  it("names the rank of the keys that may call each operation, and none where no key is asked for", () => {
    assert.strictEqual(rankOf("/api/v1/tasks", "post"), "manage")
    assert.strictEqual(rankOf("/api/v1/tasks", "get"), "read")
    assert.strictEqual(rankOf("/api/v1/tasks/claim", "post"), "work")
    assert.strictEqual(rankOf("/api/v1/tasks/{id}/fence", "get"), "fence")
    for (const { operationId, security, "x-rank": rank } of operations) {
      assert.strictEqual(["fence", "read", "work", "manage"].includes(rank), security.length > 0, operationId)
    }
  })

  it("names every request body and every error", () => {
    const unnamed = operations.flatMap(({ operationId, requestBody, responses }) => {
      const errors = Object.entries<any>(responses).filter(([status]) => Number(status) >= 400)
      const schemas = [requestBody, ...errors.map(([, response]) => response)].flatMap((part) =>
        part?.content === undefined ? [] : [part.content["application/json"].schema]
      )
      return schemas.flatMap((schema) => schema.anyOf ?? [schema]).some(({ $ref }) => $ref === undefined)
        ? [operationId]
        : []
    })
    assert.deepStrictEqual(unnamed, [])
  })

  it("says what the items of every list are", () => {
    const without: Array<string> = []
    const search = (part: any, path: string): void => {
      if (typeof part !== "object" || part === null) return
      if (part.type === "array" && part.items === undefined) without.push(path)
      for (const [key, value] of Object.entries(part)) search(value, `${path}/${key}`)
    }
    search(spec, "#")
    assert.deepStrictEqual(without, [])
  })

  const typed = Object.entries<any>(spec.paths).flatMap(([path, methods]) =>
    Object.entries<any>(methods).flatMap(([method, { parameters }]) =>
      parameters.filter(({ in: place }: any) => place === "query").map(({ name, schema }: any) => ({
        method: method.toUpperCase(),
        path: path.replaceAll(/\{\w+\}/g, "1"),
        name,
        schema
      }))
    )
  )

  /** Whether the server refuses this value of a parameter, whether or not the rest of the request is valid. */
  const refuses = (
    send: Effect.Success<ReturnType<typeof server.make>>["send"],
    { method, name, path }: typeof typed[number],
    value: unknown
  ) =>
    Effect.map(
      send(method, `${path}?${name}=${value}`),
      ({ body, status }) =>
        status === 400 &&
        body?.issues?.some((issue: any) => issue.path[0] === "query" && issue.path[1] === name) === true
    )

  it.effect("gives each number in a query its type and the bounds that the server has", () =>
    Effect.gen(function*() {
      const { send } = yield* server.make()
      const integers = typed.filter(({ schema }) => schema.type === "integer")
      const names = new Set(integers.map(({ name }) => name))
      for (const name of ["limit", "offset", "depth", "pr_number", "max_claimed", "version", "fencing_token"]) {
        assert.include(names, name)
      }
      for (const parameter of integers) {
        const { maximum, minimum } = parameter.schema
        for (const value of [minimum, maximum]) {
          assert.isFalse(yield* refuses(send, parameter, value), `${parameter.path}?${parameter.name}=${value}`)
        }
        for (const value of [minimum - 1, maximum + 1, 1.5, "1e0", "x", true]) {
          assert.isTrue(yield* refuses(send, parameter, value), `${parameter.path}?${parameter.name}=${value}`)
        }
      }
    }))

  it.effect("calls each flag in a query a boolean, while the server takes every spelling that clients write", () =>
    Effect.gen(function*() {
      const { send } = yield* server.make()
      const booleans = typed.filter(({ schema }) => schema.type === "boolean")
      const names = new Set(booleans.map(({ name }) => name))
      const flags = [
        "needs_intervention",
        "has_plan",
        "auto_accept",
        "needs_rebase",
        "unreplied",
        "content",
        "any_role"
      ]
      assert.sameMembers([...names], flags)
      for (const parameter of booleans) {
        for (const value of ["true", "True", "TRUE", "1", "false", "False", "FALSE", "0"]) {
          assert.isFalse(yield* refuses(send, parameter, value), `${parameter.path}?${parameter.name}=${value}`)
        }
        for (const value of ["yes", "2", "null"]) {
          assert.isTrue(yield* refuses(send, parameter, value), `${parameter.path}?${parameter.name}=${value}`)
        }
      }
    }))

  const absent = [
    "tasks.requeue",
    "tasks.cancel",
    "tasks.redrive",
    "tasks.putDependency",
    "orchestrators.heartbeat",
    "orchestrators.rotateKey",
    "keys.issue",
    "actions.execute",
    "actions.complete",
    "actions.fail",
    "webhooks.test"
  ]

  it("requires a body where the server does", () => {
    const bodies = operations.filter(({ requestBody }) => requestBody !== undefined)
    const optional = bodies.filter(({ requestBody }) => !requestBody.required)
    assert.sameMembers(optional.map(({ operationId }) => operationId), absent)
    for (const { operationId, requestBody } of bodies) {
      const schema = spec.components.schemas[requestBody.content["application/json"].schema.$ref.split("/").pop()]
      assert.isFalse([schema, ...schema.anyOf ?? []].some(({ type }: any) => type === "null"), operationId)
    }
    const issue = bodies.find(({ operationId }) => operationId === "keys.issue")
    assert.deepStrictEqual(issue.requestBody.content["application/json"].schema, {
      $ref: "#/components/schemas/NewKey"
    })
  })

  it.effect("calls a body optional exactly where the server answers without one", () =>
    Effect.gen(function*() {
      const { send } = yield* server.make()
      for (const [path, methods] of Object.entries<any>(spec.paths)) {
        for (const [method, { operationId, requestBody }] of Object.entries<any>(methods)) {
          if (requestBody === undefined) continue
          const { body, status } = yield* send(method.toUpperCase(), path.replaceAll(/\{\w+\}/g, "1"))
          const refused = status === 400 && body.issues?.some((issue: any) => issue.path[0] === "body") === true
          assert.strictEqual(refused, requestBody.required, operationId)
        }
      }
    }))

  it("lists the answer to a large body only for endpoints with a body", () => {
    for (const { operationId, requestBody, responses } of operations) {
      assert.strictEqual("413" in responses, requestBody !== undefined, operationId)
    }
  })

  it("says of exactly the POSTs that they may be repeated under a key", () => {
    for (const [path, methods] of Object.entries<any>(spec.paths)) {
      for (const [method, { parameters, responses }] of Object.entries<any>(methods)) {
        const keys = parameters.filter(({ in: place, name }: any) => place === "header" && name === "Idempotency-Key")
        assert.lengthOf(keys, method === "post" ? 1 : 0, `${method} ${path}`)
        assert.strictEqual("422" in responses, method === "post", `${method} ${path}`)
        const replayed = Object.entries<any>(responses).filter(([, { headers }]) => headers?.["idempotent-replayed"])
        assert.strictEqual(replayed.length > 0, method === "post", `${method} ${path}`)
      }
    }
  })

  it("lists the claim's answer without content, and the header that asks for it", () => {
    const claim = spec.paths["/api/v1/tasks/claim"].post
    assert.containsAllKeys(claim.responses, ["200", "204", "404"])
    const prefer = claim.parameters.find(({ name }: any) => name === "Prefer")
    assert.include(prefer, { in: "header", required: false })
  })

  it.effect("is served as it is tested, with relative addresses", () =>
    Effect.gen(function*() {
      const { send } = yield* server.make()
      const { body } = yield* send("GET", "/openapi.json")
      assert.deepStrictEqual(body, JSON.parse(JSON.stringify(spec)))
      assert.deepStrictEqual(body.servers, [{ url: "/" }])
    }))
})
