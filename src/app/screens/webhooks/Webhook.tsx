/** One webhook: whether it works, its log, and what can be done. */
import { createSignal, For, Match, Show, Switch } from "solid-js"
import type { Webhook as Registered } from "../../api/Contract.ts"
import { news } from "../../api/live.ts"
import { act, type Answered, createQuery } from "../../api/query.ts"
import { announce } from "../../parts/announce.ts"
import { Ago, Button, Refusal, StateIcon } from "../../parts/Basics.tsx"
import { Confirm } from "../../parts/Dialog.tsx"
import type { Tone } from "../../parts/words.ts"
import { number, plural, words } from "../../parts/words.ts"

const stateOf = ({ delivered_at, enabled, failing_since }: Registered): readonly [Tone, string] =>
  !enabled
    ? ["cancelled", "disabled"]
    : failing_since !== null
    ? ["failed", "fails"]
    : delivered_at === null
    ? ["ready", "nothing sent yet"]
    : ["done", "works"]

/**
 * The log. The feed does not show a message that this page has sent. So `sent` counts those messages, and the log is
 * read again.
 */
const Deliveries = (props: { readonly id: string; readonly sent: number }) => {
  const log = createQuery(
    "GET /api/v1/webhooks/:id/deliveries",
    () => ({ params: { id: props.id } }),
    () => [news(), props.sent]
  )
  return (
    <>
      <Refusal sentence={log.refusal()} />
      <Show
        when={(log.data()?.deliveries ?? []).length > 0}
        fallback={
          <Show when={log.data() !== undefined}>
            <p class="quiet">Nothing was sent yet.</p>
          </Show>
        }
      >
        <div class="scroll" tabindex="0" role="group" aria-label="Deliveries">
          <table class="table">
            <thead>
              <tr>
                <th>Event</th>
                <th>Sent</th>
                <th>Answer</th>
                <th class="number">Took</th>
              </tr>
            </thead>
            <tbody>
              <For each={log.data()!.deliveries}>
                {(delivery) => (
                  <tr>
                    <td>
                      {words(delivery.event)}{" "}
                      <span class="quiet">
                        {delivery.seq === null ? "" : number(delivery.seq)}
                        {delivery.attempt > 1 ? `, attempt ${delivery.attempt}` : ""}
                      </span>
                    </td>
                    <td>
                      <Ago at={delivery.at} />
                    </td>
                    <td class="wrap">
                      <StateIcon tone={delivery.error === null ? "done" : "failed"} /> {delivery.status ?? ""}{" "}
                      {delivery.error}
                      <Show when={delivery.response}>
                        <br />
                        <code class="quiet">{delivery.response}</code>
                      </Show>
                    </td>
                    <td class="number">{number(delivery.millis)} ms</td>
                  </tr>
                )}
              </For>
            </tbody>
          </table>
        </div>
      </Show>
    </>
  )
}

