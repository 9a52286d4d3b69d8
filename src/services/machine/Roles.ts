/** Roles: the kinds of agents of a scope, and the queue that each kind claims from. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type { RoleName, ScopeName } from "../../domain/Identifier.ts"
import {
  MaxRoles,
  type Role,
  RoleNotFound,
  type RoleRegistration,
  RoleRow,
  TooManyRoles,
  UnknownOrchestrator
} from "../../domain/machine/Role.ts"
import { asFit, type Page, type Part, wholeList } from "../../domain/Page.ts"
import { ScopeRequired } from "../../domain/TaggedError.ts"
import { Database } from "../../sql/Database.ts"
import * as Idempotency from "../../sql/Idempotency.ts"
import { columnsOf } from "../../sql/JsonRow.ts"
import { afterCursor, cursorValues } from "../../sql/page/Keyset.ts"
import * as PageBytes from "../../sql/page/PageBytes.ts"
import { byScope, onlyScope, type Reach } from "../../sql/Reach.ts"
import { statement, variants } from "../../sql/Statement.ts"

const decodeRows = Schema.decodeUnknownEffect(Schema.Array(RoleRow))
const decode = (rows: unknown) => Effect.orDie(decodeRows(rows))

// A longer description is not kept under an idempotency key: a repeated request reads it from the role. A key keeps one
// value, and its size is limited.
const MaxCopied = 256

const machinesById = byScope((inScope) => `SELECT scope FROM orchestrators WHERE id = :id AND ${inScope}`)

/** The scope of the machine that registers. It is null if no machine within reach has the id, or several have it. */
const home = `(
  SELECT scope FROM orchestrators WHERE id = :id AND scope = ${onlyScope("orchestrators", "id = :id")})`

/** The roles of the request that the scope does not have yet, from FROM on. */
const newTo = (scope: string) =>
  `json_each(:roles) AS role
  WHERE NOT EXISTS (SELECT 1 FROM roles WHERE roles.scope = ${scope} AND name = role.value ->> 'name')`

// The limit applies to new roles. A scope with more roles may still change them.
const insert = statement(`
  INSERT INTO roles (scope, name, description, claims_from, orchestrator_id, created_at)
  SELECT machine.scope, role.value ->> 'name', role.value ->> 'description', role.value ->> 'claims_from', :id, :now
  FROM (
      SELECT scope, (SELECT count(DISTINCT role.value ->> 'name') FROM ${newTo("orchestrators.scope")}) AS added
      FROM orchestrators WHERE id = :id AND scope = ${home}) AS machine,
    json_each(:roles) AS role
  WHERE iif(added = 0, true, added + (SELECT count(*) FROM roles WHERE roles.scope = machine.scope) <= ${MaxRoles})
  ON CONFLICT (scope, name) DO UPDATE SET description = excluded.description,
    claims_from = excluded.claims_from, orchestrator_id = excluded.orchestrator_id
  WHERE roles.description IS NOT excluded.description OR roles.claims_from <> excluded.claims_from
    OR roles.orchestrator_id <> excluded.orchestrator_id`)

const own = `SELECT * FROM roles WHERE orchestrator_id = :id AND scope = ${home} ORDER BY name`

const allOfMachine = statement(own)

const registered = Idempotency.keeping({
  row: {
    ...columnsOf(RoleRow),
    description: `iif(octet_length(description) > ${MaxCopied}, NULL, description)`,
    cut: `octet_length(description) > ${MaxCopied}`
  },
  from: `(${own})`,
  // Roles that did not change are not written. If the request was not refused, the scope has all its roles by now.
  where: `NOT EXISTS (SELECT 1 FROM ${newTo(home)})`,
  provenBy: "where",
  besides: `
    SELECT name, description FROM roles WHERE (scope, name) IN (
      SELECT value ->> 'scope', value ->> 'name' FROM json_each((SELECT answer FROM idempotency_keys WHERE id = :key))
      WHERE value ->> 'cut')`
})

const pages = variants((every: boolean, next: boolean) =>
  PageBytes.pagesOf(
    { columns: Object.keys(RoleRow.fields), long: ["description"] },
    `
    SELECT * FROM roles
    WHERE ${every ? "true" : "scope = :scope"} ${next ? `AND ${afterCursor(["name", "scope"], "ascending")}` : ""}
    ORDER BY name, scope LIMIT :take`
  )
)

