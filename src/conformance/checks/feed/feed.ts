/** Checks that a reader of the feed gets every change once, in order, and that a look that finds nothing is cheap. */
import type { Check } from "../../Check.ts"
import { expect, must } from "../../Expectation.ts"
import { Look } from "../../Look.ts"

/** A run makes far fewer changes than this has pages. */
const MostPages = 2000

export const feed: ReadonlyArray<Check> = [
  {
    name: "the feed has every change once, in order, page by page",
    means: "Programs that follow a scope miss changes, or act on one twice.",
    look: Look.deployment,
    async run({ accept, ask, create, hold, patch, submit }) {
      const start = expect(await ask("GET", "/api/v1/events?after=latest"), 200)
      const { id } = await create("a", { title: "First" })
      expect(await patch(id, { title: "Second" }), 200)
      const held = await hold()
      expect(await submit(held), 200)
      expect(await accept(id), 200)
      const events: Array<any> = []
      const { latest } = expect(await ask("GET", "/api/v1/events?after=latest"), 200)
      let after: number = start.next
      // Other checks change tasks of the scope at the same time.
      for (let pages = 0; after < latest; pages++) {
        const answer = await ask("GET", `/api/v1/events?limit=2&after=${after}`)
        const page = expect(answer, 200)
        must(page.next > after && pages < MostPages, "next to lead on", answer)
        must(page.gap === false, "a feed without a gap", answer)
        const numbers = page.events.map(({ seq }: any) => seq)
        must(
          numbers.every((seq: number, i: number) => seq === after + 1 + i),
          `the changes from ${after + 1} on, each once`,
          answer
        )
        events.push(...page.events)
        after = page.next
      }
      const own = events.filter(({ task_id }) => task_id === id)
      const shown = own.map(({ event, from_queue, title, to_queue }) => [event, title, from_queue, to_queue].join())
      const expected = [
        "created,First,,incoming",
        "edited,First,incoming,incoming",
        "claimed,Second,incoming,claimed",
        "submitted,Second,claimed,provisional",
        "accepted,Second,provisional,done"
      ]
      must(JSON.stringify(shown) === JSON.stringify(expected), `the changes ${expected.join("; ")}`)
    }
  },
  {
    name: "the feed is narrowed by task and type, and refuses a type that does not exist",
    means: "Programs that wait for a change never see it.",
    look: Look.deployment,
    async run({ ask, create, patch }) {
      const start = expect(await ask("GET", "/api/v1/events?after=latest"), 200)
      const { id } = await create("a")
      expect(await patch(id, { title: "Second" }), 200)
      const query = `/api/v1/events?after=${start.next}&task_id=${encodeURIComponent(id)}`
      const answer = await ask("GET", `${query}&types=edited`)
      const { events } = expect(answer, 200)
      must(events.length === 1 && events[0].event === "edited" && events[0].task_id === id, "one edit", answer)
      expect(await ask("GET", `${query}&types=exploded`), 400, { _tag: "UnknownEventType" })
    }
  },
  {
    name: "the overview shows a failure with its reason, and is sent again only after a change",
    means: "A page about the scope hides what went wrong, or shows an old state.",
    look: Look.deployment,
    async run({ ask, create, hold, post }) {
      const { id } = await create("a")
      const { fencing_token } = await hold()
      expect(await post(`tasks/${id}/fail`, { reason: "It does not compile.", fencing_token }), 200)
      const answer = await ask("GET", "/api/v1/overview")
      const { failures } = expect(answer, 200)
      const shown = failures.items.find(({ task_id }: any) => task_id === id)
      must(shown?.event === "failed" && shown.reason === "It does not compile.", "the failure, with its reason", answer)
      must(failures.total >= failures.items.length && failures.items.length <= 50, "a short list with a total", answer)
      const tag = answer.headers.get("etag") ?? ""
      // Other checks change tasks of the scope at the same time, so an answer that is not modified may never come.
      await create("b")
      const later = await ask("GET", "/api/v1/overview", undefined, { "if-none-match": tag })
      must(later.status === 200 && later.headers.get("etag") !== tag, "another answer after a change", later)
    }
  }
]
