/** Checks that webhooks go only where they may, keep their secret, and can be moved in the feed. They send nothing. */
import type { Bench } from "../../Bench.ts"
import type { Check, Group } from "../../Check.ts"
import { expect, must, refused, Skipped } from "../../Expectation.ts"
import { Look } from "../../Look.ts"

const inside = [
  "https://127.0.0.1/",
  "https://2130706433/",
  "https://[::ffff:10.0.0.1]/",
  "https://169.254.169.254/latest/meta-data/",
  "https://localhost/",
  "https://metadata.google.internal/",
  "https://api.default.svc/",
  "https://example.com:22/",
  "http://example.com/"
]

/** No event passes these filters, so nothing is sent to the address. */
const silent = ({ idOf }: Bench) => ({
  url: "https://example.com/conformance",
  name: idOf("hook"),
  types: ["hook_completed"],
  project_id: idOf("nowhere")
})

const checks: ReadonlyArray<Check> = [
  {
    name: "a webhook to a private address is refused",
    means: "Anyone with a key can have the server call what only the server reaches.",
    look: Look.access,
    async run(bench) {
      const { ask, post } = bench
      for (const url of inside) {
        const answer = await post("webhooks", { ...silent(bench), url })
        if (answer.status === 201) {
          await ask("DELETE", `/api/v1/webhooks/${answer.body.id}`)
          if (url === inside[0]) throw new Skipped("the server allows private addresses (WEBHOOK_ALLOW_PRIVATE)")
        }
        refused(answer, 400, { _tag: "AddressRefused" })
      }
    }
  },
  {
    name: "the secret of a webhook is shown once, and again only to a repeated request",
    means: "Anyone who can list webhooks can forge their messages, or nobody can verify them.",
    look: Look.between,
    async run(bench) {
      const { ask, idOf, post } = bench
      const headers = { "idempotency-key": idOf("register") }
      // Its place moves on while other checks change tasks.
      const { id, position: _, secret, ...shown } = expect(await post("webhooks", silent(bench), headers), 201)
      must(/^whsec_[A-Za-z0-9+/]{43}=$/.test(secret), "a secret of 32 bytes")
      expect(await post("webhooks", silent(bench), headers), 201, { id, secret })
      const path = `/api/v1/webhooks/${id}`
      for (const answer of [await ask("GET", path), await ask("GET", "/api/v1/webhooks")]) {
        expect(answer, 200)
        must(!JSON.stringify(answer.body).includes("whsec_"), "an answer without a secret", answer)
      }
      const rotated = await ask("PATCH", path, { rotate_secret: true })
      must(expect(rotated, 200).secret !== secret, "another secret after a rotation", rotated)
      expect(await ask("GET", path), 200, { ...shown, id })
    }
  },
  {
    name: "a webhook is moved in the feed, stopped, started and deleted",
    means: "Events cannot be sent again, or go on after nobody wants them.",
    look: Look.deployment,
    async run(bench) {
      const { ask, create, post } = bench
      await create("a")
      const { id } = expect(await post("webhooks", silent(bench)), 201)
      const path = `/api/v1/webhooks/${id}`
      expect(await post(`webhooks/${id}/redeliver`, { after: 0 }), 200, { id })
      refused(await post(`webhooks/${id}/redeliver`, { after: 999_999_999_999_999 }), 400, { _tag: "InvalidPlace" })
      expect(await ask("PATCH", path, { enabled: false }), 200, { enabled: false })
      expect(await ask("PATCH", path, { enabled: true }), 200, { enabled: true, disabled_reason: null })
      refused(await ask("PATCH", path, { types: ["exploded"] }), 400, { _tag: "UnknownEventType" })
      must((await ask("DELETE", path)).status < 300, "the webhook to be deleted")
      refused(await ask("GET", path), 404)
    }
  }
]

export const webhooks: Group = { name: "webhooks", checks }
