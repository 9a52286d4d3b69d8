/** The OpenAPI document: nothing in it is left undescribed. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as OpenApi from "effect/http-api/OpenApi"
import { Api } from "../../src/api/Api.ts"
import * as server from "../support/server.ts"

const spec = OpenApi.fromApi(Api) as any

const undescribed: Array<string> = []

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
  it("describes every endpoint, parameter, field and error", () => {
    assert.isAtLeast(Object.keys(spec.paths).length, 18)
    assert.deepStrictEqual(undescribed, [])
  })

  const operations = Object.values<any>(spec.paths).flatMap((path) => Object.values<any>(path))
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
    "actions.fail"
  ]

  it("requires a body where the server does", () => {
    const bodies = operations.filter(({ requestBody }) => requestBody !== undefined)
    const optional = bodies.filter(({ requestBody }) => !requestBody.required)
    assert.sameMembers(optional.map(({ operationId }) => operationId), absent)
    for (const { operationId, requestBody } of bodies) {
      const { schema } = requestBody.content["application/json"]
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

  it("says that a body is too large only of what carries one", () => {
    for (const { operationId, requestBody, responses } of operations) {
      assert.strictEqual("413" in responses, requestBody !== undefined, operationId)
    }
  })

  it("says of every POST, and of nothing else, that it may be repeated under a key", () => {
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

  it("lists the claim that is answered without content, and the header that asks for it", () => {
    const claim = spec.paths["/api/v1/tasks/claim"].post
    assert.containsAllKeys(claim.responses, ["200", "204", "404"])
    const prefer = claim.parameters.find(({ name }: any) => name === "Prefer")
    assert.include(prefer, { in: "header", required: false })
  })

  it.effect("is served as it is tested, relative to where it is", () =>
    Effect.gen(function*() {
      const { send } = yield* server.make()
      const { body } = yield* send("GET", "/openapi.json")
      assert.deepStrictEqual(body, JSON.parse(JSON.stringify(spec)))
      assert.deepStrictEqual(body.servers, [{ url: "/" }])
    }))
})
