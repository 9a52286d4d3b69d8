/** A draft becomes a task or a project. */
import { createSignal, For, Show } from "solid-js"
import type { Draft } from "../../api/Contract.ts"
import { createPages } from "../../api/pages.ts"
import { act } from "../../api/query.ts"
import { name } from "../../api/session.ts"
import { announce } from "../../parts/announce.ts"
import { Button, Refusal } from "../../parts/Basics.tsx"
import { Dialog } from "../../parts/Dialog.tsx"
import { go, href } from "../../Router.ts"

/** A name for files and branches: letters of a to z, digits and hyphens. */
const slugOf = (title: string) =>
  title.normalize("NFKD").toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 40)

export const Promote = (props: { readonly draft: Draft; readonly onClose: () => void; readonly again: () => void }) => {
  const { draft } = props
  const slug = draft.slug || slugOf(draft.title) || `draft-${draft.id}`
  const [kind, setKind] = createSignal<"task" | "project">("task")
  const [id, setId] = createSignal(`${slug}-${draft.id}`)
  const [title, setTitle] = createSignal(draft.title)
  const [priority, setPriority] = createSignal("P2")
  const [role, setRole] = createSignal("")
  const [content, setContent] = createSignal("")
  const [project, setProject] = createSignal("")
  const [branch, setBranch] = createSignal(`feature/${slug}`)
  const [refused, setRefused] = createSignal<string>()
  const [busy, setBusy] = createSignal(false)
  const projects = createPages("GET /api/v1/projects", () => ({ query: { limit: "500" } }), (page) => page.projects)

  const submit = async () => {
    setBusy(true)
    const outcome = await act(
      "POST /api/v1/drafts/:id/promote",
      {
        params: { id: String(draft.id) },
        body: kind() === "task"
          ? {
            task: {
              id: id(),
              title: title(),
              priority: priority(),
              ...(role() === "" ? {} : { role: role() }),
              ...(content() === "" ? {} : { content: content() }),
              ...(project() === "" ? {} : { project_id: project() })
            }
          }
          : {
            project: {
              id: id(),
              title: title(),
              branch: branch(),
              status: "active",
              created_by: name(),
              ...(content() === "" ? {} : { description: content() })
            }
          }
      } as Parameters<typeof act<"POST /api/v1/drafts/:id/promote">>[1]
    )
    setBusy(false)
    if ("refused" in outcome) return setRefused(outcome.refused)
    announce(`Promoted: ${draft.title}`)
    props.again()
    props.onClose()
    go(href([kind() === "task" ? "task" : "projects", id()]))
  }
  return (
    <Dialog title={`Promote ${draft.title}`} open onClose={props.onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          if (!busy()) void submit()
        }}
      >
        <fieldset class="choice">
          <legend>It becomes</legend>
          <For each={["task", "project"] as const}>
            {(one) => (
              <label class="check">
                <input
                  type="radio"
                  name="kind"
                  checked={kind() === one}
                  onInput={() => setKind(one)}
                />a {one}
              </label>
            )}
          </For>
        </fieldset>
        <label>
          Title
          <input type="text" required value={title()} onInput={(event) => setTitle(event.currentTarget.value)} />
        </label>
        <label>
          Id
          <input type="text" required value={id()} onInput={(event) => setId(event.currentTarget.value)} />
        </label>
        <Show
          when={kind() === "task"}
          fallback={
            <label>
              Branch
              <input type="text" required value={branch()} onInput={(event) => setBranch(event.currentTarget.value)} />
            </label>
          }
        >
          <div class="pair">
            <label>
              Priority
              <select value={priority()} onInput={(event) => setPriority(event.currentTarget.value)}>
                <For each={["P0", "P1", "P2", "P3"]}>
                  {(one) => <option value={one} selected={one === priority()}>{one}</option>}
                </For>
              </select>
            </label>
            <label>
              Role, if only some agents may have it
              <input type="text" value={role()} onInput={(event) => setRole(event.currentTarget.value)} />
            </label>
          </div>
          <label>
            Project
            <select value={project()} onInput={(event) => setProject(event.currentTarget.value)}>
              <option value="">none</option>
              <For each={projects.items()}>{(one) => <option value={one.id}>{one.title}</option>}</For>
            </select>
          </label>
        </Show>
        <label>
          {kind() === "task" ? "What to do, in full" : "What it is about, in full"}
          <textarea rows="4" value={content()} onInput={(event) => setContent(event.currentTarget.value)} />
        </label>
        <Refusal sentence={refused() ?? projects.refusal()} />
        <footer>
          <Button onClick={() => props.onClose()}>Keep it as a draft</Button>
          <Button type="submit" kind="primary" disabled={busy()}>Promote</Button>
        </footer>
      </form>
    </Dialog>
  )
}
