/** Servers that break one promise: ours, with something in front that changes what passes. */
import type { Fetch } from "../../src/conformance/Ask.ts"

type Json = Record<string, any>

const bodyOf = (init: RequestInit): Json => {
  try {
    return JSON.parse(String(init.body ?? "{}"))
  } catch {
    return {}
  }
}

const without = (init: RequestInit, ...fields: ReadonlyArray<string>): RequestInit => {
  if (typeof init.body !== "string" || init.body.length > 100_000) return init
  const kept = Object.fromEntries(Object.entries(bodyOf(init)).filter(([name]) => !fields.includes(name)))
  // A body that is not JSON stays unchanged.
  return Object.keys(kept).length === 0 && !init.body.startsWith("{}") ? init : { ...init, body: JSON.stringify(kept) }
}

const anonymous = (init: RequestInit): RequestInit => {
  const { authorization: _, ...headers } = init.headers as Record<string, string>
  return { ...init, headers }
}

const edited = async (response: Response, edit: (body: Json) => Json) =>
  new Response(JSON.stringify(edit(await response.json() as Json)), {
    status: response.status,
    headers: response.headers
  })

const isClaim = (url: string) => url.endsWith("/tasks/claim")
const withKey = (init: RequestInit) => "authorization" in (init.headers as object)

/** Groups the claims that are under way at once and look for the same. */
const whileClaiming = (fetch: Fetch, second: (first: Promise<Response>) => Promise<Response>): Fetch => {
  const underWay = new Map<string, Promise<Response>>()
  return async (url, init) => {
    if (!isClaim(url) || "idempotency-key" in (init.headers as object)) return fetch(url, init)
    const { queue, type_filter } = bodyOf(init)
    const looksFor = `${type_filter} ${queue}`
    const first = underWay.get(looksFor)
    if (first !== undefined) return second(first)
    const answer = fetch(url, init)
    underWay.set(looksFor, answer)
    try {
      return (await answer).clone()
    } finally {
      underWay.delete(looksFor)
    }
  }
}

export interface Tampering {
  readonly groups: ReadonlyArray<string>
  readonly tamper: (fetch: Fetch) => Fetch
  /** The checks of the groups that have to fail, and no others. */
  readonly caught: ReadonlyArray<string>
}

