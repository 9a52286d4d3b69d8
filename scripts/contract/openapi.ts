/** Holds the OpenAPI document to the rules of Redocly and Spectral, or writes it, or the types of a client. */
import { createConfig, lintFromString } from "@redocly/openapi-core"
import spectral, { type RulesetDefinition } from "@stoplight/spectral-core"
import rulesets from "@stoplight/spectral-rulesets"
import * as OpenApi from "effect/http-api/OpenApi"
import { writeFileSync } from "node:fs"
import { Api } from "../../src/api/Api.ts"
import * as Flags from "../flags.ts"
import { typesOf } from "./types.ts"

const { values: { out, types } } = Flags.read({
  run: "npm run openapi",
  does:
    `Writes the OpenAPI document, or the types of a client, without a server. Without an option it checks the document against the
recommended rules of Redocly and Spectral, and exits with 1 if it breaks one.`,
  takes: "ten seconds",
  options: {
    out: { type: "string", value: "file", says: "writes the document" },
    types: { type: "string", value: "file", says: "writes the types, by openapi-typescript" }
  }
})

const source = JSON.stringify(OpenApi.fromApi(Api), null, 2)

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

const lint = async () => {
  const found = await linter.run(JSON.parse(source))
  return [
    ...await redocly(),
    ...found.map(({ code, message, path }) => `spectral ${code}: #/${path.join("/")}: ${message}`)
  ]
}

if (out !== undefined) writeFileSync(out, `${source}\n`)
if (types !== undefined) writeFileSync(types, await typesOf(source))
if (out === undefined && types === undefined) {
  const problems = await lint()
  for (const problem of problems) console.error(problem)
  console.log(`The OpenAPI document: ${problems.length} problems.`)
  if (problems.length > 0) process.exitCode = 1
}
