/** The faults that the properties and the simulator have to find out: `npm run prove -- mutate`. */
import type { Fault } from "./Fault.ts"
import { access, keys } from "./faults/access.ts"
import { agents } from "./faults/agents.ts"
import { answers } from "./faults/answers.ts"
import { dependencies } from "./faults/dependencies.ts"
import { evidence } from "./faults/evidence.ts"
import { fencing } from "./faults/fencing.ts"
import { history } from "./faults/history.ts"
import { leases } from "./faults/leases.ts"
import { objects } from "./faults/objects.ts"
import { overview } from "./faults/overview.ts"
import { pages } from "./faults/pages.ts"
import { records } from "./faults/records.ts"
import { stops } from "./faults/stops.ts"
import { texts } from "./faults/texts.ts"
import { usage } from "./faults/usage.ts"
import { webhooks } from "./faults/webhooks.ts"

export const faults: ReadonlyArray<Fault> = [
  ...leases,
  ...fencing,
  ...history,
  ...dependencies,
  ...access,
  ...keys,
  ...pages,
  ...answers,
  ...texts,
  ...records,
  ...evidence,
  ...usage,
  ...webhooks,
  ...overview,
  ...stops,
  ...agents,
  ...objects
]
