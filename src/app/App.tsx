/** The frame of all screens: navigation, scope, connection, key, help. */
import { createEffect, createMemo, createSignal, For, onMount, Show, Suspense } from "solid-js"
import { Dynamic } from "solid-js/web"
import { connection, failure, follow, overview } from "./api/live.ts"
import { identify, who } from "./api/session.ts"
import { announce, said } from "./parts/announce.ts"
import { Empty } from "./parts/Basics.tsx"
import { Caller, Connection, Help, KeyDialog, Scopes, Theme } from "./parts/Frame.tsx"
import { listen, useKeys } from "./parts/keys.ts"
import { More } from "./parts/More.tsx"
import { href, screenName } from "./Router.ts"
import { screens } from "./screens/screens.ts"

export const App = () => {
  const [asking, setAsking] = createSignal(false)
  const [helping, setHelping] = createSignal(false)
  const screen = createMemo(() => screens.find(({ name }) => name === screenName()))
  const waiting = () => (overview()?.reviews.total ?? 0) + (overview()?.questions.total ?? 0)
  // The code of the screen is under way while the server is asked who looks.
  createEffect(() => void screen()?.load.preload())
  follow()
  listen()
  useKeys([{ key: "?", does: "Shows what the keys do", run: () => setHelping(true) }])
  onMount(() => void identify())
  createEffect(() => {
    document.title = `${screenName() === "inbox" && waiting() > 0 ? `(${waiting()}) ` : ""}${
      screen()?.title ?? "Not found"
    } · Octopoid`
  })
  return (
    <>
      <a
        class="skip"
        href="#main"
        onClick={(event) => {
          event.preventDefault()
          document.getElementById("main")?.focus()
        }}
      >
        Skip to the content
      </a>
      <header class="frame">
        <nav aria-label="Screens">
          <For each={screens.filter(({ listed }) => listed === true)}>
            {({ name, title }) => (
              <a href={href([name])} aria-current={screenName() === name ? "page" : undefined}>
                {title}
                <Show when={name === "inbox" && waiting() > 0}>
                  <span class="count">
                    {waiting()}
                    <span class="unseen">&nbsp;waiting</span>
                  </span>
                </Show>
              </a>
            )}
          </For>
          <More screens={screens.filter(({ listed }) => listed === "more")} />
        </nav>
        <p class="said" role="status" title={said()} onClick={() => announce("")}>{said()}</p>
        <div class="tools">
          <Connection />
          <Scopes />
          <Theme />
          <a class="button" data-kind="plain" href="../docs">API</a>
          <Caller onChange={() => setAsking(true)} onHelp={() => setHelping(true)} />
        </div>
      </header>
      <Show when={connection() === "offline" && failure()}>
        {(sentence) => <p class="offline" role="status">{sentence()} The page tries again by itself.</p>}
      </Show>
      <main id="main" tabindex="-1">
        <Show
          when={screen()}
          fallback={
            <Empty heading title="This page does not exist.">
              <a href={href(["night"])}>What happened at night</a>, or <a href={href(["inbox"])}>what waits for you</a>.
            </Empty>
          }
        >
          {(found) => (
            <Suspense>
              <Show when={who().kind !== "unknown"}>
                <Dynamic component={found().load} />
              </Show>
            </Suspense>
          )}
        </Show>
      </main>
      <KeyDialog open={asking() || who().kind === "keyNeeded"} onClose={() => setAsking(false)} />
      <Help open={helping()} onClose={() => setHelping(false)} />
    </>
  )
}
