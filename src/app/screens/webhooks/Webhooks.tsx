/** Where the server sends events to, and what came of it. */
import { createSignal, For, Show } from "solid-js"
import { act, createQuery } from "../../api/query.ts"
import { may } from "../../api/session.ts"
import { Button, Copy, Empty, Refusal } from "../../parts/Basics.tsx"
import { Dialog } from "../../parts/Dialog.tsx"
import { Register } from "./Register.tsx"
import { Webhook } from "./Webhook.tsx"
import "./webhooks.css"

const Webhooks = () => {
  const webhooks = createQuery("GET /api/v1/webhooks", () => may("manage") ? {} : undefined)
  const [registering, setRegistering] = createSignal(false)
  const [secret, setSecret] = createSignal<string>()
  return (
    <>
      <div class="screen-head">
        <h1>Webhooks</h1>
        <Show when={may("manage")}>
          <Button onClick={() => setRegistering(true)}>Register a webhook …</Button>
        </Show>
      </div>
      <Refusal sentence={webhooks.refusal()} />
      <Show
        when={may("manage")}
        fallback={
          <Empty title="Your key does not show webhooks.">
            Their addresses may be secrets, so only a key of the rank <code>manage</code> does.
          </Empty>
        }
      >
        <Show when={webhooks.data()?.webhooks.length === 0}>
          <Empty title="The server tells nobody.">
            Register the address of a program or a chat, and it gets each event that you choose.
          </Empty>
        </Show>
        <div class="webhooks">
          <For each={(webhooks.data()?.webhooks ?? []).map(({ id }) => id)}>
            {(id) => (
              <Show when={webhooks.data()?.webhooks.find((one) => one.id === id)}>
                {(webhook) => <Webhook webhook={webhook()} again={webhooks.again} onSecret={setSecret} />}
              </Show>
            )}
          </For>
        </div>
      </Show>
      <Show when={registering()}>
        <Register
          onClose={() => setRegistering(false)}
          send={async (body) => {
            const outcome = await act("POST /api/v1/webhooks", { body })
            if ("done" in outcome) setSecret(outcome.done.secret)
            webhooks.again()
            return outcome
          }}
        />
      </Show>
      <Show when={secret()}>
        {(text) => (
          <Dialog title="The secret that signs" open onClose={() => setSecret(undefined)}>
            <p>It is shown this once. Give it to the receiver, which checks the signatures with it.</p>
            <p class="key-text">
              <code>{text()}</code> <Copy text={text()} what="the secret" />
            </p>
            <div class="buttons">
              <Button kind="primary" onClick={() => setSecret(undefined)}>I have it</Button>
            </div>
          </Dialog>
        )}
      </Show>
    </>
  )
}
export default Webhooks
