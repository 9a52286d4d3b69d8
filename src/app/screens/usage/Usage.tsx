/** What agents used: over time, by model and by project; and the caps on it. */
import { createMemo, createSignal, For, lazy, Show, Suspense } from "solid-js"
import type { UsageSum } from "../../api/Contract.ts"
import { act, createQuery } from "../../api/query.ts"
import { may } from "../../api/session.ts"
import { announce } from "../../parts/announce.ts"
import { Button, Empty, Refusal } from "../../parts/Basics.tsx"
import { Confirm } from "../../parts/Dialog.tsx"
import { compact, dollars, number, span } from "../../parts/words.ts"
import { href, query, setQuery } from "../../Router.ts"
import { dayOf, daysOf } from "./days.ts"
import "./usage.css"

const Plot = lazy(() => import("./Plot.tsx"))

const periods = [["7", "7 days"], ["30", "30 days"], ["90", "90 days"], ["366", "a year"]] as const
const DayMillis = 86_400_000

const Sums = (props: {
  readonly title: string
  readonly of: string
  readonly sums: ReadonlyArray<UsageSum>
  readonly nameOf: (sum: UsageSum) => string
  readonly link?: (sum: UsageSum) => string
}) => (
  <section aria-label={props.title}>
    <h2>{props.title}</h2>
    <div class="scroll" tabindex="0" role="group" aria-label={props.title}>
      <table class="table">
        <thead>
          <tr>
            <th>{props.of}</th>
            <th class="number">Cost</th>
            <th class="number">Read</th>
            <th class="number">Written</th>
            <th class="number">From caches</th>
            <th class="number">Time</th>
          </tr>
        </thead>
        <tbody>
          <For each={props.sums}>
            {(sum) => (
              <tr>
                <td class="wrap">
                  <Show when={props.link} fallback={props.nameOf(sum)}>
                    {(link) => <a href={link()(sum)}>{props.nameOf(sum)}</a>}
                  </Show>
                </td>
                <td class="number">{dollars(sum.cost_usd)}</td>
                <td class="number" title={number(sum.input_tokens)}>{compact(sum.input_tokens)}</td>
                <td class="number" title={number(sum.output_tokens)}>{compact(sum.output_tokens)}</td>
                <td class="number" title={number(sum.cached_tokens)}>{compact(sum.cached_tokens)}</td>
                <td class="number">{span(sum.wall_seconds * 1000)}</td>
              </tr>
            )}
          </For>
        </tbody>
      </table>
    </div>
  </section>
)

const Caps = (props: {
  readonly cost: number | null
  readonly tokens: number | null
  readonly onClose: () => void
  readonly again: () => void
}) => {
  const text = (n: number | null) => n === null ? "" : String(n)
  // The fields begin with what is set.
  const [cost, setCost] = createSignal(text(props.cost))
  const [tokens, setTokens] = createSignal(text(props.tokens))
  const value = (given: string) => given === "" ? null : Number(given)
  return (
    <Confirm
      title="The caps on each day"
      does="Set them"
      onClose={props.onClose}
      send={async () => {
        const outcome = await act("PUT /api/v1/usage/caps", {
          body: { max_cost_usd: value(cost()), max_tokens: value(tokens()) }
        })
        if ("done" in outcome) announce("The caps are set.")
        props.again()
        return outcome
      }}
    >
      <p class="quiet">At a cap nothing more is claimed in the scope until the day ends, by UTC. Empty is no cap.</p>
      <label>
        Dollars a day
        <input
          type="number"
          min="0"
          step="any"
          value={cost()}
          onInput={(event) => setCost(event.currentTarget.value)}
        />
      </label>
      <label>
        Tokens a day, read and written
        <input type="number" min="1" value={tokens()} onInput={(event) => setTokens(event.currentTarget.value)} />
      </label>
    </Confirm>
  )
}

