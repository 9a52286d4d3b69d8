/** All groups of checks, in the order of the report. */
import type { Group } from "./Check.ts"
import { contract } from "./checks/contract.ts"
import { webhooks } from "./checks/feed/webhooks.ts"
import { idempotency } from "./checks/idempotency.ts"
import { isolation } from "./checks/isolation.ts"
import { fencing } from "./checks/lease/fencing.ts"
import { leases } from "./checks/lease/leases.ts"
import { races } from "./checks/lease/races.ts"
import { lifecycle } from "./checks/lifecycle.ts"
import { usage } from "./checks/usage.ts"

export const groups: ReadonlyArray<Group> = [
  lifecycle,
  leases,
  fencing,
  idempotency,
  races,
  usage,
  webhooks,
  isolation,
  contract
]
