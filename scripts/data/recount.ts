/**
 * Counts every counter of a database anew, and has every number it gives out begin above those it may have given:
 * `npm run recount -- [--remote]`, after D1's Time Travel, or when the doctor finds counters that are wrong. The server may be
 * at work meanwhile. See docs/operating.md.
 */
import { recount } from "../../src/sql/transfer/Recount.ts"
import * as Flags from "../flags.ts"
import { options, where } from "./doctor/where.ts"
import { execute } from "./execute.ts"

const { refuse, values } = Flags.read({
  run: "npm run recount",
  does:
    `Counts every counter of a database anew, and raises every number that the server hands out above those it may have handed out.
For use after D1's Time Travel, or when the doctor finds wrong counters. The server may run meanwhile.`,
  takes: "a few seconds",
  options
})
const target = { database: values.database, where: where(values, refuse) }

try {
  await execute(target, recount(null, Date.now()))
  console.log("Everything is counted anew. Tokens of leases and tags of lists are above any that were given before.")
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error))
  process.exitCode = 1
}