export const tampered: Readonly<Record<string, Tampering>> = {
  "grants one task to claims at once": {
    groups: ["races", "idempotency"],
    tamper: (fetch) => whileClaiming(fetch, async (first) => (await first).clone()),
    caught: [
      "simultaneous claims get different tasks, and the others get 404",
      "simultaneous review claims go to different reviewers"
    ]
  },
  "answers a conflict to the slower request": {
    groups: ["races"],
    tamper: (fetch) =>
      whileClaiming(fetch, async () => Response.json({ error: "Somebody else was faster." }, { status: 409 })),
    caught: [
      "simultaneous claims get different tasks, and the others get 404",
      "simultaneous review claims go to different reviewers"
    ]
  },
  "lets stale tokens through": {
    groups: ["fencing", "races"],
    tamper: (fetch) => (url, init) => fetch(url, url.endsWith("/renew") ? init : without(init, "fencing_token")),
    caught: ["every call with an older token is refused, and changes nothing"]
  },
  "takes no notice of stated versions": {
    groups: ["fencing", "races"],
    tamper: (fetch) => (url, init) => fetch(url, without(init, "version")),
    caught: [
      "a call with another version is refused, and changes nothing",
      "of simultaneous changes with the same version one counts"
    ]
  },
  "drops idempotency keys": {
    groups: ["idempotency", "races"],
    tamper: (fetch) => (url, init) => {
      const { "idempotency-key": _, ...headers } = init.headers as Record<string, string>
      return fetch(url, { ...init, headers })
    },
    caught: [
      "a create that is repeated makes one task, and gets the same answer",
      "a claim that is repeated gets the same task, not a second one",
      "a submit that is repeated gets the same answer",
      "an accept that is repeated gets the same answer",
      "another request under the same key is refused, and changes nothing",
      "two simultaneous requests under one key have one effect",
      "simultaneous creates under one idempotency key make one task, and all get the answer"
    ]
  },
  "skips a change on each page of the feed": {
    groups: ["lifecycle"],
    tamper: (fetch) => async (url, init) => {
      const response = await fetch(url, init)
      return url.includes("/events?limit=") && response.status === 200
        ? edited(response, (page) => ({ ...page, events: page.events.slice(1) }))
        : response
    },
    caught: ["the feed has every change once, in order, page by page"]
  },
  "repeats the last change of the feed": {
    groups: ["lifecycle"],
    tamper: (fetch) => (url, init) =>
      fetch(url.replace(/(\/events\?.*after=)(\d+)/, (_, before, after) => before + Math.max(0, after - 1)), init),
    caught: ["the feed has every change once, in order, page by page"]
  },
  "keeps failures to itself": {
    groups: ["lifecycle"],
    tamper: (fetch) => async (url, init) => {
      const response = await fetch(url, init)
      return url.includes("/overview") && response.status === 200
        ? edited(response, (body) => ({ ...body, failures: { ...body.failures, items: [] } }))
        : response
    },
    caught: ["the overview shows a failure with its reason, and is sent again only after a change"]
  },
  "sends webhooks anywhere": {
    groups: ["webhooks"],
    tamper: (fetch) => async (url, init) => {
      const { url: address } = bodyOf(init)
      const isOther = typeof address === "string" && /internal|svc|:22/.test(address)
      return fetch(
        url,
        isOther ? { ...init, body: JSON.stringify({ ...bodyOf(init), url: "https://example.com/" }) } : init
      )
    },
    caught: ["a webhook to a private address is refused"]
  },
  "shows the secrets of webhooks": {
    groups: ["webhooks"],
    tamper: (fetch) => async (url, init) => {
      const response = await fetch(url, init)
      return init.method === "GET" && /webhooks\/whk_/.test(url) && response.ok
        ? edited(response, (body) => ({ ...body, secret: "whsec_" }))
        : response
    },
    caught: ["the secret of a webhook is shown once, and again only to a repeated request"]
  },
  "counts each report of usage, also a repeated one": {
    groups: ["usage"],
    tamper: (fetch) => (url, init) => {
      const { "idempotency-key": _, ...headers } = init.headers as Record<string, string>
      return fetch(url, { ...init, headers })
    },
    caught: ["usage is summed exactly for the task and the model, and a repeated report counts once"]
  },
  "takes no notice of caps": {
    groups: ["usage"],
    tamper: (fetch) => (url, init) => fetch(url, without(init, "max_tokens")),
    caught: ["a holder at a cap is asked to pause, and nobody claims the task until the cap is raised"]
  },
  "leaves rejections out of the history": {
    groups: ["lifecycle"],
    tamper: (fetch) => async (url, init) => {
      const response = await fetch(url, init)
      return url.endsWith("/history") && response.ok
        ? edited(response, (body) => ({
          ...body,
          history: body.history.filter(({ event }: Json) => event !== "rejected")
        }))
        : response
    },
    caught: ["the history has one entry for each version, and outlives the task"]
  },
  "counts one too many": {
    groups: ["lifecycle", "isolation"],
    tamper: (fetch) => async (url, init) => {
      const response = await fetch(url, init)
      return url.includes("/scheduler/poll") && response.ok
        ? edited(response, (body) => ({
          ...body,
          queue_counts: Object.fromEntries(
            Object.entries<number>(body.queue_counts).map(([queue, count]) => [queue, count + 1])
          )
        }))
        : response
    },
    caught: [
      "the counts in a poll are those of the tasks",
      "after the run, every count equals the number of rows"
    ]
  },
  "never takes a lease back": {
    groups: ["leases"],
    tamper: (fetch) => (url, init) =>
      fetch(
        url,
        isClaim(url) && bodyOf(init).lease_duration_seconds === 1
          ? { ...init, body: JSON.stringify({ ...bodyOf(init), lease_duration_seconds: 900 }) }
          : init
      ),
    caught: [
      "a task with an expired lease returns to its queue, with a count and a history entry",
      "a lease is lost when someone else is granted the task",
      "a review has one holder, stays in its queue, and is free again when its lease expires"
    ]
  },
  "hands out blocked tasks": {
    groups: ["lifecycle"],
    tamper: (fetch) => (url, init) => fetch(url, without(init, "depends_on")),
    caught: [
      "a blocked task is not claimable, and is ready when its last blocker is done",
      "when a blocker fails, on_failure decides",
      "a circle of tasks is refused"
    ]
  },
  "shows tasks of other scopes by their ids": {
    groups: ["isolation"],
    tamper: (fetch) => async (url, init) => {
      const response = await fetch(url, init)
      return response.status === 404 && init.method === "GET" && withKey(init) ? fetch(url, anonymous(init)) : response
    },
    caught: [
      "a task of another scope cannot be read by its id",
      "an id names one task in each scope at most, and is refused where it could mean two",
      "lists, counts and messages show nothing of another scope"
    ]
  },
  "changes tasks of other scopes by their ids": {
    groups: ["isolation"],
    tamper: (fetch) => async (url, init) => {
      const response = await fetch(url, init)
      return response.status === 404 && init.method === "POST" && !isClaim(url) && withKey(init)
        ? fetch(url, anonymous(init))
        : response
    },
    caught: ["a task of another scope cannot be changed by its id"]
  },
  "takes a key that is not valid": {
    groups: ["isolation"],
    tamper: (fetch) => async (url, init) => {
      const response = await fetch(url, init)
      const { authorization } = init.headers as Record<string, string>
      return response.status === 401 && authorization?.endsWith("0000") ? fetch(url, anonymous(init)) : response
    },
    caught: [
      "an invalid key is refused, and so is a request without a key if keys are required"
    ]
  },
  "issues every key with the rank manage": {
    groups: ["isolation"],
    tamper: (fetch) => async (url, init) => {
      const { rank } = bodyOf(init)
      if (rank === undefined) return fetch(url, init)
      const response = await fetch(url, { ...init, body: JSON.stringify({ ...bodyOf(init), rank: "manage" }) })
      return edited(response, (body) => ({ ...body, rank }))
    },
    caught: ["a key does no more than its rank may"]
  },
  "lets every token push": {
    groups: ["fencing", "isolation"],
    tamper: (fetch) => async (url, init) => {
      const response = await fetch(url, init)
      return url.includes("/fence?") && response.ok
        ? edited(response, (body) => ({ ...body, may_push: true }))
        : response
    },
    caught: ["only the token of the holder may push", "a key does no more than its rank may"]
  },
  "sits behind a proxy that refuses large bodies in HTML": {
    groups: ["contract"],
    tamper: (fetch) => async (url, init) =>
      typeof init.body === "string" && init.body.length > 1_000_000
        ? new Response("<h1>413 Request Entity Too Large</h1>", { status: 413 })
        : fetch(url, init),
    caught: ["a body that is too large is refused"]
  }
}
