/** Roles: what the agents of a scope may be, and which queue each claims from. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type { Fragment } from "effect/sql/Statement"
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
import { beyond } from "../../sql/Keyset.ts"
import * as Idempotency from "../../sql/legacy/Idempotency.ts"
import { columnsOf } from "../../sql/legacy/JsonRow.ts"
import * as PageBytes from "../../sql/PageBytes.ts"
import { onlyOne, type Reach, within } from "../../sql/Reach.ts"

const decodeRows = Schema.decodeUnknownEffect(Schema.Array(RoleRow))
const decode = (rows: unknown) => Effect.orDie(decodeRows(rows))

// A longer description is not kept under a key but read from its role: all that is kept of them is one value.
const MaxCopied = 256

export class Roles extends Context.Service<Roles, {
  /** Registers roles in the scope of the orchestrator, and answers all that are its own, as many as fit on one page. */
  readonly register: (
    registration: RoleRegistration,
    scope: Reach
  ) => Effect.Effect<ReadonlyArray<Role>, UnknownOrchestrator | ScopeRequired | TooManyRoles>
  /** A page of the roles by name. */
  readonly page: (scope: Reach, page: Page) => Effect.Effect<Part<Role>>
  /** The roles by name, as many as fit on one page. */
  readonly list: (scope: Reach) => Effect.Effect<ReadonlyArray<Role>>
  /** Without a scope, the one registered last of those that have the name. */
  readonly get: (name: RoleName, scope: Reach) => Effect.Effect<Role, RoleNotFound>
  /** Deletes the role, without a scope the only one of the name, and answers which scope it was in. */
  readonly remove: (name: RoleName, scope: Reach) => Effect.Effect<ScopeName, RoleNotFound | ScopeRequired>
}>()("octopoid-server/services/Roles") {
  static readonly layer = Layer.effect(
    Roles,
    Effect.gen(function*() {
      const { batch, sql } = yield* Database
      const once = yield* Idempotency.make
      const bounded = yield* PageBytes.make

      const named = (name: RoleName, scope: Reach) => sql`${within(sql, scope)} AND name = ${name}`

      const register = Effect.fn("Roles.register")(function*(registration: RoleRegistration, scope: Reach) {
        const now = yield* Clock.currentTimeMillis
        const id = registration.orchestrator_id
        const roles = registration.roles.filter(({ name }) => name).map(({ claims_from, description, name }) => ({
          name,
          description: description || null,
          claims_from: claims_from || "incoming"
        }))
        const machine = onlyOne(sql, "orchestrators", sql`id = ${id}`, scope)
        const home = sql`(SELECT scope FROM orchestrators WHERE ${machine})`
        const sent = sql`json_each(${JSON.stringify(roles)}) AS r`
        const unknownTo = (scope: Fragment) =>
          sql`${sent} WHERE NOT EXISTS (SELECT 1 FROM roles WHERE roles.scope = ${scope} AND name = r.value ->> 'name')`
        const count = sql`(SELECT count(*) FROM roles WHERE roles.scope = orchestrators.scope)`
        const added = sql`(SELECT count(DISTINCT r.value ->> 'name') FROM ${unknownTo(sql`orchestrators.scope`)})`
        const own = sql`roles WHERE orchestrator_id = ${id} AND scope = ${home} ORDER BY name`
        const { answers: [several = [], machines = [], , rows = []], replay } = yield* once.batch([
          sql`SELECT 1 FROM orchestrators WHERE id = ${id} AND ${within(sql, scope)}`,
          sql`SELECT scope FROM orchestrators WHERE ${machine}`,
          // Roles that the scope has may be changed, however many it has.
          sql`
            INSERT INTO roles (scope, name, description, claims_from, orchestrator_id, created_at)
            SELECT o.scope, r.value ->> 'name', r.value ->> 'description', r.value ->> 'claims_from', o.id, ${now}
            FROM (
              SELECT id, scope FROM orchestrators
              WHERE ${machine} AND iif(${added} = 0, 1, ${added} + ${count} <= ${MaxRoles})) AS o, ${sent}
            WHERE true
            ON CONFLICT (scope, name) DO UPDATE SET description = excluded.description,
              claims_from = excluded.claims_from, orchestrator_id = excluded.orchestrator_id
            WHERE roles.description IS NOT excluded.description OR roles.claims_from <> excluded.claims_from
              OR roles.orchestrator_id <> excluded.orchestrator_id`,
          sql`SELECT * FROM ${own}`
        ], {
          after: 2,
          row: {
            ...columnsOf(sql, RoleRow),
            description: sql`iif(octet_length(description) > ${MaxCopied}, NULL, description)`,
            cut: sql`octet_length(description) > ${MaxCopied}`
          },
          // By then the scope has all of them, unless they were refused.
          from: sql`(SELECT * FROM ${own}) WHERE NOT EXISTS (SELECT 1 FROM ${unknownTo(home)})`,
          besides: (answer) =>
            sql`
            SELECT name, description FROM roles WHERE (scope, name) IN (
              SELECT value ->> 'scope', value ->> 'name' FROM json_each(${answer}) WHERE value ->> 'cut')`
        })
        if (replay !== undefined) {
          const cut = new Map(replay.besides.map(({ description, name }) => [name, description]))
          const rows = replay.rows.map((row) => row.cut ? { ...row, description: cut.get(row.name) ?? null } : row)
          return asFit(yield* decode(rows))
        }
        if (several.length > 1) return yield* ScopeRequired.several("orchestrator", id)
        if (machines.length === 0) return yield* UnknownOrchestrator.of(id)
        const names = new Set(rows.map(({ name }) => name))
        if (roles.some(({ name }) => !names.has(name))) return yield* TooManyRoles.of(String(machines[0]?.scope))
        return asFit(yield* decode(rows))
      })

      const page = Effect.fn("Roles.page")(function*(scope: Reach, page: Page) {
        const matches = sql.and([within(sql, scope), ...beyond(sql, page, "ascending")])
        const { found } = yield* bounded({
          page,
          columns: Object.keys(RoleRow.fields),
          long: ["description"],
          rows: (take) => sql`SELECT * FROM roles WHERE ${matches} ORDER BY name, scope LIMIT ${take}`
        }, (rows) => batch([rows]))
        const { envelope: { next_cursor }, rows } = page.end(found)
        return { rows: yield* decode(rows), next_cursor }
      })
      const list = (scope: Reach) => Effect.map(page(scope, wholeList), ({ rows }) => rows)

      const get = Effect.fn("Roles.get")(function*(name: RoleName, scope: Reach) {
        const [rows] = yield* batch([
          sql`SELECT * FROM roles WHERE ${named(name, scope)} ORDER BY created_at DESC, scope LIMIT 1`
        ])
        return (yield* decode(rows))[0] ?? (yield* RoleNotFound.of(name))
      })

      const remove = Effect.fn("Roles.remove")(function*(name: RoleName, scope: Reach) {
        const which = named(name, scope)
        const [rows] = yield* batch([
          sql`SELECT * FROM roles WHERE ${which} LIMIT 2`,
          sql`DELETE FROM roles WHERE ${onlyOne(sql, "roles", sql`name = ${name}`, scope)}`
        ])
        const [role, another] = yield* decode(rows)
        if (another !== undefined) return yield* ScopeRequired.several("role", name)
        if (role === undefined) return yield* RoleNotFound.of(name)
        yield* Effect.logInfo("role deleted").pipe(Effect.annotateLogs({ role: name, scope: role.scope }))
        return role.scope
      })

      return Roles.of({ register, page, list, get, remove })
    })
  )
}
