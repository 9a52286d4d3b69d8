/** The keys of the scope. Only the administrator sees them. */
import { createSignal, For, Show } from "solid-js"
import type { ApiKey } from "../../api/Contract.ts"
import { act, createQuery } from "../../api/query.ts"
import { isAdministrator, scope } from "../../api/session.ts"
import { announce } from "../../parts/announce.ts"
import { Ago, Button, Copy, Empty, Refusal } from "../../parts/Basics.tsx"
import { Ask, Confirm, Dialog } from "../../parts/Dialog.tsx"

const ranks = [
  ["read", "sees everything and changes nothing: for screens and web pages"],
  ["work", "claims tasks, and moves what its caller holds: for machines"],
  ["manage", "everything in the scope: for people"],
  ["fence", "asks whether a token may push: for git hooks"]
] as const

/** How long a replaced key goes on working. */
const overlaps = [["0", "not at all"], ["3600", "an hour"], ["86400", "a day"], ["604800", "a week"]] as const

/** A key, in the one dialog that shows it. */
const ShownOnce = (props: { readonly apiKey: string; readonly onClose: () => void }) => (
  <Dialog title="The new key" open onClose={props.onClose}>
    <p>It is shown this once. Keep it where only its user reads it.</p>
    <p class="key-text">
      <code>{props.apiKey}</code> <Copy text={props.apiKey} what="the key" />
    </p>
    <div class="buttons">
      <Button
        kind="primary"
        onClick={() =>
          props.onClose()}
      >
        I have it
      </Button>
    </div>
  </Dialog>
)

