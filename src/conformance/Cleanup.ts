/** Deletes what a run made, also after failures, and says what is left. Knows it by its name, so that nothing else is touched. */
import * as Ask from "./Ask.ts"
import { inParallel } from "./inParallel.ts"
import { listed, revokeAll, type Tenancy, type Tenant } from "./Tenancy.ts"

const kinds = ["tasks", "projects", "orchestrators"] as const

/** Deletes what a list shows of the run, as long as that makes it shorter. Answers how many it still shows. */
const empty = async (ask: Ask.Ask, kind: (typeof kinds)[number], run: string): Promise<number> => {
  for (let before = Infinity;;) {
    const ours = (await listed(ask, `/api/v1/${kind}?limit=500`, kind)).filter(({ id }) => id.startsWith(run))
    if (ours.length === 0 || ours.length >= before) return ours.length
    before = ours.length
    await inParallel(ours, 8, ({ id }) => ask("DELETE", `/api/v1/${kind}/${id}`))
  }
}

export interface Cleaned {
  /** Whether everything is gone that can be deleted. */
  readonly cleaned: boolean
  /** What is left, in sentences. */
  readonly left: ReadonlyArray<string>
}

export const cleanUp = async (connection: Ask.Connection, tenancy: Tenancy): Promise<Cleaned> => {
  const { administered, home, run } = tenancy
  const left: Array<string> = []
  const attempt = async (what: string, act: () => Promise<number | void>) => {
    try {
      const kept = await act()
      if (kept) left.push(`Could not delete ${kept} ${what}.`)
    } catch (error) {
      left.push(`Could not delete ${what}: ${error instanceof Error ? error.message : String(error)}.`)
    }
  }
  const tenants: ReadonlyArray<Tenant> = administered === undefined ? [home] : [home, administered.other]
  for (const { key, scope } of tenants) {
    for (const kind of kinds) {
      await attempt(`${kind} of the scope ${scope}`, () => empty(Ask.make(connection, key), kind, run))
    }
  }
  // Last: the keys are what everything else is deleted with.
  if (administered !== undefined) {
    for (const { scope } of tenants) {
      await attempt(`keys of the scope ${scope}`, () => revokeAll(Ask.make(connection, administered.key), scope))
    }
  }
  const messages = administered === undefined ? "" : ", the message that a check sent"
  const stays = `By design the history of its tasks stays${messages}, and for a day its idempotency keys.`
  return left.length === 0
    ? { cleaned: true, left: [`What the run made is deleted. ${stays}`] }
    : { cleaned: false, left: [...left, stays] }
}