const Usage = () => {
  const days = () => periods.find(([n]) => n === query("days"))?.[0] ?? "30"
  const of = () => query("of") === "tokens" ? "tokens" as const : "cost" as const
  const period = createMemo(() => ({
    from: dayOf(Date.now() - (Number(days()) - 1) * DayMillis),
    to: dayOf(Date.now())
  }))
  const byDay = createQuery("GET /api/v1/usage", () => ({ query: { ...period(), by: "day" as const } }))
  const byModel = createQuery("GET /api/v1/usage", () => ({ query: { ...period(), by: "model" as const } }))
  const byProject = createQuery("GET /api/v1/usage", () => ({ query: { by: "project" as const } }))
  // Titles rarely change, so they are read again only together with the sums.
  const projects = createQuery(
    "GET /api/v1/projects",
    () => (byProject.data()?.usage.length ?? 0) > 0 ? { query: { limit: "500" } } : undefined,
    byProject.data
  )
  const titles = createMemo(() => new Map(projects.data()?.projects.map(({ id, title }) => [id as string, title])))
  const [capping, setCapping] = createSignal(false)
  const shown = createMemo(() => byDay.data() === undefined ? undefined : daysOf(byDay.data()!))
  const sum = () => (byDay.data()?.usage ?? []).reduce((total, { cost_usd }) => total + cost_usd, 0)
  const tokens = () =>
    (byDay.data()?.usage ?? []).reduce((total, one) => total + one.input_tokens + one.output_tokens, 0)
  const caps = () => byDay.data()?.caps
  const cap = () => (of() === "cost" ? caps()?.max_cost_usd : caps()?.max_tokens) ?? null
  const hasAny = () => (byDay.data()?.usage.length ?? 0) > 0
  return (
    <div class="usage">
      <div class="screen-head">
        <h1>Usage</h1>
        <label class="inline">
          The last
          <select value={days()} onInput={(event) => setQuery({ days: event.currentTarget.value })}>
            <For each={periods}>{([n, text]) => <option value={n} selected={n === days()}>{text}</option>}</For>
          </select>
        </label>
        <label class="inline">
          As
          <select value={of()} onInput={(event) => setQuery({ of: event.currentTarget.value })}>
            <option value="cost">dollars</option>
            <option value="tokens" selected={of() === "tokens"}>tokens</option>
          </select>
        </label>
        <Show when={may("manage") && caps() !== undefined}>
          <Button onClick={() => setCapping(true)}>Caps …</Button>
        </Show>
      </div>
      <Refusal sentence={byDay.refusal() ?? byModel.refusal() ?? byProject.refusal()} />
      <Show when={byDay.data()}>
        {(found) => (
          <>
            <p>
              <strong class="usage-sum">{dollars(sum())}</strong>{" "}
              <span class="quiet">
                and {compact(tokens())} tokens from {found().from} to {found().to}, by UTC. {cap() === null
                  ? "No cap."
                  : `Cap: ${of() === "cost" ? dollars(cap()!) : `${compact(cap()!)} tokens`} a day.`}
              </span>
            </p>
            <Show
              when={hasAny()}
              fallback={
                <Empty title="Nothing was reported in these days.">
                  Agents report what they use with renewals and results: see <a href="../docs#tasks.renew">the API</a>.
                </Empty>
              }
            >
              <Suspense fallback={<div class="usage-wait" />}>
                <Plot
                  days={shown() ?? []}
                  of={of()}
                  cap={cap()}
                  label={of() === "cost" ? "Cost" : "Tokens"}
                />
              </Suspense>
              <div class="usage-tables">
                <Show when={(byModel.data()?.usage.length ?? 0) > 0}>
                  <Sums
                    title="By model"
                    of="Model"
                    sums={byModel.data()!.usage}
                    nameOf={({ model }) => model ?? "unknown"}
                  />
                </Show>
                <Sums
                  title="By day"
                  of="Day"
                  sums={found().usage.toReversed()}
                  nameOf={({ day }) => day ?? ""}
                />
              </div>
            </Show>
          </>
        )}
      </Show>
      <Show when={(byProject.data()?.usage.length ?? 0) > 0}>
        <Sums
          title="By project, since each was created"
          of="Project"
          sums={byProject.data()!.usage}
          nameOf={({ project_id }) => titles().get(project_id ?? "") ?? project_id ?? ""}
          link={({ project_id }) => href(["projects", project_id ?? ""])}
        />
      </Show>
      <Show when={capping()}>
        <Caps
          cost={caps()?.max_cost_usd ?? null}
          tokens={caps()?.max_tokens ?? null}
          onClose={() => setCapping(false)}
          again={byDay.again}
        />
      </Show>
    </div>
  )
}
export default Usage
