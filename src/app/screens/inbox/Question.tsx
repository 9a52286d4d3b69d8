/** One question: what is asked, about which task, and the reply. */
import { createSignal, For, Show } from "solid-js"
import { act, createQuery } from "../../api/query.ts"
import { may, name } from "../../api/session.ts"
import { Ago, Button, Prose, Refusal, State, StateIcon, TaskLink } from "../../parts/Basics.tsx"
import { useKeys } from "../../parts/keys.ts"
import { words } from "../../parts/words.ts"

/** Whether a question is short enough to be shown as its heading. */
const isShort = (content: string) => content.length <= 160 && !content.includes("\n")

export const Question = (props: {
  readonly id: string
  readonly settled: string | undefined
  readonly gone: boolean
  readonly onSettled: (what: string) => void
}) => {
  const message = createQuery("GET /api/v1/messages/:id", () => ({ params: { id: props.id } }))
  const about = () => message.data()?.task_id
  const task = createQuery(
    "GET /api/v1/tasks/:id",
    () => about() === undefined ? undefined : { params: { id: about()! }, query: { content: "false" as const } }
  )
  const thread = createQuery("GET /api/v1/messages", () => ({ query: { thread_id: props.id } }))
  const replies = () => thread.data()?.messages.filter(({ id }) => id !== props.id) ?? []
  const [text, setText] = createSignal("")
  const [refused, setRefused] = createSignal<string>()
  const [busy, setBusy] = createSignal(false)
  const [field, setField] = createSignal<HTMLTextAreaElement>()
  const isSettled = () =>
    props.settled !== undefined || props.gone || message.data()?.status === "done" || replies().length > 0

  const settle = (what: string) => props.onSettled(`${what} ${message.data()?.from_actor ?? ""}`.trim())
  const reply = async () => {
    const asked = message.data()
    if (asked === undefined || text().trim() === "" || busy()) return
    setBusy(true)
    const outcome = await act("POST /api/v1/messages", {
      body: {
        task_id: asked.task_id,
        from_actor: name(),
        to_actor: asked.from_actor,
        type: "comment",
        content: text().trim(),
        parent_message_id: asked.id
      }
    })
    setBusy(false)
    if ("done" in outcome) settle("Answered")
    else setRefused(outcome.refused)
  }
  const dismiss = async () => {
    const outcome = await act("PATCH /api/v1/messages/:id", { params: { id: props.id }, body: { status: "done" } })
    if ("done" in outcome) settle("Set aside the question of")
    else setRefused(outcome.refused)
  }
  useKeys([{ key: "e", does: "Replies to the question", run: () => field()?.focus() }])

  return (
    <article>
      <Refusal sentence={message.refusal()} />
      <Show when={message.data()}>
        {(asked) => (
          <>
            <header class="detail-head">
              <h2>{isShort(asked().content) ? asked().content : `${asked().from_actor} asks`}</h2>
              <span class="quiet">
                {words(asked().type)} of {asked().from_actor}
                {asked().to_actor === null ? "" : ` to ${asked().to_actor}`} · <Ago at={asked().created_at} />
              </span>
            </header>
            <Show when={isSettled()}>
              <p class="notice" role="status">
                <StateIcon tone="done" />
                {props.settled ?? "Somebody has settled this question."}
              </p>
            </Show>
            <Show when={!isShort(asked().content)}>
              <Prose text={asked().content} />
            </Show>
            <p>
              About{" "}
              <Show when={task.data()} fallback={<code>{asked().task_id}</code>}>
                {(found) => (
                  <>
                    <TaskLink id={found().id} title={found().title} /> <State state={found().queue} />
                    <Show when={found().waiting_for_reply === asked().id}>
                      {" · "}
                      <strong>The task waits for the reply.</strong>
                    </Show>
                  </>
                )}
              </Show>
            </p>
            <For each={replies()}>
              {(one) => (
                <section>
                  <h3>
                    {one.from_actor}{" "}
                    <span class="quiet">
                      <Ago at={one.created_at} />
                    </span>
                  </h3>
                  <Prose text={one.content} />
                </section>
              )}
            </For>
            <Show when={may("work")} fallback={<p class="quiet">Your key may read, and not reply.</p>}>
              <form
                class="reply"
                onSubmit={(event) => {
                  event.preventDefault()
                  void reply()
                }}
              >
                <label>
                  Your reply
                  <textarea
                    rows="4"
                    required
                    ref={setField}
                    value={text()}
                    onInput={(event) => setText(event.currentTarget.value)}
                    onKeyDown={(event) => {
                      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) void reply()
                      if (event.key === "Escape") field()?.blur()
                    }}
                  />
                </label>
                <Refusal sentence={refused()} />
                <div class="buttons">
                  <Button type="submit" kind="primary" disabled={busy()}>Reply</Button>
                  <Show when={!isSettled()}>
                    <Button onClick={() => void dismiss()}>Needs no reply</Button>
                  </Show>
                  <span class="quiet">
                    <kbd>e</kbd> writes, Ctrl + Enter sends
                  </span>
                </div>
              </form>
            </Show>
          </>
        )}
      </Show>
    </article>
  )
}
