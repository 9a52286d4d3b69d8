/** Which D1 database a script is about: `--remote` the deployed one, else that of `wrangler dev`. */
import { existsSync } from "node:fs"
import { join } from "node:path"

/** The options that choose the database. */
export const options = {
  remote: { type: "boolean", default: false, says: "the deployed database instead of the local one" },
  "persist-to": {
    type: "string",
    value: "directory",
    says: "where the local database is (.wrangler/state unless given)"
  },
  database: { type: "string", value: "name", default: "octopoid-db", says: "its name in wrangler.toml" },
  env: { type: "string", value: "name", says: "the environment of wrangler.toml" }
} as const

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
