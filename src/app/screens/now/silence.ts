/** Whether a machine can be heard. */
import type { Machine } from "../../api/Contract.ts"
import { now } from "../../api/live.ts"

/**
 * How long a machine that the server calls active may be silent before the page says so, in milliseconds. The server
 * calls it `offline` only when its cron runs, and locally no cron runs.
 */
const Patience = 5 * 60_000

/** Whether the machine should have been heard since. One in maintenance may be switched off. */
export const isSilent = ({ last_heartbeat, status }: Pick<Machine, "last_heartbeat" | "status">): boolean =>
  status === "offline" ||
  (status === "active" && Math.max(now(), Date.now()) - Date.parse(last_heartbeat) > Patience)