const Keys = () => {
  const keys = createQuery(
    "GET /api/v1/scopes/:scope/keys",
    () => isAdministrator() ? { params: { scope: scope() } } : undefined
  )
  const [issuing, setIssuing] = createSignal(false)
  const [revoking, setRevoking] = createSignal<ApiKey>()
  const [replacing, setReplacing] = createSignal<ApiKey>()
  const [issued, setIssued] = createSignal<string>()
  const [rank, setRank] = createSignal<typeof ranks[number][0]>("read")
  const [days, setDays] = createSignal("")
  const [overlap, setOverlap] = createSignal("86400")
  const expired = (key: ApiKey) => key.expires_at !== null && Date.parse(key.expires_at) <= Date.now()
  return (
    <>
      <div class="screen-head">
        <h1>Keys</h1>
        <Show when={isAdministrator()}>
          <Button onClick={() => setIssuing(true)}>Issue a key …</Button>
        </Show>
      </div>
      <Refusal sentence={keys.refusal()} />
      <Show
        when={isAdministrator()}
        fallback={<Empty title="Keys are for the administrator.">Sign in with the secret of the server.</Empty>}
      >
        <Show
          when={(keys.data()?.keys ?? []).length > 0}
          fallback={
            <Show when={keys.data() !== undefined}>
              <Empty title={`The scope ${scope()} has no key.`}>
                Issue one for each person and each machine, so each can be revoked by itself.
              </Empty>
            </Show>
          }
        >
          <div class="scroll" tabindex="0" role="group" aria-label="Keys">
            <table class="table">
              <thead>
                <tr>
                  <th>Name</th>
                  <th>Rank</th>
                  <th>Begins with</th>
                  <th>Issued</th>
                  <th>Last used</th>
                  <th>Expires</th>
                  <th>
                    <span class="unseen">Actions</span>
                  </th>
                </tr>
              </thead>
              <tbody>
                <For each={keys.data()!.keys}>
                  {(key) => (
                    <tr>
                      <td>
                        <strong class="wrap">{key.name}</strong>
                        <br />
                        <code class="quiet">{key.id}</code>
                      </td>
                      <td>{key.rank}</td>
                      <td>
                        <code>{key.starts_with}…</code>
                      </td>
                      <td>
                        <Ago at={key.created_at} /> <span class="quiet">by {key.created_by}</span>
                      </td>
                      <td>
                        <Show when={key.last_used_at} fallback={<span class="quiet">never</span>}>
                          {(at) => <Ago at={at()} />}
                        </Show>
                      </td>
                      <td>
                        <Show when={key.expires_at} fallback={<span class="quiet">never</span>}>
                          {(at) => (
                            <span classList={{ warn: expired(key) }}>
                              {expired(key) ? "expired " : ""}
                              <Ago at={at()} />
                            </span>
                          )}
                        </Show>
                      </td>
                      <td>
                        <div class="buttons">
                          <Show when={!expired(key)}>
                            <Button kind="plain" onClick={() => setReplacing(key)}>
                              Replace …<span class="unseen">{key.name}</span>
                            </Button>
                          </Show>
                          <Button kind="plain" onClick={() => setRevoking(key)}>
                            Revoke …<span class="unseen">{key.name}</span>
                          </Button>
                        </div>
                      </td>
                    </tr>
                  )}
                </For>
              </tbody>
            </table>
          </div>
        </Show>
      </Show>
      <Show when={issuing()}>
        <Ask
          title={`Issue a key for ${scope()}`}
          label="Who or what is it for?"
          does="Issue it"
          onClose={() => setIssuing(false)}
          send={async (name) => {
            const expires = days() === ""
              ? {}
              : { expires_at: new Date(Date.now() + Number(days()) * 86_400_000).toISOString() }
            const outcome = await act("POST /api/v1/scopes/:scope/keys", {
              params: { scope: scope() },
              body: { name, rank: rank(), ...expires }
            })
            if ("done" in outcome) setIssued(outcome.done.api_key)
            keys.again()
            return outcome
          }}
        >
          <label>
            What it may do
            <select value={rank()} onInput={(event) => setRank(event.currentTarget.value as typeof ranks[number][0])}>
              <For each={ranks}>
                {([one, does]) => <option value={one} selected={one === rank()}>{one}: {does}</option>}
              </For>
            </select>
          </label>
          <label>
            Valid for so many days; empty is until it is revoked
            <input
              type="number"
              min="1"
              max="3650"
              value={days()}
              onInput={(event) => setDays(event.currentTarget.value)}
            />
          </label>
        </Ask>
      </Show>
      <Show when={replacing()}>
        {(key) => (
          <Confirm
            title={`Replace ${key().name}`}
            does="Make the new key"
            onClose={() => setReplacing(undefined)}
            send={async () => {
              const outcome = await act("POST /api/v1/orchestrators/scopes/:scope/rotate-key", {
                params: { scope: scope() },
                body: { key_id: key().id, overlap_seconds: Number(overlap()) }
              })
              if ("done" in outcome) setIssued(outcome.done.api_key)
              keys.again()
              return outcome
            }}
          >
            <label>
              How long the present key goes on working
              <select value={overlap()} onInput={(event) => setOverlap(event.currentTarget.value)}>
                <For each={overlaps}>
                  {([seconds, text]) => <option value={seconds} selected={seconds === overlap()}>{text}</option>}
                </For>
              </select>
            </label>
          </Confirm>
        )}
      </Show>
      <Show when={revoking()}>
        {(key) => (
          <Ask
            title={`Revoke ${key().name}`}
            label={`Write ${key().name} to revoke it for good`}
            does="Revoke it"
            kind="danger"
            onClose={() => setRevoking(undefined)}
            send={async (text) => {
              if (text !== key().name) {
                return { refused: `That is not ${key().name}, so nothing was revoked.`, tag: undefined }
              }
              const outcome = await act("DELETE /api/v1/scopes/:scope/keys/:id", {
                params: { scope: scope(), id: key().id }
              })
              if ("done" in outcome) announce(`Revoked: ${key().name}`)
              keys.again()
              return outcome
            }}
          >
            <p class="quiet">Requests with this key are refused at once, everywhere.</p>
          </Ask>
        )}
      </Show>
      <Show when={issued()}>{(key) => <ShownOnce apiKey={key()} onClose={() => setIssued(undefined)} />}</Show>
    </>
  )
}
export default Keys
