/** One task: what it is, where it stands and why, what can be done, and what happened. */
import { createEffect, createMemo, For, Show } from "solid-js"
import { createQuery } from "../../api/query.ts"
import { Address, Ago, Copy, Empty, Fact, Left, Prose, Refusal, State, StateIcon } from "../../parts/Basics.tsx"
import { compact, dollars, local, plural, span } from "../../parts/words.ts"
import { href, place } from "../../Router.ts"
import { Actions } from "./Actions.tsx"
import { Around } from "./Around.tsx"
import "./task.css"
import { Timeline } from "./Timeline.tsx"

const Shown = (props: { readonly id: string }) => {
  const task = createQuery("GET /api/v1/tasks/:id", () => ({ params: { id: props.id } }))
  const version = () => task.data()?.version ?? 0
  // A renewal is no change of the task, and may have brought a checkpoint.
  const handoff = createQuery(
    "GET /api/v1/tasks/:id/handoff",
    () => ({ params: { id: props.id } }),
    () => `${version()} ${task.data()?.lease_expires_at}`
  )
  const explain = createQuery("GET /api/v1/tasks/:id/explain", () => ({ params: { id: props.id } }))
  const project = createQuery(
    "GET /api/v1/projects/:id",
    () => {
      const id = task.data()?.project_id
      return id == null ? undefined : { params: { id } }
    },
    version
  )
  createEffect(() => {
    const title = task.data()?.title
    if (title !== undefined) document.title = `${title} · Octopoid`
  })
  const setbacks = () => handoff.data()?.setbacks ?? []
  return (
    <Show
      when={task.data()}
      fallback={
        <Show when={task.refusal()}>
          {(sentence) => (
            <Empty heading title="No such task here.">
              {sentence()} It may be in another scope, or deleted: see <a href={href(["night"])}>what happened</a>.
            </Empty>
          )}
        </Show>
      }
    >
      {(found) => (
        <article class="task-page">
          <header class="task-head">
            <p class="quiet">
              <Show when={found().project_id}>
                {(id) => <a href={href(["projects", id()])}>{project.data()?.title ?? id()}</a>}
              </Show>{" "}
              <code>{found().id}</code> <Copy text={found().id} what="the id" />
            </p>
            <h1>{found().title}</h1>
            <p class="task-state">
              <State state={found().queue} />
              <span>{found().priority}</span>
              <Show when={found().role}>
                <span>role {found().role}</span>
              </Show>
              <Show when={Number(found().needs_intervention) === 1}>
                <span class="state" data-tone="waiting">
                  <StateIcon tone="waiting" />needs a person
                </span>
              </Show>
              <span class="quiet">
                created <Ago at={found().created_at} />, changed <Ago at={found().updated_at} />
              </span>
            </p>
          </header>

          <Refusal sentence={task.refusal()} />
          <section class="card" aria-label="Where it stands">
            <Show when={explain.data()} fallback={<p class="quiet">{explain.refusal() ?? "…"}</p>}>
              {(why) => (
                <>
                  <p>
                    <strong>{local(why().summary)}</strong>
                  </p>
                  <Show when={why().reasons.length > 1}>
                    <ul class="task-reasons">
                      <For each={why().reasons.filter(({ message }) => !why().summary.includes(message))}>
                        {(reason) => <li classList={{ quiet: !reason.blocking }}>{local(reason.message)}</li>}
                      </For>
                    </ul>
                  </Show>
                </>
              )}
            </Show>
            <Show when={found().lease_expires_at}>
              {(at) => (
                <p class="task-lease">
                  <State state="claimed" words={found().queue === "provisional" ? "in review" : "held"} /> by{" "}
                  {found().claimed_by} {found().orchestrator_id === null ? "" : `on ${found().orchestrator_id}`} since
                  {" "}
                  <Ago at={found().claimed_at} bare />
                  {" · lease: "}
                  <Left at={at()} />
                  <Show when={found().deadline_at}>
                    {(deadline) => (
                      <>
                        {" · attempt: "}
                        <Left at={deadline()} />
                      </>
                    )}
                  </Show>
                </p>
              )}
            </Show>
            <Show when={found().cancel_requested_at}>
              {(at) => (
                <p>
                  <StateIcon tone="cancelled" /> Its holder was asked to stop <Ago at={at()} />
                  {found().cancel_reason === null ? "." : `: ${found().cancel_reason}`}
                </p>
              )}
            </Show>
            <Show when={found().waiting_for_reply}>
              {(question) => (
                <p>
                  <a href={href(["inbox", "message", question()])}>Answer its question</a>
                </p>
              )}
            </Show>
            <Show when={found().queue === "provisional"}>
              <p>
                <a href={href(["inbox", "task", found().id])}>Review it in the inbox</a>
              </p>
            </Show>
          </section>

          <Actions task={found()} again={task.again} />

          <Show when={found().resume_command}>
            {(command) => (
              <section class="task-resume" aria-label="Its session">
                <h2>Get into its session</h2>
                <p>
                  <code>{command()}</code> <Copy text={command()} what="the command that resumes the session" />
                </p>
                <Show when={found().session_token !== found().fencing_token}>
                  <p class="quiet">It is the session of an earlier holder.</p>
                </Show>
              </section>
            )}
          </Show>

          <dl class="facts card">
            <Fact name="Branch">
              <code>{found().branch}</code> <Copy text={found().branch} what="the branch" />
            </Fact>
            <Fact name="Head commit">{found().head_commit == null ? null : <code>{found().head_commit}</code>}</Fact>
            <Fact name="Pull request">
              {found().pr_url == null && found().pr_number === null
                ? null
                : <Address to={found().pr_url}>#{found().pr_number ?? ""}</Address>}
            </Fact>
            <Fact name="Session">{found().session_url == null ? null : <Address to={found().session_url} />}</Fact>
            <Fact name="Preview">{found().staging_url === null ? null : <Address to={found().staging_url} />}</Fact>
            <Fact name="Last result">
              {found().submitted_at === null ? null : (
                <>
                  {found().submitted_by ?? "somebody"}, <Ago at={found().submitted_at} />:{" "}
                  {plural(found().commits_count, "commit")}
                </>
              )}
            </Fact>
            <Fact name="Used">
              {found().cost_usd === undefined ?
                null
                : `${dollars(found().cost_usd!)}${
                  found().max_cost_usd == null ? "" : ` of ${dollars(found().max_cost_usd!)}`
                }, ${compact((found().input_tokens ?? 0) + (found().output_tokens ?? 0))} tokens, ${
                  span((found().wall_seconds ?? 0) * 1000)
                }`}
            </Fact>
            <Fact name="Lost or given up">
              {found().attempt_count === 0 ? null : plural(found().attempt_count, "attempt")}
            </Fact>
            <Fact name="Rejected">
              {found().rejection_count === 0 ? null : plural(found().rejection_count, "time")}
            </Fact>
            <Fact name="Flow">{found().flow === "default" ? null : found().flow}</Fact>
            <Fact name="File">
              <code>{found().file_path}</code>
            </Fact>
            <Fact name="Key of its creator">{found().external_key}</Fact>
          </dl>

          <div class="task-columns">
            <Timeline id={props.id} version={version()} handoff={handoff.data()} />
            <div class="task-texts">
              <Show when={found().failure_reason}>
                {(text) => (
                  <section>
                    <h2>Why it failed</h2>
                    <Prose text={text()} />
                  </section>
                )}
              </Show>
              <section aria-label="Handoff">
                <h2>What the next agent is told</h2>
                <Show
                  when={handoff.data()?.checkpoint != null || setbacks().length > 0 ||
                    (handoff.data()?.answers ?? []).length > 0}
                  fallback={<p class="quiet">Nothing yet: no checkpoint and no setback.</p>}
                >
                  <Show when={handoff.data()?.checkpoint}>
                    {(checkpoint) => (
                      <>
                        <p class="quiet">
                          Checkpoint {checkpoint().version}, <Ago at={checkpoint().at} />
                        </p>
                        <Prose
                          text={[checkpoint().notes, ...checkpoint().open_questions].filter(Boolean).join("\n\n")}
                        />
                      </>
                    )}
                  </Show>
                  <ul class="task-setbacks">
                    <For each={setbacks()}>
                      {(setback) => (
                        <li>
                          <State state={setback.event} />{" "}
                          <span class="quiet">
                            {setback.actor} · <Ago at={setback.at} />
                          </span>
                          <Show when={setback.reason}>
                            <p class="task-said">{setback.reason}</p>
                          </Show>
                        </li>
                      )}
                    </For>
                    <For each={handoff.data()?.answers ?? []}>
                      {(answer) => (
                        <li>
                          <p class="quiet">{answer.question}</p>
                          <p class="task-said">{answer.answer}</p>
                        </li>
                      )}
                    </For>
                  </ul>
                </Show>
              </section>
              <Show when={found().execution_notes}>
                {(text) => (
                  <section>
                    <h2>What the last agent says</h2>
                    <Prose text={text()} />
                  </section>
                )}
              </Show>
              <Show when={found().content}>
                {(text) => (
                  <section>
                    <h2>The task</h2>
                    <Prose text={text()} />
                  </section>
                )}
              </Show>
            </div>
          </div>
          <Around id={props.id} version={version()} />
        </article>
      )}
    </Show>
  )
}

const Task = () => {
  const id = createMemo(() => place().path[1])
  return (
    <Show
      when={id()}
      keyed
      fallback={<Empty heading title="Which task?">Open one from a list, or by its address: #/task/its-id.</Empty>}
    >
      {(one) => <Shown id={one} />}
    </Show>
  )
}
export default Task
