/** One project: how far it is, what it cost, its board, and what waits for what. */
import { createEffect, lazy, Match, Show, Suspense, Switch } from "solid-js"
import { createQuery } from "../../api/query.ts"
import { Address, Ago, Copy, Empty, Fact, Prose, Refusal } from "../../parts/Basics.tsx"
import { Progress } from "../../parts/Progress.tsx"
import { compact, dollars, number, span } from "../../parts/words.ts"
import { href, query } from "../../Router.ts"
import { Board } from "./Board.tsx"

const Dependencies = lazy(() => import("./Dependencies.tsx"))

const views = [["board", "Board"], ["dependencies", "Dependencies"]] as const

export const Project = (props: { readonly id: string }) => {
  const project = createQuery("GET /api/v1/projects/:id", () => ({ params: { id: props.id } }))
  const usage = createQuery("GET /api/v1/usage", () => ({ query: { by: "project" as const } }))
  const used = () => usage.data()?.usage.find(({ project_id }) => project_id === props.id)
  const view = () => query("show") ?? "board"
  const finished = () => {
    const { cancelled = 0, done = 0, failed = 0 } = project.data()?.counts ?? {}
    return done + failed + cancelled
  }
  createEffect(() => {
    const title = project.data()?.title
    if (title !== undefined) document.title = `${title} · Octopoid`
  })
  return (
    <Show
      when={project.data()}
      fallback={
        <Show when={project.refusal()}>
          {(sentence) => (
            <Empty heading title="No such project here.">
              {sentence()}. It may be in another scope: see <a href={href(["projects"])}>the projects</a>.
            </Empty>
          )}
        </Show>
      }
    >
      {(found) => (
        <article class="project">
          <header>
            <p class="quiet">
              <a href={href(["projects"])}>Projects</a> / <code>{found().id}</code>
            </p>
            <h1>{found().title}</h1>
            <Progress counts={found().counts} />
          </header>
          <Refusal sentence={project.refusal()} />
          <dl class="facts">
            <Fact name="Status">{found().status}</Fact>
            <Fact name="Branch">
              <code>{found().branch}</code> <Copy text={found().branch ?? ""} what="the branch" />
            </Fact>
            <Fact name="Cost">
              <Show when={used()} fallback="nothing reported">
                {(sum) => (
                  <span classList={{ warn: found().max_cost_usd != null && sum().cost_usd >= found().max_cost_usd! }}>
                    {dollars(sum().cost_usd)}
                    {found().max_cost_usd == null ? "" : ` of ${dollars(found().max_cost_usd!)}`}
                  </span>
                )}
              </Show>
            </Fact>
            <Fact name="For each finished task">
              {used() === undefined || finished() === 0 ? null : dollars(used()!.cost_usd / finished())}
            </Fact>
            <Fact name="Tokens">
              {used() === undefined
                ? null
                : `${compact(used()!.input_tokens + used()!.output_tokens)}${
                  found().max_tokens == null ? "" : ` of ${compact(found().max_tokens!)}`
                }`}
            </Fact>
            <Fact name="Work">{used() === undefined ? null : span(used()!.wall_seconds * 1000)}</Fact>
            <Fact name="Pull request">
              {found().pr_url === null && found().pr_number === null
                ? null
                : <Address to={found().pr_url}>#{found().pr_number ?? ""}</Address>}
            </Fact>
            <Fact name="Evidence that an accept needs">{found().evidence_required?.join(", ")}</Fact>
            <Fact name="Review rounds at most">
              {found().max_review_rounds == null ? null : number(found().max_review_rounds!)}
            </Fact>
            <Fact name="Created">
              <Ago at={found().created_at} />
            </Fact>
          </dl>
          <Show when={found().description}>
            {(text) => (
              <details>
                <summary>What it is about</summary>
                <Prose text={text()} />
              </details>
            )}
          </Show>
          <nav class="tabs" aria-label="Views of the project">
            {views.map(([name, title]) => (
              <a
                href={href(["projects", props.id], name === "board" ? {} : { show: name })}
                aria-current={view() === name ? "page" : undefined}
              >
                {title}
              </a>
            ))}
          </nav>
          <Switch fallback={<Board id={props.id} counts={found().counts} />}>
            <Match when={view() === "dependencies"}>
              <Suspense fallback={<p class="quiet">Loading …</p>}>
                <Dependencies id={props.id} />
              </Suspense>
            </Match>
          </Switch>
        </article>
      )}
    </Show>
  )
}
