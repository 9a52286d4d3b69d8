/**
 * Deletes what a run made, also after failures, and reports what is left. It finds records by the prefix of their
 * names, so it touches no others.
 */
import * as Ask from "./Ask.ts"
import { inParallel } from "./inParallel.ts"
import { listed, revokeAll, type Tenancy, type Tenant } from "./Tenancy.ts"

const kinds = ["tasks", "projects", "orchestrators"] as const

/** Deletes the records of the run from a list, as long as the list gets shorter. Answers how many are left. */
const empty = async (ask: Ask.Ask, kind: (typeof kinds)[number], run: string): Promise<number> => {
  for (let before = Infinity;;) {
    const ours = (await listed(ask, `/api/v1/${kind}?limit=500`, kind)).filter(({ id }) => id.startsWith(run))
    if (ours.length === 0 || ours.length >= before) return ours.length
    before = ours.length
    await inParallel(ours, 8, ({ id }) => ask("DELETE", `/api/v1/${kind}/${id}`))
  }
}

/** Deletes the webhooks of the run, which have its prefix in their names. Answers how many are left. */
const emptyWebhooks = async (ask: Ask.Ask, run: string): Promise<number> => {
  const ours = (await listed(ask, "/api/v1/webhooks", "webhooks")).filter(({ name }) => name?.startsWith(run))
  const deleted = await inParallel(ours, 8, ({ id }) => ask("DELETE", `/api/v1/webhooks/${id}`))
  return deleted.filter(({ status }) => status >= 300).length
}

export interface Cleaned {
  /** Whether everything that can be deleted is deleted. */
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
    await attempt(`webhooks of the scope ${scope}`, () => emptyWebhooks(Ask.make(connection, key), run))
  }
  // Keys come last: the requests above need them.
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
