/** What happened since the last visit: done, failed, rejected, lost, and what it cost. */
import { createEffect, createMemo, createSignal, For, on, Show } from "solid-js"
import { overview } from "../../api/live.ts"
import { createQuery } from "../../api/query.ts"
import { scope } from "../../api/session.ts"
import { createSteady } from "../../api/steady.ts"
import { lastVisit } from "../../api/visits.ts"
import { Ago, Empty, Refusal, StateIcon } from "../../parts/Basics.tsx"
import { clock, dollars, exact, number, plural, toneOf } from "../../parts/words.ts"
import { href, query, setQuery } from "../../Router.ts"
import { createEvents } from "./events.ts"
import { Happenings } from "./Happenings.tsx"
import { Hours } from "./Hours.tsx"
import "./night.css"
import { type Ending, endings, type Happened, sumUp, titles } from "./endings.ts"

const Day = 86_400_000
const hoursAgo = (hours: number) => new Date(Date.now() - hours * 3_600_000).toISOString()

/** The times to choose from. */
const choices = () => {
  const visit = lastVisit()
  return [
    ...(visit === undefined
      ? []
      : [{ says: `your last visit, ${clock(visit)}`, since: new Date(visit).toISOString() }]),
    { says: "12 hours ago", since: hoursAgo(12) },
    { says: "24 hours ago", since: hoursAgo(24) },
    { says: "3 days ago", since: hoursAgo(72) }
  ]
}

/** Where a night begins unless the address says so: with the last visit, but not earlier than three days ago. */
const usual = (from: ReturnType<typeof choices>) => {
  const visit = lastVisit()
  return (visit === undefined ? from.at(-2) : visit < Date.now() - 3 * Day ? from.at(-1) : from[0])!.since
}

