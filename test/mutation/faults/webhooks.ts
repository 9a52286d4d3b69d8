/** Faults in webhooks: the order of messages, their signature, retries, and where they may go. */
import type { Fault } from "../Fault.ts"

export const webhooks: ReadonlyArray<Fault> = [
  {
    name: "webhook-skips-failed",
    breaks: "A webhook gets the next event only after the one before it was accepted.",
    symbol: "Deliveries",
    find: "failure = outcome\n              break\n",
    replace: "failure = outcome\n              continue\n"
  },
  {
    name: "webhook-forgets-failed",
    breaks: "An event that was not accepted is sent again.",
    symbol: "Deliveries",
    find: "const position = sent < messages.length",
    replace: "const position = sent < messages.length && failure === undefined"
  },
  {
    name: "webhook-skips-rest",
    breaks: "A webhook gets all events, also if a run does not reach them all.",
    symbol: "Deliveries",
    find: "rows.length < Looked\n            ? Math.max",
    replace: "rows.length <= Looked\n            ? Math.max"
  },
  {
    name: "webhook-hides-gaps",
    breaks: "A webhook gets a gap for numbers that retention removed.",
    symbol: "messagesOf",
    find: "gap(place, seq - 1)",
    replace: "gap(seq, seq - 1)"
  },
  {
    name: "webhook-forgets-older-secrets",
    breaks: "A rotation may be repeated: the secret that the receiver knows goes on signing.",
    symbol: "feed/send.headersOf",
    find: "...older_secrets]",
    replace: "]"
  },
  {
    name: "webhook-claimed-twice",
    breaks: "Only one isolate sends for a webhook at a time.",
    symbol: "isDue",
    find: "coalesce(sending_until, 0) <= :now",
    replace: "true"
  },
  {
    name: "webhook-claim-kept-out",
    breaks: "An isolate whose claim was taken away does not store its place.",
    step: "ended",
    find: "WHERE id = :id AND sender = :sender",
    replace: "WHERE id = :id"
  },
  {
    name: "webhook-retries-at-once",
    breaks: "The waits between attempts grow.",
    symbol: "afterFailure",
    find: "FirstDelay * 2 **",
    replace: "FirstDelay * 1 **"
  },
  {
    name: "webhook-never-ends",
    breaks: "A webhook that fails for 24 hours is disabled.",
    symbol: "afterFailure",
    find: "outcome.at >= end",
    replace: "outcome.at < 0"
  },
  {
    name: "webhook-ignores-retry-after",
    breaks: "A receiver that asks the server to wait is not sent to before that.",
    symbol: "afterFailure",
    find: "Math.max(delay, outcome.retryAfter * 1000)",
    replace: "delay"
  },
  {
    name: "webhook-project-ignored",
    breaks: "A webhook of a project gets no events of other tasks.",
    symbol: "Deliveries.matching",
    find: "(hook.project_id IS NULL OR entry.project_id IS hook.project_id)",
    replace: "true"
  },
  {
    name: "webhook-follows-redirects",
    breaks: "A redirect does not lead the server to another address.",
    file: "src/services/feed/send.ts",
    find: "redirect: \"manual\"",
    replace: "redirect: \"follow\""
  },
  {
    name: "webhook-address-checked-once",
    breaks: "An address that is refused by now is not sent to.",
    file: "src/services/feed/send.ts",
    find: "if (refusal !== undefined) return",
    replace: "if (refusal === \"\") return"
  },
  {
    name: "webhook-loopback",
    breaks: "A webhook has no loopback address.",
    file: "src/domain/feed/Address.ts",
    find: "  [\"127.0.0.0\", 8],\n",
    replace: ""
  },
  {
    name: "webhook-mapped-address",
    breaks: "A webhook has no IPv6 address that is not global unicast.",
    symbol: "isPublicV6",
    find: "return first >= 0x2000 && ",
    replace: "return "
  },
  {
    name: "webhook-local-dot",
    breaks: "A dot at the end of a name does not make it public.",
    symbol: "Address.refusalOf",
    find: ".replace(/\\.$/, \"\")",
    replace: ""
  },
  {
    name: "webhook-signs-with-one",
    breaks: "After a rotation the old secret signs too.",
    symbol: "feed/send.headersOf",
    find: "now < until",
    replace: "now < 0"
  },
  {
    name: "webhook-waits-in-request",
    breaks: "No request waits for a receiver.",
    file: "src/http/request/Requests.ts",
    find: "afterAnswer(Promise.resolve().then(() => Effect.runPromiseWith(context)(all)))",
    replace: "yield* all"
  },
  {
    name: "webhook-waits-for-ever",
    breaks: "A receiver that does not answer is given up.",
    file: "src/services/feed/send.ts",
    find: "Effect.timeoutOption(request, `${PatienceSeconds} seconds`)",
    replace: "Effect.map(request, Option.some)"
  },
  {
    name: "webhook-log-grows",
    breaks: "The log of a webhook has its last 100 attempts.",
    symbol: "logged",
    find: "(hook.entries + each.key) % ${MaxDeliveries}, hook.entries + each.key,",
    replace: "each.key, each.key,"
  },
  {
    name: "webhook-shows-secret",
    breaks: "Nobody sees the secret of a webhook after its registration.",
    file: "src/services/feed/Webhooks.ts",
    find: "name === \"enabled\" ? \"disabled_at IS NULL\" : name",
    replace: "name === \"enabled\" ? \"disabled_at IS NULL\" : name === \"name\" ? \"secret\" : name"
  },
  {
    name: "webhook-template-as-text",
    breaks: "A value in a template is at most 300 characters.",
    symbol: "Template.filled",
    find: "excerpt(String(event[name] ?? \"\"), MaxFilled)",
    replace: "String(event[name] ?? \"\")"
  }
]
