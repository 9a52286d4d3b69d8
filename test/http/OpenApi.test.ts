/** The OpenAPI document: nothing in it is left undescribed. */
import { assert, describe, it } from "@effect/vitest"
import * as OpenApi from "effect/http-api/OpenApi"
import { Api } from "../../src/api/Api.ts"

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
})
