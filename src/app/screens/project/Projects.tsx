/** The projects, and one of them. */
import { createMemo, For, Show } from "solid-js"
import { createPages } from "../../api/pages.ts"
import { createQuery } from "../../api/query.ts"
import { Ago, Button, Empty, Refusal } from "../../parts/Basics.tsx"
import { Progress } from "../../parts/Progress.tsx"
import { useRows } from "../../parts/rows.ts"
import { compact, dollars } from "../../parts/words.ts"
import { href, place } from "../../Router.ts"
import { Project } from "./Project.tsx"
import "./project.css"

const List = () => {
  let list: HTMLElement | undefined
  const projects = createPages("GET /api/v1/projects", () => ({ query: { limit: "100" } }), (page) => page.projects)
  const usage = createQuery("GET /api/v1/usage", () => ({ query: { by: "project" as const } }))
  const used = createMemo(() => new Map((usage.data()?.usage ?? []).map((sum) => [sum.project_id as string, sum])))
  useRows(() => list)
  return (
    <>
      <h1>Projects</h1>
      <Refusal sentence={projects.refusal() ?? usage.refusal()} />
      <Show
        when={(projects.items() ?? []).length > 0}
        fallback={
          <Show when={projects.items() !== undefined}>
            <Empty title="There is no project.">
              Promote <a href={href(["drafts"])}>a draft</a>, or create one with <code>POST /api/v1/projects</code>: see
              {" "}
              <a href="../docs#projects.create">the API</a>.
            </Empty>
          </Show>
        }
      >
        <ul class="projects" ref={(element) => (list = element)}>
          <For each={projects.items()}>
            {(project) => (
              <li class="card" data-row={project.id}>
                <h2>
                  <a href={href(["projects", project.id])}>{project.title}</a>
                </h2>
                <Progress counts={project.counts} />
                <p class="quiet projects-more">
                  <span>{project.status}</span>
                  <code>{project.branch}</code>
                  <Show when={used().get(project.id)}>
                    {(sum) => (
                      <span>
                        {dollars(sum().cost_usd)}
                        {project.max_cost_usd == null ? "" : ` of ${dollars(project.max_cost_usd)}`},{" "}
                        {compact(sum().input_tokens + sum().output_tokens)} tokens
                      </span>
                    )}
                  </Show>
                  <span>
                    changed <Ago at={project.updated_at} />
                  </span>
                </p>
              </li>
            )}
          </For>
        </ul>
        <Show when={projects.hasMore()}>
          <Button onClick={projects.more} disabled={projects.busy()}>Show more projects</Button>
        </Show>
      </Show>
    </>
  )
}

const Projects = () => {
  const id = createMemo(() => place().path[1])
  return <Show when={id()} keyed fallback={<List />}>{(one) => <Project id={one} />}</Show>
}
export default Projects
