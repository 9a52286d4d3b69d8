/**
 * Whether a database is as the server left it: `npm run doctor` looks at that of `wrangler dev`, `npm run doctor -- --remote` at
 * the deployed one. It only reads. Exit code 0: all is well; 1: something is not; 2: it could not look.
 */
import * as Database from "./doctor/Database.ts"
import * as Doctor from "./doctor/Doctor.ts"
import { flags, usage, where } from "./doctor/where.ts"
import * as Flags from "./flags.ts"

const { parse, refuse } = Flags.make(`npm run doctor -- ${usage} [--json]`)
const values = parse({ ...flags, json: { type: "boolean", default: false } })
const ask = Database.make(values.database, where(values, refuse))

try {
  const report = await Doctor.examine(ask)
  console.log(values.json ? JSON.stringify(report, null, 2) : Doctor.render(report))
  process.exitCode = report.healthy ? 0 : 1
} catch (error) {
  console.error(`The database could not be asked: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 2
}
