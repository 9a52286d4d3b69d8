/** Which D1 database a script is about: `--remote` the deployed one, else that of `wrangler dev`. */
import { existsSync } from "node:fs"
import { join } from "node:path"

/** The flags that say so. */
export const flags = {
  remote: { type: "boolean", default: false },
  "persist-to": { type: "string" },
  database: { type: "string", default: "octopoid-db" },
  env: { type: "string" }
} as const

export const usage = "[--remote] [--persist-to <directory>] [--database octopoid-db] [--env <name>]"

interface Values {
  readonly remote: boolean
  readonly "persist-to"?: string | undefined
  readonly env?: string | undefined
}

/** The options of wrangler that say the same. Refuses a local database that there is not. */
export const where = (values: Values, refuse: (why: string) => never): ReadonlyArray<string> => {
  const directory = values["persist-to"]
  if (values.remote && directory !== undefined) refuse("--persist-to is of a local database, not of a remote one.")
  // Wrangler would make an empty one.
  const state = directory ?? ".wrangler/state"
  if (!values.remote && !existsSync(join(state, "v3", "d1"))) {
    refuse(`There is no local database in ${state}: \`npm start\` makes one.`)
  }
  return [
    values.remote ? "--remote" : "--local",
    ...(directory === undefined ? [] : ["--persist-to", directory]),
    ...(values.env === undefined ? [] : ["--env", values.env])
  ]
}
