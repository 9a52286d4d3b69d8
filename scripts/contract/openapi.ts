/** The OpenAPI document, and what the rules of Redocly and Spectral find in it. */
import { createConfig, lintFromString } from "@redocly/openapi-core"
import spectral, { type RulesetDefinition } from "@stoplight/spectral-core"
import rulesets from "@stoplight/spectral-rulesets"
import * as OpenApi from "effect/http-api/OpenApi"
import { Api } from "../../src/api/Api.ts"

export const source = JSON.stringify(OpenApi.fromApi(Api), null, 2)

/** The recommended rules of Redocly that do not hold here, with the reason. All that Spectral recommends hold. */
const off = {
  // Such fields take text or any JSON value. The text stands beside the empty alternative so that readers see it.
  "no-illogical-composition-keywords": "off"
} as const

const redocly = async (): Promise<ReadonlyArray<string>> => {
  const config = await createConfig({ extends: ["recommended"], rules: off })
  const problems = await lintFromString({ source, absoluteRef: "openapi.json", config })
  return problems.map(({ location, message, ruleId }) => `redocly ${ruleId}: ${location[0]?.pointer}: ${message}`)
}

const linter = new spectral.Spectral()
linter.setRuleset({ extends: [rulesets.oas as RulesetDefinition] })

/** Each rule that the document breaks, and where. */
export const problems = async (): Promise<ReadonlyArray<string>> => {
  const found = await linter.run(JSON.parse(source))
  return [
    ...await redocly(),
    ...found.map(({ code, message, path }) => `spectral ${code}: #/${path.join("/")}: ${message}`)
  ]
}
