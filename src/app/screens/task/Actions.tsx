/** The actions of the task: those that its state allows, and why the others are not. */
import { createSignal, For, Match, Show, Switch } from "solid-js"
import type { Task } from "../../api/Contract.ts"
import { act, type Answered, createQuery } from "../../api/query.ts"
import { isAdministrator, may, name } from "../../api/session.ts"
import { announce } from "../../parts/announce.ts"
import { Button, Refusal } from "../../parts/Basics.tsx"
import { Ask } from "../../parts/Dialog.tsx"
import { stepsOf } from "../../parts/flow.ts"
import { words } from "../../parts/words.ts"
import { go, href } from "../../Router.ts"
import { type ActionName, actionsOf } from "./actions.ts"

const queues = [
  "incoming",
  "provisional",
  "needs_continuation",
  "requires-intervention",
  "failed",
  "cancelled",
  "done"
] as const
const priorities = ["P0", "P1", "P2", "P3"]

const kindOf = (action: ActionName): "primary" | "danger" | undefined =>
  action === "accept" ? "primary" : action === "delete" ? "danger" : undefined

export const Actions = (props: { readonly task: Task; readonly again: () => void }) => {
  const [asks, setAsks] = createSignal<ActionName>()
  const [refused, setRefused] = createSignal<string>()
  const [busy, setBusy] = createSignal(false)
  const [queue, setQueue] = createSignal<string>("incoming")
  const [priority, setPriority] = createSignal("")
  const flows = createQuery("GET /api/v1/flows", () => ({}), () => props.task.flow)
  const steps = () => {
    const flow = flows.data()?.flows.find((one) => one.name === props.task.flow)
    return flow === undefined ? undefined : stepsOf(flow)
  }
  const actions = () =>
    actionsOf({
      task: props.task,
      steps: steps(),
      mayManage: may("manage"),
      mayWork: may("work"),
      mayForce: isAdministrator()
    })
  const params = () => ({ id: props.task.id })
  /** The task that the viewer saw. A task that has changed since is left alone. */
  const seen = () => ({ version: props.task.version, ...lease() })
  const lease = () => props.task.fencing_token === null ? {} : { fencing_token: props.task.fencing_token }

  /** Does something, and says so. */
  const done = async (what: string, outcome: Promise<Answered<unknown>>): Promise<Answered<unknown>> => {
    setBusy(true)
    const found = await outcome
    setBusy(false)
    setRefused("refused" in found ? found.refused : undefined)
    if ("done" in found) announce(`${what}: ${props.task.title}`)
    props.again()
    return found
  }
  const now: Partial<Record<ActionName, () => void>> = {
    accept: () =>
      void done(
        "Accepted",
        act("POST /api/v1/tasks/:id/accept", { params: params(), body: { accepted_by: name(), ...seen() } })
      ),
    release: () =>
      void done(
        "Released",
        act("POST /api/v1/tasks/:id/requeue", {
          params: params(),
          body: { release: true, requeued_by: name(), ...seen() }
        })
      )
  }
  const reason = (text: string) => text === "" ? {} : { reason: text }
  const start = (action: ActionName) => {
    setRefused(undefined)
    if (action === "edit") setPriority(props.task.priority)
    const at = now[action]
    if (at === undefined) setAsks(action)
    else at()
  }
  const closing = { onClose: () => setAsks(undefined) }
  return (
    <section aria-label="What can be done">
      <div class="buttons">
        <For each={actions().filter(({ not }) => not === undefined)}>
          {(action) => (
            <Button
              {...(kindOf(action.name) === undefined ? {} : { kind: kindOf(action.name)! })}
              title={action.does}
              disabled={busy()}
              onClick={() => start(action.name)}
            >
              {action.label}
            </Button>
          )}
        </For>
      </div>
      <Refusal sentence={refused()} />
      <details class="task-not">
        <summary>What cannot be done now, and why</summary>
        <dl>
          <For each={actions().filter(({ not }) => not !== undefined)}>
            {(action) => (
              <div>
                <dt>{action.label.replace(" …", "")}</dt>
                <dd class="quiet">{action.not}</dd>
              </div>
            )}
          </For>
        </dl>
      </details>
      <Switch>
        <Match when={asks() === "reject"}>
          <Ask
            {...closing}
            title={`Reject ${props.task.title}`}
            label="What is wrong with it? The next agent reads this."
            does="Reject"
            kind="danger"
            send={(text) =>
              done(
                "Rejected",
                act("POST /api/v1/tasks/:id/reject", {
                  params: params(),
                  body: { rejected_by: name(), reason: text, ...seen() }
                })
              )}
          />
        </Match>
        <Match when={asks() === "requeue"}>
          <Ask
            {...closing}
            title={`Give up the attempt on ${props.task.title}`}
            label="Why? It is kept in the history."
            does="Give it up"
            optional
            send={(text) =>
              done(
                "Given up",
                act("POST /api/v1/tasks/:id/requeue", {
                  params: params(),
                  body: { requeued_by: name(), ...reason(text), ...seen() }
                })
              )}
          >
            <p class="quiet">It goes back to where it was claimed from, and this counts as an attempt.</p>
          </Ask>
        </Match>
        <Match when={asks() === "cancel"}>
          <Ask
            {...closing}
            title={`Cancel ${props.task.title}`}
            label="Why? Its holder and the history get the reason."
            does="Cancel the task"
            kind="danger"
            optional
            send={(text) =>
              done(
                props.task.lease_expires_at === null ? "Cancelled" : "Its holder is asked to stop",
                act("POST /api/v1/tasks/:id/cancel", {
                  params: params(),
                  body: { cancelled_by: name(), ...reason(text), ...seen() }
                })
              )}
          >
            <Show when={props.task.lease_expires_at}>
              <p class="quiet">
                {props.task.claimed_by} is asked to stop at the next renewal. The task is cancelled when its lease ends.
              </p>
            </Show>
          </Ask>
        </Match>
        <Match when={asks() === "fail"}>
          <Ask
            {...closing}
            title={`Fail ${props.task.title}`}
            label="Why can it not be done?"
            does="Fail the task"
            kind="danger"
            send={(text) =>
              done(
                "Failed",
                act("POST /api/v1/tasks/:id/fail", {
                  params: params(),
                  body: { failed_by: name(), reason: text, ...seen() }
                })
              )}
          />
        </Match>
        <Match when={asks() === "redrive"}>
          <Ask
            {...closing}
            title={`Redrive ${props.task.title}`}
            label="Why should it work now? It is kept in the history."
            does="Redrive"
            optional
            send={(text) =>
              done(
                "Redriven",
                act("POST /api/v1/tasks/:id/redrive", {
                  params: params(),
                  body: {
                    redriven_by: name(),
                    ...reason(text),
                    ...(Number(props.task.terminal) === 1 ? { terminal: true } : {}),
                    version: props.task.version
                  }
                })
              )}
          >
            <p class="quiet">
              {Number(props.task.terminal) === 1
                ? `It failed for a reason that no retry mends: ${
                  props.task.failure_reason ?? "none was given"
                }. Redrive it only if that is gone.`
                : "Its attempts, lost leases and rejections count from 0 again."}
            </p>
          </Ask>
        </Match>
        <Match when={asks() === "message"}>
          <Ask
            {...closing}
            title={`Message about ${props.task.title}`}
            label={`To ${props.task.claimed_by ?? props.task.submitted_by ?? "the next holder"}`}
            does="Send"
            send={(content) =>
              done(
                "Sent",
                act("POST /api/v1/messages", {
                  body: {
                    task_id: props.task.id,
                    from_actor: name(),
                    to_actor: props.task.claimed_by ?? props.task.submitted_by ?? null,
                    type: "comment",
                    content
                  }
                })
              )}
          />
        </Match>
        <Match when={asks() === "edit"}>
          <Ask
            {...closing}
            title="Title and priority"
            label="A new title; empty keeps the present one"
            does="Change it"
            optional
            send={(title) =>
              done(
                "Changed",
                act("PATCH /api/v1/tasks/:id", {
                  params: params(),
                  body: { priority: priority(), ...(title === "" ? {} : { title }), version: props.task.version }
                })
              )}
          >
            <label>
              Priority
              <select value={priority()} onInput={(event) => setPriority(event.currentTarget.value)}>
                <For each={[...new Set([...priorities, props.task.priority])]}>
                  {(one) => <option value={one} selected={one === priority()}>{one}</option>}
                </For>
              </select>
            </label>
          </Ask>
        </Match>
        <Match when={asks() === "force"}>
          <Ask
            {...closing}
            title={`Force ${props.task.title} into a queue`}
            label="Why? It is kept in the history, and sent as a message."
            does="Force it"
            kind="danger"
            send={(text) =>
              done(
                "Forced",
                act("POST /api/v1/tasks/:id/force-queue", {
                  params: params(),
                  body: { queue: queue(), reason: text, actor: name(), ...seen() }
                })
              )}
          >
            <label>
              Queue
              <select value={queue()} onInput={(event) => setQueue(event.currentTarget.value)}>
                <For each={[...new Set([...queues, ...(steps() ?? []).flatMap(({ from, to }) => [from, to])])]}>
                  {(one) => <option value={one}>{words(one)}</option>}
                </For>
              </select>
            </label>
          </Ask>
        </Match>
        <Match when={asks() === "delete"}>
          <Ask
            {...closing}
            title={`Delete ${props.task.title}`}
            label={`Write ${props.task.id} to delete it for good`}
            does="Delete"
            kind="danger"
            send={async (text) => {
              if (text !== props.task.id) {
                return { refused: `That is not ${props.task.id}, so nothing was deleted.`, tag: undefined }
              }
              const found = await done("Deleted", act("DELETE /api/v1/tasks/:id", { params: params() }))
              if ("done" in found) {
                go(href(props.task.project_id === null ? ["night"] : ["projects", props.task.project_id]))
              }
              return found
            }}
          />
        </Match>
      </Switch>
    </section>
  )
}
