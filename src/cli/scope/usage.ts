/** `octopoid-server usage`: what agents used, and the caps on it. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { ProjectId, UsageSum } from "../../client.ts"
import * as Failure from "../ask/Failure.ts"
import { connect } from "../ask/Server.ts"
import { described, examples, given, optional } from "../command.ts"
import { amount, count, dollars, duration } from "../show/Moment.ts"
import * as Screen from "../show/Screen.ts"
import { table } from "../show/Table.ts"
import { line, styled } from "../show/Text.ts"

const capText = (
  { max_cost_usd, max_tokens }: { readonly max_cost_usd: number | null; readonly max_tokens: number | null }
) =>
  max_cost_usd === null && max_tokens === null
    ? "No caps on a day."
    : `Caps on a day: ${
      [max_cost_usd === null ? "" : dollars(max_cost_usd), max_tokens === null ? "" : count(max_tokens, "token")]
        .filter((part) => part !== "").join(", ")
    }`

// `none` removes a cap. A cap whose flag is absent stays.
const cap = (name: string, description: string) =>
  Flag.String(name).pipe(
    Flag.withMetavar("number"),
    Flag.withDescription(`${description}; none removes the cap`),
    Flag.filter((text) => text === "none" || (text !== "" && Number(text) > 0), (text) =>
      `--${name} is a number above 0, or none, not ${text}`),
    Flag.map((text) =>
      text === "none" ? null : Number(text)
    ),
    Flag.optional
  )

const setCaps = Command.make("cap", {
  cost: cap("cost", "The dollars that each day of the scope may cost"),
  tokens: cap("tokens", "The tokens that each day of the scope may use")
}, (flags) =>
  Effect.gen(function*() {
    if (Option.isNone(flags.cost) && Option.isNone(flags.tokens)) {
      return yield* Failure.usage("Say which cap: --cost 50, --tokens 1000000, or none to remove one.")
    }
    const { api } = yield* connect
    // The endpoint sets both caps. So a cap that is not given is sent as it is.
    const { caps } = yield* api.usage.list({ query: {} })
    const set = yield* api.usage.cap({
      query: {},
      payload: {
        max_cost_usd: Option.getOrElse(flags.cost, () => caps.max_cost_usd),
        max_tokens: Option.getOrElse(flags.tokens, () => caps.max_tokens)
      }
    })
    yield* Screen.show(set, (value) => `${styled("green", "✓")} ${line(value.scope)}: ${capText(value)}`)
  })).pipe(
    described(
      "Set what each day of the scope may use. At a cap nothing more is claimed until the day ends.",
      "the caps, as PUT /api/v1/usage/caps answers them."
    )
  )

export const usage = Command.make("usage", {
  by: Flag.Literals("by", ["day", "project", "model"]).pipe(
    Flag.withDescription("What the sums are for"),
    Flag.withDefault("day" as const)
  ),
  from: Flag.String("from").pipe(
    Flag.withMetavar("day"),
    Flag.withDescription("The first day in UTC, such as 2026-08-01; 30 days before the last unless given"),
    Flag.optional
  ),
  to: Flag.String("to").pipe(
    Flag.withMetavar("day"),
    Flag.withDescription("The last day in UTC; today unless given"),
    Flag.optional
  )
}, (flags) =>
  Effect.gen(function*() {
    const { api } = yield* connect
    const found = yield* api.usage.list({
      query: { by: flags.by, ...optional("from", given(flags.from)), ...optional("to", given(flags.to)) }
    })
    yield* Screen.show(found, ({ caps, from, scope, to, usage }) => {
      const total = (of: (one: UsageSum) => number) => usage.reduce((sum, one) => sum + of(one), 0)
      const sum: UsageSum = {
        day: "sum",
        project_id: "sum" as ProjectId,
        model: "sum",
        cost_usd: total(({ cost_usd }) => cost_usd),
        input_tokens: total(({ input_tokens }) => input_tokens),
        output_tokens: total(({ output_tokens }) => output_tokens),
        cached_tokens: total(({ cached_tokens }) => cached_tokens),
        wall_seconds: total(({ wall_seconds }) => wall_seconds)
      }
      const rows = usage.length > 1 ? [...usage, sum] : usage
      const name = { day: "day", project: "project_id", model: "model" } as const
      return [
        `${styled("bold", `Scope ${line(scope)}`)}, ${
          flags.by === "project" ? "since each project was created" : `${from} to ${to} (UTC)`
        }`,
        usage.length === 0 ? "Nothing was reported." : table(rows, [
          { head: flags.by, of: (row) => row[name[flags.by]], whole: true },
          { head: "cost", of: (row) => dollars(row.cost_usd), right: true },
          { head: "input", of: (row) => amount(row.input_tokens), right: true },
          { head: "output", of: (row) => amount(row.output_tokens), right: true },
          { head: "cached", of: (row) => amount(row.cached_tokens), right: true },
          { head: "time", of: (row) => duration(row.wall_seconds), right: true }
        ], Screen.width()),
        capText(caps)
      ].join("\n")
    })
  })).pipe(
    described("Show what agents used: tokens, dollars and time.", "the answer of GET /api/v1/usage."),
    examples(["usage --by model", "What each model cost"], ["usage cap --cost 50", "At most 50 dollars a day"]),
    Command.withSubcommands([setCaps])
  )