const newestNamed = byScope((inScope) => `
  SELECT * FROM roles WHERE ${inScope} AND name = :name ORDER BY created_at DESC, scope LIMIT 1`)

const twoNamed = byScope((inScope) => `SELECT * FROM roles WHERE ${inScope} AND name = :name LIMIT 2`)

const deleteNamed = statement(`DELETE FROM roles WHERE name = :name AND scope = ${onlyScope("roles", "name = :name")}`)

export class Roles extends Context.Service<Roles, {
  /**
   * Registers roles in the scope of the orchestrator. Answers the roles of the orchestrator, as many as fit on one
   * page.
   */
  readonly register: (
    registration: RoleRegistration,
    scope: Reach
  ) => Effect.Effect<ReadonlyArray<Role>, UnknownOrchestrator | ScopeRequired | TooManyRoles>
  /** A page of the roles by name. */
  readonly page: (scope: Reach, page: Page) => Effect.Effect<Part<Role>>
  /** The roles by name, as many as fit on one page. */
  readonly list: (scope: Reach) => Effect.Effect<ReadonlyArray<Role>>
  /** The role of this name. Without a scope, the newest role of this name. */
  readonly get: (name: RoleName, scope: Reach) => Effect.Effect<Role, RoleNotFound>
  /** Deletes the role and answers its scope. Without a scope, the name has to be unique. */
  readonly remove: (name: RoleName, scope: Reach) => Effect.Effect<ScopeName, RoleNotFound | ScopeRequired>
}>()("octopoid-server/services/Roles") {
  static readonly layer = Layer.effect(
    Roles,
    Effect.gen(function*() {
      const { batch } = yield* Database
      const once = yield* Idempotency.make
      const paged = yield* PageBytes.reader

      const register = Effect.fn("Roles.register")(function*(registration: RoleRegistration, scope: Reach) {
        const now = yield* Clock.currentTimeMillis
        const id = registration.orchestrator_id
        const roles = registration.roles.filter(({ name }) => name).map(({ claims_from, description, name }) => ({
          name,
          description: description || null,
          claims_from: claims_from || "incoming"
        }))
        const values = { id, scope: scope ?? null, roles: JSON.stringify(roles), now }
        const { answers: { known, found }, replay } = yield* once.batch(
          { known: machinesById(values), inserted: insert(values), found: allOfMachine(values) },
          { keep: "inserted", answer: registered, values }
        )
        if (replay !== undefined) {
          const cut = new Map(replay.besides.map(({ description, name }) => [name, description]))
          const rows = replay.rows.map((row) => row.cut ? { ...row, description: cut.get(row.name) ?? null } : row)
          return asFit(yield* decode(rows))
        }
        if (known.length > 1) return yield* ScopeRequired.several("orchestrator", id)
        if (known[0] === undefined) return yield* UnknownOrchestrator.of(id)
        const names = new Set(found.map(({ name }) => name))
        if (roles.some(({ name }) => !names.has(name))) return yield* TooManyRoles.of(String(known[0].scope))
        return asFit(yield* decode(found))
      })

      const page = Effect.fn("Roles.page")(function*(scope: Reach, page: Page) {
        const { found } = yield* paged({
          page,
          pages: pages(scope === undefined, page.after !== undefined),
          values: { ...cursorValues(page), scope: scope ?? null }
        }, (rows) => batch({ rows }))
        const { envelope: { next_cursor }, rows } = page.end(found)
        return { rows: yield* decode(rows), next_cursor }
      })
      const list = (scope: Reach) => Effect.map(page(scope, wholeList), ({ rows }) => rows)

      const get = Effect.fn("Roles.get")(function*(name: RoleName, scope: Reach) {
        const { found } = yield* batch({ found: newestNamed({ name, scope: scope ?? null }) })
        return (yield* decode(found))[0] ?? (yield* RoleNotFound.of(name))
      })

      const remove = Effect.fn("Roles.remove")(function*(name: RoleName, scope: Reach) {
        const values = { name, scope: scope ?? null }
        const { found } = yield* batch({ found: twoNamed(values), deleted: deleteNamed(values) })
        const [role, another] = yield* decode(found)
        if (another !== undefined) return yield* ScopeRequired.several("role", name)
        if (role === undefined) return yield* RoleNotFound.of(name)
        yield* Effect.logInfo("role deleted").pipe(Effect.annotateLogs({ role: name, scope: role.scope }))
        return role.scope
      })

      return Roles.of({ register, page, list, get, remove })
    })
  )
}
