/**
 * The machine of a claim: which one it is, how many tasks it may hold, and how many it holds. `:machine` is its id,
 * `:reach` the scope that it has to belong to (null: any), and `:max_claimed` the limit that the claim names.
 */

/**
 * The machines with this id that may claim from a scope: that of the scope, or, if it has none and no key forbids it,
 * those of other scopes. It is a range, so that no machine of another scope is read if the scope has its own. Begins a
 * FROM clause; `max` answers a row in any case.
 */
export const claimingFrom = (scope: string): string =>
  `(SELECT max(scope) AS own FROM orchestrators WHERE id = :machine AND scope = ${scope}) CROSS JOIN orchestrators
  WHERE id = :machine AND scope BETWEEN coalesce(:reach, own, '') AND coalesce(:reach, own, char(1114111))`

const itself = (scope: string) => `FROM ${claimingFrom(scope)} ORDER BY last_heartbeat DESC LIMIT 1`

/** A query for the machine. `live` says which of its leases count: all unless given. */
export const machine = (scope: string, live = ""): string => `
  SELECT id, status, last_heartbeat, coalesce(:max_claimed, max_claimed) AS maximum,
    (SELECT count(*) FROM tasks INDEXED BY tasks_leased
      WHERE claimed_by IS NOT NULL AND tasks.scope = ${scope} AND queue = 'claimed' AND orchestrator_id = :machine ${live})
      AS held
  ${itself(scope)}`

/** The scope of the machine, which has its roles. */
export const home = (scope: string): string => `(SELECT scope ${itself(scope)})`
