/**
 * Whether a database is as the server left it: `npm run doctor` looks at that of `wrangler dev`, `npm run doctor -- --remote` at
 * the deployed one. It only reads. Exit code 0: all is well; 1: something is not; 2: it could not look.
 */
import { existsSync } from "node:fs"
import { join } from "node:path"
import * as Database from "./doctor/Database.ts"
import * as Doctor from "./doctor/Doctor.ts"
import * as Flags from "./flags.ts"

const flags = Flags.make(
  "npm run doctor -- [--remote] [--persist-to <directory>] [--database octopoid-db] [--env <name>] [--json]"
)
const values = flags.parse({
  remote: { type: "boolean", default: false },
  "persist-to": { type: "string" },
  database: { type: "string", default: "octopoid-db" },
  env: { type: "string" },
  json: { type: "boolean", default: false }
})
const directory = values["persist-to"]
if (values.remote && directory !== undefined) flags.refuse("--persist-to is of a local database, not of a remote one.")

// Wrangler would make an empty one.
const state = directory ?? ".wrangler/state"
if (!values.remote && !existsSync(join(state, "v3", "d1"))) {
  flags.refuse(`There is no local database in ${state}: \`npm start\` makes one.`)
}

const where = [
  values.remote ? "--remote" : "--local",
  ...(directory === undefined ? [] : ["--persist-to", directory]),
  ...(values.env === undefined ? [] : ["--env", values.env])
]

try {
  const report = await Doctor.examine(Database.make(values.database, where))
  console.log(values.json ? JSON.stringify(report, null, 2) : Doctor.render(report))
  process.exitCode = report.healthy ? 0 : 1
} catch (error) {
  console.error(`The database could not be asked: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 2
}