const Night = () => {
  const options = choices()
  const start = usual(options)
  const given = () => {
    const asked = query("since")
    return asked !== undefined && !Number.isNaN(Date.parse(asked)) ? new Date(asked).toISOString() : undefined
  }
  const since = createMemo(() => given() ?? start)
  // The address names the time, so that the viewer can send it to others.
  createEffect(() => given() === undefined && setQuery({ since: start }))

  const { events, progress, readRest, refusal, rest } = createEvents(since)
  const night = createMemo(() => events() === undefined ? undefined : sumUp(events()!))
  const countOf = (ending: Ending) => night() === undefined ? "–" : number(night()!.of[ending].length)
  const days = createQuery("GET /api/v1/usage", () => ({ query: { by: "day" as const, from: since().slice(0, 10) } }))
  const byProject = createQuery("GET /api/v1/usage", () => ({ query: { by: "project" as const } }))
  const cost = () => days.data()?.usage.reduce((sum, { cost_usd }) => sum + cost_usd, 0)
  const costOf = (project: string | null) =>
    byProject.data()?.usage.find(({ project_id }) => project_id === project)?.cost_usd

  const project = () => query("project")
  // The chosen group stays while new events arrive, but not in another scope.
  const [first, setFirst] = createSignal<Ending>()
  createEffect(on(scope, () => setFirst(undefined)))
  createEffect(() => {
    const found = night()
    if (found !== undefined && progress() === 1 && first() === undefined) {
      setFirst(endings.find((ending) => found.of[ending].length > 0) ?? "done")
    }
  })
  /** Undefined until it is known what there is to show. */
  const chosen = (): Ending | undefined => endings.find((ending) => ending === query("show")) ?? first()
  const shown = (): Ending => chosen() ?? "failed"
  const about = createMemo(() => `${shown()} ${project()} ${since()} ${scope()}`)
  /**
   * The failures that were still open when they were read. They stay above the others, so no line moves when one is
   * redriven.
   */
  let above = { about: "", events: new Set<number>() }
  const isAbove = ({ event }: Happened) => above.events.has(event.seq)
  const items = createMemo(() => {
    if (above.about !== about()) above = { about: about(), events: new Set() }
    const found = progress() < 1
      ? undefined
      : night()?.of[shown()].filter(({ event }) => project() === undefined || event.project_id === project())
    if (shown() !== "failed") return found
    for (const { event, next } of found ?? []) if (next === undefined) above.events.add(event.seq)
    return found?.toSorted((a, b) => Number(isAbove(b)) - Number(isAbove(a)))
  })
  const steady = createSteady(items, ({ event }) => String(event.seq), { about })
  const titleOf = (id: string | null) =>
    id === null ? "No project" : overview()?.projects.items.find((one) => one.id === id)?.title ?? id

  /** What stands under the number of an ending. */
  const underneath = (ending: Ending) => {
    const { of, stillFailed = 0 } = night() ?? {}
    if (ending === "lost") return "leases and deadlines"
    if (ending === "rejected") return "results"
    if (of === undefined) return "\u00a0"
    if (ending === "done") return plural(new Set(of.done.map(({ event }) => event.project_id)).size, "project")
    return of.failed.length === 0 ? "nothing" : `${number(stillFailed)} still failed`
  }

  return (
    <>
      <header class="night-head">
        <h1>What happened</h1>
        <label>
          since
          <select onChange={(event) => setQuery({ since: event.currentTarget.value })}>
            <Show when={!options.some((choice) => choice.since === since())}>
              <option value={since()} selected>{exact(since())}</option>
            </Show>
            <For each={options}>
              {(choice) => <option value={choice.since} selected={choice.since === since()}>{choice.says}</option>}
            </For>
          </select>
        </label>
        <span class="quiet" role="status">
          <Show when={progress() < 1} fallback={<Ago at={since()} />}>
            reading: {Math.round(progress() * 100)} %
          </Show>
        </span>
      </header>
      <Refusal sentence={refusal()} />
      <Show when={rest()}>
        <button type="button" class="news" onClick={readRest}>
          Only the first 20,000 changes since then are counted. Read on.
        </button>
      </Show>
      {/* The tiles and headings are there before the numbers, so nothing moves when these come. */}
      <ul class="tiles">
        <For each={endings}>
          {(ending) => (
            <li>
              <a
                class="tile"
                data-tone={toneOf(ending === "lost" ? "lease_expired" : ending)}
                href={href(["night"], { since: since(), show: ending })}
                aria-current={chosen() === ending ? "true" : undefined}
              >
                <span class="tile-name">
                  <StateIcon tone={toneOf(ending === "lost" ? "lease_expired" : ending)} />
                  {titles[ending]}
                </span>
                <span class="tile-number">{countOf(ending)}</span>
                <span class="quiet">
                  {underneath(ending)}
                </span>
              </a>
            </li>
          )}
        </For>
        <li>
          <div class="tile">
            <span class="tile-name">Cost</span>
            <span class="tile-number">{cost() === undefined ? "–" : dollars(cost()!)}</span>
            <span class="quiet">since {since().slice(0, 10)}, 0:00 UTC</span>
          </div>
        </li>
      </ul>
      <div class="night-parts">
        <section aria-labelledby="happened">
          <h2 id="happened">
            {chosen() === undefined ? "Reading …" : titles[shown()]}
            {project() === undefined ? "" : ` in ${titleOf(project()!)}`}
          </h2>
          <Show when={project()}>
            <p>
              <a href={href(["night"], { since: since(), show: shown() })}>All projects</a>
            </p>
          </Show>
          <Happenings
            steady={steady}
            titleOf={titleOf}
            isAbove={shown() === "failed" ? isAbove : undefined}
            fallback={
              <Show when={items() !== undefined}>
                <Empty
                  title={`Nothing ${
                    shown() === "lost"
                      ? "was lost"
                      : shown() === "rejected"
                      ? "was rejected"
                      : shown() === "done"
                      ? "was done"
                      : "failed"
                  } since then.`}
                >
                  {shown() === "done"
                    ? (
                      <>
                        See <a href={href(["now"])}>what is under way</a>.
                      </>
                    )
                    : (
                      <>
                        See <a href={href(["inbox"])}>what waits for you</a>.
                      </>
                    )}
                </Empty>
              </Show>
            }
          />
        </section>
        <aside>
          <section class="card" aria-labelledby="hours">
            <h2 id="hours">Done per hour</h2>
            <Hours />
          </section>
          <section class="card" aria-labelledby="projects">
            <h2 id="projects">Projects</h2>
            <Show
              when={(night()?.projects.length ?? 0) > 0}
              fallback={<p class="quiet">{progress() < 1 ? "Reading …" : "No project had a part in it."}</p>}
            >
              <div class="scroll" tabindex="0" role="group" aria-label="Table of projects">
                <table class="table">
                  <thead>
                    <tr>
                      <th>Project</th>
                      <For each={endings}>{(ending) => <th class="number">{titles[ending]}</th>}</For>
                      <th class="number">Cost in all</th>
                    </tr>
                  </thead>
                  <tbody>
                    <For each={night()!.projects}>
                      {({ counts, id }) => (
                        <tr>
                          <td>
                            {id === null
                              ? "No project"
                              : (
                                <a href={href(["night"], { since: since(), show: shown(), project: id })}>
                                  {titleOf(id)}
                                </a>
                              )}
                          </td>
                          <For each={endings}>
                            {(ending) => (
                              <td class="number" classList={{ quiet: counts[ending] === 0 }}>
                                {number(counts[ending])}
                              </td>
                            )}
                          </For>
                          <td class="number">
                            {id === null || costOf(id) === undefined ? "–" : dollars(costOf(id)!)}
                          </td>
                        </tr>
                      )}
                    </For>
                  </tbody>
                </table>
              </div>
            </Show>
          </section>
        </aside>
      </div>
    </>
  )
}
export default Night
