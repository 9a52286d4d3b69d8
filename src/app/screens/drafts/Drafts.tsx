/** Ideas, and what became of them. */
import { createSignal, For, Show } from "solid-js"
import type { Draft } from "../../api/Contract.ts"
import { createPages } from "../../api/pages.ts"
import { act } from "../../api/query.ts"
import { may, name } from "../../api/session.ts"
import { announce } from "../../parts/announce.ts"
import { Ago, Button, Empty, Refusal } from "../../parts/Basics.tsx"
import { Ask } from "../../parts/Dialog.tsx"
import { useRows } from "../../parts/rows.ts"
import { href, query, setQuery } from "../../Router.ts"
import "./drafts.css"
import { Promote } from "./Promote.tsx"

const tagsOf = (tags: string | null): ReadonlyArray<string> => {
  try {
    const found: unknown = JSON.parse(tags ?? "[]")
    return Array.isArray(found) ? found.map(String) : []
  } catch {
    return []
  }
}

/** The states that the page offers. A status is free text, so others may be there. */
const statuses = ["idea", "proposed", "approved", "promoted", "archived"]

const Drafts = () => {
  let list: HTMLElement | undefined
  const status = () => query("status")
  const drafts = createPages(
    "GET /api/v1/drafts",
    () => ({ query: { limit: "100", ...(status() === undefined ? {} : { status: status() }) } }),
    (page) => page.drafts
  )
  const [promoting, setPromoting] = createSignal<Draft>()
  const [writing, setWriting] = createSignal(false)
  const [refused, setRefused] = createSignal<string>()
  useRows(() => list)

  const archive = async (draft: Draft) => {
    const outcome = await act("PATCH /api/v1/drafts/:id", {
      params: { id: String(draft.id) },
      body: { status: "archived" }
    })
    setRefused("refused" in outcome ? outcome.refused : undefined)
    if ("done" in outcome) announce(`Archived: ${draft.title}`)
    drafts.again()
  }
  return (
    <>
      <div class="screen-head">
        <h1>Drafts</h1>
        <label class="inline">
          Status
          <select
            value={status() ?? ""}
            onInput={(event) => setQuery({ status: event.currentTarget.value || undefined })}
          >
            <option value="">all</option>
            <For each={[...new Set([...statuses, ...(status() === undefined ? [] : [status()!])])]}>
              {(one) => <option value={one} selected={one === status()}>{one}</option>}
            </For>
          </select>
        </label>
        <Show when={may("manage")}>
          <Button onClick={() => setWriting(true)}>New draft …</Button>
        </Show>
      </div>
      <Refusal sentence={refused() ?? drafts.refusal()} />
      <Show
        when={(drafts.items() ?? []).length > 0}
        fallback={
          <Show when={drafts.items() !== undefined}>
            <Empty title={status() === undefined ? "There is no draft." : `No draft is ${status()}.`}>
              A draft is an idea that may become a task or a project. People and agents write them down.
            </Empty>
          </Show>
        }
      >
        <ul class="drafts" ref={(element) => (list = element)}>
          <For each={drafts.items()}>
            {(draft) => (
              <li class="card" data-row={String(draft.id)}>
                <div>
                  <h2>{draft.title}</h2>
                  <p class="quiet drafts-more">
                    <strong class="drafts-status">{draft.status}</strong>
                    <span>
                      {draft.author}, <Ago at={draft.created_at} />
                    </span>
                    <Show when={draft.domain}>
                      <span>{draft.domain}</span>
                    </Show>
                    <Show when={draft.file_path}>
                      <code>{draft.file_path}</code>
                    </Show>
                    <For each={tagsOf(draft.tags)}>{(tag) => <span class="tag">{tag}</span>}</For>
                    <Show when={draft.linked_task_id}>
                      {(id) => (
                        <span>
                          became <a href={href(["task", id()])}>task {id()}</a>
                        </span>
                      )}
                    </Show>
                    <Show when={draft.linked_project_id}>
                      {(id) => (
                        <span>
                          became <a href={href(["projects", id()])}>project {id()}</a>
                        </span>
                      )}
                    </Show>
                  </p>
                </div>
                <Show when={may("manage") && draft.linked_task_id === null && draft.linked_project_id === null}>
                  <div class="buttons">
                    <Button onClick={() => setPromoting(draft)}>
                      Promote …<span class="unseen">{draft.title}</span>
                    </Button>
                    <Show when={draft.status !== "archived"}>
                      <Button kind="plain" onClick={() => void archive(draft)}>
                        Archive<span class="unseen">{draft.title}</span>
                      </Button>
                    </Show>
                  </div>
                </Show>
              </li>
            )}
          </For>
        </ul>
        <Show when={drafts.hasMore()}>
          <Button onClick={drafts.more} disabled={drafts.busy()}>Show more drafts</Button>
        </Show>
      </Show>
      <Show when={writing()}>
        <Ask
          title="New draft"
          label="The idea, in a few words"
          does="Write it down"
          onClose={() => setWriting(false)}
          send={async (title) => {
            const outcome = await act("POST /api/v1/drafts", { body: { title, author: name() } })
            if ("done" in outcome) announce(`Written down: ${title}`)
            drafts.again()
            return outcome
          }}
        />
      </Show>
      <Show when={promoting()}>
        {(draft) => <Promote draft={draft()} onClose={() => setPromoting(undefined)} again={drafts.again} />}
      </Show>
    </>
  )
}
export default Drafts
