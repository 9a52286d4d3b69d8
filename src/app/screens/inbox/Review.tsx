/** One result: what was done, what shows that it works, what went wrong before; and the verdict. */
import { createMemo, createSignal, For, Show } from "solid-js"
import type { Task } from "../../api/Contract.ts"
import { act, createQuery } from "../../api/query.ts"
import { may, name } from "../../api/session.ts"
import {
  Address,
  Ago,
  Button,
  Copy,
  Fact,
  Left,
  Prose,
  Refusal,
  State,
  StateIcon,
  TaskLink
} from "../../parts/Basics.tsx"
import { Ask } from "../../parts/Dialog.tsx"
import { useKeys } from "../../parts/keys.ts"
import { compact, dollars, number, plural, span, words } from "../../parts/words.ts"

/** The results of checks: JSON text, or any other text. */
const pretty = (text: string): string => {
  try {
    return JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    return text
  }
}

const reviewable = new Set(["provisional", "claimed"])

export const Review = (props: {
  readonly id: string
  readonly settled: string | undefined
  readonly gone: boolean
  readonly onSettled: (what: string) => void
}) => {
  const task = createQuery("GET /api/v1/tasks/:id", () => ({ params: { id: props.id } }))
  const handoff = createQuery("GET /api/v1/tasks/:id/handoff", () => ({ params: { id: props.id } }))
  const project = createQuery("GET /api/v1/projects/:id", () => {
    const id = task.data()?.project_id
    return id == null ? undefined : { params: { id } }
  })
  const [refused, setRefused] = createSignal<string>()
  const [asks, setAsks] = createSignal<"reject" | "reply">()
  const [busy, setBusy] = createSignal(false)
  /** The task as the viewer saw it first: the verdict is about this version. */
  const [seen, setSeen] = createSignal<Task>()
  const present = createMemo(() => {
    const found = task.data()
    if (found !== undefined && seen() === undefined) setSeen(found)
    return found
  })
  const isSettled = () =>
    props.settled !== undefined || props.gone || (present() !== undefined && !reviewable.has(present()!.queue))
  const hasChanged = () =>
    !isSettled() && present() !== undefined && seen() !== undefined && present()!.version !== seen()!.version

  const accept = async () => {
    const about = seen()
    if (about === undefined || busy() || isSettled()) return
    setBusy(true)
    const outcome = await act("POST /api/v1/tasks/:id/accept", {
      params: { id: props.id },
      body: { accepted_by: name(), version: about.version }
    })
    setBusy(false)
    if ("done" in outcome) return props.onSettled(`Accepted ${about.title}`)
    setRefused(outcome.refused)
    task.again()
  }
  const canJudge = () => may("manage") && !isSettled()
  useKeys([
    { key: "a", does: "Accepts the result", run: () => canJudge() && void accept() },
    { key: "r", does: "Rejects the result, with a reason", run: () => canJudge() && setAsks("reject") },
    { key: "e", does: "Writes a message to the agent", run: () => may("work") && setAsks("reply") }
  ])

  const required = () => project.data()?.evidence_required ?? []
  const missing = () => required().filter((kind) => !(present()?.evidence ?? []).some((item) => item.kind === kind))

  return (
    <article>
      <Refusal sentence={task.refusal()} />
      <Show when={present()}>
        {(found) => (
          <>
            <header class="detail-head">
              <h2>
                <TaskLink id={found().id} title={found().title} />
              </h2>
              <State state={found().queue} />
            </header>
            <Show when={isSettled()}>
              <p class="notice" role="status">
                <StateIcon tone="done" />
                {props.settled ?? (
                  <>
                    Somebody else has settled this. It is in <State state={found().queue} /> now.
                  </>
                )}
              </p>
            </Show>
            <Show when={!isSettled() && found().claimed_by}>
              <p class="notice">
                <StateIcon tone="held" />
                {found().claimed_by} reviews it, since <Ago at={found().claimed_at} />
                <Show when={found().lease_expires_at}>
                  {(at) => (
                    <>
                      {" ("}
                      <Left at={at()} />
                      {")"}
                    </>
                  )}
                </Show>.
              </p>
            </Show>
            <Show when={hasChanged()}>
              <p class="notice" role="status">
                <StateIcon tone="review" />The task has changed since you opened it.
                <Button onClick={() => setSeen(found())}>Judge it as it is now</Button>
              </p>
            </Show>
            <Show when={!isSettled()}>
              <div class="buttons verdict">
                <Show when={may("manage")} fallback={<p class="quiet">Your key may read, and not judge.</p>}>
                  <Button kind="primary" keys="a" disabled={busy()} onClick={() => void accept()}>Accept</Button>
                  <Button kind="danger" keys="r" onClick={() => setAsks("reject")}>Reject …</Button>
                </Show>
                <Show when={may("work")}>
                  <Button keys="e" onClick={() => setAsks("reply")}>Message …</Button>
                </Show>
              </div>
            </Show>
            <Refusal sentence={refused()} />

            <dl class="facts card">
              <Fact name="Handed in by">
                {found().submitted_by}{" "}
                <span class="quiet">
                  <Ago at={found().submitted_at} />
                </span>
              </Fact>
              <Fact name="Machine">{found().submitted_orchestrator_id}</Fact>
              <Fact name="Project">{project.data()?.title ?? found().project_id}</Fact>
              <Fact name="Branch">
                <code>{found().branch}</code> <Copy text={found().branch} what="the branch" />
              </Fact>
              <Fact name="Head commit">{found().head_commit == null ? null : <code>{found().head_commit}</code>}</Fact>
              <Fact name="Pull request">
                {found().pr_url == null && found().pr_number === null
                  ? null
                  : <Address to={found().pr_url}>#{found().pr_number ?? ""}</Address>}
              </Fact>
              <Fact name="Preview">{found().staging_url === null ? null : <Address to={found().staging_url} />}</Fact>
              <Fact name="Work">
                {plural(found().commits_count, "commit")}
                {found().turns_used === null ? "" : `, ${plural(found().turns_used!, "turn")}`}
              </Fact>
              <Fact name="Used">
                {found().cost_usd === undefined ?
                  null
                  : `${dollars(found().cost_usd!)}, ${
                    compact((found().input_tokens ?? 0) + (found().output_tokens ?? 0))
                  } tokens, ${span((found().wall_seconds ?? 0) * 1000)}`}
              </Fact>
              <Fact name="Before">
                {[
                  ...(found().rejection_count > 0 ? [plural(found().rejection_count, "rejection")] : []),
                  ...(found().attempt_count > 0 ? [plural(found().attempt_count, "lost attempt")] : [])
                ].join(", ") || "The first attempt"}
              </Fact>
              <Fact name="Session">{found().session_url == null ? null : <Address to={found().session_url} />}</Fact>
            </dl>

            <section>
              <h3>Evidence</h3>
              <Show when={missing().length > 0}>
                <p class="notice">
                  <StateIcon tone="failed" />The project requires evidence that is missing: {missing().join(", ")}.
                </p>
              </Show>
              <Show
                when={(found().evidence ?? []).length > 0}
                fallback={<p class="quiet">The agent handed in none.</p>}
              >
                <ul class="evidence">
                  <For each={found().evidence}>
                    {(item) => (
                      <li>
                        <StateIcon tone={(item.exit_code ?? 0) === 0 ? "done" : "failed"} />
                        <span>
                          <strong>{item.kind}</strong>
                          {item.exit_code === null
                            ? ""
                            : item.exit_code === 0
                            ? " passed"
                            : ` ended with ${number(item.exit_code)}`}
                          <Show when={item.command}>
                            {" · "}
                            <code>{item.command}</code>
                          </Show>
                          <Show
                            when={item.commit !== null && found().head_commit != null &&
                              item.commit !== found().head_commit}
                          >
                            <span class="warn">
                              {" · of another commit, "}
                              <code>{item.commit}</code>
                            </span>
                          </Show>
                          <Show when={item.summary}>
                            <br />
                            {item.summary}
                          </Show>
                          <Show when={item.url}>
                            {(url) => (
                              <>
                                <br />
                                <Address to={url()} />
                              </>
                            )}
                          </Show>
                        </span>
                      </li>
                    )}
                  </For>
                </ul>
              </Show>
            </section>
            <Show when={found().checks}>
              {(checks) => (
                <section>
                  <h3>Checks it has to pass</h3>
                  <Prose text={checks()} />
                </section>
              )}
            </Show>
            <Show when={found().check_results}>
              {(text) => (
                <section>
                  <h3>Results of checks</h3>
                  <Prose text={pretty(text())} />
                </section>
              )}
            </Show>
            <Show when={found().execution_notes}>
              {(text) => (
                <section>
                  <h3>What the agent says</h3>
                  <Prose text={text()} />
                </section>
              )}
            </Show>
            <Show when={found().last_rejection_reason}>
              {(text) => (
                <section>
                  <h3>Last rejection</h3>
                  <Prose text={text()} />
                </section>
              )}
            </Show>
            <Show when={(handoff.data()?.setbacks ?? []).length > 0}>
              <section>
                <h3>Setbacks</h3>
                <ul class="evidence">
                  <For each={handoff.data()!.setbacks}>
                    {(setback) => (
                      <li>
                        <span>
                          <State state={setback.event} words={words(setback.event)} />{" "}
                          <span class="quiet">
                            <Ago at={setback.at} /> · {setback.actor}
                          </span>
                          <Show when={setback.reason}>
                            <br />
                            {setback.reason}
                          </Show>
                        </span>
                      </li>
                    )}
                  </For>
                </ul>
              </section>
            </Show>
            <Show when={handoff.data()?.checkpoint?.notes}>
              {(text) => (
                <section>
                  <h3>Last checkpoint</h3>
                  <Prose text={text()} />
                </section>
              )}
            </Show>
            <Show when={found().content}>
              {(text) => (
                <section>
                  <h3>The task</h3>
                  <Prose text={text()} />
                </section>
              )}
            </Show>

            <Show when={asks() === "reject"}>
              <Ask
                title={`Reject ${found().title}`}
                label="What is wrong with it? The next agent reads this."
                does="Reject"
                kind="danger"
                onClose={() => setAsks(undefined)}
                send={async (reason) => {
                  const outcome = await act("POST /api/v1/tasks/:id/reject", {
                    params: { id: props.id },
                    body: { rejected_by: name(), reason, version: seen()!.version }
                  })
                  if ("done" in outcome) props.onSettled(`Rejected ${found().title}`)
                  else task.again()
                  return outcome
                }}
              />
            </Show>
            <Show when={asks() === "reply"}>
              <Ask
                title={`Message about ${found().title}`}
                label={`To ${found().submitted_by ?? "its agent"}`}
                does="Send"
                onClose={() => setAsks(undefined)}
                send={(content) =>
                  act("POST /api/v1/messages", {
                    body: {
                      task_id: props.id,
                      from_actor: name(),
                      to_actor: found().submitted_by ?? null,
                      type: "comment",
                      content
                    }
                  })}
              />
            </Show>
          </>
        )}
      </Show>
    </article>
  )
}
