/** The events with one ending, to go through. */
import { createMemo, createSignal, For, type JSX, Show } from "solid-js"
import { act } from "../../api/query.ts"
import { may, name } from "../../api/session.ts"
import type { Steady } from "../../api/steady.ts"
import { announce } from "../../parts/announce.ts"
import { Ago, Button, State, TaskLink } from "../../parts/Basics.tsx"
import { Ask } from "../../parts/Dialog.tsx"
import { useKeys } from "../../parts/keys.ts"
import { rowInFocus, useRows } from "../../parts/rows.ts"
import type { Happened } from "./endings.ts"

/** How many are shown at first, and with each further step. */
const Step = 100

export const Happenings = (props: {
  readonly steady: Steady<Happened>
  readonly titleOf: (project: string | null) => string
  /** Which entries stand above, under a heading of their own; undefined if all are alike. */
  readonly isAbove: ((item: Happened) => boolean) | undefined
  readonly fallback: JSX.Element
}) => {
  const [list, setList] = createSignal<HTMLElement>()
  const [most, setMost] = createSignal(Step)
  const [redriving, setRedriving] = createSignal<Happened["event"]>()
  const [terminal, setTerminal] = createSignal(false)
  const entries = () => props.steady.shown()
  const parts = createMemo(() => {
    const { isAbove } = props
    const shown = entries().slice(0, most())
    if (isAbove === undefined) return [{ title: undefined, entries: shown }]
    return [
      { title: "Still failed", entries: shown.filter(({ item }) => isAbove(item)) },
      { title: "Changed since", entries: shown.filter(({ item }) => !isAbove(item)) }
    ].filter(({ entries }) => entries.length > 0)
  })
  const mayRedrive = ({ event, next }: Happened) => may("manage") && event.to_queue === "failed" && next === undefined
  const ask = (event: Happened["event"]) => {
    setTerminal(false)
    setRedriving(event)
  }
  useRows(list)
  useKeys([{
    key: "d",
    does: "Redrives the task of the row, if it failed",
    run: () => {
      const item = entries().find(({ id }) => id === rowInFocus(list()))?.item
      if (item !== undefined && mayRedrive(item)) ask(item.event)
    }
  }])
  return (
    <>
      <Show when={props.steady.waiting() > 0}>
        <button type="button" class="news" onClick={() => props.steady.renew()}>{props.steady.waiting()} new</button>
      </Show>
      <Show when={entries().length > 0} fallback={props.fallback}>
        <div ref={setList}>
          <For each={parts()}>
            {({ entries, title }) => (
              <>
                <Show when={title}>
                  <h3>{title}</h3>
                </Show>
                <ul class="happenings">
                  <For each={entries}>
                    {({ id, item: { event, next } }) => (
                      <li data-row={id}>
                        <div class="happening">
                          <State state={event.event} />
                          <TaskLink id={event.task_id} title={event.title} />
                          <span class="quiet">
                            <Ago at={event.at} />
                          </span>
                        </div>
                        <Show when={event.reason}>
                          <p class="reason">{event.reason}</p>
                        </Show>
                        <p class="quiet">
                          {props.titleOf(event.project_id)}
                          <Show when={event.actor}>{` · ${event.actor}`}</Show>
                          <Show when={next}>
                            {(later) => (
                              <>
                                {" · then "}
                                <State state={later().event} /> <Ago at={later().at} />
                              </>
                            )}
                          </Show>
                        </p>
                        <Show when={mayRedrive({ event, next })}>
                          <Button keys="d" onClick={() => ask(event)}>
                            Redrive<span class="unseen">{event.title ?? event.task_id}</span>
                          </Button>
                        </Show>
                      </li>
                    )}
                  </For>
                </ul>
              </>
            )}
          </For>
        </div>
        <Show when={entries().length > most()}>
          <button type="button" class="news" onClick={() => setMost((n) => n + Step)}>
            {entries().length - most()} more
          </button>
        </Show>
      </Show>
      <Show when={redriving()}>
        {(event) => (
          <Ask
            title={`Redrive ${event().title ?? event().task_id}`}
            label="Why try it again? The history keeps it."
            does={terminal() ? "Redrive all the same" : "Redrive"}
            optional
            onClose={() => setRedriving(undefined)}
            send={async (reason) => {
              const outcome = await act("POST /api/v1/tasks/:id/redrive", {
                params: { id: event().task_id },
                body: {
                  redriven_by: name(),
                  ...(reason === "" ? {} : { reason }),
                  ...(terminal() ? { terminal: true } : {})
                }
              })
              if ("done" in outcome) announce(`${event().title ?? event().task_id} is in ${outcome.done.queue} again.`)
              else if (outcome.tag === "TerminalFailure") setTerminal(true)
              return outcome
            }}
          />
        )}
      </Show>
    </>
  )
}
