/** A machine: whether it sends heartbeats, and the tasks it holds. */
import { createSignal, For, Show } from "solid-js"
import type { Machine as Registered } from "../../api/Contract.ts"
import { act } from "../../api/query.ts"
import { may } from "../../api/session.ts"
import { announce } from "../../parts/announce.ts"
import { Ago, Button, Left, Refusal, State, StateIcon, TaskLink } from "../../parts/Basics.tsx"
import type { Held } from "./Now.tsx"
import { isSilent } from "./silence.ts"

export const Machine = (props: {
  /** Undefined for the tasks that no registered machine holds. */
  readonly machine: () => Registered | undefined
  readonly held: () => ReadonlyArray<Held>
  /** When the holders of tasks were asked to stop, by the id of the task. */
  readonly stopping: () => ReadonlyMap<string, string>
  readonly onCancel: (task: Held) => void
  readonly again: () => void
}) => {
  const [refused, setRefused] = createSignal<string>()
  const [busy, setBusy] = createSignal(false)
  const maintain = async (machine: Registered) => {
    const status = machine.status === "maintenance" ? "active" : "maintenance"
    setBusy(true)
    const outcome = await act("PATCH /api/v1/orchestrators/:id", { params: { id: machine.id }, body: { status } })
    setBusy(false)
    setRefused("refused" in outcome ? outcome.refused : undefined)
    if ("done" in outcome) {
      announce(status === "active" ? `${machine.id} gets work again.` : `${machine.id} gets no more work.`)
    }
    props.again()
  }
  return (
    <section class="card machine" aria-label={props.machine()?.id ?? "Without a registered machine"}>
      <header>
        <h2>{props.machine()?.id ?? "Without a registered machine"}</h2>
        <Show when={props.machine()}>
          {(machine) => (
            <>
              <Show when={may("manage")}>
                <Button disabled={busy()} onClick={() => void maintain(machine())}>
                  {machine().status === "maintenance" ? "End maintenance" : "Put into maintenance"}
                  <span class="unseen">of {machine().id}</span>
                </Button>
              </Show>
              <p>
                <Show
                  when={isSilent(machine())}
                  fallback={
                    <>
                      <State state={machine().status} />{" "}
                      <span class="quiet">
                        heard <Ago at={machine().last_heartbeat} />
                      </span>
                    </>
                  }
                >
                  <span class="state" data-tone="lost">
                    <StateIcon tone="lost" />
                    silent for <Ago at={machine().last_heartbeat} bare />
                  </span>
                </Show>
              </p>
            </>
          )}
        </Show>
      </header>
      <Refusal sentence={refused()} />
      <Show when={props.held().length > 0} fallback={<p class="quiet">Holds nothing.</p>}>
        <ul>
          <For each={props.held()}>
            {(task) => (
              <li data-row={task.task_id}>
                <TaskLink id={task.task_id} title={task.title} />
                <Show when={may("manage")}>
                  <Button keys="c" onClick={() => props.onCancel(task)}>
                    Cancel …<span class="unseen">{task.title ?? task.task_id}</span>
                  </Button>
                </Show>
                <p class="quiet held">
                  <State state={task.queue} words={task.queue === "claimed" ? "working" : "reviewing"} />{" "}
                  {task.claimed_by}, since <Ago at={task.claimed_at} bare />
                  {" · lease: "}
                  <Left at={task.lease_expires_at} />
                  <Show when={task.deadline_at}>
                    {(at) => (
                      <>
                        {" · attempt: "}
                        <Left at={at()} />
                      </>
                    )}
                  </Show>
                </p>
                <Show when={task.note}>
                  <p class="note">
                    {task.note}{" "}
                    <span class="quiet">
                      <Ago at={task.note_at} />
                    </span>
                  </p>
                </Show>
                <Show when={props.stopping().get(task.task_id)}>
                  {(at) => (
                    <p class="notice-line">
                      <StateIcon tone="cancelled" />Asked to stop <Ago at={at()} />
                    </p>
                  )}
                </Show>
              </li>
            )}
          </For>
        </ul>
      </Show>
    </section>
  )
}
