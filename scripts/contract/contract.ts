/** Checks what follows from the contract and the commands: the OpenAPI document and the reference of commands in docs/cli.md. Or writes them. */
import { writeFileSync } from "node:fs"
import * as Flags from "../flags.ts"

const { values: { out, types, write } } = Flags.read({
  run: "npm run contract",
  does:
    `Without an option it checks the OpenAPI document against the recommended rules of Redocly and Spectral, and whether docs/cli.md
has the help of the commands as it is now. It exits with 1 if one of them fails. With options it writes what they name, without a server.`,
  takes: "ten seconds",
  options: {
    out: { type: "string", value: "file", says: "writes the OpenAPI document" },
    types: { type: "string", value: "file", says: "writes the types of a client, by openapi-typescript" },
    write: { type: "boolean", default: false, says: "writes the commands into docs/cli.md" }
  }
})

if (out !== undefined || types !== undefined) {
  const { source } = await import("./openapi.ts")
  if (out !== undefined) writeFileSync(out, `${source}\n`)
  if (types !== undefined) writeFileSync(types, await (await import("./types.ts")).typesOf(source))
}
if (write) (await import("./commands.ts")).write()

if (out === undefined && types === undefined && !write) {
  const problems = await (await import("./openapi.ts")).problems()
  for (const problem of problems) console.error(problem)
  console.log(`The OpenAPI document: ${problems.length} problems.`)
  const { isCurrent } = await import("./commands.ts")
  if (!isCurrent) console.error("docs/cli.md is not current. Write it with: npm run contract -- --write")
  if (problems.length > 0 || !isCurrent) process.exitCode = 1
}
