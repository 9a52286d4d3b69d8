/**
 * The machine that a claim names: the one that it reaches, what it may hold and what it holds. `:machine` is its name, `:reach`
 * the scope that it has to belong to (null: any), and `:max_claimed` what the claim says it may hold at once.
 */

/**
 * Which machines of the name may claim from a scope, an expression: the machine of that scope, or where it has none and no key
 * forbids it, those of other scopes. As a range, so that no machine of another scope is read where the scope has its own.
 */
export const claimingFrom = (scope: string): string => {
  const own = `(SELECT scope FROM orchestrators WHERE id = :machine AND scope = ${scope})`
  return `id = :machine AND scope BETWEEN coalesce(:reach, ${own}, '') AND coalesce(:reach, ${own}, char(1114111))`
}

const itself = (scope: string) => `FROM orchestrators WHERE ${claimingFrom(scope)} ORDER BY last_heartbeat DESC LIMIT 1`

/** A query for the machine. `live` narrows the tasks that count as held. */
export const machine = (scope: string, live = ""): string => `
  SELECT id, status, last_heartbeat, coalesce(:max_claimed, max_claimed) AS maximum,
    (SELECT count(*) FROM tasks INDEXED BY tasks_leased
      WHERE claimed_by IS NOT NULL AND tasks.scope = ${scope} AND queue = 'claimed' AND orchestrator_id = :machine ${live})
      AS held
  ${itself(scope)}`

/** The scope that the machine belongs to, which is where its roles are. */
export const home = (scope: string): string => `(SELECT scope ${itself(scope)})`
