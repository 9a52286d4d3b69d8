/** What happened to the task, the newest first. */
import { createMemo, For, Match, Show, Switch } from "solid-js"
import type { Handoff, Message } from "../../api/Contract.ts"
import { createPages } from "../../api/pages.ts"
import { createQuery } from "../../api/query.ts"
import { Ago, Button, Refusal, State, StateIcon } from "../../parts/Basics.tsx"
import { clock, span, toneOf, words } from "../../parts/words.ts"
import { href } from "../../Router.ts"
import { type Chapter, chaptersOf, type Item } from "./timeline.ts"

/** How many messages are read: the newest. */
const MaxMessages = 200

const Details = (props: { readonly details: unknown }) => (
  <Show when={props.details != null && Object.keys(props.details as object).length > 0}>
    <details class="task-details">
      <summary>Details</summary>
      <pre class="prose" tabindex="0">{JSON.stringify(props.details, null, 2)}</pre>
    </details>
  </Show>
)

const isOpenQuestion = ({ status, type }: Message) =>
  (type === "question" || type === "intervention_request") && status !== "done"

const Entry = (props: { readonly item: Item }) => (
  <li class="task-item" data-kind={props.item.kind}>
    <Switch>
      <Match when={props.item.kind === "change" && props.item.entry}>
        {(entry) => (
          <>
            <p>
              <State state={entry().event} />
              <Show
                when={entry().from_queue !== entry().to_queue && entry().to_queue !== null &&
                  entry().to_queue !== entry().event}
              >
                <span class="quiet">→ {words(entry().to_queue!)}</span>
              </Show>
              <span class="quiet">
                <Show when={entry().actor}>{entry().actor} ·{" "}</Show>
                <Ago at={entry().at} />
              </span>
            </p>
            <Show when={entry().reason}>
              <p class="task-said">{entry().reason}</p>
            </Show>
            <Details details={entry().details} />
          </>
        )}
      </Match>
      <Match when={props.item.kind === "message" && props.item.message}>
        {(message) => (
          <>
            <p>
              <span class="state" data-tone={isOpenQuestion(message()) ? "waiting" : "other"}>
                <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
                  <path d="M2 3.5h12v8H7l-3 2.5v-2.5H2z" />
                </svg>
                {words(message().type)}
              </span>
              <span class="quiet">
                {message().from_actor}
                {message().to_actor === null ? "" : ` to ${message().to_actor}`} · <Ago at={message().created_at} />
              </span>
              <Show when={isOpenQuestion(message())}>
                <a href={href(["inbox", "message", message().id])}>Answer</a>
              </Show>
            </p>
            <p class="task-said">{message().content}</p>
          </>
        )}
      </Match>
      <Match when={props.item.kind === "checkpoint" && props.item.checkpoint}>
        {(checkpoint) => (
          <>
            <p>
              <span class="state" data-tone="held">
                <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
                  <path d="M4 14V2.5h8L10 6l2 3.5H4" />
                </svg>
                last checkpoint
              </span>
              <span class="quiet">
                <Show when={checkpoint().head_commit}>
                  <code>{checkpoint().head_commit}</code> ·{" "}
                </Show>
                <Ago at={checkpoint().at} />
              </span>
            </p>
            <Show when={checkpoint().notes}>
              <p class="task-said">{checkpoint().notes}</p>
            </Show>
            <For each={checkpoint().open_questions}>
              {(question) => <p class="task-said">Open: {question}</p>}
            </For>
          </>
        )}
      </Match>
    </Switch>
  </li>
)

const titleOf = ({ attempt, holder }: Chapter) =>
  holder === undefined
    ? "Nobody held it"
    : attempt === undefined
    ? `Review by ${holder}`
    : `Attempt ${attempt}: ${holder}`

const Part = (props: { readonly chapter: Chapter; readonly isLast: boolean }) => (
  <section class="task-chapter" data-held={props.chapter.holder === undefined ? undefined : ""}>
    <header>
      <h3>{titleOf(props.chapter)}</h3>
      <span class="quiet">
        {clock(props.chapter.from)}
        <Show when={props.chapter.until}>
          {(until) => <>, for {span(Date.parse(until()) - Date.parse(props.chapter.from))}</>}
        </Show>
      </span>
      <Show when={props.chapter.end}>
        {(end) => <State state={end()} />}
      </Show>
      <Show when={props.chapter.holder !== undefined && props.chapter.end === undefined && props.isLast}>
        <span class="state" data-tone="held">
          <StateIcon tone={toneOf("claimed")} />still held
        </span>
      </Show>
    </header>
    <ol>
      <For each={props.chapter.items.toReversed()}>{(item) => <Entry item={item} />}</For>
    </ol>
  </section>
)

export const Timeline = (
  props: { readonly id: string; readonly version: number; readonly handoff: Handoff | undefined }
) => {
  const history = createPages(
    "GET /api/v1/tasks/:id/history",
    () => ({ params: { id: props.id } }),
    (answer) => answer.history,
    () => props.version
  )
  const mail = createQuery(
    "GET /api/v1/tasks/:id/messages",
    () => ({ params: { id: props.id }, query: { limit: String(MaxMessages) } })
  )
  // The story is shown once all of it has arrived, so that text does not move while somebody reads it.
  const chapters = createMemo(() => {
    const [entries, messages] = [history.items(), mail.data()?.messages]
    return entries === undefined || messages === undefined
      ? []
      : chaptersOf(entries, messages, props.handoff?.checkpoint ?? null).toReversed()
  })
  return (
    <section aria-label="What happened">
      <h2>What happened</h2>
      <Refusal sentence={history.refusal() ?? mail.refusal()} />
      <Show when={history.hasMore()}>
        <Button onClick={history.more} disabled={history.busy()}>Show what happened later</Button>
      </Show>
      <For each={chapters()}>{(chapter, n) => <Part chapter={chapter} isLast={n() === 0} />}</For>
      <Show when={(mail.data()?.total ?? 0) > MaxMessages}>
        <p class="quiet">Of {mail.data()!.total} messages, the newest {MaxMessages} are shown.</p>
      </Show>
    </section>
  )
}
