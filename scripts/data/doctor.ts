/**
 * Whether a database is as the server left it: `npm run doctor` looks at that of `wrangler dev`, `npm run doctor -- --remote` at
 * the deployed one. It only reads. Exit code 0: all is well; 1: something is not; 2: it could not look.
 */
import * as Flags from "../flags.ts"
import * as Database from "./doctor/Database.ts"
import * as Doctor from "./doctor/Doctor.ts"
import { options, where } from "./doctor/where.ts"

const { refuse, values } = Flags.read({
  run: "npm run doctor",
  does: `Checks that the records of a database agree with each other and that its schema is current. It only reads.
Exits with 0 if all is well, with 1 if something is wrong, and with 2 if it could not look.`,
  takes: "a few seconds",
  options: { ...options, json: { type: "boolean", default: false, says: "prints one JSON document" } }
})
const ask = Database.make(values.database, where(values, refuse))

try {
  const report = await Doctor.examine(ask)
  console.log(values.json ? JSON.stringify(report, null, 2) : Doctor.render(report))
  process.exitCode = report.healthy ? 0 : 1
} catch (error) {
  console.error(`The database could not be asked: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 2
}
