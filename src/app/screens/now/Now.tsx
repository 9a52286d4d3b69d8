/** What is under way: the machines and what they hold, and what is ready. */
import { createMemo, createSignal, For, Show } from "solid-js"
import type { Overview } from "../../api/Contract.ts"
import { overview } from "../../api/live.ts"
import { act, createQuery } from "../../api/query.ts"
import { may, name } from "../../api/session.ts"
import { announce } from "../../parts/announce.ts"
import { Empty, Refusal } from "../../parts/Basics.tsx"
import { Ask } from "../../parts/Dialog.tsx"
import { useKeys } from "../../parts/keys.ts"
import { rowInFocus, useRows } from "../../parts/rows.ts"
import { plural } from "../../parts/words.ts"
import { Machine } from "./Machine.tsx"
import "./now.css"
import { Ready } from "./Ready.tsx"
import { isSilent } from "./silence.ts"

export type Held = Overview["held"]["items"][number]

const Now = () => {
  const machines = createQuery("GET /api/v1/orchestrators", () => ({}))
  // The overview does not say who was asked to stop.
  const leased = createQuery("GET /api/v1/tasks", () => ({
    query: { queue: "claimed,provisional", content: "false" as const, limit: "500" }
  }))
  const stopping = createMemo(() =>
    new Map(
      (leased.data()?.tasks ?? []).flatMap(({ cancel_requested_at, id }) =>
        cancel_requested_at === null ? [] : [[id, cancel_requested_at]]
      )
    )
  )
  const [cancelling, setCancelling] = createSignal<Held>()
  const [list, setList] = createSignal<HTMLElement>()
  const held = () => overview()?.held.items ?? []
  const heldBy = createMemo(() => Map.groupBy(held(), ({ orchestrator_id }) => orchestrator_id ?? ""))
  /** The machines that hold something come first, then by name. */
  const sorted = createMemo(() =>
    (machines.data()?.orchestrators ?? []).toSorted((a, b) =>
      Number((heldBy().get(b.id)?.length ?? 0) > 0) - Number((heldBy().get(a.id)?.length ?? 0) > 0) ||
      a.id.localeCompare(b.id)
    )
  )
  /** Tasks whose machine is not registered, or not named. */
  const others = () => {
    const known = new Set(machines.data()?.orchestrators.map(({ id }) => id))
    return held().filter(({ orchestrator_id }) => orchestrator_id === null || !known.has(orchestrator_id))
  }
  const silent = () => (machines.data()?.orchestrators ?? []).filter(isSilent).length
  useRows(list)
  useKeys([{
    key: "c",
    does: "Cancels the task of the row",
    run: () => {
      const task = held().find(({ task_id }) => task_id === rowInFocus(list()))
      if (task !== undefined && may("manage")) setCancelling(task)
    }
  }])
  return (
    <div ref={setList}>
      <h1>What is under way</h1>
      <p class="quiet now-sum" aria-live="off">
        <Show when={overview()}>
          {(found) => (
            <>
              {found().held.exact ? "" : "at least "}
              {plural(found().held.total, "task")} held on {plural(sorted().length, "machine")}
              {silent() > 0 ? `, ${silent()} of them silent` : ""} · {plural(found().queues["incoming"] ?? 0, "task")}
              {" "}
              incoming
            </>
          )}
        </Show>
      </p>
      <Refusal sentence={machines.refusal()} />
      <Show when={machines.data() !== undefined && sorted().length === 0}>
        <Empty title="No machine is registered.">
          Start an orchestrator, or try <code>node examples/worker.ts</code>.
        </Empty>
      </Show>
      <Show when={(overview()?.held.total ?? 0) > held().length}>
        <p class="quiet">The {held().length} leases that end first are shown.</p>
      </Show>
      <div class="machines">
        <For each={sorted().map(({ id }) => id)}>
          {(id) => (
            <Machine
              machine={() => sorted().find((one) => one.id === id)}
              held={() => heldBy().get(id) ?? []}
              stopping={stopping}
              onCancel={setCancelling}
              again={machines.again}
            />
          )}
        </For>
        <Show when={machines.data() !== undefined && others().length > 0}>
          <Machine
            machine={() => undefined}
            held={others}
            stopping={stopping}
            onCancel={setCancelling}
            again={machines.again}
          />
        </Show>
      </div>
      {/* Before the machines are there, the list would be pushed down by them. */}
      <Show when={machines.data() !== undefined || machines.refusal() !== undefined}>
        <Ready />
      </Show>
      <Show when={cancelling()}>
        {(task) => (
          <Ask
            title={`Cancel ${task().title ?? task().task_id}`}
            label="Why? Its holder and the history get the reason."
            does="Cancel the task"
            kind="danger"
            optional
            onClose={() => setCancelling(undefined)}
            send={async (reason) => {
              const outcome = await act("POST /api/v1/tasks/:id/cancel", {
                params: { id: task().task_id },
                body: { cancelled_by: name(), ...(reason === "" ? {} : { reason }) }
              })
              if ("done" in outcome) {
                announce(
                  outcome.done.queue === "cancelled"
                    ? `${task().title ?? task().task_id} is cancelled.`
                    : `${
                      outcome.done.claimed_by ?? "Its holder"
                    } was asked to stop. The task is cancelled when the lease ends.`
                )
              }
              return outcome
            }}
          >
            <p class="quiet">
              {task().claimed_by} is asked to stop at the next renewal. The task is cancelled when its lease ends.
            </p>
          </Ask>
        )}
      </Show>
    </div>
  )
}
export default Now