export const Webhook = (props: {
  readonly webhook: Registered
  readonly again: () => void
  readonly onSecret: (secret: string) => void
}) => {
  const [shows, setShows] = createSignal(false)
  const [asks, setAsks] = createSignal<"again" | "secret" | "delete">()
  const [after, setAfter] = createSignal("")
  const [refused, setRefused] = createSignal<string>()
  const [busy, setBusy] = createSignal(false)
  const [sent, setSent] = createSignal(0)
  const title = () => props.webhook.name || props.webhook.url
  const params = () => ({ id: props.webhook.id })
  async function done<A>(outcome: Promise<Answered<A>>, say: (answer: A) => string): Promise<Answered<A>> {
    setBusy(true)
    const found = await outcome
    setBusy(false)
    setRefused("refused" in found ? found.refused : undefined)
    if ("done" in found) announce(say(found.done))
    setSent((n) => n + 1)
    props.again()
    return found
  }
  const closing = { onClose: () => setAsks(undefined) }
  return (
    <section class="card" aria-label={title()}>
      <header class="webhook-head">
        <h2>{title()}</h2>
        <span class="state" data-tone={stateOf(props.webhook)[0]}>
          <StateIcon tone={stateOf(props.webhook)[0]} />
          {stateOf(props.webhook)[1]}
        </span>
      </header>
      <p class="wrap">
        <code>{props.webhook.url}</code>
      </p>
      <p class="quiet">
        {props.webhook.types === null ? "All events" : props.webhook.types.map(words).join(", ")}
        {props.webhook.project_id === null ? "" : ` of the project ${props.webhook.project_id}`} · came to event{" "}
        {number(props.webhook.position)}
        <Show when={props.webhook.delivered_at}>
          {(at) => (
            <>
              {" · accepted "}
              <Ago at={at()} />
            </>
          )}
        </Show>
      </p>
      <Show when={!props.webhook.enabled}>
        <p>
          Nothing is sent since <Ago at={props.webhook.disabled_at} />
          {props.webhook.disabled_reason === null ? "." : `: ${props.webhook.disabled_reason}`}
        </p>
      </Show>
      <Show when={props.webhook.enabled && props.webhook.failing_since}>
        {(at) => (
          <p class="warn">
            Its next event was sent {plural(props.webhook.attempts, "time")} since{" "}
            <Ago at={at()} />, and not accepted. Next attempt: <Ago at={props.webhook.next_attempt_at} />.
          </p>
        )}
      </Show>
      <div class="buttons">
        <Button
          disabled={busy()}
          onClick={() =>
            void done(
              act("POST /api/v1/webhooks/:id/test", { params: params(), body: null }),
              (answer) => answer.error === null ? `${title()} accepted the test.` : `The test failed: ${answer.error}`
            )}
        >
          Send a test<span class="unseen">to {title()}</span>
        </Button>
        <Button
          disabled={busy()}
          onClick={() =>
            void done(
              act("PATCH /api/v1/webhooks/:id", { params: params(), body: { enabled: !props.webhook.enabled } }),
              ({ enabled }) => enabled ? `${title()} gets events again.` : `${title()} gets no more events.`
            )}
        >
          {props.webhook.enabled ? "Disable" : "Enable"}
          <span class="unseen">{title()}</span>
        </Button>
        <Button onClick={() => setAsks("again")}>
          Send again …<span class="unseen">to {title()}</span>
        </Button>
        <Button onClick={() => setAsks("secret")}>
          New secret …<span class="unseen">for {title()}</span>
        </Button>
        <Button kind="danger" onClick={() => setAsks("delete")}>
          Delete …<span class="unseen">{title()}</span>
        </Button>
        <Button kind="plain" aria-expanded={shows()} onClick={() => setShows(!shows())}>
          {shows() ? "Hide the log" : "Show the log"}
          <span class="unseen">of {title()}</span>
        </Button>
      </div>
      <Refusal sentence={refused()} />
      <Show when={shows()}>
        <Deliveries id={props.webhook.id} sent={sent()} />
      </Show>
      <Switch>
        <Match when={asks() === "again"}>
          <Confirm
            {...closing}
            title={`Send events again to ${title()}`}
            does="Send them"
            send={() =>
              done(
                act("POST /api/v1/webhooks/:id/redeliver", {
                  params: params(),
                  body: { after: after() === "" ? "latest" : Number(after()) }
                }),
                () => `${title()} goes on from there.`
              )}
          >
            <label>
              The events after this number; empty leaves out all that were not sent yet
              <input
                type="number"
                min="0"
                value={after()}
                onInput={(event) => setAfter(event.currentTarget.value)}
              />
            </label>
            <p class="quiet">It has come to event {number(props.webhook.position)}.</p>
          </Confirm>
        </Match>
        <Match when={asks() === "secret"}>
          <Confirm
            {...closing}
            title={`A new secret for ${title()}`}
            does="Make it"
            send={async () => {
              const found = await done(
                act("PATCH /api/v1/webhooks/:id", { params: params(), body: { rotate_secret: true } }),
                () => `${title()} has a new secret.`
              )
              if ("done" in found && found.done.secret !== undefined) props.onSecret(found.done.secret)
              return found
            }}
          >
            <p>The present one signs for another 24 hours, so the receiver has time to change.</p>
          </Confirm>
        </Match>
        <Match when={asks() === "delete"}>
          <Confirm
            {...closing}
            title={`Delete ${title()}`}
            does="Delete it"
            kind="danger"
            send={() => done(act("DELETE /api/v1/webhooks/:id", { params: params() }), () => `${title()} is deleted.`)}
          >
            <p>It gets nothing any more, and its log is deleted too.</p>
          </Confirm>
        </Match>
      </Switch>
    </section>
  )
}
