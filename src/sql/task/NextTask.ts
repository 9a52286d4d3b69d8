/** What a claim looks for, as the variant and the values of its statements (`sql/lease/Claim.ts`). */
import type { ScopeName } from "../../domain/Identifier.ts"
import type * as Claim from "../lease/Claim.ts"
import type { Values } from "../Statement.ts"

export interface Wanted {
  readonly scope: ScopeName
  readonly queue: string
  /** Any of these roles, or every one. */
  readonly roles: ReadonlyArray<string>
  /** Any of these types, or every one. */
  readonly types: ReadonlyArray<string>
  /** Ranks to look through first, in this order. */
  readonly ranks: ReadonlyArray<number>
}

/** The variant. `passing` is whether the claim looks past oversized tasks, which takes reading each of them. */
export const variantOf = ({ ranks, roles, types }: Wanted, passing: boolean): Claim.Wanted => ({
  roles: roles.length === 0 ? "any" : roles.length === 1 ? "one" : "several",
  roleless: roles.includes(""),
  ranked: ranks.length > 0,
  typed: types.length > 0,
  passing
})

export const valuesOf = ({ queue, ranks, roles, scope, types }: Wanted): Values => ({
  scope,
  queue,
  roles: JSON.stringify(roles),
  types: JSON.stringify(types),
  lanes: JSON.stringify(roles.map((role) => [role])),
  seeks: JSON.stringify(
    (roles.length === 0 ? [""] : roles).flatMap((role) => ranks.map((rank, place) => [role, rank, place]))
  )
})
