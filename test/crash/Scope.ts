/** The scope of a crash run. */
import type { Call, Wire } from "../support/Wire.ts"

export const scope = "crash"

/** The machine all of them work on. */
export const register: Call = {
  method: "POST",
  path: "/api/v1/orchestrators/register",
  body: { cluster: "c", machine_id: "m", scope }
}

/** How many tasks have not come to their end. */
export const open = async (wire: Wire): Promise<number> => {
  const { body } = await wire.send({ method: "GET", path: `/api/v1/scheduler/poll?scope=${scope}` })
  const { claimed, incoming, provisional } = body.queue_counts
  return claimed + incoming + provisional
}
